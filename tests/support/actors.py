"""What the tests of workers make in another process."""

from __future__ import annotations

import os
import signal
import sys
import time

from nhwcc.compiler.diagnostics import error
from nhwcc.compiler.types import Array


class Actor:
    """Does as it is told."""

    def __init__(self, name: str, *, loud: bool = False) -> None:
        self.name = name
        if loud:
            sys.stdout.write("words on standard output\n")
            sys.stdout.flush()

    def double(self, array: Array) -> Array:
        return array * 2

    def has_imported(self, name: str) -> bool:
        return sys.modules.get(name) is not None

    def fail(self) -> None:
        raise error("R013", "refused", help="try again")

    def stumble(self) -> None:
        raise KeyError("a defect")

    def die(self) -> None:
        sys.stderr.write("kernel: assertion failed\n")
        sys.stderr.flush()
        os.kill(os.getpid(), signal.SIGABRT)

    def leave(self) -> None:
        os._exit(7)

    def leave_a_child(self, seconds: float) -> int:
        """Fork a process, which has our pipes and outlives us, as runtimes do; return its number."""
        child = os.fork()
        if not child:
            time.sleep(seconds)
            os._exit(0)
        return child

"""Progress: a spinner on a terminal, plain lines elsewhere, and nothing for what takes less than a second."""

from __future__ import annotations

import sys
import threading
import time
from typing import TYPE_CHECKING, Self

from nhwcc.cli.edge import echo
from nhwcc.compiler.visible import visible

if TYPE_CHECKING:
    from rich.status import Status
    from rich.text import Text

PATIENCE = 1.0
"""Seconds after which progress is shown."""


class Progress:
    """Shows on a terminal what the compiler is doing, and for how long."""

    def __init__(self, *, shown: bool) -> None:
        self._shown = shown
        self._spins = shown and sys.stderr.isatty()
        self._status: Status | None = None
        self._timer: threading.Timer | None = None
        self._lock = threading.Lock()
        self._step = ""
        self._since = time.perf_counter()

    def __call__(self, step: str) -> None:
        """End a step and begin another one."""
        self._end()
        with self._lock:
            self._step, self._since = visible(step), time.perf_counter()
            if self._status is not None:
                self._status.update(_plain(self._step))

    def __enter__(self) -> Self:
        if self._spins:
            self._timer = threading.Timer(PATIENCE, self._spin)
            self._timer.daemon = True
            self._timer.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._end()
        if self._timer is not None:
            self._timer.cancel()
        with self._lock:
            self._spins = False
            if self._status is not None:
                self._status.stop()

    def _end(self) -> None:
        seconds = time.perf_counter() - self._since
        if self._step and self._shown and not self._spins and seconds >= PATIENCE:
            echo(f"{self._step}: {seconds:.1f} s", err=True)
        self._step = ""

    def _spin(self) -> None:
        from rich.console import Console
        from rich.status import Status

        with self._lock:
            if self._spins:
                self._status = Status(_plain(self._step), console=Console(stderr=True))
                self._status.start()


def _plain(step: str) -> Text:
    """Return a text in which brackets are no commands."""
    from rich.text import Text

    return Text(step)

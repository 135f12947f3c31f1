"""A process of its own for a runtime: a kernel that ends its process does not end ours, and what it prints is kept."""

from __future__ import annotations

import os
import pickle
import signal
import subprocess
import sys
from contextlib import suppress
from importlib import import_module
from typing import IO, Any, Self, cast

from nhwcc.compiler.budget import watched
from nhwcc.compiler.diagnostics import CompileError, error
from nhwcc.compiler.processes import search_path
from nhwcc.files import scratch


class Worker:
    """Makes an object in another process and calls its methods; arguments and results are copied.

    The process starts at once and imports the modules ``warm``, or calls functions that are named ``module:function``,
    while we do something else.  ``runtime`` is what errors call that which runs there.
    """

    def __init__(self, *warm: str, runtime: str = "the runtime") -> None:
        self._runtime = runtime
        self._scratch = scratch()
        self._log = (self._scratch.path / "said").open("w+b")
        self._process = subprocess.Popen(  # noqa: S603 -- our own module
            [sys.executable, "-P", "-m", __name__, *warm],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._log,
            env=os.environ
            | {"PYTHONPATH": os.pathsep.join(search_path())}
            | dict.fromkeys(("TMPDIR", "TEMP", "TMP"), str(self._scratch.path)),
        )

    def make(self, module: str, name: str, *args: object, **kwargs: object) -> None:
        """Make the object: an instance of a class of a module.

        Raises:
            CompileError: what the constructor raises; R019, the process ended.
        """
        self._ask("make", (module, name), args, kwargs)

    def call(self, method: str, *args: object) -> Any:
        """Call a method of the object, or read an attribute, and return the result.

        Raises:
            CompileError: what the method raises; R019, the process ended.
        """
        return self._ask("call", (method,), args, {})

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """End the process; what a runtime has started itself may still hold the pipes, and is not waited for."""
        self._process.kill()
        for pipe in (self._process.stdin, self._process.stdout):
            with suppress(BrokenPipeError):
                if pipe is not None:
                    pipe.close()
        self._process.wait()
        self._log.close()
        self._scratch.close()

    def _ask(self, kind: str, where: tuple[str, ...], args: tuple[object, ...], kwargs: dict[str, object]) -> Any:
        to, back = self._process.stdin, self._process.stdout
        assert to is not None and back is not None
        with watched(f"the run on {self._runtime}", self._process.kill):
            try:
                pickle.dump((kind, where, args, kwargs), to, pickle.HIGHEST_PROTOCOL)
                to.flush()
                is_well, answer = cast(tuple[bool, Any], pickle.load(back))  # noqa: S301 -- our own process
            except (EOFError, OSError, pickle.UnpicklingError):
                raise self._ended() from None
        if not is_well:
            raise CompileError(*answer)
        return answer

    def _ended(self) -> CompileError:
        code = self._process.wait()
        how = f"killed by {signal.Signals(-code).name}" if code < 0 else f"exit code {code}"
        self._log.seek(0)
        said = self._log.read().decode("utf-8", "replace").strip().splitlines()[-8:]
        bad = error("R019", f"{self._runtime} ended its process ({how})", excerpt="\n".join(said) or None)
        bad.diagnostics[0].notes.append("the process was nhwcc's worker; nothing else was harmed")
        return bad


class InWorker:
    """A runner in a process of its own, which ends with it; subclasses start the ``_worker``."""

    _worker: Worker

    def close(self) -> None:
        """End the worker's process and free what it has loaded."""
        self._worker.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def serve(requests: IO[bytes], answers: IO[bytes]) -> None:
    """Answer requests from a pipe in a loop, until the other side closes it."""
    made: Any = None
    while True:
        try:
            kind, where, args, kwargs = pickle.load(requests)  # noqa: S301 -- from our own process
        except EOFError:
            return
        try:
            if kind == "make":
                made = getattr(import_module(where[0]), where[1])(*args, **kwargs)
                answer = True, None
            else:
                found: Any = getattr(made, where[0])
                answer = True, found(*args) if callable(found) else found
        except CompileError as bad:
            answer = False, bad.diagnostics
        pickle.dump(answer, answers, pickle.HIGHEST_PROTOCOL)
        answers.flush()


def main() -> None:
    """Serve on standard input and output; what libraries print goes to standard error."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # whoever asked decides when to stop
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    for warm in sys.argv[1:]:
        module, _, function = warm.partition(":")
        found = import_module(module)
        if function:
            getattr(found, function)()
    serve(sys.stdin.buffer, answers)


if __name__ == "__main__":
    main()

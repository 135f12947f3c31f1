"""Command lines of nhwcc, each in a forked process of its own with limits on time and memory."""

from __future__ import annotations

import atexit
import gc
import io
import os
import resource
import signal
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import IO, Any

SECONDS = 60.0
BYTES = 4 << 30
POLL = 0.01
SMALLEST = b"func @main(%x: f32[2]) -> (f32[2]) {\n  %y = neg(%x) : f32[2]\n  return(%y)\n}\n"
"""A network whose compilation imports what all others need."""


@dataclass(frozen=True)
class Job:
    """A command line, and the folder in which it runs."""

    case: int
    kind: str
    folder: Path
    arguments: tuple[str, ...]


@dataclass(frozen=True)
class Ended:
    """How a job ended: its exit code, negative for a signal, None if it took too long; and what it printed."""

    job: Job
    code: int | None
    seconds: float
    printed: str
    complained: str


@dataclass
class _Running:
    job: Job
    pid: int
    start: float


def prepare(*, whole: bool = True) -> None:
    """Import what jobs need, so that forks have it; nothing is run that would start threads.

    PyTorch and TensorFlow are imported if the ``whole`` is wanted.
    """
    import ai_edge_litert.interpreter  # noqa: F401  # pyright: ignore[reportUnusedImport]
    import onnxruntime  # noqa: F401  # pyright: ignore[reportUnusedImport, reportMissingTypeStubs]
    import sympy  # noqa: F401  # pyright: ignore[reportUnusedImport, reportMissingTypeStubs]
    from nhwcc.backends.tflite import runtime  # noqa: F401  # pyright: ignore[reportUnusedImport]
    from nhwcc.frontends import onnx as frontend  # noqa: F401  # pyright: ignore[reportUnusedImport]

    import nhwcc
    from nhwcc import inspection  # noqa: F401  # pyright: ignore[reportUnusedImport]
    from nhwcc.runners import onnx as runner  # noqa: F401  # pyright: ignore[reportUnusedImport]
    from nhwcc.runners import worker

    if whole:
        os.environ |= {"TF_CPP_MIN_LOG_LEVEL": "3", "CUDA_VISIBLE_DEVICES": ""}
        for module in ("openvino", "tensorflow", "keras", "nhwcc.frontends.torch", "nhwcc.frontends.tensorflow"):
            import_module(module)
    worker.subprocess = _Forks  # pyright: ignore[reportAttributeAccessIssue]
    nhwcc.compile(SMALLEST, verify=False)
    gc.freeze()  # else every fork's first collection copies all pages


def run_all(jobs: Iterable[Job], workers: int = 1) -> Iterator[Ended]:
    """Run jobs, some at a time, and yield each as it ends."""
    waiting = iter(jobs)
    running: list[_Running] = []
    while True:
        while len(running) < workers and (job := next(waiting, None)) is not None:
            running.append(_Running(job, _start(job), time.monotonic()))
        if not running:
            return
        for one in list(running):
            ended = _poll(one)
            if ended is not None:
                running.remove(one)
                yield ended
        time.sleep(POLL)


def _poll(one: _Running) -> Ended | None:
    """Return how a job ended, None if it runs on."""
    seconds = time.monotonic() - one.start
    pid, status = os.waitpid(one.pid, os.WNOHANG)
    code = os.waitstatus_to_exitcode(status) if pid else None
    if not pid and seconds < SECONDS:
        return None
    with suppress(ProcessLookupError):
        os.killpg(one.pid, signal.SIGKILL)  # the job itself, or what it has left
    if not pid:
        os.waitpid(one.pid, 0)
    texts = (one.job.folder.with_suffix(s) for s in (".out", ".err"))
    return Ended(one.job, code, seconds, *(t.read_text("utf-8", "replace") for t in texts))


def _start(job: Job) -> int:
    pid = os.fork()
    if pid == 0:
        code = 70
        try:
            os.setsid()
            for number, suffix in ((1, ".out"), (2, ".err")):
                os.dup2(os.open(job.folder.with_suffix(suffix), os.O_WRONLY | os.O_CREAT | os.O_TRUNC), number)
            os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
            limit = BYTES + _mapped()
            resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
            resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
            code = _run(job)
        finally:
            run_at_exit: Any = getattr(atexit, "_run_exitfuncs")  # noqa: B009 -- what libraries remove at the end
            run_at_exit()
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(code)
    return pid


def _mapped() -> int:
    """Return how many bytes this process has mapped, most of them code of libraries that the job may not need."""
    return int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()


def _run(job: Job) -> int:
    import faulthandler

    from nhwcc.cli import main

    faulthandler.enable(2)
    os.environ["TMPDIR"] = str(job.folder / "tmp")
    tempfile.tempdir = None
    os.chdir(job.folder)
    sys.argv = ["nhwcc", *job.arguments]
    sys.stdout = io.TextIOWrapper(io.FileIO(1, "w", closefd=False), "utf-8", "replace")
    sys.stderr = io.TextIOWrapper(io.FileIO(2, "w", closefd=False), "utf-8", "replace")
    try:
        main()
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else int(end.code is not None)
    return 0


class _Forks:
    """Stands for the module subprocess where nhwcc starts its worker: forks serve instead of a new interpreter."""

    PIPE = -1

    class Popen:
        """The worker's process."""

        def __init__(self, command: list[str], **streams: Any) -> None:
            requests, to = os.pipe()
            back, answers = os.pipe()
            self.pid = os.fork()
            if self.pid == 0:
                os.close(to)
                os.close(back)
                os.environ.update(streams["env"])
                tempfile.tempdir = None  # it is asked for anew
                _serve(requests, answers, streams["stderr"])
            os.close(requests)
            os.close(answers)
            self.stdin: IO[bytes] = os.fdopen(to, "wb")
            self.stdout: IO[bytes] = os.fdopen(back, "rb")
            self._code: int | None = None

        def kill(self) -> None:
            """End it."""
            if self._code is None:
                os.kill(self.pid, signal.SIGKILL)

        def communicate(self) -> None:
            """Close the pipes and wait."""
            with suppress(BrokenPipeError):
                self.stdin.close()
            self.stdout.close()
            self.wait()

        def wait(self) -> int:
            """Return its exit code."""
            if self._code is None:
                self._code = os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])
            return self._code


def _serve(requests: int, answers: int, log: IO[bytes]) -> None:
    from nhwcc.runners.worker import serve

    code = 1
    try:
        os.dup2(log.fileno(), 1)
        os.dup2(log.fileno(), 2)
        serve(os.fdopen(requests, "rb"), os.fdopen(answers, "wb"))
        code = 0
    finally:
        os._exit(code)

"""What runs the files of targets: each names a module of ``runners`` that starts a process and opens files in it."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from pathlib import Path
from typing import Protocol, cast

from nhwcc.backends.common.target import Target
from nhwcc.compiler.types import Array
from nhwcc.runners import Runner
from nhwcc.runners.worker import Worker


class TargetRunner(Runner, Protocol):
    """A runner of a file that was compiled."""

    def allocate(self) -> None:
        """Let the runtime prepare the file as it is."""
        ...


class InProcess(Protocol):
    """A file that is loaded into this process, for applications."""

    def run(self, inputs: Mapping[str, Array]) -> dict[str, Array]:
        """Run on arrays by name, as the file has them, and return the outputs by name.

        Raises:
            CompileError: R002, an array doesn't fit its input; others, the runtime refuses.
        """
        ...


class _Runners(Protocol):
    """What a module has that runs the files of a target."""

    def start(self) -> Worker:
        """Start the process in which files will run; it gets ready while something is compiled."""
        ...

    def open_file(self, path: Path, worker: Worker, *, fast: bool) -> TargetRunner:
        """Open a file in the process."""
        ...

    def in_process(self, path: Path) -> InProcess:
        """Load a file."""
        ...


def runners_of(target: Target) -> _Runners:
    """Return what runs the files of a target."""
    return cast(_Runners, import_module(target.runner))


def start_runtime(target: Target) -> Worker:
    """Start the process in which files of a target will run; it gets ready while something is compiled."""
    return runners_of(target).start()


def open_runner(target: Target, path: Path, runtime: Worker, *, fast: bool = True) -> TargetRunner:
    """Return what runs a file of a target; without ``fast`` it gets ready with less memory, and runs slowly.

    Raises:
        CompileError: the file can't be read, or the runtime refuses it.
    """
    return runners_of(target).open_file(path, runtime, fast=fast)

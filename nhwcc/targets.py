"""Targets: what runs the files of each."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import Protocol, cast

from nhwcc.runners import Runner
from nhwcc.runners.worker import Worker

RUNNERS = {"tflite": ("nhwcc.runners.tflite", "TfliteRunner")}
"""Where the class is that runs the files of a target, by the target's name."""


class TargetRunner(Runner, Protocol):
    """A runner of a file that was compiled."""

    def allocate(self) -> None:
        """Let the runtime prepare the file as it is."""
        ...


def start_runtime(target: str) -> Worker:
    """Start the process in which files of a target will run; it gets ready while something is compiled."""
    return cast(Worker, import_module(RUNNERS[target][0]).start())


def open_runner(target: str, path: Path, runtime: Worker, *, fast: bool = True) -> TargetRunner:
    """Return what runs a file of a target; without ``fast`` it gets ready with less memory, and runs slowly.

    Raises:
        CompileError: the file can't be read, or the runtime refuses it.
    """
    module, name = RUNNERS[target]
    return cast(TargetRunner, getattr(import_module(module), name)(path, runtime, fast=fast))

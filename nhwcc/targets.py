"""Targets: which backend writes what, and what runs it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from importlib import import_module
from pathlib import Path
from typing import Protocol, cast

from nhwcc.compiler.diagnostics import did_you_mean, error
from nhwcc.compiler.ir import Module
from nhwcc.runners import Runner
from nhwcc.runners.worker import Worker

TARGETS = {"tflite": ("nhwcc.backends.tflite", "nhwcc.runners.tflite", "TfliteRunner")}
"""By name: the backend, and where the class of its runner is."""


class Emitted(Protocol):
    """What a backend says about the file that it wrote."""

    @property
    def ops(self) -> Counter[str]:
        """How often each builtin is used."""
        ...

    @property
    def bytes(self) -> int:
        """The file's size."""
        ...

    @property
    def min_runtime(self) -> str:
        """The oldest runtime that takes the file."""
        ...

    @property
    def custom_ops(self) -> tuple[str, ...]:
        """The operators whose kernels an application must bring."""
        ...


class Backend(Protocol):
    """A module that writes a format."""

    PIPELINE: str

    def emit(self, module: Module, path: Path, *, metadata: Mapping[str, bytes] | None = None) -> Emitted:
        """Write a module that the pipeline has prepared."""
        ...


class TargetRunner(Runner, Protocol):
    """A runner of a file that was compiled."""

    def allocate(self) -> None:
        """Let the runtime prepare the file as it is."""
        ...


def find_backend(target: str) -> Backend:
    """Return a target's backend, with its passes registered.

    Raises:
        CompileError: L008, there is no such target.
    """
    if target not in TARGETS:
        help = did_you_mean(target, TARGETS) or f"there are {', '.join(TARGETS)}"
        raise error("L008", f"no target named {target!r}", help=help)
    register_legalization(target)
    return cast(Backend, import_module(TARGETS[target][0]))


def register_legalization(target: str) -> None:
    """Register the pass that rewrites into what a target has: the one that every backend brings along."""
    import_module(f"{TARGETS[target][0]}.legalize")


def start_runtime(target: str) -> Worker:
    """Start the process in which files of a target will run; it gets ready while something is compiled."""
    return cast(Worker, import_module(TARGETS[target][1]).start())


def open_runner(target: str, path: Path, runtime: Worker, *, fast: bool = True) -> TargetRunner:
    """Return what runs a file of a target; without ``fast`` it gets ready with less memory, and runs slowly.

    Raises:
        CompileError: the file can't be read, or the runtime refuses it.
    """
    _, module, name = TARGETS[target]
    return cast(TargetRunner, getattr(import_module(module), name)(path, runtime, fast=fast))

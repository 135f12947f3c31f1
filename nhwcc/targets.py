"""What runs the files of targets: each names a module of ``runners`` that starts a process and opens files in it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, Self, cast

from nhwcc.backends.common.target import Target
from nhwcc.compiler.types import Array
from nhwcc.runners import Runner
from nhwcc.runners.worker import Worker

if TYPE_CHECKING:
    from nhwcc.backends.tflite.saturation import Saturation
    from nhwcc.passes.quantization.rounding import ProductsByName
    from nhwcc.passes.quantization.statistics import Calibration


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


class Observer(Protocol):
    """A file that runs on samples while somebody looks at what its tensors hold."""

    def __enter__(self) -> Self:
        """Return itself."""
        ...

    def __exit__(self, *_: object) -> None:
        """End what runs the file."""
        ...

    def see(self, inputs: Mapping[str, Array]) -> None:
        """Run on one sample, in the source's layout.

        Raises:
            CompileError: the runtime refuses.
        """
        ...

    def statistics(self) -> Calibration:
        """Return what was seen of each tensor, by name."""
        ...


class Rounder(Protocol):
    """A file that runs on samples to round weights, by what its operations multiply these with."""

    def __enter__(self) -> Self:
        """Return itself."""
        ...

    def __exit__(self, *_: object) -> None:
        """End what runs the file."""
        ...

    def see(self, inputs: Mapping[str, Array]) -> None:
        """Run on one sample, in the source's layout.

        Raises:
            CompileError: the runtime refuses.
        """
        ...

    def rounded(self) -> dict[str, Array]:
        """Return the integers of each weight, i8, by the names of what the operations compute."""
        ...


class TimedRunner(TargetRunner, Protocol):
    """A runner of a quantized file, which knows how long the runtime itself takes."""

    def numbers(self, results: Mapping[str, Array]) -> dict[str, Array]:
        """Return outputs as numbers where they are integers that stand for these."""
        ...

    def saturated(self, samples: Iterable[Mapping[str, Array]]) -> list[Saturation]:
        """Count the integers at the ends of their range, tensor by tensor, those with most of them first."""
        ...

    def seconds(self, inputs: Mapping[str, Array], runs: int) -> float:
        """Return how long the fastest of several runs takes."""
        ...


class _Observing(Protocol):
    """What the module of a target has besides if its networks can be calibrated."""

    def observe(self, path: Path, names: Sequence[str]) -> Observer:
        """Open a file to see what some of its tensors hold."""
        ...

    def round_weights(self, path: Path, products: ProductsByName, samples: int) -> Rounder:
        """Open a file to see what its weights are multiplied with, in so many samples."""
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


class _Signed(Protocol):
    """What the module of a target has besides if a file holds several networks, each called by a key."""

    def open_signature(self, path: Path, key: str, worker: Worker) -> TargetRunner:
        """Open the network that a key calls in a worker's process, and return its runner."""
        ...

    def signature_in_process(self, path: Path, key: str) -> InProcess:
        """Load the network that a key calls into this process, for applications."""
        ...


def signatures_of(target: Target) -> _Signed:
    """Return what runs single signatures of the files of a target that has ``emit_signatures``."""
    return cast(_Signed, import_module(target.runner))


def runners_of(target: Target) -> _Runners:
    """Return what runs the files of a target."""
    return cast(_Runners, import_module(target.runner))


def start_runtime(target: Target) -> Worker:
    """Start the process in which files of a target will run; it gets ready while something is compiled."""
    return runners_of(target).start()


def open_observer(target: Target, path: Path, names: Sequence[str]) -> Observer:
    """Return what runs a file of a target that has kernels on integers, to see what some of its tensors hold."""
    return cast(_Observing, import_module(target.runner)).observe(path, names)


def open_rounder(target: Target, path: Path, products: ProductsByName, samples: int) -> Rounder:
    """Return what runs a file on samples to round weights, by what its operations multiply these with."""
    return cast(_Observing, import_module(target.runner)).round_weights(path, products, samples)


def open_timed(target: Target, path: Path, runtime: Worker) -> TimedRunner:
    """Return what runs a file of a target that has kernels on integers, and measures the time."""
    return cast(TimedRunner, open_runner(target, path, runtime))


def open_runner(target: Target, path: Path, runtime: Worker, *, fast: bool = True) -> TargetRunner:
    """Return what runs a file of a target; without ``fast`` it gets ready with less memory, and runs slowly.

    Raises:
        CompileError: the file can't be read, or the runtime refuses it.
    """
    return runners_of(target).open_file(path, runtime, fast=fast)

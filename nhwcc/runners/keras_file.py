"""Files of the targets of Keras as a runner: Keras in a process of its own."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path

from nhwcc.compiler.diagnostics import CompileError, error
from nhwcc.compiler.types import Array, DType
from nhwcc.formats.keras.build import check_installed
from nhwcc.formats.keras.interface import is_annotated, stated_ports
from nhwcc.formats.keras.refusals import STANDARD
from nhwcc.runners.libraries import KERAS
from nhwcc.runners.ports import FileRunner, Ports, StoredPort, not_ours
from nhwcc.runners.tensorflow import is_available
from nhwcc.runners.worker import Worker
from nhwcc.targets import TargetRunner

SESSION = ("nhwcc.runners.keras_session", "KerasSession")


def start() -> Worker:
    """Start the process; Keras gets ready in it."""
    return Worker(*((KERAS,) if is_available() else ()))


def open_file(path: Path, worker: Worker, *, fast: bool) -> TargetRunner:
    """Open a Keras file in the process of a worker, and return its runner."""
    del fast
    return KerasFileRunner(path, worker)


def in_process(path: Path) -> KerasFile:
    """Load a file into this process.

    Raises:
        CompileError: R017, Keras is not installed; R018, it refuses the file.
    """
    check_installed()
    return KerasFile(path)


def ports_of(path: Path) -> Ports:
    """Return the inputs and outputs of a file of ours.

    Raises:
        CompileError: R010, somebody else has written it, or what it says is damaged.
    """
    try:
        said = stated_ports(path)
        if said is not None:
            inputs, outputs = (
                [StoredPort.of(p["name"], DType(p["dtype"]), p, p["name"]) for p in said[side]]
                for side in ("inputs", "outputs")
            )
            return Ports(inputs, outputs)
    except (*STANDARD, CompileError) as bad:
        text = f"{path}: what it says of its inputs and outputs is damaged"
        raise error("R010", text, help="write it again") from bad
    raise not_ours(path)


def written_file(path: Path, stack: ExitStack) -> KerasFileRunner | None:
    """Return what runs a file that says in which layout it has its inputs and outputs, None for any other file."""
    return stack.enter_context(KerasFileRunner(path)) if is_annotated(path) else None


class KerasFile:
    """A file in this process: arrays go in and come out by the source's names, as they lie in the file."""

    def __init__(self, path: Path) -> None:
        from nhwcc.runners.keras_session import KerasSession

        self._ports = ports_of(path)
        self._session = KerasSession(path)

    def run(self, inputs: Mapping[str, Array]) -> dict[str, Array]:
        """Run on arrays.

        Raises:
            CompileError: R002, one is missing; R018, Keras refuses them.
        """
        return self._ports.named(self._session.run([], self._ports.given(inputs)))


class KerasFileRunner(FileRunner):
    """Runs a written file by Keras, in the source's layout."""

    title_of_runtime = "Keras"
    session = SESSION
    inner = "inner"

    def __init__(self, path: Path, worker: Worker | None = None) -> None:
        super().__init__(path, ports_of(path), worker or start(), (path,))

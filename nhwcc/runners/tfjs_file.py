"""Folders of the target TensorFlow.js as a runner: TensorFlow.js in node, beside a process of ours that ends it.

Without these, the reference interpreter runs what is read of the folder.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from pathlib import Path

import numpy as np

from nhwcc.compiler.diagnostics import Remark, error, remark
from nhwcc.compiler.types import Array
from nhwcc.formats.tfjs.reader import read_graph_model
from nhwcc.runners import Traced
from nhwcc.runners.ports import FileRunner, ports_of_graph
from nhwcc.runners.reference import ReferenceRunner
from nhwcc.runners.tfjs import MISSING, SESSION, TfjsSession, is_available
from nhwcc.runners.worker import Worker
from nhwcc.targets import TargetRunner


def start() -> Worker:
    """Start the process; node follows when there is a folder."""
    return Worker(*((SESSION[0],) if is_available() else ()))


def open_file(path: Path, worker: Worker, *, fast: bool) -> TargetRunner:
    """Open a folder in the process, or for the reference interpreter where there is no runtime."""
    del fast
    return TfjsFileRunner(path, worker) if is_available() else InterpretedFolder(path)


def in_process(path: Path) -> TfjsFile:
    """Load a folder; it is node that runs it.

    Raises:
        CompileError: R017, node or TensorFlow.js is not installed; R018, it refuses the model.
    """
    if not is_available():
        raise error("R017", MISSING)
    return TfjsFile(path)


class TfjsFile:
    """A folder in node: arrays go in and come out by the source's names, as they lie in the file."""

    def __init__(self, path: Path) -> None:
        self._ports = ports_of_graph(read_graph_model(path).graph, path)
        self._session = TfjsSession(path)

    def run(self, inputs: Mapping[str, Array]) -> dict[str, Array]:
        """Run on arrays.

        Raises:
            CompileError: R002, one is missing; R018, TensorFlow.js refuses them.
        """
        fed = self._ports.given(inputs)
        return self._ports.named(self._session.run([port.tensor for port in self._ports.outputs], fed))


class TfjsFileRunner(FileRunner):
    """Runs a written folder by TensorFlow.js, in the source's layout."""

    title_of_runtime = "TensorFlow.js"
    session = SESSION
    wanted = "{}:0"

    def __init__(self, path: Path, worker: Worker | None = None) -> None:
        super().__init__(path, ports_of_graph(read_graph_model(path).graph, path), worker or start(), (path,))


class InterpretedFolder(ReferenceRunner):
    """Runs what is read of a written folder by the reference interpreter."""

    def __init__(self, path: Path) -> None:
        from nhwcc.frontends.tensorflow import import_tensorflow

        super().__init__(import_tensorflow(read_graph_model(path)))
        remark(Remark("warning", "verify", f"the file is run by the reference interpreter: {MISSING}"))

    def allocate(self) -> None:
        """Do nothing: the interpreter needs no memory to be prepared for new shapes."""

    def run(self, inputs: Mapping[str, Array]) -> dict[str, Array]:
        """Evaluate on inputs in the types that the folder has: 64 bits are 32 there."""
        return super().run(self._stored(inputs))

    def trace(self, inputs: Mapping[str, Array], only: Collection[str] | None = None) -> Iterator[Traced]:
        """Evaluate, and keep what has a name."""
        return super().trace(self._stored(inputs), only)

    def _stored(self, inputs: Mapping[str, Array]) -> dict[str, Array]:
        types = self.inputs
        return {n: np.asarray(a).astype(types[n].dtype.numpy, copy=False) for n, a in inputs.items() if n in types}

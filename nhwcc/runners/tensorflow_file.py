"""SavedModels and graphs of the target TensorFlow as a runner: TensorFlow in a process of its own.

Without TensorFlow, the reference interpreter runs what is read of the file.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from nhwcc.compiler.diagnostics import Remark, error, remark
from nhwcc.compiler.types import Array
from nhwcc.formats.tensorflow.saved_model import read_contents
from nhwcc.runners.libraries import TENSORFLOW
from nhwcc.runners.ports import FileRunner, ports_of_graph
from nhwcc.runners.reference import ReferenceRunner
from nhwcc.runners.tensorflow import SESSION, is_available
from nhwcc.runners.tensorflow_session import TensorflowSession
from nhwcc.runners.worker import Worker
from nhwcc.targets import TargetRunner

MISSING = "TensorFlow is not installed (pip install 'nhwcc[tensorflow]')"


def start() -> Worker:
    """Start the runtime's process; it is ready when a file is."""
    return Worker(*((TENSORFLOW,) if is_available() else ()))


def open_file(path: Path, worker: Worker, *, fast: bool) -> TargetRunner:
    """Open a file in a runtime's process, or for the reference interpreter where there is no runtime."""
    del fast
    return TensorflowFileRunner(path, worker) if is_available() else InterpretedFile(path)


def in_process(path: Path) -> TensorflowFile:
    """Load a file into this process.

    Raises:
        CompileError: R017, TensorFlow is not installed; R018, it refuses the file.
    """
    if not is_available():
        raise error("R017", MISSING)
    return TensorflowFile(path)


def open_signature(path: Path, key: str, worker: Worker) -> TargetRunner:
    """Return what runs a signature of a file, by TensorFlow or by the reference interpreter."""
    return TensorflowFileRunner(path, worker, key) if is_available() else InterpretedFile(path, key)


def signature_in_process(path: Path, key: str) -> TensorflowFile:
    """Load a file into this process, of which one signature is called.

    Raises:
        CompileError: as :func:`in_process`.
    """
    if not is_available():
        raise error("R017", MISSING)
    return TensorflowFile(path, key)


class TensorflowFile:
    """A file in TensorFlow's process: arrays go in and come out by the source's names, as they lie in the file.

    Of several signatures, ``key`` names one.
    """

    def __init__(self, path: Path, key: str | None = None) -> None:
        contents = read_contents(path)
        self._ports = ports_of_graph(contents.graph, path, key)
        self._session = TensorflowSession(path, contents.tags)

    def run(self, inputs: Mapping[str, Array]) -> dict[str, Array]:
        """Run on arrays.

        Raises:
            CompileError: R002, one is missing; R018, TensorFlow refuses them.
        """
        fed = self._ports.given(inputs)
        return self._ports.named(self._session.run([port.tensor for port in self._ports.outputs], fed))


class TensorflowFileRunner(FileRunner):
    """Runs a written file by TensorFlow, in the source's layout."""

    title_of_runtime = "TensorFlow"
    session = SESSION
    wanted = "{}:0"

    def __init__(self, path: Path, worker: Worker | None = None, key: str | None = None) -> None:
        contents = read_contents(path)
        super().__init__(path, ports_of_graph(contents.graph, path, key), worker or start(), (path, contents.tags))


class InterpretedFile(ReferenceRunner):
    """Runs what is read of a written file by the reference interpreter."""

    def __init__(self, path: Path, key: str | None = None) -> None:
        from nhwcc.frontends.tensorflow import import_tensorflow

        super().__init__(import_tensorflow(path, signature=key))
        remark(Remark("warning", "verify", f"the file is run by the reference interpreter: {MISSING}"))

    def allocate(self) -> None:
        """Do nothing: the interpreter needs no memory to be prepared for new shapes."""

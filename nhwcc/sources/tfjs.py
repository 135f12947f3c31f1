"""Graph models of TensorFlow.js as sources, run by node where it is installed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

from nhwcc.compiler.diagnostics import Remark, error, remark
from nhwcc.compiler.ir import Module
from nhwcc.compiler.types import TensorType
from nhwcc.compiler.workload import check_run
from nhwcc.cut import Cut, sizes_of
from nhwcc.formats.tfjs.names import MODEL_FILE, WEIGHTS_PATTERN
from nhwcc.formats.tfjs.reader import read_graph_model
from nhwcc.runners import Runner
from nhwcc.runners.bounded import Bounded
from nhwcc.runners.reference import ReferenceRunner
from nhwcc.runners.tfjs import MISSING, TfjsRunner, is_available
from nhwcc.sources.call import Call

if TYPE_CHECKING:
    from nhwcc.frontends.tensorflow import Program


class TfjsSource:
    """The folder of a graph model, or the file with its graph."""

    def __init__(self, given: Path | bytes, call: Call) -> None:
        if isinstance(given, bytes):
            raise error("R010", "a model of TensorFlow.js has its weights beside it", help="give the folder's path")
        self._folder = given if given.is_dir() else given.parent
        self._signature = call.signature
        self.title = str(given)

    def load(self, cut: Cut) -> Module:
        """Read the part of the model that is wanted.

        Raises:
            CompileError: what the frontend finds (R010, F...).
        """
        return cut.checked(self._read(cut).module)

    def _read(self, cut: Cut) -> Program:
        from nhwcc.frontends.tensorflow import read_tensorflow

        return read_tensorflow(
            read_graph_model(self._folder),
            shapes=sizes_of(cut.shapes),
            inputs=cut.inputs,
            outputs=cut.outputs,
            signature=self._signature,
        )

    def files(self, module: Module) -> list[Path]:
        """The graph and the parts of the weights."""
        del module
        return [self._folder / MODEL_FILE, *sorted(self._folder.glob(WEIGHTS_PATTERN))]

    def runner(self, cut: Cut, types: Mapping[str, TensorType], outputs: Sequence[str], stack: ExitStack) -> Runner:
        """Return TensorFlow.js for a whole model, else the reference interpreter on what is imported anew."""
        if is_available() and not cut.inputs and not cut.outputs:
            return stack.enter_context(TfjsRunner(self._folder, self._read(cut)))
        why = "TensorFlow.js runs whole models" if is_available() else MISSING
        remark(Remark("warning", "verify", f"verified against the reference interpreter: {why}"))
        return ReferenceRunner(self.load(cut))

    def open(self, stack: ExitStack) -> Runner:
        """Return TensorFlow.js, once it is known what a run costs; the reference interpreter where it is not there."""
        program = self._read(Cut())
        func = program.module.main
        check_run(func)
        runner = stack.enter_context(TfjsRunner(self._folder, program)) if is_available() else None
        return Bounded(runner or ReferenceRunner(program.module), func)

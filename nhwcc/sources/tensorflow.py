"""TensorFlow's SavedModels and graphs as sources, run by TensorFlow where it is installed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

from nhwcc.compiler.diagnostics import Remark, remark
from nhwcc.compiler.ir import Func, Module
from nhwcc.compiler.types import TensorType
from nhwcc.compiler.workload import check_run
from nhwcc.contents import Content, is_graph_text
from nhwcc.cut import Cut, sizes_of
from nhwcc.files import scratch
from nhwcc.runners import Runner
from nhwcc.runners.bounded import Bounded
from nhwcc.runners.reference import ReferenceRunner
from nhwcc.runners.tensorflow import TensorflowRunner, is_available
from nhwcc.sources.call import Call
from nhwcc.sources.ir import files_of

if TYPE_CHECKING:
    from nhwcc.frontends.tensorflow import Program


class TensorflowSource:
    """The folder of a SavedModel, a frozen graph, also as text, or the bytes of one."""

    def __init__(self, given: Path | bytes, call: Call) -> None:
        self.given = given
        self.signature = call.signature
        self.unsafe_load = call.unsafe_load

    @property
    def title(self) -> str:
        """The path, or that it is a graph of TensorFlow."""
        return str(self.given) if isinstance(self.given, Path) else "a TensorFlow graph"

    def load(self, cut: Cut) -> Module:
        """Read the part of the model that is wanted.

        Raises:
            CompileError: what the frontend finds (R010, F...).
        """
        return cut.checked(self._read(cut).module)

    def _read(self, cut: Cut) -> Program:
        from nhwcc.frontends.tensorflow import read_tensorflow

        return read_tensorflow(
            self.given,
            shapes=sizes_of(cut.shapes),
            inputs=cut.inputs,
            outputs=cut.outputs,
            signature=self.signature,
        )

    def files(self, module: Module) -> list[Path]:
        """The graph, and the files of its variables."""
        if isinstance(self.given, Path) and self.given.is_dir():
            from nhwcc.formats.tensorflow.saved_model import graph_file

            return files_of(graph_file(self.given), module)
        return files_of(self.given, module)

    def runner(self, cut: Cut, types: Mapping[str, TensorType], outputs: Sequence[str], stack: ExitStack) -> Runner:
        """Return TensorFlow for a whole model, else the reference interpreter on what is imported anew."""
        program = self._read(cut)
        why = "TensorFlow runs whole models" if cut.inputs or cut.outputs else self._hindrance(program)
        if not why:
            return self._runtime(program, stack)
        remark(Remark("warning", "verify", f"verified against the reference interpreter: {why}"))
        return ReferenceRunner(program.module)

    def _hindrance(self, program: Program) -> str:
        """Say why TensorFlow does not run the model; nothing if it does."""
        if not is_available():
            return "TensorFlow is not installed (pip install 'nhwcc[tensorflow]')"
        if program.reaching_out and not self.unsafe_load:
            return f"TensorFlow would run {program.reaching_out}, which nobody checks (--unsafe-load lets it)"
        return ""

    def open(self, stack: ExitStack) -> Runner:
        """Return TensorFlow, once it is known what a run costs and does, else the reference interpreter."""
        program = self._read(Cut())
        func: Func = program.module.main
        check_run(func)
        why = self._hindrance(program)
        if why:
            remark(Remark("warning", "verify", f"run by the reference interpreter: {why}"))
            return Bounded(ReferenceRunner(program.module), func)
        return Bounded(self._opened(program, stack), func)

    def _opened(self, program: Program, stack: ExitStack) -> Runner:
        """Return what runs the whole model where nothing of it is compiled."""
        return self._runtime(program, stack)

    def _runtime(self, program: Program, stack: ExitStack) -> TensorflowRunner:
        """Open the model in a process; bytes, and what a text stands for, lie in a temporary folder for so long."""
        message = self._message()
        if message is None:
            assert isinstance(self.given, Path)
            return stack.enter_context(TensorflowRunner(self.given, program))
        path = stack.enter_context(scratch()).path / "graph.pb"
        path.write_bytes(message)
        return stack.enter_context(TensorflowRunner(path, program))

    def _message(self) -> bytes | None:
        """Return the bytes of a graph that TensorFlow can't read where it lies."""
        from nhwcc.formats.tensorflow.schema import binary_of

        if isinstance(self.given, Path) and self.given.is_dir():
            return None
        if is_graph_text(Content.of(self.given)):
            return binary_of(self.given if isinstance(self.given, bytes) else self.given.read_bytes())
        return None if isinstance(self.given, Path) else self.given

"""ONNX models as sources: files, bytes, parsed messages."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

from nhwcc.compiler.diagnostics import CompileError, Remark, remark
from nhwcc.compiler.ir import Module
from nhwcc.compiler.types import TensorType
from nhwcc.compiler.workload import check_run
from nhwcc.cut import Cut, sizes_of
from nhwcc.runners import Runner
from nhwcc.runners.bounded import Bounded
from nhwcc.runners.reference import ReferenceRunner
from nhwcc.sources.call import Call
from nhwcc.sources.ir import files_of

if TYPE_CHECKING:
    from onnx import ModelProto


class OnnxSource:
    """A file, its bytes, or a parsed message."""

    def __init__(self, given: Path | bytes | ModelProto, call: Call) -> None:
        self.given = given
        self.by_standard = call.by_standard

    @property
    def title(self) -> str:
        """The path, or that it is an ONNX message."""
        return str(self.given) if isinstance(self.given, Path) else "an ONNX model"

    def load(self, cut: Cut) -> Module:
        """Read the part of the model that is wanted.

        Raises:
            CompileError: what the frontend finds (F...).
        """
        from nhwcc.frontends.onnx import import_onnx

        part = import_onnx(
            self.given,
            shapes=sizes_of(cut.shapes),
            inputs=cut.inputs,
            outputs=cut.outputs,
            allow_custom_ops=cut.allow_custom_ops,
            by_standard=self.by_standard,
        )
        return cut.checked(part)

    def files(self, module: Module) -> list[Path]:
        """The model, and its external data."""
        return files_of(self.given, module)

    def runner(self, cut: Cut, types: Mapping[str, TensorType], outputs: Sequence[str], stack: ExitStack) -> Runner:
        """Return onnxruntime, else the reference interpreter on what is imported anew."""
        from nhwcc.runners.onnx import OnnxRunner, is_available

        if self.by_standard:
            why = "verified against the reference interpreter, since onnxruntime departs from the standard"
            remark(Remark("note", "verify", why))
            return ReferenceRunner(self.load(cut))
        try:
            if is_available():
                return OnnxRunner(self.given) if cut.is_whole else OnnxRunner(self.given, types=types, outputs=outputs)
            why = "onnxruntime is not installed (pip install 'nhwcc[onnxruntime]')"
        except CompileError as bad:
            refused = bad.diagnostics[0]
            why = f"{refused.message} ({refused.help})" if refused.help else refused.message
        remark(Remark("warning", "verify", f"verified against the reference interpreter: {why}"))
        return ReferenceRunner(self.load(cut))

    def open(self, stack: ExitStack) -> Runner:
        """Return onnxruntime; where the model can be imported, what a run costs is checked first."""
        from nhwcc.runners.onnx import OnnxRunner, is_available

        if not is_available():
            module = self.load(Cut())
            check_run(module.main)
            return Bounded(ReferenceRunner(module), module.main)
        try:
            func = self.load(Cut()).main
            check_run(func)
        except CompileError as bad:
            if any(d.code.startswith("M") for d in bad.diagnostics):
                raise
            func = None
        try:
            runner = OnnxRunner(self.given)
        except CompileError as bad:
            return self._stand_in(bad)
        return runner if func is None else Bounded(runner, func)

    def _stand_in(self, refused: CompileError) -> Runner:
        """Return the reference interpreter for a model that its runtime refuses: it may know operators of the user."""
        try:
            return ReferenceRunner(self.load(Cut()))
        except CompileError:
            raise refused from None

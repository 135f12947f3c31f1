"""Models in OpenVINO's IR as sources, run by OpenVINO where it is installed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from nhwcc.compiler.diagnostics import CompileError, Remark, remark
from nhwcc.compiler.ir import Module
from nhwcc.compiler.types import TensorType
from nhwcc.compiler.weights import Weight
from nhwcc.compiler.workload import check_run
from nhwcc.cut import Cut, sizes_of
from nhwcc.runners import Runner
from nhwcc.runners.bounded import Bounded
from nhwcc.runners.openvino import Ends, OpenvinoRunner, is_available
from nhwcc.runners.openvino_file import written_file
from nhwcc.runners.reference import ReferenceRunner, Stepwise
from nhwcc.sources.call import Call
from nhwcc.sources.ir import files_of

if TYPE_CHECKING:
    from nhwcc.frontends.openvino import Program

NOT_INSTALLED = "OpenVINO is not installed (pip install 'nhwcc[openvino]')"


class OpenvinoSource:
    """The XML of a model, or the path of it; constants lie in a file beside it, or in that of ``call``."""

    def __init__(self, given: Path | bytes, call: Call) -> None:
        self.given = given
        self.weights = call.weights
        self.keeps_state = call.state == "io"
        self._known: _Known | None = None

    @property
    def title(self) -> str:
        """The path, or that it is the XML of an OpenVINO model."""
        return str(self.given) if isinstance(self.given, Path) else "an OpenVINO model"

    def load(self, cut: Cut) -> Module:
        """Read the part of the model that is wanted.

        Raises:
            CompileError: what the frontend finds (R010, F...).
        """
        program = self._read(cut)
        self._known = _Known(_ends(program), program.states)
        return cut.checked(program.module)

    def _read(self, cut: Cut) -> Program:
        from nhwcc.frontends.openvino import read_openvino

        return read_openvino(
            self.given,
            shapes=sizes_of(cut.shapes),
            inputs=cut.inputs,
            outputs=cut.outputs,
            allow_custom_ops=cut.allow_custom_ops,
            weights=self.weights,
            keeps_state=self.keeps_state,
        )

    def files(self, module: Module) -> list[Path]:
        """The XML, and the file with the constants."""
        beside = [self.given.with_suffix(".bin")] if isinstance(self.given, Path) else []
        return [*files_of(self.given, module), *(beside if self.weights is None else [self.weights])]

    def runner(self, cut: Cut, types: Mapping[str, TensorType], outputs: Sequence[str], stack: ExitStack) -> Runner:
        """Return OpenVINO for a whole model, else the reference interpreter on what is imported anew."""
        why = "OpenVINO runs whole models" if cut.inputs or cut.outputs else NOT_INSTALLED
        known = self._known
        if known is not None and why is NOT_INSTALLED and is_available():
            try:
                return self._runtime(known, types, stack)
            except CompileError as bad:
                why = bad.diagnostics[0].message
        remark(Remark("warning", "verify", f"verified against the reference interpreter: {why}"))
        program = self._read(cut)
        return Stepwise(program.module, program.states)

    def open(self, stack: ExitStack) -> Runner:
        """Return OpenVINO, with layouts that the file's metadata state; what a run costs is checked first."""
        program = self._read(Cut())
        func = program.module.main
        check_run(func)
        if not is_available():
            return Bounded(ReferenceRunner(program.module), func)
        own = written_file(self.given, stack) if isinstance(self.given, Path) and self.weights is None else None
        if own is not None:
            return Bounded(own, func)
        types = {p.name: p.source_type(a.type) for p, a in zip(func.inputs, func.args, strict=True)}
        return Bounded(self._runtime(_Known(_ends(program), program.states), types, stack), func)

    def _runtime(self, known: _Known, types: Mapping[str, TensorType], stack: ExitStack) -> OpenvinoRunner:
        return stack.enter_context(OpenvinoRunner(self.given, self.weights, types, known.ends, known.states))


@dataclass(frozen=True)
class _Known:
    """What of a model that was read is needed to run it: by which names, and how states begin."""

    ends: Ends
    states: Mapping[str, Weight]


def _ends(program: Program) -> Ends:
    return Ends(program.layers["inputs"], program.layers["outputs"], program.variables)

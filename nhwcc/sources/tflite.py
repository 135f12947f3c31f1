"""TFLite files as sources, run by the TFLite runtime on all platforms."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

from nhwcc.compiler.diagnostics import CompileError, Remark, remark
from nhwcc.compiler.ir import Func, Module
from nhwcc.compiler.types import TensorType
from nhwcc.compiler.workload import check_run
from nhwcc.cut import Cut, sizes_of
from nhwcc.files import scratch
from nhwcc.runners import Runner
from nhwcc.runners.bounded import Bounded
from nhwcc.runners.reference import ReferenceRunner, Stepwise
from nhwcc.runners.tflite import TfliteRunner
from nhwcc.sources.call import Call
from nhwcc.sources.ir import files_of

if TYPE_CHECKING:
    from nhwcc.frontends.tflite import Program


class TfliteSource:
    """A TFLite file by its path, or the bytes of one."""

    def __init__(self, given: Path | bytes, call: Call) -> None:
        self.given = given
        self.keeps_state = call.state == "io"
        self.signature = call.signature
        self.rounds = call.rounds
        self._is_hybrid = False

    @property
    def title(self) -> str:
        """The path, or that it is the bytes of a TFLite file."""
        return str(self.given) if isinstance(self.given, Path) else "a TFLite file"

    def load(self, cut: Cut) -> Module:
        """Read the part of the file that is wanted.

        Raises:
            CompileError: what the frontend finds (R010, F...).
        """
        program = self._read(cut, rounds=self.rounds)
        self._is_hybrid = "hybrid" in program.rounded
        return cut.checked(program.module)

    def _read(self, cut: Cut, *, rounds: bool = False) -> Program:
        from nhwcc.frontends.tflite import read_tflite

        return read_tflite(
            self.given,
            shapes=sizes_of(cut.shapes),
            inputs=cut.inputs,
            outputs=cut.outputs,
            allow_custom_ops=cut.allow_custom_ops,
            keeps_state=self.keeps_state,
            signature=self.signature,
            rounds=rounds,
        )

    def files(self, module: Module) -> list[Path]:
        """The file."""
        return files_of(self.given, module)

    def runner(self, cut: Cut, types: Mapping[str, TensorType], outputs: Sequence[str], stack: ExitStack) -> Runner:
        """Return the TFLite runtime for a whole file, else the reference interpreter on what is imported anew."""
        program = self._read(cut) if self.keeps_state else None
        if program is not None and program.states:
            return Stepwise(program.module, program.states)
        if not (cut.inputs or cut.outputs or self._is_hybrid):
            return self._runtime(stack, types)
        why = (
            "TFLite rounds what it multiplies by weights of few bits" if self._is_hybrid else "TFLite runs whole files"
        )
        remark(Remark("warning", "verify", f"verified against the reference interpreter: {why}"))
        return ReferenceRunner(self.load(cut))

    def open(self, stack: ExitStack) -> Runner:
        """Return the TFLite runtime; where the file can be imported, what a run costs is checked first."""
        func: Func | None = None
        try:
            func = self.load(Cut()).main
            check_run(func)
        except CompileError as bad:
            if any(d.code.startswith("M") for d in bad.diagnostics):
                raise
        runner = self._runtime(stack)
        return runner if func is None else Bounded(runner, func)

    def _runtime(self, stack: ExitStack, types: Mapping[str, TensorType] | None = None) -> TfliteRunner:
        """Open the file in a process; bytes lie in a temporary folder for so long."""
        if isinstance(self.given, Path):
            return stack.enter_context(self._open(self.given, types))
        path = stack.enter_context(scratch()).path / "model.tflite"
        path.write_bytes(self.given)
        return stack.enter_context(self._open(path, types))

    def _open(self, path: Path, types: Mapping[str, TensorType] | None) -> TfliteRunner:
        return TfliteRunner(path, types=types, signature=self.signature)

"""Core ML as a target: packages with an ML program, which apps on Apple's systems load."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache, partial
from pathlib import Path

from ...compiler.diagnostics import Diagnostic, error
from ...compiler.dims import is_static
from ...compiler.ir import Func, Module, Value
from ...compiler.lowering import Limits
from ...compiler.ops.recurrent import Recurrent
from ...compiler.options import DataType, Strategy
from ...compiler.types import DType
from ...formats.coreml.install import check_installed
from ...formats.coreml.program import STORED
from ...formats.coreml.writer import write_package
from ...passes.lowerings.general import GENERAL
from ..common.emulate_types import carry
from ..common.large_integers import too_large
from ..common.recurrence import choose_strategies
from ..common.target import Emitted, Target
from . import PIPELINE
from . import kernels as _kernels  # noqa: F401  # pyright: ignore[reportUnusedImport] -- fills the table
from .graph import build
from .kernels.recurrent import fits
from .lowerings import OWN, SHARED
from .table import RANK, TABLE

COMPUTED = {
    **dict.fromkeys((DType.BF16, DType.F64), DType.F32),
    **dict.fromkeys((DType.I64, DType.U32, DType.U64), DType.I32),
}
"""Types that MIL lacks, and those in which networks compute instead."""


def prepare(target: Target, module: Module, *, rnn: Strategy) -> list[Diagnostic]:
    """Replace element types that MIL lacks; recurrent layers that it has not are unrolled, or loops of known sizes."""
    check_installed()
    problems = [*too_large(target.title, module, COMPUTED)] or carry(target, module, computed=COMPUTED)
    for op in module.walk():
        if isinstance(op, Recurrent) and op.strategy in ("auto", "fused"):
            if rnn in ("auto", "fused") and fits(op):
                op.attributes["strategy"] = "fused"
            elif not is_static(op.x.type.shape):
                op.attributes["strategy"] = "unroll"
    choose_strategies(module, rnn, _why_not_fused)
    return problems


def _why_not_fused(op: Recurrent) -> str | None:
    return None if fits(op) else f"MIL has no such {op.spec.name}"


def not_storable(func: Func) -> Iterator[Diagnostic]:
    """Yield an error for each value that no file can hold: of other types, of many axes, or without elements."""
    for value, place in _values(func):
        for why in _why_not_stored(value):
            yield from error("B003", f"Core ML has no tensors {why}, as {place} is: {value.type}").diagnostics


def _values(func: Func) -> Iterator[tuple[Value, str]]:
    for port, value in zip(func.inputs, func.args, strict=True):
        yield value, f"the input {port.name!r}"
    for op in func.walk():
        for result in op.results:
            yield result, f"a result of {op.title}"


def _why_not_stored(value: Value) -> Iterator[str]:
    if value.type.dtype not in STORED:
        yield f"of {value.type.dtype}"
    elif value.type.rank > RANK and value.uses:
        yield f"of more than {RANK} axes"
    elif 0 in value.type.shape:
        yield "without elements"


def emit(data_type: DataType, module: Module, path: Path, *, metadata: Mapping[str, bytes] | None = None) -> Emitted:
    """Write the main function of a module whose operations are all legal; FP16 computes in 16 bits.

    Raises:
        CompileError: B001, an operation is not legal, or there is no input or no output; B002, a size can't be known at
            run time; R017, coremltools is not installed; R018, it refuses the program.
    """
    del metadata
    program, counts = build(module.main, TABLE)
    size = write_package(program, path, halves=data_type == "FP16")
    return Emitted(path, counts, size, "iOS 16 or macOS 13")


@cache
def storing(data_type: DataType) -> Target:
    """Return the target whose files store weights so, and compute so."""
    return Target(
        name="coreml",
        title=TABLE.title,
        suffix=".mlpackage",
        table=TABLE,
        lowerings=(OWN, GENERAL, SHARED),
        limits=Limits(RANK, RANK, RANK),
        channels="first",
        pipeline=PIPELINE,
        prepare=prepare,
        unstorable=not_storable,
        emit=partial(emit, data_type),
        runner="nhwcc.runners.coreml_file",
        artifact="folder",
        storing=storing,
    )


TARGET = storing("FP32")

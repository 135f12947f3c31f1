"""TFLite as a target, and what is done to a whole module before its operations are lowered."""

from __future__ import annotations

from collections import Counter

from ...compiler.diagnostics import Diagnostic, Remark, counted, remark
from ...compiler.ir import Module, Value
from ...compiler.lowering import Limits
from ...compiler.opdef import Draws
from ...compiler.ops.core import Const
from ...compiler.ops.quantize import Dequantize
from ...compiler.options import Strategy
from ...compiler.types import DType
from ...passes.lowerings import LOWERINGS as SHARED
from ..common.emulate_types import carry
from ..common.recurrence import choose_strategies
from ..common.target import Target
from . import PIPELINE, emit, emit_signatures
from . import emitters as _emitters  # noqa: F401  # pyright: ignore[reportUnusedImport] -- fills the table
from . import lowerings as _lowerings  # noqa: F401  # pyright: ignore[reportUnusedImport] -- declares them
from .broadcast import PORTABLE_RANK
from .devices.arena import arena_of_file
from .emitters.linear import MAX_BATCH_RANK
from .growing_loops import give_leading_axes
from .lowering import LOWERINGS
from .lowerings.dtypes import WIDENED, stays_f64
from .recurrence import why_not_fused
from .signed import sign
from .storage import not_storable
from .table import FAST_RANKS, TABLE, BuiltinsOnIntegers


def prepare(target: Target, module: Module, *, rnn: Strategy) -> list[Diagnostic]:
    """Replace element types that the runtime lacks, say what that means, and choose how recurrent layers run."""
    problems = carry(target, module)
    sign(target, module)
    _report_widening(module)
    _report_draws(module)
    choose_strategies(module, rnn, why_not_fused)
    give_leading_axes(module)
    return problems


def _report_widening(module: Module) -> None:
    """Say once, not for each operation, in which type is computed instead."""
    results = [(r.type.dtype, op) for op in module.walk() for r in op.results if not _is_stored(r)]
    found = Counter(dtype for dtype, op in results if dtype in WIDENED and not (dtype is DType.F64 and stays_f64(op)))
    for dtype, count in found.items():
        what = f"{counted(count, 'value')} of {dtype} {'is' if count == 1 else 'are'}"
        text = f"{what} computed in {WIDENED[dtype]}: TFLite has no kernels for {dtype}"
        remark(Remark("warning", "legalize", text))


def _is_stored(value: Value) -> bool:
    """Whether a value is nothing but what weights are stored in."""
    return isinstance(value.owner, Const) and all(isinstance(user, Dequantize) for user in value.users)


def _report_draws(module: Module) -> None:
    """Say that numbers are random: nobody can compare them."""
    count = sum(op.spec.has(Draws) for op in module.walk())
    if count:
        who = "1 operation draws" if count == 1 else f"{count} operations draw"
        text = f"{who} random numbers anew in each call; every runtime draws others (see --no-verify)"
        remark(Remark("warning", "legalize", text))


TARGET = Target(
    name="tflite",
    title="TFLite",
    suffix=".tflite",
    table=TABLE,
    lowerings=(LOWERINGS, SHARED),
    limits=Limits(FAST_RANKS[-1], MAX_BATCH_RANK, PORTABLE_RANK),
    channels="last",
    pipeline=PIPELINE,
    prepare=prepare,
    unstorable=not_storable,
    emit=emit,
    emit_signatures=emit_signatures,
    runner="nhwcc.runners.tflite",
    integers=BuiltinsOnIntegers(),
    arena=arena_of_file,
)

"""Numbers rounded to those that integers stand for."""

from __future__ import annotations

import numpy as np

from ....compiler.ir import Value
from ....compiler.ops.arith import Add, Max, Min, Mul, Round, Sub
from ...common.quantize import nudged, rounded
from ..emitter import Emitter
from ..registry import tf_op


def _checked(emit: Emitter, low: float, high: float, bits: int) -> tuple[float, float]:
    if not 2 <= bits <= 16 or not low < high:
        raise emit.fail(f"has the range {low} to {high} in {bits} bits", code="F002")
    return low, high


@tf_op("FakeQuantWithMinMaxArgs")
def fake_quant_with_min_max_args(
    emit: Emitter, inputs: Value, *, min: float = -6.0, max: float = 6.0, num_bits: int = 8, narrow_range: bool = False
) -> Value:
    """The range is moved so that zero is one of the numbers."""
    return rounded(emit, inputs, _checked(emit, min, max, num_bits), num_bits, narrow_range=narrow_range)


@tf_op("FakeQuantWithMinMaxVars")
def fake_quant_with_min_max_vars(
    emit: Emitter, inputs: Value, min: Value, max: Value, *, num_bits: int = 8, narrow_range: bool = False
) -> Value:
    """Rounded as integers would be; the ends of the range are constant operands, moved so that zero is a number."""
    limits = _checked(emit, emit.scalar(min, "min"), emit.scalar(max, "max"), num_bits)
    return rounded(emit, inputs, limits, num_bits, narrow_range=narrow_range)


@tf_op("FakeQuantWithMinMaxVarsPerChannel")
def fake_quant_per_channel(
    emit: Emitter, inputs: Value, min: Value, max: Value, *, num_bits: int = 8, narrow_range: bool = False
) -> Value:
    """Rounded as integers would be, with a range for each position along the last axis."""
    lows, highs = (emit.numbers(v, n).astype(np.float32).reshape(-1) for v, n in ((min, "min"), (max, "max")))
    for low, high in zip(lows.tolist(), highs.tolist(), strict=True):
        _checked(emit, low, high, num_bits)
    pairs = zip(lows.tolist(), highs.tolist(), strict=True)
    found = [nudged(limits, num_bits, narrow_range=narrow_range) for limits in pairs]
    least, most, scale = (emit.const(np.asarray(column, np.float32)) for column in zip(*found, strict=True))
    kept = emit(Min(emit(Max(inputs, least)), most))
    inverse = emit.const(np.asarray([np.float32(1) / step for _, _, step in found], np.float32))
    steps = emit(Round(emit(Mul(emit(Sub(kept, least)), inverse))))
    return emit(Add(emit(Mul(steps, scale)), least))

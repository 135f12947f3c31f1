"""Handlers of onnxruntime's recurrent layers with weights of 8 bits."""

from __future__ import annotations

from .....compiler.ir import Value
from .....compiler.ops.quantize import Dequantize
from .....compiler.types import DType
from ...emitter import Emitter
from ...registry import onnx_op
from ..quantize import dynamic_quantize_linear
from ..recurrent import Operands, Settings, lstm_layers, row
from .domain import MICROSOFT


@onnx_op("DynamicQuantizeLSTM", since=1, domain=MICROSOFT)
def dynamic_quantize_lstm(
    emit: Emitter,
    X: Value,
    W: Value,
    R: Value,
    B: Value | None,
    sequence_lens: Value | None,
    initial_h: Value | None,
    initial_c: Value | None,
    P: Value | None,
    W_scale: Value,
    W_zero_point: Value,
    R_scale: Value,
    R_zero_point: Value,
    *,
    activation_alpha: tuple[float, ...] = (),
    activation_beta: tuple[float, ...] = (),
    activations: tuple[str, ...] = (),
    clip: float | None = None,
    direction: str = "forward",
    hidden_size: int | None = None,
    input_forget: int = 0,
) -> tuple[Value, ...]:
    """Data and states are rounded to 8 bits before they meet the weights; all products are those of plain numbers.

    onnxruntime rounds the states of as many sequences together as one of its threads runs; here each has its own range.
    """
    whole, scale, zero = dynamic_quantize_linear(emit, X)
    w, r = _weights(emit, W, W_scale, W_zero_point), _weights(emit, R, R_scale, R_zero_point)
    given = Operands(emit(Dequantize(whole, scale, zero)), w, r, B, sequence_lens, (initial_h, initial_c), P)
    settings = Settings(activations, activation_alpha, activation_beta, clip or 0.0, direction, hidden_size, 0)
    return lstm_layers(emit, given, settings, coupled=bool(input_forget), rounds_state=True)


def _weights(emit: Emitter, x: Value, scale: Value, zero: Value) -> tuple[Value, ...]:
    """Return the weight of every direction, one row per gate and unit, as integers that stand for numbers.

    Columns lie in the file.  Scales are those of directions, or of all their rows.
    """
    if x.type.rank != 3 or scale.type.rank not in (1, 2) or zero.type.rank not in (1, 2):
        raise emit.fail(f"has weights {x.type} of scale {scale.type} and zero point {zero.type}", code="T001")
    wide, count = emit.cast(zero, DType.I32), x.type.shape[0]
    if not isinstance(count, int):
        raise emit.fail(f"has weights {x.type}: the number of directions is not known", code="T001")
    return tuple(
        emit(Dequantize(emit.transpose(row(emit, x, i), (1, 0)), _column(emit, scale, i), _column(emit, wide, i)))
        for i in range(count)
    )


def _column(emit: Emitter, x: Value, number: int) -> Value:
    """Return what belongs to the rows of a direction's weight, or to all of it."""
    own = row(emit, x, number)
    return own if own.type.rank == 0 else emit.reshape(own, (*own.type.shape, 1))

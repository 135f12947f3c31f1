"""Handlers of onnxruntime's recurrent layers with weights of 8 bits."""

from __future__ import annotations

from .....compiler.ir import Value
from .....compiler.ops.arith import Mul, Sub
from .....compiler.ops.shape import Transpose
from .....compiler.types import DType
from ...emitter import Emitter
from ...registry import onnx_op
from ..quantize import dequantize_linear
from ..recurrent import Operands, Settings, lstm_layers
from .domain import MICROSOFT
from .integer import quantized_to_range


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
    """Data and states are rounded to 8 bits before they meet the weights; all products are those of plain numbers."""
    whole, scale, zero = quantized_to_range(emit, X)
    w, r = _rows(emit, W, W_scale, W_zero_point), _rows(emit, R, R_scale, R_zero_point)
    given = Operands(dequantize_linear(emit, whole, scale, zero), w, r, B, sequence_lens, (initial_h, initial_c), P)
    settings = Settings(activations, activation_alpha, activation_beta, clip or 0.0, direction, hidden_size, 0)
    return lstm_layers(emit, given, settings, coupled=bool(input_forget), rounds_state=True)


def _rows(emit: Emitter, x: Value, scale: Value, zero: Value) -> Value:
    """Return the weights of every direction as plain numbers, one row per gate and unit: columns lie in the file."""
    if x.type.rank != 3 or scale.type.rank not in (1, 2) or zero.type.rank not in (1, 2):
        raise emit.fail(f"has weights {x.type} of scale {scale.type} and zero point {zero.type}", code="T001")
    scales, zeros = (
        emit.reshape(emit.cast(v, DType.F32), (v.type.shape[0], 1, *(v.type.shape[1:] or (1,)))) for v in (scale, zero)
    )
    plain = emit(Mul(emit(Sub(emit.cast(x, DType.F32), zeros)), scales))
    return emit(Transpose(plain, (0, 2, 1)))

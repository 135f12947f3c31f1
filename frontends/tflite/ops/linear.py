"""Handlers of matrix products and of fully connected layers."""

from __future__ import annotations

from typing import Literal

from ....compiler.dims import product
from ....compiler.ir import Value
from ....compiler.ops.linear import Linear, MatMul
from ....compiler.ops.shape import resolve_reshape
from ..emitter import Emitter
from ..registry import builtin
from .common import Activation, ending_in


@builtin("FULLY_CONNECTED", "FullyConnectedOptions", rounds=True)
def fully_connected(
    emit: Emitter,
    x: Value,
    w: Value,
    bias: Value | None = None,
    *,
    fused_activation_function: Activation = "NONE",
    weights_format: Literal["DEFAULT", "SHUFFLED4x16INT8"] = "DEFAULT",
    keep_num_dims: bool = False,
) -> Value:
    """Rows of as many features as the weight takes; leading axes are counted together unless they are kept."""
    if weights_format != "DEFAULT":
        raise emit.fail(f"has a weight in the format {weights_format}")
    if w.type.rank != 2:
        raise emit.fail(f"has the weight {w.type}, which is not a matrix", code="F006")
    features = w.type.shape[1]
    is_row = x.type.rank >= 1 and x.type.shape[-1] == features
    if not (keep_num_dims and is_row) and (x.type.rank != 2 or not is_row):
        with emit.typed():
            x = emit.reshape(x, resolve_reshape(x.type.shape, (-1, features), zero_copies=False))
    if bias is not None and bias.type.rank != 1:
        bias = emit.reshape(bias, (product(bias.type.shape),))
    x = emit.rounded(x, (x.type.rank - 1,))
    return ending_in(emit, lambda fused: Linear(x, w, bias, fused), fused_activation_function)


@builtin("BATCH_MATMUL", "BatchMatMulOptions")
def batch_matmul(emit: Emitter, a: Value, b: Value, *, adj_x: bool = False, adj_y: bool = False) -> Value:
    """BATCH_MATMUL: either matrix may be transposed, and batch axes broadcast."""
    return emit(MatMul(a, b, adj_x, adj_y))

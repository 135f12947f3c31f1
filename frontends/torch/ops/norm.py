"""Normalisations."""

from __future__ import annotations

import numpy as np

from ....compiler.ir import Value
from ....compiler.ops import norm as ir
from ..emitter import Emitter
from ..registry import aten


@aten("batch_norm")
def batch_norm(
    emit: Emitter,
    input: Value,
    weight: Value | None,
    bias: Value | None,
    running_mean: Value | None,
    running_var: Value | None,
    training: bool,
    momentum: float,
    eps: float,
    cudnn_enabled: bool,
) -> Value:
    """By stored statistics; in training mode it would use those of the batch."""
    if training or running_mean is None or running_var is None:
        raise emit.fail(
            "normalises by the statistics of the batch, as in training", code="F031", help="Call .eval() on the model."
        )
    return emit(ir.BatchNorm(input, *_parameters(emit, running_mean, weight, bias), running_mean, running_var, eps))


def _parameters(emit: Emitter, like: Value, weight: Value | None, bias: Value | None) -> tuple[Value, Value]:
    """Scale and bias per channel, one and zero where they are absent."""
    return weight or emit.full(1, like.type), bias or emit.full(0, like.type)


@aten("_native_batch_norm_legit_no_training")
def native_batch_norm(
    emit: Emitter,
    input: Value,
    weight: Value | None,
    bias: Value | None,
    running_mean: Value,
    running_var: Value,
    momentum: float,
    eps: float,
) -> tuple[Value | None, ...]:
    """By stored statistics; what training would save is empty."""
    parameters = _parameters(emit, running_mean, weight, bias)
    y = emit(ir.BatchNorm(input, *parameters, running_mean, running_var, eps))
    empty = emit.const(np.zeros((0,), np.float32))
    return y, empty, empty

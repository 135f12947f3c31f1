"""Rows of the table for recurrent layers, each of one direction."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from ....compiler.ir import Value
from ....compiler.ops import recurrent as ir
from ....compiler.types import Array, DType, TensorType
from ....compiler.weights import Weight
from ....formats.onnx.tensors import number_of
from ..directions import constants_of, with_directions
from ..table import Call, Nested, Operand, condition, emits
from .rounded import integers_of, rounded, why_no_weights

MICROSOFT = "com.microsoft"
"""The domain of onnxruntime's own operators."""

NAMES = {
    "sigmoid": "Sigmoid",
    "tanh": "Tanh",
    "relu": "Relu",
    "softsign": "Softsign",
    "softplus": "Softplus",
    "affine": "Affine",
    "leakyrelu": "LeakyRelu",
    "thresholdedrelu": "ThresholdedRelu",
    "scaledtanh": "ScaledTanh",
    "hardsigmoid": "HardSigmoid",
    "elu": "Elu",
}
"""Functions of gates by ONNX's names."""


@condition("time first")
def _time_first(op: ir.Recurrent) -> str | None:
    return "the batch first, which runtimes refuse" if op.batch_first else None


@condition("whole")
def _whole(op: ir.Recurrent) -> str | None:
    return None if op.strategy in ("auto", "fused") else f"run by {op.strategy}"


@condition("no projection and no rounding of states")
def _plain_states(op: ir.Lstm) -> str | None:
    return "a projection, or states that are rounded" if op.projection is not None or op.rounds_state else None


def _attributes(op: ir.Recurrent) -> dict[str, Any]:
    given: dict[str, Any] = {"hidden_size": op.r.type.shape[1]}
    if op.reverse:
        given["direction"] = "reverse"
    defaults = type(op).spec.attributes["activations"].default
    if op.activations != defaults or op.alpha or op.beta:
        given["activations"] = tuple(NAMES[name] for name in op.activations)
        for attribute, place in (("alpha", 0), ("beta", 1)):
            numbers = _numbers(op, attribute, place)
            if numbers:
                given[f"activation_{attribute}"] = numbers
    return given | ({"clip": op.clip} if op.clip else {})


def _numbers(op: ir.Recurrent, attribute: str, place: int) -> tuple[float, ...]:
    """The numbers of those functions that take one, in their order."""
    stated: tuple[float, ...] = op.attributes[attribute]
    out: list[float] = []
    for i, name in enumerate(op.activations):
        defaults = ir.ACTIVATIONS[name].defaults
        if len(defaults) > place:
            out.append(stated[i] if stated else defaults[place])
    return tuple(out)


def _biases(op: ir.Recurrent, of_state: Value | None, gates: int) -> Operand:
    """The biases of inputs and of states, one after the other; that of states is only the last gate's."""
    if op.bias is None and of_state is None:
        return None
    hidden = op.r.type.shape[1]
    assert isinstance(hidden, int)
    dtype = op.x.type.dtype
    before = gates * hidden if of_state is None else (gates - 1) * hidden
    zeros = Weight.splat(0, dtype, (before,))
    first: Operand = op.bias if op.bias is not None else Weight.splat(0, dtype, (gates * hidden,))
    parts: list[Operand] = [first, zeros, *([] if of_state is None else [of_state])]
    type = TensorType(dtype, (2 * gates * hidden,))
    known = constants_of(parts)
    if known is not None:
        return known[0].derive(type, _joined, *known[1:])
    return Nested("Concat", type, tuple(parts), {"axis": 0})


def _joined(*arrays: Array) -> Array:
    return np.concatenate(arrays)


def _lengths(value: Value | None) -> Operand:
    if value is None or value.type.dtype is DType.I32:
        return value
    return Nested("Cast", value.type.with_dtype(DType.I32), (value,), {"to": number_of(DType.I32)})


@condition("a known number of features in the state")
def _known_state(op: ir.Recurrent) -> str | None:
    return None if isinstance(op.r.type.shape[1], int) else "a state of unknown size"


_WHEN = (_time_first, _whole, _known_state)


@emits(ir.Rnn, "RNN", when=_WHEN)
@with_directions
def rnn(op: ir.Rnn) -> Call:
    """RNN: one gate, whose activation is an attribute."""
    inputs = (op.x, op.w, op.r, _biases(op, None, 1), _lengths(op.lengths), op.h0)
    return Call(inputs, _attributes(op), units=(1, 0))


@emits(ir.Gru, "GRU", when=_WHEN)
@with_directions
def gru(op: ir.Gru) -> Call:
    """GRU: ONNX has its gates in the order update, reset, new."""
    inputs = (op.x, op.w, op.r, _biases(op, op.hidden_bias, 3), _lengths(op.lengths), op.h0)
    attributes = _attributes(op) | ({"linear_before_reset": 1} if op.reset_after else {})
    return Call(inputs, attributes, units=(1, 0))


@emits(ir.Lstm, "LSTM", when=(*_WHEN, _plain_states))
@with_directions
def lstm(op: ir.Lstm) -> Call:
    """LSTM: ONNX has its gates in the order input, output, forget, new."""
    return _lstm(op, (op.x, op.w, op.r), ())


def _lstm(op: ir.Lstm, first: tuple[Operand, ...], last: tuple[Operand, ...]) -> Call:
    given = (_biases(op, None, 4), _lengths(op.lengths), op.h0, op.c0, op.peepholes)
    attributes = _attributes(op) | ({"input_forget": 1} if op.coupled else {})
    return Call((*first, *given, *last), attributes, units=(1, 0, 0))


@condition("numbers and states that are rounded, weights of 8 bits")
def _rounded(op: ir.Lstm) -> str | None:
    if not op.rounds_state or op.projection is not None:
        return "states that are not rounded, or a projection"
    if rounded(op.x) is None:
        return "numbers that are not rounded by their range"
    if op.x.type.dtype is not DType.F32:
        return f"numbers of {op.x.type.dtype}"
    return why_no_weights(op.w) or why_no_weights(op.r)


@emits(ir.Lstm, f"{MICROSOFT}.DynamicQuantizeLSTM", when=(*_WHEN, _rounded))
@with_directions
def dynamic_quantize_lstm(op: ir.Lstm) -> Call:
    """The operator of onnxruntime, which rounds numbers and states itself: nothing else in a file means that."""
    x = rounded(op.x)
    of_w, of_r = integers_of(op.w), integers_of(op.r)
    call = _lstm(op, (x, of_w[0], of_r[0]), (*of_w[1:], *of_r[1:]))
    return replace(call, domain=MICROSOFT, operator="DynamicQuantizeLSTM")

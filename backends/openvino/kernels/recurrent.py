"""Rows for recurrent layers: one direction each, the batch first, states given."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

import numpy as np

from ....compiler.fold import constant
from ....compiler.ir import Value
from ....compiler.ops import recurrent as ir
from ....compiler.types import Array, DType, TensorType
from ....compiler.weights import Weight
from ..table import FLOATS, Call, Dims, Nested, Operand, condition, emits, ints, scalar
from .common import EXACT, reshaped
from .directions import in_both_directions

FUNCTIONS = ("sigmoid", "tanh", "relu")
"""Functions of gates that kernels have."""

FICO = (2, 0, 3, 1)
"""The blocks of an LSTM's gates as OpenVINO has them, forget, input, new, output, by their places here."""


@condition("the batch first")
def _batch_first(op: ir.Recurrent) -> str | None:
    return None if op.batch_first else "time first"


@condition("whole")
def _whole(op: ir.Recurrent) -> str | None:
    return None if op.strategy in ("auto", "fused") else f"run by {op.strategy}"


@condition("no projection, no peepholes, no gates in common and no rounding of states")
def _plain_lstm(op: ir.Lstm) -> str | None:
    extra = op.projection is not None or op.peepholes is not None or op.coupled or op.rounds_state
    return "a projection, peepholes, gates in common, or states that are rounded" if extra else None


@condition("functions sigmoid, tanh and relu, without clipping")
def _plain_functions(op: ir.Recurrent) -> str | None:
    other = next((name for name in op.activations if name not in FUNCTIONS), None)
    return f"the function {other}" if other else "clipping" if op.clip else None


@condition("the functions that kernels take for granted")
def _usual_functions(op: ir.Lstm | ir.Gru) -> str | None:
    usual = type(op).spec.attributes["activations"].default
    return None if op.activations == usual else f"the functions {', '.join(op.activations)}"


@condition("states that are given")
def _given_states(op: ir.Recurrent) -> str | None:
    names = [n for n in ("h0", "c0") if n in op.spec.operands]
    return None if all(getattr(op, n) is not None for n in names) else "no first state"


@condition("a known number of features in the state")
def _known_state(op: ir.Recurrent) -> str | None:
    return None if isinstance(op.r.type.shape[1], int) else "a state of unknown size"


def fits(op: ir.Recurrent) -> bool:
    """Say whether kernels run a layer once the batch comes first and states are given."""
    conditions = [_plain_functions, _known_state]
    if isinstance(op, ir.Lstm | ir.Gru):
        conditions.append(_usual_functions)
    if isinstance(op, ir.Lstm):
        conditions.append(_plain_lstm)
    return all(condition(op) is None for condition in conditions) and op.x.type.dtype.value in FLOATS.split()


_WHEN = (_batch_first, _whole, _plain_functions, _given_states, _known_state)


def _weight(value: Value, blocks: Sequence[int] | None) -> Operand:
    """Return a weight with an axis for the direction in front, its blocks in OpenVINO's order."""
    whole = value.type.with_shape((1, *value.type.shape))
    weight = constant(value)
    if weight is not None:
        return weight.derive(whole, partial(_directed, blocks=blocks))
    if blocks is None:
        return reshaped(value, whole.shape)
    rows, *rest = value.type.shape
    apart = value.type.with_shape((len(blocks), rows // len(blocks), *rest))
    order = (reshaped(value, apart.shape), ints(*blocks), scalar(0, DType.I64))
    return Nested("Reshape", whole, (Nested("Gather", apart, order, {"batch_dims": 0}), Dims(whole.shape)), EXACT)


def _directed(array: Array, *, blocks: Sequence[int] | None) -> Array:
    if blocks is None:
        return array[None]
    parts = np.split(array, len(blocks))
    return np.concatenate([parts[i] for i in blocks])[None]


def _bias(op: ir.Recurrent, blocks: Sequence[int] | None) -> Operand:
    if op.bias is not None:
        return _weight(op.bias, blocks)
    rows = op.w.type.shape[0]
    assert isinstance(rows, int)
    return Weight.splat(0, op.x.type.dtype, (1, rows))


def _state(value: Value | None) -> Operand:
    """Return a state with an axis for the direction after the batch."""
    assert value is not None
    batch, features = value.type.shape
    return reshaped(value, (batch, 1, features))


def _lengths(op: ir.Recurrent) -> Operand:
    """Return how long the sequences are: all of them as long as the data, unless others are given."""
    if op.lengths is not None:
        if op.lengths.type.dtype in (DType.I32, DType.I64):
            return op.lengths
        return Nested("Convert", op.lengths.type.with_dtype(DType.I64), (op.lengths,), {"destination_type": DType.I64})
    type = TensorType(DType.I64, (op.batch,))
    return Nested("Broadcast", type, (Dims((op.steps,), ()), Dims((op.batch,))), {"mode": "numpy"})


def _attributes(op: ir.Recurrent) -> dict[str, Any]:
    hidden = op.r.type.shape[1]
    assert isinstance(hidden, int)
    return {
        "hidden_size": hidden,
        "direction": "reverse" if op.reverse else "forward",
        "activations": op.activations,
        "clip": 0.0,
    }


@emits(ir.Rnn, "RNNSequence", dtypes=FLOATS, when=_WHEN)
@in_both_directions(1)
def rnn(op: ir.Rnn) -> Call:
    """RNNSequence in one direction: one gate, whose weights have a leading axis for the direction."""
    inputs = (op.x, _state(op.h0), _lengths(op), _weight(op.w, None), _weight(op.r, None), _bias(op, None))
    return Call(inputs, _attributes(op), units=(1, 1))


@emits(ir.Gru, "GRUSequence", dtypes=FLOATS, when=(*_WHEN, _usual_functions))
@in_both_directions(1)
def gru(op: ir.Gru) -> Call:
    """Update, reset, new; with two biases of the last one where the reset gate comes after the product."""
    bias = _bias(op, None)
    if op.reset_after:
        bias = _both_biases(op, bias)
    inputs = (op.x, _state(op.h0), _lengths(op), _weight(op.w, None), _weight(op.r, None), bias)
    return Call(inputs, {**_attributes(op), "linear_before_reset": op.reset_after}, units=(1, 1))


def _both_biases(op: ir.Gru, bias: Operand) -> Operand:
    """Return the biases with that of the state's product behind."""
    hidden = op.r.type.shape[1]
    assert isinstance(hidden, int)
    own = Weight.splat(0, op.x.type.dtype, (hidden,)) if op.hidden_bias is None else constant(op.hidden_bias)
    type = op.x.type.with_shape((1, 4 * hidden))
    if isinstance(bias, Weight) and own is not None:
        return bias.derive(type, _joined, own)
    last = (
        reshaped(op.hidden_bias, (1, hidden))
        if op.hidden_bias is not None
        else Weight.splat(0, type.dtype, (1, hidden))
    )
    return Nested("Concat", type, (bias, last), {"axis": 1})


def _joined(bias: Array, own: Array) -> Array:
    return np.concatenate([bias, own[None]], axis=1)


@emits(ir.Lstm, "LSTMSequence", dtypes=FLOATS, when=(*_WHEN, _usual_functions, _plain_lstm))
@in_both_directions(2)
def lstm(op: ir.Lstm) -> Call:
    """LSTMSequence in one direction: blocks of gates are put in the order forget, input, new, output."""
    weights = (_weight(op.w, FICO), _weight(op.r, FICO), _bias(op, FICO))
    inputs = (op.x, _state(op.h0), _state(op.c0), _lengths(op), *weights)
    return Call(inputs, _attributes(op), units=(1, 1, 1))

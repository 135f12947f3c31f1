"""Rows for recurrent layers: the batch first, constant weights, from the first step to the last."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np

from ....compiler.dims import static
from ....compiler.fold import constant
from ....compiler.ir import Value
from ....compiler.ops import recurrent as ir
from ....compiler.types import Array
from ..table import Call, Operand, Weight, condition, emits
from .common import dtype_of, weight_of

FUNCTIONS = ("sigmoid", "tanh", "relu", "softplus", "softsign")
"""Functions of gates that have one meaning."""

IFCO = (0, 2, 3, 1)
"""The blocks of an LSTM's gates as Keras has them, input, forget, new, output, by their places here."""


@condition("a layer of Keras: plain gates, constant weights, sequences of one length")
def is_layer(op: ir.Recurrent) -> str | None:
    """Condition: none of what the IR's recurrent layers have and those of Keras have not, such as peepholes."""
    other = next((name for name in op.activations if name not in FUNCTIONS), None)
    if other or op.clip or op.lengths is not None:
        return f"the function {other}" if other else "clipping, or sequences of different lengths"
    if isinstance(op, ir.Lstm):
        if op.projection is not None or op.peepholes is not None or op.coupled or op.rounds_state:
            return "a projection, peepholes, gates in common, or states that are rounded"
        if op.activations[1] != op.activations[2]:
            return "different functions of the cell"
    weights: list[Value | None] = [op.w, op.r, op.bias, getattr(op, "hidden_bias", None)]
    return None if all(v is None or constant(v) is not None for v in weights) else "weights that are computed"


def fits(op: ir.Recurrent) -> bool:
    """Say whether Keras has a layer for it once the batch comes first and the data runs forward."""
    is_known = isinstance(op.r.type.shape[1], int) and isinstance(op.w.type.shape[1], int)
    return is_layer(op) is None and is_known and op.x.type.dtype.value == "f32"


@condition("the batch first, forward")
def _in_order(op: ir.Recurrent) -> str | None:
    return None if op.batch_first and not op.reverse else "time first, or backwards"


@condition("whole")
def _whole(op: ir.Recurrent) -> str | None:
    return None if op.strategy in ("auto", "fused") else f"run by {op.strategy}"


@condition("all first states or none")
def _states_alike(op: ir.Recurrent) -> str | None:
    given = [getattr(op, n) is not None for n in ("h0", "c0") if n in op.spec.operands]
    return None if all(given) or not any(given) else "one of two first states"


_WHEN = (is_layer, _in_order, _whole, _states_alike)


def _matrix(value: Value, blocks: tuple[int, ...] | None) -> Weight:
    rows, columns = value.type.shape
    return weight_of(value).derive(value.type.with_shape((columns, rows)), partial(_gates, blocks=blocks, turn=True))


def _gates(array: Array, *, blocks: tuple[int, ...] | None, turn: bool) -> Array:
    """Put the blocks of gates in order, and inputs first."""
    if blocks is not None:
        parts = np.split(array, len(blocks))
        array = np.concatenate([parts[i] for i in blocks])
    return array.T if turn else array


def _bias(op: ir.Recurrent, blocks: tuple[int, ...] | None) -> Weight:
    if op.bias is not None:
        return weight_of(op.bias).derive(op.bias.type, partial(_gates, blocks=blocks, turn=False))
    rows = op.w.type.shape[0]
    assert isinstance(rows, int)
    return Weight.splat(0, op.x.type.dtype, (rows,))


def _call(op: ir.Recurrent, blocks: tuple[int, ...] | None, bias: Weight, **settings: Any) -> Call:
    states = tuple(v for v in (op.h0, getattr(op, "c0", None)) if v is not None)
    inputs: tuple[Operand, ...] = (op.x, states) if states else (op.x,)
    (units,) = static(op.r.type.shape[1:])
    said = {"units": units, "return_sequences": True, "return_state": True, **settings, **dtype_of(op)}
    return Call(inputs, said, (_matrix(op.w, blocks), _matrix(op.r, blocks), bias))


@emits(ir.Rnn, "layers.SimpleRNN", dtypes="f32", when=_WHEN)
def rnn(op: ir.Rnn) -> Call:
    """``layers.SimpleRNN``: one gate, whose matrices are transposed so that inputs come first."""
    return _call(op, None, _bias(op, None), activation=op.activations[0])


@emits(ir.Gru, "layers.GRU", dtypes="f32", when=_WHEN)
def gru(op: ir.Gru) -> Call:
    """Update, reset, new, with two biases where the reset gate comes after the product."""
    bias = _bias(op, None)
    if op.reset_after:
        hidden = op.r.type.shape[1]
        assert isinstance(hidden, int)
        own = Weight.splat(0, op.x.type.dtype, (hidden,)) if op.hidden_bias is None else weight_of(op.hidden_bias)
        bias = bias.derive(bias.type.with_shape((2, 3 * hidden)), _both, own)
    activation, recurrent = op.activations[1], op.activations[0]
    return _call(op, None, bias, activation=activation, recurrent_activation=recurrent, reset_after=op.reset_after)


def _both(bias: Array, own: Array) -> Array:
    """The biases of the input's product, then those of the state's, of which only the last block is not in them."""
    return np.stack([bias, np.concatenate([np.zeros(2 * own.size, bias.dtype), own])])


@emits(ir.Lstm, "layers.LSTM", dtypes="f32", when=_WHEN)
def lstm(op: ir.Lstm) -> Call:
    """``layers.LSTM``: blocks of gates are put in the order input, forget, new, output."""
    activation, recurrent = op.activations[1], op.activations[0]
    return _call(op, IFCO, _bias(op, IFCO), activation=activation, recurrent_activation=recurrent)

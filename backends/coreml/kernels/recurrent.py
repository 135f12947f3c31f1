"""Rows for recurrent layers: time first, forwards, states given, weights constant."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import numpy as np

from ....compiler.constants import elements
from ....compiler.fold import constant
from ....compiler.ir import Value
from ....compiler.ops import recurrent as ir
from ....compiler.types import Array
from ....compiler.weights import Weight
from ..table import Call, Operand, condition, emits, given, is_constant

IFON = (0, 2, 1, 3)
"""The blocks of an LSTM's gates as MIL has them, input, forget, output, new, by their places here."""

RNZ = (1, 2, 0)
"""The blocks of a GRU's gates as MIL has them, reset, new, update, by their places here."""


@condition("time first")
def _time_first(op: ir.Recurrent) -> str | None:
    return "the batch first" if op.batch_first else None


@condition("forwards")
def _forwards(op: ir.Recurrent) -> str | None:
    """MIL does not say in which order the results of a layer come that reads backwards."""
    return "backwards" if op.reverse else None


@condition("whole")
def _whole(op: ir.Recurrent) -> str | None:
    return None if op.strategy in ("auto", "fused") else f"run by {op.strategy}"


@condition("states that are given")
def _given_states(op: ir.Recurrent) -> str | None:
    names = [n for n in ("h0", "c0") if n in op.spec.operands]
    return None if all(getattr(op, n) is not None for n in names) else "no first state"


@condition("sequences of one length")
def _one_length(op: ir.Recurrent) -> str | None:
    return None if op.lengths is None else "sequences of their own lengths"


@condition("constant weights")
def _constant_weights(op: ir.Recurrent) -> str | None:
    return None if all(is_constant(v) for v in (op.w, op.r, op.bias)) else "weights that are computed"


@condition("functions sigmoid and tanh, without clipping")
def _usual_functions(op: ir.Recurrent) -> str | None:
    usual = type(op).spec.attributes["activations"].default
    return None if op.activations == usual and not op.clip else "other functions, or clipping"


@condition("no projection, no peepholes, no gates in common and no rounding of states")
def _plain_lstm(op: ir.Lstm) -> str | None:
    extra = op.projection is not None or op.peepholes is not None or op.coupled or op.rounds_state
    return "a projection, peepholes, gates in common, or states that are rounded" if extra else None


@condition("the reset gate after the product with the state, which has no bias")
def _resets_after(op: ir.Gru) -> str | None:
    """Of a bias there MIL does not say whether the gate multiplies it."""
    bias = elements(op.hidden_bias)
    is_zero = op.hidden_bias is None or (bias is not None and not bias.any())
    return None if op.reset_after and is_zero else "the reset gate before the product, or a bias after it"


_WHEN = (_whole, _one_length, _constant_weights, _usual_functions)


def fits(op: ir.Recurrent) -> bool:
    """Say whether MIL runs a layer once time comes first, forwards, and states are given."""
    if isinstance(op, ir.Lstm):
        own = _plain_lstm(op)
    else:
        own = _resets_after(op) if isinstance(op, ir.Gru) else "no such layer"
    return own is None and op.x.type.dtype == "f32" and all(condition(op) is None for condition in _WHEN)


def _ordered(value: Value | None, blocks: Sequence[int]) -> Weight | None:
    """Return a weight with its blocks in MIL's order."""
    weight = constant(value)
    return None if weight is None else weight.derive(weight.type, partial(_blocks, blocks=tuple(blocks)))


def _blocks(array: Array, *, blocks: tuple[int, ...]) -> Array:
    parts = np.split(array, len(blocks))
    return np.concatenate([parts[i] for i in blocks])


def _layer(op: ir.Recurrent, blocks: Sequence[int]) -> dict[str, Operand]:
    weights = given(weight_ih=_ordered(op.w, blocks), weight_hh=_ordered(op.r, blocks), bias=_ordered(op.bias, blocks))
    return {**weights, "direction": "forward", "output_sequence": True}


_LAYER = (_time_first, _forwards, _given_states, *_WHEN)


@emits(ir.Lstm, "lstm", dtypes="f32", when=(*_LAYER, _plain_lstm))
def lstm(op: ir.Lstm) -> Call:
    """An LSTM with gates in MIL's order: input, forget, output, cell."""
    return Call({**given(x=op.x, initial_h=op.h0, initial_c=op.c0), **_layer(op, IFON)})


@emits(ir.Gru, "gru", dtypes="f32", when=(*_LAYER, _resets_after))
def gru(op: ir.Gru) -> Call:
    """A GRU with gates in MIL's order: reset, new, update."""
    return Call({**given(x=op.x, initial_h=op.h0), **_layer(op, RNZ)})

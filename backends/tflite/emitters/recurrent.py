"""Rows for recurrent layers that are one kernel.

The kernels keep states in variables of their own from one call to the next; here each call starts from the operands,
which the file copies into these variables first.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ....compiler.dims import static
from ....compiler.fold import constant
from ....compiler.ir import Value
from ....compiler.ops import recurrent as ir
from ....compiler.types import Array, TensorType
from ....compiler.weights import Weight
from ....formats.tflite.model import Options
from ...common.directions import beside, partner
from ..table import Call, Condition, Operand, condition, emits, options


@condition("strategy fused")
def _wanted(op: ir.Recurrent) -> str | None:
    return None if op.strategy == "fused" else f"the strategy {op.strategy}"


@condition("sigmoid and tanh")
def _plain_gates(op: ir.Lstm) -> str | None:
    usual = op.activations == ("sigmoid", "tanh", "tanh") and not op.clip
    plain = usual and not op.rounds_state
    return None if plain else "clipped gates, rounded states, or other activations than sigmoid and tanh"


@condition("tanh or relu")
def _known_function(op: ir.Rnn) -> str | None:
    return None if op.activations[0] in ("tanh", "relu") and not op.clip else "another activation than tanh and relu"


@condition("whole sequences")
def _whole(op: ir.Recurrent) -> str | None:
    return None if op.lengths is None else "sequences that end early"


@condition("read forwards")
def _forwards(op: ir.Recurrent) -> str | None:
    return "sequences that are read backwards" if op.reverse else None


@condition("initial states")
def _with_states(op: ir.Recurrent) -> str | None:
    return None if op.h0 is not None and (not isinstance(op, ir.Lstm) or op.c0 is not None) else "no initial states"


@condition("constant weights")
def _constant(op: ir.Recurrent) -> str | None:
    variable = (op.x, op.h0, op.c0) if isinstance(op, ir.Lstm) else (op.x, op.h0)
    others = [v for v in op.operands if v is not None and v not in variable]
    return None if all(constant(v) is not None for v in others) else "weights that are computed"


NEEDS: dict[type[ir.Recurrent], tuple[Condition, ...]] = {
    ir.Lstm: (_whole, _constant, _plain_gates),
    ir.Rnn: (_whole, _constant, _known_function),
}
"""What a kernel needs; all else can be brought about."""


_WITHOUT_NORMALIZATION = (None,) * 4
"""Factors of gates, which runtimes for microcontrollers count even where there are none."""


@condition("the same sequences are read both ways")
def _paired(op: ir.Recurrent) -> str | None:
    other = partner(op)
    if other is None:
        return "sequences that are read one way"
    reasons = (condition(other) for condition in (_wanted, *NEEDS[type(op)], _with_states))
    return next((f"beside it, {reason}" for reason in reasons if reason is not None), None)


def _may_merge(op: ir.Recurrent) -> bool:
    """Whether the kernel puts outputs side by side: that of LSTM mixes those of several sequences, batch first."""
    return not isinstance(op, ir.Lstm) or not op.batch_first or op.batch == 1


def _both(op: ir.Recurrent, call: Callable[[Any], Call], states: int, table: str) -> Call:
    """Call one kernel for a layer and its partner: sequences, all else of each, then the states of each."""
    other = partner(op)
    assert other is not None
    layers = (other, op) if op.reverse else (op, other)
    calls = [call(layer) for layer in layers]
    first, given = calls[0], calls[0].options
    assert isinstance(given, Options)
    merged = beside([layer.results[0] for layer in layers]) if _may_merge(op) else None
    found = options(table, **given.fields, mergeOutputs=merged is not None)
    cells = [one.inputs[1 : first.overwrites[0]] for one in calls]
    kept = [[one.inputs[slot] for slot in first.overwrites] for one in calls]
    if states == 1:  # the state stands with the cell it belongs to
        inputs = [v for cell, state in zip(cells, kept, strict=True) for v in (*cell, *state)]
        overwrites = (len(cells[0]) + 1, 2 * len(cells[0]) + 2)
    else:
        inputs = [v for part in (*cells, *kept) for v in part]
        overwrites = tuple(range(len(inputs) - 3, len(inputs) + 1))
    auxiliary = (None,) * (3 if states == 1 else 9)
    return Call((op.x, *inputs, *auxiliary), found, overwrites=overwrites, of=layers, merged=merged)


@emits(
    ir.Lstm,
    "BIDIRECTIONAL_SEQUENCE_LSTM",
    dtypes="f32",
    when=(_wanted, *NEEDS[ir.Lstm], _with_states, _paired),
    kernel="bidirectional_sequence_lstm.cc",
)
def bidirectional_lstm(op: ir.Lstm) -> Call:
    """Two layers that read the same sequences, one of them backwards; their outputs may be joined."""
    return _both(op, sequence_lstm, 2, "BidirectionalSequenceLSTMOptions")


@emits(
    ir.Rnn,
    "BIDIRECTIONAL_SEQUENCE_RNN",
    dtypes="f32",
    when=(_wanted, *NEEDS[ir.Rnn], _with_states, _paired),
    kernel="bidirectional_sequence_rnn.cc",
)
def bidirectional_rnn(op: ir.Rnn) -> Call:
    """Two layers that read the same sequences, one of them backwards; their outputs may be joined."""
    return _both(op, sequence_rnn, 1, "BidirectionalSequenceRNNOptions")


@emits(
    ir.Lstm,
    "UNIDIRECTIONAL_SEQUENCE_LSTM",
    dtypes="f32",
    when=(_wanted, *NEEDS[ir.Lstm], _forwards, _with_states),
    kernel="unidirectional_sequence_lstm.cc",
)
def sequence_lstm(op: ir.Lstm) -> Call:
    """Gates in the order input, forget, cell, output; peepholes and a projection where there are some.

    Of coupled gates the kernel takes the forget gate's: ``1 - sigmoid(x)`` is ``sigmoid(-x)``.
    """
    gates = (0, 2, 3, 1)
    given = options("UnidirectionalSequenceLSTMOptions", fusedActivationFunction="TANH", timeMajor=not op.batch_first)
    bias = _blocks(op.bias, 4, gates) if op.bias is not None else [_zeros(op, op.hidden)] * 4
    kinds = [_blocks(op.w, 4, gates), _blocks(op.r, 4, gates), _blocks(op.peepholes, 3, (0, 2, 1)), bias]
    if op.coupled:
        kinds = [[None, _negative(kind[0]), *kind[2:]] for kind in kinds]
    inputs = (op.x, *(block for kind in kinds for block in kind), op.projection, None)
    return Call((*inputs, op.h0, op.c0, *_WITHOUT_NORMALIZATION), given, overwrites=(18, 19))


def _negative(block: Operand) -> Operand:
    return block.derive(block.type, np.negative) if isinstance(block, Weight) else None


@emits(
    ir.Rnn,
    "UNIDIRECTIONAL_SEQUENCE_RNN",
    dtypes="f32",
    when=(_wanted, *NEEDS[ir.Rnn], _forwards, _with_states),
    kernel="unidirectional_sequence_rnn.cc",
)
def sequence_rnn(op: ir.Rnn) -> Call:
    """UNIDIRECTIONAL_SEQUENCE_RNN: the bias is an operand that must be there."""
    function = op.activations[0].upper()
    given = options("SequenceRNNOptions", fusedActivationFunction=function, timeMajor=not op.batch_first)
    bias = _zeros(op, op.hidden) if op.bias is None else op.bias
    return Call((op.x, op.w, op.r, bias, op.h0), given, overwrites=(4,))


def _zeros(op: ir.Recurrent, size: object) -> Weight:
    assert isinstance(size, int)
    return Weight.splat(0, op.x.type.dtype, (size,))


def _blocks(value: Value | None, count: int, order: Sequence[int]) -> list[Operand]:
    """Return blocks of rows of a constant."""
    weight = constant(value)
    if weight is None:
        return [None] * count
    rows, *rest = static(weight.type.shape)
    size = rows // count

    def block(number: int) -> Weight:
        def cut(array: Array) -> Array:
            return array[number * size : (number + 1) * size]

        return weight.derive(TensorType(weight.type.dtype, (size, *rest)), cut)

    return [block(number) for number in order]

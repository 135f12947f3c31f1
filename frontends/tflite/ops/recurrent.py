"""Recurrent layers, whose kernels keep states in variables from one call to the next."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from ....compiler.fold import constant
from ....compiler.ir import Value
from ....compiler.ops.activation import Sigmoid, Tanh
from ....compiler.ops.arith import Add, Mul, Neg
from ....compiler.ops.linear import Linear
from ....compiler.ops.recurrent import Lstm, Rnn
from ....compiler.ops.reduce import Reduce
from ....compiler.ops.shape import Concat, Split
from ...slicing import cut
from ..emitter import Emitter
from ..registry import builtin
from .common import Activation, activated

NAMES = {"NONE": "affine", "TANH": "tanh", "RELU": "relu"}
"""Activations that recurrent operations have."""


@dataclass(frozen=True)
class Cell:
    """The operands of an LSTM: those of each kind in the order input, forget, cell, output.

    Those of the input gate are None where it is what the forget gate leaves.
    """

    w: Sequence[Value | None]
    r: Sequence[Value | None]
    peepholes: Sequence[Value | None]
    bias: Sequence[Value | None]
    projection: Value | None
    projection_bias: Value | None

    @staticmethod
    def of(operands: Sequence[Value | None], first: int = 1) -> Cell:
        """Read the 17 operands of a cell, from number ``first`` on."""
        given = list(operands[first : first + 17])
        return Cell(given[:4], given[4:8], given[8:11], given[11:15], given[15], given[16])

    @property
    def is_coupled(self) -> bool:
        """Whether the input gate is what the forget gate leaves."""
        return self.w[0] is None


def _function(emit: Emitter, activation: str) -> str:
    if activation not in NAMES:
        raise emit.fail(f"has the activation {activation}")
    return NAMES[activation]


def _joined(emit: Emitter, gates: Sequence[Value | None], *, coupled: bool) -> Value | None:
    """Join what belongs to the gates in the IR's order: input, output, forget, cell; peepholes have no cell.

    Of coupled gates the IR takes the input's, the file the forget gate's: what one leaves the other is
    ``1 - sigmoid(x)``, which is ``sigmoid(-x)``.
    """
    order = (0, 3, 1, 2) if len(gates) == 4 else (0, 2, 1)
    given = list(gates)
    if coupled and given[1] is not None:
        given[0] = emit(Neg(given[1]))
    found = [given[i] for i in order]
    if all(v is None for v in found):
        return None
    if any(v is None for v in found):
        raise emit.fail("lacks the operands of some of its gates", code="F006")
    return emit(Concat(tuple(v for v in found if v is not None), 0))


def _state(emit: Emitter, slot: int, value: Value | None) -> Value | None:
    """Return what a layer begins with; None for a variable's zeros."""
    weight = constant(value)
    tensor = emit.inputs[slot] if slot < len(emit.inputs) else None
    is_fresh = tensor is not None and tensor.info.is_variable and weight is not None and weight.is_splat
    return None if is_fresh else value


def _lstm(
    emit: Emitter,
    x: Value,
    cell: Cell,
    states: tuple[tuple[int, Value | None], tuple[int, Value | None]],
    activation: str,
    clips: tuple[float, float],
    *,
    time_major: bool,
    reverse: bool = False,
) -> Value:
    """Insert a layer, and leave its states in their variables."""
    if any(clips) or cell.projection_bias is not None:
        raise emit.fail("clips its cells, or adds to what it projects")
    w, r = (_joined(emit, v, coupled=cell.is_coupled) for v in (cell.w, cell.r))
    if w is None or r is None:
        raise emit.fail("lacks its weights", code="F006")
    bias, peepholes = (_joined(emit, v, coupled=cell.is_coupled) for v in (cell.bias, cell.peepholes))
    function = _function(emit, activation)
    h0, c0 = (_state(emit, slot, value) for slot, value in states)
    op = Lstm(
        x,
        w,
        r,
        bias,
        None,
        h0,
        c0=c0,
        peepholes=peepholes,
        projection=cell.projection,
        activations=("sigmoid", function, function),
        coupled=cell.is_coupled,
        batch_first=not time_major,
        reverse=reverse,
        strategy="fused",
    )
    y, h, c = emit.all(op)
    emit.left.update({states[0][0]: h, states[1][0]: c})
    return y


@builtin("UNIDIRECTIONAL_SEQUENCE_LSTM", "UnidirectionalSequenceLSTMOptions")
def unidirectional_sequence_lstm(
    emit: Emitter,
    x: Value,
    *operands: Value | None,
    fused_activation_function: Activation = "NONE",
    cell_clip: float = 0.0,
    proj_clip: float = 0.0,
    time_major: bool = False,
    diagonal_recurrent_tensors: bool = False,
) -> Value:
    """UNIDIRECTIONAL_SEQUENCE_LSTM: one direction of a layer, whose states are variables."""
    given = _padded(emit, (x, *operands), 24, 20)
    if diagonal_recurrent_tensors or any(v is not None for v in given[20:]):
        raise emit.fail("normalises its layers, or has diagonal weights")
    states = ((18, given[18]), (19, given[19]))
    clips = (cell_clip, proj_clip)
    return _lstm(emit, x, Cell.of(given), states, fused_activation_function, clips, time_major=time_major)


def _padded(emit: Emitter, operands: Sequence[Value | None], count: int, least: int) -> list[Value | None]:
    if not least <= len(operands) <= count:
        raise emit.fail(f"has {len(operands)} operands", code="F006")
    return [*operands, *[None] * (count - len(operands))]


@builtin("LSTM", "LSTMOptions")
def lstm(
    emit: Emitter,
    x: Value,
    *operands: Value | None,
    fused_activation_function: Activation = "NONE",
    cell_clip: float = 0.0,
    proj_clip: float = 0.0,
    kernel_type: Literal["FULL", "BASIC"] = "FULL",
) -> Value | tuple[Value, ...]:
    """One step; of the basic kind, all gates have one weight, and states are operands and results."""
    if kernel_type == "BASIC":
        return _basic_lstm(emit, (x, *operands))
    given = _padded(emit, (x, *operands), 24, 20)
    if any(v is not None for v in given[20:]):
        raise emit.fail("normalises its layers")
    batch, features = x.type.shape
    states = ((18, given[18]), (19, given[19]))
    clips = (cell_clip, proj_clip)
    steps = emit.reshape(x, (1, batch, features))
    y = _lstm(emit, steps, Cell.of(given), states, fused_activation_function, clips, time_major=True)
    return emit.reshape(y, y.type.shape[1:])


def _basic_lstm(emit: Emitter, operands: Sequence[Value | None]) -> tuple[Value, ...]:
    """Gates in the order input, cell, forget, output of the joined input and output of the step before."""
    if len(operands) != 5 or any(v is None for v in operands):
        raise emit.fail(f"has {len(operands)} operands", code="F006")
    x, h, w, bias, c = (v for v in operands if v is not None)
    joined = emit(Concat((x, h), x.type.rank - 1))
    gates = emit(Linear(joined, w, bias))
    axis = gates.type.rank - 1
    size = gates.type.shape[axis] // 4
    i, new, forget, out = emit.all(Split(gates, axis, (size,) * 4))
    kept = emit(Mul(emit(Sigmoid(forget)), c))
    cell = emit(Add(kept, emit(Mul(emit(Sigmoid(i)), emit(Tanh(new))))))
    return emit(Mul(emit(Sigmoid(out)), emit(Tanh(cell)))), cell, joined, gates


@builtin("UNIDIRECTIONAL_SEQUENCE_RNN", "SequenceRNNOptions")
def unidirectional_sequence_rnn(
    emit: Emitter,
    x: Value,
    w: Value,
    r: Value,
    bias: Value,
    h: Value,
    *,
    time_major: bool = False,
    fused_activation_function: Activation = "NONE",
) -> Value:
    """UNIDIRECTIONAL_SEQUENCE_RNN: one direction; its state is a variable."""
    return _rnn(emit, (x, w, r, bias), (4, h), fused_activation_function, time_major=time_major)


def _rnn(
    emit: Emitter,
    operands: tuple[Value, Value, Value, Value | None],
    state: tuple[int, Value | None],
    activation: str,
    *,
    time_major: bool,
    reverse: bool = False,
) -> Value:
    x, w, r, bias = operands
    function = (_function(emit, activation),)
    h0 = _state(emit, *state)
    op = Rnn(x, w, r, bias, None, h0, function, batch_first=not time_major, reverse=reverse, strategy="fused")
    y, h = emit.all(op)
    emit.left[state[0]] = h
    return y


@builtin("RNN", "RNNOptions")
def rnn(
    emit: Emitter,
    x: Value,
    w: Value,
    r: Value,
    bias: Value,
    h: Value,
    *,
    fused_activation_function: Activation = "NONE",
) -> Value:
    """RNN: one step of a layer; its state is a variable."""
    total = emit(Add(emit(Linear(x, w, bias)), emit(Linear(h, r))))
    emit.left[4] = found = activated(emit, total, fused_activation_function)
    return found


@builtin("BIDIRECTIONAL_SEQUENCE_RNN", "BidirectionalSequenceRNNOptions")
def bidirectional_sequence_rnn(
    emit: Emitter,
    x: Value,
    *operands: Value | None,
    time_major: bool = False,
    fused_activation_function: Activation = "NONE",
    merge_outputs: bool = False,
) -> tuple[Value, ...]:
    """BIDIRECTIONAL_SEQUENCE_RNN: both directions of the same sequences, joined if an option says so."""
    given = _padded(emit, (x, *operands), 12, 9)
    if any(v is not None for v in given[9:]):
        raise emit.fail("has auxiliary inputs")
    found: list[Value] = []
    for first, reverse in ((1, False), (5, True)):
        w, r, bias, h = given[first : first + 4]
        if w is None or r is None:
            raise emit.fail("lacks its weights", code="F006")
        state = (first + 3, h)
        y = _rnn(emit, (x, w, r, bias), state, fused_activation_function, time_major=time_major, reverse=reverse)
        found.append(y)
    return _merged(emit, found, merge_outputs)


def _merged(emit: Emitter, found: Sequence[Value], merge: bool) -> tuple[Value, ...]:
    return (emit(Concat(tuple(found), 2)),) if merge else tuple(found)


@builtin("BIDIRECTIONAL_SEQUENCE_LSTM", "BidirectionalSequenceLSTMOptions")
def bidirectional_sequence_lstm(
    emit: Emitter,
    x: Value,
    *operands: Value | None,
    fused_activation_function: Activation = "NONE",
    cell_clip: float = 0.0,
    proj_clip: float = 0.0,
    merge_outputs: bool = False,
    time_major: bool = True,
) -> tuple[Value, ...]:
    """BIDIRECTIONAL_SEQUENCE_LSTM: both directions of the same sequences, joined if an option says so."""
    given = _padded(emit, (x, *operands), 48, 39)
    if any(v is not None for v in given[39:]):
        raise emit.fail("has auxiliary inputs")
    found: list[Value] = []
    for first, state, reverse in ((1, 35, False), (18, 37, True)):
        states = ((state, given[state]), (state + 1, given[state + 1]))
        clips, cell = (cell_clip, proj_clip), Cell.of(given, first)
        function = fused_activation_function
        found.append(_lstm(emit, x, cell, states, function, clips, time_major=time_major, reverse=reverse))
    return _merged(emit, found, merge_outputs)


@builtin("SVDF", "SVDFOptions")
def svdf(
    emit: Emitter,
    x: Value,
    feature: Value,
    time: Value,
    bias: Value | None,
    state: Value,
    *,
    rank: int = 0,
    fused_activation_function: Activation = "NONE",
) -> Value:
    """Filters over features, then over the last of their results, which a variable keeps; ``rank`` filters add up."""
    filters, memory = time.type.shape
    batch = x.type.shape[0]
    kept = emit.reshape(state, (batch, filters, memory))
    newest = emit.reshape(emit(Linear(x, feature)), (batch, filters, 1))
    moved = emit(Concat((cut(emit, kept, {2: (1, memory, 1)}), newest), 2))
    sums = emit(Reduce(emit(Mul(moved, time)), "sum", (2,), False))
    units = filters // emit.positive(rank, "rank")
    total = emit(Reduce(emit.reshape(sums, (batch, units, rank)), "sum", (2,), False))
    emit.left[4] = emit.reshape(moved, state.type.shape)
    return activated(emit, total if bias is None else emit(Add(total, bias)), fused_activation_function)

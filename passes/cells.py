"""What one step of a loop computes, as the cell of a recurrent layer: plain, LSTM or GRU."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from ..compiler.fold import constant
from ..compiler.ir import Op, Value
from ..compiler.ops.activation import Relu, Sigmoid, Softplus, Softsign, Tanh
from ..compiler.ops.arith import Add, Mul, Sub
from ..compiler.ops.linear import MatMul
from ..compiler.ops.shape import Split
from ..compiler.types import Array
from ..compiler.weights import Weight

FUNCTIONS: dict[type[Op], str] = {
    Relu: "relu",
    Sigmoid: "sigmoid",
    Softplus: "softplus",
    Softsign: "softsign",
    Tanh: "tanh",
}
"""The names that recurrent operations have for functions without numbers."""


@dataclass(frozen=True)
class Cell:
    """The constants of a layer in the order of the IR's gates, and its functions.

    Of a GRU, ``reset_after`` says that the reset gate multiplies the product of the state, and ``hidden_bias``.
    """

    kind: str
    w: Weight
    r: Weight
    bias: Weight | None
    activations: tuple[str, ...]
    hidden_bias: Weight | None = None
    reset_after: bool = False


@dataclass(frozen=True)
class _Affine:
    """A sum of products with constants: of the step's input, of the state, of neither."""

    w: Weight | None
    r: Weight | None
    biases: tuple[Weight, ...]


@dataclass(frozen=True)
class _Block:
    """One of the equal parts of a value along the last axis, or the whole."""

    whole: Value
    number: int = 0
    count: int = 1


def find_cell(x: Value, states: Sequence[Value], following: Sequence[Value]) -> Cell | None:
    """Return the cell that computes the ``following`` states from ``states`` and the step's input.

    The first state is what the layer gives, the second one that of an LSTM's cells.
    """
    if len(states) == 2:
        found = _lstm(x, (states[0], states[1]), (following[0], following[1]))
    elif len(states) == 1:
        found = _gru(x, states[0], following[0]) or _plain(x, states[0], following[0])
    else:
        return None
    return found if found is not None and _fits(found) else None


def _fits(cell: Cell) -> bool:
    """Whether all gates have as many units: parts of sums that broadcast are none of a layer."""
    parts = (cell.w, cell.r, cell.bias)
    return len({part.type.shape[0] for part in parts if part is not None}) == 1


def _plain(x: Value, h: Value, following: Value) -> Cell | None:
    """``f(w x + r h + b)``."""
    found = _applied(following)
    if found is None:
        return None
    name, inner = found
    total = _affine(inner, x, h)
    if total is None or total.w is None or total.r is None:
        return None
    return Cell("rnn", _transposed(total.w), _transposed(total.r), _sum(total.biases, ((0, 1),)), (name,))


def _lstm(x: Value, states: tuple[Value, Value], following: tuple[Value, Value]) -> Cell | None:
    """``c = f c + i n``, ``h = o k(c)``, the gates being parts of one sum."""
    h, c = states
    for kept, added in _orders(following[1], Add):
        for forget, old in _orders(kept, Mul):
            for gate, new in _orders(added, Mul):
                for out, shown in _orders(following[0], Mul):
                    parts = [_applied(v) for v in (gate, out, forget, new, shown)]
                    if old is c and None not in parts:
                        named = [p for p in parts if p is not None]
                        cell = _lstm_of(x, h, following[1], named)
                        if cell is not None:
                            return cell
    return None


def _lstm_of(x: Value, h: Value, cell: Value, parts: list[tuple[str, Value]]) -> Cell | None:
    """Check the gates, input, output, forget and new, and what becomes of the cell's state."""
    (*gates, new, shown) = parts
    names = {name for name, _ in gates}
    if len(names) != 1 or shown[1] is not cell:
        return None
    blocks = [_block(v) for _, v in (*gates, new)]
    if len({b.whole for b in blocks}) != 1 or any(b.count != 4 for b in blocks):
        return None
    total = _affine(blocks[0].whole, x, h)
    if total is None or total.w is None or total.r is None:
        return None
    order = tuple((b.number, 4) for b in blocks)
    functions = (*names, new[0], shown[0])
    return Cell("lstm", _transposed(total.w, order), _transposed(total.r, order), _sum(total.biases, order), functions)


def _gru(x: Value, h: Value, following: Value) -> Cell | None:
    """``z h + (1 - z) n``."""
    for kept, added in _orders(following, Add):
        for update, old in _orders(kept, Mul):
            for rest, new in _orders(added, Mul):
                is_rest = isinstance(rest.owner, Sub) and _is_one(rest.owner.a) and rest.owner.b is update
                gate, candidate = _applied(update), _applied(new)
                if old is h and is_rest and gate is not None and candidate is not None:
                    cell = _gru_of(x, h, gate, candidate)
                    if cell is not None:
                        return cell
    return None


@dataclass(frozen=True)
class _Gates:
    """What the input and the state add to the gates update, reset and new, before their functions.

    ``after`` says that the reset gate multiplies what the state adds to the new one, not the state.
    """

    given: tuple[Value, Value, Value]
    state: tuple[Value, Value, Value]
    after: bool


def _gru_of(x: Value, h: Value, update: tuple[str, Value], new: tuple[str, Value]) -> Cell | None:
    """Check the sums below the gates: parts of one product of the input, and of one or two of the state."""
    for ux, uh in _orders(update[1], Add):
        for nx, inner in _orders(new[1], Add):
            for found in (_reset_after(h, inner, update[0]), _reset_before(h, inner, update[0])):
                if found is None:
                    continue
                reset, nh, after = found
                for rx, rh in _orders(reset, Add):
                    cell = _gru_cell(x, h, _Gates((ux, rx, nx), (uh, rh, nh), after), (update[0], new[0]))
                    if cell is not None:
                        return cell
    return None


def _reset_after(h: Value, inner: Value, gate: str) -> tuple[Value, Value, bool] | None:
    """Read ``r * (R h + b)``: what is below the reset gate, and what it multiplies."""
    for reset, product in _orders(inner, Mul):
        found = _applied(reset)
        if found is not None and found[0] == gate and product is not h:
            return found[1], product, True
    return None


def _reset_before(h: Value, inner: Value, gate: str) -> tuple[Value, Value, bool] | None:
    """Read ``R (r * h)``."""
    if not isinstance(inner.owner, MatMul):
        return None
    for reset, old in _orders(inner.owner.a, Mul):
        found = _applied(reset)
        if found is not None and found[0] == gate and old is h:
            return found[1], inner, False
    return None


def _gru_cell(x: Value, h: Value, gates: _Gates, functions: tuple[str, str]) -> Cell | None:
    """Collect the constants of the gates."""
    xs, hs = [_block(v) for v in gates.given], [_block(v) for v in (gates.state if gates.after else gates.state[:2])]
    if len({b.whole for b in xs}) != 1 or len({b.whole for b in hs}) != 1:
        return None
    if any(b.count != 3 for b in xs) or any(b.count != len(hs) for b in hs):
        return None
    from_x, from_h = _affine(xs[0].whole, x, None), _affine(hs[0].whole, None, h)
    if from_x is None or from_h is None or from_x.w is None or from_h.r is None:
        return None
    w_order, r_order = (tuple((b.number, b.count) for b in blocks) for blocks in (xs, hs))
    r = _transposed(from_h.r, r_order)
    hidden_bias = _sum(from_h.biases, r_order[2:]) if gates.after else None
    if not gates.after:
        last = _factor(gates.state[2])
        if last is None:
            return None
        r = _stacked(r, _transposed(last))
    padded = (*r_order[:2], None)  # what the state adds to the new gate is below the reset gate
    bias = _joined(_sum(from_x.biases, w_order), _sum(from_h.biases, padded))
    return Cell("gru", _transposed(from_x.w, w_order), r, bias, functions, hidden_bias, gates.after)


def _factor(product: Value) -> Weight | None:
    match product.owner:
        case MatMul(b=b, transpose_a=False, transpose_b=False):
            return constant(b)
        case _:
            return None


def _orders(x: Value, kind: type[Add | Mul]) -> Iterator[tuple[Value, Value]]:
    """Give the two operands of a sum or product, either way round."""
    if isinstance(x.owner, kind) and x.owner.activation == "none":
        yield x.owner.a, x.owner.b
        yield x.owner.b, x.owner.a


def _applied(x: Value) -> tuple[str, Value] | None:
    """Return the name of a function and what it is applied to."""
    op = x.owner
    if op is None or type(op) not in FUNCTIONS or op.operands[0] is None:
        return None
    return FUNCTIONS[type(op)], op.operands[0]


def _block(x: Value) -> _Block:
    """Return which part of what a value is."""
    match x.owner:
        case Split(x=whole, axis=axis, sizes=sizes) as op if axis == whole.type.rank - 1 and len(set(sizes)) == 1:
            return _Block(whole, op.results.index(x), len(sizes))
        case _:
            return _Block(x)


def _is_one(x: Value) -> bool:
    weight = constant(x)
    return weight is not None and weight.type.size == 1 and weight.array().item() == 1


def _affine(total: Value, x: Value | None, h: Value | None) -> _Affine | None:
    """Read a sum of at most one product of each operand by a constant matrix, and of constant vectors."""
    w = r = None
    biases: list[Weight] = []
    work = [total]
    while work:
        value = work.pop()
        match value.owner:
            case Add(a=a, b=b, activation="none"):
                work += [a, b]
            case MatMul(a=a) if value.type == total.type and a is x and w is None and _factor(value) is not None:
                w = _factor(value)
            case MatMul(a=a) if value.type == total.type and a is h and r is None and _factor(value) is not None:
                r = _factor(value)
            case _:
                bias, features = constant(value), total.type.shape[-1]
                if bias is None or bias.type.size != features or bias.type.shape[-1:] != (features,):
                    return None
                biases.append(bias)
    return _Affine(w, r, tuple(biases))


Order = Sequence[tuple[int, int] | None]
"""Which part of how many equal ones each gate is; zeros where it is None."""


def _parts(columns: Array, order: Order) -> Array:
    """Put parts of the last axis into another order."""
    size = next(columns.shape[-1] // part[1] for part in order if part is not None)
    zeros = np.zeros((*columns.shape[:-1], size), columns.dtype)
    pieces = [zeros if p is None else columns[..., p[0] * size : (p[0] + 1) * size] for p in order]
    return np.concatenate(pieces, -1)


def _transposed(matrix: Weight, order: Order = ((0, 1),)) -> Weight:
    """Return a matrix with its columns as rows, in the order of the IR's gates."""

    def transposed(array: Array) -> Array:
        return _parts(array, order).T

    rows, columns = matrix.type.shape
    count = next(part[1] for part in order if part is not None)
    return matrix.derive(matrix.type.with_shape((columns // count * len(order), rows)), transposed)


def _sum(biases: Sequence[Weight], order: Order) -> Weight | None:
    """Return the sum of vectors, in the order of the IR's gates; None if there are none."""
    if not biases:
        return None
    first, *others = biases

    def total(*arrays: Array) -> Array:
        return _parts(sum(array.reshape(-1) for array in arrays), order)  # pyright: ignore[reportArgumentType, reportCallIssue]

    count = next(part[1] for part in order if part is not None)
    size = first.type.size
    return first.derive(first.type.with_shape((size // count * len(order),)), total, *others)


def _joined(a: Weight | None, b: Weight | None) -> Weight | None:
    """Return the sum of two vectors of which either may be missing."""
    if a is None or b is None:
        return a or b
    add: Callable[..., Array] = np.add
    return a.derive(a.type, add, b)


def _stacked(a: Weight, b: Weight) -> Weight:
    """Return a matrix with the rows of another one below its own."""

    def stacked(first: Array, second: Array) -> Array:
        return np.concatenate([first, second], 0)

    return a.derive(a.type.with_shape((a.type.shape[0] + b.type.shape[0], a.type.shape[1])), stacked, b)

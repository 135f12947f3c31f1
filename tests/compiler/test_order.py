"""Storage orders against numpy: the order of a reshaped and transposed array, element by element."""

from __future__ import annotations

import random

import numpy as np
import pytest
from nhwcc.compiler.diagnostics import CompileError
from nhwcc.compiler.dims import static, symbol
from nhwcc.compiler.order import Order, Piece, axis_order, joined, positions, relayout_steps, row_strides
from nhwcc.compiler.types import Array
from nhwcc.passes.layout.storage import steps_between


def memory(order: Order, size: int) -> Array:
    """Row-major indices in the order in which an order's pieces visit them: the definition, by brute force."""
    index = np.zeros((), np.int64)
    for piece in order.pieces:
        assert isinstance(piece.size, int) and isinstance(piece.stride, int)
        index = index[..., None] + np.arange(piece.size) * piece.stride
    flat = index.reshape(-1)
    assert sorted(flat) == list(range(size))
    return flat


def random_shape(rng: random.Random, axes: int = 5) -> tuple[int, ...]:
    return tuple(rng.choice([1, 2, 2, 3, 4, 6]) for _ in range(rng.randint(1, axes)))


def random_perm(rng: random.Random, rank: int) -> tuple[int, ...]:
    return tuple(rng.sample(range(rank), rank))


def factorise(rng: random.Random, size: int) -> tuple[int, ...]:
    """A random shape with so many elements."""
    shape: list[int] = []
    while size > 1:
        factor = rng.choice([d for d in range(2, size + 1) if size % d == 0])
        shape.append(factor)
        size //= factor
    for _ in range(rng.randint(0, 2)):
        shape.insert(rng.randint(0, len(shape)), 1)
    return tuple(shape)


@pytest.mark.parametrize("seed", range(100))
def test_chains_of_views(seed: int) -> None:
    """Bytes stay, transposes and reshapes relabel: follow random chains with the algebra and with numpy.

    ``flat`` holds, for every element in memory, its row-major index in the current shape.
    """
    rng = random.Random(seed)
    shape = random_shape(rng)
    size = int(np.prod(shape))
    order, flat = Order.natural(shape), np.arange(size)
    for _ in range(4):
        if rng.random() < 0.4:
            shape = factorise(rng, size)  # the row-major index stays what it is
            continue
        perm = random_perm(rng, len(shape))
        moved = order.transposed(shape, perm)
        new_index = np.empty(size, np.int64)
        new_index[np.arange(size).reshape(shape).transpose(perm).reshape(-1)] = np.arange(size)
        if moved is None:  # only where a piece runs unevenly across the edge of an axis
            assert order.by_axes(shape) is None
            return
        shape, order, flat = tuple(shape[p] for p in perm), moved, new_index[flat]
        np.testing.assert_array_equal(memory(order, size), flat)


@pytest.mark.parametrize("seed", range(50))
def test_order_of_axes(seed: int) -> None:
    rng = random.Random(seed)
    shape = random_shape(rng)
    perm = random_perm(rng, len(shape))
    size = int(np.prod(shape))
    want = np.arange(size).reshape(shape).transpose(perm).reshape(-1)
    np.testing.assert_array_equal(memory(Order.of_axes(shape, perm), size), want)


@pytest.mark.parametrize("seed", range(50))
def test_equal_layouts_are_equal_objects(seed: int) -> None:
    """However an order came about: same memory, same object; canonical pieces are the only ones."""
    rng = random.Random(seed)
    shape = random_shape(rng, 4)
    size = int(np.prod(shape))
    perms = [random_perm(rng, len(shape)) for _ in range(6)]
    orders = [Order.of_axes(shape, p) for p in perms]
    for a in orders:
        for b in orders:
            assert (a == b) == bool((memory(a, size) == memory(b, size)).all())


@pytest.mark.parametrize("seed", range(50))
def test_relayout_moves_the_bytes(seed: int) -> None:
    rng = random.Random(seed)
    shape = random_shape(rng, 4)
    size = int(np.prod(shape))
    source, target = (Order.of_axes(shape, random_perm(rng, len(shape))) for _ in range(2))
    steps = relayout_steps(size, source, target)
    assert steps is not None, "orders over the same axes have a common cut"
    view, perm = steps
    stored = memory(source, size).reshape(static(view)).transpose(perm).reshape(-1)
    np.testing.assert_array_equal(stored, memory(target, size))


def test_relayout_is_minimal() -> None:
    """Neighbours that stay neighbours are one axis of the permutation."""
    shape = (2, 3, 4, 5)
    assert relayout_steps(120, Order.natural(shape), Order.natural(shape)) == ((120,), (0,))
    assert relayout_steps(120, Order.natural(shape), Order.of_axes(shape, (0, 2, 3, 1))) == ((2, 3, 20), (0, 2, 1))


def test_orders_without_a_common_cut() -> None:
    """Cutting 6 as 2x3 and as 3x2 has no common refinement; the way over the own order has one each."""
    a, b = Order.of_axes((2, 3), (1, 0)), Order.of_axes((3, 2), (1, 0))
    assert relayout_steps(6, a, b) is None
    assert relayout_steps(6, a, Order.natural((6,))) is not None
    assert relayout_steps(6, Order.natural((6,)), b) is not None


def test_a_reshape_across_pieces_has_no_axes() -> None:
    order = Order.of_axes((2, 3), (1, 0))
    assert order.by_axes((3, 2)) is None
    assert order.transposed((3, 2), (1, 0)) is None


def test_axes_of_size_one_do_not_count() -> None:
    assert Order.of_axes((1, 3, 1, 4), (2, 1, 0, 3)).is_natural
    assert Order.natural((1, 1)) == Order(()) and str(Order(())) == "scalar"


def test_axis_order_groups_and_refuses() -> None:
    cut = Order.of_axes((2, 3, 4), (0, 2, 1)).by_axes((2, 3, 4))
    assert cut is not None
    assert [axis for axis, _ in axis_order(cut) or ()] == [0, 2, 1]
    torn = Order.of_pieces([(2, 2), (2, 4), (2, 1)]).by_axes((2, 4))  # half of axis 1, axis 0, the other half
    assert torn is not None and axis_order(torn) is None


def test_symbolic_sizes() -> None:
    n, h = symbol("n"), symbol("h")
    shape = (n, 3, h, h)
    nhwc = Order.of_axes(shape, (0, 2, 3, 1))
    assert not nhwc.is_natural
    back = nhwc.transposed(shape, (0, 2, 3, 1))
    assert back is not None and back.is_natural, "an NHWC array seen as NHWC is in its own order"
    assert nhwc.by_axes((n, 3, h * h)) is not None, "merging two axes that lie together keeps the order"
    assert row_strides(shape) == (h * h * 3, h * h, h, 1)
    steps = relayout_steps(n * h * h * 3, Order.natural(shape), nhwc)
    assert steps == ((n, 3, h * h), (0, 2, 1))


def test_joined_axis() -> None:
    """Stretches of an axis in their own orders stay one piece through transposes, and are whole axes or nothing."""
    index = joined([(6, (Piece(3, 1), Piece(2, 3))), (4, ())])
    order = Order.of_pieces([(2, 10), *index])
    assert order.is_joined
    turned = order.transposed((2, 10), (1, 0))
    assert turned is not None
    assert [(p.size, p.stride) for p in turned.pieces] == [(2, 1), (10, 2)]
    assert turned.transposed((10, 2), (1, 0)) == order
    assert order.by_axes((4, 5)) is None
    nested = joined([(10, index), (2, ())])
    assert positions(12, nested).tolist() == [0, 3, 1, 4, 2, 5, 6, 7, 8, 9, 10, 11]
    assert joined([(6, ()), (4, ())]) == ()


def test_no_step_is_dropped() -> None:
    """What transposes can't do is an error, not a shorter way."""
    order = Order.of_pieces(joined([(4, (Piece(2, 1), Piece(2, 2))), (3, ())]))
    for source, target in ((order, Order.natural((7,))), (Order.natural((7,)), order)):
        with pytest.raises(CompileError, match="I006"):
            steps_between(7, source, target)
    n = symbol("n")
    with pytest.raises(CompileError, match="I006"):
        steps_between(6, Order.of_pieces([(n, 1), (2, n)]), Order.natural((6,)))

"""What operations say of their numbers holds for their examples, and what only moves elements says so."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from nhwcc.compiler.interpreter import random_inputs, run
from nhwcc.compiler.ir import Func
from nhwcc.compiler.opdef import OPS
from nhwcc.compiler.traits import KeepsSign, Moves, NonNegative, Ordered, SameBits, ops_with
from nhwcc.compiler.types import Array, DType
from samples import sample_op, samples

SAMPLES = samples()

FILLED = {"pad"}
"""Moves that put a number of their own around elements."""

DEPENDING = {"clip", "scatter", "scatter_elements", "scatter_nd"}
"""Only move elements in their examples: elsewhere attributes let them compute."""

APART = {"bind_sizes", "const", "custom", "if", "return", "while", "select_boxes"}
"""Have no elements to move, leave it to regions or kernels, or put a size that data decides about."""

NAMES = [name for name in SAMPLES if name not in APART]


def changed(func: Func, change: Callable[[Array], Array]) -> tuple[list[Array], list[Array]]:
    """Return the results on changed numbers, and the changed results; positions and conditions stay."""
    given = random_inputs(func, seed=3)
    after = [change(y) if y.dtype == np.float32 else y for y in run(func, given)]
    return run(func, [change(x) if x.dtype == np.float32 else x for x in given]), after


def falling(x: Array) -> Array:
    """A function of each element that no sum keeps, nor an order, nor zero."""
    return np.exp(-x)


def rising(x: Array) -> Array:
    """A function of each element that keeps the order, and zero."""
    return x * np.abs(x)


@pytest.mark.parametrize("name", NAMES)
def test_moves(name: str) -> None:
    """Elements are moved, if whatever is done to each of them before could be done afterwards."""
    func = SAMPLES[name]
    is_float = func.returns[0].type.dtype is DType.F32
    takes_floats = any(arg.type.dtype is DType.F32 for arg in func.args)
    if not (is_float and takes_floats):
        assert not OPS[name].spec.has(Moves)
        return
    found, want = changed(func, falling)
    commutes = all(map(np.array_equal, found, want))
    assert (commutes or name in FILLED) if OPS[name].spec.has(Moves) else (not commutes or name in DEPENDING)


@pytest.mark.parametrize("name", [cls.spec.name for cls in ops_with(Ordered)])
def test_ordered(name: str) -> None:
    """What only compares gives the same after a function that keeps the order."""
    found, want = changed(SAMPLES[name], rising)
    for a, b in zip(found, want, strict=True):
        np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize("name", [cls.spec.name for cls in ops_with(NonNegative)])
def test_nonnegative(name: str) -> None:
    assert not (run(SAMPLES[name], random_inputs(SAMPLES[name], seed=5))[0] < 0).any()


@pytest.mark.parametrize("name", [cls.spec.name for cls in ops_with(KeepsSign)])
def test_keeps_sign(name: str) -> None:
    func = SAMPLES[name]
    given = [x if x.dtype == np.bool_ else np.abs(x) for x in random_inputs(func, seed=5)]
    assert not any((y < 0).any() for y in run(func, given))


@pytest.mark.parametrize("name", [cls.spec.name for cls in ops_with(SameBits) if cls.spec.evaluate])
def test_same_bits(name: str) -> None:
    """Numbers with the first bit set, once as signed ones and once as unsigned ones, give the same bits."""
    op = sample_op(SAMPLES[name])
    bits = np.random.default_rng(0)
    evaluate = op.spec.evaluate
    assert evaluate is not None
    results: list[Array] = []
    given = [None if v is None else v.type for v in op.operands]
    drawn = [
        None
        if t is None
        else bits.integers(0, 3, _shape(t.shape))
        if t.dtype is DType.I64
        else bits.integers(0, 2**64, _shape(t.shape), np.uint64)
        for t in given
    ]
    for dtype in (np.uint64, np.int64):
        operands = [x if x is None or x.dtype != np.uint64 else x.view(dtype) for x in drawn]
        found = evaluate(*operands, **op.attributes)
        results.append(found[0] if isinstance(found, tuple) else found)
    first, second = (r.view(np.uint8) for r in results)
    np.testing.assert_array_equal(first, second)


def _shape(shape: tuple[object, ...]) -> tuple[int, ...]:
    return tuple(d if isinstance(d, int) else 3 for d in shape)

"""Operators that draw random numbers: anew each time the network runs, whatever PyTorch's generator was seeded with."""

from __future__ import annotations

from ....compiler.dims import Dim
from ....compiler.ir import Value
from ....compiler.ops import arith, logic
from ....compiler.ops import random as ir
from ....compiler.ops.index import TopK
from ....compiler.types import DType
from ..emitter import Emitter
from ..promotion import Number
from ..registry import aten

SMALLEST = 2.0**-24
"""What keeps logarithms of drawn numbers finite."""


@aten("rand")
def rand(emit: Emitter, size: tuple[Dim, ...]) -> Value:
    """``rand``: numbers from 0 up to, not including, 1, drawn anew in each run."""
    return _uniform(emit, 0, 1)


@aten("rand_like")
def rand_like(emit: Emitter, x: Value) -> Value:
    """As many numbers from 0 up to 1 as another tensor has."""
    return _uniform(emit, 0, 1)


@aten("uniform")
def uniform(emit: Emitter, x: Value, low: float = 0, high: float = 1, *, generator: object = None) -> Value:
    """``uniform``: numbers from ``low`` up to ``high`` in the shape of another tensor."""
    return _uniform(emit, low, high)


@aten("prims::uniform")
def uniform_of_shape(
    emit: Emitter,
    shape: tuple[Dim, ...],
    *,
    low: Number,
    high: Number,
    stride: object = None,
    generator: object = None,
) -> Value:
    """``prims.uniform``, to which ``uniform`` is decomposed: numbers from ``low`` up to ``high``."""
    return _uniform(emit, low, high)


@aten("randn")
def randn(emit: Emitter, size: tuple[Dim, ...]) -> Value:
    """``randn``: normal numbers of mean 0 and standard deviation 1, drawn anew in each run."""
    return _normal(emit, 0, 1)


@aten("randn_like")
def randn_like(emit: Emitter, x: Value) -> Value:
    """``randn_like``: normal numbers of mean 0 and standard deviation 1 in the shape of another tensor."""
    return _normal(emit, 0, 1)


@aten("normal_", "normal_functional")
def normal_like(emit: Emitter, x: Value, mean: float = 0, std: float = 1, *, generator: object = None) -> Value:
    """``normal_``: normal numbers in the shape of the tensor that they overwrite, which is not read."""
    return _normal(emit, mean, std)


@aten("normal.float_float")
def normal_of_size(emit: Emitter, mean: float, std: float, size: tuple[Dim, ...], *, generator: object = None) -> Value:
    """``normal`` with numbers for mean and standard deviation, in a shape that is given."""
    return _normal(emit, mean, std)


@aten("normal.Tensor_float", "normal.float_Tensor", "normal.Tensor_Tensor")
def normal(emit: Emitter, mean: Value | float, std: Value | float = 1, *, generator: object = None) -> Value:
    """``normal`` where mean or standard deviation is a tensor: each number is drawn with its own."""
    return _normal(emit, mean, std)


@aten("prims::normal")
def normal_of_shape(
    emit: Emitter,
    shape: tuple[Dim, ...],
    *,
    mean: Number,
    std: Number,
    requires_grad: bool = False,
    generator: object = None,
) -> Value:
    """``prims.normal``, to which ``normal`` is decomposed: normal numbers around a mean."""
    return _normal(emit, mean, std)


@aten("randint")
def randint(emit: Emitter, high: Dim, size: tuple[Dim, ...]) -> Value:
    """``randint`` without a lower bound: integers from 0 up to, not including, ``high``."""
    return _integers(emit, 0, high)


@aten("randint.low")
def randint_low(emit: Emitter, low: Dim, high: Dim, size: tuple[Dim, ...]) -> Value:
    """``randint`` with both bounds: integers from ``low`` up to, not including, ``high``."""
    return _integers(emit, low, high)


@aten("randint_like")
def randint_like(emit: Emitter, x: Value, high: Dim) -> Value:
    """As many integers from 0 up to a bound as another tensor has elements."""
    return _integers(emit, 0, high)


@aten("randint_like.low_dtype")
def randint_like_low(emit: Emitter, x: Value, low: Dim, high: Dim) -> Value:
    """As many integers between two bounds as another tensor has elements."""
    return _integers(emit, low, high)


@aten("randperm")
def randperm(emit: Emitter, n: Dim) -> Value:
    """The numbers up to a bound in random order: that of as many random numbers."""
    _, places = emit.all(TopK(emit(ir.RandomUniform(emit.shape)), n, 0))
    return emit.cast(places, emit.dtype)


@aten("bernoulli", "bernoulli.Tensor")
def bernoulli(emit: Emitter, x: Value, p: Value | None = None, *, generator: object = None) -> Value:
    """``bernoulli``: 1 where a uniform number is below the probability that each element states, else 0."""
    return _hits(emit, x if p is None else p)


@aten("bernoulli.p", "bernoulli_.float")
def bernoulli_everywhere(emit: Emitter, x: Value, p: float = 0.5, *, generator: object = None) -> Value:
    """``bernoulli`` with one probability ``p`` for all elements: 1 where a uniform number is below it, else 0."""
    return _hits(emit, p)


@aten("multinomial")
def multinomial(
    emit: Emitter, x: Value, num_samples: int, replacement: bool = False, *, generator: object = None
) -> Value:
    """Columns, each as often as the element of the row says; without replacement no column twice.

    The largest elements after noise of Gumbel's distribution was added are such a draw.
    """
    rows = emit.cast(emit.reshape(x, (1, *x.type.shape) if x.type.rank == 1 else x.type.shape), DType.F32)
    logits = emit(arith.Log(rows))
    if replacement or num_samples == 1:
        drawn = emit(ir.RandomChoice(logits, num_samples))
    else:
        waits = emit(arith.Neg(emit(arith.Log(_positive(emit, rows.type.shape)))))
        _, drawn = emit.all(TopK(emit(arith.Sub(logits, emit(arith.Log(waits)))), num_samples, rows.type.rank - 1))
    return emit.reshape(emit.cast(drawn, DType.I64), emit.shape)


def _positive(emit: Emitter, shape: tuple[Dim, ...]) -> Value:
    return emit(arith.Max(emit(ir.RandomUniform(shape)), emit.const(SMALLEST, DType.F32)))


def _uniform(emit: Emitter, low: Number, high: Number) -> Value:
    return _scaled(emit, emit(ir.RandomUniform(emit.shape)), _difference(high, low), low)


def _difference(high: Number, low: Number) -> Number:
    return high - low


def _normal(emit: Emitter, mean: Value | Number, std: Value | Number) -> Value:
    return _scaled(emit, emit(ir.RandomNormal(emit.shape)), std, mean)


def _scaled(emit: Emitter, drawn: Value, factor: Value | Number, shift: Value | Number) -> Value:
    """Return ``drawn * factor + shift`` in the element type of the result."""
    if isinstance(factor, Value) or factor != 1:
        drawn = emit(arith.Mul(drawn, emit.value(factor, DType.F32)))
    if isinstance(shift, Value) or shift != 0:
        drawn = emit(arith.Add(drawn, emit.value(shift, DType.F32)))
    return emit.cast(drawn, emit.dtype)


def _integers(emit: Emitter, low: Dim, high: Dim) -> Value:
    """Round down what was drawn; a product may round up to the bound itself."""
    count = high - low
    spread = emit(arith.Mul(emit(ir.RandomUniform(emit.shape)), emit.value(count, DType.F32)))
    whole = emit.cast(emit(arith.Floor(spread)), DType.I64)
    inside = emit(arith.Min(whole, emit.value(count - 1, DType.I64)))
    moved = inside if low == 0 else emit(arith.Add(inside, emit.value(low, DType.I64)))
    return emit.cast(moved, emit.dtype)


def _hits(emit: Emitter, probability: Value | float) -> Value:
    drawn = emit(ir.RandomUniform(emit.shape))
    return emit.cast(emit(logic.Less(drawn, emit.value(probability, DType.F32))), emit.dtype)

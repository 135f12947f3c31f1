"""Handlers for complex tensors, which are pairs of real ones in the IR: real parts and imaginary parts."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ....compiler.dims import Dim
from ....compiler.ir import Value
from ....compiler.ops import arith, logic
from ....compiler.ops.shape import Concat, Slice
from ....compiler.types import DType
from ..complex import Complex, ComplexOperand, part_dtype, parts
from ..emitter import Emitter
from ..registry import BY_PARTS, complex_aten, full_name
from . import spatial
from .linear import matmul as real_matmul

MOVES = (
    "_unsafe_view",
    "alias",
    "as_strided",
    "chunk",
    "clone",
    "contiguous",
    "detach",
    "diagonal",
    "expand",
    "flatten.using_ints",
    "flip",
    "gather",
    "index.Tensor",
    "index_select",
    "lift_fresh_copy",
    "mT",
    "movedim.int",
    "movedim.intlist",
    "mean",
    "mean.dim",
    "narrow",
    "neg",
    "numpy_T",
    "permute",
    "repeat",
    "reshape",
    "roll",
    "select.int",
    "slice.Tensor",
    "split.Tensor",
    "split_with_sizes",
    "squeeze",
    "squeeze.dim",
    "squeeze.dims",
    "sum",
    "sum.dim_IntList",
    "t",
    "transpose.int",
    "tril",
    "triu",
    "unbind.int",
    "unflatten.int",
    "unfold",
    "unsqueeze",
    "view",
    "zeros",
    "zeros_like",
)
"""Overloads that do the same to both parts; other tensors among their arguments are positions."""

JOINS = ("cat", "copy", "select_scatter", "slice_scatter", "stack")
"""Overloads that do the same to both parts of all tensors."""

BY_PARTS.update({full_name(name): False for name in MOVES} | {full_name(name): True for name in JOINS})


@complex_aten("complex")
def complex_of(emit: Emitter, real: Value, imag: Value) -> Complex:
    """``complex``: two real tensors, broadcast to a common shape, as the parts of a complex one."""
    return Complex(emit.expand(real, emit.shape), emit.expand(imag, emit.shape))


@complex_aten("polar")
def polar(emit: Emitter, abs: Value, angle: Value) -> Complex:
    """``polar``: complex numbers by their absolute values and angles, ``abs * cos(angle)`` and ``abs * sin(angle)``."""
    return Complex(emit(arith.Mul(abs, emit(arith.Cos(angle)))), emit(arith.Mul(abs, emit(arith.Sin(angle)))))


@complex_aten("view_as_complex")
def view_as_complex(emit: Emitter, x: Value) -> Complex:
    """``view_as_complex``: the last axis, of size 2, has the real and the imaginary part of each number."""
    shape = x.type.shape[:-1]
    rank = len(shape)
    real, imag = (emit(Slice(x, (*[0] * rank, part), (*shape, 1), (1,) * (rank + 1))) for part in range(2))
    return Complex(emit.reshape(real, shape), emit.reshape(imag, shape))


@complex_aten("view_as_real")
def view_as_real(emit: Emitter, x: Complex) -> Value:
    """``view_as_real``: real and imaginary parts joined along a new last axis."""
    columns = x.map(lambda v: emit.reshape(v, (*v.type.shape, 1)))
    return emit(Concat(columns.parts, columns.real.type.rank - 1))


@complex_aten("real")
def real(emit: Emitter, x: Complex) -> Value:
    """``real``: the tensor of real parts, which the pair holds separately."""
    return x.real


@complex_aten("imag")
def imag(emit: Emitter, x: Complex) -> Value:
    """``imag``: the tensor of imaginary parts, which the pair holds separately."""
    return x.imag


@complex_aten("resolve_conj", "resolve_neg")
def same(emit: Emitter, x: Complex) -> Complex:
    """``resolve_conj`` and ``resolve_neg``, which copy lazily conjugated or negated memory: the same numbers here."""
    return x


@complex_aten("_neg_view")
def negated(emit: Emitter, x: Complex) -> Complex:
    """``_neg_view``: both parts negated, which PyTorch does lazily in a view."""
    return x.map(lambda v: emit(arith.Neg(v)))


@complex_aten("_conj", "conj", "conj_physical", "_conj_physical")
def conjugate(emit: Emitter, x: Complex) -> Complex:
    """``conj`` in its eager and lazy forms: the imaginary parts negated, the real ones as they are."""
    return Complex(x.real, emit(arith.Neg(x.imag)))


@complex_aten("to.dtype", "_to_copy")
def convert(
    emit: Emitter,
    x: Complex | Value,
    dtype: DType | None = None,
    non_blocking: bool = False,
    copy: bool = False,
    memory_format: Any = None,
) -> Complex | Value:
    """Convert the element type; a real result leaves the imaginary part out."""
    if emit.dtype.is_complex:
        return parts(emit, x, part_dtype(emit))
    return emit.cast(x.real if isinstance(x, Complex) else x, emit.dtype)


@complex_aten("abs")
def length(emit: Emitter, x: Complex) -> Value:
    """``abs`` of complex numbers: ``sqrt(real ** 2 + imag ** 2)``, a real tensor."""
    return emit(arith.Sqrt(_square(emit, x)))


@complex_aten("angle")
def angle(emit: Emitter, x: Complex) -> Value:
    """``angle`` of complex numbers: ``atan2(imag, real)``, a real tensor."""
    return emit(arith.Atan2(x.imag, x.real))


@complex_aten("add.Tensor", "add.Scalar")
def add(emit: Emitter, x: Complex | Value, other: ComplexOperand, alpha: float = 1) -> Complex:
    """``add`` where an operand is complex: ``x + alpha * other``, part by part; a real one has imaginary parts 0."""
    return _sum(emit, x, other, alpha, arith.Add)


@complex_aten("sub.Tensor", "sub.Scalar")
def sub(emit: Emitter, x: Complex | Value, other: ComplexOperand, alpha: float = 1) -> Complex:
    """``sub`` where an operand is complex: ``x - alpha * other``, part by part; a real one has imaginary parts 0."""
    return _sum(emit, x, other, alpha, arith.Sub)


def _sum(
    emit: Emitter,
    x: ComplexOperand,
    other: ComplexOperand,
    alpha: float,
    op: type[arith.Add | arith.Sub],
) -> Complex:
    dtype = part_dtype(emit)
    a, b = parts(emit, x, dtype), parts(emit, other, dtype)
    if alpha != 1:
        b = b.map(lambda v: emit(arith.Mul(v, emit.const(alpha, dtype))))
    return Complex(emit(op(a.real, b.real)), emit(op(a.imag, b.imag)))


@complex_aten("mul.Tensor", "mul.Scalar")
def mul(emit: Emitter, x: Complex | Value, other: ComplexOperand) -> Complex:
    """``mul`` where an operand is complex: four real products, or two if the other one is real."""
    return _product(emit, x, other, lambda a, b: emit(arith.Mul(a, b)))


@complex_aten("matmul", "mm", "bmm", "mv", "dot")
def matmul(emit: Emitter, x: Complex | Value, other: Complex | Value) -> Complex:
    """Products of complex matrices and vectors: four real products, or two if one of both is real."""
    return _product(emit, x, other, lambda a, b: real_matmul(emit, a, b))


def _product(
    emit: Emitter, x: ComplexOperand, other: ComplexOperand, times: Callable[[Value, Value], Value]
) -> Complex:
    dtype = part_dtype(emit)
    if not isinstance(x, Complex | complex):
        x, other = parts(emit, other, dtype), emit.value(x, dtype)
        return x.map(lambda v: times(other, v))
    a = parts(emit, x, dtype)
    if not isinstance(other, Complex | complex):
        factor = emit.value(other, dtype)
        return a.map(lambda v: times(v, factor))
    b = parts(emit, other, dtype)
    real = emit(arith.Sub(times(a.real, b.real), times(a.imag, b.imag)))
    return Complex(real, emit(arith.Add(times(a.real, b.imag), times(a.imag, b.real))))


@complex_aten("div.Tensor", "div.Scalar")
def div(emit: Emitter, x: Complex | Value, other: ComplexOperand) -> Complex:
    """Divide: multiply by the conjugate, and divide by the square of the length."""
    dtype = part_dtype(emit)
    if not isinstance(other, Complex | complex):
        divisor = emit.value(other, dtype)
        return parts(emit, x, dtype).map(lambda v: emit(arith.Div(v, divisor)))
    below = parts(emit, other, dtype)
    square = _square(emit, below)
    above = mul(emit, x, conjugate(emit, below))
    return above.map(lambda v: emit(arith.Div(v, square)))


@complex_aten("reciprocal")
def reciprocal(emit: Emitter, x: Complex) -> Complex:
    """``reciprocal`` of complex numbers: the conjugate divided by the squared absolute value."""
    square = _square(emit, x)
    return conjugate(emit, x).map(lambda v: emit(arith.Div(v, square)))


@complex_aten("square")
def square(emit: Emitter, x: Complex) -> Complex:
    """``square`` of complex numbers, as a product of a number with itself, not with its conjugate."""
    return mul(emit, x, x)


@complex_aten("exp")
def exp(emit: Emitter, x: Complex) -> Complex:
    """The length is the exponential of the real part, the angle is the imaginary part."""
    return polar(emit, emit(arith.Exp(x.real)), x.imag)


@complex_aten("log")
def log(emit: Emitter, x: Complex) -> Complex:
    """``log`` of complex numbers: ``log(abs(x))`` as half the logarithm of the squared length, and the angle."""
    half = emit.const(0.5, x.real.type.dtype)
    return Complex(emit(arith.Mul(half, emit(arith.Log(_square(emit, x))))), angle(emit, x))


@complex_aten("where.self")
def where(emit: Emitter, condition: Value, x: Complex | Value, other: Complex | Value) -> Complex:
    """``where`` between complex tensors: a selection of real and one of imaginary parts by the same mask."""
    dtype = part_dtype(emit)
    mask, a, b = emit.cast(condition, DType.BOOL), parts(emit, x, dtype), parts(emit, other, dtype)
    return Complex(emit(logic.Select(mask, a.real, b.real)), emit(logic.Select(mask, a.imag, b.imag)))


@complex_aten("constant_pad_nd")
def constant_pad(emit: Emitter, x: Complex, pad: tuple[Dim, ...], value: float = 0) -> Complex:
    """``constant_pad_nd`` of complex tensors: real parts padded with the number, imaginary ones with 0."""
    return Complex(spatial.constant_pad(emit, x.real, pad, value), spatial.constant_pad(emit, x.imag, pad, 0))


@complex_aten("pad")
def pad_mode(
    emit: Emitter, x: Complex, pad: tuple[Dim, ...], mode: str = "constant", value: float | None = None
) -> Complex:
    """Pad the last axes, the very last one first in the list."""
    real = spatial.pad_mode(emit, x.real, pad, mode, value)
    return Complex(real, spatial.pad_mode(emit, x.imag, pad, mode))


def _square(emit: Emitter, x: Complex) -> Value:
    """The square of the length."""
    return emit(arith.Add(emit(arith.Square(x.real)), emit(arith.Square(x.imag))))

"""Comparison, logic, bit operations and selection, all with broadcasting."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from ..dims import Dim, is_equal, is_less
from ..ir import Op, Value
from ..opdef import Commutative, Elementwise, Predicate, Symbolic, broadcast_shapes, op
from ..operands import Bits, Floats, Integers, Truth
from ..traits import Grows, KeepsSign, Moves, Ordered, SameBits
from ..types import Array, TensorType


def _comparison(
    numeric: Callable[[Array, Array], Array], symbolic: Callable[[Dim, Dim], bool]
) -> Callable[[Array, Array], Array]:
    """Extend a comparison to symbolic sizes, where it raises ValueError if the answer depends on them."""
    decide = np.frompyfunc(symbolic, 2, 1)

    def compare(a: Array, b: Array) -> Array:
        if a.dtype == object or b.dtype == object:
            return np.asarray(decide(a, b), np.bool_)
        return numeric(a, b)

    return compare


@op("equal", Predicate, Commutative, Symbolic, SameBits)
class Equal(Op):
    """Whether ``a == b``, element by element; false for NaN."""

    a: Value
    b: Value
    evaluate = _comparison(np.equal, is_equal)


@op("not_equal", Predicate, Commutative, Symbolic, SameBits)
class NotEqual(Op):
    """Whether ``a != b``, element by element; true for NaN."""

    a: Value
    b: Value
    evaluate = _comparison(np.not_equal, lambda a, b: not is_equal(a, b))


@op("less", Predicate, Symbolic, Ordered)
class Less(Op):
    """Whether ``a < b``, element by element; false for NaN."""

    a: Value
    b: Value
    evaluate = _comparison(np.less, is_less)


@op("less_equal", Predicate, Symbolic, Ordered)
class LessEqual(Op):
    """Whether ``a <= b``, element by element; false for NaN."""

    a: Value
    b: Value
    evaluate = _comparison(np.less_equal, lambda a, b: not is_less(b, a))


@op("greater", Predicate, Symbolic, Ordered)
class Greater(Op):
    """Whether ``a > b``, element by element; false for NaN."""

    a: Value
    b: Value
    evaluate = _comparison(np.greater, lambda a, b: is_less(b, a))


@op("greater_equal", Predicate, Symbolic, Ordered)
class GreaterEqual(Op):
    """Whether ``a >= b``, element by element; false for NaN."""

    a: Value
    b: Value
    evaluate = _comparison(np.greater_equal, lambda a, b: not is_less(a, b))


@op("logical_and", Elementwise, Commutative)
class LogicalAnd(Op):
    """Whether ``a`` and ``b`` are both true, element by element."""

    a: Truth
    b: Truth
    evaluate = np.logical_and


@op("logical_or", Elementwise, Commutative)
class LogicalOr(Op):
    """Whether ``a`` or ``b`` or both are true, element by element."""

    a: Truth
    b: Truth
    evaluate = np.logical_or


@op("logical_xor", Elementwise, Commutative)
class LogicalXor(Op):
    """Whether exactly one of ``a`` and ``b`` is true, element by element."""

    a: Truth
    b: Truth
    evaluate = np.logical_xor


@op("logical_not", Elementwise)
class LogicalNot(Op):
    """True where ``x`` is false, and false where it is true."""

    x: Truth
    evaluate = np.logical_not


@op("bitwise_and", Elementwise, Commutative, SameBits)
class BitwiseAnd(Op):
    """The bits that are set in both integers, element by element."""

    a: Bits
    b: Bits
    evaluate = np.bitwise_and


@op("bitwise_or", Elementwise, Commutative, SameBits)
class BitwiseOr(Op):
    """The bits that are set in either integer, element by element."""

    a: Bits
    b: Bits
    evaluate = np.bitwise_or


@op("bitwise_xor", Elementwise, Commutative, SameBits)
class BitwiseXor(Op):
    """The bits that are set in exactly one of both integers."""

    a: Bits
    b: Bits
    evaluate = np.bitwise_xor


@op("bitwise_not", Elementwise, SameBits)
class BitwiseNot(Op):
    """Every bit of every integer flipped; of signed ones, ``-x - 1``."""

    x: Bits
    evaluate = np.bitwise_not


@op("shift_left", Elementwise, SameBits, Grows)
class ShiftLeft(Op):
    """Bits moved up by ``b``, which counts fewer than there are."""

    a: Integers
    b: Integers
    evaluate = np.left_shift


@op("shift_right", Elementwise)
class ShiftRight(Op):
    """Bits moved down by ``b``, which counts fewer than there are; the sign stays."""

    a: Integers
    b: Integers
    evaluate = np.right_shift


@op("is_nan", Predicate)
class IsNan(Op):
    """Whether an element is NaN, as a tensor of booleans."""

    x: Floats
    evaluate = np.isnan


@op("is_inf", Predicate)
class IsInf(Op):
    """Whether an element is infinite, of the signs asked for."""

    x: Floats
    negative: bool = True
    positive: bool = True

    @staticmethod
    def evaluate(x: Array, *, negative: bool, positive: bool) -> Array:
        """Test both signs."""
        return (np.isneginf(x) & negative) | (np.isposinf(x) & positive)


@op("select", Elementwise, Symbolic, Moves, KeepsSign)
class Select(Op):
    """``a`` where the condition is true, ``b`` elsewhere; all three broadcast."""

    condition: Truth
    a: Value
    b: Value

    def infer(self) -> TensorType:
        """Broadcast; the element type of the branches."""
        if self.a.type.dtype is not self.b.type.dtype:
            raise ValueError(f"the branches are {self.a.type.dtype} and {self.b.type.dtype}")
        return self.a.type.with_shape(broadcast_shapes(v.type.shape for v in (self.condition, self.a, self.b)))

    @staticmethod
    def evaluate(condition: Array, a: Array, b: Array) -> Array:
        """Choose."""
        return np.where(condition, a, b)

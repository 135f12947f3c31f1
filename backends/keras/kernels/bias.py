"""Which sums Keras gets wrong: it takes a second operand that is a vector but for axes of size one for a bias."""

from __future__ import annotations

from ....compiler.dims import Dim, Shape, Sym, may_equal
from ....compiler.ir import Value


def mistaken_bias(x: Value, bias: Value) -> bool:
    """Say whether the sum in this order may be added up along another axis than it should be.

    Keras 3 adds by ``BiasAdd`` if the second operand can be squeezed to a vector as long as the last axis of the first
    one, or as its axis 1, whichever axis the vector belongs to.
    """
    return any(_mistaken(x.type.shape, bias.type.shape, place) for place in range(bias.type.rank))


def _mistaken(shape: Shape, bias: Shape, place: int) -> bool:
    """Say so for the case that one axis of the second operand is all that is not of size one."""
    size, others = bias[place], (*bias[:place], *bias[place + 1 :])
    if len(shape) < 2 or size in (0, 1) or any(_is_more(other, size) for other in others):
        return False
    ones = {other for other in others if isinstance(other, Sym)}
    last, second = (_may_be(shape[axis], size, ones) for axis in (-1, 1))
    if shape[-1] == size:
        second = False
    right = len(shape) - len(bias) + place
    taken = [axis for axis, is_taken in ((len(shape) - 1, last), (1, second)) if is_taken]
    return any(axis != right for axis in taken) or bool(taken and len(bias) > len(shape))


def _is_more(other: Dim, size: Dim) -> bool:
    """Whether another axis can't be of size one while this one is longer."""
    return other == size or (isinstance(other, int) and other > 1)


def _may_be(found: Dim, size: Dim, ones: set[Sym]) -> bool:
    return found not in ones and may_equal((found,), (size,))

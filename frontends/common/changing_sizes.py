"""Loops that carry values whose sizes rounds change: sequences that grow, lists that shrink."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from ...compiler.dims import Dim
from ...compiler.ir import Region
from ...compiler.ops.control import differing_sizes
from ...compiler.types import TensorType
from ..emitter import BaseEmitter

T = TypeVar("T")


@dataclass(frozen=True)
class Attempt(Generic[T]):
    """A body as it was imported for carried values of some types: the types ``after`` it, and whatever was found."""

    region: Region
    after: Sequence[TensorType]
    found: T


def settle(
    emit: BaseEmitter, before: Sequence[TensorType], attempt: Callable[[Sequence[TensorType]], Attempt[T]]
) -> tuple[Attempt[T], list[TensorType]]:
    """Import a loop's body, and return what its regions take.

    Sizes that a round changes get names of their own, which stand for the size at the begin of any round; then the body
    is imported anew, since it may now change others, too.

    Raises:
        CompileError: F005, a round changes element types or numbers of axes; or what importing raises.
    """
    types, own = list(before), set[Dim]()
    while True:
        tried = attempt(types)
        if [(t.dtype, t.rank) for t in types] != [(t.dtype, t.rank) for t in tried.after]:
            shown = [", ".join(map(str, side)) for side in (types, tried.after)]
            raise emit.fail(f"carries values of types ({shown[0]}) that become ({shown[1]})")
        changing = [(i, axis) for i, axis in differing_sizes(types, tried.after) if types[i].shape[axis] not in own]
        if not changing:
            return tried, types
        for op in tried.region.ops:
            op.drop_operands()  # nobody runs this attempt: what is outside of it has no uses in it
        named = {place: emit.fresh() for place in changing}
        own |= set(named.values())
        types = [t.with_shape([named.get((i, a), d) for a, d in enumerate(t.shape)]) for i, t in enumerate(types)]

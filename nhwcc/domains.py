"""What integers the inputs of a network may hold, as what it does with them says."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from nhwcc.compiler.dims import Shape, is_static, static, substitute
from nhwcc.compiler.fold import constant
from nhwcc.compiler.ir import Func, Op, Value
from nhwcc.compiler.opdef import Draws, View
from nhwcc.compiler.ops.activation import Clip
from nhwcc.compiler.ops.arith import Add, Cast, Div, FloorDiv, Max, Min, Mod, Sub
from nhwcc.compiler.ops.indexing import Indexing
from nhwcc.compiler.ops.logic import (
    Equal,
    Greater,
    GreaterEqual,
    Less,
    LessEqual,
    NotEqual,
    Select,
    ShiftLeft,
    ShiftRight,
)
from nhwcc.compiler.ops.shape import BroadcastTo, Concat, Reverse, Slice, Split, Tile
from nhwcc.compiler.types import Array, TensorType

CARRIES = (BroadcastTo, Tile, Reverse, Concat, Split, Slice)
"""Operations whose results hold elements of their operands, as those of views do."""

COMPARES = (Equal, NotEqual, Less, LessEqual, Greater, GreaterEqual)


@dataclass(frozen=True)
class Domain:
    """What integers an input may hold.

    ``sizes`` are those of the axes that it points into: one, or one for each element of its last axis.  ``shift`` is
    what is added before.  ``divides`` says that it must not be 0, ``is_number`` that it only counts as one: it is
    compared, or becomes a float.
    """

    sizes: Shape = ()
    shift: int = 0
    negative: bool = False
    distinct: bool = False
    divides: bool = False
    is_number: bool = False

    def is_known(self, sizes: Mapping[str, int]) -> bool:
        """Say whether it is known where the input points, once named sizes have these numbers."""
        return bool(self.sizes) and is_static(substitute(self.sizes, sizes))

    def draw(self, type: TensorType, sizes: Mapping[str, int], rng: np.random.Generator, *, negative: bool) -> Array:
        """Draw positions over the whole of each axis, the last one and the first one among them.

        ``negative`` draws those that count from the end, too, if these are allowed.
        """
        shape = static(type.shape)
        limits = np.asarray(static(substitute(self.sizes, sizes)))
        limits = np.broadcast_to(np.maximum(limits if len(limits) > 1 else limits[0], 1), shape)
        lowest = -limits if negative and self.negative else np.zeros_like(limits)
        drawn = self._draw_distinct(limits, rng) if self.distinct else rng.integers(lowest, limits)
        if not self.distinct and drawn.size > 1:
            drawn.flat[0], drawn.flat[-1] = limits.flat[0] - 1, lowest.flat[-1]
        return (drawn - self.shift).astype(type.dtype.numpy)

    def _draw_distinct(self, limits: Array, rng: np.random.Generator) -> Array:
        """Draw positions none of which is there twice, as long as there are enough."""
        drawn = rng.integers(0, limits)
        column = drawn if len(self.sizes) < 2 else drawn[..., 0]
        limit = int(limits.flat[0])
        if 0 < column.size <= limit:
            column[...] = rng.permutation(limit)[: column.size].reshape(column.shape)
        return drawn


def domains(func: Func) -> dict[str, Domain]:
    """Return what is known of the inputs that hold integers, by name."""
    found: dict[str, Domain] = {}
    for port, arg in zip(func.inputs, func.args, strict=True):
        if arg.type.dtype.is_int and port.perm is None:
            uses = list(_uses(arg))
            if uses:
                found[port.name] = _narrowest(uses)
            elif all(_takes_number(user) for user in arg.users):
                found[port.name] = Domain(is_number=True)
    return found


def _takes_number(op: Op) -> bool:
    return isinstance(op, COMPARES) or (isinstance(op, Cast) and op.to.is_float)


def constants(func: Func) -> frozenset[str]:
    """Return the names of outputs that depend on no input, and on nothing that is random."""
    pairs = zip(func.outputs, func.returns, strict=True)
    return frozenset(port.name for port, value in pairs if not _depends(value))


def _depends(value: Value) -> bool:
    """Say whether a value can be another one in another run."""
    pending, seen = [value], set[Value]()
    while pending:
        value = pending.pop()
        if value in seen:
            continue
        seen.add(value)
        if not isinstance(value.owner, Op) or value.owner.spec.has(Draws) or value.owner.regions:
            return True
        pending += [operand for operand in value.owner.operands if operand is not None]
    return False


def _narrowest(uses: list[Domain]) -> Domain:
    """Return what all uses allow."""
    pointing = [use for use in uses if use.sizes]
    first = min(pointing, key=lambda use: (abs(use.shift), _extent(use)), default=Domain())
    return Domain(
        first.sizes,
        first.shift,
        all(use.negative for use in pointing),
        any(use.distinct for use in pointing),
        any(use.divides for use in uses),
    )


def _extent(domain: Domain) -> float:
    known = [d for d in domain.sizes if isinstance(d, int)]
    return min(known) - domain.shift if known else np.inf


def _uses(value: Value, shift: int = 0, seen: set[tuple[Op, int]] | None = None) -> Iterator[Domain]:
    """Yield what each operation demands that a value reaches whole, or with a constant added."""
    seen = set[tuple[Op, int]]() if seen is None else seen
    for op in value.users:
        if (op, shift) in seen:
            continue
        seen.add((op, shift))
        if isinstance(op, Indexing):
            points = op.pointing()
            if points.operand is value:
                yield Domain(points.sizes, shift, points.negative and not shift, points.distinct)
        elif isinstance(op, ShiftLeft | ShiftRight) and op.operands[1] is value:
            yield Domain((op.result.type.dtype.bits,), shift)
        elif isinstance(op, Div | FloorDiv | Mod) and op.operands[1] is value:
            yield Domain(divides=True)
        else:
            yield from _behind(op, value, shift, seen)


def _behind(op: Op, value: Value, shift: int, seen: set[tuple[Op, int]]) -> Iterator[Domain]:
    """Go on behind an operation that hands elements on, or limits them."""
    limits = isinstance(op, Max | Min | Clip | Select)
    if limits or op.spec.has(View) or isinstance(op, CARRIES) or (isinstance(op, Cast) and op.to.is_int):
        for result in op.results:
            yield from _uses(result, shift, seen)
    elif isinstance(op, Add | Sub):
        other = constant(op.operands[1])
        if other is not None and other.type.size and op.operands[0] is value:
            added = int(other.array().max()) if isinstance(op, Add) else -int(other.array().min())
            yield from _uses(op.result, shift + added, seen)

"""What integers the inputs of a network may hold, as what it does with them says."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np

from nhwcc.compiler.dims import Shape, is_static, static, substitute
from nhwcc.compiler.fold import constant
from nhwcc.compiler.ir import Func, Op, Value
from nhwcc.compiler.opdef import Draws, View
from nhwcc.compiler.ops.activation import Clip
from nhwcc.compiler.ops.arith import Abs, Add, Cast, Div, FloorDiv, Max, Min, Mod, Mul, Neg, Sub
from nhwcc.compiler.ops.indexing import Indexing
from nhwcc.compiler.ops.logic import Select, ShiftLeft, ShiftRight
from nhwcc.compiler.ops.recurrent import Recurrent
from nhwcc.compiler.ops.shape import BroadcastTo, Concat, Reverse, Slice, Split, Tile
from nhwcc.compiler.types import Array, TensorType
from nhwcc.landmarks import COMPARES, Landmarks, landmarks
from nhwcc.size_domains import SizeDomain, size_domain

CARRIES = (BroadcastTo, Tile, Reverse, Concat, Split, Slice)
"""Operations whose results hold elements of their operands, as those of views do."""


COMPUTES = (Abs, Add, Cast, Clip, Max, Min, Mul, Neg, Select, Sub)
"""Operations that give other numbers of integers."""

MANY = 1 << 22
"""Among how many places distinct ones are looked for."""


@dataclass(frozen=True)
class Domain:
    """What integers an input may hold.

    ``sizes`` are those of the axes that it points into: one, or one for each element of its last axis; ``shift`` is
    what is added before.  ``distinct`` positions are so in each line ``along`` an axis, or where there is none, in all.
    ``divides`` says that it must not be 0, ``is_number`` that it counts as a number only: what is computed of it is
    compared, becomes a float, or is a result.
    """

    sizes: Shape = ()
    shift: int = 0
    negative: bool = False
    distinct: bool = False
    along: int | None = None
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
        limits = [max(n, 1) for n in static(substitute(self.sizes, sizes))]
        if len(limits) > 1 and shape[-1:] != (len(limits),):
            limits = [min(limits)]  # the coordinates of a place no longer stand beside each other
        drawn = self._distinct(shape, limits, rng) if self.distinct else None
        if drawn is None:
            high = np.broadcast_to(np.asarray(limits), shape) if shape else np.asarray(limits[0])
            low = -high if negative and self.negative else np.zeros_like(high)
            drawn = rng.integers(low, high)
            if drawn.size > 1:
                drawn.flat[0], drawn.flat[-1] = high.flat[0] - 1, low.flat[-1]
        return (drawn - self.shift).astype(type.dtype.numpy)

    def _distinct(self, shape: tuple[int, ...], limits: list[int], rng: np.random.Generator) -> Array | None:
        """Draw positions none of which is there twice; None if there are not enough."""
        places, along = math.prod(limits), self.along
        count = math.prod(shape) // len(limits)
        if along is not None and shape[along] <= places <= MANY:
            lines = rng.random((*shape[:along], places, *shape[along + 1 :]))
            return np.take(lines.argsort(along), range(shape[along]), along)
        if 0 < count <= places <= MANY:
            chosen = rng.permutation(places)[:count]
            return np.stack(np.unravel_index(chosen, limits), -1).reshape(shape)
        return None


Known: TypeAlias = Domain | SizeDomain | Landmarks
"""What is known of an input."""


def domains(func: Func) -> dict[str, Known]:
    """Return what is known of inputs, by name."""
    found: dict[str, Known] = {}
    marks = landmarks(func)
    for port, arg in zip(func.inputs, func.args, strict=True):
        if arg.type.dtype.is_float:
            found[port.name] = marks
        elif arg.type.dtype.is_int and port.perm is None:
            uses, sizes = list(_uses(arg)), size_domain(func, arg)
            if sizes is not None:
                found[port.name] = sizes
            elif uses:
                found[port.name] = _narrowest(uses)
            elif _is_number(arg):
                found[port.name] = Domain(is_number=True)
    return found


def _is_number(arg: Value) -> bool:
    """Whether integers, and what is computed of them, are compared, become floats, or are results, but nothing else."""
    pending, seen = [arg], set[Value]()
    while pending:
        value = pending.pop()
        seen.add(value)
        for op in value.users:
            if isinstance(op, COMPARES) or (isinstance(op, Cast) and op.to.is_float) or op.spec.is_terminator:
                continue
            if not isinstance(op, (*COMPUTES, *CARRIES)) and not op.spec.has(View):
                return False
            pending += [result for result in op.results if result not in seen]
    return True


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
        next((use.along for use in pointing if use.along is not None), None),
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
            points = op.index_operand()
            if points.operand is value:
                negative = points.negative and not shift
                yield Domain(points.sizes, shift, negative, points.distinct, points.along)
        elif isinstance(op, Recurrent) and op.lengths is value:
            yield Domain((op.x.type.shape[int(op.batch_first)],), shift - 1)
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

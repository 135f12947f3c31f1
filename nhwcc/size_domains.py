"""What integers an input may hold whose elements are sizes or positions of what is computed."""

from __future__ import annotations

import math
import re
from collections.abc import Generator, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace

import numpy as np

from nhwcc.compiler.diagnostics import CompileError
from nhwcc.compiler.dims import UNBOUNDED, Dim, Sym, is_by_data, is_data_name, substitute
from nhwcc.compiler.fold import constant
from nhwcc.compiler.ir import Func, Op, Value
from nhwcc.compiler.ops.activation import Clip
from nhwcc.compiler.ops.arith import Add, Cast, Max, Min, Sub
from nhwcc.compiler.ops.bound import BindSizes
from nhwcc.compiler.ops.logic import Select
from nhwcc.compiler.ops.shape import Concat, Reshape, Slice, Split
from nhwcc.compiler.types import Array, TensorType

LARGEST = 6
"""What sizes are drawn up to of which nothing else is known: several of them multiply."""


@dataclass(frozen=True)
class SizeDomain:
    """What each element of a tensor may be, by its place: at least and at most; where ``product`` is known, together.

    Where a difference counts, elements that others are subtracted from are drawn from the upper half of what they may
    be, the others from the lower one, so that something is left.
    """

    bounds: Mapping[int, tuple[Dim, Dim]]
    product: Dim | None = None

    def is_known(self, sizes: Mapping[str, int]) -> bool:
        """Say whether anything is known, whatever named sizes are."""
        del sizes
        return bool(self.bounds)

    def draw(self, type: TensorType, sizes: Mapping[str, int], rng: np.random.Generator, *, negative: bool) -> Array:
        """Draw each element for itself, zero only where nothing else may be."""
        del negative
        count = type.size
        assert isinstance(count, int)
        product = substitute(self.product, sizes)
        if isinstance(product, int) and len(self.bounds) == count and product > 0:
            drawn = _factors(product, count, rng)
        else:
            drawn = np.array([self._element(place, sizes, rng) for place in range(count)])
        return drawn.reshape(tuple(d for d in type.shape if isinstance(d, int))).astype(type.dtype.numpy)

    def _element(self, place: int, sizes: Mapping[str, int], rng: np.random.Generator) -> int:
        least, most = (substitute(d, sizes) for d in self.bounds.get(place, (0, UNBOUNDED)))
        low = least if isinstance(least, int) and least > -UNBOUNDED else 0
        high = most if isinstance(most, int) and most < UNBOUNDED else max(low, 0) + LARGEST
        low = max(low, min(high, 1)) if low <= 0 else low
        return int(rng.integers(low, max(high, low) + 1))


def _factors(product: int, count: int, rng: np.random.Generator) -> Array:
    """Draw numbers with a product."""
    found = np.ones(count, np.int64)
    for prime in _primes(product):
        found[rng.integers(count)] *= prime
    return found


def _primes(number: int) -> Iterator[int]:
    """Yield the prime factors of a number; of a large one, what is left over counts as one."""
    for factor in range(2, min(math.isqrt(number), 1 << 10) + 1):
        while number % factor == 0:
            yield factor
            number //= factor
    if number > 1:
        yield number


@dataclass(frozen=True)
class _Part:
    """Elements ``low`` to ``low + count`` of a value, which are those of an input from ``base`` on, plus ``shift``.

    ``side`` is 1 where something is subtracted from them, -1 where they are subtracted, else 0.
    """

    value: Value
    low: int
    base: int
    count: int
    shift: int = 0
    side: int = 0


def size_domain(func: Func, arg: Value) -> SizeDomain | None:
    """Return what is known of an input whose elements become sizes or positions, None if they don't."""
    count = arg.type.size
    if not isinstance(count, int):
        return None
    bounds: dict[int, tuple[Dim, Dim]] = {}
    ranks: dict[int, tuple[int, float]] = {}
    names: set[str] = set()
    limits = _cut(func)
    for op, part in _bindings(_Part(arg, 0, 0, count), set()):
        for offset in range(part.count):
            found = _bounds(op, part, part.low + offset, limits)
            place, rank = part.base + offset, (abs(part.shift), _extent(found))
            if place not in ranks or rank < ranks[place]:
                bounds[place], ranks[place] = found, rank
        names |= op.defines()
    return SizeDomain(bounds, _product(func, names)) if bounds else None


def sized_inputs(func: Func) -> tuple[str, ...]:
    """Return the names of the inputs whose elements become sizes or positions; passes replace what tells."""
    ports = zip(func.inputs, func.args, strict=True)
    return tuple(port.name for port, arg in ports if size_domain(func, arg) is not None)


@contextmanager
def advising(inputs: Sequence[str]) -> Generator[None, None, None]:
    """Say of operations that a target can't run, of sizes that are elements of ``inputs``, that these may be constants.

    Raises:
        CompileError: what the block raises, with this advice.
    """
    try:
        yield
    except CompileError as bad:
        for found in bad.diagnostics if inputs else ():
            if found.code == "B001" and any(map(is_data_name, re.findall(r"\w+", found.excerpt or ""))):
                found.inputs = tuple(inputs)
                names = ", ".join(map(repr, inputs))
                which = f"inputs {names} constants" if len(inputs) > 1 else f"input {names} a constant"
                found.help = f"make the {which} of the model, since sizes are read from there; or {found.help}"
        raise


def _cut(func: Func) -> dict[str, int]:
    """Return how large positions may be, and how large sizes, where slices have both from data: together the axis."""
    found: dict[str, int] = {}
    for op in func.walk():
        if isinstance(op, Slice):
            for start, size, whole in zip(op.starts, op.sizes, op.x.type.shape, strict=True):
                if is_by_data(start) and is_by_data(size) and isinstance(whole, int):
                    found |= {str(start): whole // 2, str(size): whole - whole // 2}
    return found


def _extent(bounds: tuple[Dim, Dim]) -> float:
    least, most = bounds
    return most - least if isinstance(most, int) and isinstance(least, int) else UNBOUNDED


def _bounds(op: BindSizes, part: _Part, place: int, limits: Mapping[str, int]) -> tuple[Dim, Dim]:
    size = op.sizes[place]
    if isinstance(size, int):
        return size - part.shift, size - part.shift
    least, most = (b[place] if b else d for b, d in ((op.least, 0), (op.most, UNBOUNDED)))
    if not part.side and str(size) in limits:
        most = min(most, limits[str(size)]) if isinstance(most, int) else limits[str(size)]
    if part.side and isinstance(most, int) and most < UNBOUNDED:
        least, most = (most // 2 + 1, most) if part.side > 0 else (least, most // 2)
    return least - part.shift, most - part.shift if most != UNBOUNDED else most


def _bindings(part: _Part, seen: set[tuple[Op, _Part]]) -> Iterator[tuple[BindSizes, _Part]]:
    """Yield what binds elements of a part, with the part that it sees."""
    for op in part.value.users:
        if (op, part) in seen:
            continue
        seen.add((op, part))
        if isinstance(op, BindSizes):
            yield op, part
            continue
        for after in _after(op, part):
            yield from _bindings(after, seen)


def _after(op: Op, part: _Part) -> Iterator[_Part]:
    """Yield the parts of the result that hold elements of a part, or what is computed from one of them."""
    match op:
        case Reshape() | Max() | Min() | Clip():
            yield replace(part, value=op.result)
        case Cast() if op.to.is_int:
            yield replace(part, value=op.result)
        case Select() if op.condition is not part.value:
            yield replace(part, value=op.result)
        case Slice() if op.x.type.rank == 1 and op.steps == (1,):
            yield from _pieces(part, op.results, op.starts[0])
        case Split() if op.x.type.rank == 1:
            yield from _pieces(part, op.results, 0)
        case Concat() if op.result.type.rank == 1:
            place: Dim = 0
            for x in op.xs:
                if x is part.value and isinstance(place, int):
                    yield replace(part, value=op.result, low=part.low + place)
                place = place + x.type.shape[0]
        case Add() | Sub():
            yield _added(op, part)
        case _:
            pass


def _pieces(part: _Part, pieces: Iterable[Value], start: Dim) -> Iterator[_Part]:
    """Yield what pieces of the part's value hold of it; they follow each other from the element ``start`` on."""
    for piece in pieces:
        size = piece.type.size
        if isinstance(start, int) and isinstance(size, int):
            low, end = max(part.low, start), min(part.low + part.count, start + size)
            if low < end:
                yield replace(part, value=piece, low=low - start, base=part.base + low - part.low, count=end - low)
        start = start + size


def _added(op: Add | Sub, part: _Part) -> _Part:
    """Follow a sum or a difference: with a constant, or with another number of which nothing is known."""
    is_first = op.a is part.value
    other = constant(op.b if is_first else op.a)
    sign = 1 if isinstance(op, Add) else -1
    if other is not None and other.type.size == 1 and (is_first or sign > 0):
        return replace(part, value=op.result, shift=part.shift + sign * int(other.array().item()))
    side = 0 if isinstance(op, Add) else 1 if is_first else -1
    return replace(part, value=op.result, side=side)


def _product(func: Func, names: set[str]) -> Dim | None:
    """Return how many elements there are in what is reshaped to sizes with these names, if they are all it has."""
    for op in func.walk():
        if isinstance(op, Reshape):
            given = {str(d) for d in op.shape if isinstance(d, Sym)}
            if given and given == names and all(isinstance(d, Sym) for d in op.shape):
                return op.x.type.size
    return None

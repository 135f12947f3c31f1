"""Data movement, for all small shapes: whatever moves elements is an index map, and index maps can be compared.

A family lists chains of moves up to some size; every rewrite is applied to every chain, alone, and both sides run on an
array of element numbers.  Equal results are a proof for the shape.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cache

import numpy as np
from nhwcc.compiler.interpreter import run
from nhwcc.compiler.ir import Func, Module, Op, Port, Region, Value
from nhwcc.compiler.ops.core import Const, Return
from nhwcc.compiler.ops.index import Gather
from nhwcc.compiler.ops.shape import BroadcastTo, Concat, Pad, Reshape, Reverse, Slice, Split, Tile, Transpose
from nhwcc.compiler.printer import print_module
from nhwcc.compiler.rewrite import rewrite
from nhwcc.compiler.types import DType, TensorType
from nhwcc.compiler.verify import verify
from nhwcc.compiler.weights import Weight

from .equivalence import FAULTS
from .rewrites import Rewrite, all_rewrites

MOVES = frozenset(
    [
        "const",
        "transpose",
        "reshape",
        "pad",
        "slice",
        "tile",
        "concat",
        "split",
        "broadcast_to",
        "reverse",
        "gather",
        "depth_to_space",
        "space_to_depth",
    ]
)
"""Operations that move elements, and leave them as they are."""

Ints = tuple[int, ...]


@dataclass
class Chain:
    """A module that is being built from one input, ``x``."""

    x: Value
    region: Region

    def __call__(self, op: Op) -> Value:
        """Insert an operation, and return its first result."""
        return self.region.insert(op).results[0]

    def constant(self, values: object) -> Value:
        """Insert positions."""
        return self(Const(Weight.of(np.asarray(values, np.int64))))


Build = Callable[[Chain], Value | Sequence[Value]]
Case = tuple[Ints, Build]


@dataclass(frozen=True)
class Family:
    """Chains of moves; the text says how far they go."""

    name: str
    text: str
    cases: Callable[[], Iterator[Case]]


FAMILIES: dict[str, Family] = {}


def family(text: str) -> Callable[[Callable[[], Iterator[Case]]], Callable[[], Iterator[Case]]]:
    """Declare a family."""

    def wrap(cases: Callable[[], Iterator[Case]]) -> Callable[[], Iterator[Case]]:
        name = cases.__name__.replace("_", "-")
        FAMILIES[name] = Family(name, text, cases)
        return cases

    return wrap


def shapes(ranks: Sequence[int], sizes: Sequence[int] = (1, 2, 3)) -> list[Ints]:
    return [s for r in ranks for s in itertools.product(sizes, repeat=r)]


SMALL = [*shapes(range(4)), *shapes([4], (1, 2))]
"""Rank up to 3 with sizes 1 to 3, rank 4 with sizes 1 and 2."""


@cache
def factors(n: int, rank: int) -> tuple[Ints, ...]:
    """All shapes of a rank with ``n`` elements."""
    if rank == 0:
        return ((),) if n == 1 else ()
    return tuple((d, *rest) for d in range(1, n + 1) if n % d == 0 for rest in factors(n // d, rank - 1))


def reshaped(n: int, most: int) -> list[Ints]:
    """All shapes of ``n`` elements up to a rank."""
    return [s for r in range(most + 1) for s in factors(n, r)]


def perms(rank: int) -> list[Ints]:
    return list(itertools.permutations(range(rank)))


@family("two transposes: all permutations, rank up to 3, sizes 1 to 3; rank 4, sizes 1 and 2")
def transposes() -> Iterator[Case]:
    for s in SMALL:
        for p, q in itertools.product(perms(len(s)), repeat=2):
            yield s, lambda b, p=p, q=q: b(Transpose(b(Transpose(b.x, p)), q))


@family("two reshapes: all shapes of rank up to 3 from rank up to 3, sizes 1 to 3")
def reshapes() -> Iterator[Case]:
    for s in shapes(range(4)):
        for t, u in itertools.product(reshaped(math.prod(s), 3), repeat=2):
            yield s, lambda b, t=t, u=u: b(Reshape(b(Reshape(b.x, t)), u))


@family("one transpose: all permutations, rank up to 4, sizes 0 to 3; rank 5 and 6, sizes 1 and 2")
def single_transposes() -> Iterator[Case]:
    for s in [*shapes(range(5), (0, 1, 2, 3)), *shapes([5], (1, 2)), (1, 2, 1, 2, 1, 2), (2, 1, 3, 1, 1, 2)]:
        for p in perms(len(s)):
            yield s, lambda b, p=p: b(Transpose(b.x, p))


@family("one reshape, pad, slice, tile, concat, split, broadcast or reversal: rank up to 3, sizes 1 to 3")
def single_moves() -> Iterator[Case]:
    for s in shapes(range(4)):
        for t in reshaped(math.prod(s), 4):
            yield s, lambda b, t=t: b(Reshape(b.x, t))
        for low, high in itertools.product(itertools.product((-1, 0, 1), repeat=len(s)), repeat=2):
            for mode in ("constant", "edge"):
                yield s, lambda b, low=low, high=high, mode=mode: b(Pad(b.x, low, high, mode))
        for start, step in itertools.product(itertools.product((0, 1, 2), repeat=len(s)), (1, -1, 2)):
            yield s, lambda b, s=s, start=start, step=step: b(Slice(b.x, start, s, (step,) * len(s)))
        for repeats in itertools.product((1, 2), repeat=len(s)):
            yield s, lambda b, repeats=repeats: b(Tile(b.x, repeats))
        for axis in range(len(s)):
            yield s, lambda b, axis=axis: b(Concat((b.x,), axis))
            yield s, lambda b, s=s, axis=axis: b(Split(b.x, axis, (s[axis],)))
            yield s, lambda b, axis=axis: b(Reverse(b.x, (axis,)))
        yield s, lambda b, s=s: b(BroadcastTo(b.x, (2, *s)))
        yield s, lambda b, s=s: b(BroadcastTo(b.x, s))


@family("a transpose, then a reshape: rank up to 3, sizes 1 to 3, rank 4, sizes 1 and 2; all permutations and shapes")
def transpose_reshape() -> Iterator[Case]:
    for s in SMALL:
        for p, t in itertools.product(perms(len(s)), reshaped(math.prod(s), min(4, len(s)))):
            yield s, lambda b, p=p, t=t: b(Reshape(b(Transpose(b.x, p)), t))


@family("reshape, transpose, reshape: rank up to 3, sizes 0 to 3, rank 4, sizes 1 and 2; all shapes of rank 3 between")
def reshape_transpose_reshape() -> Iterator[Case]:
    for s in [*shapes(range(4), (0, 1, 2, 3)), *shapes([4], (1, 2))]:
        n = math.prod(s)
        for t in reshaped(n, 3) if n else [s[:2], (0,), (0, 1, 3), s]:
            for p, u in itertools.product(perms(len(t)), [(n,), (1, n, 1)]):
                yield s, lambda b, t=t, p=p, u=u: b(Reshape(b(Transpose(b(Reshape(b.x, t)), p)), u))


def _cuts(size: int) -> list[Ints]:
    steps = (1, 2, 3, -1, -2, -3)
    return [
        (a, k, step)
        for step, a, k in itertools.product(steps, range(size), range(1, size + 1))
        if 0 <= a + (k - 1) * step < size
    ]


@family("a slice of a slice: all of up to 7 elements, steps from -3 to 3")
def slices() -> Iterator[Case]:
    for n in range(1, 8):
        for c in _cuts(n):
            for d in _cuts(c[1]):
                yield (n,), lambda b, c=c, d=d: b(Slice(b(Slice(b.x, *((v,) for v in c))), *((v,) for v in d)))


@family("gathers at constant positions, negative ones too: up to 4 of rank 1, 3 of rank 2, 2 of rank 3; sizes 1 to 3")
def gathers() -> Iterator[Case]:
    for s in [*shapes([1, 2, 3]), (4,), (5,), (4, 2)]:
        for axis in range(len(s)):
            places = range(-s[axis], s[axis])
            counts = range(1, 6 - len(s) if s[0] < 4 else 4)
            for at in (*places, *(list(v) for k in counts for v in itertools.product(places, repeat=k))):
                yield s, lambda b, at=at, axis=axis: b(Gather(b.x, b.constant(at), axis))


@family("concats of concats along any two axes, with one to three parts: rank up to 3, sizes 1 to 3")
def concats() -> Iterator[Case]:
    def parts(b: Chain, inner: int, which: int) -> tuple[Value, ...]:
        two = b(Concat((b.x, b.x), inner))
        three = b(Concat((b.x, b.x, b.x), inner))
        return ((two,), (two, b.x), (two, b.x, two), (b.x, two), (three, two))[which]

    for s in shapes([1, 2, 3]):
        for outer, inner, which in itertools.product(range(len(s)), range(len(s)), range(5)):
            yield s, lambda b, o=outer, i=inner, w=which: b(Concat(parts(b, i, w), o))


@family("up to 4 slices of equal size along an axis of up to 6, in any order, with and without another one beside them")
def cuts() -> Iterator[Case]:
    def cut(b: Chain, s: Ints, axis: int, start: int, size: int) -> Value:
        starts, sizes = (
            [v if i == axis else d for i, d in enumerate(o)] for v, o in ((start, [0] * len(s)), (size, s))
        )
        return b(Slice(b.x, tuple(starts), tuple(sizes), (1,) * len(s)))

    def build(b: Chain, s: Ints, axis: int, at: tuple[Ints, int], other: int) -> list[Value]:
        starts, size = at
        beside = {1: (axis, 0, 1), 2: (axis, 0, s[axis]), 3: ((axis + 1) % len(s), 0, 1)}
        more = [beside[other]] if other else []
        return [cut(b, s, *which) for which in (*((axis, start, size) for start in starts), *more)]

    for s in [(2,), (4,), (6,), (4, 2), (2, 4), (6, 2), (2, 3, 4)]:
        for axis, size in itertools.product(range(len(s)), (1, 2, 3)):
            for count in range(1, 5 if s[axis] <= 4 else 4):
                for starts in itertools.product(range(s[axis] - size + 1), repeat=count):
                    for other in range(4):
                        yield s, lambda b, s=s, a=axis, at=(starts, size), o=other: build(b, s, a, at, o)


@family("reshape to rank 6, transpose, reshape to rank 4: blocks of 1 to 3, all permutations of blocks of 2")
def pixel_shuffles() -> Iterator[Case]:
    for block, (n, c, h, w) in itertools.product((1, 2, 3), itertools.product((1, 2), (1, 2), (1, 2, 3), (2, 3))):
        for six in ((n, block, block, c, h, w), (n, c, block, block, h, w)):
            some = (
                perms(6) if (block, n, h) == (2, 2, 2) else [(0, 3, 4, 1, 5, 2), (0, 1, 4, 2, 5, 3), (0, 3, 4, 2, 5, 1)]
            )
            for p in some:
                turned = [six[i] for i in p]
                merged = (turned[0], turned[1], turned[2] * turned[3], turned[4] * turned[5])
                for out in {(n, c, h * block, w * block), merged}:
                    yield (n, c * block * block, h, w), _shuffle(six, p, out)


@family("reshape to rank 6, transpose, reshape that gather blocks of 1 to 3; all permutations of blocks of 2")
def pixel_unshuffles() -> Iterator[Case]:
    for block, (n, c, h, w) in itertools.product((1, 2, 3), itertools.product((1, 2), (1, 2, 3), (1, 2, 3), (2, 3))):
        some = perms(6) if (block, n, h) == (2, 2, 2) else [(0, 3, 5, 1, 2, 4), (0, 1, 3, 5, 2, 4), (0, 5, 3, 1, 2, 4)]
        for p in some:
            six = (n, c, h, block, w, block)
            yield (n, c, h * block, w * block), _shuffle(six, p, (n, c * block * block, h, w))


def _shuffle(six: Ints, perm: Ints, out: Ints) -> Build:
    return lambda b: b(Reshape(b(Transpose(b(Reshape(b.x, six)), perm)), out))


@family("strided slices of blocks of 2, in all orders, and of 3, joined along channels or rows")
def phases() -> Iterator[Case]:
    def build(b: Chain, order: Sequence[Ints], block: int, axis: int) -> Value:
        n, c, h, w = (d for d in b.x.type.shape if isinstance(d, int))
        sizes, steps = (n, c, h // block, w // block), (1, 1, block, block)
        return b(Concat(tuple(b(Slice(b.x, (0, 0, i, j), sizes, steps)) for i, j in order), axis))

    for block, (n, c, h, w), extra in itertools.product(
        (2, 3), itertools.product((1, 2), (1, 2, 3), (1, 2), (1, 2)), (0, 1)
    ):
        rows = list(itertools.product(range(block), repeat=2))
        orders = list(itertools.permutations(rows)) if block == 2 else [rows, [(i, j) for j, i in rows], rows[::-1]]
        for order, axis in itertools.product(orders, (1, 2)):
            shape = (n, c, h * block + extra, w * block)
            yield shape, lambda b, order=order, block=block, axis=axis: build(b, order, block, axis)


@dataclass
class Checked:
    """How often each rewrite fired in a family, and the smallest module on which one was wrong."""

    fired: dict[str, int] = field(default_factory=lambda: dict[str, int]())
    wrong: dict[str, tuple[str, str]] = field(default_factory=lambda: dict[str, tuple[str, str]]())

    def blame(self, key: str, why: str, text: str) -> None:
        """Keep the smallest example."""
        if key not in self.wrong or len(text) < len(self.wrong[key][1]):
            self.wrong[key] = (why, text)


def check_family(name: str, only: Sequence[Rewrite] | None = None, every: int = 1, first: int = 0) -> Checked:
    """Apply all rewrites, or some, to every n-th chain of a family."""
    found = Checked()
    index: dict[type[Op], list[Rewrite]] = {}
    for shape, build in itertools.islice(FAMILIES[name].cases(), first, None, every):
        numbers = np.arange(math.prod(shape), dtype=np.int32).reshape(shape)
        try:
            module = _module(shape, build)
            want = run(module.main, [numbers])
        except FAULTS:
            continue  # there is no such chain, or no array of these elements
        kinds = {type(op) for op in module.main.ops} - {Const, Return}
        for kind in kinds - set(index):
            index[kind] = [r for r in only or all_rewrites() if kind in r.pattern.roots or Op in r.pattern.roots]
        for tried in dict.fromkeys(r for kind in kinds for r in index[kind]):
            text = _apply(tried, module, want, numbers)
            if text is None:
                continue
            found.fired[tried.key] = found.fired.get(tried.key, 0) + 1
            module = _module(shape, build)
            if text:
                found.blame(tried.key, text, print_module(module))
    return found


def _apply(tried: Rewrite, module: Module, want: Sequence[np.ndarray], numbers: np.ndarray) -> str | None:
    """Say what is wrong when a rewrite has been applied; empty if nothing is, None if it does not apply."""
    try:
        if not rewrite(module, [tried.pattern]):
            return None
        verify(module)
        got = run(module.main, [numbers])
    except FAULTS as bad:
        return f"{type(bad).__name__}: {bad}"
    same = all(g.shape == w.shape and np.array_equal(g, w) for g, w in zip(got, want, strict=True))
    return "" if same else f"the elements {got[0].reshape(-1).tolist()} instead of {want[0].reshape(-1).tolist()}"


def _module(shape: Ints, build: Build) -> Module:
    """Build a chain.

    Raises:
        CompileError, ValueError, TypeError: there is no such one.
    """
    x = Value(TensorType(DType.I32, shape), None, "x")
    chain = Chain(x, Region([x]))
    made = build(chain)
    results = (made,) if isinstance(made, Value) else tuple(made)
    chain.region.insert(Return(results))
    module = Module(Func("main", chain.region, [Port("x")], [Port(f"y{i}") for i in range(len(results))]))
    verify(module)
    return module

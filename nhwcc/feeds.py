"""What a network is run on: the user's data where it is given, seeded random numbers elsewhere, sizes for names."""

from __future__ import annotations

import math
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from nhwcc.compiler.diagnostics import CompileError, error
from nhwcc.compiler.dims import Sym, solve, substitute
from nhwcc.compiler.types import Array, TensorType
from nhwcc.data import Data, read_data
from nhwcc.domains import Known
from nhwcc.drawing import DRAWS, LARGE, Draw
from nhwcc.landmarks import Landmarks
from nhwcc.runners import Runner
from nhwcc.size_domains import SizeDomain
from nhwcc.sizes import choices, variations

RUNS = 3
"""How many different sizes a network is run with, if it takes as many."""

LARGEST = 1 << 24
"""Elements of the largest input that we make up: a network that takes no smaller one is given shapes by its user."""

AFFORDABLE = 0.4
"""Seconds that the runs before may have taken for another one on the same sizes."""


@dataclass(frozen=True)
class Feed:
    """Inputs by name, in the source's layout, and what the named sizes are in them; maybe we chose some of these.

    ``drawn`` are those that no data was given for, up to ``scale`` times as large as usual; some of their elements are
    ``limits`` of the network.
    """

    inputs: dict[str, Array]
    sizes: dict[str, int]
    is_choice: bool = False
    drawn: frozenset[str] = frozenset()
    scale: float = 1.0
    limits: frozenset[float] = frozenset()

    def starting(self, first: Mapping[str, Array]) -> Feed:
        """Return the inputs with states as they are in a first call, unless the user gave others."""
        states = {name: array for name, array in first.items() if name in self.drawn}
        return replace(self, inputs=self.inputs | states)


@dataclass(frozen=True)
class Feeding:
    """Where inputs come from: ``data`` of the user, else random numbers of ``seed``.

    ``domains`` are what is known of some inputs, ``sizes`` the named sizes that are no choice.
    ``large`` asks for a run with large numbers, too.
    """

    data: Data | None = None
    seed: int = 0
    domains: Mapping[str, Known] = field(default_factory=lambda: dict[str, Known]())
    large: bool = True
    sizes: Mapping[str, int] = field(default_factory=lambda: dict[str, int]())


def feeds(types: Mapping[str, TensorType], feeding: Feeding = Feeding()) -> Iterator[Feed]:
    """Give inputs for one choice of the named sizes after the other; of one choice only if no size has a name.

    Raises:
        CompileError: as :func:`read_data`.
    """
    given = read_data(feeding.data, types)
    bound = _bound(given, types, feeding.sizes)
    names = [n for n in _names(types) if n not in bound]
    for sizes in choices(names, types) if names else [{}]:
        yield from _Filling(types, given, feeding, DRAWS).give(bound | sizes, is_choice=bool(names))


def more_feeds(types: Mapping[str, TensorType], first: Feed, number: int, feeding: Feeding) -> Iterator[Feed]:
    """Give inputs for the run with this number, 1 or more, whose sizes are others than those of the first run.

    Those of the last one are large.

    Raises:
        CompileError: as :func:`read_data`.
    """
    given = read_data(feeding.data, types)
    bound = _bound(given, types, feeding.sizes)
    names = [n for n in _names(types) if n not in bound]
    draws = LARGE if feeding.large and number == RUNS - 1 else DRAWS
    filling = _Filling(types, given, replace(feeding, seed=feeding.seed + number), draws)
    for sizes in variations(names, types, first.sizes, number):
        yield from filling.give(bound | sizes, is_choice=True)


def large_feeds(types: Mapping[str, TensorType], first: Feed, feeding: Feeding) -> Iterator[Feed]:
    """Give inputs of the sizes of the first run, but with large numbers.

    Raises:
        CompileError: as :func:`read_data`.
    """
    given = read_data(feeding.data, types)
    filling = _Filling(types, given, replace(feeding, seed=feeding.seed + RUNS), LARGE)
    yield from filling.give(first.sizes, is_choice=first.is_choice)


@dataclass(frozen=True)
class _Filling:
    types: Mapping[str, TensorType]
    given: Mapping[str, Array]
    feeding: Feeding
    draws: Sequence[Draw]

    def give(self, sizes: dict[str, int], *, is_choice: bool) -> Iterator[Feed]:
        """Give inputs of these sizes, if these are possible: of integers first those that tell most."""
        concrete = {name: type.with_shape(substitute(type.shape, sizes)) for name, type in self.types.items()}
        largest = LARGEST if is_choice else math.inf
        drawn = {name: type for name, type in concrete.items() if name not in self.given}
        if not all(_is_possible(type, largest) for type in drawn.values()):
            return
        has_integers = any(type.dtype.is_int for type in drawn.values())
        for draw in self.draws if has_integers else self.draws[:1]:
            rng = np.random.default_rng(self.feeding.seed)
            made = {name: draw.tensor(type, self.feeding.domains.get(name), sizes, rng) for name, type in drawn.items()}
            inputs = {name: self.given[name] if name in self.given else made[name] for name in concrete}
            marks = self._landmarks(made) if draw.scale > 1 else []
            limits = frozenset(value for known in marks for value in known.values)
            scale = max(draw.scale, *(known.scale for known in marks), 1.0)
            yield Feed(inputs, sizes, is_choice, frozenset(made), scale, limits)

    def _landmarks(self, made: Iterable[str]) -> list[Landmarks]:
        known = (self.feeding.domains.get(name) for name in made)
        return [marks for marks in known if isinstance(marks, Landmarks)]


def _bound(given: Mapping[str, Array], types: Mapping[str, TensorType], known: Mapping[str, int]) -> dict[str, int]:
    """The named sizes that are known, or that the user's data tells."""
    sizes = dict(known)
    for name, array in given.items():
        for d, n in zip(types[name].shape, array.shape, strict=True):
            if not solve(d, n, sizes):
                raise error("R002", f"{name} has size {n} where {d} is {substitute(d, sizes)} by other inputs")
    return sizes


def _names(types: Mapping[str, TensorType]) -> list[str]:
    dims = [d for type in types.values() for d in type.shape if isinstance(d, Sym)]
    return list(dict.fromkeys(name for d in dims for name in sorted(d.names)))


def _is_possible(type: TensorType, largest: float) -> bool:
    size = type.size
    return all(isinstance(d, int) and d >= 0 for d in type.shape) and isinstance(size, int) and size <= largest


def accepted(runner: Runner, candidates: Iterable[Feed]) -> tuple[Feed, dict[str, Array]]:
    """Return the first inputs on which a runner runs, with its outputs; of several of the same sizes, the most telling.

    Raises:
        CompileError: what the runner said about the last of them.
    """
    refused: CompileError | None = None
    found: tuple[Feed, dict[str, Array]] | None = None
    for feed in candidates:
        if found is not None and found[0].sizes != feed.sizes:
            break
        try:
            results = runner.run(feed.inputs)
        except CompileError as bad:
            refused = _tried(bad, feed)
            continue
        if all(map(_tells, results.values())):
            return feed, results
        found = found or (feed, results)
    if found is not None:
        return found
    raise refused or error("R017", "no sizes can be found for the inputs", help="give their shapes, or data")


def _tried(bad: CompileError, feed: Feed) -> CompileError:
    """Say in an error which sizes we chose."""
    if feed.is_choice:
        sizes = ", ".join(f"{name} = {size}" for name, size in feed.sizes.items())
        bad.diagnostics[-1].notes.append(f"tried last with {sizes}; give shapes or data to choose sizes")
    return bad


def _tells(result: Array) -> bool:
    """Whether some element of a result is a number."""
    return result.dtype.kind not in "fc" or result.size == 0 or bool(np.isfinite(result).any())


def runs(runner: Runner, feeding: Feeding = Feeding()) -> Iterator[tuple[Feed, dict[str, Array]]]:
    """Run with as many different choices of the named sizes as :data:`RUNS` says, or as the runner accepts.

    The first run begins with the states of a first call, the others with random ones: two if no size has a name.  The
    last of three has large numbers, so that what is limited reaches its limits.  If there are fewer, another run does
    that, unless these took long.

    Raises:
        CompileError: what the runner said about the last of those that were tried first.
    """
    begun = time.perf_counter()
    starting = (feed.starting(runner.first(feed.inputs)) for feed in feeds(runner.inputs, feeding))
    first, results = accepted(runner, starting)
    yield first, results
    seen = [first.sizes] if first.is_choice else []
    goes_on = not first.drawn.isdisjoint(runner.first(first.inputs))
    varies = first.is_choice or any(isinstance(feeding.domains.get(name), SizeDomain) for name in first.drawn)
    for number in range(1, RUNS if varies else 2 if goes_on else 1):
        others = (f for f in more_feeds(runner.inputs, first, number, feeding) if f.sizes not in seen)
        try:
            feed, results = accepted(runner, others)
        except CompileError:
            break  # it takes no other sizes
        if first.is_choice:
            seen.append(feed.sizes)
        yield feed, results
    is_affordable = len(seen) < RUNS and time.perf_counter() - begun < AFFORDABLE
    if feeding.large and is_affordable and _takes_large(runner, first):
        try:
            yield accepted(runner, large_feeds(runner.inputs, first, feeding))
        except CompileError:
            return  # it takes no larger integers


def _takes_large(runner: Runner, first: Feed) -> bool:
    """Say whether numbers of the inputs that we draw can be larger."""
    return any(runner.inputs[name].dtype.is_float or runner.inputs[name].dtype.is_int for name in first.drawn)

"""Mixed precision: which parts keep more digits, so that a bound is met and as little as possible is computed so.

Such a part computes in floats between its products, which round what they multiply by ranges of its own, or are
products of floats where there is no such kernel.  Parts are tried one at a time; how much nearer the outputs come is a
part's share of the noise.
Shares of independent roundings add up, so that the cheapest set of parts whose shares suffice is a knapsack problem,
which is solved exactly.  What is chosen is then measured; where noise does not add up, more is asked for.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from nhwcc.compiler.ir import Op
from nhwcc.compiler.opdef import Multiplies
from nhwcc.passes.quantization.names import value_names
from nhwcc.passes.quantization.quantize import Recipe
from nhwcc.passes.quantization.regions import integer_ops
from nhwcc.quantization.goal import MARGIN
from nhwcc.quantization.report import Candidate, Trial
from nhwcc.quantization.trials import Bench

PARTS = 24
"""Into how many parts a network is cut at most: each is tried."""

ROUNDS = 8
"""How often more is asked for; at last, of all parts."""

GROWTH = 1.2
"""How much more noise must go at least each time where too little has gone: shares overlap."""


@dataclass(frozen=True)
class Part:
    """Neighbouring operations: names of what they compute, products that they take, and their share of the noise."""

    names: tuple[str, ...]
    cost: float
    noise: float = 0.0


LEVELS: tuple[Literal["dynamic", "stored"], ...] = ("dynamic", "stored")
"""How parts keep more digits, in the order in which it is tried: products that round by themselves, or in floats."""


def mix(bench: Bench, base: Trial, progress: Callable[[str], None]) -> tuple[Trial, str]:
    """Return what meets a bound with as few products as possible that keep more digits, and what was found on the way.

    Raises:
        CompileError: as :meth:`~.trials.Bench.run`.
    """
    found = [(base, "")]
    for level in LEVELS if base.candidate.mode == "int8" else LEVELS[1:]:
        found.append(_Mixer(bench, base, level, progress).meet())
        if bench.goal.loss(found[-1][0]) <= MARGIN:
            return found[-1]
    return min(found, key=lambda f: bench.goal.loss(f[0]))


@dataclass
class _Mixer:
    """Finds the parts that keep more digits in one way, ``level``, so that a bound is met.

    What is lost is counted in shares of what may be.
    """

    bench: Bench
    base: Trial
    level: Literal["dynamic", "stored"]
    progress: Callable[[str], None]

    def meet(self) -> tuple[Trial, str]:
        """Return the best that was found, and say what it is."""
        before = self.bench.goal.loss(self.base)
        parts = [self._sensitive(part, before) for part in _parts(self.bench, self.base.candidate)]
        total = sum(part.cost for part in parts) or 1.0
        goal = before - MARGIN * min(before, 1.0)
        asked, best, kept = goal, self.base, list[Part]()
        for number in range(1, ROUNDS + 1):
            kept = _more(parts, asked, kept) if number < ROUNDS else parts
            self.progress(f"trying {len(kept)} of {len(parts)} parts with more digits")
            best = self._run([name for part in kept for name in part.names], on_held=True)
            after = self.bench.goal.loss(best)
            if after <= MARGIN:
                break
            reached = before - after
            asked *= min(max(goal / reached, GROWTH), GROWTH**2) if reached > 0 else GROWTH**2
        share = 100 * sum(part.cost for part in kept) / total
        text = f"{len(kept)} of {len(parts)} parts keep more digits for {self.bench.goal.text()}"
        return best, f"{text}: {share:.0f} % of all products"

    def _sensitive(self, part: Part, before: float) -> Part:
        """Find a part's share of the noise: how much of it goes if the part keeps more digits."""
        self.progress(f"keeping digits of {part.names[0]}")
        found = self._run(part.names)
        return replace(part, noise=max(before - self.bench.goal.loss(found), 0.0))

    def _run(self, names: Sequence[str], *, on_held: bool = False) -> Trial:
        candidate = replace(self.base.candidate, **{self.level: tuple(names)})
        return self.bench.run(candidate, on_held=on_held)


def _more(parts: Sequence[Part], noise: float, before: Sequence[Part]) -> list[Part]:
    """Return the cheapest parts for so much noise, for more where these are those that have been tried."""
    found = cheapest(parts, noise)
    while found == list(before) and noise < sum(part.noise for part in parts):
        noise *= GROWTH
        found = cheapest(parts, noise)
    return found


def _parts(bench: Bench, candidate: Candidate) -> list[Part]:
    """Cut the operations that compute with integers into parts, in the network's order."""
    names = value_names(bench.module.main)
    ops = _integer_ops(bench, candidate)
    size = -(-len(ops) // PARTS)
    groups = [ops[i : i + size] for i in range(0, len(ops), size)]
    return [Part(tuple(names[r] for op in group for r in op.results), sum(map(_cost, group))) for group in groups]


def _integer_ops(bench: Bench, candidate: Candidate) -> list[Op]:
    """Return the operations that compute with integers, given which values already have more digits."""
    func, kernels = bench.module.main, bench.target.integers
    assert kernels is not None
    names = value_names(func)
    recipe = Recipe(candidate.mode, keeps=tuple(bench.options.keep_float), dynamic=frozenset(candidate.dynamic))
    return list(
        integer_ops(func, kernels, lambda op: recipe.is_kept(op, names) or recipe.is_free(op, names), recipe.dtype)
    )


def _cost(op: Op) -> float:
    """What an operation costs in floats: its products, or its results where it has none."""
    count = op.macs() if isinstance(op, Multiplies) else op.results[0].type.size
    return float(count) if isinstance(count, int) else 1.0


def cheapest(parts: Sequence[Part], noise: float) -> list[Part]:
    """Return the parts of least cost whose shares of the noise come to ``noise``, all that have some if none suffice.

    Branch and bound over parts in the order of what they save for their cost; the bound takes a fraction of the last.

    >>> [p.names for p in cheapest([Part(("a",), 3, 2.0), Part(("b",), 1, 1.0), Part(("c",), 1, 1.1)], 2.0)]
    [('c',), ('b',)]
    """
    useful = sorted((p for p in parts if p.noise > 0), key=lambda p: (p.cost / p.noise, p.names))
    if sum(p.noise for p in useful) <= noise:
        return useful
    best: tuple[float, list[Part]] = (float("inf"), useful)
    stack: list[tuple[int, float, float, list[Part]]] = [(0, noise, 0.0, [])]
    while stack:
        i, left, cost, taken = stack.pop()
        if left <= 0:
            best = min(best, (cost, taken), key=lambda b: b[0])
            continue
        if i == len(useful) or cost + _least(useful[i:], left) >= best[0]:
            continue
        part = useful[i]
        stack.append((i + 1, left, cost, taken))
        stack.append((i + 1, left - part.noise, cost + part.cost, [*taken, part]))
    return best[1]


def _least(parts: Sequence[Part], noise: float) -> float:
    """What so much noise costs at least: the last part is taken in pieces."""
    cost = 0.0
    for part in parts:
        if part.noise >= noise:
            return cost + part.cost * noise / part.noise
        noise -= part.noise
        cost += part.cost
    return float("inf")

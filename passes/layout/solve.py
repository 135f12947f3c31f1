"""The cheapest assignment of modes to sites, and the proof that it is.

Changing the order of a value costs its bytes, once for every order that its readers want and its writer does not give.
Each component is solved in the cheapest exact way: by agreement (all want the same), by enumeration, or as an integer
program.  Components of the same form, which repeated blocks of a network give, are solved once.
"""

from __future__ import annotations

import math
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from itertools import product as combinations

from ...compiler.order import Order
from .candidates import Problem
from .parts import Component, Edge, Member, Part, components, split
from .program import fallback, integer_program
from .sites import Mode, Site

ENUMERATE = 256
"""Components with at most so many assignments are enumerated."""


@dataclass
class Solution:
    """The chosen mode of every site; ``cost`` and ``bound`` in bytes, equal if the optimum is proven.

    ``charge`` is what forms count that were taken instead of transposes, ``moves`` the number of transposes; ``costly``
    are the sites of components that need either.
    """

    modes: dict[Site, Mode] = field(default_factory=lambda: dict[Site, Mode]())
    cost: float = 0.0
    moves: float = 0.0
    bound: float = 0.0
    charge: int = 0
    costly: dict[Site, None] = field(default_factory=lambda: dict[Site, None]())


def solve(problem: Problem, until: float = math.inf) -> Solution:
    """Choose a mode for every site so that the transposed bytes are least.

    Components that are not solved ``until`` then, on the monotonic clock, keep what they have; ``bound`` says so.
    """
    parts = {site: split(site) for site in problem.sites}
    solution = Solution()
    known: dict[object, tuple[tuple[int, ...], float]] = {}
    for component in components(problem, parts):
        gap = _solve_component(component, known, until)
        cost = component.transposed()
        if component.cost():
            solution.costly |= dict.fromkeys(m.part.site for e in component.edges for m in e.members)
        solution.cost += cost
        solution.charge += component.charge()
        solution.moves += component.moves()
        solution.bound += max(0.0, cost - gap)
    solution.modes = assigned(parts)
    if not problem.is_complete or not all(s.is_complete for s in problem.sites):
        solution.bound = 0.0
    return solution


def assigned(parts: Mapping[Site, list[Part]]) -> dict[Site, Mode]:
    """Return the mode of every site with the options that its parts have chosen."""
    return {site: _mode(site, group) for site, group in parts.items()}


def _mode(site: Site, group: list[Part]) -> Mode:
    chosen = {port: o for part in group for port, o in zip(part.ports, part.options[part.chosen], strict=True)}
    return site.modes[tuple(chosen[port] for port in range(len(site.ports)))]


def _solve_component(component: Component, known: dict[object, tuple[tuple[int, ...], float]], until: float) -> float:
    """Choose options for all parts of a component; return how far the cost may be from the optimum."""
    if not component.parts:
        return 0.0
    agreement = _Agreement(component, until)
    least_charge = sum(min(p.charges) for p in component.parts)
    if agreement.reached() and (component.charge(), component.penalty()) == (least_charge, agreement.least_penalty):
        return 0.0
    if time.monotonic() > until:
        _agree_one_by_one(component)
        return fallback(component)[1]
    component.canonicalize()
    key = _signature(component)
    if key not in known:
        if math.prod(len(p.options) for p in component.parts) <= ENUMERATE:
            known[key] = _enumerate(component), 0.0
        else:
            _agree_one_by_one(component)
            known[key] = integer_program(component, until)
    options, gap = known[key]
    component.choose(options)
    return min(gap, component.cost())


def _signature(component: Component) -> object:
    """What decides the solution of a component: equal for components that differ in names only."""
    index = {part: i for i, part in enumerate(component.parts)}
    orders: dict[Order, int] = {}

    def numbers(some: Iterable[Order]) -> tuple[int, ...]:
        return tuple(orders.setdefault(o, len(orders)) for o in some)

    def shape(m: Member | None) -> object:
        return None if m is None else (index.get(m.part, -1), m.port, numbers(o[m.port] for o in m.part.options))

    def ways(e: Edge) -> object:
        return tuple(None if way is None else numbers(way) for way in e.ways())

    edges = tuple((e.weight, shape(e.writer), tuple(map(shape, e.readers)), ways(e)) for e in component.edges)
    return edges, tuple((tuple(p.penalties), tuple(p.charges)) for p in component.parts)


def _enumerate(component: Component) -> tuple[int, ...]:
    """Try all assignments: least bytes first, then fewest transposes, then least penalty."""
    best: tuple[float, float, int] = (math.inf, 0, 0)
    found: tuple[int, ...] = ()
    for options in combinations(*(range(len(p.options)) for p in component.parts)):
        component.choose(options)
        cost = component.cost(), component.moves(), component.penalty()
        if cost < best:
            best, found = cost, options
    return found


def _agree_one_by_one(component: Component) -> None:
    """Let every part agree as far as it can with those that come before it: quick, and seldom far from the optimum."""
    edges: dict[Part, list[Edge]] = {}
    for edge in component.edges:
        for member in edge.members:
            edges.setdefault(member.part, []).append(edge)
    waiting = set(component.parts)
    for part in component.parts:
        waiting.remove(part)
        moved = [0.0] * len(part.options)
        for edge in edges.get(part, ()):
            orders = {m.order for m in edge.members if m.part not in waiting and m.part is not part}
            for own in (m for m in edge.members if m.part is part):
                agreeing = {o for order in orders for o in own.options_with(order)}
                for option in range(len(moved)):
                    moved[option] += 0.0 if not orders or option in agreeing else edge.weight
        part.chosen = min(range(len(moved)), key=lambda o, p=part, m=moved: (m[o], p.penalties[o], o))


class _Agreement:
    """Looks for an assignment in which every value has one order everywhere; it costs nothing, so it is an optimum.

    No such assignment has less than ``least_penalty``; what reaches that is the best of all.
    """

    def __init__(self, component: Component, until: float) -> None:
        self.component = component
        self.least_penalty = 0
        self.until = until
        self.left: dict[Part, set[int]] = {p: set(range(len(p.options))) for p in component.parts}
        self.edges: dict[Part, list[Edge]] = {p: [] for p in component.parts}
        for e in component.edges:
            for m in e.members:
                if m.part in self.edges:
                    self.edges[m.part].append(e)

    def reached(self) -> bool:
        """Choose such an assignment, if the search finds one."""
        if not self._shrink(self.component.edges):
            return False
        penalties = {p: {p.penalties[o] for o in self.left[p]} for p in self.component.parts}
        self.least_penalty = sum(min(some) for some in penalties.values())
        for part in sorted(self.component.parts, key=lambda p: len(penalties[p]) == 1):
            if len(self.left[part]) > 1:
                self.left[part] = {
                    min(self.left[part], key=lambda option, p=part: (p.charges[option], p.penalties[option], option))
                }
                if not self._shrink(self.edges[part]):
                    return False
            (part.chosen,) = self.left[part]
        return True

    def _options(self, part: Part) -> set[int]:
        return self.left.get(part, {part.chosen})

    def _shrink(self, edges: Iterable[Edge]) -> bool:
        """Drop options that don't fit the neighbours', over and over; False if nothing is left of a part."""
        queue = list(edges)
        while queue:
            if time.monotonic() > self.until:
                return False
            edge = queue.pop()
            allowed = self._allowed(edge)
            for m in edge.members:
                before = self._options(m.part)
                after = {o for o in before if m.part.options[o][m.port] in allowed}
                if not after:
                    return False
                if after != before and m.part in self.left:
                    self.left[m.part] = after
                    queue += self.edges[m.part]
        return True

    def _allowed(self, edge: Edge) -> set[Order]:
        first, *others = ({m.part.options[o][m.port] for o in self._options(m.part)} for m in edge.members)
        return first.intersection(*others)

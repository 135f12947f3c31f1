"""Parts and edges: the assignment problem in small, with orders as the only thing that sites and values have left.

Ports of a site whose orders don't depend on each other come apart, and a part with one option separates what is on its
two sides; so the problem falls into small components.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ...compiler.dims import Dim
from ...compiler.ir import Value
from ...compiler.order import Order, relayout_way, share_cut
from .candidates import Problem
from .sites import Mode, Site, value_bytes

ROUNDS = 4
"""How many edges away parts are looked at to tell them apart."""


@dataclass(eq=False)
class Part:
    """Ports of a site whose orders depend on each other, with the combinations of orders they can have."""

    site: Site
    ports: tuple[int, ...]
    options: list[tuple[Order, ...]]
    penalties: list[int]
    charges: list[int]
    chosen: int = 0
    _with: dict[int, dict[Order, list[int]]] = field(default_factory=lambda: dict[int, dict[Order, list[int]]]())

    def options_with(self, port: int, order: Order) -> list[int]:
        """The options in which a port has an order."""
        if port not in self._with:
            found = self._with[port] = dict[Order, list[int]]()
            for i, orders in enumerate(self.options):
                found.setdefault(orders[port], []).append(i)
        return self._with[port].get(order, [])

    def sort_options(self) -> None:
        """Sort the options by how little they count, then by their orders; the chosen one stays chosen."""
        kept = self.options[self.chosen]
        rows = zip(self.charges, self.penalties, [list(map(str, o)) for o in self.options], self.options, strict=True)
        self.charges, self.penalties, _, self.options = map(list, zip(*sorted(rows, key=lambda r: r[:3]), strict=True))
        self.chosen = self.options.index(kept)
        self._with.clear()

    @property
    def is_open(self) -> bool:
        """Whether there are several options to choose from."""
        return len(self.options) > 1


@dataclass(frozen=True)
class Member:
    """One port of a part: an operand or a result of its operation."""

    part: Part
    port: int

    @property
    def order(self) -> Order:
        """The order that the port has with the option chosen now."""
        return self.part.options[self.part.chosen][self.port]

    @property
    def possible(self) -> tuple[Order, ...]:
        """The orders that the port can have, over all options of the part."""
        return tuple(dict.fromkeys(option[self.port] for option in self.part.options))

    def options_with(self, order: Order) -> list[int]:
        """The options in which the port has an order."""
        return self.part.options_with(self.port, order)


@dataclass(eq=False)
class Edge:
    """A value of ``size`` elements between the parts that touch it; it has no writer if it is a constant."""

    weight: float
    size: Dim
    writer: Member | None = None
    readers: list[Member] = field(default_factory=lambda: list[Member]())

    @property
    def members(self) -> list[Member]:
        """The writer, if there is one, and the readers."""
        return [*([self.writer] if self.writer else []), *self.readers]

    def moves(self) -> float:
        """Transposes with the options chosen now, each order made once; infinite if no transposes make one."""
        if self.writer is None:
            return 0
        given = self.writer.order
        ways = [relayout_way(self.size, given, order) for order in {r.order for r in self.readers} - {given}]
        return math.inf if None in ways else len({order for way in ways for order in way or ()})

    def cost(self) -> float:
        """Bytes to transpose with the options chosen now."""
        return self.weight * self.moves()

    @property
    def offered(self) -> tuple[Order, ...]:
        """The orders in which the writer may give the value."""
        return () if self.writer is None else self.writer.possible

    @property
    def wanted(self) -> tuple[Order, ...]:
        """The orders in which readers may want the value, without repetition."""
        return tuple(dict.fromkeys(order for r in self.readers for order in r.possible))

    @property
    def is_direct(self) -> bool:
        """Whether one transpose is known to lead from each order that the writer may give to each that is wanted."""
        return share_cut(dict.fromkeys((*self.offered, *self.wanted)))

    def ways(self) -> Iterator[tuple[Order, ...] | None]:
        """The orders on the way from each one that the writer may give to each that a reader may want.

        None are listed where each is direct.
        """
        for given in () if self.is_direct else self.offered:
            yield from (relayout_way(self.size, given, order) for order in self.wanted)


@dataclass
class Component:
    """Edges that are tied together by parts with a choice."""

    parts: list[Part] = field(default_factory=lambda: list[Part]())
    edges: list[Edge] = field(default_factory=lambda: list[Edge]())

    def transposed(self) -> float:
        """Bytes to transpose with the options chosen now."""
        return sum(e.cost() for e in self.edges)

    def charge(self) -> int:
        """What the options chosen now count beside, because they are slower than others."""
        return sum(p.charges[p.chosen] for p in self.parts)

    def cost(self) -> float:
        """The objective: transposed bytes, plus what slower forms are charged."""
        return self.transposed() + self.charge()

    def moves(self) -> float:
        """Return how many transposes the options chosen now need."""
        return sum(e.moves() for e in self.edges)

    def penalty(self) -> int:
        """Return the penalties of the options chosen now, summed up."""
        return sum(p.penalties[p.chosen] for p in self.parts)

    def canonicalize(self) -> None:
        """Bring parts, their options and edges into an order that follows from the graph, not from the program.

        Of solutions that are equally good, the same one is found then.  Parts are told apart by their options and by
        what the edges tie them to, :data:`ROUNDS` edges away (Weisfeiler and Leman's refinement).
        """
        for part in self.parts:
            part.sort_options()
        rank = _ranks({p: (p.penalties, p.charges, [list(map(str, o)) for o in p.options]) for p in self.parts})
        for _ in range(ROUNDS):
            tied: dict[Part, list[object]] = {p: [] for p in self.parts}
            for edge in self.edges:
                ends = [(rank.get(m.part, -1), m.port, m is edge.writer) for m in edge.members]
                for m, end in zip(edge.members, ends, strict=True):
                    if m.part in tied:
                        tied[m.part].append((edge.weight, end, sorted(ends)))
            rank = _ranks({p: (rank[p], sorted(map(repr, tied[p]))) for p in self.parts})
        self.parts.sort(key=lambda p: rank[p])
        self.edges.sort(key=lambda e: (e.weight, sorted((rank.get(m.part, -1), m.port) for m in e.members)))
        for edge in self.edges:
            edge.readers.sort(key=lambda m: (rank.get(m.part, -1), m.port))

    def choose(self, options: Sequence[int]) -> None:
        """Choose an option for every part, by its number, in the parts' order."""
        for part, option in zip(self.parts, options, strict=True):
            part.chosen = option


def _ranks(keys: Mapping[Part, Any]) -> dict[Part, int]:
    """Number parts by their keys, alike ones alike."""
    texts = {part: repr(key) for part, key in keys.items()}
    number = {text: i for i, text in enumerate(sorted(set(texts.values())))}
    return {part: number[text] for part, text in texts.items()}


def split(site: Site) -> list[Part]:
    """Cut a site's ports into groups whose orders are independent of each other."""
    modes = list(site.modes.values())
    everything = tuple(range(len(site.ports)))
    if len(modes) == 1 or any(m.penalty or m.charge for m in modes):
        penalties, charges = [m.penalty for m in modes], [m.charge for m in modes]
        return [Part(site, everything, [m.orders for m in modes], penalties, charges)]
    parts: list[Part] = []
    rest = everything
    for port in everything:
        others = tuple(p for p in rest if p != port)
        alone, remaining, together = (_part(site, modes, ports) for ports in ((port,), others, rest))
        if others and len(alone.options) * len(remaining.options) == len(together.options):
            parts.append(alone)
            rest = others
    return [*parts, _part(site, modes, rest)]


def _part(site: Site, modes: list[Mode], ports: tuple[int, ...]) -> Part:
    options = list(dict.fromkeys(tuple(m.orders[p] for p in ports) for m in modes))
    return Part(site, ports, options, [0] * len(options), [0] * len(options))


def _edge(value: Value, touching: list[tuple[bool, Member]]) -> Edge:
    writer = next((m for is_result, m in touching if is_result), None)
    return Edge(value_bytes(value), value.type.size, writer, [m for is_result, m in touching if not is_result])


def components(problem: Problem, parts: dict[Site, list[Part]]) -> list[Component]:
    """Group the problem's edges by the parts with a choice that tie them together."""
    member = {
        (site, port): Member(part, i)
        for site, group in parts.items()
        for part in group
        for i, port in enumerate(part.ports)
    }
    leader: dict[object, object] = {}

    def find(x: object) -> object:
        while leader.setdefault(x, x) is not x:
            leader[x] = leader[leader[x]]
            x = leader[x]
        return x

    edges = [
        _edge(v, [(s.ports[i].is_result, member[s, i]) for s, i in touching])
        for v, touching in problem.touching.items()
    ]
    for edge in edges:
        for m in edge.members:
            if m.part.is_open:
                leader[find(m.part)] = find(edge)
    groups: dict[object, Component] = {}
    for edge in edges:
        groups.setdefault(find(edge), Component()).edges.append(edge)
    for group in parts.values():
        for part in group:
            if part.is_open:
                groups[find(part)].parts.append(part)
    return list(groups.values())

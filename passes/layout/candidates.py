"""Candidates: which storage orders can matter for each value.

Orders start at the sites that ask for one and spread over operations that carry them.  Where these suffice to avoid
every transpose, no other can do better.  Where not, the sites concerned are flooded: operations that leave all axes
open get every order of them, whether asked for or not.  What names some axes, such as a convolution, keeps the others
in the source's order or in one that some site asks for.
"""

from __future__ import annotations

import math
import time
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

from ...compiler.fold import constant
from ...compiler.ir import Func, Op, Region, Value
from ...compiler.ir import Port as Interface
from ...compiler.opdef import View
from ...compiler.options import Channels
from ...compiler.order import Order
from .sites import FixedSite, Form, FormSite, FreeSite, Mode, Port, Site, ViewedFormSite, ViewSite, viewed

MAX_ORDERS = 256
"""Orders per value; if there are more, the result is not proven."""

Pin = Callable[[Interface, Value], tuple[int, ...] | None]
"""Which axis of an input or output lies where if that is fixed, None if it is free."""


@dataclass
class Problem:
    """All sites of a region; for every value, who touches it and which site asked first for which order.

    ``outer`` are the values that the region reads from outside; they come in their own order.  ``until`` is when the
    search for orders ends, on the monotonic clock; with what is found until then, the result is not proven.
    """

    region: Region
    sites: list[Site] = field(default_factory=lambda: list[Site]())
    touching: dict[Value, list[tuple[Site, int]]] = field(default_factory=lambda: dict[Value, list[tuple[Site, int]]]())
    orders: dict[Value, dict[Order, Site]] = field(default_factory=lambda: dict[Value, dict[Order, Site]]())
    by_op: dict[Op, Site] = field(default_factory=lambda: dict[Op, Site]())
    inputs: list[Site] = field(default_factory=lambda: list[Site]())
    outputs: list[Site] = field(default_factory=lambda: list[Site]())
    outer: list[Site] = field(default_factory=lambda: list[Site]())
    is_complete: bool = True
    until: float = math.inf

    def add(self, site: Site) -> Site:
        """Register a site with the values it touches."""
        self.sites.append(site)
        if site.op is not None:
            self.by_op[site.op] = site
        for i, port in enumerate(site.ports):
            self.touching.setdefault(port.value, []).append((site, i))
        return site


@dataclass(frozen=True)
class Kernels:
    """What a target's kernels want: where channels lie, whether products transpose computed matrices themselves.

    And whether norms run along axes whose numbers lie apart.
    """

    channels: Channels = "last"
    transposed_products: bool = True
    strided_norms: bool = True

    def take(self, form: Form, op: Op) -> bool:
        """Say whether there are kernels for a form."""
        if form.channels not in (None, self.channels) or (form.strided and not self.strided_norms):
            return False
        if self.transposed_products or all(v is None or v.type.rank == MATRIX for v in op.operands):
            return True
        return all(constant(op.operands[i]) is not None for i in form.transposed)


MATRIX = 2
"""Rank of what any target transposes as it multiplies."""


def collect(func: Func, region: Region, pin: Pin, kernels: Kernels, until: float = math.inf) -> Problem:
    """Make the sites of a region and spread the orders that they ask for."""
    problem = Problem(region, until=until)
    is_body = region is func.body
    for i, arg in enumerate(region.args):
        problem.inputs.append(
            problem.add(
                _interface_site(arg, True, pin(func.inputs[i], arg) if is_body else tuple(range(arg.type.rank)))
            )
        )
    if not is_body:
        problem.outer += [problem.add(FixedSite([Port(v, is_result=True)], None)) for v in _captured((region,))]
    for op in _by_structure(region):
        if op.spec.is_terminator:
            for i, value in enumerate(region.returns):
                axes = pin(func.outputs[i], value) if is_body else tuple(range(value.type.rank))
                problem.outputs.append(problem.add(_interface_site(value, False, axes)))
        elif constant_result(op) is None:
            problem.add(_site(op, kernels))
            for value in _captured(op.regions):
                problem.add(FixedSite([Port(value, is_result=False)], None))
    _spread(problem)
    return problem


def _by_structure(region: Region) -> list[Op]:
    """The operations in an order that follows from what reads what: any other program order of them gives the same."""
    out: dict[Op, None] = {}
    for root in (region.terminator, *region.ops):
        pending = [root]
        while pending:
            op = pending[-1]
            owners = [v.owner for v in (*op.operands, *_captured(op.regions)) if v is not None]
            missing = [o for o in owners if o is not None and o.parent is region and o not in out]
            if missing:
                pending += reversed(missing)
            else:
                out.setdefault(pending.pop())
    return list(out)


def constant_result(op: Op) -> object | None:
    """Return something if the operation is a constant."""
    return constant(op.results[0]) if op.results else None


def _interface_site(value: Value, is_result: bool, axes: tuple[int, ...] | None) -> Site:
    port = Port(value, is_result=is_result)
    return FreeSite([port], None) if axes is None else FixedSite([port], None, axes)


def _captured(regions: Sequence[Region]) -> list[Value]:
    """Values that regions read from outside; they read them in their own order."""
    ops = [op for r in regions for op in r.walk()]
    inside = {v for op in ops for v in op.results}
    inside |= {a for r in (*regions, *(n for op in ops for n in op.regions)) for a in r.args}
    read = dict.fromkeys(v for op in ops for v in op.operands if v is not None)
    return [v for v in read if v not in inside and constant(v) is None]


def _site(op: Op, kernels: Kernels) -> Site:
    ports = [Port(v, is_result=False) for v in op.operands if v is not None and constant(v) is None]
    ports += [Port(v, is_result=True) for v in op.results]
    if any(port.value.type.size == 0 for port in ports):
        return FixedSite(ports, op)  # where there are no elements, there is nothing to order
    if op.spec.has(View) and op.spec.axes is None:
        assert op.operands[0] is not None
        if not viewed(op, 0, Order.natural(op.operands[0].type.shape)):
            return FixedSite(ports, op)  # sizes leave open what goes where
        return ViewSite([Port(op.operands[0], is_result=False), Port(op.result, is_result=True)], op)
    axes = op.spec.axes_of(op)
    if axes is not None:
        forms: list[Form] = [f for f in axes.forms if kernels.take(f, op)]
        if forms:
            return (ViewedFormSite if op.spec.has(View) else FormSite)(op, axes, forms)
    return FixedSite(ports, op)


def flood(problem: Problem, sites: Iterable[Site]) -> None:
    """Give the sites, and all that hang together with them, every order that their own demands allow."""
    spread = _Spread(problem, carriers_only=True)
    for site in _around(problem, sites):
        if time.monotonic() > problem.until:
            problem.is_complete = False
            return
        spread.offer(site, site.flood(), site)
    spread.drain()


def _around(problem: Problem, sites: Iterable[Site]) -> dict[Site, None]:
    """The sites, and what can be reached from them over sites that can be flooded or only carry orders."""
    found = dict.fromkeys(sites)
    queue = deque(found)
    while queue:
        site = queue.popleft()
        if not (site.can_flood or site.carries):
            continue
        for port in site.ports:
            for other, _ in problem.touching[port.value]:
                if other not in found:
                    found[other] = None
                    queue.append(other)
    return found


def _spread(problem: Problem) -> None:
    """Hand every order of a value to all sites that touch it, until nothing new comes up."""
    spread = _Spread(problem)
    for site in problem.sites:
        spread.offer(site, site.seed(), site)
    spread.drain()
    for site in problem.sites:
        for number, port in enumerate(
            site.ports if not site.modes else ()
        ):  # nothing reached it: it hangs on constants
            spread.offer(site, site.hint(number, Order.natural(port.value.type.shape)), site)
            spread.drain()


class _Spread:
    def __init__(self, problem: Problem, *, carriers_only: bool = False) -> None:
        self.problem = problem
        self.carriers_only = carriers_only
        self.queue: deque[tuple[Value, Order]] = deque()

    def offer(self, site: Site, modes: list[Mode], cause: Site) -> None:
        """Queue what a site's new modes mean for the values it touches."""
        problem = self.problem
        for mode in modes:
            for port, order in zip(site.ports, mode.orders, strict=True):
                known = problem.orders.setdefault(port.value, {})
                if order in known:
                    continue
                if len(known) >= MAX_ORDERS:
                    problem.is_complete = False
                    continue
                known[order] = cause
                self.queue.append((port.value, order))

    def drain(self) -> None:
        """Hand on what is queued."""
        while self.queue:
            if time.monotonic() > self.problem.until:
                self.problem.is_complete = False
                self.queue.clear()
                return
            value, order = self.queue.popleft()
            for site, port in self.problem.touching[value]:
                if not self.carriers_only or site.carries:
                    self.offer(site, site.hint(port, order), self.problem.orders[value][order])

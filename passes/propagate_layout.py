"""propagate-layout: chooses layouts with provably the fewest transposed bytes."""

from __future__ import annotations

import math
import time
from collections.abc import Collection, Iterator
from dataclasses import replace

from ..compiler.diagnostics import Remark, remark
from ..compiler.ir import Func, Module, Port, Region, Value
from ..compiler.layouts import Layouts, does_not_fit, general_perm, layout_perm, letters_of, parse_io_layout
from ..compiler.options import Channels, Norms, Products
from ..compiler.order import Order, axis_order
from ..compiler.pipeline import Pass, register
from .layout.candidates import Kernels, Problem, collect, flood
from .layout.proof import ASSIGNMENT, assignment
from .layout.realize import realize
from .layout.sites import FormSite, Site, value_bytes
from .layout.solve import Solution, solve
from .layout.storage import Moved, place


@register(ASSIGNMENT)
class PropagateLayout(Pass):
    """Choose a storage order for every value so that the bytes transposed are least, and prove it.

    Transposes and reshapes of the source dissolve into relabellings; operations say in which orders they run;
    what remains is the least that the target's own demands allow.  ``io-layout`` pins inputs and outputs: ``free``
    (the default) stores them as it is cheapest, ``keep`` as the source does, ``nhwc`` with the channels last; a list
    ``NAME=nchw;NAME=0/2/1`` pins some by name.  ``channels`` is what the target's convolutions want.

    ``time-limit`` is in seconds, for the whole search in a region.  Where it ends the search, the result is the best
    that was found, and the report says how far it may be from the optimum.  ``products`` says whether the target's
    matrix products take computed matrices ``transposed``, or only ``straight``; ``norms``, whether those of layers run
    along ``any`` axis, or only along what is stored ``last``.
    """

    io_layout: str = "free"
    channels: Channels = "last"
    products: Products = "transposed"
    norms: Norms = "any"
    time_limit: float = 30.0

    def run(self, module: Module) -> None:
        """Solve and rewrite every region of every function; nested regions keep their interfaces."""
        given = Pins.of(self.io_layout)
        for func in module.funcs.values():
            _name_axes(func)
            pins = given.holding({p.name for p in func.inputs} & {p.name for p in func.outputs})
            for op in list(func.walk()):
                for region in op.regions:
                    self._region(func, region, pins)
            self._region(func, func.body, pins)

    def _region(self, func: Func, region: Region, pins: Pins) -> None:
        start = time.monotonic()
        kernels = Kernels(self.channels, self.products == "transposed", self.norms == "any")
        problem = collect(func, region, pins.axes, kernels, start + self.time_limit / 3)
        solution = self._solve(problem, start)
        inputs, outputs, moved = realize(problem, solution)
        if region is func.body:
            for port, axes in zip((*func.inputs, *func.outputs), (*inputs, *outputs), strict=True):
                port.perm = _compose(port.perm, axes)
        ports = (*func.inputs, *func.outputs)
        _report(problem, solution, moved, last=any(port.axes.endswith("C") for port in ports))

    def _solve(self, problem: Problem, start: float) -> Solution:
        """Solve with the orders that somebody asks for; others only where they save bytes or transposes.

        Each third of the time is for one step: orders that are asked for, their solution, and all other orders.

        Of solutions that cost the same, the orders of the source give the simplest reshapes.
        """
        asked = solve(problem, start + self.time_limit * 2 / 3)
        if asked.cost + asked.charge == 0:
            return asked
        problem.until = start + self.time_limit * 5 / 6
        flood(problem, asked.costly)
        flooded = solve(problem, start + self.time_limit)
        is_better = (flooded.cost + flooded.charge, flooded.moves) < (asked.cost + asked.charge, asked.moves)
        return flooded if is_better else replace(asked, bound=flooded.bound + flooded.charge - asked.charge)


class Pins:
    """Which inputs and outputs have a fixed layout."""

    def __init__(self, layouts: Layouts, held: Collection[str] = ()) -> None:
        self.layouts = layouts
        self.held = held

    @staticmethod
    def of(text: str) -> Pins:
        """Read which inputs and outputs are pinned; see :func:`~nhwcc.compiler.layouts.parse_io_layout`."""
        return Pins(parse_io_layout(text))

    def holding(self, names: Collection[str]) -> Pins:
        """Return pins where some that would be free are kept: what comes out under an input's name is fed in again."""
        return Pins(self.layouts, names)

    def axes(self, port: Port, value: Value) -> tuple[int, ...] | None:
        """Return which axis of the value lies where, None if it is free.

        Raises:
            CompileError: L005, the layout does not fit the rank.
        """
        named = self.layouts.named.get(port.name)
        wanted = self.layouts.default if named is None else named
        if wanted == "free" and port.name not in self.held:
            return None
        wanted = "keep" if wanted == "free" else wanted
        source, rank = port.perm or tuple(range(value.type.rank)), value.type.rank
        perm = general_perm(wanted, rank, port.axes) if named is None else layout_perm(wanted, rank, port.axes)
        if perm is None:
            raise does_not_fit(port.name, str(value.type), wanted, rank)
        return tuple(source.index(p) for p in perm)


def _name_axes(func: Func) -> None:
    """Give inputs and outputs the letters of their axes if nobody did: the source has channels where its windows do."""
    places = {bool(op.attributes["channels_last"]) for op in func.walk() if "channels_last" in op.attributes}
    for port, value in zip((*func.inputs, *func.outputs), (*func.args, *func.returns), strict=True):
        if not port.axes and port.perm is None and places == {True}:
            port.axes = letters_of(value.type.rank, last=True)


def _compose(before: tuple[int, ...] | None, axes: tuple[int, ...]) -> tuple[int, ...] | None:
    """Source axes after another permutation; None if they are in the source's order."""
    perm = axes if before is None else tuple(before[a] for a in axes)
    return None if perm == tuple(range(len(perm))) else perm


def _report(problem: Problem, solution: Solution, moved: list[Moved], *, last: bool) -> None:
    cost, bound = round(solution.cost), math.ceil(solution.bound)
    facts = {"transposes": len(moved), "bytes": cost, "bound": bound, "charge": solution.charge}
    remark(Remark("note", ASSIGNMENT, assignment(len(moved), cost, bound, solution.charge), facts=facts))
    for m in moved:
        source, have = next(
            (s, solution.modes[s].orders[i]) for s, i in problem.touching[m.value] if s.ports[i].is_result
        )
        writer = problem.orders[m.value].get(have)
        text = (
            f"{m.value.name or 'a value'}, {m.value.type}, {value_bytes(m.value):,} bytes: "
            f"{writer.label if writer else 'its writer'} has it as {describe(have, m.value, last=last)}, "
            f"{m.reader.label} reads it as {describe(m.order, m.value, last=last)}"
        )
        near = (source, m.reader, *_behind(m.reader, problem))
        slower = [s.label for s in near if _has_slower_form(s, solution)]
        text += f"; {slower[0]} can run without the transpose, but slower" if slower else ""
        remark(Remark("note", ASSIGNMENT, text, m.reader.op.location if m.reader.op else None))


def _behind(site: Site, problem: Problem) -> Iterator[Site]:
    """Yield what reads a value behind operations that hand every order on, such as reshapes."""
    for port in site.ports if site.carries else ():
        for other, i in problem.touching[port.value] if port.is_result else ():
            if not other.ports[i].is_result:
                yield other
                yield from _behind(other, problem)


def _has_slower_form(site: Site, solution: Solution) -> bool:
    """Whether an operation has a form that may save a transpose, and was not taken because it runs slower."""
    chosen = solution.modes[site].form
    return isinstance(site, FormSite) and (chosen is None or not chosen.moves) and any(f.moves for f in site.axes.forms)


def describe(order: Order, value: Value, *, last: bool = False) -> str:
    """Return an order in words: letters for images, axis numbers else; ' marks permuted positions along an axis.

    ``last`` says that the source has its channels last.

    >>> from nhwcc.compiler.types import parse_type
    >>> describe(Order.of_axes((1, 3, 4, 5), (0, 2, 3, 1)), Value(parse_type("f32[1,3,4,5]")))
    'NHWC'
    """
    shape = value.type.shape
    cut = order.by_axes(shape)
    groups = None if cut is None else axis_order(cut)
    if groups is None:
        return f"pieces {order}"
    axes = place([axis for axis, _ in groups], range(len(shape)), ())
    permuted = {axis for axis, pieces in groups if pieces != ((shape[axis], 1),)}
    letters = letters_of(len(shape), last=last) or "0123456789"[: len(shape)]
    return "".join(letters[a] + "'" * (a in permuted) for a in axes)

"""The rewrite: every value in its chosen order, transposes only where two orders meet."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ...compiler.axes import Form, Names
from ...compiler.diagnostics import at
from ...compiler.dims import Shape
from ...compiler.ir import Op, Value
from ...compiler.ops.shape import Transpose, inverse
from ...compiler.order import Order
from .candidates import Problem
from .sites import FixedSite, FormSite, Mode, Port, Site, ViewedFormSite, ViewSite, axes_in_order, build_order
from .solve import Solution
from .storage import Moved, Storage, Stored, contiguous_axes, place


def realize(problem: Problem, solution: Solution) -> tuple[list[tuple[int, ...]], list[tuple[int, ...]], list[Moved]]:
    """Rewrite a region; return which axes of the source the axes of arguments and returns are, and the transposes."""
    rewriter = _Realizer(problem, solution)
    for site in problem.outer:
        rewriter.keep(site.ports[0].value)
    inputs = [rewriter.input(site) for site in problem.inputs]
    body, (terminator,) = [op for op in problem.region.ops if not op.spec.is_terminator], [problem.region.terminator]
    for op in body:
        rewriter.rewrite(op)
    outputs = rewriter.returns(terminator)
    for op in reversed(rewriter.old):
        problem.region.erase(op)
    return inputs, outputs, rewriter.storage.moved


class _Realizer:
    def __init__(self, problem: Problem, solution: Solution) -> None:
        self.problem = problem
        self.modes = solution.modes
        self.storage = Storage(problem.region)
        self.old: list[Op] = []

    # The interface

    def input(self, site: Site) -> tuple[int, ...]:
        """Give an argument its stored shape; return its axes."""
        arg, order = site.ports[0].value, self.modes[site].orders[0]
        natural = tuple(range(arg.type.rank))
        axes = site.axes if isinstance(site, FixedSite) else self._wished_axes(arg, order)
        if axes is None:
            axes = place(axes_in_order(order, arg) or (), natural, ())
        new = arg
        if axes != natural:
            new = Value(arg.type.with_shape([arg.type.shape[a] for a in axes]), None, arg.name)
            args = self.problem.region.args
            args[args.index(arg)] = new
        self.storage.stored[arg] = Stored(new, order, axes)
        return axes

    def _wished_axes(self, arg: Value, order: Order) -> tuple[int, ...] | None:
        """Where the first reader that cares wants the axes of size one."""
        for site, number in self.problem.touching[arg]:
            mode = self.modes[site]
            if isinstance(site, FormSite) and mode.form is not None and mode.orders[number] == order:
                pattern = site.pattern(mode.form, site.ports[number])
                if any(isinstance(item, str) for item in pattern or ()):
                    return site_axes(site, mode.form, site.ports[number], self._sequence(site, mode))
        return None

    def returns(self, op: Op) -> list[tuple[int, ...]]:
        """Point the terminator at the stored values; return their axes."""
        out: list[tuple[int, ...]] = []
        slots = [slot for slot, v in enumerate(op.operands) if v is not None]
        for slot, site in zip(slots, self.problem.outputs, strict=True):
            value, order = site.ports[0].value, self.modes[site].orders[0]
            axes = site.axes if isinstance(site, FixedSite) else None
            have = self.storage.stored.get(value)
            if axes is None and have is not None and have.order == order:
                axes = have.axes
            if axes is None:
                axes = place(axes_in_order(order, value) or (), tuple(range(value.type.rank)), ())
            shape = tuple(value.type.shape[a] for a in axes)
            op.set_operand(slot, self.storage.fetch(value, order, axes, shape, (site, op)))
            out.append(axes)
        return out

    # Operations

    def keep(self, value: Value) -> None:
        """Note that a value stays as it is."""
        self.storage.stored[value] = Stored(value, Order.natural(value.type.shape), tuple(range(value.type.rank)))

    def rewrite(self, op: Op) -> None:
        """Rewrite one operation of the region."""
        site = self.problem.by_op.get(op)
        if site is None:  # a constant: made anew in the order in which it is read
            self.old.append(op)
            return
        mode = self.modes[site]
        with at(op.location):
            if isinstance(site, FormSite) and mode.form is not None:
                self._form(op, site, mode, mode.form)
            elif isinstance(site, ViewSite | ViewedFormSite):
                self._view(op, site, mode)
            else:
                self._natural(op, site)

    def _natural(self, op: Op, site: Site) -> None:
        """Keep an operation that runs in the source's order only; its regions read what is outside of them so, too."""
        for reader in (op, *(o for r in op.regions for o in r.walk())):
            for slot, v in enumerate(reader.operands):
                if v is not None and (reader is op or v in self.storage.stored or v.owner in self.old):
                    reader.set_operand(slot, self.storage.natural(v, (site, op)))
        for result in op.results:
            self.keep(result)

    def _view(self, op: Op, site: Site, mode: Mode) -> None:
        """A transpose vanishes; a reshape stays only where shapes differ."""
        assert op.operands[0] is not None
        self.old.append(op)
        result, order = op.result, mode.orders[1]
        have = self.storage.in_order(op.operands[0], mode.orders[0], (site, op))
        if isinstance(op, Transpose) and have.axes is not None:
            back = inverse(op.perm)
            self.storage.stored[result] = Stored(have.value, order, tuple(back[a] for a in have.axes))
        elif (whole := contiguous_axes(order, result)) is None:
            self.storage.stored[result] = Stored(have.value, order, None)
        else:
            axes = place(whole, tuple(range(result.type.rank)), ())
            new = self.storage.reshape(have.value, tuple(result.type.shape[a] for a in axes), op)
            self.storage.stored[result] = Stored(new, order, axes)
        new = self.storage.stored[result].value
        new.name = new.name or result.name

    def _form(self, op: Op, site: FormSite, mode: Mode, form: Form) -> None:
        """Rebuild an operation in its chosen form: operands fetched, attributes renumbered."""
        self.old.append(op)
        sequence = self._sequence(site, mode)
        operands: list[Value | None] = []
        for slot, value in enumerate(op.operands):
            letters = site.axes.operands[slot]
            if value is None:
                operands.append(None)
            elif letters is None:
                operands.append(self.storage.natural(value, (site, op)))
            else:
                port = Port(value, is_result=False, letters=letters, position=slot)
                operands.append(self._operand(op, site, mode, port, sequence))
        if form.swap:
            operands.reverse()
        attributes = {**op.attributes, **renumbered(op, site, form, sequence), **form.attributes}
        new = self.problem.region.insert(op.spec.build(type(op), operands, attributes, op.regions), before=op)
        for i, (old, value) in enumerate(zip(op.results, new.results, strict=True)):
            port = Port(old, is_result=True, letters=site.axes.results[i], position=i)
            axes = site_axes(site, form, port, sequence)
            if value.type != old.type.with_shape([old.type.shape[a] for a in axes]):
                raise op.fail("I004", f"with axes {list(axes)}, {op.spec.name} gives {value.type}")
            value.name = old.name
            order = build_order(port, site.port_letters(form, port, sequence), mode.index)
            self.storage.stored[old] = Stored(value, order, axes)

    def _operand(self, op: Op, site: FormSite, mode: Mode, port: Port, sequence: tuple[str, ...]) -> Value:
        """Fetch one operand in the order and shape that the form asks for."""
        assert mode.form is not None
        letters = site.port_letters(mode.form, port, sequence)
        order = build_order(port, letters, mode.index)
        axes = site_axes(site, mode.form, port, sequence)
        shape: Shape = tuple(port.value.type.shape[a] for a in axes)
        if site.axes.broadcasts and shape:
            full = site.port_letters(mode.form, port, sequence, padded=True)
            while full[0] not in letters:
                full = full[1:]
            sizes = dict(zip(letters, shape, strict=True))
            shape = tuple(sizes.get(x, 1) for x in full)
        return self.storage.fetch(port.value, order, axes if len(axes) == len(shape) else None, shape, (site, op))

    def _sequence(self, site: FormSite, mode: Mode) -> tuple[str, ...]:
        """The common letters in one sequence: the chosen one, letters of size one where the data has them now."""
        assert mode.form is not None
        lead: tuple[str, ...] = ()
        for port, order in zip(site.ports, mode.orders, strict=True):
            have = None if port.is_result else self.storage.stored.get(port.value)
            if have is not None and have.axes is not None and have.order == order and port.letters is not None:
                places = mode.form.places
                found = tuple(dict.fromkeys(places.get(port.letters[a], port.letters[a]) for a in have.axes))
                lead = found if len(found) > len(lead) else lead
        star = site.star_letters(mode.form)
        return place(mode.common, star, tuple(x for x in lead if x in star))


def site_axes(site: FormSite, form: Form, port: Port, sequence: tuple[str, ...]) -> tuple[int, ...]:
    """Return the permutation of a port's axes that the chosen order says."""
    assert port.letters is not None
    return tuple(i for x in site.port_letters(form, port, sequence) for i, own in enumerate(port.letters) if own == x)


def renumbered(op: Op, site: FormSite, form: Form, sequence: tuple[str, ...]) -> Mapping[str, Any]:
    """Attributes that speak of axes, in terms of the new order."""
    out: dict[str, Any] = {}
    for name, attribute in op.spec.attributes.items():
        value = op.attributes[name]
        if attribute.names is None or value is None:
            continue
        if attribute.names is Names.PER_SPATIAL:
            spatial = [x for x in sequence if x[0] == "s" and x[1:].isdigit()]
            out[name] = tuple(value[int(x[1:])] for x in spatial)
            continue
        of_result = attribute.names in (Names.RESULT_AXIS, Names.PER_RESULT_AXIS)
        axes = _first_axes(op, site, form, sequence, of_result=of_result)
        if attribute.names in (Names.PER_AXIS, Names.PER_RESULT_AXIS):
            out[name] = tuple(value[a] for a in axes)
        elif isinstance(value, tuple):
            out[name] = tuple(axes.index(a % len(axes)) for a in value)  # pyright: ignore[reportUnknownVariableType, reportUnknownArgumentType]
        else:
            out[name] = axes.index(value % len(axes))
    return out


def _first_axes(op: Op, site: FormSite, form: Form, sequence: tuple[str, ...], *, of_result: bool) -> tuple[int, ...]:
    value = op.results[0] if of_result else op.operands[0]
    letters = site.axes.results[0] if of_result else site.axes.operands[0]
    assert value is not None and letters is not None
    return site_axes(site, form, Port(value, is_result=of_result, letters=letters), sequence)

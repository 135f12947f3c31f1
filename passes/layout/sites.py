"""Sites: everything that reads or writes values, with the storage orders in which it can do so."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import combinations as subsets
from itertools import islice, pairwise, permutations
from itertools import product as combinations
from typing import TypeAlias, cast

from ...compiler.axes import Axes, Form, Letters, Pattern, ViewOp
from ...compiler.dims import Dim, Shape, substitute
from ...compiler.fold import constant
from ...compiler.ir import Op, Value
from ...compiler.order import AnyPiece, Joined, Order, axis_order, joined, row_strides

Index: TypeAlias = tuple[AnyPiece, ...]
"""How the positions along one axis are stored; empty for their own order."""

MAX_MODES = 256
"""Combinations of hints that are tried at one site; if there are more, the result is not proven."""

MAX_FLOODED = 5
"""Letters of which all orders are tried where a transpose can't be avoided; with more, the result is not proven."""

MAX_MERGED = 3
"""Partial orders from different ports that are merged into one order of all letters."""


NOMINAL_SIZE = 32
"""What a named size counts as when bytes are compared."""


@dataclass(frozen=True)
class Mode:
    """One way in which a site can be run: the order of every port."""

    orders: tuple[Order, ...]
    form: Form | None = None
    common: tuple[str, ...] = ()
    index: Mapping[str, Index] = field(default_factory=lambda: dict[str, Index](), hash=False, compare=False)
    penalty: int = 0
    charge: int = 0


@dataclass(frozen=True)
class Port:
    """A value that a site reads or writes; ``letters`` name its axes, None if it is always in its own order."""

    value: Value
    is_result: bool
    letters: Letters | None = None
    position: int = 0


class Site(ABC):
    """Something that reads or writes values; its modes grow as orders are hinted at by its neighbours."""

    def __init__(self, ports: list[Port], op: Op | None) -> None:
        self.ports = ports
        self.op = op
        self.modes: dict[tuple[Order, ...], Mode] = {}
        self.is_complete = True

    def seed(self) -> list[Mode]:
        """Return the modes that are possible without any hint."""
        return []

    @abstractmethod
    def hint(self, port: int, order: Order) -> list[Mode]:
        """Return new modes in which ``port`` has, as far as possible, this order."""

    @property
    def carries(self) -> bool:
        """Whether it moves no data and hands every order on."""
        return False

    @property
    def can_flood(self) -> bool:
        """Whether orders are possible besides those that neighbours ask for."""
        return False

    def flood(self) -> list[Mode]:
        """Add every mode that the site's own demands allow, asked for or not; return the new ones."""
        return []

    def add(self, modes: Iterable[Mode]) -> list[Mode]:
        """Keep modes and return those that are new; of two with the same orders the cheaper one stays."""
        fresh: list[Mode] = []
        for mode in modes:
            known = self.modes.get(mode.orders)
            if known is None:
                fresh.append(mode)
            if known is None or (mode.charge, mode.penalty) < (known.charge, known.penalty):
                self.modes[mode.orders] = mode
        return fresh

    def natural(self) -> Mode:
        """Return the mode in which all ports have the source's own order."""
        return Mode(tuple(Order.natural(p.value.type.shape) for p in self.ports))

    @property
    def label(self) -> str:
        """How to name the site to a user."""
        if self.op is None:
            return "the interface"
        return f'{self.op.spec.name} "{self.op.location.node}"' if self.op.location else self.op.spec.name


class FixedSite(Site):
    """All ports in their own order, or the only port in that of ``axes``: a pinned input or output."""

    def __init__(self, ports: list[Port], op: Op | None, axes: tuple[int, ...] | None = None) -> None:
        super().__init__(ports, op)
        self.axes = axes
        self._mode = self.natural() if axes is None else Mode((Order.of_axes(ports[0].value.type.shape, axes),))

    def seed(self) -> list[Mode]:
        """Return the only mode."""
        return self.add([self._mode])

    def hint(self, port: int, order: Order) -> list[Mode]:
        """Nothing can be changed."""
        return []


class FreeSite(Site):
    """One port in any order of its axes: an input or output whose layout is not pinned. Its own order is preferred."""

    def seed(self) -> list[Mode]:
        """Return the port's own order."""
        return self.add([self.natural()])

    def hint(self, port: int, order: Order) -> list[Mode]:
        """Accept whatever keeps every axis whole."""
        whole = axes_in_order(order, self.ports[port].value)
        return self.add([Mode((order,), penalty=1)]) if whole is not None else []

    @property
    def can_flood(self) -> bool:
        """Always."""
        return True

    def flood(self) -> list[Mode]:
        """Every order of the axes."""
        shape = self.ports[0].value.type.shape
        large = [a for a, d in enumerate(shape) if d != 1]
        if len(large) > MAX_FLOODED:
            self.is_complete = False
            return []
        return self.add(Mode((Order.of_axes(shape, axes),), penalty=1) for axes in permutations(large))


class ViewSite(Site):
    """A transpose or reshape: a relabelling between the orders of its operand and its result."""

    @property
    def carries(self) -> bool:
        """Always."""
        return True

    def hint(self, port: int, order: Order) -> list[Mode]:
        """Carry the order to the other side."""
        return self.add(viewed(self.op, port, order))


def viewed(op: Op | None, port: int, order: Order) -> list[Mode]:
    """How a view carries an order from its operand, port 0, to its result, port 1, or back."""
    view = cast(ViewOp, op)
    other = view.view(order) if port == 0 else view.view_back(order)
    if other is None:
        return []
    return [Mode((order, other) if port == 0 else (other, order))]


class FormSite(Site):
    """An operation that declares its axes and the forms in which it runs."""

    def __init__(self, op: Op, axes: Axes, forms: list[Form]) -> None:
        super().__init__(_ports(op, axes), op)
        self.axes = axes
        self.forms = forms = [f for f in forms if not f.moves or self._charge(f) < self._data]  # what can pay
        self.letters = list(dict.fromkeys(x for p in self.ports for x in p.letters or ()))
        self.unit = {x for x in self.letters if all(_letter_size(p, x) == 1 for p in self.ports)}
        self.unit -= {x for f in forms for pair in f.places.items() if not self.unit.issuperset(pair) for x in pair}
        self._stars = [tuple(x for x in self.star_letters(f) if x not in self.unit) for f in forms]
        self._common: list[dict[tuple[str, ...], None]] = [{} for _ in forms]
        self._index: dict[str, set[Index]] = {}
        self._sizes = {x: d for p in (*self.ports, *self._constant_ports()) for x, d in _letter_sizes(p)}

    def _charge(self, form: Form) -> int:
        """How many bytes a form counts as if it moved them."""
        if not form.moves:
            return 0
        return round(form.moves * self._data) + sum(value_bytes(p.value) for p in self._constant_ports())

    @property
    def _data(self) -> int:
        """The bytes that are read and written; no form saves more than to transpose them all."""
        return sum(value_bytes(p.value) for p in self.ports)

    def pattern(self, form: Form, port: Port) -> Pattern | None:
        """The axes' order that a form asks of a port."""
        return form.results[port.position] if port.is_result else form.operands[port.position]

    def star_letters(self, form: Form) -> tuple[str, ...]:
        """Return the letters that a form places under ``...``, in their own order."""
        out: dict[str, None] = {}
        for p in (*self.ports, *self._constant_ports()):
            pattern = self.pattern(form, p)
            if p.letters is not None and pattern is not None and Ellipsis in pattern:
                out |= dict.fromkeys(form.places.get(x, x) for x in p.letters if x not in pattern)
        return tuple(out)

    def _constant_ports(self) -> list[Port]:
        assert self.op is not None
        slots = {p.position for p in self.ports if not p.is_result}
        return [
            Port(v, is_result=False, letters=self.axes.operands[i], position=i)
            for i, v in enumerate(self.op.operands)
            if v is not None and i not in slots
        ]

    def seed(self) -> list[Mode]:
        """Forms that leave nothing open are possible at once, the others when a hint says which orders matter."""
        fixed = [i for i, stars in enumerate(self._stars) if len(stars) < 2 or not self._leaves_open(i)]
        return self.add(m for i in fixed for m in self._expand(i))

    def _leaves_open(self, form: int) -> bool:
        """Whether a form leaves the order of all letters open."""
        return all(item is Ellipsis for p in self.ports for item in self.pattern(self.forms[form], p) or ())

    @property
    def can_flood(self) -> bool:
        """Whether a form leaves the order of all letters open."""
        return any(self._leaves_open(i) for i in range(len(self.forms)))

    def hint(self, port: int, order: Order) -> list[Mode]:
        """Combine what the order says about the common letters with what is known from other ports."""
        parsed = parse_order(order, self.ports[port])
        if parsed is None:
            return []
        grown = False
        for letter, index in parsed:
            grown = self._learn(letter, index) or grown
        sequence = tuple(x for x, _ in parsed)
        for form, known, stars in zip(self.forms, self._common, self._stars, strict=True):
            part = tuple(y for x in sequence if (y := form.places.get(x, x)) in stars)
            if len(part) != len(set(part)):
                continue  # the letters of a weight, two of which have one place in data
            if len(part) > 1 and part not in known:
                known[part] = None
                grown = True
        if not grown and self.modes:
            return []
        return self.add(m for i in range(len(self.forms)) for m in self._expand(i))

    def _learn(self, letter: str, index: Index) -> bool:
        """Take up an order of the positions along a letter; say whether it is a new one that is possible."""
        if not index or letter in self.axes.rigid:
            return False
        if letter in self.axes.joined:
            parts = index[0].parts if isinstance(index[0], Joined) else ()
            names = self.axes.joined[letter]
            if [size for size, _ in parts] != [self._sizes.get(x) for x in names]:
                return False
            fresh = [self._learn(x, part) for x, (_, part) in zip(names, parts, strict=True)]
            return any(fresh)
        known = self._index.setdefault(letter, set())
        if index in known:
            return False
        known.add(index)
        return True

    def _choices(self) -> list[dict[str, Index]]:
        """Combinations of what is known of the positions along the letters; at first their own orders."""
        known = [[(x, i) for i in (*sorted(self._index[x], key=str), ())] for x in sorted(self._index)]
        found = [{x: i for x, i in chosen if i} for chosen in islice(combinations(*known), MAX_MODES)]
        return [{}, *(some for some in found if some)]

    def _expand(self, form: int) -> Iterable[Mode]:
        """All modes of one form that follow from the hints so far."""
        choices = self._choices()
        orders = self._orders(form)
        if len(orders) * len(choices) > MAX_MODES:
            self.is_complete = False
        for common in orders[:MAX_MODES]:
            for chosen in choices[:MAX_MODES]:
                yield self._mode(self.forms[form], common, chosen)

    def _orders(self, form: int) -> list[tuple[str, ...]]:
        """Orders of all common letters: those hinted at, and merges of hints that speak of some letters only."""
        stars = self._stars[form]
        full = [part for part in self._common[form] if len(part) == len(stars)]
        parts = [part for part in self._common[form] if len(part) < len(stars)]
        merged = [merge(some, stars) for n in range(1, MAX_MERGED + 1) for some in subsets(parts, n)]
        return list(dict.fromkeys([*full, *(m for m in merged if m is not None)])) or [stars]

    def flood(self) -> list[Mode]:
        """Add every order of the letters to forms that leave all of them open; return the new modes."""
        fresh: list[Mode] = []
        for number, form in enumerate(self.forms):
            if not self._leaves_open(number):
                continue
            if len(self._stars[number]) > MAX_FLOODED:
                self.is_complete = False
            else:
                fresh += self.add(self._mode(form, common, {}) for common in permutations(self._stars[number]))
        return fresh

    def _mode(self, form: Form, common: tuple[str, ...], index: Mapping[str, Index]) -> Mode:
        index = {**index, **{x: digits_index(*digits) for x, digits in form.index.items()}, **self._joined(index)}
        orders = tuple(build_order(p, self.port_letters(form, p, common), index) for p in self.ports)
        return Mode(orders, form, common, index, form.penalty, self._charge(form))

    def _joined(self, index: Mapping[str, Index]) -> Mapping[str, Index]:
        """The orders along letters that are joined of others."""
        out: dict[str, Index] = {}
        for letter, names in self.axes.joined.items():
            sizes = [self._sizes[x] for x in names]
            if any(x in index for x in names) and all(isinstance(d, int) for d in sizes):
                out[letter] = joined(
                    [(d, index.get(x, ())) for x, d in zip(names, sizes, strict=True) if isinstance(d, int)]
                )
        return out

    def port_letters(self, form: Form, port: Port, common: tuple[str, ...], *, padded: bool = False) -> tuple[str, ...]:
        """The letters of a port, slowest first, given the order of the common ones; ``padded`` with those it lacks."""
        pattern = self.pattern(form, port)
        if port.letters is None or pattern is None:
            return ()
        if form.places:
            own = {old: new for new, old in form.places.items() if new in port.letters}
            common = tuple(own.get(x, x) for x in common)
        return _expanded(pattern, port.letters, common, padded)


class ViewedFormSite(FormSite):
    """An operation that a kernel can run in some orders, and that is a relabelling in any other."""

    @property
    def carries(self) -> bool:
        """As a view."""
        return True

    def hint(self, port: int, order: Order) -> list[Mode]:
        """Carry the order to the other side, as a view does, beside what the forms make of it."""
        return [*super().hint(port, order), *self.add(viewed(self.op, port, order))]


@lru_cache(maxsize=1 << 12)
def _expanded(pattern: Pattern, letters: Letters, common: tuple[str, ...], padded: bool) -> tuple[str, ...]:
    """Write out a pattern: ``...`` becomes the common letters that it does not name."""
    out: list[str] = []
    for item in pattern:
        out += [item] if isinstance(item, str) else [x for x in common if x not in pattern]
    return tuple(x for x in out if padded or x in letters)


def _ports(op: Op, axes: Axes) -> list[Port]:
    """The ports of an operation, constant operands excepted: those are stored as it suits."""
    ports = [
        Port(v, is_result=False, letters=axes.operands[slot], position=slot)
        for slot, v in enumerate(op.operands)
        if v is not None and constant(v) is None
    ]
    return ports + [Port(v, is_result=True, letters=axes.results[i], position=i) for i, v in enumerate(op.results)]


def _letter_sizes(port: Port) -> Iterable[tuple[str, Dim]]:
    return zip(port.letters or (), port.value.type.shape, strict=False)


def _letter_size(port: Port, letter: str) -> Dim:
    """The size along a letter's axis; of a block the first that is not one, and 1 where the port lacks it."""
    sizes = [d for x, d in zip(port.letters or (), port.value.type.shape, strict=False) if x == letter and d != 1]
    return sizes[0] if sizes else 1


def parse_order(order: Order, port: Port) -> tuple[tuple[str, Index], ...] | None:
    """Read an order as letters, slowest first, with the index order along each; None if axes are torn apart."""
    return None if port.letters is None else _parsed(order, port.value.type.shape, port.letters)


@lru_cache(maxsize=1 << 14)
def _parsed(order: Order, shape: Shape, letters: Letters) -> tuple[tuple[str, Index], ...] | None:
    cut = order.by_axes(shape)
    groups = None if cut is None else axis_order(cut)
    if groups is None:
        return None
    out: list[tuple[str, Index]] = []
    previous = -1
    for axis, pieces in groups:
        letter = letters[axis]
        index = () if len(pieces) == 1 and pieces[0] == (shape[axis], 1) else pieces
        if out and out[-1][0] == letter and axis > previous and not index and not out[-1][1]:
            previous = axis  # the next axis of a block
            continue
        if any(letter == x for x, _ in out):
            return None
        out.append((letter, index))
        previous = axis
    return tuple(out)


def build_order(port: Port, letters: tuple[str, ...], index: Mapping[str, Index]) -> Order:
    """The order of a port whose letters lie in this sequence."""
    shape = port.value.type.shape
    if port.letters is None:
        return Order.natural(shape)
    return _built(shape, port.letters, letters, tuple(sorted(index.items(), key=lambda item: item[0])) if index else ())


@lru_cache(maxsize=1 << 14)
def _built(shape: Shape, own: Letters, letters: tuple[str, ...], index: tuple[tuple[str, Index], ...]) -> Order:
    strides = row_strides(shape)
    along = dict(index)
    pieces: list[tuple[Dim, Dim] | AnyPiece] = []
    for letter in letters:
        for axis in (i for i, x in enumerate(own) if x == letter):
            if letter in along and shape[axis] != 1:
                pieces += [p._replace(stride=p.stride * strides[axis]) for p in along[letter]]
            else:
                pieces.append((shape[axis], strides[axis]))
    return Order.of_pieces(pieces)


def digits_index(sizes: tuple[int, ...], perm: tuple[int, ...]) -> Index:
    """Positions along an axis counted by digits of these sizes, stored with the digits permuted."""
    return Order.of_axes(sizes, perm).pieces


def value_bytes(value: Value) -> int:
    """Size of a value; named sizes count as :data:`NOMINAL_SIZE`."""
    names = {n for d in value.type.shape if not isinstance(d, int) for n in d.names}
    shape = substitute(value.type.shape, dict.fromkeys(names, NOMINAL_SIZE))
    return max(1, math.prod(int(d) for d in shape if isinstance(d, int)) * max(value.type.dtype.bits, 8) // 8)


def axes_in_order(order: Order, value: Value) -> tuple[int, ...] | None:
    """The axes larger than one, slowest first; None if one of them is not stored whole and in its own order."""
    shape = value.type.shape
    cut = order.by_axes(shape)
    groups = None if cut is None else axis_order(cut)
    if groups is None or any(len(pieces) != 1 or pieces[0] != (shape[axis], 1) for axis, pieces in groups):
        return None
    return tuple(axis for axis, _ in groups)


def merge(parts: Iterable[tuple[str, ...]], letters: tuple[str, ...]) -> tuple[str, ...] | None:
    """Return an order of all letters that keeps every partial order, as close to their own as can be; else None.

    >>> merge([("h", "w", "c"), ("n", "c")], ("n", "c", "h", "w"))
    ('n', 'h', 'w', 'c')
    """
    after: dict[str, set[str]] = {x: set() for x in letters}
    for part in parts:
        for low, high in pairwise(part):
            after[high].add(low)
    out: list[str] = []
    while len(out) < len(letters):
        ready = next((x for x in letters if x not in out and after[x] <= set(out)), None)
        if ready is None:
            return None
        out.append(ready)
    return tuple(out)

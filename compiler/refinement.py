"""What operations demand of named sizes: ``batch = 1``, ``h2 = h``, ``h2*w2 = h*w``.

Exporters name the sizes of every input alone.  That a product runs over rows as long as columns, that a reshape keeps
the number of elements, or that parts which are joined agree in all other axes, says more: equations between sizes.
They hold whenever the network runs, so that names are replaced in the whole function by what follows from them.
Operations inside of regions demand nothing, since a branch may never be taken; nor does what data decides about.
"""

# sympy is untyped
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import count
from math import gcd
from typing import Any

from .clone import resized_module
from .demands import collect_equations
from .diagnostics import CompileError, at, error
from .dims import Dim, Sym, is_by_data, replaced, symbol
from .ir import Func, Module, Op
from .polynomial import Powers, exact_quotient, parts_of
from .subgraph import open_sizes


@dataclass(frozen=True)
class Assumption:
    """A name, or a product of names, what it is in this network, and the operation that demands it."""

    size: str
    value: str
    because: str

    def __str__(self) -> str:
        return f"{self.size} = {self.value}, because {self.because}"


@dataclass(frozen=True)
class _Equation:
    left: Dim
    right: Dim
    op: Op

    @property
    def reason(self) -> str:
        """The demand in words."""
        place = self.op.location
        where = self.op.title if place is None else f"{self.op.spec.name} {place.node!r}"
        return f"{where} needs {self.left} = {self.right}"


def refined(module: Module) -> tuple[Module, list[Assumption]]:
    """Return the module with all that its main function demands of the names of sizes, and what that is.

    Raises:
        CompileError: T003, two operations demand what can't be both.
    """
    found = _Solution(module.main)
    for equation in _equations(module.main):
        found.add(equation)
    if not found.assumptions:
        return module, []
    try:
        return resized_module(module, found.of), found.assumptions
    except CompileError as bad:
        if any(op.regions for op in module.main.ops):
            return module, []  # a branch that is never taken may be impossible with these sizes
        for diagnostic in bad.diagnostics:
            diagnostic.notes += map(str, found.assumptions)
        raise


def _equations(func: Func) -> Iterator[_Equation]:
    """Yield what operations demand, in their order."""
    for op in func.ops:
        if not any(isinstance(d, Sym) for v in (*op.operands, *op.results) if v is not None for d in v.type.shape):
            continue
        with collect_equations() as found, at(op.location):
            op.spec.infer_fn(op)
        yield from (_Equation(a, b, op) for a, b in found if not (is_by_data(a) or is_by_data(b)))


class _Solution:
    """Equations solved for names of inputs, the later ones first; products of names where no name alone can be."""

    def __init__(self, func: Func) -> None:
        self._names = open_sizes(func)
        self._replaced: dict[Sym, Dim] = {}
        self._reasons: dict[Sym, str] = {}

    @property
    def assumptions(self) -> list[Assumption]:
        """What was found."""
        return [
            Assumption(str(size), str(self.of(value)), self._reasons[size]) for size, value in self._replaced.items()
        ]

    def of(self, size: Dim) -> Dim:
        """Return a size in terms of the names that are left."""
        for old, new in self._replaced.items():
            size = replaced(size, old, new)
        return size

    def add(self, equation: _Equation) -> None:
        """Learn from an equation.

        Raises:
            CompileError: T003, it contradicts the others.
        """
        difference = self.of(equation.left) - self.of(equation.right)
        if difference == 0:
            return
        if isinstance(difference, int):
            raise self._contradiction(equation)
        parts = parts_of(difference.expr)
        if parts is None or any(c.denominator != 1 for _, c in parts):
            return
        terms = self._without_content([(powers, int(c)) for powers, c in parts])
        if len(terms) == 1:
            if all(str(atom) in self._names for atom in terms[0][0]):  # sizes that data decides about may be zero
                raise self._contradiction(equation)
            return
        solved = self._solve_name(terms, equation) or self._solve_multiple(terms) or self._solve_product(terms)
        if solved is not None:
            self._replaced[solved[0]] = solved[1]
            self._reasons[solved[0]] = equation.reason

    def _solve_name(self, terms: Sequence[tuple[Powers, int]], equation: _Equation) -> tuple[Sym, Dim] | None:
        for name in reversed(self._names):
            atom = symbol(name).expr
            own = [(powers, c) for powers, c in terms if any(a.has(atom) for a in powers)]
            if len(own) != 1 or own[0][0] != {atom: 1}:
                continue
            rest = _sum((powers, -c) for powers, c in terms if powers != {atom: 1})
            value = exact_quotient(rest, _sum([({}, own[0][1])]))
            if value is None and rest.is_Integer:
                raise self._contradiction(equation)
            if value is None:
                continue
            if value.is_Integer and value < 1:
                raise self._contradiction(equation)
            if self._is_open(value):
                return symbol(name), int(value) if value.is_Integer else Sym(value)
        return None

    def _solve_multiple(self, terms: Sequence[tuple[Powers, int]]) -> tuple[Sym, Dim] | None:
        """Return a name as a multiple of a new one, where it is what it is without its remainder."""
        if len(terms) != 2:
            return None
        for (powers, c), (rounded, d) in (terms, terms[::-1]):
            if list(powers.values()) != [1] or list(rounded.values()) != [1]:
                continue
            name, by = str(next(iter(powers))), -d // c
            if name in self._names and by > 1 and by * c == -d and Sym(next(iter(rounded))) == symbol(name) // by:
                new = next(n for i in count() if (n := f"{name}_{by}" + "_" * i) not in self._names)
                self._names[self._names.index(name)] = new
                return symbol(name), symbol(new) * by
        return None

    def _without_content(self, terms: list[tuple[Powers, int]]) -> list[tuple[Powers, int]]:
        """Divide by what all terms have in common: numbers, and names of inputs' sizes, which are positive."""
        number = gcd(*(c for _, c in terms))
        shared: Mapping[Any, int] = {
            atom: n
            for atom in terms[0][0]
            if str(atom) in self._names and (n := min(powers.get(atom, 0) for powers, _ in terms))
        }
        return [
            ({atom: left for atom, n in powers.items() if (left := n - shared.get(atom, 0))}, c // number)
            for powers, c in terms
        ]

    def _is_open(self, value: Any) -> bool:
        """Whether only names of inputs occur in it."""
        return all(str(s) in self._names for s in value.free_symbols)

    def _solve_product(self, terms: Sequence[tuple[Powers, int]]) -> tuple[Sym, Dim] | None:
        """Return what a product of names is that equals another one."""
        if len(terms) != 2 or not all(a.is_Symbol for powers, _ in terms for a in powers):
            return None
        (new, times), (old, factor) = sorted(terms, key=lambda t: max((self._place(a) for a in t[0]), default=-1))
        left, right = _sum([(old, 1)]), _sum([(new, -times * factor)])
        if abs(factor) != 1 or times * factor > 0 or not (self._is_open(left) and self._is_open(right)):
            return None
        return Sym(left), int(right) if right.is_Integer else Sym(right)

    def _place(self, atom: Any) -> int:
        return self._names.index(str(atom)) if str(atom) in self._names else len(self._names)

    def _contradiction(self, equation: _Equation) -> CompileError:
        """Build the error that an equation can't hold beside the others, which it names."""
        left, right = self.of(equation.left), self.of(equation.right)
        names = {n for d in (equation.left, equation.right) if isinstance(d, Sym) for n in d.names}
        others = [
            f"{size} = {new}, because {self._reasons[size]}"
            for size, new in self._replaced.items()
            if size.names & names
        ]
        with at(equation.op.location):
            bad = error("T003", f"{equation.reason}, but so {left} = {right}", help=_HELP)
        bad.diagnostics[0].notes += others
        return bad


_HELP = "The declared shapes of the inputs may be wrong; --shape gives others."


def _sum(terms: Any) -> Any:
    import sympy

    return sympy.Add(*(sympy.Mul(c, *(atom**n for atom, n in powers.items())) for powers, c in terms))

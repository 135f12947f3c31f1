"""Translates the symbolic sizes of torch.export, sympy expressions, into the compiler's sizes."""

# sympy is untyped: what comes out of it is wrapped at once
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Iterable
from fractions import Fraction
from functools import reduce
from typing import Any

from ...compiler.diagnostics import error
from ...compiler.dims import UNBOUNDED, Dim, Sym, ceil_div, is_data_name, maximum, minimum, parse_dim, power_of, symbol
from ...compiler.ir import Value
from ..bound import Bounds


def _power(base: Dim, exponent: Dim) -> Dim:
    if not isinstance(exponent, int) or exponent < 0:
        raise ValueError("a power")
    return power_of(base, exponent)


def _floor(value: Any) -> Dim:
    return value.floor() if isinstance(value, Sym) else value


def _ceil(value: Any) -> Dim:
    return value.ceil() if isinstance(value, Sym) else value


def _modular(value: Dim, step: Dim, size: Dim) -> Dim:
    return value // step % size


MAX_DENOMINATOR = 1 << 12
"""Of a factor that is no whole number: sizes are computed in integers of 32 bits."""


def _ratio(factor: float) -> Dim:
    """Return a factor such as 1.5 in what is rounded further out.

    Raises:
        ValueError: it is no ratio of small integers.
    """
    import sympy

    ratio = Fraction(factor)
    if ratio.denominator > MAX_DENOMINATOR:
        raise ValueError(f"a factor of {factor}")
    return int(factor) if ratio.denominator == 1 else Sym(sympy.Rational(ratio.numerator, ratio.denominator))


def _same(value: Dim) -> Dim:
    return value


def _folded(function: Callable[[Any, Any], Any]) -> Callable[..., Dim]:
    return lambda *args: reduce(function, args)


_FUNCTIONS: dict[str, Callable[..., Any]] = {
    "Add": _folded(operator.add),
    "Mul": _folded(operator.mul),
    "Pow": _power,
    "PowByNatural": _power,
    "FloorDiv": operator.floordiv,
    "CleanDiv": operator.floordiv,
    "CeilDiv": ceil_div,
    "IntTrueDiv": operator.truediv,
    "FloatTrueDiv": operator.truediv,
    "Mod": operator.mod,
    "PythonMod": operator.mod,
    "ModularIndexing": _modular,
    "Max": _folded(maximum),
    "Min": _folded(minimum),
    "FloorToInt": _floor,
    "TruncToInt": math.trunc,
    "CeilToInt": _ceil,
    "floor": _floor,
    "ceiling": _ceil,
    "ToFloat": _same,
    "Identity": _same,
}
"""How the functions in PyTorch's expressions are computed, by the names of their classes."""


class Symbols:
    """Translates sizes; ``named`` says how its user calls what PyTorch calls ``s77``.

    ``bound`` are the scalars that tell names which elements of tensors decide about.
    """

    def __init__(self) -> None:
        self.bound: dict[str, Value] = {}
        self._names: dict[str, Sym] = {}
        self._taken: set[str] = set()

    def name(self, size: object, text: str | None) -> None:
        """Call a size by its user's name, if it is one that PyTorch has made up and that has no other name yet.

        What is a formula for PyTorch is one for its user, too: ``32*s0`` is ``32*h``.
        """
        expr = _expr(size)
        theirs = list(getattr(expr, "free_symbols", ()))
        ours = parse_dim(text) if text and len(theirs) == 1 else 0
        if isinstance(ours, Sym) and len(ours.names) == 1 and str(theirs[0]) not in self._names:
            (own,) = ours.names
            self._names[str(theirs[0])] = symbol(self._fresh(f"d_{own}" if is_data_name(own) else own))

    def admit(self, shape: Iterable[object]) -> None:
        """Name those sizes in a shape that data decides about: the operation that gives it says what they are."""
        for expr in map(_expr, shape):
            if getattr(expr, "is_Symbol", False) and str(expr) not in self._names:
                self._names[str(expr)] = symbol(self._fresh(str(expr)))

    def element(self, number: object) -> tuple[Sym, Bounds] | None:
        """Name an integer that an element of a tensor is; None if PyTorch knows more of it than that.

        Where nothing says that it is not negative, its name says so, too.
        """
        expr = _expr(number)
        if not getattr(expr, "is_Symbol", False) or str(expr) in self._names:
            return None
        node: Any = getattr(number, "node", None)
        known = node.shape_env.var_to_range.get(expr)
        low, high = (None, None) if known is None else (_number(known.lower), _number(known.upper))
        kind = "u" if low is not None and low >= 0 else "i"
        self._names[str(expr)] = symbol(self._fresh(f"{kind}{str(expr).lstrip('u')}"))
        least, most = (-UNBOUNDED if low is None else low), (UNBOUNDED if high is None else high)
        return self._names[str(expr)], Bounds(least, most)

    def fresh(self) -> Sym:
        """Return the name of a size that data decides about, which is not in use."""
        return symbol(self._fresh(f"unknown{len(self._taken)}"))

    def dim(self, size: object) -> Dim:
        """Return our expression of a size: a number, a ``SymInt`` or one of PyTorch's expressions.

        Raises:
            CompileError: F004, it depends on data, or on what sizes can't express.
        """
        if isinstance(size, int):
            return size
        expr = _expr(size)
        try:
            return self._translate(expr)
        except (KeyError, ValueError, ZeroDivisionError) as bad:
            raise error(
                "F004", f"the size {expr} can't be expressed while compiling", help="Give the inputs fixed shapes."
            ) from bad

    def _translate(self, expr: Any) -> Dim:
        if expr.is_Integer:
            return int(expr)
        if expr.is_Symbol:
            return self._symbol(str(expr))
        if expr.is_Rational:
            return Sym(expr)  # a factor in what is rounded further out
        if expr.is_Float:
            return _ratio(float(expr))
        return _FUNCTIONS[type(expr).__name__](*map(self._translate, expr.args))

    def _symbol(self, name: str) -> Sym:
        if name not in self._names and name.startswith(("u", "zuf", "zf")):
            raise error(
                "F004",
                f"a size depends on the elements of a tensor ({name})",
                help="Compute it outside of the model, or make it a constant.",
            )
        if name not in self._names:
            self._names[name] = symbol(self._fresh(f"d{len(self._names)}"))
        return self._names[name]

    def _fresh(self, text: str) -> str:
        base, n = text, 1
        while text in self._taken:
            text, n = f"{base}_{n}", n + 1
        self._taken.add(text)
        return text


def _number(bound: Any) -> int | None:
    """Return the bound of a range, None if there is none."""
    return int(bound) if bound.is_Integer and abs(bound) < UNBOUNDED else None


def _expr(size: object) -> Any:
    """The expression inside of a ``SymInt`` or ``SymFloat``."""
    node = getattr(size, "node", None)
    return size if node is None else node.expr

"""Dimensions: integers, or integer expressions over named sizes such as ``batch`` or ``h//2+1``.

A :class:`Sym` wraps a sympy expression in expanded form, so that equal sizes compare equal.  Named sizes are
positive integers, apart from those that data decides about: ``unknown0`` or ``u0`` may be zero, ``i0`` is an integer of
any sign.  sympy is imported when the first named size appears: static models never load it.
"""

# sympy is untyped: what comes out of it is wrapped at once
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false

from __future__ import annotations

import ast
import re
from bisect import bisect_left
from collections.abc import Iterable, Mapping
from functools import cache, lru_cache, partial, reduce
from typing import Any, SupportsIndex, TypeAlias, TypeVar, cast

from .demands import demand
from .diagnostics import error
from .polynomial import exact_quotient, quotient, rounded_down
from .size_bounds import extreme, never_negative

T = TypeVar("T")

MAX_TEXT = 1 << 10
"""Characters of an expression that is read."""

MAX_POWER = 16
"""Of a size."""

MAX_NUMBER = 1 << 64
"""In an expression; sizes themselves stay far below."""

MAX_SIZE = 1 << 31
"""Where the search for a size ends."""

UNBOUNDED = 2**31 - 1
"""More than any size that data decides about."""

MAX_TERMS = 1 << 10
"""Terms of a sum, once its products are written out."""


class Sym:
    """An integer expression over named sizes. Arithmetic that gives a number returns an ``int``."""

    __slots__ = ("_hash", "expr")

    def __init__(self, expr: Any) -> None:
        self.expr = expr
        self._hash = hash(expr)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Sym) and bool(self.expr == other.expr)

    def __hash__(self) -> int:
        return self._hash

    def __reduce__(self) -> tuple[type[Sym], tuple[Any]]:
        return Sym, (self.expr,)  # other processes have other hashes

    def __repr__(self) -> str:
        return _text(self)

    def __add__(self, other: object) -> Dim:
        return _binary("add", self, other)

    def __radd__(self, other: object) -> Dim:
        return _binary("add", other, self)

    def __sub__(self, other: object) -> Dim:
        return _binary("sub", self, other)

    def __rsub__(self, other: object) -> Dim:
        return _binary("sub", other, self)

    def __mul__(self, other: object) -> Dim:
        return _binary("mul", self, other)

    def __rmul__(self, other: object) -> Dim:
        return _binary("mul", other, self)

    def __truediv__(self, other: object) -> Dim:
        return _binary("div", self, other)

    def __rtruediv__(self, other: object) -> Dim:
        return _binary("div", other, self)

    def __floordiv__(self, other: object) -> Dim:
        return _binary("floordiv", self, other)

    def __rfloordiv__(self, other: object) -> Dim:
        return _binary("floordiv", other, self)

    def __mod__(self, other: object) -> Dim:
        return _binary("mod", self, other)

    def __rmod__(self, other: object) -> Dim:
        return _binary("mod", other, self)

    def __neg__(self) -> Dim:
        return _binary("mul", self, -1)

    def __floor__(self) -> Dim:
        return _unary("floor", self)

    def __ceil__(self) -> Dim:
        return _unary("ceiling", self)

    def __trunc__(self) -> Dim:
        """Cut towards zero; ``numpy.trunc`` of an object array calls this.

        Raises:
            ValueError: it is not known which way that is.
        """
        if not self.expr.is_integer and not at_least(self, 0):
            raise ValueError(f"the sign of {self} depends on the named sizes")
        return _unary("floor", self)

    def floor(self) -> Dim:
        """Round down; ``numpy.floor`` of an object array calls this."""
        return _unary("floor", self)

    def ceil(self) -> Dim:
        """Round up; ``numpy.ceil`` of an object array calls this."""
        return _unary("ceiling", self)

    @property
    def names(self) -> frozenset[str]:
        """The names of the symbolic sizes that the expression depends on."""
        return frozenset(str(s) for s in self.expr.free_symbols)

    @property
    def is_rounded(self) -> bool:
        """Whether some part of the expression is rounded down: a quotient of integers."""
        import sympy

        return bool(self.expr.has(sympy.floor))


Dim: TypeAlias = int | Sym
Shape: TypeAlias = tuple[Dim, ...]


@cache
def symbol(name: str) -> Sym:
    """Return the size called ``name``, an identifier.

    >>> symbol("h") // 2 * 2 + 1
    2*(h//2)+1
    """
    import sympy

    kind = _DATA_NAME.fullmatch(name)
    sign = {"positive": True} if kind is None else {"nonnegative": True} if kind[1] != "i" else {}
    return Sym(sympy.Symbol(name, integer=True, **sign))


_DATA_NAME = re.compile(r"(u|unknown|i)\d+")
"""The names of sizes and positions that data decides about; PyTorch calls such sizes ``u0``."""


def is_data_name(name: str) -> bool:
    """Say whether a name is one of those that the elements of a tensor decide about.

    >>> [is_data_name(n) for n in ("u0", "i12", "batch")]
    [True, True, False]
    """
    return _DATA_NAME.fullmatch(name) is not None


def is_by_data(dim: Dim) -> bool:
    """Say whether the elements of a tensor decide about a size."""
    return isinstance(dim, Sym) and any(map(is_data_name, dim.names))


def _expr(value: object) -> Any:
    import sympy

    if isinstance(value, Sym):
        return value.expr
    if isinstance(value, SupportsIndex):
        return sympy.Integer(value.__index__())
    return sympy.Rational(float(cast(float, value)))


def _wrap(expr: Any) -> Dim:
    import sympy

    expr = sympy.expand(expr)
    return int(expr) if expr.is_Integer else Sym(expr)


@lru_cache(maxsize=1 << 16)
def _binary(kind: str, a: object, b: object) -> Dim:
    x, y = _expr(a), _expr(b)
    if y.is_zero and kind in ("div", "floordiv", "mod"):
        raise ZeroDivisionError(f"{a} divided by zero")
    match kind:
        case "add":
            return _wrap(x + y)
        case "sub":
            return _wrap(x - y)
        case "mul":
            _check_terms(x, y)
            return _wrap(x * y)
        case "div":
            return _wrap(quotient(x, y))
        case "floordiv":
            return _wrap(rounded_down(x, y))
        case "mod":
            return _wrap(x - y * rounded_down(x, y))
        case _:
            return _wrap(extreme(kind, x, y))


def _check_terms(x: Any, y: Any) -> None:
    """Refuse products that would be written out as very long sums."""
    count = len(x.args if x.is_Add else (x,)) * len(y.args if y.is_Add else (y,))
    if count > MAX_TERMS:
        raise error("P007", f"a size would be a sum of {count:,} terms", help=f"there are at most {MAX_TERMS:,}")


@lru_cache(maxsize=1 << 12)
def _unary(kind: str, a: Sym) -> Dim:
    return _wrap(rounded_down(a.expr, _expr(1)) if kind == "floor" else -rounded_down(-a.expr, _expr(1)))


@lru_cache(maxsize=1 << 12)
def exact_div(a: Dim, b: Dim) -> Dim | None:
    """Return ``a / b`` where it is an integer whatever the named sizes are, else None.

    >>> exact_div(symbol("h") * 6, 3), exact_div(symbol("h"), 2), exact_div(12, 5)
    (2*h, None, None)
    """
    if isinstance(a, int) and isinstance(b, int):
        return a // b if b and a % b == 0 else None
    divided = exact_quotient(_expr(a), _expr(b))
    return None if divided is None else _wrap(divided)


def ceil_div(a: Dim, b: Dim) -> Dim:
    """Return ``a / b`` rounded up.

    >>> ceil_div(7, 2)
    4
    """
    return -((-a) // b)


def product(dims: Iterable[Dim]) -> Dim:
    """Multiply sizes; the product of none is 1."""
    out: Dim = 1
    for d in dims:
        out = d if out == 1 else out * d
    return out


def maximum(a: Dim, b: Dim) -> Dim:
    """Return the larger one, as an expression if neither is known to be."""
    return max(a, b) if isinstance(a, int) and isinstance(b, int) else _binary("max", a, b)


def minimum(a: Dim, b: Dim) -> Dim:
    """Return the smaller one, as an expression if neither is known to be."""
    return min(a, b) if isinstance(a, int) and isinstance(b, int) else _binary("min", a, b)


def at_least(a: Dim, b: Dim) -> bool:
    """Say whether ``a >= b`` for all positive named sizes; False also where it can't be told."""
    return a >= b if isinstance(a, int) and isinstance(b, int) else _at_least(a, b)


@lru_cache(maxsize=1 << 14)
def _at_least(a: Dim, b: Dim) -> bool:
    return never_negative(_expr(a) - _expr(b))


def is_equal(a: Dim, b: Dim) -> bool:
    """Say whether two sizes are equal.

    >>> is_equal(symbol("h"), symbol("h")), is_equal(symbol("h") + 1, -1)
    (True, False)

    Raises:
        ValueError: it depends on the named sizes.
    """
    if a == b or (isinstance(a, int) and isinstance(b, int)):
        return a == b
    if not (at_least(a, b + 1) or at_least(b, a + 1)):
        raise ValueError(f"whether {a} is {b} depends on the named sizes")
    return False


def is_less(a: Dim, b: Dim) -> bool:
    """Say whether one size is smaller than another.

    Raises:
        ValueError: it depends on the named sizes.
    """
    if at_least(a, b):
        return False
    if not at_least(b, a + 1):
        raise ValueError(f"whether {a} is less than {b} depends on the named sizes")
    return True


def may_equal(a: Shape, b: Shape) -> bool:
    """Say whether two shapes may be the same when the network runs, as an operation demands.

    >>> may_equal((symbol("h"), 3), (5, 3)), may_equal((2, 3), (2,))
    (True, False)
    """
    return len(a) == len(b) and all(demand(p, q) for p, q in zip(a, b, strict=True))


def broadcast(a: Shape, b: Shape) -> Shape:
    """Return the numpy broadcast of two shapes; of two sizes that may differ the larger one.

    >>> broadcast((symbol("batch"), 1, 4), (3, 1))
    (batch, 3, 4)
    """
    if a == b:
        return a
    rank = max(len(a), len(b))
    x, y = (1,) * (rank - len(a)) + a, (1,) * (rank - len(b)) + b
    return tuple(_broadcast_dim(p, q) for p, q in zip(x, y, strict=True))


def _broadcast_dim(p: Dim, q: Dim) -> Dim:
    if p == q or q == 1:
        return p
    if p == 1:
        return q
    if isinstance(p, int) and isinstance(q, int):
        raise ValueError(f"sizes {p} and {q} do not broadcast")
    if at_least(p, 2) and at_least(q, 2):
        demand(p, q)
    if isinstance(p, int) or isinstance(q, int):
        return p if isinstance(p, int) else q  # a named size can only be 1 or equal to the number
    return maximum(p, q)


def static(shape: Shape) -> tuple[int, ...]:
    """Return a shape of numbers.

    Raises:
        ValueError: a size is symbolic.
    """
    for d in shape:
        if not isinstance(d, int):
            raise ValueError(f"size {d} of [{','.join(map(str, shape))}] is not known")
    return cast(tuple[int, ...], shape)


def is_static(shape: Shape) -> bool:
    """Say whether all sizes of a shape are numbers, none of them symbolic."""
    return all(isinstance(d, int) for d in shape)


def is_open(value: object) -> bool:
    """Say whether there are named sizes in a dimension, or in tuples of them."""
    if isinstance(value, tuple):
        return any(map(is_open, cast(tuple[Any, ...], value)))
    return isinstance(value, Sym)


def substitute(value: T, sizes: Mapping[str, int]) -> T:
    """Replace named sizes by numbers in a dimension, or in tuples of them; other values pass through.

    A size that would be a quotient by zero is 0: with these numbers no network runs.

    >>> substitute((symbol("h") // 2, 3), {"h": 9})
    (4, 3)
    >>> substitute(symbol("n") // (symbol("h") // 2), {"h": 1})
    0
    """
    if isinstance(value, Sym):
        return cast(T, _substitute(value, tuple(sorted((n, sizes[n]) for n in value.names if n in sizes))))
    if isinstance(value, tuple):
        items = cast(tuple[Any, ...], value)
        return cast(T, tuple(substitute(v, sizes) for v in items))
    return value


@lru_cache(maxsize=1 << 14)
def _substitute(value: Sym, sizes: tuple[tuple[str, int], ...]) -> Dim:
    import sympy

    try:
        found = value.expr.subs({symbol(n).expr: v for n, v in sizes})
    except ValueError:  # a maximum, or minimum, of what is not finite
        return 0
    return 0 if found.has(sympy.zoo, sympy.nan) else _wrap(found)


def replaced(size: Dim, old: Sym, new: Dim) -> Dim:
    """Return a size with another expression for a name, or for a product of names.

    >>> replaced(symbol("h") * symbol("w") * 4, symbol("h") * symbol("w"), symbol("n"))
    4*n
    """
    import sympy

    if isinstance(size, int) or not old.names <= size.names:
        return size
    expr = size.expr.subs(old.expr, _expr(new)).replace(sympy.floor, _rounded)
    for kind, function in (("max", sympy.Max), ("min", sympy.Min)):
        expr = expr.replace(function, partial(_extreme_of, kind))
    return _wrap(expr)


def _rounded(x: Any) -> Any:
    return rounded_down(x, _expr(1))


def _extreme_of(kind: str, *xs: Any) -> Any:
    return reduce(partial(extreme, kind), xs)


def solve(declared: Dim, actual: int, sizes: dict[str, int]) -> bool:
    """Bind the named size of ``declared`` so that it equals ``actual``; False if it can't.

    >>> sizes = {}
    >>> solve(symbol("h") * 2, 8, sizes), sizes
    (True, {'h': 4})
    """
    left = substitute(declared, sizes)
    if isinstance(left, int):
        return left == actual
    if len(left.names) != 1:
        return True  # another axis will bind them
    (name,) = left.names
    root = _root(left, name, actual)
    if root is not None:
        sizes[name] = root
    return root is not None


def _root(declared: Sym, name: str, actual: int) -> int | None:
    """Return the smallest value of a size with which an expression is ``actual``; what is not linear must grow."""
    variable = symbol(name).expr
    slope, rest = declared.expr.coeff(variable, 1), declared.expr.coeff(variable, 0)
    if slope.is_Integer and rest.is_Integer and declared.expr == slope * variable + rest:
        size, left = divmod(actual - int(rest), int(slope))
        return size if size > 0 and left == 0 else None

    def is_reached(size: int) -> bool:
        found = substitute(declared, {name: size})
        return isinstance(found, int) and found >= actual

    root = bisect_left(range(MAX_SIZE), True, 1, key=is_reached)
    return root if substitute(declared, {name: root}) == actual else None


@lru_cache(maxsize=1)
def _printer() -> Any:
    """Return a sympy printer whose output :func:`parse_dim` reads."""
    import sympy
    from sympy.printing.str import StrPrinter

    class Printer(StrPrinter):
        def _print_floor(self, expr: Any) -> str:
            top, bottom = sympy.fraction(sympy.together(expr.args[0]))
            return f"({self.parenthesize(top, 1000, strict=True)}//{self.parenthesize(bottom, 1000, strict=True)})"

        def _print_ceiling(self, expr: Any) -> str:
            return f"(-{self._print(sympy.floor(-expr.args[0], evaluate=False))})"

        def _print_Max(self, expr: Any) -> str:  # noqa: N802 -- sympy's name
            return f"max({', '.join(sorted(self._print(a) for a in expr.args))})"

        def _print_Min(self, expr: Any) -> str:  # noqa: N802 -- sympy's name
            return f"min({', '.join(sorted(self._print(a) for a in expr.args))})"

    return Printer()


@lru_cache(maxsize=1 << 12)
def _text(value: Sym) -> str:
    return str(_printer().doprint(value.expr)).replace(" ", "")


def power_of(base: Dim, power: int) -> Dim:
    """Return a power of a size.

    Raises:
        CompileError: P007, it is negative, or an expression too large to be written out.
    """
    if not 0 <= power <= MAX_POWER:
        raise error("P007", f"{base} to the power of {power} is not a size", help=f"powers go up to {MAX_POWER}")
    return product([base] * power)


def _in_range(dim: Dim) -> Dim:
    """Refuse numbers that no size has."""
    if isinstance(dim, int) and abs(dim) > MAX_NUMBER:
        raise error("P007", "a number in a size has more than 64 bits")
    return dim


_OPERATORS = {"Add": "add", "Sub": "sub", "Mult": "mul", "FloorDiv": "floordiv", "Mod": "mod"}
"""Python's operators in a dimension, by the names of their syntax nodes; powers have a case of their own."""


def _read(node: ast.expr) -> Any:
    """Return what a syntax node of Python means; nothing is looked up or called but what is listed here.

    Raises:
        SyntaxError: it is not a size.
    """
    match node:
        case ast.Constant(value=int(number)) if not isinstance(number, bool):
            return _in_range(number)
        case ast.Name(id=name):
            return symbol(name)
        case ast.UnaryOp(op=ast.USub(), operand=operand):
            return -_read(operand)
        case ast.BinOp(left=left, op=ast.Pow(), right=ast.Constant(value=int(power))):
            return _in_range(power_of(_read(left), power))
        case ast.BinOp(left=left, op=op, right=right) if type(op).__name__ in _OPERATORS:
            return _in_range(_binary(_OPERATORS[type(op).__name__], _read(left), _read(right)))
        case ast.Call(func=ast.Name(id="max" | "min" as kind), args=[first, *others], keywords=[]):
            return reduce(partial(_binary, kind), map(_read, others), _read(first))
        case _:
            raise SyntaxError(type(node).__name__)


def parse_dim(text: str) -> Dim:
    """Read what a dimension prints as.

    >>> parse_dim("2*(h//2)+1") == symbol("h") // 2 * 2 + 1
    True

    Raises:
        CompileError: P007, it is not a size, or one that is too long or too large.
    """
    import ast

    if len(text) > MAX_TEXT:
        raise error("P007", f"a size is an expression of {len(text):,} characters; {MAX_TEXT:,} are read")
    try:
        return _in_range(_read(ast.parse(text.strip(), mode="eval").body))
    except (SyntaxError, ValueError, RecursionError, MemoryError, ZeroDivisionError) as bad:
        raise error("P007", f"{text!r} is not a dimension") from bad

"""Which sizes are never negative, whatever the named sizes are: bounds through quotients, remainders, max and min.

A size is a polynomial in named sizes, which are at least 1, or 0 where data decides, and in quotients that are rounded
down.  With a number ``q``, ``p // q`` is ``(p - r) / q`` with a remainder ``r`` from 0 to ``q - 1``.  A polynomial that
is linear in its remainders is least where each is at one of its ends; and one whose coefficients are not negative is
least where all names are as small as they can be.
"""

# sympy is untyped
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from functools import lru_cache, partial
from itertools import product
from math import lcm
from typing import Any, TypeAlias

from .polynomial import Powers, parts_of

MAX_REMAINDERS = 5
"""Rounded quotients in one size whose remainders are tried at both ends."""

MAX_CASES = 4
"""How many maxima and minima are told apart one inside of the other."""

Polynomial: TypeAlias = list[tuple[Powers, Fraction]]
"""Terms, each as powers of atoms and a coefficient."""


@lru_cache(maxsize=1 << 14)
def never_negative(expr: Any, cases: int = MAX_CASES) -> bool:
    """Say whether an expanded expression is at least 0 for all positive named sizes; False also if it can't be told."""
    if expr.is_Rational:
        return bool(expr >= 0)
    terms = parts_of(expr)
    if terms is not None and all(c >= 0 and all(_is_never_negative(a, cases) for a in powers) for powers, c in terms):
        return True
    extreme = next(iter(_extremes(expr)), None)
    if extreme is not None:
        return cases > 0 and _by_cases(expr, extreme, cases - 1)
    return terms is not None and _is_bounded(terms, strict=not expr.is_integer)


def _is_never_negative(atom: Any, cases: int) -> bool:
    """Say of a factor whether its own operands show that it is at least 0, which is quickly seen."""
    if atom.is_Symbol:
        return bool(atom.is_nonnegative)
    kind, parts = atom.func.__name__, [partial(never_negative, a, cases - 1) for a in atom.args] if cases > 0 else []
    if kind == "floor":
        return any(p() for p in parts)
    return kind in ("Max", "Min") and bool(parts) and (any if kind == "Max" else all)(p() for p in parts)


def extreme(kind: str, x: Any, y: Any) -> Any:
    """Return the larger ("max") or smaller ("min") of two expressions, without what is known to be neither."""
    import sympy

    if _wins(kind, x, y) or _wins(kind, y, x):
        return x if _wins(kind, x, y) else y
    function = sympy.Max if kind == "max" else sympy.Min
    left: list[Any] = []
    for e in dict.fromkeys([*_operands(x, function), *_operands(y, function)]):
        if not any(_wins(kind, other, e) for other in left):
            left = [*(other for other in left if not _wins(kind, e, other)), e]
    return left[0] if len(left) == 1 else function(*left)


def _operands(x: Any, function: Any) -> tuple[Any, ...]:
    return x.args if isinstance(x, function) else (x,)


def _wins(kind: str, a: Any, b: Any) -> bool:
    return never_negative(a - b if kind == "max" else b - a)


def _extremes(expr: Any) -> list[Any]:
    """The maxima and minima in an expression, outer ones first."""
    import sympy

    found = expr.atoms(sympy.Max, sympy.Min)
    return sorted(found, key=lambda e: (-e.count_ops(), str(e)))


def _by_cases(expr: Any, extreme: Any, cases: int) -> bool:
    """Put each operand of a maximum in its place: one of them is the largest, and it is at least any of them."""
    import sympy

    is_max = isinstance(extreme, sympy.Max)
    terms = parts_of(expr) or []
    own = [(powers, c) for powers, c in terms if extreme in powers]
    is_plain = all(n == 1 if atom == extreme else atom.is_Symbol for powers, _ in own for atom, n in powers.items())
    is_inside = any(extreme != atom and atom.has(extreme) for powers, _ in terms for atom in powers)
    chosen = (never_negative(sympy.expand(expr.subs(extreme, e)), cases) for e in extreme.args)
    if is_plain and not is_inside and own and all((c > 0) is is_max for _, c in own):
        return any(chosen)
    return all(chosen)


def _is_bounded(terms: Polynomial, *, strict: bool) -> bool:
    """Say whether a polynomial is at least 0, or more than -1 if it is an integer, which is the same."""
    remainders: dict[Any, int] = {}
    terms = _without_quotients(terms, remainders)
    ends = sorted(remainders, key=str)
    if len(ends) > MAX_REMAINDERS:
        return False
    for chosen in product((0, 1), repeat=len(ends)):
        at = {r: remainders[r] * end for r, end in zip(ends, chosen, strict=True)}
        least = _least(terms, at)
        if least is None or (least < 0 if strict else least <= -1):
            return False
    return True


def _without_quotients(terms: Polynomial, remainders: dict[Any, int]) -> Polynomial:
    """Replace quotients that are rounded down by exact ones and remainders, which are collected with their limits."""
    import sympy

    out: dict[tuple[tuple[Any, int], ...], Fraction] = {}
    work = list(terms)
    while work:
        powers, factor = work.pop()
        quotient = next((a for a in powers if isinstance(a, sympy.floor) and whole_quotient(a.args[0])), None)
        if quotient is None:
            key = tuple(sorted(powers.items(), key=str))
            out[key] = out.get(key, Fraction(0)) + factor
            continue
        inner, divisor = whole_quotient(quotient.args[0]) or ([], 1)
        rest = {a: n - (a == quotient) for a, n in powers.items() if n > (a == quotient)}
        remainder = sympy.Symbol(f"remainder of {quotient}")
        remainders[remainder] = divisor - 1
        for more, c in [*inner, ({remainder: 1}, Fraction(-1))]:
            work.append((_times(rest, more), factor * c / divisor))
    return [(dict(key), c) for key, c in out.items() if c]


def _times(a: Powers, b: Powers) -> Powers:
    return {atom: a.get(atom, 0) + b.get(atom, 0) for atom in {**a, **b}}


def whole_quotient(expr: Any) -> tuple[Polynomial, int] | None:
    """Return what is divided, an integer for sure, and by which number; None if the expression is no such quotient."""
    terms = parts_of(expr)
    if terms is None or not all(a.is_integer for powers, _ in terms for a in powers):
        return None
    divisor = lcm(*(c.denominator for _, c in terms))
    return [(powers, c * divisor) for powers, c in terms], divisor


def _least(terms: Polynomial, at: dict[Any, int]) -> Fraction | None:
    """Return the least value with the remainders given, None if it is not known."""
    low: dict[tuple[tuple[Any, int], ...], Fraction] = {}
    for powers, factor in terms:
        names: Powers = {}
        for atom, n in powers.items():
            if atom in at:
                factor *= at[atom] ** n
            elif (atom.is_Symbol and not atom.is_nonnegative) or (not atom.is_Symbol and not _is_positive_atom(atom)):
                return None
            else:
                names[atom] = n
        for shifted, c in _shifted(names):
            low[shifted] = low.get(shifted, Fraction(0)) + factor * c
    return None if any(c < 0 for key, c in low.items() if key) else low.get((), Fraction(0))


def _is_positive_atom(atom: Any) -> bool:
    return never_negative(atom.args[0] - 1) if atom.func.__name__ == "floor" else False


def _shifted(powers: Powers) -> Iterator[tuple[tuple[tuple[Any, int], ...], int]]:
    """Write a product of names as a sum of products of what they are above 1, or above 0 where they may be that."""
    from math import comb

    items = sorted(powers.items(), key=str)
    may_be_zero = [atom.is_Symbol and not atom.is_positive for atom, _ in items]
    for chosen in product(*(range(n if zero else 0, n + 1) for zero, (_, n) in zip(may_be_zero, items, strict=True))):
        factor = 1
        for (_, n), k in zip(items, chosen, strict=True):
            factor *= comb(n, k)
        yield tuple((atom, k) for (atom, _), k in zip(items, chosen, strict=True) if k), factor

"""Division of sizes, exact or rounded down.

A general algebra system takes milliseconds for what layouts ask thousands of times.

An expanded expression is a polynomial in its atoms: named sizes, and whatever is not a sum or product of others, such
as a rounded quotient.  A quotient that is a polynomial again is found by long division.
"""

# sympy is untyped
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction
from math import floor, lcm
from typing import Any, TypeAlias

Powers: TypeAlias = dict[Any, int]
Terms: TypeAlias = dict[tuple[int, ...], Fraction]
"""Coefficients by the powers of every atom."""


def exact_quotient(a: Any, b: Any) -> Any | None:
    """Return ``a / b`` of two expanded expressions of sympy if it is a polynomial with integer coefficients."""
    import sympy

    parts = [parts_of(a), parts_of(b)]
    if None in parts or not b:
        return None
    atoms: list[Any] = list(dict.fromkeys(atom for p in parts for powers, _ in p or () for atom in powers))
    left, right = (_terms(p or [], atoms) for p in parts)
    divided = _long_division(left, right)
    if divided is None or any(c.denominator != 1 for c in divided.values()):
        return None
    products = (
        sympy.Mul(int(c), *(atom**n for atom, n in zip(atoms, powers, strict=True))) for powers, c in divided.items()
    )
    return sympy.Add(*products)


def rounded_down(x: Any, y: Any) -> Any:
    """Return ``x / y`` rounded down, in a form that does not depend on how it is written.

    Of integers divided by a number, multiples of the number are taken out of the quotient, ``(3*n+5)//2`` is
    ``n+(n+1)//2+2``, and what is rounded up is a quotient rounded down: ``-(-n//4)`` is ``(n+3)//4``.
    """
    import sympy

    expr = quotient(x, y)
    terms = parts_of(expr)
    if terms is None or not all(atom.is_integer for powers, _ in terms for atom in powers):
        return sympy.floor(expr)
    return _rounded(terms)


def _rounded(terms: list[tuple[Powers, Fraction]]) -> Any:
    """Return a sum of integers times ratios, rounded down."""
    import sympy

    named = [(powers, c) for powers, c in terms if powers]
    offset = sum((c for powers, c in terms if not powers), Fraction(0))
    divisor = lcm(*(c.denominator for _, c in named))
    outside = [(powers, Fraction(int(c))) for powers, c in named]
    inside = [(powers, c - int(c)) for powers, c in named if c - int(c)]
    is_negative = bool(inside) and all(c < 0 for _, c in inside)
    steps = floor(offset * divisor)
    if is_negative:
        inside = [(powers, -c) for powers, c in inside]
        steps = divisor - 1 - steps
    whole, left = divmod(steps, divisor)
    opened = _opened([*inside, ({}, Fraction(left, divisor))], divisor)
    inner = sympy.floor(_sum([*inside, ({}, Fraction(left, divisor))])) if opened is None else _rounded(opened)
    rest = inner + whole
    return _sum(outside) + (-rest if is_negative else rest)


def _opened(terms: list[tuple[Powers, Fraction]], divisor: int) -> list[tuple[Powers, Fraction]] | None:
    """Put what was rounded down before into a quotient: it need not be, if nothing else is divided by other numbers."""
    import sympy

    rounded = [powers for powers, _ in terms if any(isinstance(atom, sympy.floor) for atom in powers)]
    if len(rounded) != 1 or list(rounded[0].values()) != [1]:
        return None
    ((atom, _),) = rounded[0].items()
    inner = parts_of(atom.args[0])
    if inner is None or (rounded[0], Fraction(1, divisor)) not in terms:
        return None
    rest = [term for term in terms if term[0] != rounded[0]]
    return _terms_of_sum([*rest, *((powers, c / divisor) for powers, c in inner)])


def _terms_of_sum(terms: list[tuple[Powers, Fraction]]) -> list[tuple[Powers, Fraction]]:
    """Join terms with the same powers."""
    out: dict[frozenset[tuple[Any, int]], Fraction] = {}
    for powers, c in terms:
        key = frozenset(powers.items())
        out[key] = out.get(key, Fraction(0)) + c
    return [(dict(key), c) for key, c in out.items() if c]


def quotient(x: Any, y: Any) -> Any:
    """Return ``x / y`` as a polynomial if it is one."""
    import sympy

    if y.is_Number:
        return sympy.expand(x / y)
    exact = exact_quotient(x, y)
    return sympy.cancel(x / y) if exact is None else exact


def _sum(terms: Iterable[tuple[Powers, Fraction]]) -> Any:
    import sympy

    def product(powers: Powers, c: Fraction) -> Any:
        return sympy.Mul(sympy.Rational(c.numerator, c.denominator), *(atom**n for atom, n in powers.items()))

    return sympy.Add(*(product(powers, c) for powers, c in terms))


def parts_of(expr: Any) -> list[tuple[Powers, Fraction]] | None:
    """Return the terms of an expanded expression as powers of atoms; None if it is no polynomial."""
    import sympy

    out: list[tuple[Powers, Fraction]] = []
    terms: tuple[Any, ...] = sympy.Add.make_args(expr)
    for term in terms:
        coefficient, rest = term.as_coeff_Mul()
        powers: dict[Any, Any] = {} if rest == 1 else dict(rest.as_powers_dict())
        if not coefficient.is_Rational or not all(n.is_Integer and n > 0 for n in powers.values()):
            return None
        out.append(({atom: int(n) for atom, n in powers.items()}, Fraction(int(coefficient.p), int(coefficient.q))))
    return out


def _terms(parts: list[tuple[Powers, Fraction]], atoms: list[Any]) -> Terms:
    return {tuple(powers.get(atom, 0) for atom in atoms): c for powers, c in parts if c}


def _long_division(left: Terms, right: Terms) -> Terms | None:
    """Divide by the leading term again and again; None if a remainder is left."""
    lead = max(right)
    quotient: Terms = {}
    while left:
        top = max(left)
        powers = tuple(i - j for i, j in zip(top, lead, strict=True))
        if min(powers, default=0) < 0:
            return None
        quotient[powers] = factor = left[top] / right[lead]
        for place, c in right.items():
            at = tuple(i + j for i, j in zip(powers, place, strict=True))
            left[at] = left.get(at, Fraction(0)) - factor * c
            if not left[at]:
                del left[at]
    return quotient

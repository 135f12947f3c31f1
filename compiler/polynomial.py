"""Exact division of sizes: a general algebra system takes milliseconds for what layouts ask thousands of times.

An expanded expression is a polynomial in its atoms: named sizes, and whatever is not a sum or product of others, such
as a rounded quotient.  A quotient that is a polynomial again is found by long division.
"""

from __future__ import annotations

from fractions import Fraction
from typing import Any, TypeAlias

Powers: TypeAlias = dict[Any, int]
Terms: TypeAlias = dict[tuple[int, ...], Fraction]
"""Coefficients by the powers of every atom."""


def exact_quotient(a: Any, b: Any) -> Any | None:
    """Return ``a / b`` of two expanded expressions of sympy if it is a polynomial with integer coefficients."""
    import sympy

    parts = [_parts(a), _parts(b)]
    if None in parts or not b:
        return None
    atoms: list[Any] = list(dict.fromkeys(atom for p in parts for powers, _ in p or () for atom in powers))
    left, right = (_terms(p or [], atoms) for p in parts)
    quotient = _long_division(left, right)
    if quotient is None or any(c.denominator != 1 for c in quotient.values()):
        return None
    products = (
        sympy.Mul(int(c), *(atom**n for atom, n in zip(atoms, powers, strict=True))) for powers, c in quotient.items()
    )
    return sympy.Add(*products)


def _parts(expr: Any) -> list[tuple[Powers, Fraction]] | None:
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

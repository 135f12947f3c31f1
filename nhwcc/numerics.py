"""Comparing numbers: how far two tensors are apart, with NaN and infinities taken as what they are."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np

from nhwcc.compiler.types import Array
from nhwcc.options import TOLERANCE

SMALLEST = 1e-6
"""Tensors whose values are all smaller than this are compared as if this were the largest."""

Status = Literal["ok", "differs", "not proven"]


@dataclass(frozen=True)
class Difference:
    """How two tensors differ: ``error`` is the largest one, ``relative`` to the largest finite value that was wanted.

    ``differing`` counts elements that differ at all (integers) or by more than the tolerance.
    """

    status: Status
    error: float = 0.0
    relative: float = 0.0
    differing: int = 0
    size: int = 0
    note: str = ""

    @property
    def ok(self) -> bool:
        """Whether nothing speaks against the two being the same."""
        return self.status != "differs"

    @property
    def proven(self) -> bool:
        """Whether the two agree, and would hardly if they computed something else."""
        return self.status == "ok"


def all_equal(found: Difference) -> Difference:
    """Return a comparison that agrees as one that proves nothing, since all elements are equal."""
    return replace(found, status="not proven", note="all elements are equal")


def compare(want: Array, got: Array, tolerance: float = TOLERANCE) -> Difference:
    """Compare elements one by one, by one measure for the whole.

    Floats may differ by ``tolerance`` times the largest value; NaN and infinities must be at the same
    positions.  Of integers, booleans and strings, a share of ``tolerance`` may differ: rounding can tip an arg-max.
    """
    if want.shape != got.shape:
        return Difference("differs", note=f"shape {list(got.shape)}, not {list(want.shape)}")
    if family(want) != family(got):
        return Difference("differs", note=f"element type {got.dtype}, not {want.dtype}")
    if want.size == 0:
        return Difference("not proven", note="it has no elements")
    if family(want) == "exact":
        return _compare_exact(want, got, tolerance)
    if family(want) == "O":
        return _compare_strings(want, got, tolerance)
    return _compare_floats(want, got, tolerance)


def compare_unordered(want: Array, got: Array, tolerance: float = TOLERANCE) -> Difference:
    """Compare the elements of two tensors whatever order they are stored in: those inside of a network often differ."""
    if want.size != got.size:
        return Difference("differs", note=f"shape {list(got.shape)}, not {list(want.shape)}")
    return compare(np.sort(want, axis=None), np.sort(got, axis=None), tolerance)


def family(array: Array) -> str:
    """Return how elements are compared: as ``float``, ``exact``, or as numpy's kind of them says."""
    if array.dtype.kind == "f" or "float" in array.dtype.name:
        return "float"
    return "exact" if array.dtype.kind in "biu" or "int" in array.dtype.name else array.dtype.kind


def _compare_exact(want: Array, got: Array, tolerance: float) -> Difference:
    differing = int(np.count_nonzero(want != got))
    a, b = want.astype(np.float64), got.astype(np.float64)
    worst, largest = float(np.abs(a - b).max()), max(float(np.abs(a).max()), 1.0)
    note = f"{differing} of {want.size} differ" if differing else ""
    status: Status = "differs" if differing > tolerance * want.size else "ok"
    return Difference(status, worst, worst / largest, differing, want.size, note)


def _compare_strings(want: Array, got: Array, tolerance: float) -> Difference:
    differing = int(np.count_nonzero(want != got))
    note = f"{differing} of {want.size} differ" if differing else ""
    status: Status = "differs" if differing > tolerance * want.size else "ok"
    return Difference(status, differing=differing, size=want.size, note=note)


def _compare_floats(want: Array, got: Array, tolerance: float) -> Difference:
    kind: Any = np.complex128 if want.dtype.kind == "c" else np.float64
    a, b = want.astype(kind), got.astype(kind)
    finite = np.isfinite(a) & np.isfinite(b)
    astray = ~finite & ~((a == b) | (np.isnan(a) & np.isnan(b)))
    errors = np.abs(a[finite] - b[finite])
    worst = float(errors.max(initial=0.0))
    largest = max(float(np.abs(a)[finite].max(initial=0.0)), SMALLEST)
    differing = int(np.count_nonzero(errors > tolerance * largest))
    strays = int(np.count_nonzero(astray))
    status, note = _proof(a, finite)
    if strays or differing:
        status, note = "differs", f"{differing + strays} of {a.size} differ"
        note += f", {strays} of them NaN or infinite on one side only" if strays else ""
    return Difference(status, worst, worst / largest, differing + strays, a.size, note)


def _proof(a: Array, finite: Array) -> tuple[Status, str]:
    """What agreement is worth: that two sides overflow alike says nothing about the rest."""
    count = int(np.count_nonzero(~finite))
    if count == a.size:
        return "not proven", "every element is NaN or infinite, on both sides"
    if count:
        return "ok", f"{count} of {a.size} are NaN or infinite, on both sides"
    if a.size > 1 and (a == a.flat[0]).all():
        return "not proven", "all elements are equal"
    return "ok", ""

"""Whether two results agree: as a whole, in each slice along each axis, and among the values of each magnitude.

One number for a tensor hides what is small in it: class scores beside boxes in pixels, a channel of thousandths.  So
every part is held to its own scale.  Where parts differ by more, both sides are asked how far they are from themselves;
no two programs are closer than that.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from types import EllipsisType
from typing import Any, TypeAlias

import numpy as np

from nhwcc.compiler.types import Array
from nhwcc.numerics import Difference, all_equal, compare, family
from nhwcc.options import TOLERANCE

Part: TypeAlias = "EllipsisType | tuple[slice | int | np.intp, ...]"
"""What picks a part of a result: all of it, or a slice along an axis."""

NOISE = 4.0
"""How many times further than from themselves two sides may be from each other."""

LOCAL = 8.0
"""The same for one element, whose distance from itself is known from a few runs only."""

FINE = 100.0
"""How many times the tolerance an element may be off, relative to its own value."""

CHAOTIC = 0.05
"""A result that is further than this from itself, relative to how much it varies, says nothing about another."""

UNIT = 2.0**-22
"""What a runtime may be off wherever a function between 0 and 1 is involved, which it computes to the last bit of 1."""

BLUR = 2.0**-18
"""What rounding inside may move results by, relative to their size, though no input moves them as much.

Weights and sums are rounded, too.  Where it is much of what varies, the comparison says nothing."""

FEW = 8
"""What has fewer elements than this is held to its largest value, since its spread is chance."""

EXACT = 1e-3
"""What results may be off a whole step of their integers, as a share of it: both are the same step's multiples."""

ROUNDED = 0.25
"""How many elements rounding may move to a neighbouring integer: if more of them move, it is something else."""

SMALLEST = 1e-30
"""What is smaller may be flushed to zero."""

RESOLVED = 2.0**-24
"""Elements that are smaller than this share of the largest one are below the last bit of a sum with it."""


@dataclass(frozen=True)
class Limits:
    """What two results may differ by: ``tolerance`` relative to each part, ``floor`` relative to the largest value.

    The floor is what rounding to a narrow type inside costs anywhere in a result, 0 where there is none; ``step`` is
    one step of the integers that a result is made of, by which kernels that round otherwise are apart.  A ``strict``
    tolerance holds for the whole whatever the two sides are from themselves: their user has set it.
    """

    tolerance: float = TOLERANCE
    floor: float = 0.0
    strict: bool = False
    step: float = 0.0


def agree(want: Array, got: Array, limits: Limits, noise: Array | None = None) -> Difference:
    """Compare results; ``noise`` is how far, element by element, the two sides are from themselves, if that is known.

    Of integers, booleans and strings a share of the tolerance may differ, or what rounding tips on either side.
    """
    kind = family(want)
    if want.shape != got.shape or kind != family(got) or want.size == 0 or kind == "O":
        return compare(want, got, limits.tolerance)
    if kind == "exact":
        return _agree_exactly(want, got, limits, noise)
    return _Floats(want, got, limits, noise).difference()


def distance(one: Array, other: Array) -> Array:
    """Return how far two results are apart, element by element; 1 where what has no distance differs."""
    if family(one) not in ("float", "c"):
        return (one != other).astype(np.float64)
    with np.errstate(invalid="ignore"):
        apart = np.abs(one.astype(_wide(one)) - other.astype(_wide(other)))
    return np.where(np.isfinite(apart), apart, 0.0)


def _wide(array: Array) -> Any:
    return np.complex128 if array.dtype.kind == "c" else np.float64


def _agree_exactly(want: Array, got: Array, limits: Limits, noise: Array | None) -> Difference:
    """Allow for what rounding tips on either side: an arg-max between two that are equal."""
    tipped = 0 if noise is None else int(np.count_nonzero(noise))
    share = max(limits.tolerance, NOISE * tipped / want.size)
    found = compare(want, got, share)
    if found.ok and share > max(limits.tolerance, CHAOTIC):
        return replace(found, status="not proven", note=f"rounding tips {tipped} of {want.size}")
    return all_equal(found) if found.ok and want.size > 1 and (want == want.flat[0]).all() else found


class _Floats:
    """Two results of floating-point or complex numbers of one shape."""

    def __init__(self, want: Array, got: Array, limits: Limits, noise: Array | None) -> None:
        a, b = want.astype(_wide(want)), got.astype(_wide(got))
        self.finite = np.isfinite(a) & np.isfinite(b)
        self.strays = ~self.finite & ~((a == b) | (np.isnan(a) & np.isnan(b)))
        with np.errstate(invalid="ignore"):
            self.errors = np.where(self.finite, np.abs(a - b), 0.0)
        self.want = np.where(self.finite, np.real(a), 0.0)
        self.sizes = np.where(self.finite, np.abs(a), 0.0)
        self.largest = max(float(self.sizes.max()), SMALLEST)
        self.limits = limits
        self.least = limits.floor * self.largest
        self.stepped = self._stepped()
        self.noise = noise
        self.unit = 0.0 if noise is None else UNIT
        self.blur = 0.0 if noise is None or want.dtype.name in ("float64", "complex128") else BLUR
        self.blurred = ""

    def difference(self) -> Difference:
        """Return the verdict."""
        worst, size = float(self.errors.max()), self.want.size
        numbers = worst, worst / self.largest
        self.errors = np.where(self.stepped, 0.0, self.errors)
        departing, places = self.strays.copy(), list[str]()
        for place, part, found in self._departing():
            departing[part] |= found
            places.append(place)
        strays, count = int(np.count_nonzero(self.strays)), int(np.count_nonzero(departing))
        if count:
            note = f"{count} of {size} differ"
            note += f", {strays} of them NaN or infinite on one side only" if strays else ""
            note += f": {places[0]}" if places and places[0] else ""
            return Difference("differs", *numbers, count, size, note)
        hollow = self._hollow() or self.blurred
        status = "not proven" if hollow else "ok"
        return Difference(status, *numbers, 0, size, hollow or self._remark(worst))

    def _stepped(self) -> Array:
        """Return which elements are one step of their integers apart, unless these are too many for rounding."""
        step = self.limits.step
        found = np.abs(self.errors - step) <= EXACT * step if step else np.zeros(self.errors.shape, bool)
        return found if np.count_nonzero(found) <= ROUNDED * found.size else np.zeros(self.errors.shape, bool)

    def _departing(self) -> Iterator[tuple[str, Part, Array]]:
        """Yield where elements depart: a part, and which elements of it; of the whole, of slices, of magnitudes."""
        whole = self._beyond(...)
        if self.limits.strict:
            whole |= self.errors > max(self.limits.tolerance * self.largest, self.least)
        if whole.any():
            yield "", ..., whole
            return
        for axis in range(self.want.ndim):
            yield from self._slices(axis)
        yield from self._magnitudes()

    def _slices(self, axis: int) -> Iterator[tuple[str, Part, Array]]:
        """Look at each slice along an axis that has more than one."""
        number = self.want.shape[axis]
        if number == 1 or self.want.size // number < FEW:
            return
        others = tuple(i for i in range(self.want.ndim) if i != axis)
        scale = np.minimum(self.sizes.max(others), self.want.max(others) - self.want.min(others))
        allowed = np.maximum(self._allowed(scale), SMALLEST)
        for i in np.flatnonzero(self.errors.max(others) > allowed):
            part = (*(slice(None) for _ in range(axis)), i)
            found = self._beyond(part)
            if found.any():
                share = float(self.errors[part].max()) / max(float(scale[i]), SMALLEST)
                yield f"in slice {i} of axis {axis} by {share:.2g} of what varies there", part, found

    def _magnitudes(self) -> Iterator[tuple[str, Part, Array]]:
        """Look at the elements of each power of ten; what is below the last bit of the largest is left out."""
        visible = self.sizes > max(RESOLVED * self.largest, SMALLEST)
        own = FINE * self.limits.tolerance * self.sizes
        wrong = visible & (self.errors > np.maximum(own, self.least))
        if not wrong.any():
            return
        powers = np.floor(np.log10(np.where(visible, self.sizes, self.largest))).astype(int)
        for power in np.unique(powers[wrong]):
            near = visible & (powers >= power) & (powers <= power + 1)
            residue = self.unit * max(1.0, self.largest)  # what is left of sums that are zero
            allowed = own + residue + NOISE * self._moves(near, 99)
            found = wrong & (powers == power) & (self.errors > allowed)
            found &= self._beyond_itself(...)
            if found.any():
                share = float((self.errors[found] / self.sizes[found]).max())
                yield f"values of about 1e{power} by up to {share:.2g} of themselves", ..., found

    def _beyond(self, part: Part) -> Array:
        """Return which elements of a part depart by more than its scale and the noise in it allow."""
        values, errors = self.want[part], self.errors[part]
        scale = float(self.sizes[part].max())
        if values.size >= FEW:
            scale = min(scale, float(values.max() - values.min()))
        allowed = max(float(self._allowed(np.asarray(scale))), SMALLEST)
        found = errors > allowed
        if not found.any() or self.noise is None:
            return found
        found &= (errors > allowed + self.unit + NOISE * self._moves(part, 99)) & self._beyond_itself(part)
        is_blur = errors.max() <= self.blur * self.sizes[part].max()
        return self._blur(values, errors) if found.any() and is_blur else found

    def _blur(self, values: Array, errors: Array) -> Array:
        """Excuse errors that are small beside the values, and note it where they are much of what varies."""
        worst, varies = float(errors.max()), float(values.std())
        if worst > CHAOTIC * varies:
            self.blurred = f"the two are {worst:.2g} from each other, and the values vary by {varies:.2g}"
        return np.zeros(errors.shape, bool)

    def _allowed(self, scale: Array) -> Array:
        return np.maximum(self.limits.tolerance * scale, self.least)

    def _beyond_itself(self, part: Part) -> Array:
        """Return which elements are further from each other than each is from itself."""
        errors = self.errors[part]
        return errors > (LOCAL * self.noise[part] if self.noise is not None else 0.0)

    def _moves(self, part: Part | Array, percent: float) -> float:
        """Return how far from themselves elements are, but for the furthest; those that never move don't count."""
        if self.noise is None:
            return 0.0
        errors, noise = self.errors[part], self.noise[part]
        moving = noise[(errors > 0) | (noise > 0)]
        return float(np.percentile(moving, percent)) if moving.size else 0.0

    def _hollow(self) -> str:
        """Say why agreement proves nothing, if so."""
        if not self.finite.any():
            return "every element is NaN or infinite, on both sides"
        values = self.want[self.finite]
        if self.want.size > 1 and (values == values[0]).all() and self.finite.all():
            return "all elements are equal"
        usual = 0.0 if self.noise is None else float(np.percentile(self.noise, 90))
        moved, varies = max(usual, self.unit), float(values.std())
        if self.stepped.any() and 2 * self.limits.step > varies:
            return f"one step of its integers is {self.limits.step:.2g}, and the values vary by {varies:.2g}"
        if moved > CHAOTIC * varies and values.size > 1:
            return f"the two are {moved:.2g} from themselves, and the values vary by {varies:.2g}"
        return self._dead()

    def _dead(self) -> str:
        """Say along which axis most slices hold one value each; along those of pictures much is background."""
        shape = self.want.shape
        pictured = sorted(range(len(shape)), key=lambda axis: shape[axis])[2:] if len(shape) > 3 else []
        for axis, number in enumerate(shape):
            if number == 1 or self.want.size // number < FEW or axis in pictured:
                continue
            others = tuple(i for i in range(self.want.ndim) if i != axis)
            dead = int(np.count_nonzero(self.want.max(others) == self.want.min(others)))
            if 2 * dead > number:
                return f"{dead} of {number} slices along axis {axis} hold one value each"
        return ""

    def _remark(self, worst: float) -> str:
        """Say what is worth knowing of results that agree."""
        odd = int(np.count_nonzero(~self.finite))
        if odd:
            return f"{odd} of {self.want.size} are NaN or infinite, on both sides"
        if self.noise is not None and worst > self.limits.tolerance * self.largest:
            return f"rounding in another order, the two are {float(self.noise.max()):.2g} from themselves"
        return ""

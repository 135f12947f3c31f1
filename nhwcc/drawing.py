"""Random numbers for the inputs of a network, which shall reach what it does with them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from nhwcc.compiler.dims import static
from nhwcc.compiler.interpreter import random_tensor
from nhwcc.compiler.types import Array, DType, TensorType
from nhwcc.domains import Domain, Known
from nhwcc.landmarks import Landmarks
from nhwcc.size_domains import SizeDomain

SCALE = 32.0
"""How many times larger inputs become along their longest axis where a network is run with large ones."""

SHRINK = 1000.0
"""How many times smaller they are at the end of another axis then."""

USUAL = 4
"""Integers of which nothing is known may be sizes, or exponents: they stay below this."""

SIGNED = (DType.I32, DType.I64)
"""Integers that are numbers may be negative."""

NARROW = 16
"""Integers of as many bits are drawn from all that there are."""


@dataclass(frozen=True)
class Draw:
    """How to draw.

    Integers stay below ``bound``, and below :data:`USUAL` if they may be more than numbers; positions may count from
    the end if they are ``negative``.

    Floats are normally distributed; with a ``scale``, they grow up to as many times along the longest axis, or to where
    the network has limits, and some are zero, equal to others, or next to such a limit.
    """

    bound: int = USUAL
    negative: bool = True
    scale: float = 1.0

    def tensor(
        self, type: TensorType, domain: Known | None, sizes: Mapping[str, int], rng: np.random.Generator
    ) -> Array:
        """Draw a tensor; all its sizes are numbers.

        Raises:
            CompileError: R001, there are no random elements of this type.
        """
        marks = domain if isinstance(domain, Landmarks) else Landmarks()
        if isinstance(domain, Domain | SizeDomain) and domain.is_known(sizes) and type.size:
            return domain.draw(type, sizes, rng, negative=self.negative)
        dtype = type.dtype
        if dtype.is_int and dtype.bits <= NARROW and self.bound > SMALL.bound:
            drawn = _any_integer(type, rng)
        else:
            is_number = isinstance(domain, Domain) and domain.is_number
            drawn = random_tensor(type, rng, self.bound if is_number else min(self.bound, USUAL))
            if is_number and self.scale > 1 and dtype in SIGNED:
                drawn = np.where(rng.random(drawn.shape) < 0.5, drawn, -drawn)
        if isinstance(domain, Domain) and domain.divides:
            drawn = np.where(drawn == 0, np.ones_like(drawn), drawn)
        if not dtype.is_float or self.scale == 1:
            return drawn
        return marks.sprinkle(_growing(drawn, max(self.scale, marks.scale)), rng)


SMALL = Draw(2, negative=False)
"""Masks are 0 or 1, and so are many positions."""

DRAWS = (Draw(), Draw(negative=False), SMALL)
"""How to draw, in the order in which it is tried where there are integers."""

LARGE = (Draw(100, scale=SCALE), Draw(100, negative=False, scale=SCALE), Draw(negative=False, scale=SCALE))
"""The same for a run with large numbers."""


def _any_integer(type: TensorType, rng: np.random.Generator) -> Array:
    """Draw from all integers of a narrow type, the largest and the smallest among them."""
    low, high = type.dtype.bounds
    drawn = rng.integers(low, high + 1, static(type.shape))
    if drawn.size > 1:
        drawn.flat[0], drawn.flat[-1] = high, low
    return drawn.astype(type.dtype.numpy)


def _growing(array: Array, scale: float) -> Array:
    """Let numbers grow along the longest axis, so that what looks at places sees small ones and large ones.

    At the end of another axis they are tiny: what is added to a variance or a divisor counts beside such numbers only.
    """
    if array.size < 2:
        return (array * array.dtype.type(scale)).astype(array.dtype)
    axis = int(np.argmax(array.shape))
    other = next((i for i, size in enumerate(array.shape) if size > 1 and i != axis), None)
    factors = np.geomspace(1.0, scale, array.shape[axis]).reshape([-1 if i == axis else 1 for i in range(array.ndim)])
    large = (array * factors).astype(array.dtype)
    if other is not None:
        large[(*[slice(None)] * other, -1)] /= large.dtype.type(SHRINK)
    return large

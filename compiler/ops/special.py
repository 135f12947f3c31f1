"""Special functions of mathematics, which networks rarely compute but losses and distributions do."""

from __future__ import annotations

from importlib import import_module
from typing import Annotated, Any

from ..attributes import OneOf
from ..ir import Op
from ..opdef import Elementwise, op
from ..operands import Floats
from ..types import Array, TensorType

SPECIALS = {
    "airy_ai": "airy",
    "bessel_i0": "i0",
    "bessel_i0e": "i0e",
    "bessel_i1": "i1",
    "bessel_i1e": "i1e",
    "bessel_j0": "j0",
    "bessel_j1": "j1",
    "bessel_k0": "k0",
    "bessel_k0e": "k0e",
    "bessel_k1": "k1",
    "bessel_k1e": "k1e",
    "bessel_y0": "y0",
    "bessel_y1": "y1",
    "digamma": "psi",
    "erfc": "erfc",
    "erfcx": "erfcx",
    "erfinv": "erfinv",
    "lgamma": "gammaln",
    "log_ndtr": "log_ndtr",
    "ndtri": "ndtri",
}
"""The functions, by what scipy.special calls them; those that end in ``e`` are scaled by an exponential."""


@op("special", Elementwise)
class Special(Op):
    """A special function of one number; ``function`` is a key of ``SPECIALS``."""

    x: Floats
    function: Annotated[str, OneOf(*SPECIALS)]

    def infer(self) -> TensorType:
        """Keep the type."""
        return self.x.type

    @staticmethod
    def evaluate(x: Array, *, function: str) -> Array:
        """Elementwise in double precision."""
        functions: Any = import_module("scipy.special")
        found = getattr(functions, SPECIALS[function])(x.astype("float64"))
        return (found[0] if function == "airy_ai" else found).astype(x.dtype)

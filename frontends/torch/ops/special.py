"""Handlers of special functions, such as those of Bessel and gamma, which are one operation of the IR."""

from __future__ import annotations

from ....compiler.ir import Value
from ....compiler.ops.arith import Div, Sin
from ....compiler.ops.logic import Equal, Select
from ....compiler.ops.special import Special
from ..emitter import Emitter
from ..registry import aten

FUNCTIONS = {
    "digamma": "digamma",
    "erfinv": "erfinv",
    "i0": "bessel_i0",
    "lgamma": "lgamma",
    "special_airy_ai": "airy_ai",
    "special_bessel_j0": "bessel_j0",
    "special_bessel_j1": "bessel_j1",
    "special_bessel_y0": "bessel_y0",
    "special_bessel_y1": "bessel_y1",
    "special_erfcx": "erfcx",
    "special_i0e": "bessel_i0e",
    "special_i1": "bessel_i1",
    "special_i1e": "bessel_i1e",
    "special_log_ndtr": "log_ndtr",
    "special_modified_bessel_i0": "bessel_i0",
    "special_modified_bessel_i1": "bessel_i1",
    "special_modified_bessel_k0": "bessel_k0",
    "special_modified_bessel_k1": "bessel_k1",
    "special_ndtri": "ndtri",
    "special_scaled_modified_bessel_k0": "bessel_k0e",
    "special_scaled_modified_bessel_k1": "bessel_k1e",
}
"""The IR's names by the overloads'."""


def _function(name: str, function: str) -> None:
    @aten(name)
    def handler(emit: Emitter, x: Value) -> Value:  # pyright: ignore[reportUnusedFunction] -- registered
        return emit(Special(emit.cast(x, emit.dtype), function))


for _name, _function_name in FUNCTIONS.items():
    _function(_name, _function_name)


@aten("polygamma")
def polygamma(emit: Emitter, n: int, x: Value) -> Value:
    """``polygamma`` of order 0, the digamma function; its derivatives are refused."""
    if n != 0:
        raise emit.fail(f"is derivative {n} of the digamma function")
    return emit(Special(emit.cast(x, emit.dtype), "digamma"))


@aten("special_spherical_bessel_j0")
def spherical_bessel_j0(emit: Emitter, x: Value) -> Value:
    """``special_spherical_bessel_j0``: ``sin(x) / x``, and 1 where ``x`` is 0."""
    y = emit.cast(x, emit.dtype)
    at_zero = emit(Equal(y, emit.const(0, emit.dtype)))
    return emit(Select(at_zero, emit.const(1, emit.dtype), emit(Div(emit(Sin(y)), y))))

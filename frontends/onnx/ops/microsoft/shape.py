"""Earlier forms of operators that the standard has as well."""

from __future__ import annotations

from .....compiler.ir import Value
from ...emitter import Emitter
from ...registry import onnx_op
from ..index import gather_nd as gather_nd_of_standard
from ..index import trilu as trilu_of_standard
from ..shape import pad_
from .domain import MICROSOFT


@onnx_op("Pad", since=1, domain=MICROSOFT)
def pad(emit: Emitter, data: Value, pads: Value, value: Value | None = None, *, mode: str = "constant") -> Value:
    """All axes."""
    return pad_(emit, data, pads, value, mode=mode)


@onnx_op("Trilu", since=1, domain=MICROSOFT)
def trilu(emit: Emitter, x: Value, k: Value | None = None, *, upper: int = 1) -> Value:
    """The upper or lower triangle."""
    return trilu_of_standard(emit, x, k, upper=upper)


@onnx_op("GatherND", since=1, domain=MICROSOFT)
def gather_nd(emit: Emitter, data: Value, indices: Value) -> Value:
    """Slices at positions along the first axes."""
    return gather_nd_of_standard(emit, data, indices)

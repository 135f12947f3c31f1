"""What the kernel of a custom operator is told: a map with the operator's attributes, as a flexbuffer.

Numbers, strings, booleans and lists are what they are.  A tensor is a map of its element ``type`` (``f32``), its
``shape`` and its ``data``, row by row in little-endian order.  A size that stays open has no place here.
"""

# the generated code is untyped
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false

from __future__ import annotations

import struct
from collections.abc import Mapping
from typing import Any, cast

import numpy as np

from ...compiler.diagnostics import error
from ...compiler.dims import Sym
from ...compiler.types import DType, TensorType
from ...compiler.weights import Weight

RAW = "custom_options"
"""The name under which the only entry of a map is what a kernel is told byte by byte, instead of a flexbuffer."""


def encode(fields: Mapping[str, Any]) -> bytes:
    """Return the map as bytes.

    Raises:
        CompileError: B004, a value has no form in a flexbuffer.
    """
    from flatbuffers import flexbuffers

    if set(fields) == {RAW} and isinstance(fields[RAW], Weight):
        return np.ascontiguousarray(fields[RAW].array()).tobytes()
    return bytes(flexbuffers.Dumps({name: _plain(name, value) for name, value in fields.items()}))


def decode(data: bytes) -> Any:
    """Return what a flexbuffer holds.

    Raises:
        ValueError: it is none.
    """
    from flatbuffers import flexbuffers

    try:
        return flexbuffers.Loads(data)
    except (IndexError, TypeError, ValueError, OverflowError, RecursionError, struct.error) as bad:
        raise ValueError(f"no flexbuffer: {bad}") from bad


def _plain(name: str, value: Any) -> Any:
    """Return a value made of what flexbuffers have."""
    match value:
        case bool() | int() | float() | bytes() | None:
            return value
        case DType() | TensorType() | str():
            return str(value)
        case Weight():
            data = np.ascontiguousarray(value.array()).tobytes()
            shape = [int(d) for d in value.type.shape if not isinstance(d, Sym)]
            return {"type": str(value.type.dtype), "shape": shape, "data": data}
        case Mapping():
            return {str(k): _plain(name, v) for k, v in cast(Mapping[Any, Any], value).items()}
        case list() | tuple():
            return [_plain(name, v) for v in cast(list[Any], value)]
        case _:
            text = f"the attribute {name!r} of a custom operator is {value!r}, which no flexbuffer holds"
            raise error("B004", text, help="give numbers, texts, truth values, tensors, or lists of them")

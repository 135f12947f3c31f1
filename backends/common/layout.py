"""How inputs and outputs lie in a file compared with the source, for the file's metadata."""

from __future__ import annotations

import json
from collections.abc import Collection

from ...compiler.dims import MAX_TEXT, Dim, Sym
from ...compiler.ir import Func, Port, Value


def write_layout(func: Func, without: Collection[str] = ()) -> bytes:
    """Return what the metadata says of a function; ``without`` are inputs and outputs that the file has not."""
    sides = {"inputs": (func.inputs, func.args), "outputs": (func.outputs, func.returns)}
    said = {
        side: {p.name: describe(p, v) for p, v in zip(ports, values, strict=True) if p.name not in without}
        for side, (ports, values) in sides.items()
    }
    return json.dumps(said, separators=(",", ":")).encode()


def describe(port: Port, value: Value) -> dict[str, object]:
    """Return how a port's axes lie in the file, and the shape that the source declared."""
    perm = port.perm or tuple(range(value.type.rank))
    source = [value.type.shape[perm.index(i)] for i in range(len(perm))]
    return {"perm": list(perm), "order": port.order, "shape": [_stated(d, axis) for axis, d in enumerate(source)]}


def _stated(size: Dim, axis: int) -> int | str:
    """Return a size as it is read again; a formula that is too long for that is only a name."""
    if not isinstance(size, Sym):
        return size
    text = str(size)
    return text if len(text) <= MAX_TEXT else f"unstated{axis}"

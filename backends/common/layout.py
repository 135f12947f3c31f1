"""How inputs and outputs lie in a file compared with the source, for the file's metadata."""

from __future__ import annotations

import json
from collections.abc import Collection

from ...compiler.dims import Sym
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
    shape = [str(d) if isinstance(d, Sym) else d for d in source]
    return {"perm": list(perm), "order": port.order, "shape": shape}

"""The types of inputs: what the model states, what the user gives, and names for sizes that stay open."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from ...compiler.diagnostics import error
from ...compiler.types import TensorType
from ...formats.layout import KEY, read_layout
from ...formats.openvino.model import Layer, Port
from ...formats.openvino.weights import element_type, stated_type
from ..common import inputs
from ..common.inputs import BATCH, Shape
from ..common.sizes import Stated


@dataclass(frozen=True)
class Declared:
    """An input as the model states it: ``axes`` are the letters of its layout, such as ``NCHW``, empty if unknown."""

    element: str
    dims: Stated
    axes: str = ""


def declared_input(layer: Layer, *, stores_halves: bool) -> Declared:
    """Return what a Parameter says; ``stores_halves`` says that f16 is how the model is stored, not what it is given.

    Raises:
        CompileError: F016, a size is none.
    """
    element = layer.data.get("element_type", "").lower()
    dims = stated_shape(layer.data.get("shape", ""))
    port = next(iter(layer.outputs), Port(0))
    return Declared("f32" if stores_halves and element == "f16" else element, dims, axes_of(port, dims))


def named_sizes(declared: Mapping[str, Declared], metadata: Mapping[str, str]) -> dict[str, Declared]:
    """Give open sizes the names that a file of ours has for them.

    Raises:
        CompileError: R010, its metadata are damaged.
    """
    text = metadata.get(KEY.replace(".", "/"))
    if text is None:
        return dict(declared)
    ranks = {name: len(d.dims) for name, d in declared.items() if d.dims is not None}
    try:
        layout = read_layout(text.encode(), {"inputs": ranks}).get("inputs", {})
    except ValueError as bad:
        help = "The file is damaged; get it again."
        raise error("R010", f"the metadata {KEY} are damaged: {bad}", help=help) from bad
    return {name: _named(d, layout[name]) if name in layout else d for name, d in declared.items()}


def _named(declared: Declared, said: Mapping[str, Any]) -> Declared:
    """Return an input with the names of its open sizes, which the metadata state in the source's order of axes."""
    if declared.dims is None or said.get("shape") is None:
        return declared
    perm = said.get("perm") or range(len(declared.dims))
    pairs = zip(declared.dims, [said["shape"][p] for p in perm], strict=True)
    return replace(declared, dims=tuple(n if d in (None, BATCH) and _is_name(n) else d for d, n in pairs))


def _is_name(size: object) -> bool:
    return isinstance(size, str) and size.isidentifier()


def declared_port(port: Port) -> Declared:
    """Return the type and the sizes that a port states; sizes of -1 are open."""
    dims = tuple(d if d >= 0 else None for d in port.dims)
    return Declared(stated_type(port.precision), dims)


def stated_shape(text: str) -> Stated:
    """Read ``1,3,?,1..8``: sizes with bounds are open; None stands for an open number of axes.

    Raises:
        CompileError: F016, a size is none.
    """
    if text.strip() in ("...", "[...]"):
        return None
    sizes = [part.strip() for part in text.strip().strip("[]").split(",") if part.strip()]
    found: list[int | None] = []
    for size in sizes:
        if re.fullmatch(r"\d{1,18}", size, re.ASCII):
            found.append(int(size))
        elif re.fullmatch(r"\?|-1|\d{0,19}\.\.\d{0,19}", size, re.ASCII):
            found.append(None)
        else:
            raise error("F016", f"a shape has the size {size[:40]!r}", help="The file is damaged.")
    return tuple(BATCH if d is None and axis == 0 else d for axis, d in enumerate(found))


def axes_of(port: Port, dims: Stated) -> str:
    """Return the letters of a layout such as ``[N,C,H,W]``; empty if it does not name all axes."""
    given = port.info.get("layout", {}).get("layout", "").strip("[]").split(",")
    letters = [part.strip().upper() for part in given]
    is_whole = dims is not None and len(letters) == len(dims) and all(len(a) == 1 and a.isalpha() for a in letters)
    return "".join(letters) if is_whole and len(set(letters)) == len(letters) else ""


def input_types(declared: Mapping[str, Declared], shapes: Mapping[str, Shape | int]) -> dict[str, TensorType]:
    """Return the types of inputs, with the shapes and sizes that the user gives.

    Raises:
        CompileError: F003, F018, F019 or F020, for all inputs at once.
    """
    stated = {name: inputs.Declared(partial(element_type, d.element), d.dims) for name, d in declared.items()}
    return inputs.input_types(stated, shapes)

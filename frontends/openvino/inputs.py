"""The types of inputs: what the model states, what the user gives, and names for sizes that stay open."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ...compiler.budget import check_size
from ...compiler.diagnostics import Location, at, error
from ...compiler.dims import Dim
from ...compiler.types import DType, TensorType
from ...formats.openvino.model import Layer, Port
from ...formats.openvino.weights import element_type
from ..common.sizes import Sizes, Stated, given_shape, replaced_names
from ..problems import Problems

Shape = Sequence[int | str]

BATCH = "batch"
"""What the first axis of all inputs counts where its size is open."""

PRECISIONS = {"FP64": "f64", "FP32": "f32", "FP16": "f16", "BF16": "bf16", "BOOL": "boolean"}
"""Element types as ports state them, where these are no types' own names."""


@dataclass(frozen=True)
class Declared:
    """An input as the model states it: ``axes`` are the letters of its layout, such as ``NCHW``, empty if unknown."""

    element: str
    dims: Stated
    axes: str = ""


def declared_input(layer: Layer, *, stores_halves: bool) -> Declared:
    """Return what a Parameter says; ``stores_halves`` says that f16 is how the model is stored, not what it is given.

    Raises:
        CompileError: F019, a size is none.
    """
    element = layer.data.get("element_type", "").lower()
    dims = stated_shape(layer.data.get("shape", ""))
    port = next(iter(layer.outputs), Port(0))
    return Declared("f32" if stores_halves and element == "f16" else element, dims, axes_of(port, dims))


def declared_port(port: Port) -> Declared:
    """Return what a port inside of the model says."""
    dims = tuple(d if d >= 0 else None for d in port.dims)
    return Declared(PRECISIONS.get(port.precision.upper(), port.precision.lower()), dims)


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
    problems = Problems()
    model: dict[str, Stated] = {name: d.dims for name, d in declared.items()}
    stated = dict(model)
    fixed: dict[str, int] = {}
    for name, shape in shapes.items():
        with problems.collect():
            if name in declared:
                stated[name] = given_shape(name, (shape,) if isinstance(shape, int) else shape, model[name])
            elif isinstance(shape, int):
                fixed[name] = shape
            else:
                help = f"The inputs are {', '.join(declared) or 'none'}."
                raise error("F018", f"shapes: there is no tensor {name!r} among the inputs", help=help)
    sizes = Sizes(fixed)
    for name, numbers in replaced_names(model, stated).items():
        if len(numbers) == 1:
            sizes.fix(name, *numbers)
    types: dict[str, TensorType] = {}
    for name, given in declared.items():
        with at(Location(name)), problems.collect():
            types[name] = _type(name, given, stated[name], sizes)
            check_size(f"the input {name!r}", types[name])
    with problems.collect():
        sizes.check()
    problems.raise_any()
    return types


def _type(name: str, declared: Declared, dims: Stated, sizes: Sizes) -> TensorType:
    dtype = element_type(declared.element)
    if dtype is DType.STRING:
        raise error("F003", f"the input {name!r} holds strings", help="Cut the model after what reads it by inputs=...")
    if dims is None:
        text = f"the input {name!r} has no declared shape, not even a number of axes"
        raise error("F020", text, help=f'Give its shape: shapes={{"{name}": (...)}}.')
    return TensorType(dtype, tuple(_dim(d, sizes) for d in dims))


def _dim(size: int | str | None, sizes: Sizes) -> Dim:
    return size if isinstance(size, int) else sizes.fresh() if size is None else sizes.named(size)

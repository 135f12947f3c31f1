"""The types of a model's inputs: what it declares, what the user fixes, and names for the sizes that are unknown."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ...compiler.budget import check_size
from ...compiler.diagnostics import Location, at, error
from ...compiler.dims import Dim
from ...compiler.types import DType, TensorType
from ...formats.onnx.model import Declared
from ...formats.onnx.tensors import element_type
from ..common.sizes import Sizes, Stated, given_shape, known_size, replaced_names
from ..problems import Problems


def input_types(
    declared: Mapping[str, Declared], shapes: Mapping[str, Sequence[int | str]], sizes: Sizes
) -> dict[str, TensorType]:
    """Return the types of inputs, with the shapes that the user gives for some of them.

    A name for a size in the model that the user replaces by one number is that number everywhere.

    Raises:
        CompileError: F003, F019 or F020, for all inputs at once.
    """
    problems = Problems()
    model = {name: _stated(given.dims) for name, given in declared.items()}
    stated = dict(model)
    for name, shape in shapes.items():
        with problems.collect():
            stated[name] = given_shape(name, shape, model[name])
    for name, numbers in replaced_names(model, stated).items():
        if len(numbers) == 1:
            sizes.fix(name, *numbers)
    for dims in stated.values():  # names of the model come before names that are made up
        for d in dims or ():
            if isinstance(d, str):
                sizes.named(d)
    types: dict[str, TensorType] = {}
    for name, given in declared.items():
        with at(Location(name)), problems.collect():
            types[name] = _type(name, given, stated[name], sizes)
            check_size(f"the input {name!r}", types[name])
    problems.raise_any()
    return types


def _stated(dims: Sequence[int | str | None] | None) -> Stated:
    """Exporters write a size that they do not know in many ways: 0, -1, "" and "?"."""
    return None if dims is None else tuple(map(known_size, dims))


def _type(name: str, declared: Declared, dims: Stated, sizes: Sizes) -> TensorType:
    if declared.kind not in ("tensor", ""):
        raise error("F020", f"the input {name!r} is not a tensor but of kind {declared.kind!r}")
    if not declared.element:
        raise error("F020", f"the input {name!r} has no declared element type", help="The model is damaged.")
    dtype = element_type(declared.element)
    if dtype is DType.STRING:
        help = "Encode text before the model: cut the model after what reads it by inputs=..."
        raise error("F003", f"the input {name!r} holds strings", help=help)
    if dims is None:
        help = f'Give its shape: shapes={{"{name}": (...)}}.'
        raise error("F020", f"the input {name!r} has no declared shape, not even a number of axes", help=help)
    return TensorType(dtype, tuple(_dim(d, sizes) for d in dims))


def _dim(dim: int | str | None, sizes: Sizes) -> Dim:
    return dim if isinstance(dim, int) else sizes.fresh() if dim is None else sizes.named(dim)

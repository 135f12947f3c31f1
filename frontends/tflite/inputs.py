"""The types of inputs: what the file states, what the user gives, and names for sizes that stay open."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ...compiler.budget import check_size
from ...compiler.diagnostics import Location, at, error
from ...compiler.dims import Dim, Sym, parse_dim, substitute
from ...compiler.ops.shape import inverse
from ...compiler.types import DType, TensorType
from ...formats.tflite.constants import element_type
from ...formats.tflite.contents import StoredGraph
from ..common.sizes import Sizes, Stated, given_shape
from ..problems import Problems

Shape = Sequence[int | str]

BATCH = "batch"
"""What the first axis of all inputs counts where its size is open."""


@dataclass(frozen=True)
class Interface:
    """The inputs of a part of a subgraph by name, and what a file of ours says of how they lie."""

    graph: StoredGraph
    numbers: Mapping[str, int]
    layout: Mapping[str, Mapping[str, Any]]

    def stated(self, name: str) -> Stated:
        """Return the sizes of an input in the source's order: numbers, names, None for what nobody knows."""
        said = self.layout.get(name, {}).get("shape")
        if said is not None:
            return tuple(said)
        shape = self.graph.tensors[self.numbers[name]].info.shape
        dims = [d if d >= 0 else BATCH if axis == 0 else None for axis, d in enumerate(shape)]
        perm = layout_perm(self.layout, name)
        return tuple(dims if perm is None else [dims[axis] for axis in inverse(perm)])


def layout_perm(layout: Mapping[str, Mapping[str, Any]], name: str) -> tuple[int, ...] | None:
    """Return which axis of the source lies where; None if the file does not say, or says that none has moved."""
    perm = layout.get(name, {}).get("perm")
    found = None if perm is None else tuple(int(axis) for axis in perm)
    return None if found is None or found == tuple(range(len(found))) else found


def input_types(interface: Interface, shapes: Mapping[str, Shape | int]) -> dict[str, TensorType]:
    """Return the types of inputs as the file stores them.

    Raises:
        CompileError: F003, F018 or F019, for all inputs at once.
    """
    stated = {name: interface.stated(name) for name in interface.numbers}
    given, fixed = _sort(stated, shapes)
    problems = Problems()
    for name, shape in given.items():
        with problems.collect():
            if name not in stated:
                raise error("F018", f"shapes: there is no tensor {name!r} among the inputs", help=_names(stated))
            model = stated[name]
            stated[name] = given_shape(name, shape, model)
            _learn(model, stated[name], fixed)
    sizes = Sizes(fixed)
    types: dict[str, TensorType] = {}
    for name, number in interface.numbers.items():
        with at(Location(name)), problems.collect():
            types[name] = _type(name, number, interface, stated[name], sizes)
            check_size(f"the input {name!r}", types[name])
    problems.raise_any()
    return types


def _names(stated: Mapping[str, Stated]) -> str:
    return f"The inputs are {', '.join(stated) or 'none'}."


def _sort(stated: Mapping[str, Stated], shapes: Mapping[str, Shape | int]) -> tuple[dict[str, Shape], dict[str, int]]:
    """Tell shapes of inputs from numbers for named sizes; a number for an input is the shape of a vector.

    Raises:
        CompileError: F018, it is neither.
    """
    named = {n for dims in stated.values() for d in dims or () for n in _parts(d)}
    given = {
        n: s if not isinstance(s, int) else (s,) for n, s in shapes.items() if not isinstance(s, int) or n in stated
    }
    fixed = {n: s for n, s in shapes.items() if isinstance(s, int) and n not in stated}
    for name in fixed:
        if name not in named:
            text = f"shapes: there is no input {name!r}, and no size of this name is open"
            raise error("F018", text, help=f"Sizes with a name are: {', '.join(sorted(named)) or 'none'}.")
    return given, fixed


def _parts(size: int | str | None) -> frozenset[str]:
    """Return the names in a size."""
    if isinstance(size, str) and size.isidentifier():
        return frozenset({size})
    found = parse_dim(size) if isinstance(size, str) else 0
    return found.names if isinstance(found, Sym) else frozenset()


def _learn(model: Stated, given: Stated, fixed: dict[str, int]) -> None:
    """Let a named size that the user replaces by a number be that number everywhere."""
    for d, e in zip(model or (), given or (), strict=False):
        if isinstance(d, str) and isinstance(e, int) and d.isidentifier():
            fixed.setdefault(d, e)


def _type(name: str, number: int, interface: Interface, dims: Stated, sizes: Sizes) -> TensorType:
    tensor = interface.graph.tensors[number]
    dtype = element_type(tensor)
    if dtype is DType.STRING:
        help = "Encode text before the model: cut the model after what reads it by inputs=..."
        raise error("F003", f"the input {name!r} holds strings", help=help)
    source = tuple(_dim(d, sizes) for d in dims or ())
    perm = layout_perm(interface.layout, name)
    return TensorType(dtype, source if perm is None else tuple(source[axis] for axis in perm))


def _dim(size: int | str | None, sizes: Sizes) -> Dim:
    if isinstance(size, int):
        return size
    if size is None:
        return sizes.fresh()
    if size.isidentifier():
        return sizes.named(size)
    found = parse_dim(size)
    if not isinstance(found, Sym):
        return found
    numbers = {name: d for name in found.names if isinstance(d := sizes.named(name), int)}
    return substitute(found, numbers)

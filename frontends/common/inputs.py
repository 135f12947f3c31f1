"""The types of inputs: what a file states, what the user gives, and names for sizes that stay open."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ...compiler.budget import check_size
from ...compiler.diagnostics import Location, at, error
from ...compiler.dims import Dim, Sym, parse_dim, substitute
from ...compiler.types import DType, TensorType
from ..problems import Problems
from .sizes import Sizes, Stated, given_shape

Shape = Sequence[int | str]

BATCH = "batch"
"""What the first axis of all inputs counts where its size is open."""


@dataclass(frozen=True)
class Declared:
    """What a file says of an input: its element type, its sizes in the source's order, and how it stores its axes.

    ``element`` raises what is wrong with the type; ``perm`` is the source's axis at every stored one.
    """

    element: Callable[[], DType]
    dims: Stated
    perm: tuple[int, ...] | None = None


def layout_perm(layout: Mapping[str, Mapping[str, Any]], name: str) -> tuple[int, ...] | None:
    """Return which axis of the source lies where; None if the file does not say, or says that none has moved."""
    perm = layout.get(name, {}).get("perm")
    found = None if perm is None else tuple(int(axis) for axis in perm)
    return None if found is None or found == tuple(range(len(found))) else found


def input_types(inputs: Mapping[str, Declared], shapes: Mapping[str, Shape | int]) -> dict[str, TensorType]:
    """Return the types of inputs as the file stores them.

    Raises:
        CompileError: F003, F018, F019 or F020, for all inputs at once.
    """
    stated = {name: declared.dims for name, declared in inputs.items()}
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
    for name, declared in inputs.items():
        with at(Location(name)), problems.collect():
            types[name] = _type(name, declared, stated[name], sizes)
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


def _type(name: str, declared: Declared, dims: Stated, sizes: Sizes) -> TensorType:
    dtype = declared.element()
    if dtype is DType.STRING:
        help = "Encode text before the model: cut the model after what reads it by inputs=..."
        raise error("F003", f"the input {name!r} holds strings", help=help)
    if dims is None:
        help = f"Give it: --shape {name}=1,... (shapes=...)."
        raise error("F020", f"the model does not state how many axes the input {name!r} has", help=help)
    source = tuple(_dim(d, sizes) for d in dims)
    return TensorType(dtype, source if declared.perm is None else tuple(source[axis] for axis in declared.perm))


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

"""The types of a model's inputs: what it declares, what the user fixes, and names for the sizes that nobody knows."""

from __future__ import annotations

import keyword
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import TypeAlias

from ...compiler.budget import check_size
from ...compiler.diagnostics import Location, at, counted, did_you_mean, error
from ...compiler.dims import Dim, symbol
from ...compiler.types import DType, TensorType
from ...formats.onnx.model import Declared
from ...formats.onnx.tensors import element_type
from ..problems import Problems


class Sizes:
    """Hands out identifiers for sizes: one per name in the model, and new ones for sizes without a name.

    Those in ``fixed``, by the model's name or by the identifier, are numbers.
    """

    def __init__(self, fixed: Mapping[str, int] | None = None) -> None:
        self._fixed = dict(fixed or {})
        self._known: dict[str, Dim] = {}
        self._taken: set[str] = set()
        self._used: set[str] = set()
        self._count: Counter[str] = Counter()

    def named(self, name: str) -> Dim:
        """Return the size that the model or the user calls ``name``; one that was fixed is a number.

        >>> Sizes().named("batch size")
        batch_size
        """
        if name not in self._known:
            base = re.sub(r"\W+", "_", name, flags=re.ASCII).strip("_") or "d"
            if base[0].isdigit() or keyword.iskeyword(base):
                base = f"d_{base}"
            text, n = base, 1
            while text in self._taken:
                text, n = f"{base}_{n}", n + 1
            self._taken.add(text)
            self._known[name] = self._dim(text, name)
        return self._known[name]

    def fresh(self, prefix: str = "d") -> Dim:
        """Return a size with a name that nobody has used."""
        while (text := f"{prefix}{self._count[prefix]}") in self._taken:
            self._count[prefix] += 1
        self._taken.add(text)
        return self._dim(text, text)

    def _dim(self, text: str, name: str) -> Dim:
        chosen = next((n for n in (name, text) if n in self._fixed), None)
        if chosen is None:
            return symbol(text)
        self._used.add(chosen)
        return self._fixed[chosen]

    def check(self) -> None:
        """Refuse numbers for sizes that no input has.

        Raises:
            CompileError: F018.
        """
        for name in self._fixed:
            if name not in self._used:
                known = sorted({*self._known, *self._taken})
                help = did_you_mean(name, known) or f"Sizes with a name are: {', '.join(known) or 'none'}."
                raise error("F018", f"shapes: there is no input {name!r}, and no size of this name is open", help=help)

    def fix(self, name: str, size: Dim) -> None:
        """Let all sizes that the model calls ``name`` be ``size``."""
        self._known[name] = size


Stated: TypeAlias = "tuple[int | str | None, ...] | None"
"""Sizes as they are stated: None for one that nobody knows, and for all if not even their number is known."""


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
            stated[name] = _given(name, shape, model[name])
    for name, numbers in _replaced(model, stated).items():
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


def known_size(stated: int | str | None) -> int | str | None:
    """Return a stated size, None if it says nothing."""
    is_known = stated.strip(" ?") != "" if isinstance(stated, str) else stated is not None and stated > 0
    return stated if is_known else None


def _given(name: str, shape: Sequence[int | str], model: Stated) -> Stated:
    """Check a shape that the user gives."""
    if model is not None and len(model) != len(shape):
        axes = counted(len(shape), "axis", "axes")
        raise error("F019", f"the shape given for {name!r} has {axes}, but the model declares {len(model)}")
    for d in shape:
        if not isinstance(d, str) and d < 0:
            help = "Give a number, or a name for a size that is left open."
            raise error("F019", f"the shape given for {name!r} has a size of {d}", help=help)
    return tuple(d if not isinstance(d, str) else d.strip(" ?") or None for d in shape)


def _replaced(model: Mapping[str, Stated], stated: Mapping[str, Stated]) -> dict[str, set[int]]:
    """Collect the numbers that the user gives for the model's names of sizes."""
    found: dict[str, set[int]] = {}
    for name, dims in model.items():
        for d, e in zip(dims or (), stated[name] or (), strict=False):
            if isinstance(d, str) and isinstance(e, int):
                found.setdefault(d, set()).add(e)
    return found


def _type(name: str, declared: Declared, dims: Stated, sizes: Sizes) -> TensorType:
    if declared.kind not in ("tensor", ""):
        raise error("F020", f"the input {name!r} is not a tensor but of kind {declared.kind!r}")
    if not declared.element:
        raise error("F020", f"the input {name!r} has no declared element type", help="The model is damaged.")
    dtype = element_type(declared.element)
    if dtype is DType.STRING:
        help = "Encode text before the model: cut the model behind what reads it by inputs=..."
        raise error("F003", f"the input {name!r} holds strings", help=help)
    if dims is None:
        help = f'Give its shape: shapes={{"{name}": (...)}}.'
        raise error("F020", f"the input {name!r} has no declared shape, not even a number of axes", help=help)
    return TensorType(dtype, tuple(_dim(d, sizes) for d in dims))


def _dim(dim: int | str | None, sizes: Sizes) -> Dim:
    return dim if isinstance(dim, int) else sizes.fresh() if dim is None else sizes.named(dim)

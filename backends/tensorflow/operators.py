"""TensorFlow's operators as far as they are written: what they take, and for which element types there are kernels.

``operators.txt`` has a line for each, which a test compares with what TensorFlow says of the kernels for processors.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from ...compiler.types import DType

TABLE = files("nhwcc.backends.tensorflow").joinpath("operators.txt")
"""The file."""

TypeAttribute = DType | tuple[DType, ...]


@dataclass(frozen=True)
class Parameter:
    """An input or a result: its name, and its element type, or the ``attribute`` that holds it.

    ``count`` is the attribute with the number of tensors, of one type, that it stands for; an attribute that ``lists``
    types stands for as many tensors as there are types.
    """

    name: str
    dtype: DType | None
    attribute: str = ""
    count: str | None = None
    lists: bool = False


@dataclass(frozen=True)
class Operator:
    """What an operator takes and gives; ``types`` are those of the kernels by attribute, where they don't take any."""

    name: str
    inputs: tuple[Parameter, ...]
    outputs: tuple[Parameter, ...]
    types: Mapping[str, frozenset[DType]]

    def attributes(self, inputs: Sequence[DType], outputs: Sequence[DType]) -> dict[str, TypeAttribute | int]:
        """Return the attributes that tell element types, and numbers of tensors."""
        found: dict[str, TypeAttribute | int] = {}
        for parameters, given in ((self.inputs, inputs), (self.outputs, outputs)):
            for parameter, types in _bound(parameters, given):
                if parameter.lists:
                    found[parameter.attribute] = tuple(types)
                elif parameter.dtype is None and types:
                    found[parameter.attribute] = types[0]
                if parameter.count is not None:
                    found[parameter.count] = len(types)
        return found

    def why_not(self, inputs: Sequence[DType], outputs: Sequence[DType]) -> str | None:
        """Say why there is no kernel for tensors of such types, None if there is one."""
        found: dict[str, DType] = {}
        for parameters, given in ((self.inputs, inputs), (self.outputs, outputs)):
            for parameter, types in _bound(parameters, given):
                reason = None if parameter.lists else self._refuses(parameter, types, found)
                if reason is not None:
                    return reason
        return None

    def _refuses(self, parameter: Parameter, types: Sequence[DType], found: dict[str, DType]) -> str | None:
        for dtype in types:
            wanted = parameter.dtype or found.setdefault(parameter.attribute, dtype)
            if dtype is not wanted:
                return f"{self.name} takes {parameter.name} of {wanted} only, not of {dtype}"
            if parameter.attribute in self.types and dtype not in self.types[parameter.attribute]:
                return f"{self.name} has no kernel for {parameter.name} of {dtype}"
        return None

    @property
    def first_types(self) -> str:
        """The element types of the first parameter that is more than positions or sizes, for the docs."""
        told = [self._types(p) for p in (*self.inputs, *self.outputs) if not p.lists]
        chosen = next((types for types in told if types is None or not types <= INTEGERS), told[0] if told else None)
        return "any type" if chosen is None else ", ".join(sorted(chosen))

    def _types(self, parameter: Parameter) -> frozenset[DType] | None:
        """The types that a parameter may have; None for any."""
        return self.types.get(parameter.attribute) if parameter.dtype is None else frozenset({parameter.dtype})


INTEGERS = frozenset({DType.I16, DType.I32, DType.I64})
"""What positions and sizes are counted in."""


def _bound(parameters: Sequence[Parameter], given: Sequence[DType]) -> list[tuple[Parameter, Sequence[DType]]]:
    """Return the tensors of each parameter; one of them at most stands for several."""
    rest = len(given) - len(parameters) + 1
    out: list[tuple[Parameter, Sequence[DType]]] = []
    start = 0
    for parameter in parameters:
        size = rest if parameter.lists or parameter.count is not None else 1
        out.append((parameter, given[start : start + size]))
        start += size
    return out


@cache
def operators() -> dict[str, Operator]:
    """Read TensorFlow's operators from the file beside this module."""
    lines = TABLE.read_text(encoding="utf-8").splitlines()
    return {found.name: found for found in map(read_operator, lines)}


_LINE = re.compile(r"(\w+)\((.*?)\) -> \((.*?)\)(.*)")


def read_operator(line: str) -> Operator:
    """Read what a line says of an operator."""
    found = _LINE.fullmatch(line)
    assert found is not None, line
    name, inputs, outputs, types = found.groups()
    allowed = (part.split(" = ") for part in types.split("; ")[1:])
    return Operator(
        name,
        tuple(map(_parameter, filter(None, inputs.split(", ")))),
        tuple(map(_parameter, filter(None, outputs.split(", ")))),
        {attribute: frozenset(map(DType, words.split())) for attribute, words in allowed},
    )


_DTYPES = {dtype.value: dtype for dtype in DType}


def _parameter(text: str) -> Parameter:
    name, _, kind = text.partition(": ")
    count, star, kind = kind.rpartition("*")
    plain = kind.removesuffix("[]")
    dtype = _DTYPES.get(plain)
    return Parameter(name, dtype, "" if dtype else plain, count if star else None, plain != kind)

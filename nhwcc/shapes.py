"""Shapes that users give for inputs, with element types where needed: ``1,3,height,width``, ``i64:1,length``."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

from nhwcc.compiler.diagnostics import error

if TYPE_CHECKING:
    from nhwcc.compiler.types import DType

ShapeLike: TypeAlias = "Sequence[int | str] | int"
"""Numbers, and names for sizes that stay open; or a text such as ``i64:1,length`` or ``f32[1,3,height,width]``.

A number alone is for the size of this name, wherever it stands, or for the vector of this name.
"""

WRITE = "write 1,3,320,320 or i64:1,length"
OPEN_ELSEWHERE = ("-1", "?", "*", "None", "none", "null", "dynamic")
"""How others write sizes that stay open."""

_OPEN = re.compile(r"[A-Za-z_][\w.]*(\s*[-+*/]+\s*\w+)*|\d+(\s*[-+*/]+\s*\w+)+")
"""A name, or names and numbers in a formula."""

_TYPED = re.compile(r"(?:(?P<type>\w+):)?(?P<sizes>[^:\[\]()]*)|(?P<type2>\w*)[\[(](?P<sizes2>[^:\[\]()]*)[\])]")


@dataclass(frozen=True)
class Given:
    """What is said about an input; a size that is a text stays open under this name.

    ``sizes`` is a number where it may be for a named size.
    """

    sizes: tuple[int | str, ...] | int
    dtype: DType | None = None

    @property
    def shape(self) -> tuple[int | str, ...]:
        """The shape of an input, without its element type."""
        return (self.sizes,) if isinstance(self.sizes, int) else self.sizes


def read_shape(shape: ShapeLike) -> Given:
    """Read a shape.

    >>> read_shape("i64:1,length")
    Given(sizes=(1, 'length'), dtype=<DType.I64: 'i64'>)
    >>> read_shape((1, 3, "h", "w")) == read_shape("[1,3,h,w]") == read_shape("1,3,h,w")
    True
    >>> read_shape("8"), read_shape("8,")
    (Given(sizes=8, dtype=None), Given(sizes=(8,), dtype=None))

    Raises:
        ValueError: it is none.
    """
    if not isinstance(shape, str):
        return Given(shape if isinstance(shape, int) else tuple(shape))
    if shape.strip().isdecimal():
        return Given(int(shape))
    found = _TYPED.fullmatch(shape.strip())
    if found is None:
        raise ValueError(f"{shape!r} is not a shape; {WRITE}")
    type, sizes = (found["type"], found["sizes"]) if found["sizes"] is not None else (found["type2"], found["sizes2"])
    parts = [p.strip() for p in sizes.strip().removesuffix(",").split(",")] if sizes.strip() else []
    if not all(parts) or not (parts or type):
        raise ValueError(f"{shape!r} leaves out a size; {WRITE}")
    return Given(tuple(_size(p, shape) for p in parts), _dtype(type, shape) if type else None)


def _dtype(name: str, shape: str) -> DType:
    from nhwcc.compiler import types

    if name not in tuple(types.DType):
        raise ValueError(f"{name!r} in {shape!r} is not an element type; there are {', '.join(types.DType)}")
    return types.DType(name)


def _size(text: str, shape: str) -> int | str:
    """Read a size: a number, or a word for one that stays open."""
    if text.isdecimal():
        return int(text)
    if text in OPEN_ELSEWHERE:
        raise ValueError(f"{text!r} in {shape!r}: a size that stays open has a name, as in n,3,height,width")
    if not _OPEN.fullmatch(text):
        raise ValueError(f"{text!r} in {shape!r} is neither a size nor the name of one; {WRITE}")
    return text


def read_shapes(shapes: Mapping[str, ShapeLike] | None) -> dict[str, Given]:
    """Read the shapes of several inputs.

    Raises:
        CompileError: F019, one is no shape.
    """
    found: dict[str, Given] = {}
    for name, shape in (shapes or {}).items():
        try:
            found[name] = read_shape(shape)
        except ValueError as bad:
            raise error("F019", f"the shape given for {name!r}: {bad}") from bad
    return found

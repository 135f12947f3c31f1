"""Attributes of operations: what their declared types mean, how given values are converted and checked."""

from __future__ import annotations

import inspect
import math
import operator
import types
import typing
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Annotated, Any, SupportsFloat, TypeAlias, cast

import numpy as np

from .axes import Names
from .dims import Dim, Sym
from .types import DType, TensorType, parse_type
from .weights import Weight

Converter = Callable[[Any], Any]
"""Makes a literal of the text form, or a numpy number, a value of the declared type; raises ValueError."""

INTEGERS = range(-(2**63), 2**63)
"""What fits into the integers of model files."""


@dataclass(frozen=True, slots=True)
class OneOf:
    """Marks an attribute that is one of some words: ``Annotated[str, OneOf("dcr", "crd")]``."""

    words: tuple[str, ...]

    def __init__(self, *words: str) -> None:
        object.__setattr__(self, "words", words)


@dataclass(frozen=True, slots=True)
class AtLeast:
    """Marks a number that has a lower bound: ``Annotated[int, AtLeast(1)]``. Symbolic sizes are not looked at."""

    low: int


@dataclass(frozen=True, slots=True)
class IsFinite:
    """Marks a number that is neither infinite nor NaN: what is computed with one is not arithmetic any more."""


class ImpossibleValue(ValueError):
    """A value of the right type that an attribute can't have."""


Positive: TypeAlias = Annotated[int, AtLeast(1)]
Count: TypeAlias = Annotated[int, AtLeast(0)]
Size: TypeAlias = Annotated[Dim, AtLeast(0)]
Finite: TypeAlias = Annotated[float, IsFinite()]
IndexType: TypeAlias = Annotated[DType, OneOf(DType.I32, DType.I64)]


@dataclass(frozen=True, slots=True)
class Attribute:
    """A declared attribute: its type, its default, what its integers name, and how a given value is converted."""

    name: str
    type: Any
    names: Names | None
    convert: Converter | None
    default: Any = inspect.Parameter.empty

    @property
    def is_required(self) -> bool:
        """Whether the attribute has no default and must be stated."""
        return self.default is inspect.Parameter.empty

    @property
    def is_float(self) -> bool:
        """Whether it is a floating-point number, finite or not."""
        return self.type in (float, Finite)

    def accept(self, value: Any) -> Any:
        """Convert a given value.

        Raises:
            ImpossibleValue: it is of the declared type, but none of the values that are allowed.
            ValueError: it is not of the declared type.
        """
        if self.convert is None:
            return value
        try:
            return self.convert(value)
        except ValueError as bad:
            raise type(bad)(f"{self.name} is {bad}") from bad

    def check(self, value: Any, rank: int) -> None:
        """Check a value against the number of axes of the first operand.

        Raises:
            ValueError: it names an axis that is not there, or has more or fewer entries than there are axes.
        """
        match self.names:
            case Names.AXIS:
                check_axes((value,) if isinstance(value, int) else value or (), rank)
            case Names.PER_AXIS if len(value) != rank:
                raise ValueError(f"{self.name} has {len(value)} entries for {rank} axes")
            case Names.PER_SPATIAL if len(value) != max(rank - 2, 0):
                raise ValueError(f"{self.name} has {len(value)} entries for {max(rank - 2, 0)} spatial axes")
            case _:
                pass


def check_axes(axes: tuple[int, ...], rank: int) -> None:
    """Check that axes are there, each named once.

    Raises:
        ValueError: one is outside of the rank, or two are the same.
    """
    for axis in axes:
        if not 0 <= axis < rank:
            raise ValueError(f"axis {axis} is outside of rank {rank}")
    if len(set(axes)) != len(axes):
        raise ValueError(f"axes {list(axes)} name one twice")


def declare(name: str, hint: Any, default: Any = inspect.Parameter.empty) -> Attribute:
    """Return what the declaration ``name: hint = default`` says."""
    names: Names | None = None
    convert = converter(hint)
    if typing.get_origin(hint) is Annotated:
        names = next((m for m in typing.get_args(hint)[1:] if isinstance(m, Names)), None)
        hint = hint if names is None else typing.get_args(hint)[0]
    if convert is not None and default is not inspect.Parameter.empty:
        default = convert(default)
    return Attribute(name, hint, names, convert, default)


def converter(hint: Any) -> Converter | None:
    """Return what checks and converts values of the type ``hint``; None if any value will do."""
    if hint in _PLAIN:
        return _PLAIN[hint]
    origin, args = typing.get_origin(hint), typing.get_args(hint)
    if origin is Annotated:
        return _marked(converter(args[0]), args[1:])
    if origin is Mapping:
        return _mapping
    if origin is tuple and len(args) == 2 and args[1] is Ellipsis:
        return _items(converter(args[0]))
    if origin is tuple:
        return _fixed([converter(a) for a in args])
    if origin in (typing.Union, types.UnionType) and types.NoneType in args:
        inner = converter(next(a for a in args if a is not types.NoneType) if len(args) == 2 else Dim)
        return (lambda v: None if v is None else inner(v)) if inner else None
    return None


def _wrong(value: object, wanted: str) -> ValueError:
    return ValueError(f"{value!r}, but must be {wanted}")


def _integer(value: Any) -> int:
    try:
        number = operator.index(value)
    except TypeError:
        raise _wrong(value, "an integer") from None
    if number not in INTEGERS:
        raise _wrong(value, "an integer of 64 bits")
    return number


def _float(value: Any) -> float:
    if not isinstance(value, SupportsFloat) or np.ndim(cast(Any, value)):
        raise _wrong(value, "a number")
    try:
        return float(value)
    except (OverflowError, TypeError):
        raise _wrong(value, "a real number of 64 bits") from None


def _bool(value: Any) -> bool:
    if isinstance(value, str) or np.ndim(value) or value not in (0, 1):
        raise _wrong(value, "true or false")
    return bool(value)


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise _wrong(value, "a text")
    return value


def _dtype(value: Any) -> DType:
    if value not in tuple(DType):
        raise _wrong(value, f"an element type: {', '.join(DType)}")
    return DType(value)


def _weight(value: Any) -> Weight:
    if not isinstance(value, Weight | np.ndarray | np.generic | int | float):
        raise _wrong(value, "a tensor")
    return Weight.of(value)


def _type(value: Any) -> TensorType:
    if not isinstance(value, TensorType | str):
        raise _wrong(value, "a type")
    return parse_type(value) if isinstance(value, str) else value


def _dim(value: Any) -> Dim:
    return value if isinstance(value, Sym) else _integer(value)


def _mapping(value: Any) -> dict[str, Any]:
    if not isinstance(value, Mapping):
        raise _wrong(value, "values by name")
    return dict(cast(Mapping[str, Any], value))


_PLAIN: dict[Any, Converter] = {
    int: _integer,
    float: _float,
    bool: _bool,
    str: _text,
    DType: _dtype,
    Weight: _weight,
    TensorType: _type,
    Dim: _dim,
}


def _sequence(value: Any) -> tuple[Any, ...]:
    if not isinstance(value, list | tuple | np.ndarray):
        raise _wrong(value, "a list")
    return tuple(cast(list[Any], value))


def _items(item: Converter | None) -> Converter:
    return lambda value: tuple(item(v) if item else v for v in _sequence(value))


def _fixed(items: list[Converter | None]) -> Converter:
    def convert(value: Any) -> Any:
        given = _sequence(value)
        if len(given) != len(items):
            raise _wrong(value, f"a list of {len(items)}")
        return tuple(item(v) if item else v for item, v in zip(items, given, strict=True))

    return convert


def _marked(inner: Converter | None, marks: tuple[Any, ...]) -> Converter | None:
    """Return a converter that also checks what the marks ask for."""
    words = next((m.words for m in marks if isinstance(m, OneOf)), None)
    low = next((m.low for m in marks if isinstance(m, AtLeast)), None)
    finite = any(isinstance(m, IsFinite) for m in marks)
    if words is None and low is None and not finite:
        return inner

    def convert(value: Any) -> Any:
        found = inner(value) if inner else value
        if words is not None and found not in words:
            raise ImpossibleValue(f"{value!r}, but must be one of {', '.join(words)}")
        if low is not None and isinstance(found, int | float) and not found >= low:
            raise ImpossibleValue(f"{value!r}, but must be at least {low}")
        if finite and not math.isfinite(found):
            raise ImpossibleValue(f"{value!r}, but must be finite")
        return found

    return convert

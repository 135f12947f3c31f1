"""The row of the table for custom operators, whose meaning is not known."""

from __future__ import annotations

from collections.abc import Sequence
from numbers import Real
from typing import Any, cast

from ....compiler.ops.custom import Custom
from ..table import EXTENSION, Call, condition, emits

OWN = "extension"
"""The set of operations that OpenVINO finds in libraries of an application."""


@condition("no operand that is left out")
def _all_given(op: Custom) -> str | None:
    return "an operand that is left out" if None in op.inputs else None


@condition("attributes that are numbers, strings, truth values or lists of these")
def _are_strings(op: Custom) -> str | None:
    return next((f"the attribute {name!r}" for name, value in op.options.items() if not _is_plain(value)), None)


def _is_plain(value: Any) -> bool:
    items = _items(value)
    return isinstance(value, str | Real) if items is None else all(map(_is_plain, items))


def _items(value: Any) -> Sequence[Any] | None:
    """Return the items of a list, None of anything else."""
    return cast("Sequence[Any]", value) if isinstance(value, tuple | list) else None


def _listed(value: Any) -> Any:
    """Return an attribute with lists as tuples."""
    items = _items(value)
    return value if items is None else tuple(map(_listed, items))


@emits(Custom, EXTENSION, dtypes={}, when=(_all_given, _are_strings))
def custom(op: Custom) -> Call:
    """The layer as the source has it: of the set that its domain names, else of the application's own."""
    domain, _, name = op.code.rpartition(".")
    options = {n: _listed(v) for n, v in op.options.items()}
    operands = tuple(v for v in op.inputs if v is not None)
    return Call(operands, options, extension=(domain or OWN, name))

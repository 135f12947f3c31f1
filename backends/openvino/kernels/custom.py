"""The row for operators that nobody here knows."""

from __future__ import annotations

from numbers import Real

from ....compiler.ops.custom import Custom
from ..table import EXTENSION, Call, condition, emits

OWN = "extension"
"""The set of operations that OpenVINO finds in libraries of an application."""


@condition("no operand that is left out")
def _all_given(op: Custom) -> str | None:
    return "an operand that is left out" if None in op.inputs else None


@condition("attributes that are numbers, texts, truth values or lists of these")
def _told_as_text(op: Custom) -> str | None:
    return next((f"the attribute {name!r}" for name, value in op.options.items() if not _is_plain(value)), None)


def _is_plain(value: object) -> bool:
    return all(map(_is_plain, value)) if isinstance(value, tuple | list) else isinstance(value, str | Real)


@emits(Custom, EXTENSION, dtypes={}, when=(_all_given, _told_as_text))
def custom(op: Custom) -> Call:
    """The layer as the source has it: of the set that its domain names, else of the application's own."""
    domain, _, name = op.code.rpartition(".")
    options = {n: tuple(v) if isinstance(v, list) else v for n, v in op.options.items()}
    return Call(op.inputs, options, extension=(domain or OWN, name))

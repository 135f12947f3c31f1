"""Functions that rule files call, and whether a call fits what they take."""

from __future__ import annotations

import inspect
import types
import typing
from collections.abc import Callable, Sequence
from typing import Annotated, Any, TypeAlias

from .diagnostics import counted, did_you_mean, error
from .ir import Value
from .types import DType

HELPERS: dict[str, Callable[..., Any]] = {}
"""Functions that rule files may call, by name."""

Kind: TypeAlias = str | None
"""What an argument is, in a word that errors can use: ``a number``; None where that is not known."""

_KINDS: dict[Any, Kind] = {
    Value: "a value",
    int: "a number",
    float: "a number",
    bool: "true or false",
    str: "a text",
    DType: "an element type",
    tuple: "a list",
    list: "a list",
}


def helper(fn: Callable[..., Any]) -> Callable[..., Any]:
    """Make a function callable from rule files, under its name with dashes."""
    HELPERS[fn.__name__.replace("_", "-")] = fn
    return fn


def kind_of(hint: Any) -> Kind:
    """Return what values of a type are in a rule; None for a type of several kinds."""
    origin = typing.get_origin(hint)
    if origin is Annotated:
        return kind_of(typing.get_args(hint)[0])
    if origin in (typing.Union, types.UnionType):
        kinds = {kind_of(t) for t in typing.get_args(hint) if t is not types.NoneType}
        return kinds.pop() if len(kinds) == 1 else None
    return _KINDS.get(hint if origin is None else origin)


def is_other(found: Kind, wanted: Kind) -> bool:
    """Say whether something is known to be of another kind than is wanted; element types may be written as text."""
    if found is None or wanted is None or found == wanted:
        return False
    return (found, wanted) not in (("a text", "an element type"), ("an element type", "a text"))


def result_kind(name: str) -> Kind:
    """Return what a helper gives, as far as it declares that."""
    return kind_of(_hints(HELPERS[name]).get("return"))


def check_known(name: str) -> None:
    """Raise P009 unless there is a helper of this name.

    Raises:
        CompileError: P009.
    """
    if name not in HELPERS:
        help = did_you_mean(name, HELPERS) or f"there are {', '.join(sorted(HELPERS))}"
        raise error("P009", f"rules call an unknown helper {name!r}", help=help)


def check_call(name: str, given: Sequence[Kind]) -> None:
    """Compare the arguments of a call with the helper's parameters.

    Raises:
        CompileError: P006, there are more or fewer of them, or one is of another kind.
    """
    fn = HELPERS[name]
    parameters = inspect.signature(fn).parameters
    shown = f"{name}({', '.join(parameters)})"
    try:
        bound = inspect.signature(fn).bind(*given)
    except TypeError:
        raise error("P006", f"{shown} is given {counted(len(given), 'argument')}") from None
    hints = _hints(fn)
    for parameter, kind in bound.arguments.items():
        wanted = kind_of(hints.get(parameter))
        if is_other(kind, wanted):
            raise error("P006", f"{shown} takes {wanted} as {parameter}, not {kind}")


def _hints(fn: Callable[..., Any]) -> dict[str, Any]:
    """Return the annotations of a function that may have been written without, or with names of its own."""
    try:
        return typing.get_type_hints(fn, include_extras=True)
    except NameError:
        return {}

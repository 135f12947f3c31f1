"""Which names of sizes operations use: what binds a name stays as long as one of them does."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, cast

from .dims import Sym
from .ir import Op
from .ops.bound import BindSizes


def binds_unused(op: Op, used: set[str]) -> bool:
    """Say whether an operation only binds names that no later operation uses."""
    return isinstance(op, BindSizes) and used.isdisjoint(op.defines())


def names_of(op: Op) -> Iterator[str]:
    """Yield the names of sizes in the attributes and the types of an operation, not of those inside of it."""
    for result in op.results:
        yield from _in(result.type.shape)
    for value in op.attributes.values():
        yield from _in(value)


def _in(value: object) -> Iterator[str]:
    if isinstance(value, Sym):
        yield from value.names
    elif isinstance(value, tuple):
        for item in cast(tuple[Any, ...], value):
            yield from _in(item)

"""dce: dead code elimination."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, cast

from ..compiler.dims import Sym
from ..compiler.ir import Module, Op, Region
from ..compiler.ops.bound import BindSizes
from ..compiler.pipeline import Pass, register


@register("dce")
class Dce(Pass):
    """Erase operations whose results, or the names of sizes that they bind, nobody uses; if they are pure or draw."""

    def run(self, module: Module) -> None:
        """Go backwards, so that one visit is enough."""
        for func in module.funcs.values():
            _sweep(func.body, set())


def _sweep(region: Region, used: set[str]) -> None:
    """Erase what is dead, and collect the names of sizes that the rest uses."""
    for op in reversed(region.ops):
        if _is_dead(op, used):
            region.erase(op)
            continue
        used.update(_names(op))
        for nested in op.regions:
            _sweep(nested, used)


def _is_dead(op: Op, used: set[str]) -> bool:
    if isinstance(op, BindSizes):
        return used.isdisjoint(op.defines())
    return op.spec.is_removable and op.is_unused


def _names(op: Op) -> Iterator[str]:
    """Return the names of sizes in the attributes and the types of an operation."""
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

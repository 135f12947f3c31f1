"""cse: common subexpression elimination over a function and its regions."""

from __future__ import annotations

from typing import TypeAlias

from ..compiler.ir import Module, Op, Region, Value
from ..compiler.opdef import Commutative, Pure
from ..compiler.pipeline import Pass, register

Key: TypeAlias = tuple[object, ...]


@register("cse")
class Cse(Pass):
    """Merge pure operations that compute the same: same kind, same operands, same attributes; constants by content."""

    def run(self, module: Module) -> None:
        """Visit regions from the outside in: nested ones see what was computed before them."""
        for func in module.funcs.values():
            _merge(func.body, {})


def _merge(region: Region, outer: dict[Key, Op]) -> None:
    known = dict(outer)
    for op in region.ops:
        for nested in op.regions:
            _merge(nested, known)
        if not op.spec.has(Pure) or op.regions:
            continue
        first = known.setdefault(_key(op), op)
        if first is not op:
            for mine, other in zip(op.results, first.results, strict=True):
                mine.replace_all_uses_with(other)
            region.erase(op)


def _key(op: Op) -> Key:
    operands: list[Value | None] = list(op.operands)
    if op.spec.has(Commutative):
        operands.sort(key=id)
    return (type(op), *map(id, operands), *op.attributes.values())

"""dce: dead code elimination; operations with side effects stay."""

from __future__ import annotations

from ..compiler.ir import Module, Region
from ..compiler.named_sizes import binds_unused, names_of
from ..compiler.pipeline import Pass, register


@register("dce")
class Dce(Pass):
    """Erase operations without uses, of their results and of the sizes that they bind, if they are pure or draw."""

    def run(self, module: Module) -> None:
        """Go backwards, so that one visit is enough."""
        for func in module.funcs.values():
            _sweep(func.body, set())


def _sweep(region: Region, used: set[str]) -> None:
    """Erase what is dead, and collect the names of sizes that the rest uses."""
    for op in reversed(region.ops):
        if binds_unused(op, used) or (op.spec.is_removable and op.is_unused):
            region.erase(op)
            continue
        used.update(names_of(op))
        for nested in op.regions:
            _sweep(nested, used)

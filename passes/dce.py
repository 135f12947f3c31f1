"""dce: dead code elimination."""

from __future__ import annotations

from ..compiler.ir import Module, Region
from ..compiler.pipeline import Pass, register


@register("dce")
class Dce(Pass):
    """Erase operations whose results nobody uses, if they are pure or draw numbers."""

    def run(self, module: Module) -> None:
        """Go backwards, so that one visit is enough."""
        for func in module.funcs.values():
            _sweep(func.body)


def _sweep(region: Region) -> None:
    for op in reversed(region.ops):
        if op.spec.is_removable and op.is_unused:
            region.erase(op)
            continue
        for nested in op.regions:
            _sweep(nested)

"""fold-constants."""

from __future__ import annotations

from ..compiler.diagnostics import at
from ..compiler.fold import fold
from ..compiler.ir import Module, Op, Region, Value
from ..compiler.opdef import Pure, Symbolic
from ..compiler.ops.core import Const
from ..compiler.pipeline import Pass, register
from ..compiler.rewrite import erase_dead
from ..compiler.types import Array
from ..compiler.value_analysis import Known
from ..compiler.weights import Weight


@register("fold-constants")
class FoldConstants(Pass):
    """Replace pure operations on constants by their value, and shape arithmetic whose result is known.

    A result larger than its operands and than ``max-bytes`` is not folded: it would only make the file larger.
    """

    max_bytes: int = 1 << 20

    def run(self, module: Module) -> None:
        """Evaluate in order; each fold enables the next."""
        known = Known()
        for op in module.walk():
            if op.parent is None or isinstance(op, Const) or not op.spec.has(Pure) or not op.results:
                continue
            weights = fold(op, max_bytes=self.max_bytes) or _known(op, known)
            if weights is not None:
                _replace(op, op.parent, weights)


def _known(op: Op, known: Known) -> list[Weight] | None:
    """What shape arithmetic gives, if it is all numbers."""
    if not op.spec.has(Symbolic) or not all(r.type.dtype.is_int for r in op.results):
        return None
    arrays = [known(r) for r in op.results]
    return [Weight.of(a) for a in arrays if a is not None] if all(map(_is_numeric, arrays, op.results)) else None


def _is_numeric(array: Array | None, value: Value) -> bool:
    return array is not None and array.dtype == value.type.dtype.numpy and array.shape == value.type.shape


def _replace(op: Op, region: Region, weights: list[Weight]) -> None:
    with at(op.location):
        for old, weight in zip(op.results, weights, strict=True):
            if old.uses:
                old.replace_all_uses_with(region.insert(Const(weight), before=op).results[0])
    erase_dead(op)

"""fold-constants: evaluates pure operations on constants when the network is compiled."""

from __future__ import annotations

from ..compiler.diagnostics import at
from ..compiler.fold import constant, fold
from ..compiler.ir import Module, Op, Region, Value
from ..compiler.opdef import Pure, Symbolic
from ..compiler.ops.core import Const
from ..compiler.ops.quantize import Dequantize, Quantize
from ..compiler.ops.shape import Pad
from ..compiler.pipeline import Pass, register
from ..compiler.rewrite import erase_dead
from ..compiler.traits import Moves
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
            weights = fold(op, max_bytes=self.max_bytes) or _known(op, known) or _rounded(op)
            if weights is not None:
                _replace(op, op.parent, weights)
            elif op.spec.has(Moves):
                _move_integers(op, op.parent, self.max_bytes)


def _known(op: Op, known: Known) -> list[Weight] | None:
    """What shape arithmetic gives, if it is all numbers."""
    if not op.spec.has(Symbolic) or not all(r.type.dtype.is_int for r in op.results):
        return None
    arrays = [known(r) for r in op.results]
    return [Weight.of(a) for a in arrays if a is not None] if all(map(_is_numeric, arrays, op.results)) else None


def _is_numeric(array: Array | None, value: Value) -> bool:
    return array is not None and array.dtype == value.type.dtype.numpy and array.shape == value.type.shape


def _rounded(op: Op) -> list[Weight] | None:
    """The integers that are nearest to numbers for which constants of integers stand."""
    writer = op.operands[0].owner if isinstance(op, Quantize) and op.operands[0] is not None else None
    if not isinstance(writer, Dequantize):
        return None
    given = [constant(v) for v in (*writer.operands, *op.operands[1:])]
    weights = [w.array() for w in given if w is not None]
    if len(weights) < len(given):
        return None
    numbers = Dequantize.evaluate(*weights[:3])
    return [Weight.of(Quantize.evaluate(numbers, *weights[3:], dtype=op.results[0].type.dtype))]


def _move_integers(op: Op, region: Region, max_bytes: int) -> None:
    """Move constants of integers instead of the numbers that they stand for by one scale."""
    dtype = op.results[0].type.dtype
    data = [v.owner for v in op.operands if v is not None and v.type.dtype is dtype]
    writers = [w for w in data if isinstance(w, Dequantize)]
    if not writers or len(writers) < len(data) or not all(map(_has_one_scale, writers)) or _fills(op):
        return
    first = writers[0]
    if any(w.x.type.dtype is not first.x.type.dtype or _scale(w) != _scale(first) for w in writers):
        return
    own = iter(writers)
    moved = op.clone([next(own).x if v is not None and v.type.dtype is dtype else v for v in op.operands])
    weights = fold(moved, max_bytes=max_bytes)
    moved.drop_operands()
    if weights is None:
        return
    with at(op.location):
        for old, weight in zip(op.results, weights, strict=True):
            stored = region.insert(Const(weight), before=op).results[0]
            numbers = region.insert(Dequantize(stored, first.scale, first.zero), before=op).results[0]
            old.replace_all_uses_with(numbers)
    erase_dead(op)


def _has_one_scale(op: Dequantize) -> bool:
    weights = [constant(v) for v in op.operands]
    return all(w is not None for w in weights) and op.scale.type.size == op.zero.type.size == 1


def _scale(op: Dequantize) -> tuple[float, int]:
    scale, zero = (constant(v) for v in (op.scale, op.zero))
    assert scale is not None and zero is not None
    return scale.array().item(), zero.array().item()


def _fills(op: Op) -> bool:
    """Whether numbers are put around the elements that are moved."""
    return isinstance(op, Pad) and op.mode == "constant"


def _replace(op: Op, region: Region, weights: list[Weight]) -> None:
    with at(op.location):
        for old, weight in zip(op.results, weights, strict=True):
            if old.uses:
                old.replace_all_uses_with(region.insert(Const(weight), before=op).results[0])
    erase_dead(op)

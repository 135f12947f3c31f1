"""fold-constants: evaluates pure operations on constants when the network is compiled."""

from __future__ import annotations

import numpy as np

from ..compiler.diagnostics import at
from ..compiler.fold import constant, fold
from ..compiler.ir import Module, Op, Region, Value
from ..compiler.opdef import Pure, Symbolic
from ..compiler.ops.arith import Cast, Mul, Sub
from ..compiler.ops.core import Const
from ..compiler.ops.quantize import Dequantize, Quantize
from ..compiler.ops.shape import Pad
from ..compiler.pipeline import Pass, register
from ..compiler.rewrite import erase_dead
from ..compiler.traits import Moves
from ..compiler.types import Array, DType
from ..compiler.value_analysis import Known
from ..compiler.weights import Weight


@register("fold-constants")
class FoldConstants(Pass):
    """Replace pure operations on constants by their value, and shape arithmetic whose result is known.

    A result larger than its operands and than ``max-bytes`` is not folded: it would only make the file larger.
    Integers that are scaled become ``dequantize``, so that targets store them and need not scale them in every call.
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
            elif isinstance(op, Mul) and op.activation == "none":
                _state_scale(op, op.parent)


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


def _state_scale(op: Mul, region: Region) -> None:
    """Replace ``cast(integers) * scale``, or ``(cast(integers) - zero) * scale``, of constants."""
    for numbers, scale in ((op.a, op.b), (op.b, op.a)):
        zero = None
        if isinstance(numbers.owner, Sub) and numbers.owner.activation == "none":
            numbers, zero = numbers.owner.a, numbers.owner.b
        writer = numbers.owner
        if not isinstance(writer, Cast) or constant(writer.x) is None or not _is_along_one_axis(scale):
            continue
        integers, point = writer.x.type, _whole(zero, writer.x.type.dtype)
        if point is None or integers.dtype not in _STORED or integers.shape != op.result.type.shape:
            continue
        with at(op.location):
            stated = region.insert(Const(point), before=op).results[0]
            op.result.replace_all_uses_with(region.insert(Dequantize(writer.x, scale, stated), before=op).results[0])
        erase_dead(op)
        return


_STORED = (DType.I8, DType.U8)


def _whole(zero: Value | None, dtype: DType) -> Weight | None:
    """Return a zero point in integers, 0 if there is none; None if it is no constant number of an element type."""
    if zero is None:
        return Weight.of(np.asarray(0, np.int32))
    weight = constant(zero)
    if weight is None or not _is_along_one_axis(zero):
        return None
    found, (low, high) = weight.array(), dtype.bounds
    is_whole = ((found == np.rint(found)) & (low <= found) & (found <= high)).all()
    return Weight.of(found.astype(np.int32)) if is_whole else None


def _is_along_one_axis(x: Value) -> bool:
    """Whether a constant differs along one axis at most."""
    return constant(x) is not None and sum(size != 1 for size in x.type.shape) <= 1


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

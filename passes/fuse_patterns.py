"""fuse-patterns: what exporters write as many operations, as the one it means."""

from __future__ import annotations

import math
from pathlib import Path

from ..compiler.fold import constant
from ..compiler.ir import Module, Value
from ..compiler.ops.arith import Add
from ..compiler.ops.linear import Linear, MatMul
from ..compiler.ops.shape import Pad, Reshape, Transpose
from ..compiler.ops.window import Conv, Spatial
from ..compiler.pipeline import Pass, register
from ..compiler.rewrite import Rewriter, pattern, rewrite
from ..compiler.rules import helper, load_rules
from .blocks import focus, rearranged_blocks


@helper
def close(a: float, b: float) -> bool:
    """Whether two numbers agree up to what float32 keeps."""
    return math.isclose(a, b, rel_tol=1e-6)


@helper
def is_constant(x: Value) -> bool:
    """Whether a value is constant."""
    return constant(x) is not None


@helper
def is_slope(x: Value) -> bool:
    """Whether a uniform constant lies between 0 and 1, so that ``max(x, a * x)`` is a leaky ReLU."""
    weight = constant(x)
    return weight is not None and 0 <= float(weight.array().flat[0]) <= 1


@pattern(MatMul)
def linear_from_matmul(op: MatMul, rw: Rewriter) -> None:
    """A product with a constant matrix is a linear layer; with the constant on the left, of the transposed data."""
    if constant(op.b) is not None and op.b.type.rank == 2 and constant(op.a) is None:
        weights = op.b if op.transpose_b else rw.emit(Transpose(op.b, (1, 0)))
        x = rw.emit(_swap_last(op.a)) if op.transpose_a else op.a
        rw.replace(Linear(x, weights))
    elif constant(op.a) is not None and op.a.type.rank == 2 and constant(op.b) is None:
        weights = rw.emit(Transpose(op.a, (1, 0))) if op.transpose_a else op.a
        x = op.b if op.transpose_b else rw.emit(_swap_last(op.b))
        rw.replace(_swap_last(rw.emit(Linear(x, weights))))


def _swap_last(x: Value) -> Transpose:
    rank = x.type.rank
    return Transpose(x, (*range(rank - 2), rank - 1, rank - 2))


@pattern(Add)
def bias_of_linear(op: Add, rw: Rewriter) -> None:
    """A constant per feature added to a linear layer is its bias."""
    for x, b in ((op.a, op.b), (op.b, op.a)):
        match x.owner:
            case Linear(x=data, w=w, bias=None, activation="none") as linear if constant(b) is not None:
                size = b.type.shape[-1] if b.type.rank else 1
                rw.require(x.has_one_use, "the product is used elsewhere too")
                rw.require(b.type.size == size == w.type.shape[0], "the constant differs within a feature")
                bias = rw.emit(Reshape(b, (w.type.shape[0],)))
                rw.replace(linear.clone((data, w, bias), activation=op.activation))
                return
            case _:
                continue


@pattern(Conv)
def pad_into_conv(op: Conv, rw: Rewriter) -> None:
    """Zeros around the spatial axes, then a convolution: its own padding."""
    match op.x:
        case Value(Pad(x=x, low=low, high=high, mode="constant", value=0.0)):
            axes = Spatial.of(op.x.type.rank, op.channels_last).axes
            rw.require(op.x.has_one_use, "the padded value is used elsewhere too")
            rest = [p for i, pair in enumerate(zip(low, high, strict=True)) if i not in axes for p in pair]
            rw.require(all(p == 0 for p in rest), "batch or channels are padded, too")
            added = [(low[a], high[a]) for a in axes]
            rw.require(all(not isinstance(p, int) or p >= 0 for pair in added for p in pair), "the padding cuts")
            pads = tuple((p[0] + a[0], p[1] + a[1]) for p, a in zip(op.pads, added, strict=True))
            rw.replace(op.clone((x, op.w, op.bias), pads=pads))
        case _:
            return


PATTERNS = (linear_from_matmul, bias_of_linear, pad_into_conv, rearranged_blocks, focus)


@register("fuse-patterns")
class FusePatterns(Pass):
    """Recognise what exporters write as many operations: activations, norms, linear layers, padding, pixel shuffles."""

    def run(self, module: Module) -> None:
        """Rewrite greedily."""
        rewrite(module, [*load_rules(Path(__file__).with_suffix(".rules")), *PATTERNS])

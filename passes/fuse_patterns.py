"""fuse-patterns: what exporters write as many operations, as the one it means."""

from __future__ import annotations

import math
from pathlib import Path

from ..compiler.dims import is_equal, product
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
from .channels import channel_axis
from .group_norms import affine_of_group_norm, reshaped_group_norm
from .layer_norms import shifted_layer_norm
from .layout.sites import MAX_FLOODED


@helper
def close(a: float, b: float) -> bool:
    """Whether two numbers agree up to what float32 keeps."""
    return math.isclose(a, b, rel_tol=1e-6)


@helper
def is_constant(x: Value) -> bool:
    """Helper of rules: whether a value is a constant."""
    return constant(x) is not None


@helper
def is_slope(x: Value) -> bool:
    """Whether a uniform constant lies between 0 and 1, so that ``max(x, a * x)`` is a leaky ReLU."""
    weight = constant(x)
    return weight is not None and 0 <= float(weight.array().flat[0]) <= 1


@pattern(MatMul)
def linear_from_matmul(op: MatMul, rw: Rewriter) -> None:
    """A product with a constant matrix is a linear layer; with the constant on the left, along another axis."""
    if (matrix := _matrix(op.b, op.a, rw)) is not None:
        weights = matrix if op.transpose_b else rw.emit(Transpose(matrix, (1, 0)))
        x = rw.emit(_swap_last(op.a)) if op.transpose_a else _leading_apart(op.a, rw)
        made = Linear(x, weights)
        rw.replace(
            made if x.type.shape[:-1] == op.result.type.shape[:-1] else Reshape(rw.emit(made), op.result.type.shape)
        )
    elif (matrix := _matrix(op.a, op.b, rw)) is not None:
        weights = rw.emit(Transpose(matrix, (1, 0))) if op.transpose_a else matrix
        if op.transpose_b:
            rw.replace(_swap_last(rw.emit(Linear(op.b, weights))))
        else:
            x, axis = _ungrouped(op.b, op.b.type.rank - 2)
            made = rw.emit(Linear(x, weights, axis=axis))
            rw.replace(made if x is op.b else Reshape(made, op.result.type.shape))


def _matrix(constant_one: Value, other: Value, rw: Rewriter) -> Value | None:
    """A constant operand of a product as a matrix; None if it is none, or there is one for every batch."""
    *batch, rows, columns = constant_one.type.shape
    is_one = constant(constant_one) is not None and all(d == 1 for d in batch)
    if not is_one or constant(other) is not None or constant_one.type.rank > other.type.rank:
        return None
    return constant_one if not batch else rw.emit(Reshape(constant_one, (rows, columns)))


def _ungrouped(x: Value, axis: int) -> tuple[Value, int]:
    """What a value was before a reshape that leaves an axis alone, and that axis: layouts may order the others."""
    match x.owner:
        case Reshape(x=source):
            size, behind = x.type.shape[axis], product(x.type.shape[axis + 1 :])
            shape = source.type.shape
            found = [i for i, d in enumerate(shape) if d == size and product(shape[i + 1 :]) == behind]
            return (source, found[0]) if found else (x, axis)
        case _:
            return x, axis


def _leading_apart(x: Value, rw: Rewriter) -> Value:
    """What a value was before a reshape that joins leading axes; those joined into the last one stay so.

    Layouts may order them then, as long as there are few enough that all orders are tried.
    """
    if not isinstance(x.owner, Reshape):
        return x
    shape, size = x.owner.x.type.shape, x.type.shape[-1]
    split = next((i for i in range(len(shape) - 1, 0, -1) if is_equal(product(shape[i:]), size)), 0)
    leading = tuple(d for d in shape[:split] if d != 1)
    joined = sum(d != 1 for d in x.type.shape[:-1])
    if not joined < len(leading) < MAX_FLOODED:
        return x
    return rw.emit(Reshape(x.owner.x, (*leading, size)))


def _swap_last(x: Value) -> Transpose:
    rank = x.type.rank
    return Transpose(x, (*range(rank - 2), rank - 1, rank - 2))


@pattern(Add)
def bias_of_linear(op: Add, rw: Rewriter) -> None:
    """A constant per feature added to a linear layer is its bias."""
    for x, b in ((op.a, op.b), (op.b, op.a)):
        match x.owner:
            case Linear(x=data, w=w, bias=None, activation="none") as linear if constant(b) is not None:
                rank, axis = x.type.rank, channel_axis(linear)
                rw.require(op.result.type == x.type, "the constant gives the sum another shape")
                rw.require(x.has_one_use, "the product is used elsewhere too")
                padded = (1,) * (rank - b.type.rank) + b.type.shape
                features = tuple(w.type.shape[0] if i == axis else 1 for i in range(rank))
                rw.require(padded == features, "the constant differs within a feature")
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


PATTERNS = (
    linear_from_matmul,
    bias_of_linear,
    pad_into_conv,
    rearranged_blocks,
    focus,
    reshaped_group_norm,
    affine_of_group_norm,
    shifted_layer_norm,
)


@register("fuse-patterns")
class FusePatterns(Pass):
    """Recognise what exporters write as many operations: activations, norms, linear layers, padding, pixel shuffles."""

    def run(self, module: Module) -> None:
        """Rewrite greedily."""
        rewrite(module, [*load_rules(Path(__file__).with_suffix(".rules")), *PATTERNS])

"""fuse-patterns: what exporters write as many operations, as the one it means."""

from __future__ import annotations

import math
from pathlib import Path

from ..compiler.dims import Dim
from ..compiler.fold import constant
from ..compiler.ir import Module, Op, Value
from ..compiler.ops.arith import Add
from ..compiler.ops.linear import Linear, MatMul
from ..compiler.ops.shape import Concat, Pad, Reshape, Slice, Transpose
from ..compiler.ops.spatial import DepthToSpace, SpaceToDepth
from ..compiler.ops.window import Conv, Spatial
from ..compiler.pipeline import Pass, register
from ..compiler.rewrite import Rewriter, pattern, rewrite
from ..compiler.rules import helper, load_rules


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
                rw.require(op.result.type == x.type, "the constant gives the sum another shape")
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


_SHUFFLES: dict[tuple[int, ...], str] = {(0, 3, 4, 1, 5, 2): "dcr", (0, 1, 4, 2, 5, 3): "crd"}
"""How a pixel shuffle permutes channels and blocks, by the mode that says it."""


@pattern(Reshape)
def depth_to_space(op: Reshape, rw: Rewriter) -> None:
    """Reshape, transpose, reshape that spread channels over blocks (pixel shuffle), channels first."""
    match op.x:
        case Value(Transpose(x=Value(Reshape(x=x) as split), perm=perm)) if (
            x.type.rank == 4 and split.result.type.rank == 6
        ):
            n, c, h, w = x.type.shape
            six = split.shape
            mode = _SHUFFLES.get(perm)
            block = six[1 if mode == "dcr" else 2]
            if mode is None or not isinstance(block, int) or not isinstance(c, int) or c % (block * block):
                return
            inner = c // (block * block)
            wanted = (n, block, block, inner, h, w) if mode == "dcr" else (n, inner, block, block, h, w)
            if six == wanted and op.shape == (n, inner, h * block, w * block):
                rw.replace(DepthToSpace(x, block, mode))
        case _:
            return


@pattern(Reshape)
def space_to_depth(op: Reshape, rw: Rewriter) -> None:
    """Reshape, transpose, reshape that gather blocks into channels (pixel unshuffle), channels first."""
    match op.x:
        case Value(Transpose(x=Value(Reshape(x=x) as split), perm=perm)) if (
            x.type.rank == 4 and split.result.type.rank == 6
        ):
            n, c, h, w = x.type.shape
            block = split.shape[3]
            if not isinstance(block, int) or split.shape != (n, c, h // block, block, w // block, block):
                return
            if op.shape != (n, c * block * block, h // block, w // block):
                return
            if perm == (0, 3, 5, 1, 2, 4):
                rw.replace(SpaceToDepth(x, block))
            elif perm == (0, 1, 3, 5, 2, 4):
                rw.replace(_reorder_blocks(rw.emit(SpaceToDepth(x, block)), block, c, (2, 0, 1), rw))
        case _:
            return


@pattern(Concat)
def focus(op: Concat, rw: Rewriter) -> None:
    """All phases of strided slices joined along the channels (YOLO's Focus), channels first: space to depth."""
    block = math.isqrt(len(op.xs))
    phases = [_phase(x, block) for x in op.xs]
    first = phases[0]
    if block < 2 or op.axis != 1 or first is None or any(p is None or p[0] is not first[0] for p in phases):
        return
    x, order = first[0], [p[1:] for p in phases if p is not None]
    rows_first = [(i, j) for i in range(block) for j in range(block)]
    h, w = x.type.shape[2:]
    rw.require(all(isinstance(d, int) and d % block == 0 for d in (h, w)), "the image is not made of whole blocks")
    gathered = SpaceToDepth(x, block)
    if order == rows_first:
        rw.replace(gathered)
    elif order == [(i, j) for j in range(block) for i in range(block)]:
        rw.replace(_reorder_blocks(rw.emit(gathered), block, x.type.shape[1], (1, 0, 2), rw))


def _phase(x: Value, block: int) -> tuple[Value, int, int] | None:
    """The image, row and column of a slice that takes every ``block``-th position of both spatial axes."""
    match x.owner:
        case Slice(x=image, starts=(0, 0, int(i), int(j)), steps=(1, 1, a, b)) as cut if a == b == block:
            n, c, h, w = image.type.shape
            return (
                (image, i, j)
                if cut.sizes == (n, c, _part(h, block), _part(w, block)) and i < block and j < block
                else None
            )
        case _:
            return None


def _part(size: Dim, block: int) -> Dim:
    return size // block


def _reorder_blocks(x: Value, block: int, channels: Dim, perm: tuple[int, int, int], rw: Rewriter) -> Op:
    """Reorder channels that count (row, column, channel); as views, which layouts can absorb."""
    n, depth, h, w = x.type.shape
    split = rw.emit(Reshape(x, (n, block, block, channels, h, w)))
    turned = rw.emit(Transpose(split, (0, *(1 + p for p in perm), 4, 5)))
    return Reshape(turned, (n, depth, h, w))


PATTERNS = (linear_from_matmul, bias_of_linear, pad_into_conv, depth_to_space, space_to_depth, focus)


@register("fuse-patterns")
class FusePatterns(Pass):
    """Recognise what exporters write as many operations: activations, norms, linear layers, padding, pixel shuffles."""

    def run(self, module: Module) -> None:
        """Rewrite greedily."""
        rewrite(module, [*load_rules(Path(__file__).with_suffix(".rules")), *PATTERNS])

"""Blocks of positions that become channels, or come from them, as exporters and networks write them."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import permutations
from typing import cast

from ..compiler.axes import ViewOp
from ..compiler.dims import Dim, Shape, exact_div, product
from ..compiler.ir import Op, Value
from ..compiler.ops.shape import Concat, Reshape, Slice, Transpose
from ..compiler.ops.spatial import DepthToSpace, SpaceToDepth
from ..compiler.order import Order
from ..compiler.rewrite import Rewriter, pattern

LEAST_PIECES = 4
"""Elements that lie in fewer pieces have blocks along one axis at most, which need no kernel."""

ROWS_FIRST, CHANNELS_FIRST = "rkc", "crk"
"""How channels count: by row and column (r, k) in their block, then by channel, or by channel first."""


@dataclass(frozen=True)
class Blocks:
    """Blocks of ``block`` by ``block`` positions whose channels are counted by the digits ``digits``."""

    digits: str
    block: int
    channels_last: bool

    def apart(self, n: Dim, c: Dim, h: Dim, w: Dim) -> tuple[dict[str, Dim], str, str]:
        """Sizes by name, the axes with the blocks among the channels, and those with the blocks among the positions."""
        sizes = {"n": n, "c": c, "h": h, "w": w, "r": self.block, "k": self.block}
        return (sizes, f"nhw{self.digits}", "nhrwkc") if self.channels_last else (sizes, f"n{self.digits}hw", "nchrwk")

    def image(self, n: Dim, c: Dim, h: Dim, w: Dim) -> Shape:
        """Return the shape of images, with their channels where this layout has them."""
        return (n, h, w, c) if self.channels_last else (n, c, h, w)

    def recounted(self, x: Value, before: str, after: str, rw: Rewriter) -> Op:
        """Let channels that count by the digits ``before`` count by ``after``: views, which layouts can absorb."""
        shape = x.type.shape
        n, *rest = shape
        h, w, depth = rest if self.channels_last else (rest[1], rest[2], rest[0])
        channels = exact_div(depth, self.block * self.block)
        assert channels is not None
        sizes = {"n": n, "c": channels, "h": h, "w": w, "r": self.block, "k": self.block}
        names, wanted = (f"nhw{d}" if self.channels_last else f"n{d}hw" for d in (before, after))
        split = rw.emit(Reshape(x, tuple(sizes[a] for a in names)))
        return Reshape(rw.emit(Transpose(split, tuple(names.index(a) for a in wanted))), shape)


@pattern(Reshape)
def rearranged_blocks(op: Reshape, rw: Rewriter) -> None:
    """Reshapes and transposes that spread channels over blocks (pixel shuffle) or gather blocks into channels.

    Whatever the steps and the shapes between them are, it is the order of the elements that tells; images may have
    their channels first or last, and their channels may count rows, columns and channels in any sequence.
    """
    shape = op.result.type.shape
    for source, order in _sources(op.result) if len(shape) > 2 else ():
        if len(order.pieces) < LEAST_PIECES:
            continue
        for blocks in _blocks(order):
            if _spreads(blocks, source, shape, order, rw) or _gathers(blocks, source, shape, order, rw):
                return


def _sources(value: Value) -> Iterator[tuple[Value, Order]]:
    """The values of which reshapes and transposes make this one, and in which order it holds the elements of each."""
    steps: list[ViewOp] = []
    while isinstance(value.owner, Reshape | Transpose):
        steps.insert(0, cast(ViewOp, value.owner))
        value = value.owner.x
        order: Order | None = Order.natural(value.type.shape)
        for step in steps:
            order = None if order is None else step.view(order)
        if order is None:
            return
        if not isinstance(value.owner, Reshape):
            yield value, order


def _blocks(order: Order) -> Iterator[Blocks]:
    """What kinds of blocks there could be."""
    for block in dict.fromkeys(p.size for p in order.pieces):
        if isinstance(block, int):
            for channels_last in (False, True):
                for digits in permutations(ROWS_FIRST):
                    yield Blocks("".join(digits), block, channels_last)


def _image(shape: Shape, blocks: Blocks) -> tuple[Dim, Dim, Dim, Dim]:
    """Batch, channels, rows, columns."""
    a, b, c = shape[-3:]
    return (product(shape[:-3]), c, a, b) if blocks.channels_last else (product(shape[:-3]), a, b, c)


def _reshaped(x: Value, shape: Shape, rw: Rewriter) -> Value:
    return x if x.type.shape == shape else rw.emit(Reshape(x, shape))


def _is(order: Order, sizes: dict[str, Dim], before: str, after: str) -> bool:
    """Whether the elements lie as axes ``before`` that are permuted to ``after``."""
    shape = tuple(sizes[a] for a in before)
    return Order.natural(shape).transposed(shape, [before.index(a) for a in after]) == order


def _spreads(blocks: Blocks, source: Value, shape: Shape, order: Order, rw: Rewriter) -> bool:
    """Channels to blocks."""
    n, c, height, width = _image(shape, blocks)
    h, w = exact_div(height, blocks.block), exact_div(width, blocks.block)
    if h is None or w is None or not _is(order, *blocks.apart(n, c, h, w)):
        return False
    is_recounted = blocks.digits not in (ROWS_FIRST, CHANNELS_FIRST)
    if is_recounted and 1 in (h, w):
        return False  # one position: spreading it is no more than counting anew
    x = _reshaped(source, blocks.image(n, c * blocks.block * blocks.block, h, w), rw)
    if is_recounted:
        x = rw.emit(blocks.recounted(x, blocks.digits, ROWS_FIRST, rw))
    mode = "crd" if blocks.digits == CHANNELS_FIRST else "dcr"
    rw.replace(_reshaped(rw.emit(DepthToSpace(x, blocks.block, mode, blocks.channels_last)), shape, rw))
    return True


def _gathers(blocks: Blocks, source: Value, shape: Shape, order: Order, rw: Rewriter) -> bool:
    """Blocks to channels."""
    n, depth, h, w = _image(shape, blocks)
    c = exact_div(depth, blocks.block * blocks.block)
    if c is None:
        return False
    sizes, gathered, apart = blocks.apart(n, c, h, w)
    if not _is(order, sizes, apart, gathered):
        return False
    if blocks.digits != ROWS_FIRST and 1 in (h, w):
        return False
    x = _reshaped(source, blocks.image(n, c, h * blocks.block, w * blocks.block), rw)
    y = rw.emit(SpaceToDepth(x, blocks.block, blocks.channels_last))
    if blocks.digits != ROWS_FIRST:
        y = rw.emit(blocks.recounted(y, ROWS_FIRST, blocks.digits, rw))
    rw.replace(_reshaped(y, shape, rw))
    return True


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
        blocks = Blocks("krc", block, channels_last=False)
        rw.replace(blocks.recounted(rw.emit(gathered), ROWS_FIRST, "krc", rw))


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

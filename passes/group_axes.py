"""group-axes: reshapes that only group leading axes move to where they vanish."""

from __future__ import annotations

from collections.abc import Sequence

from ..compiler.diagnostics import at
from ..compiler.dims import Dim, Shape, product
from ..compiler.fold import constant, emit
from ..compiler.ir import Module, Op, Region, Value
from ..compiler.ops.linear import Linear, MatMul
from ..compiler.ops.shape import Concat, Reshape, Split, Transpose
from ..compiler.pipeline import Pass, register
from ..compiler.rewrite import erase_dead
from .grouping.cluster import Cluster, alone, clusters
from .grouping.leading import grouped, moving, operand_shape, pointwise

MAX_SWEEPS = 8
"""Rounds over a region; what one changes may make a neighbour's reshape vanish in the next."""

MAX_RANK, MAX_BATCHED, MAX_BROADCAST = 6, 5, 4
"""Axes that most targets take: of anything, of matrix products, of operands of different shapes."""


@register("group-axes")
class GroupAxes(Pass):
    """Group leading axes, such as batches and positions, so that reshapes between them vanish.

    A matrix product, a softmax, a sum does the same for every position, whether these are counted by one axis or by
    three.  Of all ways in which the reshapes around a cluster of such operations group them, the one is taken with
    which the fewest reshapes remain.
    """

    def run(self, module: Module) -> None:
        """Go over every region until nothing changes."""
        for func in module.funcs.values():
            for region in (func.body, *(r for op in func.walk() for r in op.regions)):
                _reshape_before_splits(region, where_free=True)
                for op in region.ops:
                    if isinstance(op, Transpose):
                        _channels_apart(op, region)
                sweeps = 0
                while _sweep(region) and sweeps < MAX_SWEEPS:
                    sweeps += 1
                _reshape_before_splits(region)


def _reshape_before_splits(region: Region, *, where_free: bool = False) -> None:
    """Everywhere, or only where a reshape is there that will not vanish."""
    for op in region.ops:
        if isinstance(op, Split) and (_is_reshaped_transpose(op.x) or not where_free):
            _reshape_before_split(op, region)


def _channels_apart(op: Transpose, region: Region) -> None:
    """Between two reshapes, let what the last axis ends in outside be an axis: neighbours can read and write that."""
    match op.x.owner, op.result.users:
        case Reshape(x=source) as before, (Reshape() as behind,) if op.x.has_one_use:
            inner = _channels(op.x.type.shape[-1], (*source.type.shape[-1:], *behind.shape[-1:]))
        case _:
            return
    rank = op.x.type.rank
    if inner is None or op.perm[-1] != rank - 1 or rank >= MAX_RANK:
        return
    with at(op.location):
        (apart,) = emit(Reshape(source, (*before.shape[:-1], before.shape[-1] // inner, inner)), region, op)
        (moved,) = emit(Transpose(apart, (*op.perm, rank)), region, op)
    behind.set_operand(0, moved)
    erase_dead(op)


def _channels(size: Dim, outside: Sequence[Dim]) -> int | None:
    """The largest of some sizes that is a proper part of another one."""
    if not isinstance(size, int):
        return None
    return max((d for d in outside if isinstance(d, int) and 1 < d < size and size % d == 0), default=None)


def _is_reshaped_transpose(x: Value) -> bool:
    return isinstance(x.owner, Reshape) and isinstance(x.owner.x.owner, Transpose)


def _reshape_before_split(op: Split, region: Region) -> None:
    """Where all parts are reshaped alike, reshape the whole instead, then split."""
    readers: list[Reshape] = []
    for part in op.results:
        match part.users:
            case (Reshape() as reader,):
                readers.append(reader)
            case _:
                return
    axis = _cut_axis(op, [r.shape for r in readers])
    if axis is None:
        return
    sizes = tuple(r.shape[axis] for r in readers)
    shape = (*readers[0].shape[:axis], sum(sizes[1:], sizes[0]), *readers[0].shape[axis + 1 :])
    with at(op.location):
        whole = region.insert(Reshape(op.x, shape), before=op).results[0]
        parts = region.insert(Split(whole, axis, sizes), before=op).results
    for reader, part in zip(readers, parts, strict=True):
        reader.result.replace_all_uses_with(part)
        erase_dead(reader)


def _cut_axis(op: Split, shapes: Sequence[Shape]) -> int | None:
    """The axis of the reshaped parts along which they lie one after the other; None if there is none."""
    outer = product(op.x.type.shape[: op.axis])
    for axis in range(min(map(len, shapes)) - 1, -1, -1):
        others = {(shape[:axis], shape[axis + 1 :]) for shape in shapes}
        if len(others) == 1 and product(shapes[0][:axis]) == outer:
            return axis
    return None


def _sweep(region: Region) -> bool:
    """Regroup what needs fewer reshapes in another way; say whether something did."""
    changed = False
    for cluster in (*clusters(region, pointwise), *alone(region, moving)):
        if cluster.is_outdated():
            continue  # a neighbour has changed: next time
        lead = _fewest(cluster)
        if lead != cluster.lead:
            _Regroup(region, cluster, lead).run()
            changed = True
    return changed


def _fewest(cluster: Cluster) -> Shape:
    """The leading axes that need the fewest reshapes; of equal ones those that are there, then the fewest axes."""
    options = dict.fromkeys([cluster.lead, *(lead for lead in cluster.others() if _fits(cluster, lead))])
    return min(options, key=lambda lead: (cluster.reshapes(lead), lead != cluster.lead, len(lead)))


def _fits(cluster: Cluster, lead: Shape) -> bool:
    """Whether no operation gets more axes than targets take, unless it has them already."""
    grows = len(lead) - cluster.count
    return grows <= 0 or all(_rank(op) + grows <= _limit(op) for op in cluster.ops)


def _rank(op: Op) -> int:
    return max(v.type.rank for v in (*op.results, *op.operands) if v is not None)


def _limit(op: Op) -> int:
    if isinstance(op, MatMul):
        return MAX_BATCHED
    if isinstance(op, Linear):
        return MAX_RANK
    return MAX_RANK if len({v.type.shape for v in op.operands if v is not None}) == 1 else MAX_BROADCAST


class _Regroup:
    """Rebuilds a cluster with other leading axes."""

    def __init__(self, region: Region, cluster: Cluster, lead: Shape) -> None:
        self.region = region
        self.cluster = cluster
        self.lead = lead
        self.new: dict[Value, Value] = {}

    def run(self) -> None:
        """Rebuild the operations in their order, then let those outside read the new values."""
        for op in self.cluster.ops:
            self._rebuild(op)
        for op in self.cluster.ops:
            for result in op.results:
                self._hand_out(result, self.new[result])
        for op in reversed(self.cluster.ops):
            if op.parent is not None:
                erase_dead(op)

    def _rebuild(self, op: Op) -> None:
        cluster, rank = self.cluster, max(v.type.rank for v in op.operands if v is not None)
        with at(op.location):
            operands = tuple(None if v is None else self._operand(v, rank, op) for v in op.operands)
            made = self.region.insert(grouped(op, operands, cluster.count, self.lead), before=op)
        for old, value in zip(op.results, made.results, strict=True):
            value.name = old.name
            self.new[old] = value

    def _operand(self, value: Value, rank: int, op: Op) -> Value:
        """A value with the new leading axes: rebuilt, from before its reshape, or reshaped."""
        if value in self.new:
            return self.new[value]
        if constant(value) is None or isinstance(op, Concat):
            shape = (*self.lead, *self.cluster.rest(value))
        elif isinstance(op, Linear):
            return value
        else:
            shape = operand_shape(value, rank, self.cluster.lead, self.lead)
        made = self._reshaped(value, shape, op)
        if constant(value) is None:
            self.new[value] = made
        return made

    def _reshaped(self, value: Value, shape: Shape, before: Op) -> Value:
        source = value.owner.x if isinstance(value.owner, Reshape) else value
        if source.type.shape == shape:
            return source
        (made,) = emit(Reshape(source, shape), self.region, before)
        return made

    def _hand_out(self, old: Value, new: Value) -> None:
        """Let reshapes read the new value, and all others the old shape."""
        back: Value | None = None
        for user, slot in old.uses:
            if user in self.cluster.ops:
                continue
            if isinstance(user, Reshape):
                user.set_operand(0, new)
                if user.shape == new.type.shape:
                    user.result.replace_all_uses_with(new)
                    erase_dead(user)
                continue
            if back is None:
                assert old.owner is not None
                back = self.region.insert(Reshape(new, old.type.shape), before=old.owner).results[0]
            user.set_operand(slot, back)

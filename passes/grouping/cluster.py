"""Clusters: values that share their leading axes, whatever reshapes are around them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from ...compiler.dims import Shape, product
from ...compiler.fold import constant
from ...compiler.ir import Op, Region, Value
from ...compiler.ops.shape import Reshape

Free = Callable[[Op], "int | None"]
"""Says how many leading axes an operation leaves alone."""


@dataclass(eq=False)
class Cluster:
    """Operations whose values have the same ``count`` leading axes, of sizes ``lead``."""

    ops: list[Op]
    count: int
    lead: Shape
    values: dict[Value, None]
    _inside: set[Op] = field(init=False)

    def __post_init__(self) -> None:
        self._inside = set(self.ops)

    def is_outdated(self) -> bool:
        """Whether some operation of it was erased by a rewrite since it was made."""
        made = (v.owner for v in self.values)
        return any(op is not None and op.parent is None for op in (*self.ops, *made))

    def rest(self, value: Value) -> Shape:
        """The axes of a value that stay what they are."""
        return value.type.shape[self.count :]

    def reshaped_to(self, value: Value) -> Iterator[Reshape]:
        """Return the reshapes that read a value which an operation of the cluster defines."""
        return (u for u in value.users if isinstance(u, Reshape)) if value.owner in self._inside else iter(())

    def others(self) -> Iterator[Shape]:
        """How the leading axes are grouped on the far side of the reshapes around."""
        for v in self.values:
            far = [v.owner.x.type.shape] if isinstance(v.owner, Reshape) else []
            far += [r.shape for r in self.reshaped_to(v)]
            yield from (lead for shape in far if (lead := self._lead_of(shape, self.rest(v))) is not None)

    def _lead_of(self, shape: Shape, rest: Shape) -> Shape | None:
        """The leading axes of a shape that ends in ``rest``; None if it does not."""
        count = len(shape) - len(rest)
        if count < 0 or shape[count:] != rest or product(shape[:count]) != product(self.lead):
            return None
        return shape[:count]

    def reshapes(self, lead: Shape) -> int:
        """Return how many reshapes are left around the cluster if the leading axes are ``lead``."""
        is_new, total = lead != self.lead, 0
        for v in self.values:
            shape = (*lead, *self.rest(v))
            elsewhere = any(u not in self._inside and not isinstance(u, Reshape) for u in v.users)
            if v.owner in self._inside:
                total += (is_new and elsewhere) + sum(r.shape != shape for r in self.reshaped_to(v))
            elif isinstance(v.owner, Reshape):
                total += (is_new and elsewhere) + (v.owner.x.type.shape != shape)
            else:
                total += is_new
        return total


def clusters(region: Region, free: Free) -> list[Cluster]:
    """Join operations that leave leading axes alone, over the values between them."""
    leader: dict[object, object] = {}

    def find(x: object) -> object:
        while leader.setdefault(x, x) is not x:
            leader[x] = leader[leader[x]]
            x = leader[x]
        return x

    counts: dict[Op, int] = {}
    for op in region.ops:
        count = None if constant_result(op) or op.regions else free(op)
        if not count or not data(op):
            continue
        counts[op] = count
        for v in (*data(op), *op.results):
            leader[find(op)] = find(v)
    groups: dict[object, list[Op]] = {}
    for op in counts:
        groups.setdefault(find(op), []).append(op)
    return [_cluster(ops, min(counts[op] for op in ops)) for ops in groups.values()]


def alone(region: Region, free: Free) -> list[Cluster]:
    """Every operation that leaves leading axes alone by itself."""
    counts = [(op, free(op)) for op in region.ops if not constant_result(op) and not op.regions]
    return [_cluster([op], count) for op, count in counts if count is not None and data(op)]


def constant_result(op: Op) -> bool:
    """Whether the operation that defines a value is a constant."""
    return bool(op.results) and constant(op.results[0]) is not None


def data(op: Op) -> list[Value]:
    """The operands that have the leading axes: all that are computed."""
    return [v for v in op.operands if v is not None and constant(v) is None]


def _cluster(ops: list[Op], count: int) -> Cluster:
    """The operations with as many of the leading axes as all their values have in common."""
    values: dict[Value, None] = dict.fromkeys(v for op in ops for v in (*data(op), *op.results))
    shapes = [v.type.shape for v in values]
    while len({shape[:count] for shape in shapes}) > 1:
        count -= 1
    return Cluster(ops, count, shapes[0][:count], values)

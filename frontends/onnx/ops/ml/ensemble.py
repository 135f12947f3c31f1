"""Decision trees as tables: every split becomes ``x[feature] <= threshold``, the two ways out of it are neighbours.

A table's row is a split or a leaf. A split goes to row ``base``, or to ``base + 1`` where its condition holds. A leaf
goes to itself: its threshold is NaN, which nothing is less than or equal to.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, TypeAlias

import numpy as np

from .....compiler.types import Array
from ...emitter import Emitter

MODES = ("BRANCH_LEQ", "BRANCH_LT", "BRANCH_GTE", "BRANCH_GT", "BRANCH_EQ", "BRANCH_NEQ", "BRANCH_MEMBER")
"""Conditions of a split, by the numbers that version 5 gives them."""

NEVER = float("nan")


@dataclass(frozen=True)
class Split:
    """Go to ``yes`` where a feature is at most the threshold, else to ``no``; ``tracks`` says that NaN goes to yes."""

    feature: int
    threshold: float
    tracks: bool
    no: Ref
    yes: Ref


Ref: TypeAlias = int | Split
"""A node by its number, a leaf by the complement of its number, or a split that was made of a node."""


@dataclass(frozen=True)
class Nodes:
    """The splits of an ensemble as the model states them; ``members`` are the values of those that ask for one."""

    features: Sequence[int]
    modes: Sequence[str]
    values: Array
    tracks: Sequence[bool]
    yes: Sequence[int]
    no: Sequence[int]
    roots: Sequence[int]
    members: Mapping[int, Array] = field(default_factory=lambda: dict[int, Array]())

    def split(self, number: int) -> Split:
        """Return a node with ``<=`` as its condition."""
        feature, value, tracks = self.features[number], self.values[number], bool(self.tracks[number])
        yes, no = self.yes[number], self.no[number]
        match self.modes[number]:
            case "BRANCH_LEQ":
                return Split(feature, value, tracks, no, yes)
            case "BRANCH_LT":
                return Split(feature, _before(value), tracks, no, yes)
            case "BRANCH_GT":
                return Split(feature, value, not tracks, yes, no)
            case "BRANCH_GTE":
                return Split(feature, _before(value), not tracks, yes, no)
            case "BRANCH_EQ":
                return _equal(feature, value, tracks, no, yes)
            case "BRANCH_NEQ":  # NaN differs from everything
                return _equal(feature, value, False, yes, no)
            case _:
                return _member(feature, np.unique(self.members[number]), tracks, no, yes)


def _before(value: Any) -> Any:
    """Return the largest number below: what is at most that is less than ``value``."""
    return NEVER if value == -np.inf else np.nextafter(value, -np.inf, dtype=value.dtype)


def _equal(feature: int, value: Any, tracks: bool, no: Ref, yes: Ref) -> Split:
    return Split(feature, value, tracks, no, Split(feature, _before(value), False, yes, no))


def _member(feature: int, values: Array, tracks: bool, no: Ref, yes: Ref) -> Split:
    """Search a sorted set by halves."""
    if len(values) == 1:
        return _equal(feature, values[0], tracks, no, yes)
    middle = len(values) // 2
    left = _member(feature, values[:middle], False, no, yes)
    right = _member(feature, values[middle:], tracks, no, yes)
    return Split(feature, values[middle - 1], False, right, left)


@dataclass(frozen=True)
class Tables:
    """One row per split or leaf, the first ones being the roots; ``leaf`` is the number of a leaf, -1 for a split.

    ``tree`` says to which tree a row belongs, ``depth`` how many splits lead to the deepest leaf.
    """

    feature: Array
    threshold: Array
    tracks: Array
    base: Array
    leaf: Array
    tree: Array
    trees: int
    depth: int


Row: TypeAlias = tuple[int, Any, bool, int, int]
"""Feature, threshold, whether NaN goes to yes, base and leaf."""


def tables(emit: Emitter, nodes: Nodes) -> Tables:
    """Lay out the trees, level by level; what several splits lead to is copied, not what lies below it.

    Raises:
        CompileError: F002, a node leads back to itself.
    """
    rows: list[Row | None] = [None] * len(nodes.roots)
    trees = list(range(len(nodes.roots)))
    queue: deque[tuple[int, Ref]] = deque(enumerate(nodes.roots))
    first: dict[int, int] = {}
    copies: list[tuple[int, int]] = []
    while queue:
        place, ref = queue.popleft()
        if isinstance(ref, int):
            if first.setdefault(ref, place) != place:
                copies.append((place, first[ref]))
                continue
            if ref < 0:
                rows[place] = (0, NEVER, False, place, ~ref)
                continue
        split = nodes.split(ref) if isinstance(ref, int) else ref
        rows[place] = (split.feature, split.threshold, split.tracks, len(rows), -1)
        queue += [(len(rows), split.no), (len(rows) + 1, split.yes)]
        rows += [None, None]
        trees += [trees[place]] * 2
    for place, source in copies:
        rows[place] = rows[source]
    feature, threshold, tracks, base, leaf = zip(*(row for row in rows if row is not None), strict=True)
    found = Tables(
        np.asarray(feature, np.int32),
        np.asarray(threshold, nodes.values.dtype),
        np.asarray(tracks, np.bool_),
        np.asarray(base, np.int32),
        np.asarray(leaf, np.int32),
        np.asarray(trees, np.int32),
        len(nodes.roots),
        0,
    )
    if (found.tracks & (found.leaf < 0) & np.isnan(found.threshold)).any():
        raise emit.fail("has a split that only NaN passes", help="Such a threshold is infinite: drop the split.")
    return replace(found, depth=_depth(emit, found))


def _depth(emit: Emitter, table: Tables) -> int:
    level = np.arange(table.trees)
    for depth in range(len(table.base)):
        splits = level[table.leaf[level] < 0]
        if not splits.size:
            return depth
        level = np.unique(np.concatenate([table.base[splits], table.base[splits] + 1]))
    raise emit.fail("has a tree with a node that leads back to itself", code="F002")


@dataclass(frozen=True)
class Ensemble:
    """Trees, and for every leaf one weight per target; ``stated`` says which of them the model gives."""

    table: Tables
    weights: Array
    stated: Array

    @property
    def targets(self) -> int:
        """The number of targets of a regression, or of classes."""
        return self.weights.shape[1]

    @property
    def certain(self) -> Any:
        """Which targets some tree has a weight of in all of its leaves: no sample is without one."""
        is_leaf = self.table.leaf >= 0
        lacks = ~self.stated[self.table.leaf[is_leaf]]
        lacking = np.zeros((self.table.trees, self.targets), np.bool_)
        np.logical_or.at(lacking, self.table.tree[is_leaf], lacks)
        return ~lacking.all(axis=0)

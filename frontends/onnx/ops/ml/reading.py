"""Reading decision trees: lists of nodes up to version 3 of the operators, lists of splits and leaves from 5 on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from .....compiler.types import Array, DType
from .....compiler.weights import Weight
from ...emitter import Emitter
from .ensemble import MODES, Ensemble, Nodes, tables

AGGREGATES = ("AVERAGE", "SUM", "MIN", "MAX")
"""How the leaves of all trees are combined, by the numbers that version 5 gives them."""


@dataclass(frozen=True)
class Form:
    """What is read: weights for how many targets, which are combined how, as numbers of which type."""

    targets: int
    aggregate: str
    dtype: DType


@dataclass(frozen=True)
class Weights:
    """What leaves add to targets: one entry per weight; ``leaves`` are numbers of leaves."""

    leaves: Sequence[int]
    targets: Sequence[int]
    values: Array


def numbers(emit: Emitter, floats: tuple[float, ...], tensor: Weight | None, what: str) -> Array:
    """Return what is stated as floats or as a tensor.

    Raises:
        CompileError: F002, it is stated as both.
    """
    if floats and tensor is not None:
        raise emit.fail(f"states {what} twice", code="F002")
    return np.asarray(floats, np.float32) if tensor is None else tensor.array().reshape(-1)


@dataclass(frozen=True)
class NodeLists:
    """The attributes up to version 3: one entry per node, split or leaf, and one per weight of a leaf."""

    trees: Sequence[int]
    ids: Sequence[int]
    features: Sequence[int]
    modes: Sequence[str]
    values: Array
    tracks: Sequence[int]
    yes: Sequence[int]
    no: Sequence[int]
    leaf_trees: Sequence[int]
    leaf_ids: Sequence[int]
    leaf_targets: Sequence[int]
    leaf_weights: Array

    def read(self, emit: Emitter, form: Form) -> Ensemble:
        """Return the trees; a root is what no node leads to.

        Raises:
            CompileError: F002, the lists don't describe trees.
        """
        count = len(self.ids)
        columns = (self.trees, self.features, self.modes, self.values, self.yes, self.no)
        if not count or any(len(column) != count for column in columns) or len(self.tracks) not in (0, count):
            raise emit.fail("has lists of nodes of different lengths", code="F002")
        keys = list(zip(self.trees, self.ids, strict=True))
        leaf_numbers = {key: n for n, key in enumerate(k for k, m in zip(keys, self.modes, strict=True) if m == "LEAF")}
        refs = {key: ~leaf_numbers[key] if key in leaf_numbers else i for i, key in enumerate(keys)}
        yes, no = (self._children(emit, refs, column) for column in (self.yes, self.no))
        inner = {*yes, *no}
        roots = [(tree, ref) for (tree, _), ref in refs.items() if ref not in inner]
        if sorted(tree for tree, _ in roots) != sorted(set(self.trees)):
            raise emit.fail("has a tree without a root, or with several", code="F002")
        tracks = [bool(t) for t in self.tracks] or [False] * count
        values = self.values.astype(form.dtype.numpy)
        nodes = Nodes(self.features, self.modes, values, tracks, yes, no, [ref for _, ref in roots])
        _check_modes(emit, {mode for mode in self.modes if mode != "LEAF"})
        owners = [leaf_numbers.get(key, -1) for key in zip(self.leaf_trees, self.leaf_ids, strict=False)]
        weights = Weights(owners, self.leaf_targets, self.leaf_weights)
        return _ensemble(emit, nodes, weights, len(leaf_numbers), form)

    def _children(self, emit: Emitter, refs: dict[tuple[int, int], int], column: Sequence[int]) -> list[int]:
        """Where the splits lead; entries of leaves are nothing."""
        found: list[int] = []
        for tree, id, mode in zip(self.trees, column, self.modes, strict=True):
            ref = refs.get((tree, id)) if mode != "LEAF" else len(refs)
            if ref is None:
                raise emit.fail(f"leads to node {id} of tree {tree}, which is not there", code="F002")
            found.append(ref)
        return found


def _check_modes(emit: Emitter, modes: set[str]) -> None:
    if unknown := modes - set(MODES):
        raise emit.fail(f"has the conditions {sorted(unknown)}, none of {', '.join(MODES)}", code="F002")


@dataclass(frozen=True)
class SplitLists:
    """The attributes of version 5: one entry per split, and one per leaf."""

    features: Sequence[int]
    modes: Array
    values: Array
    tracks: Sequence[int]
    yes: Sequence[int]
    no: Sequence[int]
    yes_is_leaf: Sequence[int]
    no_is_leaf: Sequence[int]
    roots: Sequence[int]
    members: Array
    leaf_targets: Sequence[int]
    leaf_weights: Array

    def read(self, emit: Emitter, form: Form) -> Ensemble:
        """Return the trees.

        Raises:
            CompileError: F002, the lists don't describe trees.
        """
        count, leaves = len(self.features), len(self.leaf_targets)
        columns = (self.modes, self.values, self.yes, self.no, self.yes_is_leaf, self.no_is_leaf)
        if not count or any(len(column) != count for column in columns) or len(self.tracks) not in (0, count):
            raise emit.fail("has lists of nodes of different lengths", code="F002")
        if any(not 0 <= mode < len(MODES) for mode in self.modes):
            raise emit.fail(f"has conditions beyond the numbers 0 to {len(MODES) - 1}", code="F002")
        modes = [MODES[int(mode)] for mode in self.modes]
        ways = [
            [self._child(emit, n, bool(leaf), (count, leaves)) for n, leaf in zip(to, is_leaf, strict=True)]
            for to, is_leaf in ((self.yes, self.yes_is_leaf), (self.no, self.no_is_leaf))
        ]
        roots = [self._child(emit, n, False, (count, leaves)) for n in self.roots]
        tracks = [bool(t) for t in self.tracks] or [False] * count
        values = self.values.astype(form.dtype.numpy)
        nodes = Nodes(self.features, modes, values, tracks, ways[0], ways[1], roots, self._members(emit, modes, values))
        weights = Weights(range(leaves), self.leaf_targets, self.leaf_weights)
        return _ensemble(emit, nodes, weights, leaves, form)

    def _child(self, emit: Emitter, number: int, is_leaf: bool, counts: tuple[int, int]) -> int:
        if not 0 <= number < counts[is_leaf]:
            raise emit.fail(f"leads to {'leaf' if is_leaf else 'node'} {number}, which is not there", code="F002")
        return ~number if is_leaf else number

    def _members(self, emit: Emitter, modes: Sequence[str], values: Array) -> dict[int, Array]:
        """Return the sets of the splits that ask for membership; in the list, NaN ends each."""
        askers = [i for i, mode in enumerate(modes) if mode == "BRANCH_MEMBER"]
        ends = np.flatnonzero(np.isnan(self.members))
        sets = [s[~np.isnan(s)].astype(values.dtype) for s in np.split(self.members, ends)]
        if len(askers) > len(sets) or any(not s.size for s in sets[: len(askers)]):
            raise emit.fail(f"has {len(askers)} splits that ask for membership, but not as many sets", code="F002")
        return dict(zip(askers, sets, strict=False))


def _ensemble(emit: Emitter, nodes: Nodes, weights: Weights, leaves: int, form: Form) -> Ensemble:
    """Spread weights over leaves and targets; what a leaf does not state must not count when they are combined.

    Raises:
        CompileError: F002, weights belong to no leaf or target, or there is no tree.
    """
    if not nodes.roots or not len(weights.leaves) == len(weights.targets) == len(weights.values):
        raise emit.fail("has no tree, or lists of weights of different lengths", code="F002")
    if any(not 0 <= n < leaves for n in weights.leaves) or any(not 0 <= n < form.targets for n in weights.targets):
        raise emit.fail(f"has weights that belong to no leaf, or to none of {form.targets} targets", code="F002")
    if form.aggregate not in AGGREGATES:
        raise emit.fail(f"combines by {form.aggregate!r}, none of {', '.join(AGGREGATES)}", code="F002")
    combine: Any = {"MIN": np.minimum, "MAX": np.maximum}.get(form.aggregate, np.add)
    neutral = {"MIN": np.inf, "MAX": -np.inf}.get(form.aggregate, 0)
    where = np.asarray(weights.leaves, np.int64), np.asarray(weights.targets, np.int64)
    dense = np.full((leaves, form.targets), neutral, form.dtype.numpy)
    combine.at(dense, where, weights.values.astype(form.dtype.numpy))
    stated = np.zeros(dense.shape, np.bool_)
    stated[where] = True
    return Ensemble(tables(emit, nodes), dense, stated)

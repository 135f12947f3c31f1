"""Sparse constants: levels of a tree, dense or compressed, in any order of the axes, with blocks inside."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ...compiler.types import Array


@dataclass(frozen=True)
class Level:
    """One level: ``size`` positions each, or, compressed, those in ``indices`` from one of ``segments`` to the next."""

    size: int
    segments: Array | None = None
    indices: Array | None = None


@dataclass(frozen=True)
class Sparsity:
    """Which axis each level counts; those from the tensor's rank on are blocks inside of the axes ``blocks``."""

    order: tuple[int, ...]
    blocks: tuple[int, ...]
    levels: tuple[Level, ...]


def densify(values: Array, shape: tuple[int, ...], sparsity: Sparsity) -> Array:
    """Return the tensor with its zeros.

    Raises:
        ValueError: the levels don't fit the shape or the values.
    """
    rank = len(shape)
    order, levels = sparsity.order, sparsity.levels
    if len(order) != len(levels) or sorted(order) != list(range(rank + len(sparsity.blocks))):
        raise ValueError(f"levels {order} of {len(levels)} do not count {rank} axes and {len(sparsity.blocks)} blocks")
    places = np.zeros((1, 0), np.int64)
    position = np.zeros(1, np.int64)
    for level in levels:
        position, rows, counted = _below(level, position)
        places = np.concatenate([places[rows], counted[:, None]], 1)
    if len(position) and (position.max() >= values.size or position.min() < 0):
        raise ValueError(f"{values.size} values, but position {position.max()} is read")
    sizes = {axis: level.size for axis, level in zip(order, levels, strict=True)}
    columns = {axis: places[:, i] for i, axis in enumerate(order)}
    for number, axis in enumerate(sparsity.blocks):
        if axis not in range(rank):
            raise ValueError(f"blocks of axis {axis} of {rank}")
        columns[axis] = columns[axis] * sizes[rank + number] + columns[rank + number]
    where = tuple(columns[axis] for axis in range(rank))
    if any(len(w) and (w.min() < 0 or w.max() >= size) for w, size in zip(where, shape, strict=True)):
        raise ValueError(f"positions outside of {list(shape)}")
    out = np.zeros(shape, values.dtype)
    out[where] = values.reshape(-1)[position]
    return out


def _below(level: Level, position: Array) -> tuple[Array, Array, Array]:
    """Return the positions at the next level, which row each belongs to, and what it counts along the level's axis."""
    if level.segments is None or level.indices is None:
        if level.size < 0 or level.size * len(position) > np.iinfo(np.int32).max:
            raise ValueError(f"a level of {level.size} positions")
        counted = np.tile(np.arange(level.size), len(position))
        rows = np.repeat(np.arange(len(position)), level.size)
        return position[rows] * level.size + counted, rows, counted
    segments, indices = level.segments.astype(np.int64), level.indices.astype(np.int64)
    if len(position) and position.max() + 1 >= len(segments):
        raise ValueError(f"segment {position.max() + 1} of {len(segments)}")
    starts, ends = segments[position], segments[position + 1]
    if (ends < starts).any() or (len(ends) and (ends.max() > len(indices) or starts.min() < 0)):
        raise ValueError(f"segments beyond {len(indices)} indices")
    lengths = ends - starts
    rows = np.repeat(np.arange(len(position)), lengths)
    within = np.arange(len(rows)) - np.repeat(np.cumsum(lengths) - lengths, lengths)
    found = starts[rows] + within
    return found, rows, indices[found]

"""How inputs and outputs lie in a file compared with the source: what the file's metadata says."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, cast

from ..compiler.diagnostics import CompileError
from ..compiler.dims import parse_dim

KEY = "nhwcc.layout"
"""The metadata's name."""

RENAMED = "nhwcc.outputs"
"""The metadata's name for the source's names of outputs that a file calls otherwise: a name that an input has, too."""

Layout = Mapping[str, Mapping[str, Mapping[str, Any]]]
"""For "inputs" and "outputs" by name: the source's axis at every axis, ``perm``, and the source's ``shape``."""


def key_of(signature: str) -> str:
    """Return what the metadata is called that is about a signature; that of a file's first one may be :data:`KEY`."""
    return f"{KEY}.{signature}"


def read_layout(text: bytes, ranks: Mapping[str, Mapping[str, int]]) -> Layout:
    """Read what the metadata says of a file whose inputs and outputs have these ``ranks``, by side and name.

    Raises:
        ValueError: it is damaged, or contradicts the ranks.
    """
    try:
        found: Any = json.loads(text)
    except RecursionError:
        raise ValueError(f"the metadata {KEY} is nested too deeply") from None
    for side, ports in _items(found):
        for name, said in _items(ports):
            if (rank := ranks.get(side, {}).get(name)) is not None:
                _check(name, dict(_items(said)), rank)
    return found


def _items(value: object) -> list[tuple[str, Any]]:
    if not isinstance(value, dict):
        raise ValueError(f"the metadata {KEY} has {json.dumps(value)[:40]} where something is said by name")
    return list(cast(dict[str, Any], value).items())


def _check(name: str, said: Mapping[str, Any], rank: int) -> None:
    perm, shape = said.get("perm"), said.get("shape")
    axes = [str(axis) for axis in range(rank)]
    if perm is not None and (not isinstance(perm, list) or sorted(map(str, cast(list[Any], perm))) != sorted(axes)):
        raise ValueError(f"the metadata {KEY} gives {name} the axes {perm}, but it has {rank}")
    if shape is not None and (not isinstance(shape, list) or len(cast(list[Any], shape)) != rank):
        raise ValueError(f"the metadata {KEY} gives {name} the shape {shape}, but it has {rank} axes")
    for size in cast(list[Any], shape or ()):
        _check_size(name, size)


def _check_size(name: str, size: object) -> None:
    try:
        if isinstance(size, int) and size >= 0:
            return
        if isinstance(size, str):
            parse_dim(size)
            return
    except CompileError as bad:
        raise ValueError(f"the metadata {KEY} gives {name} the size {size!r}") from bad
    raise ValueError(f"the metadata {KEY} gives {name} the size {size!r}")

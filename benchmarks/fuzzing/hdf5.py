"""Damage to files of HDF5: attributes, which hold a network's configuration, datasets, groups."""

# h5py has no types
# pyright: reportMissingImports=false, reportMissingTypeStubs=false
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false

from __future__ import annotations

import io
from random import Random
from typing import Any

import numpy as np

from benchmarks.fuzzing import damage, tokens


def damaged(rng: Random, data: bytes) -> bytes:
    """Return a file with other attributes or datasets, or with other bytes."""
    if rng.random() < 0.4:
        return damage.data(rng, data)
    import h5py

    file = io.BytesIO(data)
    try:
        with h5py.File(file, "r+") as opened:
            names: list[str] = []
            opened.visit(names.append)
            _change(rng, [opened, *(opened[name] for name in names)])
    except (ValueError, OSError, KeyError):
        return damage.data(rng, data)  # what HDF5 does not write
    return file.getvalue()


def _change(rng: Random, items: list[Any]) -> None:
    with_attributes = [item for item in items if len(item.attrs)]
    inner = items[1:]
    if with_attributes and (not inner or rng.random() < 0.7):
        owner = rng.choice(with_attributes)
        _attribute(rng, owner, rng.choice(sorted(owner.attrs)))
        return
    item = rng.choice(inner)
    holder, name = item.parent, item.name
    match rng.randrange(4):
        case 0:
            del holder[name]
        case 1:
            holder.move(name, damage.text(rng, name.rpartition("/")[2]).replace("\0", "").strip("/.") or "x")
        case _:
            other: Any = rng.choice(
                (np.zeros(3, np.int8), np.zeros((), "S3"), np.full((2, 3), np.nan), np.zeros((0, 4)))
            )
            del holder[name]
            holder[name] = other


def _attribute(rng: Random, owner: Any, name: str) -> None:
    old = owner.attrs[name]
    if rng.random() < 0.15:
        del owner.attrs[name]
    elif isinstance(old, str | bytes):
        text = old if isinstance(old, bytes) else old.encode()
        owner.attrs[name] = np.bytes_(tokens.damaged(rng, text))
    else:
        owner.attrs[name] = rng.choice((np.zeros(3, np.int8), np.bytes_("x"), 2**62, np.nan))

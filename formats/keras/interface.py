"""What a file of ours says of its inputs and outputs beside what Keras writes, which leaves it alone."""

# h5py has no types
# pyright: reportMissingTypeStubs=false, reportUnknownMemberType=false, reportUnknownVariableType=false

from __future__ import annotations

import json
import zipfile
from pathlib import Path
from typing import Any, cast

ENTRY = "nhwcc.layout.json"
"""The entry of an archive, or the attribute of an HDF5 file."""


def annotate(path: Path, layout: bytes) -> None:
    """Add to a file what it says of its interface."""
    if zipfile.is_zipfile(path):
        with zipfile.ZipFile(path, "a") as archive:
            archive.writestr(zipfile.ZipInfo(ENTRY, (1980, 1, 1, 0, 0, 0)), layout)
        return
    import h5py

    with h5py.File(path, "a") as file:
        cast(Any, file.attrs)[ENTRY] = layout.decode()


LARGEST = 1 << 20
"""Bytes of what is read of it: more than thousands of inputs and outputs need."""


def is_annotated(path: Path) -> bool:
    """Say whether a file was written by us."""
    return _stated(path) is not None


def stated_ports(path: Path) -> dict[str, list[dict[str, Any]]] | None:
    """Return inputs and outputs in order: name, element type, shape and perm; None of a file of somebody else.

    Raises:
        ValueError: it is damaged.
    """
    said = _stated(path)
    return None if said is None else json.loads(said)


def _stated(path: Path) -> str | bytes | None:
    if zipfile.is_zipfile(path):
        with zipfile.ZipFile(path) as archive:
            if ENTRY not in archive.namelist():
                return None
            with archive.open(ENTRY) as entry:
                return entry.read(LARGEST)
    import h5py

    with h5py.File(path, "r") as file:
        said: Any = cast(Any, file.attrs).get(ENTRY)
    return None if said is None else str(said)

"""Damage to zip archives: members that are missing, doubled, called otherwise, or damaged themselves."""

from __future__ import annotations

import io
import warnings
import zipfile
from random import Random

from benchmarks.fuzzing import damage, hdf5, tokens


def damaged(rng: Random, data: bytes) -> bytes:
    """Return an archive with other members, or other bytes."""
    if rng.random() < 0.2 or not zipfile.is_zipfile(io.BytesIO(data)):
        return damage.data(rng, data)
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        members = [(name, archive.read(name)) for name in archive.namelist()]
    for _ in range(rng.choice((1, 1, 2))):
        place = rng.randrange(len(members))
        name, content = members[place]
        match rng.randrange(6):
            case 0:
                del members[place]
            case 1:
                members[place] = (damage.text(rng, name) or "x", content)
            case 2:
                members.append((name, content))
            case _:
                members[place] = (name, _content(rng, name, content))
        if not members:
            break
    return _packed(members)


def _content(rng: Random, name: str, content: bytes) -> bytes:
    if name.endswith((".json", ".py", "version", "byteorder", "archive_format")) and rng.random() < 0.8:
        return tokens.damaged(rng, content)
    if name.endswith(".h5"):
        return hdf5.damaged(rng, content)
    head = 128 if name.endswith(".npy") else len(content)
    return damage.data(rng, content[:head]) + content[head:]


def _packed(members: list[tuple[str, bytes]]) -> bytes:
    out = io.BytesIO()
    with warnings.catch_warnings(), zipfile.ZipFile(out, "w") as archive:
        warnings.simplefilter("ignore")  # of names that stand there twice
        for name, content in members:
            archive.writestr(zipfile.ZipInfo(name.replace("\0", "") or "x"), content)
    return out.getvalue()

"""Files of PyTorch that hold weights alone: told by the classes that are named in them, without PyTorch."""

from __future__ import annotations

import pickletools
import zipfile
from pathlib import Path

LARGEST = 1 << 26
"""Bytes of the list of weights that are looked at; the weights themselves lie elsewhere."""

BUILDERS = ("torch._utils.", "torch.storage.", "collections.OrderedDict", "torch.Size", "torch.nn.parameter.Parameter")
"""How names begin that tensors and their containers are built with."""


def holds_weights_only(path: Path) -> bool:
    """Say whether an archive holds tensors and nothing else; False also where that can't be told."""
    try:
        with zipfile.ZipFile(path) as archive:
            names = archive.namelist()
            (record,) = (n for n in names if n.endswith("/data.pkl") or n == "data.pkl")
            if any("/code/" in n for n in names) or archive.getinfo(record).file_size > LARGEST:
                return False
            named = _named(archive.read(record))
    except (OSError, ValueError, zipfile.BadZipFile, NotImplementedError):
        return False
    return named is not None and any(n.startswith("torch") for n in named) and all(map(_is_builder, named))


def _named(pickled: bytes) -> set[str] | None:
    """Return the classes and functions that a pickle names; None if it names some by what it computes.

    Raises:
        ValueError: it is not a pickle.
    """
    found: set[str] = set()
    for opcode, argument, _ in pickletools.genops(pickled):
        if opcode.name == "STACK_GLOBAL":
            return None
        if opcode.name in ("GLOBAL", "INST"):
            found.add(str(argument).replace(" ", "."))
    return found


def _is_builder(name: str) -> bool:
    return name.startswith(BUILDERS) or (name.startswith("torch.") and name.endswith(("Storage", "Tensor")))

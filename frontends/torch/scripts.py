"""TorchScript in files: a program of its own language, which PyTorch's interpreter runs.

It has no way to Python, but operators that write files, and runs already when it is read.  What the text of a program
does not name it can't call; so words are looked for, wherever they are, which no two readers can see differently.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

from ...compiler.diagnostics import error
from .archives import Archive

FORBIDDEN = ("from_file", "save")
"""Operators that read or write files by their names."""

NAMESPACES = ("_quantized", "aten", "prim", "prims", "prepacked", "quantized", "sparse", "torchvision")
"""Whose operators a program may call; others may reach files, networks or devices."""

CLASSES = frozenset({"quantized", "rnn", "sparse", "xnnpack"})
"""Whose objects a program may hold: these are packed weights."""

_OPERATORS = re.compile(rf"(?<![\w.])ops\b(?!\s*\.\s*({'|'.join(NAMESPACES)})\b)", re.ASCII)
"""Where operators are called by a namespace that is not one of these."""

_PARTS = re.compile(r"(data|constants)/|(\.data|code)/|(data|constants|attributes)\.pkl$|version$|byteorder$")


def is_script(archive: Archive) -> bool:
    """Say whether an archive holds TorchScript, whose code is in files below ``code/``."""
    return any(name.startswith("code/") for name in archive)


def harmless(path: Path, archive: Archive) -> Mapping[str, bytes | None]:
    """Return the records of a script that PyTorch may read.

    Raises:
        CompileError: F038, it calls what can reach beyond tensors.
        ValueError: it is damaged.
    """
    names = [name for name in archive if _PARTS.match(name)]
    texts = [name for name in names if name.startswith("code/") or name.endswith(".pkl")]
    read: dict[str, bytes | None] = {name: archive.read(name) for name in texts}
    for name, content in read.items():
        called = _beyond_tensors((content or b"").decode("latin-1"), is_code=name.endswith(".py"))
        if called is not None:
            raise error(
                "F038",
                f"to read {path} would run code that is in it: its record {name} names {called}",
                help="If you trust the file, say --unsafe-load (unsafe_load=True).",
            )
    return dict.fromkeys(names) | read


def _beyond_tensors(text: str, *, is_code: bool) -> str | None:
    """Return what a program names that can do more than compute with tensors."""
    found = set(re.findall(r"\bclasses\W+(\w+)", text, re.ASCII)) - CLASSES
    if found and "torch" in text:
        return f"the class {min(found)}"
    words = set(re.findall(r"\w+", text, re.ASCII)) if is_code else set[str]()
    forbidden = [word for word in FORBIDDEN if word in words]
    if forbidden:
        return forbidden[0]
    return "operators of other libraries" if is_code and _OPERATORS.search(text) else None

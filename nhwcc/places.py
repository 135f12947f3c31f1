"""Where rules of a file are applied: before all passes, or before or after some pass."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from nhwcc.compiler.diagnostics import error

_PLACED = re.compile(r"(?P<when>before|after):(?P<name>[^=:]+)=(?P<file>.+)", re.DOTALL)
_LIKE_A_PLACE = re.compile(r"[a-z-]+:[^=/\\]*=")


@dataclass(frozen=True)
class Place:
    """A file of rules, and the pass before or after which it is applied; no pass means before all."""

    file: Path
    when: Literal["before", "after"] = "before"
    name: str = ""


def read_place(rules: str | os.PathLike[str]) -> Place:
    """Read ``FILE`` or ``after:PASS=FILE``; a file of such a name is found nevertheless.

    Raises:
        CompileError: L004, a place is none of these.

    >>> read_place("after:fold-constants=my.rules")
    Place(file=PosixPath('my.rules'), when='after', name='fold-constants')
    """
    found = _PLACED.fullmatch(rules) if isinstance(rules, str) and not Path(rules).exists() else None
    if found is None:
        if isinstance(rules, str) and _LIKE_A_PLACE.match(rules) and not Path(rules).exists():
            help = "write before:PASS=FILE or after:PASS=FILE, or the file alone: rules are then applied first"
            raise error("L004", f"{rules!r} does not say where rules are applied", help=help)
        return Place(Path(rules))
    return Place(Path(found["file"]), "before" if found["when"] == "before" else "after", found["name"].strip())

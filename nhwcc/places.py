"""Where rules of a file are applied: before all passes, or before or after some pass."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

_PLACED = re.compile(r"(?P<when>before|after):(?P<name>[^=:]+)=(?P<file>.+)", re.DOTALL)


@dataclass(frozen=True)
class Place:
    """A file of rules, and the pass before or after which it is applied; no pass means before all."""

    file: Path
    when: Literal["before", "after"] = "before"
    name: str = ""


def read_place(rules: str | os.PathLike[str]) -> Place:
    """Read ``FILE`` or ``after:PASS=FILE``; a file of such a name is found nevertheless.

    >>> read_place("after:fold-constants=my.rules")
    Place(file=PosixPath('my.rules'), when='after', name='fold-constants')
    """
    found = _PLACED.fullmatch(rules) if isinstance(rules, str) and not Path(rules).exists() else None
    if found is None:
        return Place(Path(rules))
    return Place(Path(found["file"]), "before" if found["when"] == "before" else "after", found["name"].strip())

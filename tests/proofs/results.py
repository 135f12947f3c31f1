"""What ``make prove`` found, in a file that docs/proofs.md is printed from."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path

PATH = Path(__file__).with_name("results.json")


@dataclass
class Entry:
    """What is known of one rewrite.

    ``basis`` is "reals", "elements" or "index maps" where something is proven, "draws" where random numbers are drawn,
    which can't be compared, else "instances"; ``elements`` are the
    element types on all of whose numbers it is right; ``families`` say in how many chains of each family it fired;
    ``instances`` were made from the rule, ``modules`` are those in which it fired and was validated; ``steps`` are
    those by which its integers may differ.
    """

    basis: str
    elements: list[str] = field(default_factory=lambda: list[str]())
    families: dict[str, int] = field(default_factory=lambda: dict[str, int]())
    instances: int = 0
    modules: int = 0
    steps: int = 0


@dataclass
class Results:
    """All rewrites, all families of chains, what became of the mutants, and how many firings were compared."""

    rewrites: dict[str, Entry]
    families: dict[str, str]
    mutants: dict[str, int]
    firings: int

    def save(self, path: Path = PATH) -> None:
        """Write the file."""
        path.write_text(json.dumps(asdict(self), indent=1) + "\n", encoding="utf-8")

    @staticmethod
    def load(path: Path = PATH) -> Results:
        """Read the file."""
        data = json.loads(path.read_text(encoding="utf-8"))
        data["rewrites"] = {key: Entry(**entry) for key, entry in data["rewrites"].items()}
        return Results(**data)

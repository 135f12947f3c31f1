"""Lists public docstrings that say too little, and those with words that nobody else in the field uses.

``python docs/docstrings.py [FILE or FOLDER ...]`` lists those in these places, by default in all trees; there are none
but in work that is not finished, since a test asks for that. A method that overrides a documented one, or has the name
of one that a protocol documents, may be short: what it has to do is said there.
"""

from __future__ import annotations

import argparse
import ast
import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parents[1]
TREES = ("nhwcc", "compiler", "formats", "passes", "frontends", "backends")

FEWEST = 8
"""Words that a docstring has at least."""

WORDS = {
    "texts": "strings",
    "turns?": "iteration; to transpose, to change into",
    "turned": "transposed",
    "idle": "no-op",
    "carriers?": "storage type",
    "halves": "f16",
    "behind": "after",
    "nobody": "no op, no pass, no user",
    "stands?": "is",
}
"""Words of this project alone, and what the field says."""

PRIVATE = re.compile(rf"\b(?:{'|'.join(WORDS)})\b")
ALLOWED = re.compile(r"\bin turns?\b|\bstands? for\b")
"""Uses of these words that every reader knows."""

CONTRACT = {"infer", "evaluate", "verify", "axes", "copies"}
"""Methods of operations, whose contract is documented where operations are declared: ``nhwcc.compiler.opdef.op``."""

Definition = ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef


class Docstring(NamedTuple):
    """A public docstring: its file, its line, what it describes, and what it says."""

    path: Path
    line: int
    name: str
    text: str

    @property
    def is_short(self) -> bool:
        """Whether it has so few words that a stranger learns nothing."""
        return len(self.text.split()) < FEWEST

    @property
    def private(self) -> list[str]:
        """Words in it that a stranger would have to guess, outside of code."""
        return PRIVATE.findall(ALLOWED.sub("", re.sub(r"``.*?``", "", self.text)))


def files(places: list[Path]) -> list[Path]:
    """Return the Python files in folders, sorted, and those that are named themselves."""
    return sorted(path for place in places for path in (place.rglob("*.py") if place.is_dir() else [place]))


def docstrings(path: Path, documented: Documented) -> Iterator[Docstring]:
    """Yield the public docstrings of a file, but for short ones of methods that override documented ones."""
    yield from _docstrings(path, _parse(path), path.stem, documented)


class Documented(NamedTuple):
    """Bases of all classes, and their methods that have a docstring of full length, by the names of classes."""

    bases: dict[str, list[str]]
    methods: dict[str, set[str]]
    protocols: list[str]

    def overrides(self, cls: str, method: str) -> bool:
        """Whether a protocol, a base of the class, or a base of one of these documents the method."""
        if method in CONTRACT:
            return True
        bases = [*self.bases.get(cls, []), *self.protocols] if cls not in self.protocols else []
        return any(method in self.methods[base] or self.overrides(base, method) for base in bases)


def read_classes() -> Documented:
    """Read the classes of all trees."""
    found = Documented({}, {}, [])
    for path in files([ROOT / tree for tree in TREES]):
        for node in ast.walk(_parse(path)):
            if isinstance(node, ast.ClassDef):
                bases = (base.value if isinstance(base, ast.Subscript) else base for base in node.bases)
                names = [ast.unparse(base).rpartition(".")[2] for base in bases]
                found.bases[node.name] = [name for name in names if name != node.name]
                found.protocols.extend([node.name] if "Protocol" in names else [])
                found.methods[node.name] = {
                    child.name
                    for child in node.body
                    if isinstance(child, ast.FunctionDef) and len((ast.get_docstring(child) or "").split()) >= FEWEST
                }
    known = {name: [base for base in bases if base in found.methods] for name, bases in found.bases.items()}
    return Documented(known, found.methods, found.protocols)


def _parse(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def _docstrings(path: Path, node: Definition, name: str, documented: Documented) -> Iterator[Docstring]:
    text = ast.get_docstring(node)
    if text is not None:
        yield Docstring(path, getattr(node, "lineno", 1), name, text)
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
        return
    for child in node.body:
        if isinstance(child, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef) and not child.name.startswith("_"):
            inner = _docstrings(path, child, f"{name}.{child.name}", documented)
            is_override = isinstance(node, ast.ClassDef) and documented.overrides(node.name, child.name)
            yield from (found for found in inner if not (is_override and found.is_short))


def main() -> None:
    """Print where docstrings are short or have private words: of the trees that are named, else of all."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("places", nargs="*", type=Path, help="list those in these files and folders")
    places: list[Path] = parser.parse_args().places or [ROOT / tree for tree in TREES]
    documented = read_classes()
    for found in (d for path in files(places) for d in docstrings(path, documented)):
        if found.is_short or found.private:
            words = f" [{', '.join(found.private)}]" if found.private else ""
            print(f"{found.path}:{found.line}: {found.name}:{words} {' '.join(found.text.split())}")


if __name__ == "__main__":
    main()

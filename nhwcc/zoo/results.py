"""Results of a zoo, stored by what went into them: the same model, options and compiler are not compiled again."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, replace
from functools import cache
from importlib import import_module
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path
from typing import Literal, TypeAlias

from nhwcc.compiler.diagnostics import reason
from nhwcc.doctor import LIBRARIES
from nhwcc.files import cannot_write, save_text
from nhwcc.zoo.manifest import Task

Status: TypeAlias = Literal["ok", "not proven", "differs", "failed", "out of time", "died"]
"""How a task ended; ``died`` says that the process did, or the worker that ran it."""

TREES = ("nhwcc", "nhwcc.compiler", "nhwcc.formats", "nhwcc.passes", "nhwcc.frontends", "nhwcc.backends")
"""What the compiler is made of."""

_FOLDERS = re.compile(r"(^|=)/.*/")
"""Where a file lies, which does not matter."""


@dataclass(frozen=True)
class Result:
    """What became of a task; numbers are zero where there is no file. ``error`` is relative, None if unknown."""

    name: str
    target: str
    status: Status
    message: str = ""
    operations: int = 0
    transposes: int = 0
    bytes: int = 0
    error: float | None = None
    seconds: float = 0.0
    memory: int = 0
    key: str = ""
    is_cached: bool = False

    @property
    def title(self) -> str:
        """The model and its target, as tables call a task."""
        return f"{self.name} → {self.target}"

    def misses(self, task: Task) -> str:
        """Say what is not as expected, nothing if all is."""
        expected = task.expected
        if expected.status and self.status == expected.status:
            return ""
        if expected.status or self.status not in ("ok", "not proven"):
            return f"{expected.status or 'a file'} is expected"
        bounds = (
            ("operations", self.operations, expected.operations),
            ("transposes", self.transposes, expected.transposes),
            ("bytes", self.bytes, expected.bytes),
            ("error", self.error, expected.error),
        )
        wrong = (f"{name} {got:g} > {most:g}" for name, got, most in bounds if most is not None and (got or 0) > most)
        return ", ".join(wrong)


def key_of(task: Task) -> str:
    """Return a digest of everything that a task's result depends on."""
    stated = json.dumps([[_FOLDERS.sub(r"\1", word) for word in task.words], task.target])
    parts = [stated, compiler(), *(digest(file) for file in task.files), *_module(task.words)]
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()


def _module(words: Sequence[str]) -> Iterable[str]:
    """Yield what is known of a module that is named: its file, and the version of its package."""
    if "--module" not in words:
        return
    place = words[words.index("--module") + 1].rpartition(":")[0]
    if place.endswith(".py"):
        yield digest(Path(place))
        return
    package = place.partition(".")[0]
    yield _version(package)
    spec = find_spec(package)
    yield digest(Path(spec.origin)) if spec is not None and spec.origin else package


def digest(path: Path) -> str:
    """Return a digest of a file and those beside it that begin with its name, or of all files of a folder."""
    found = hashlib.sha256()
    beside = path.rglob("*") if path.is_dir() else path.parent.glob(f"{path.stem}*")
    for file in sorted(file for file in beside if file.is_file()):
        found.update(file.name.encode())
        with file.open("rb") as opened:
            found.update(hashlib.file_digest(opened, "sha256").digest())
    return found.hexdigest()


@cache
def compiler() -> str:
    """Return a digest of the compiler, and of the versions of all libraries that it uses."""
    found = hashlib.sha256()
    for tree in TREES:
        folder = Path(import_module(tree).__file__ or "").parent
        for file in sorted(folder.rglob("*")):
            if file.is_file() and file.suffix != ".pyc":
                found.update(f"{tree}/{file.relative_to(folder)}".encode() + file.read_bytes())
    for library in LIBRARIES:
        found.update(_version(library.distribution).encode())
    return found.hexdigest()


def _version(distribution: str) -> str:
    try:
        return f"{distribution} {version(distribution)}"
    except PackageNotFoundError:
        return f"{distribution} is missing"


class Cache:
    """A folder with a file for every result, and one for every run.

    Raises:
        CompileError: R012, there can be no such folder.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        try:
            (folder / "results").mkdir(parents=True, exist_ok=True)
            (folder / "runs").mkdir(exist_ok=True)
        except OSError as bad:
            raise cannot_write(folder, reason(bad)) from bad

    def find(self, key: str) -> Result | None:
        """Return a result, None if there is none of this key."""
        path = self.folder / "results" / f"{key}.json"
        found = _read(path) if path.exists() else []
        return replace(found[0], is_cached=True) if found else None

    def keep(self, result: Result) -> None:
        """Store a result, unless it may come out differently next time."""
        if result.status not in ("died", "out of time"):
            _write(self.folder / "results" / f"{result.key}.json", [result])

    def runs(self) -> list[list[Result]]:
        """Return the results of all runs so far, the first one first."""
        return [_read(path) for path in sorted((self.folder / "runs").glob("*.json"))]

    def finish(self, results: Sequence[Result]) -> None:
        """Store the results of a run, with its time, for the history and for comparisons."""
        _write(self.folder / "runs" / f"{len(self.runs()):06}.json", results)


def _read(path: Path) -> list[Result]:
    """Return the results in a file; none if it is damaged, or of another version."""
    try:
        return [Result(**stated) for stated in json.loads(path.read_text(encoding="utf-8"))]
    except (ValueError, TypeError):
        return []


def _write(path: Path, results: Sequence[Result]) -> None:
    save_text(path, json.dumps([asdict(result) for result in results], indent=1))

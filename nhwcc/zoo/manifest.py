"""The list of a zoo, in TOML: models, targets, options of ``nhwcc compile``, and what is expected."""

from __future__ import annotations

import math
import tomllib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

from nhwcc.backends.registry import suffix_of
from nhwcc.compiler.budget import parse_bytes
from nhwcc.compiler.diagnostics import did_you_mean, error, reason
from nhwcc.compiler.regular import regular


@dataclass(frozen=True)
class Expected:
    """What a model's result must keep to: how it ends, and bounds, None where there is none.

    ``error`` is relative to the largest value of an output.
    """

    status: str = ""
    operations: int | None = None
    transposes: int | None = None
    bytes: int | None = None
    error: float | None = None


@dataclass(frozen=True)
class Task:
    """One model for one target: the words of its command without the output, and what it may cost.

    ``files`` are those that the command reads.
    """

    name: str
    target: str
    words: tuple[str, ...]
    files: tuple[Path, ...] = ()
    memory: int = 4_000_000_000
    seconds: float = 600.0
    expected: Expected = field(default_factory=Expected)

    @property
    def title(self) -> str:
        """The model and its target, as tables call a task."""
        return f"{self.name} → {self.target}"


_KEYS = {
    "name": str, "path": str, "module": str, "weights": str, "args": str, "shapes": dict, "targets": list,
    "options": list, "memory": str, "seconds": (int, float), "expect": dict,
}  # fmt: skip
"""What a model may say, and of which type it is."""

_PARTS = {"targets": str, "options": (str, int, float), "shapes": (str, int)}
"""Of which type the parts of lists and tables are."""

_EXPECTED: dict[str, type | tuple[type, ...]] = {
    "status": str, "operations": int, "transposes": int, "bytes": int, "error": (int, float),
}  # fmt: skip
"""What may be expected of a result, and of which type it is."""


def read_manifest(path: Path) -> list[Task]:
    """Read a list: every model for every one of its targets.

    Raises:
        CompileError: R010, it can't be read; L014, something in it can't be; L008, there is no such target.
    """
    try:
        stated = tomllib.loads(regular(path).read_text(encoding="utf-8"))
    except OSError as bad:
        raise error("R010", f"can't read {path}: {reason(bad)}") from bad
    except UnicodeDecodeError as bad:
        help = "write [[models]], then name and path of each; nhwcc compile takes a model"
        raise error("R010", f"can't read {path}: it is not a text", help=help) from bad
    except tomllib.TOMLDecodeError as bad:
        raise error("L014", f"{path}: {bad}") from bad
    except RecursionError as bad:
        raise error("M005", f"{path} is nested too deeply", help="flatten it") from bad
    defaults, models = stated.get("defaults", {}), _tables(stated.get("models", []))
    if not models or not isinstance(defaults, dict):
        raise error("L014", f"{path} lists no models", help='write [[models]], then name = "m" and path = "m.onnx"')
    shared = cast(dict[str, Any], defaults)
    tasks = [task for model in models for task in _tasks(shared | model, path)]
    titles = [task.title for task in tasks]
    for title in titles:
        if titles.count(title) > 1:
            raise error("L014", f"{path}: {title} is listed twice", help="names tell results apart: give each its own")
    return tasks


def _tables(given: object) -> list[dict[str, Any]]:
    """Return what the list says of each model; nothing if it holds something else."""
    found = cast("list[object]", given) if isinstance(given, list) else []
    return [cast("dict[str, Any]", item) for item in found] if all(isinstance(i, dict) for i in found) else []


def _tasks(model: Mapping[str, Any], manifest: Path) -> Iterator[Task]:
    """Yield a task for each target of a model; files lie beside the list."""
    _check(model, manifest)
    source = list(_source(model, manifest))
    options = [*source, *map(str, model.get("options", ()))]
    files = tuple(place for word in options if (place := manifest.parent / word.rpartition("=")[2]).exists())
    memory, seconds = parse_bytes(model.get("memory", "4GB")), float(model.get("seconds", 600))
    for target in model.get("targets", ["tflite"]):
        suffix_of(target)
        words = (*(_placed(word, manifest.parent) for word in options), "--target", target)
        yield Task(model["name"], target, words, files, memory, seconds, Expected(**model.get("expect", {})))


def _source(model: Mapping[str, Any], manifest: Path) -> Iterator[str]:
    """Yield the words that say what is compiled."""
    if ("path" in model) == ("module" in model):
        text = f"{manifest}: {model['name']} needs either a path or a module"
        raise error("L014", text, help='path = "model.onnx", or module = "package.module:Class"')
    if "path" in model:
        yield model["path"]
    else:
        place, _, name = model["module"].rpartition(":")
        yield from ("--module", f"{_placed(place, manifest.parent)}:{name}")
    for key in ("weights", "args"):
        if key in model:
            yield from (f"--{key}", model[key])
    for name, shape in model.get("shapes", {}).items():
        yield from ("--shape", f"{name}={shape}")


def _placed(word: str, folder: Path) -> str:
    """Return a word with the whole path of a file that it names; others as they are."""
    name, equals, file = word.rpartition("=")
    place = folder / file
    return f"{name}{equals}{place.resolve()}" if file and place.exists() else word


def _check(model: Mapping[str, Any], manifest: Path) -> None:
    """Refuse what nobody understands.

    Raises:
        CompileError: L014.
    """
    name = model.get("name", "a model without a name")
    for key, value in model.items():
        _known(key, _KEYS, f"{manifest}: {name}")
        if not _is_one(value, _KEYS[key]) or not all(_is_one(part, _PARTS[key]) for part in _parts(key, value)):
            raise error("L014", f"{manifest}: {key} of {name} can't be {value!r}")
    for key, value in model.get("expect", {}).items():
        _known(key, _EXPECTED, f"{manifest}: expect of {name}")
        if not _is_one(value, _EXPECTED[key]):
            raise error("L014", f"{manifest}: expect.{key} of {name} can't be {value!r}")
    if "name" not in model:
        raise error("L014", f"{manifest}: {name}", help='name = "..." is what tables call it')
    try:
        parse_bytes(model.get("memory", "4GB"))
    except ValueError as bad:
        raise error("L014", f"{manifest}: memory of {name}: {bad}", help="write 512MB or 4GB") from bad


def _is_one(value: object, kind: type | tuple[type, ...]) -> bool:
    """Say whether a value is of a type: true is a number in Python only, and NaN or infinity bounds nothing."""
    is_bound = not isinstance(value, float) or (math.isfinite(value) and value >= 0)
    return isinstance(value, kind) and not isinstance(value, bool) and is_bound


def _parts(key: str, value: Any) -> Iterable[object]:
    """Return what a list or a table holds whose parts all have one type."""
    if key not in _PARTS:
        return ()
    return cast("dict[str, object]", value).values() if isinstance(value, dict) else cast("list[object]", value)


def _known(key: str, known: Sequence[str] | Mapping[str, object], where: str) -> None:
    if key not in known:
        raise error("L014", f"{where} has no {key!r}", help=did_you_mean(key, known) or f"there are {', '.join(known)}")


def select(tasks: Sequence[Task], patterns: Sequence[str]) -> list[Task]:
    """Return the tasks whose names contain one of some strings, all if there are none.

    Raises:
        CompileError: L014, no task is left.
    """
    kept = [t for t in tasks if not patterns or any(p in t.title for p in patterns)]
    if not kept:
        raise error("L014", f"no model is called like {', '.join(patterns)}", help=f"there are {_names(tasks)}")
    return kept


def _names(tasks: Sequence[Task]) -> str:
    return ", ".join(dict.fromkeys(task.name for task in tasks))

"""Wrong command lines: each ends in the right words and exit code, and costs nothing that is not needed to say so."""

from __future__ import annotations

import builtins
import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from nhwcc.cli import cli

from . import wrong_lines, wrong_options
from .conftest import Call, as_json, process
from .wrong_lines import Line, models_of, write_files

LINES = [*wrong_lines.LINES, *wrong_options.LINES]

SLOW = ("torch", "nhwcc.frontends.torch")
"""What takes seconds to import; no wrong command line is worth it."""

HEAVY = (*SLOW, "numpy", "onnx", "nhwcc.driver", "nhwcc.pipelines")
"""What takes long; a command line that is not understood needs none of it."""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    path = tmp_path_factory.mktemp("wrong")
    models_of(path)
    write_files(path, wrong_options.FILES)
    before = sorted(path.rglob("*"))
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(path)
        yield path
    assert sorted(p for p in path.rglob("*") if "__pycache__" not in p.parts) == before, "nothing is written"


def refuse(patch: pytest.MonkeyPatch, modules: tuple[str, ...]) -> None:
    """Let imports of some modules by our own code fail, whether they were imported before or not."""
    plain = builtins.__import__

    def guarded(name: str, scope: dict[str, Any] | None = None, *args: Any, **more: Any) -> Any:
        importer = str((scope or {}).get("__name__", ""))
        is_ours = importer.startswith("nhwcc") and not importer.startswith(SLOW)
        assert not is_ours or not any(name == m or name.startswith(f"{m}.") for m in modules), f"{name} is imported"
        return plain(name, scope, *args, **more)

    patch.setattr(builtins, "__import__", guarded)


def ids(line: Line) -> str:
    return line.text[:60]


@pytest.mark.parametrize("line", LINES, ids=ids)
def test_words_and_exit_code(line: Line, folder: Path, call: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    refuse(monkeypatch, HEAVY if line.exit == 2 else SLOW)
    result = call(*shlex.split(line.text))
    said = result.stderr
    assert result.exit_code == line.exit and f"error[{line.code}]: " in said, result.output
    for words in line.words:
        assert words in said, said
    assert (
        result.stdout == ""
        and "[Errno" not in said
        and "Traceback" not in said
        and not re.search(r"(?<!there) is no ", said)
    )


@pytest.mark.parametrize("line", [x for x in LINES if x.exit == 2 or x.code in ("R015", "L007")], ids=ids)
def test_as_json(line: Line, folder: Path, call: Call) -> None:
    """The same in one object on standard output, also where the command line is not understood."""
    first, *rest = shlex.split(line.text)
    result = call(*((first, "--json", *rest) if first in cli.commands else (first, *rest, "--json")))
    answer = as_json(result)
    assert result.exit_code == line.exit and result.stderr == "" and not answer["ok"]
    (told,) = answer["diagnostics"]
    assert told["code"] == line.code and told["severity"] == "error"


def test_there_are_enough() -> None:
    assert len(LINES) >= 220 and len({line.text for line in LINES}) == len(LINES)


@pytest.mark.parametrize(
    "text",
    [
        "good.onnx",
        "compile good.onnx out.tflite --json",
        "compile good.onnx -o out",
        "compile state.pth -o o.tflite",
        "compile --module net.py:Nett -o m.tflite",
        "compile good.onnx -o o.tflite --passes cse,dcee",
    ],
)
def test_in_a_process_of_its_own(text: str, folder: Path) -> None:
    done = process(*shlex.split(text))
    assert done.returncode in (1, 2) and "Traceback" not in done.stderr
    assert ('"diagnostics"' in done.stdout) == ("--json" in text) and ("error[" in done.stderr) == (
        "--json" not in text
    )

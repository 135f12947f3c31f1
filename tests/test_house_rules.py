"""What the style checker can't say: sizes, leftovers, who may print."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
SOURCES = [
    p
    for tree in ("nhwcc", "compiler", "formats", "passes", "frontends", "backends")
    for p in (ROOT / tree).rglob("*.py")
]
EVERYTHING = [*SOURCES, *(ROOT / "tests").rglob("*.py"), *(ROOT / "docs").glob("*.py")]
MAX_FILE, MAX_FUNCTION = 600, 60
UNFINISHED = re.compile(r"\b(TODO|FIXME|XXX|HACK)\b")


def name(path: Path) -> str:
    return str(path.relative_to(ROOT))


@pytest.mark.parametrize("path", EVERYTHING, ids=name)
def test_files_are_short(path: Path) -> None:
    assert len(path.read_text(encoding="utf-8").splitlines()) <= MAX_FILE


@pytest.mark.parametrize("path", EVERYTHING, ids=name)
def test_functions_are_short(path: Path) -> None:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            lines = (node.end_lineno or node.lineno) - node.lineno + 1 - (ast.get_docstring(node) or "").count("\n")
            assert lines <= MAX_FUNCTION, f"{node.name} has {lines} lines"


@pytest.mark.parametrize("path", [p for p in EVERYTHING if p != Path(__file__)], ids=name)
def test_nothing_is_left_for_later(path: Path) -> None:
    assert not UNFINISHED.search(path.read_text(encoding="utf-8"))


@pytest.mark.parametrize("path", SOURCES, ids=name)
def test_only_the_command_line_prints_and_exits(path: Path) -> None:
    if path.is_relative_to(ROOT / "nhwcc" / "cli"):
        return
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call):
            called = ast.unparse(node.func)
            assert called not in ("print", "sys.exit", "exit", "quit", "os._exit"), f"line {node.lineno}: {called}"


@pytest.mark.parametrize("path", SOURCES, ids=name)
def test_errors_are_caught_by_their_kind(path: Path) -> None:
    """Only the command line's edge, and whoever adds a note and raises again, may catch everything."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if not isinstance(node, ast.ExceptHandler):
            continue
        broad = node.type is None or ast.unparse(node.type) in ("Exception", "BaseException")
        raises = any(isinstance(inner, ast.Raise) for inner in ast.walk(node))
        assert not broad or raises or name(path) == "nhwcc/cli/edge.py", f"line {node.lineno}"

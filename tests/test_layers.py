"""Who may import whom: compiler < formats < passes, frontends < backends < nhwcc."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
MAY_IMPORT = {
    "compiler": {"compiler"},
    "formats": {"compiler", "formats"},
    "passes": {"compiler", "passes"},
    "frontends": {"compiler", "formats", "frontends"},
    "backends": {"compiler", "formats", "passes", "backends"},
}
HEAVY = {"onnx", "onnxruntime", "torch", "tensorflow", "openvino", "ai_edge_litert", "sympy", "scipy", "graphviz"}
"""Libraries that only those may import at the top of a file who are imported only when they are needed."""

ON_DEMAND = {"onnx_backend"}
"""Packages of the facade that nothing imports but who asks for them by name."""


def files(tree: str) -> list[Path]:
    return sorted((ROOT / tree).rglob("*.py"))


def absolute_imports(path: Path, nodes: Iterator[ast.AST]) -> Iterator[tuple[int, str]]:
    for node in nodes:
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and not node.level:
            yield node.lineno, node.module or ""


@pytest.mark.parametrize("tree", MAY_IMPORT)
def test_imports_go_down(tree: str) -> None:
    """Resolve every relative import to the tree that it reaches."""
    for path in files(tree):
        package = path.relative_to(ROOT).parent.parts
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ImportFrom) and node.level:
                target = (*package[: len(package) - node.level + 1], *(node.module or "").split("."))
                assert target[0] in MAY_IMPORT[tree], f"{path}:{node.lineno} imports {target[0]}"


@pytest.mark.parametrize("tree", MAY_IMPORT)
def test_trees_import_each_other_relatively(tree: str) -> None:
    for path in files(tree):
        for line, name in absolute_imports(path, ast.walk(ast.parse(path.read_text(encoding="utf-8")))):
            assert name.split(".")[0] not in {"nhwcc", *MAY_IMPORT}, f"{path}:{line}: import relatively"


def test_the_facade_imports_absolutely() -> None:
    """The folder ``nhwcc`` holds no trees: to a reader, ``.compiler`` would lead nowhere."""
    for path in files("nhwcc"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            assert not (isinstance(node, ast.ImportFrom) and node.level), f"{path}:{node.lineno}"  # pyright: ignore[reportAttributeAccessIssue]


@pytest.mark.parametrize("tree", ["compiler", "passes", "nhwcc"])
def test_heavy_libraries_are_imported_where_they_are_used(tree: str) -> None:
    for path in files(tree):
        if path.parent.name in ON_DEMAND:
            continue
        for line, name in absolute_imports(path, ast.iter_child_nodes(ast.parse(path.read_text(encoding="utf-8")))):
            assert name.split(".")[0] not in HEAVY, f"{path}:{line} imports {name} with the file"


def test_the_test_can_fail() -> None:
    tree = ast.parse("from ..passes.x import y\nimport torch")
    assert [name for _, name in absolute_imports(Path(), ast.walk(tree))] == ["torch"]

"""The wheel must contain every package and every data file; type checkers must find what Python finds."""

from __future__ import annotations

import tomllib
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
TREES = ("compiler", "formats", "passes", "frontends", "backends")
PROJECT: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
SETUPTOOLS: dict[str, Any] = PROJECT["tool"]["setuptools"]


def packages() -> dict[str, Path]:
    """Every folder that is a package, by its name when installed."""
    found = {"nhwcc": ROOT / "nhwcc"}
    for init in (ROOT / "nhwcc").rglob("__init__.py"):
        found[".".join(init.parent.relative_to(ROOT).parts)] = init.parent
    for tree in TREES:
        for init in (ROOT / tree).rglob("__init__.py"):
            found[".".join(("nhwcc", *init.parent.relative_to(ROOT).parts))] = init.parent
    return found


def test_every_package_is_listed() -> None:
    assert set(SETUPTOOLS["packages"]) == packages().keys()


def test_every_folder_with_code_is_a_package() -> None:
    for tree in ("nhwcc", *TREES):
        for path in (ROOT / tree).rglob("*.py"):
            assert (path.parent / "__init__.py").exists(), path


def test_every_tree_is_mapped() -> None:
    assert SETUPTOOLS["package-dir"] == {"nhwcc": "nhwcc"} | {f"nhwcc.{tree}": tree for tree in TREES}


def test_every_data_file_is_packaged() -> None:
    patterns: dict[str, list[str]] = SETUPTOOLS["package-data"]
    for name, folder in packages().items():
        for path in folder.iterdir():
            if path.is_file() and path.suffix not in (".py", ".pyc"):
                assert any(fnmatch(path.name, p) for p in patterns.get(name, [])), f"{path} is in no wheel"


def test_type_checkers_find_everything() -> None:
    """``typings/nhwcc`` holds a link to every tree, and to every file and folder of the facade."""
    facade = {p.name for p in (ROOT / "nhwcc").iterdir() if p.name != "__pycache__"}
    links = {p.name: p for p in (ROOT / "typings" / "nhwcc").iterdir()}
    assert links.keys() == facade | set(TREES)
    for name, link in links.items():
        assert link.is_symlink() and link.resolve() == (ROOT / (name if name in TREES else f"nhwcc/{name}")).resolve()


def test_the_version_stands_once() -> None:
    import nhwcc

    assert PROJECT["project"]["version"] == nhwcc.__version__

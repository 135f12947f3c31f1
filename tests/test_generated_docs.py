"""Pages that are printed from the code are what the code prints; links between pages lead somewhere."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

DOCS = Path(__file__).parents[1] / "docs"


def test_pages_are_fresh() -> None:
    """In a process of its own: tests register passes and operations that belong on no page."""
    env = os.environ | {"PYTHONPATH": os.pathsep.join([str(DOCS), *sys.path])}
    command = [sys.executable, str(DOCS / "generate.py"), "--check"]
    done = subprocess.run(command, capture_output=True, text=True, env=env, check=False)
    assert done.returncode == 0, f"run `make docs`\n{done.stdout}{done.stderr}"


def _anchor(heading: str) -> str:
    return re.sub(r"[^\w\- ]", "", heading).strip().lower().replace(" ", "-")


@pytest.mark.parametrize("page", sorted([*DOCS.glob("*.md"), *DOCS.parent.glob("*.md")]), ids=lambda p: p.name)
def test_links_lead_somewhere(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    headings = {_anchor(heading) for heading in re.findall(r"^#+ (.*)$", text, re.MULTILINE)}
    for target in re.findall(r"\]\(([^)]+)\)", text):
        place, _, anchor = target.partition("#")
        assert "://" in place or not place or (page.parent / place).exists(), target
        assert place or anchor in headings, target


def test_a_stale_page_is_noticed(tmp_path: Path) -> None:
    """The check above must be able to fail."""
    import shutil

    shutil.copytree(DOCS, tmp_path / "docs")
    (tmp_path / "docs" / "errors.md").write_text("old", encoding="utf-8")
    env = os.environ | {"PYTHONPATH": os.pathsep.join([str(tmp_path / "docs"), *sys.path])}
    command = [sys.executable, str(tmp_path / "docs" / "generate.py"), "--check"]
    done = subprocess.run(command, capture_output=True, text=True, env=env, check=False)
    assert done.returncode == 1 and "-old" in done.stdout

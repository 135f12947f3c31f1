"""Gathers the pages of the site: those of docs/, and what they link to outside of it; its argument is a folder."""

from __future__ import annotations

import re
import shutil
import sys
from pathlib import Path

DOCS = Path(__file__).parent
ROOT = DOCS.parent

BESIDE = {"CONTRIBUTING.md": "contributing.md", "CHANGELOG.md": "changes.md", "benchmarks/results.md": "results.md"}
"""Pages that lie elsewhere in the repository, and what the site calls them."""

LINK = re.compile(r"(?<=\]\()([^)\s#:]+)(?=[#)])")


def gather(folder: Path) -> None:
    """Write all pages into a new folder, with links that hold there; files that they link to are copied."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    pages = {page: page.name for page in DOCS.glob("*.md")} | {ROOT / page: name for page, name in BESIDE.items()}
    for page, name in pages.items():
        text = LINK.sub(lambda link, page=page: _target(page, link[1], pages, folder), page.read_text(encoding="utf-8"))
        (folder / name).write_text(text, encoding="utf-8")


def _target(page: Path, link: str, pages: dict[Path, str], folder: Path) -> str:
    """Return where a link of a page leads in the site, after copying what is no page.

    Raises:
        FileNotFoundError: The link leads nowhere.
    """
    path = (page.parent / link).resolve()
    if path in pages:
        return pages[path]
    copy = folder / path.relative_to(DOCS if path.is_relative_to(DOCS) else ROOT)
    copy.parent.mkdir(parents=True, exist_ok=True)
    shutil.copy(path, copy)
    return str(copy.relative_to(folder))


if __name__ == "__main__":
    gather(Path(sys.argv[1]))

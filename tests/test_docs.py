"""What the docs show is what happens."""

from __future__ import annotations

import re
from pathlib import Path

from nhwcc.compiler.diagnostics import collect_remarks
from nhwcc.compiler.parser import parse_module
from nhwcc.compiler.printer import print_module
from nhwcc.passes.propagate_layout import PropagateLayout

DOCS = Path(__file__).parents[1] / "docs"


def blocks(page: str, language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", (DOCS / page).read_text(), re.MULTILINE | re.DOTALL)


def test_layout_example() -> None:
    before, after = blocks("layout.md", "ir")
    module = parse_module(before)
    PropagateLayout().run(module)
    assert print_module(module) == after


def test_layout_example_pinned() -> None:
    before, _ = blocks("layout.md", "ir")
    (shown,) = blocks("layout.md", "text")
    with collect_remarks() as remarks:
        PropagateLayout(io_layout="keep").run(parse_module(before))
    assert [r.text for r in remarks] == shown.splitlines()

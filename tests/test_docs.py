"""What the docs show is what happens."""

from __future__ import annotations

import re
from pathlib import Path

from nhwcc.compiler.diagnostics import collect_remarks
from nhwcc.compiler.parser import parse_module
from nhwcc.compiler.pipeline import Pipeline, load_file, parse_pipeline
from nhwcc.compiler.printer import print_module
from nhwcc.compiler.rewrite import rewrite
from nhwcc.compiler.rules import parse_rules
from nhwcc.passes.propagate_layout import PropagateLayout

from .conftest import compare

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


def test_a_pass_in_python(tmp_path: Path) -> None:
    (source,) = blocks("writing-passes.md", "python")
    (case,) = blocks("writing-passes.md", "ir")
    path = tmp_path / "my_pass.py"
    path.write_text(source)
    load_file(path)
    before, after = case.split("// becomes\n")
    module, original = parse_module(before), parse_module(before)
    with collect_remarks() as remarks:
        Pipeline(parse_pipeline("merge-clamps,merge-clamps{quiet=true}")).run(module)
    assert print_module(module) == after
    assert [r.text for r in remarks if r.kind == "note"] == ["1 clamps merged"]
    compare(module, original, "merge-clamps")


def test_rules() -> None:
    (source,) = blocks("writing-passes.md", "rules")
    module = parse_module("""func @main(%x: f32[2]) -> (f32[2], f32[2]) {
      %k = const() {value = dense<2.0> : f32[]} : f32[]
      %a = silu(%x) : f32[2]
      %b = mul(%x, %k) : f32[2]
      %c = relu(%b) : f32[2]
      return(%a, %c)
    }""")
    rewrite(module, parse_rules(source))
    assert [op.spec.name for op in module.main.ops] == ["const", "hard_swish", "relu", "mul", "return"]

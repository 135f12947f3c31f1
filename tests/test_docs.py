"""What the docs show is what happens."""

from __future__ import annotations

import json
import re
import shlex
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from click.testing import CliRunner
from nhwcc.compiler.diagnostics import collect_remarks
from nhwcc.compiler.parser import parse_module
from nhwcc.compiler.printer import print_module
from nhwcc.compiler.rewrite import rewrite
from nhwcc.compiler.rules import parse_rules
from nhwcc.passes.propagate_layout import PropagateLayout
from onnx import numpy_helper
from onnx_models import model, node
from site_pages import BESIDE, gather

from nhwcc.cli import cli
from nhwcc.runners.tfjs import MISSING, find_library, find_node

DOCS = Path(__file__).parents[1] / "docs"


def blocks(page: str, language: str) -> list[str]:
    return re.findall(rf"^```{language}(?: title=\S+)?\n(.*?)^```", (DOCS / page).read_text(), re.MULTILINE | re.DOTALL)


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


@pytest.mark.parametrize("page", ["openvino.md", "from-openvino2tensorflow.md"])
def test_openvino(page: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = """<ir_version: 8, opset_import: ["" : 17]>
    g (float[batch,3,8,8] image) => (float[batch,4,8,8] found) {
        y = Conv<pads=[1,1,1,1]>(image, w)
        found = HardSwish(y)
    }"""
    model: Any = onnx.parser.parse_model(text)
    weights = np.random.default_rng(0).standard_normal((4, 3, 3, 3)).astype(np.float32)
    model.graph.initializer.append(numpy_helper.from_array(weights, "w"))
    monkeypatch.chdir(tmp_path)
    Path("model.onnx").write_bytes(model.SerializeToString())
    run_line("nhwcc compile model.onnx -o model.xml")
    for number, rules in enumerate(blocks(page, "rules")):
        Path("rules.rules" if not number else f"rules{number}.rules").write_text(rules)
    for line in (line for block in blocks(page, "sh") for line in block.splitlines()):
        run_line(line)
    for block in blocks(page, "python"):
        exec(compile(block, page, "exec"), {})


def run_line(line: str) -> None:
    program, *words = shlex.split(line)
    assert program == "nhwcc"
    done = CliRunner().invoke(cli, words)
    assert done.exit_code == 0, f"{line}: {done.output}"


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


def test_the_operator_that_is_explained_is_the_one_that_is_run() -> None:
    """tests/nhwcc/test_op_library.py compiles and verifies these files."""
    text = (DOCS / "custom-ops.md").read_text()
    shown = re.findall(r'^```python title="(\S+)"\n(.*?)^```', text, re.MULTILINE | re.DOTALL)
    assert {name for name, _ in shown} == {f"channel_norm{end}.py" for end in ("", "_torch", "_tflite", "_kernel")}
    for name, block in shown:
        assert block in (DOCS.parent / "examples" / name).read_text(), block


@pytest.mark.parametrize("page", ["tensorflow.md", "from-onnx-tensorflow.md", "keras.md", "from-onnx2keras.md"])
def test_to_tensorflow(page: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """All commands, in their order, then what is shown in Python."""
    pytest.importorskip("tensorflow", reason="TensorFlow runs the folders")
    weights = np.random.default_rng(0).normal(size=(4, 3, 3, 3)).astype(np.float32)
    nodes = [node("Conv", "x w", "y", pads=[1, 1, 1, 1]), node("GlobalAveragePool", "y", "scores")]
    proto = model(nodes, {"x": ("batch", 3, 8, 6)}, ["scores"], {"w": weights})
    (tmp_path / "model.onnx").write_bytes(proto.SerializeToString())
    monkeypatch.chdir(tmp_path)
    for line in "".join(blocks(page, "sh")).splitlines():
        program, *words = shlex.split(line)
        assert program == "nhwcc"
        done = CliRunner().invoke(cli, words)
        assert done.exit_code == 0, f"{line}: {done.output}"
    for step in blocks(page, "python"):
        exec(compile(step, page, "exec"), {})


def test_to_tfjs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """All commands, in their order, then what is shown in JavaScript."""
    weights = np.random.default_rng(0).normal(size=(4, 3, 3, 3)).astype(np.float32)
    nodes = [node("Conv", "x w", "y", pads=[1, 1, 1, 1]), node("GlobalAveragePool", "y", "scores")]
    proto = model(nodes, {"x": ("batch", 3, 8, 6)}, ["scores"], {"w": weights})
    (tmp_path / "model.onnx").write_bytes(proto.SerializeToString())
    monkeypatch.chdir(tmp_path)
    for line in "".join(blocks("tfjs.md", "sh")).splitlines():
        run_line(line)
    library, (shown,) = find_library(), blocks("tfjs.md", "js")
    if library is None:
        pytest.skip(MISSING)
    script = f"""
        const fs = require('fs');
        const library = require({json.dumps(str(library))});
        const said = JSON.parse(fs.readFileSync('web_model/model.json'));
        const weights = new Uint8Array(fs.readFileSync('web_model/' + said.weightsManifest[0].paths[0])).buffer;
        const held = {{...said, weightSpecs: said.weightsManifest[0].weights, weightData: weights}};
        const tf = {{...library, loadGraphModel: () => library.loadGraphModel({{load: async () => held}})}};
        (async () => {{ {shown} console.log(JSON.stringify(scores.shape)); }})();"""
    done = subprocess.run([find_node() or "", "-e", script], capture_output=True, text=True, check=True)
    assert json.loads(done.stdout.splitlines()[-1]) == [2, 1, 1, 4], done.stderr


def test_speed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """All commands, in their order; one round of each is enough to see that they run."""
    large = np.random.default_rng(0).normal(size=(4, 1, 7, 7)).astype(np.float32)
    made = model([node("Conv", "x w", "y", group=4, pads=[3, 3, 3, 3])], {"x": (1, 4, 9, 9)}, ["y"], {"w": large})
    monkeypatch.chdir(tmp_path)
    Path("model.onnx").write_bytes(made.SerializeToString())
    for line in (line for block in blocks("speed.md", "sh") for line in block.splitlines()):
        run_line(f"{line} --rounds 1 --seconds 0.01" if line.startswith("nhwcc bench") else line)


def test_the_site_has_every_page() -> None:
    """``make site`` builds it."""
    listed = re.findall(r"([\w.-]+\.md)", (DOCS.parent / "mkdocs.yml").read_text().partition("nav:")[2])
    assert sorted(listed) == sorted([*(page.name for page in DOCS.glob("*.md")), *BESIDE.values()])
    index = (DOCS / "README.md").read_text()
    beside = re.compile("README|support-|.*-conformance|" + "|".join(BESIDE.values()))
    assert not [page for page in listed if f"({page})" not in index and not beside.match(page)]


def test_links_of_the_site_lead_somewhere(tmp_path: Path) -> None:
    gather(tmp_path / "pages")
    for page in (tmp_path / "pages").glob("*.md"):
        for target in re.findall(r"\]\(([^)\s#:]+)[#)]", page.read_text()):
            assert (page.parent / target).exists(), (page.name, target)
            assert not target.startswith(".."), (page.name, target)


@pytest.mark.parametrize("page", sorted(DOCS.glob("*.md")), ids=lambda page: page.name)
def test_the_site_knows_all_fences(page: Path) -> None:
    """What superfences do not understand would be printed as a paragraph."""
    opened = [line for line in page.read_text().splitlines() if line.startswith("```")]
    known = re.compile(r'```(\w+( title="\S+")?)?')
    assert not [line for line in opened if not known.fullmatch(line)]

"""Names that steer terminals: shown escaped everywhere, and drawings that stay well-formed."""

from __future__ import annotations

import json
import unicodedata
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from models import write
from nhwcc.compiler.diagnostics import CompileError, Location, at, error
from nhwcc.compiler.visible import visible
from onnx import TensorProto, helper

from nhwcc.graphs.dot import to_dot
from nhwcc.inspection import inspect

from .conftest import Call

NAME = "a\x1b[2J\x1b]0;t\x07\r\n\u202eb\u2028\x9b1m\x7f\u200bc\x00\ufffe[red]<&\"'"
"""Clears the screen, sets the title, begins lines, turns the direction."""

ALLOWED = {"\n", "\t"}


def only_seen(text: str) -> bool:
    return all(c in ALLOWED or unicodedata.category(c)[0] not in "CZ" or c == " " for c in text)


@pytest.fixture
def model(tmp_path: Path) -> Path:
    """All that has a name has a bad one."""
    add = helper.make_node("Add", [f"x{NAME}", f"x{NAME}"], [f"h{NAME}"], f"add{NAME}")
    bad = helper.make_node("Transpose", [f"h{NAME}"], [f"y{NAME}"], f"transpose{NAME}", perm=[0, 2, 1])
    x = helper.make_tensor_value_info(f"x{NAME}", TensorProto.FLOAT, [1, 2, 3])
    y = helper.make_tensor_value_info(f"y{NAME}", TensorProto.FLOAT, [1, 3, 2])
    path = tmp_path / "m\x1b[2J\u202e.onnx"
    path.write_bytes(helper.make_model(helper.make_graph([add, bad], NAME, [x], [y])).SerializeToString())
    return path


@pytest.mark.parametrize("flags", [[], ["--explain", "--time-passes", "--print-ir-after-all"], ["--no-verify"]])
def test_compiling(call: Call, model: Path, tmp_path: Path, flags: list[str]) -> None:
    result = call("compile", model, "-o", tmp_path / "o\x1b[2J.tflite", *flags)
    assert result.exit_code == 0, result.output
    assert only_seen(result.output) and r"x" + visible(NAME) in result.output


def test_other_commands(call: Call, model: Path, tmp_path: Path) -> None:
    output = tmp_path / "o.tflite"
    assert call("compile", model, "-o", output).exit_code == 0
    for arguments in (
        ["inspect", model, "--ops"],
        ["inspect", output, "--ops"],
        ["opt", model],
        ["verify", model, output],
    ):
        result = call(*arguments)
        assert result.exit_code == 0, result.output
        assert only_seen(result.output), arguments
    assert json.loads(call("inspect", model, "--json").stdout)["report"]["inputs"][0]["name"] == f"x{NAME}"


def test_errors(call: Call, model: Path, tmp_path: Path) -> None:
    broken = write(
        tmp_path / "b\x1b[2J\n.ir", f'func @main(%x: f32[1]) -> (f32[1]) {{\n return(%"\x1b[2J{chr(0x202E)}")\n}}\n'
    )
    for arguments in (
        ["compile", broken, "-o", tmp_path / "o.tflite"],
        ["compile", tmp_path / f"none\x1b[2J{chr(0x202E)}.onnx", "-o", tmp_path / "o.tflite"],
        ["compile", model, "-o", tmp_path / "no\x1b[2J" / "o.tflite"],
        ["compile", model, "-o", tmp_path / "o.tflite", "--io-layout", f"\x1b[2J{chr(0x202E)}=nhwc"],
        ["compile", model, "-o", tmp_path / "o.tflite", "--passes", f"\x1b[2J{chr(0x202E)}"],
        ["compile", model, f"--\x1b[2J{chr(0x202E)}"],
        [f"compil\x1b[2J{chr(0x202E)}"],
    ):
        result = call(*arguments)
        assert result.exit_code in (1, 2) and only_seen(result.output), result.output


def test_exceptions() -> None:
    """As a program sees them."""
    with at(Location(f"n{NAME}", f"f{NAME}", (NAME,))):
        text = str(CompileError(error("R010", f"can't\n{NAME}", excerpt=f"a\n{NAME}", help=NAME).diagnostics[0]))
    assert only_seen(text)
    assert text.count("\n") == 5, "one for each line of the excerpt, the place and the help"


def test_drawings(model: Path, tmp_path: Path, call: Call) -> None:
    assert call("inspect", model, "--draw", tmp_path / "g.svg").exit_code == 0
    drawing = ET.parse(tmp_path / "g.svg")
    assert only_seen("".join(drawing.getroot().itertext()))
    assert only_seen(to_dot(inspect(model).graph))
    result = call(
        "compile", model, "-o", tmp_path / "o.tflite", "--dump-graph", tmp_path / "d", "--dump-ir", tmp_path / "d"
    )
    assert result.exit_code == 0, result.output
    for path in (tmp_path / "d").iterdir():
        text = path.read_text(encoding="utf-8")
        if path.suffix == ".svg":
            ET.fromstring(text)
        assert only_seen(text.replace("\r", "?")), path
        if path.suffix == ".ir":
            assert call("opt", path).exit_code == 0


def test_what_people_write_is_left_alone() -> None:
    for text in ("conv1/weight:0", "größe", "模型", "a b", "模型.層[0]", "→ ✓"):
        assert visible(text) == text

"""Flags about inputs, outputs and operators that nobody knows, from the command line to the report."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from models import SMALL, onnx_model, write, write_onnx
from nhwcc.compiler.opdef import OPS

from .conftest import Call, as_json

CUSTOM = """func @main(%x: f32[1,4]) -> (f32[1,4]) {
  %y = custom(%x) {code = "com.acme.Spread", types = ["f32[1,4]"], options = {alpha = 0.5}} : f32[1,4]
  return(%y)
}
"""
LIBRARY = """from nhwcc.compiler.ir import Op, Value
from nhwcc.compiler.opdef import Elementwise, op

@op("test_cube", Elementwise)
class Cube(Op):
    x: Value

    def evaluate(x):
        return x * x * x
"""
CUBE = """func @main(%x: f32[4]) -> (f32[4]) {
  %y = test_cube(%x) : f32[4]
  return(%y)
}
"""


@pytest.fixture
def library(tmp_path: Path) -> Iterator[Path]:
    yield write(tmp_path / "cube.py", LIBRARY)
    OPS.pop("test_cube", None)


def test_names_and_sizes(call: Call, tmp_path: Path) -> None:
    model = write_onnx(tmp_path / "m.onnx", onnx_model(batch="batch"))
    args = ("--shape", "batch=2", "--rename", "image=x", "--output-names", "a,b", "--json")
    report = as_json(call("compile", model, "-o", tmp_path / "m.tflite", *args))["report"]
    assert [p["name"] for p in (*report["inputs"], *report["outputs"])] == ["x", "a", "b"]
    assert report["inputs"][0]["type"] == "f32[2,8,6,3]" and report["verification"] is not None


def test_a_rename_without_a_name(call: Call, tmp_path: Path) -> None:
    for text in ("image", "=x", "image="):
        result = call("compile", "m.onnx", "-o", tmp_path / "m.tflite", "--rename", text)
        assert result.exit_code == 2 and "write OLD=NEW" in result.stderr


def test_unused_inputs(call: Call, tmp_path: Path) -> None:
    model = write(tmp_path / "m.ir", SMALL.replace("%x: f32[1,3,4,2]", "%x: f32[1,3,4,2], %z: i32[2]"))
    for flags, names in (((), ["x", "z"]), (("--drop-unused-inputs",), ["x"])):
        report = as_json(call("compile", model, "-o", tmp_path / "m.tflite", "--json", *flags))["report"]
        assert [p["name"] for p in report["inputs"]] == names


def test_what_is_not_verified_is_said(call: Call, tmp_path: Path) -> None:
    """The file is there, the exit code is 0, and both forms of the report say what is missing."""
    model, output = write(tmp_path / "m.ir", CUSTOM), tmp_path / "m.tflite"
    result = call("compile", model, "-o", output)
    assert result.exit_code == 0 and output.exists(), result.output
    lines = {line.split()[0]: line for line in result.stdout.splitlines()[1:]}
    assert "com.acme.Spread: the application brings the kernels" in lines["custom"]
    assert "no: the TFLite runtime has no kernel for the custom operator com.acme.Spread" in lines["verified"]
    report = as_json(call("compile", model, "-o", output, "--json"))["report"]
    assert report["verification"] is None and report["custom_ops"] == ["com.acme.Spread"] and report["not_verified"]
    listed = as_json(call("inspect", output, "--ops", "--json"))["report"]["ops"]
    assert listed == ["y = com.acme.Spread(float32[1,4]) {alpha = 0.5} : float32[1,4]"]
    refused = call("verify", model, output)
    assert refused.exit_code == 1 and "error[R" in refused.stderr and "com.acme.Spread" in refused.stderr


def test_a_library_for_every_command(call: Call, tmp_path: Path, library: Path) -> None:
    model = write(tmp_path / "m.ir", CUBE)
    assert "error[P004]" in call("inspect", model).stderr
    for command in ("inspect", "opt"):
        result = call(command, model, "--op-library", library)
        assert result.exit_code == 0 and "test_cube" in result.stdout, result.output
    assert call("verify", model, model, "--op-library", library).exit_code == 0
    refused = call("compile", model, "-o", tmp_path / "m.tflite", "--load", library)
    assert refused.exit_code == 1 and "TFLite can't run test_cube" in refused.stderr

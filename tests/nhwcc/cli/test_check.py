"""nhwcc check: where the operations of a model run on a device."""

from __future__ import annotations

from pathlib import Path

import pytest
from models import write

from .conftest import Call, as_json

NET = """
func @main(%x: f32[1,4,4,4] {name = "x"}) -> (f32[1,4,4,4] {name = "y"}, f32[1,4,4,2] {name = "best"}) {
  %y = exp(%x) : f32[1,4,4,4]
  %best, %at = top_k(%y) {k = 2, axis = 3, dtype = "i32"} : f32[1,4,4,2], i32[1,4,4,2]
  return(%y, %best)
}
"""


@pytest.fixture
def net(tmp_path: Path) -> Path:
    """A network of which neither device runs all."""
    return write(tmp_path / "net.ir", NET)


@pytest.mark.parametrize(
    ("target", "words"),
    [
        ("tflite-gpu", ("run on the GPU", "on the CPU", "TOPK_V2 topk_v2", "a tensor of rank 5")),
        ("tflite-micro", ("run on TFLite Micro", "nowhere", "TFLite Micro has no TOPK_V2")),
    ],
)
def test_text(call: Call, net: Path, target: str, words: tuple[str, ...]) -> None:
    result = call("check", net, "--target", target)
    assert result.exit_code == 0, result.output
    assert all(word in result.stdout for word in words), result.stdout


def test_every_operator(call: Call, net: Path) -> None:
    assert "EXP y" in call("check", net, "--target", "tflite-gpu", "--ops").stdout


def test_json(call: Call, net: Path) -> None:
    report = as_json(call("check", net, "--target", "tflite-gpu", "--json"))["report"]
    assert report["totals"]["on_device"] == report["totals"]["operators"] - 3
    left = {op["kernel"]: op for op in report["operators"] if op["where"] != "device"}
    assert set(left) == {"RESHAPE", "TOPK_V2"} and "rank 5" in left["TOPK_V2"]["why"]


def test_requirements(call: Call, net: Path) -> None:
    assert call("check", net, "--target", "tflite-gpu", "--require", "20%").exit_code == 0
    failed = call("check", net, "--target", "tflite-gpu", "--require", "100%")
    assert failed.exit_code == 1 and "error[B006]" in failed.stderr and "TOPK_V2" in failed.stderr
    again = as_json(call("check", net, "--target", "tflite-gpu", "--require", "100%", "--json"))
    assert not again["ok"] and again["diagnostics"][0]["code"] == "B006"


def test_a_file_is_taken_as_it_is(call: Call, net: Path, tmp_path: Path) -> None:
    made = tmp_path / "net.tflite"
    assert call("compile", net, "-o", made, "--target", "tflite-gpu", "--quiet").exit_code == 0
    before = made.read_bytes()
    assert "TOPK_V2 topk_v2" in call("check", made, "--target", "tflite-gpu").stdout
    assert made.read_bytes() == before


def test_the_report_of_a_compilation_says_it(call: Call, net: Path, tmp_path: Path) -> None:
    said = call("compile", net, "-o", tmp_path / "net.tflite", "--target", "tflite-gpu").stdout
    assert "placed" in said and "TOPK_V2 topk_v2" in said and "an arena of" in said
    report = as_json(call("compile", net, "-o", tmp_path / "net.tflite", "--json"))["report"]
    assert report["arena"] > 0 and report["placement"] is None


def test_devices_of_integers_demand_quantization(call: Call, net: Path, tmp_path: Path) -> None:
    failed = call("compile", net, "-o", tmp_path / "net.tflite", "--target", "ethos-u55")
    assert failed.exit_code == 1 and "error[B007]" in failed.stderr and "--quantize int8" in failed.stderr
    stored = call("check", net, "--target", "edgetpu", "--quantize", "float16")
    assert stored.exit_code == 1 and "has no kernels for float16" in stored.stderr

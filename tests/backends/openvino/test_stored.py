"""Constants as they are stored: integers that stand for numbers, and numbers in 16 bits."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from nhwcc.backends.registry import find_target
from nhwcc.compiler.interpreter import random_inputs, run
from nhwcc.compiler.parser import parse_module
from nhwcc.formats.openvino.reader import read_contents

from nhwcc.runners.openvino_file import OpenvinoFile

from .conftest import Check

ROUNDED = """
func @main(%x: f32[2,3]) -> (f32[2,3]) {
  %s = const() {value = dense<SCALE> : f32[SHAPE]} : f32[SHAPE]
  %z = const() {value = dense<ZERO> : i32[]} : i32[]
  %q = quantize(%x, %s, %z) {dtype = "TYPE"} : TYPE[2,3]
  %y = dequantize(%q, %s, %z) : f32[2,3]
  return(%y)
}
"""


@pytest.mark.parametrize(("dtype", "zero"), [("i8", "0"), ("u8", "128"), ("i8", "-4"), ("u4", "8")])
@pytest.mark.parametrize(("scale", "shape"), [("0.01", ""), ("[0.01, 0.02, 0.005]", "3")])
def test_numbers_rounded_by_one_scale(check: Check, dtype: str, zero: str, scale: str, shape: str) -> None:
    text = ROUNDED
    for word, part in {"SCALE": scale, "SHAPE": shape, "ZERO": zero, "TYPE": dtype}.items():
        text = text.replace(word, part)
    done = check(text, tolerance=1e-3)
    assert dict(done.operators) == {"FakeQuantize": 1}
    assert done.reread is not None
    assert {"quantize", "dequantize"} <= {op.spec.name for op in done.reread.walk()}, "it is read as integers again"


def test_integers_that_something_else_reads_are_computed(check: Check) -> None:
    done = check(
        """
func @main(%x: f32[2,3]) -> (f32[2,3], i8[2,3]) {
  %s = const() {value = dense<0.01> : f32[]} : f32[]
  %z = const() {value = dense<3> : i32[]} : i32[]
  %q = quantize(%x, %s, %z) {dtype = "i8"} : i8[2,3]
  %y = dequantize(%q, %s, %z) : f32[2,3]
  return(%y, %q)
}
"""
    )
    assert "FakeQuantize" not in done.operators


WEIGHTS = """
func @main(%x: f32[2,3]) -> (f32[2,4]) {
  %i = const() {value = dense<[[1, 2, 3], [-4, 5, 6], [7, -8, 0], [1, 1, 2]]> : TYPE[4,3]} : TYPE[4,3]
  %s = const() {value = dense<[[0.5], [0.25], [0.1], [1.0]]> : f32[4,1]} : f32[4,1]
  %z = const() {value = dense<ZERO> : i32[]} : i32[]
  %w = dequantize(%i, %s, %z) : f32[4,3]
  %y = linear(%x, %w, none) : f32[2,4]
  return(%y)
}
"""


@pytest.mark.parametrize(("dtype", "zero"), [("i8", "0"), ("i8", "1"), ("i4", "0")])
def test_weights_of_few_bits_stay_so(check: Check, dtype: str, zero: str) -> None:
    done = check(WEIGHTS.replace("TYPE", dtype).replace("ZERO", zero))
    stored = {layer.data["element_type"] for layer in done.network.of_type("Const")}
    assert dtype in stored
    assert done.operators["Convert"] == (1 if zero == "0" else 2)


TEXT = """
func @main(%x: f32[2,32]) -> (f32[2,32]) {
  %w = const() {value = dense<ROWS> : f32[32,32]} : f32[32,32]
  %b = const() {value = dense<0.1> : f32[]} : f32[]
  %y = linear(%x, %w, none) : f32[2,32]
  %z = add(%y, %b) : f32[2,32]
  return(%z)
}
"""


@pytest.mark.parametrize(("largest", "scale"), [(1.0, 1.0), (1e6, 1.0), (1e-7, 1e-7)])
def test_numbers_in_16_bits(tmp_path: Path, largest: float, scale: float) -> None:
    rows = np.random.default_rng(0).standard_normal((32, 32)) * scale
    rows[0, 0] = largest
    module = parse_module(TEXT.replace("ROWS", str(rows.tolist())))
    module.main.outputs[0].name = "z"
    arrays = random_inputs(module.main)
    (want,) = run(module.main, arrays)
    target = find_target("openvino")
    assert target.storing is not None
    sizes: list[int] = []
    for data_type in ("FP32", "FP16"):
        emitted = target.storing(data_type).emit(module, tmp_path / f"{data_type}.xml")
        sizes.append(emitted.bytes)
        found = OpenvinoFile(emitted.path).run({"x": arrays[0]})["z"]
        slack = 1e-5 if data_type == "FP32" else 2e-3
        assert np.abs(found - want).max() <= slack * np.abs(want).max()
    network = read_contents(tmp_path / "FP16.xml").network
    halves = [layer for layer in network.of_type("Const") if layer.data["element_type"] == "f16"]
    marked = [layer for layer in network.of_type("Convert") if layer.data["destination_type"] == "f32"]
    fits = largest == 1
    assert len(halves) == len(marked) == fits, "what has no room in 16 bits stays as it is; so do single numbers"
    assert (tmp_path / "FP16.bin").stat().st_size < (tmp_path / "FP32.bin").stat().st_size or not fits

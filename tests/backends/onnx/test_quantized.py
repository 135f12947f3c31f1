"""Integers that stand for real numbers: scales and zero points as they are."""

from __future__ import annotations

import pytest
from onnx import TensorProto, numpy_helper

from .conftest import Check, Checked

NUMBERS = {"QuantizeLinear", "DequantizeLinear"}


def pair(scale: str, zero: str, dtype: str = "i8") -> str:
    return f"""
func @main(%x: f32[2,3,4]) -> (f32[2,3,4]) {{
  %s = const() {{value = dense<{scale}}} : {scale.rsplit(" ", 1)[1]}
  %z = const() {{value = dense<{zero}}} : {zero.rsplit(" ", 1)[1]}
  %q = quantize(%x, %s, %z) {{dtype = "{dtype}"}} : {dtype}[2,3,4]
  %y = dequantize(%q, %s, %z) : f32[2,3,4]
  return(%y)
}}
"""


def stored(done: Checked, operator: str, slot: int) -> TensorProto:
    (node,) = [n for n in done.model.graph.node if n.op_type == operator]
    return next(t for t in done.model.graph.initializer if t.name == node.input[slot])


@pytest.mark.parametrize(
    ("dtype", "opset"), [("i8", 11), ("u8", 11), ("i16", 21), ("u16", 21), ("i4", 21), ("u4", 21), ("i2", 25)]
)
def test_one_scale(check: Check, dtype: str, opset: int) -> None:
    zero = "1> : i32[]"
    done = check(pair("0.05> : f32[]", zero, dtype))
    assert set(done.operators) == NUMBERS
    assert done.opset == opset
    assert numpy_helper.to_array(stored(done, "QuantizeLinear", 2)).astype(int) == 1
    assert stored(done, "QuantizeLinear", 1).dims == []


def test_a_scale_for_every_channel(check: Check) -> None:
    done = check(pair("[[0.1], [0.2], [0.3]]> : f32[3,1]", "[[1], [2], [3]]> : i32[3,1]"))
    assert set(done.operators) == NUMBERS
    assert done.opset == 13
    assert [a.i for n in done.model.graph.node for a in n.attribute if a.name == "axis"] == [1, 1]
    assert list(stored(done, "DequantizeLinear", 2).dims) == [3]


def test_scales_along_several_axes_are_arithmetic(check: Check) -> None:
    scale = "[[0.1, 0.2, 0.3, 0.4], [0.2, 0.3, 0.4, 0.5], [0.5, 0.6, 0.7, 0.8]]> : f32[3,4]"
    assert not NUMBERS & set(check(pair(scale, "1> : i32[]")).operators)


def test_computed_scales(check: Check) -> None:
    done = check(
        """
func @main(%x: f32[2,3], %s: f32[], %z: i8[]) -> (i8[2,3]) {
  %y = quantize(%x, %s, %z) {dtype = "i8"} : i8[2,3]
  return(%y)
}
""",
        inputs={"s": 0.1},
    )
    assert dict(done.operators) == {"QuantizeLinear": 1}


def test_sums_have_no_zero_point(check: Check) -> None:
    done = check(
        """
func @main(%x: i32[2,3]) -> (f32[2,3]) {
  %s = const() {value = dense<0.5> : f32[]} : f32[]
  %z = const() {value = dense<0> : i32[]} : i32[]
  %y = dequantize(%x, %s, %z) : f32[2,3]
  return(%y)
}
"""
    )
    assert dict(done.operators) == {"DequantizeLinear": 1}

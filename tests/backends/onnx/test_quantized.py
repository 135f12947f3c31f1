"""Integers that stand for real numbers: scales and zero points as they are."""

from __future__ import annotations

import pytest
from nhwcc.backends.registry import find_target
from onnx import TensorProto, numpy_helper

from tests.support.stored_weights import stored_weights

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


INTEGERS = """
func @main(%x: f32[2,3,5,4], %w: i8[6,3,2,2]) -> (i32[2,6,4,4], f32[]) {
  %z = const() {value = dense<ZERO> : i8[]} : i8[]
  %q, %s, %p = dynamic_quantize(%x) : u8[2,3,5,4], f32[], u8[]
  %y = conv_integer(%q, %w, %p, %z) {strides = [1, 1], dilations = [1, 1], pads = [[0, 0], [0, 1]]} : i32[2,6,4,4]
  return(%y, %s)
}
"""


@pytest.mark.parametrize(("zero", "inputs"), [("0", 3), ("-3", 4)])
def test_what_is_quantized_while_it_runs(check: Check, zero: str, inputs: int) -> None:
    """Zero points that are 0 at the end are left out."""
    done = check(INTEGERS.replace("ZERO", zero), passes=find_target("onnx").pipeline)
    assert dict(done.operators) == {"DynamicQuantizeLinear": 1, "ConvInteger": 1}
    assert [len(n.input) for n in done.model.graph.node] == [1, inputs]


@pytest.mark.parametrize(
    ("b", "zero", "operator"),
    [("5,4", "", "MatMulInteger"), ("5,4", "4", "MatMulInteger"), ("2,5,4", "4", "MatMul")],
)
def test_products_of_integers(check: Check, b: str, zero: str, operator: str) -> None:
    """onnxruntime takes zero points of columns beside one matrix only."""
    text = f"""
func @main(%a: u8[2,3,5], %b: i8[{b}], %az: u8[], %bz: i8[{zero}]) -> (i32[2,3,4]) {{
  %y = matmul_integer(%a, %b, %az, %bz) : i32[2,3,4]
  return(%y)
}}
"""
    assert operator in check(text).operators


LSTM = """
func @main(%x: f32[t,1,5]) -> (f32[t,1,8], f32[1,4]) {{
{weights}
  %q, %f, %p = dynamic_quantize(%x) : u8[t,1,5], f32[], u8[]
  %d = dequantize({moved}, %f, %p) : f32[t,1,5]
  %y, %h, %c = lstm(%d, %w, %r) {{rounds_state = true}} : f32[t,1,4], f32[1,4], f32[1,4]
  %v, %k, %l = lstm(%d, %w, %r) {{rounds_state = true, reverse = true}} : f32[t,1,4], f32[1,4], f32[1,4]
  %both = concat(%y, %v) {{axis = 2}} : f32[t,1,8]
  return(%both, %h)
}}
"""


@pytest.mark.parametrize(("dtype", "zero"), [("i8", 0), ("u8", 130)])
def test_layers_that_round_are_onnxruntimes_own(check: Check, dtype: str, zero: int) -> None:
    """Nothing else means that; both directions are one node, weights stay integers."""
    weights = stored_weights({"w": (16, 5), "r": (16, 4)}, dtype, zero)
    done = check(LSTM.format(weights=weights, moved="%q"), sizes=[{"t": 3}])
    assert done.operators["DynamicQuantizeLSTM"] == 1
    assert not {"LSTM", "Loop", "DynamicQuantizeLinear", "DequantizeLinear"} & set(done.operators)


def test_what_moves_integers_moves_numbers(check: Check) -> None:
    weights = stored_weights({"w": (16, 5), "r": (16, 4)})
    text = LSTM.format(weights=weights, moved="%m")
    text = text.replace("%x: f32[t,1,5]", "%x: f32[5,t,1]").replace("u8[t,1,5]", "u8[5,t,1]")
    text = text.replace("  %d =", "  %m = transpose(%q) {perm = [1, 2, 0]} : u8[t,1,5]\n  %d =")
    done = check(text, sizes=[{"t": 3}])
    assert done.operators["DynamicQuantizeLSTM"] == 1 and "DynamicQuantizeLinear" not in done.operators

"""A file has as few nodes as there can be: rewrites of what the standard has, too."""

from __future__ import annotations

import pytest
from nhwcc.backends.registry import find_target

from tests.support.written import constant_text

from .conftest import Check

CASES = {
    "softmax between reshapes": (
        """
func @main(%x: f32[n,5,1,1]) -> (f32[n,5,1,1]) {
  %a = reshape(%x) {shape = ['n', 5]} : f32[n,5]
  %b = softmax(%a) {axis = 1} : f32[n,5]
  %y = reshape(%b) {shape = ['n', 5, 1, 1]} : f32[n,5,1,1]
  return(%y)
}
""",
        {"Softmax": 1},
    ),
    "softmax of several axes together": (
        """
func @main(%x: f32[n,5,2,3]) -> (f32[n,5,2,3]) {
  %a = reshape(%x) {shape = ['n', 30]} : f32[n,30]
  %b = softmax(%a) {axis = 1} : f32[n,30]
  %y = reshape(%b) {shape = ['n', 5, 2, 3]} : f32[n,5,2,3]
  return(%y)
}
""",
        {"Softmax": 1, "Reshape": 2},
    ),
    "a shape that constants can have": (
        """
func @main(%x: i32[2,3,4,4], %s: f32[]) -> (i32[2,3,4,4]) {
  %b = const() {value = dense<[1.5, -2.0, 3.0]> : f32[3]} : f32[3]
  %q = div(%b, %s) : f32[3]
  %f = floor(%q) : f32[3]
  %i = cast(%f) {to = "i32"} : i32[3]
  %r = reshape(%i) {shape = [1, 3, 1, 1]} : i32[1,3,1,1]
  %y = add(%x, %r) : i32[2,3,4,4]
  return(%y)
}
""",
        {"Div": 1, "Floor": 1, "Cast": 1, "Add": 1},
    ),
    "a shape of what an input tells": (
        """
func @main(%x: f32[3]) -> (f32[3,1]) {
  %f = floor(%x) : f32[3]
  %y = reshape(%f) {shape = [3, 1]} : f32[3,1]
  return(%y)
}
""",
        {"Floor": 1, "Reshape": 1},
    ),
    "the largest between transposes": (
        """
func @main(%x: f32[2,5,3]) -> (f32[2,2,3], i64[2,2,3]) {
  %a = transpose(%x) {perm = [0, 2, 1]} : f32[2,3,5]
  %b, %c = top_k(%a) {k = 2, axis = 2} : f32[2,3,2], i64[2,3,2]
  %y = transpose(%b) {perm = [0, 2, 1]} : f32[2,2,3]
  %z = transpose(%c) {perm = [0, 2, 1]} : i64[2,2,3]
  return(%y, %z)
}
""",
        {"TopK": 1},
    ),
    "a factor and a term for each channel": (
        """
func @main(%x: f32[2,3,4,4]) -> (f32[2,3,4,4]) {
  %s = const() {value = dense<[[[2.0]], [[3.0]], [[4.0]]]> : f32[3,1,1]} : f32[3,1,1]
  %b = const() {value = dense<[[[1.0]], [[0.0]], [[-1.0]]]> : f32[3,1,1]} : f32[3,1,1]
  %a = mul(%x, %s) : f32[2,3,4,4]
  %y = add(%b, %a) : f32[2,3,4,4]
  return(%y)
}
""",
        {"BatchNormalization": 1},
    ),
    "a factor for each channel and a term for each column": (
        """
func @main(%x: f32[2,4,4,4]) -> (f32[2,4,4,4]) {
  %s = const() {value = dense<[[[2.0]], [[3.0]], [[4.0]], [[5.0]]]> : f32[4,1,1]} : f32[4,1,1]
  %b = const() {value = dense<[1.0, 0.0, 2.0, -1.0]> : f32[4]} : f32[4]
  %a = mul(%x, %s) : f32[2,4,4,4]
  %y = add(%a, %b) : f32[2,4,4,4]
  return(%y)
}
""",
        {"Mul": 1, "Add": 1},
    ),
    "parts joined along an axis of their own": (
        """
func @main(%x: f32[t,2,3], %y: f32[t,2,3]) -> (f32[t,2,6]) {
  %a = reshape(%x) {shape = ['t', 2, 1, 3]} : f32[t,2,1,3]
  %b = reshape(%y) {shape = ['t', 2, 1, 3]} : f32[t,2,1,3]
  %c = concat(%a, %b) {axis = 2} : f32[t,2,2,3]
  %z = reshape(%c) {shape = ['t', 2, 6]} : f32[t,2,6]
  return(%z)
}
""",
        {"Concat": 1},
    ),
    "parts joined and cut at the same places": (
        """
func @main(%x: f32[2,3], %y: f32[1,3]) -> (f32[2,3], f32[1,3]) {
  %a = neg(%x) : f32[2,3]
  %b = neg(%y) : f32[1,3]
  %c = concat(%a, %b) {axis = 0} : f32[3,3]
  %p, %q = split(%c) {axis = 0, sizes = [2, 1]} : f32[2,3], f32[1,3]
  return(%p, %q)
}
""",
        {"Neg": 2},
    ),
    "parts that are transposed alike": (
        """
func @main(%x: f32[2,3,4], %y: f32[2,5,4]) -> (f32[8,2,4]) {
  %a = transpose(%x) {perm = [1, 0, 2]} : f32[3,2,4]
  %b = transpose(%y) {perm = [1, 0, 2]} : f32[5,2,4]
  %z = concat(%a, %b) {axis = 0} : f32[8,2,4]
  return(%z)
}
""",
        {"Concat": 1, "Transpose": 1},
    ),
    "parts that are cut again": (
        """
func @main(%x: f32[n,6,8]) -> (f32[n,4,4], f32[n,2,3]) {
  %a, %b = split(%x) {axis = 1, sizes = [4, 2]} : f32[n,4,8], f32[n,2,8]
  %c = slice(%a) {starts = [0, 0, 1], sizes = ['n', 4, 4], steps = [1, 1, 2]} : f32[n,4,4]
  %d = slice(%b) {starts = [0, 0, 5], sizes = ['n', 2, 3], steps = [1, 1, 1]} : f32[n,2,3]
  return(%c, %d)
}
""",
        {"Slice": 2},
    ),
    "a part that is read whole, too": (
        """
func @main(%x: f32[n,6,8]) -> (f32[n,4,4], f32[n,2,8]) {
  %a, %b = split(%x) {axis = 1, sizes = [4, 2]} : f32[n,4,8], f32[n,2,8]
  %c = slice(%a) {starts = [0, 0, 1], sizes = ['n', 4, 4], steps = [1, 1, 2]} : f32[n,4,4]
  return(%c, %b)
}
""",
        {"Split": 1, "Slice": 1},
    ),
    "one position of an axis": (
        """
func @main(%x: f32[n,6,8], %y: f32[n,3]) -> (f32[n,8], f32[3]) {
  %a = slice(%x) {starts = [0, 2, 0], sizes = ['n', 1, 8], steps = [1, 1, 1]} : f32[n,1,8]
  %b = reshape(%a) {shape = ['n', 8]} : f32[n,8]
  %c = slice(%y) {starts = ['n-1', 0], sizes = [1, 3], steps = [1, 1]} : f32[1,3]
  %d = reshape(%c) {shape = [3]} : f32[3]
  return(%b, %d)
}
""",
        {"Gather": 2},
    ),
    "equal parts of an open size": (
        """
func @main(%x: f32[2*n,3]) -> (f32[n,3], f32[n,3]) {
  %a, %b = split(%x) {axis = 0, sizes = ['n', 'n']} : f32[n,3], f32[n,3]
  return(%a, %b)
}
""",
        {"Split": 1},
    ),
    "a mirror of open size": (
        """
func @main(%x: f32[n,3]) -> (f32[n+1,3]) {
  %y = pad(%x) {low = [0, 0], high = [1, 0], mode = "reflect"} : f32[n+1,3]
  return(%y)
}
""",
        {"Pad": 1},
    ),
    "products with what is inverted": (
        """
func @main(%x: f32[2,3], %y: f32[2,3]) -> (f32[2,3]) {
  %p = exp(%y) : f32[2,3]
  %a = rsqrt(%p) : f32[2,3]
  %b = mul(%a, %x) : f32[2,3]
  %c = reciprocal(%p) : f32[2,3]
  %z = mul(%b, %c) : f32[2,3]
  return(%z)
}
""",
        {"Exp": 1, "Sqrt": 1, "Div": 2},
    ),
    "channels before the positions, normalized": (
        """
func @main(%x: f32[2,3,4,5]) -> (f32[2,3,4,5]) {
  %s = const() {value = dense<[[[1.5]], [[2.0]], [[0.5]]]> : f32[3,1,1]} : f32[3,1,1]
  %b = const() {value = dense<[[[0.1]], [[0.2]], [[0.3]]]> : f32[3,1,1]} : f32[3,1,1]
  %y = layer_norm(%x, %s, %b) {dims = [1]} : f32[2,3,4,5]
  return(%y)
}
""",
        {"Transpose": 2, "LayerNormalization": 1},
    ),
    "a part of which only axes of size one move": (
        """
func @main(%x: f32[1,4,3,5], %y: f32[1,1,3,5]) -> (f32[1,3,5,5]) {
  %a = transpose(%x) {perm = [0, 2, 3, 1]} : f32[1,3,5,4]
  %b = reshape(%y) {shape = [1, 3, 5, 1]} : f32[1,3,5,1]
  %z = concat(%a, %b) {axis = 3} : f32[1,3,5,5]
  return(%z)
}
""",
        {"Concat": 1, "Transpose": 1},
    ),
    "layers over several axes whose results are reshaped": (
        """
func @main(%x: f32[1,3,1]) -> (f32[1,3,2,2], f32[3,2]) {
  %w = const() {value = dense<[[0.1], [0.5], [0.9], [0.3]]> : f32[4,1]} : f32[4,1]
  %v = const() {value = dense<[[0.2], [0.4]]> : f32[2,1]} : f32[2,1]
  %b = const() {value = dense<[0.1, 0.2, 0.3, 0.4]> : f32[4]} : f32[4]
  %c = const() {value = dense<[0.5, 0.6]> : f32[2]} : f32[2]
  %p = linear(%x, %w, %b) : f32[1,3,4]
  %q = reshape(%p) {shape = [1, 3, 2, 2]} : f32[1,3,2,2]
  %r = linear(%x, %v, %c) : f32[1,3,2]
  %s = reshape(%r) {shape = [3, 2]} : f32[3,2]
  return(%q, %s)
}
""",
        {"Reshape": 2, "Gemm": 2},
    ),
    "shapes that are changed after a layer": (
        """
func @main(%x: f32[t,1,2]) -> (f32[1,t,1]) {
  %w = const() {value = dense<[[0.1, 0.2], [0.3, 0.4], [0.5, 0.6]]> : f32[3,2]} : f32[3,2]
  %r = const() {value = dense<[[0.1], [0.2], [0.3]]> : f32[3,1]} : f32[3,1]
  %y, %h = gru(%x, %w, %r, none, none, none, none) : f32[t,1,1], f32[1,1]
  %z = reshape(%y) {shape = [1, 't', 1]} : f32[1,t,1]
  return(%z)
}
""",
        {"GRU": 1, "Reshape": 1},
    ),
}
"""Before, and the operators after."""


@pytest.mark.parametrize("case", CASES)
def test_fewer_nodes(check: Check, case: str) -> None:
    text, operators = CASES[case]
    sizes: list[dict[str, int]] = [{"t": 3, "n": 2}] if "[t," in text or "n," in text else [{}]
    assert dict(check(text, sizes=sizes).operators) == operators


@pytest.mark.parametrize("kind", ["local_response_norm(%x) {size = 3}", "relu(%x)"])
def test_channels_first_need_no_transposes(check: Check, kind: str) -> None:
    text = f"func @main(%x: f32[1,4,5,6]) -> (f32[1,4,5,6]) {{\n  %y = {kind} : f32[1,4,5,6]\n  return(%y)\n}}"
    assert "Transpose" not in check(text, passes=find_target("onnx").pipeline).operators


@pytest.mark.parametrize("opset", [11, 13, 18])
def test_equal_parts_in_all_opsets(check: Check, opset: int) -> None:
    """How many there are is stated only from opset 18 on."""
    done = check(CASES["equal parts of an open size"][0], opset=opset, sizes=[{"n": 2}])
    assert dict(done.operators) == {"Split": 1}


def test_norms_of_other_axes_in_opsets_without_them(check: Check) -> None:
    """No Transposes where the norm is written out anyway."""
    norm = "%y = layer_norm(%x, none, none) {dims = [1]} : f32[2,3,4]"
    text = f"func @main(%x: f32[2,3,4]) -> (f32[2,3,4]) {{\n  {norm}\n  return(%y)\n}}"
    assert "Transpose" not in check(text, opset=13).operators
    assert check(text).operators["Transpose"] == 2


def mixed(block: int) -> str:
    """Positions are mixed between two norms of features, as MLP-Mixer does (arXiv 2105.01601)."""
    x = f"%x{block}"
    return f"""
  %n{block} = layer_norm({x}, %s, %b) {{dims = [2]}} : f32[1,9,8]
  %t{block} = transpose(%n{block}) {{perm = [0, 2, 1]}} : f32[1,8,9]
  %p{block} = linear(%t{block}, %w) : f32[1,8,9]
  %u{block} = transpose(%p{block}) {{perm = [0, 2, 1]}} : f32[1,9,8]
  %a{block} = add({x}, %u{block}) : f32[1,9,8]
  %m{block} = layer_norm(%a{block}, %s, %b) {{dims = [2]}} : f32[1,9,8]
  %q{block} = linear(%m{block}, %v) : f32[1,9,8]
  %x{block + 1} = add(%a{block}, %q{block}) : f32[1,9,8]"""


def test_norms_that_run_along_the_last_axis_only(check: Check) -> None:
    """The layout has as many transposes as the source; each norm along another axis would be two more in the file."""
    constants = {"s": (8,), "b": (8,), "w": (9, 9), "v": (8, 8)}
    given = "".join(f"\n  %{name} = {constant_text(*shape)}" for name, shape in constants.items())
    blocks = "".join(mixed(i) for i in range(3))
    text = f"func @main(%x0: f32[1,9,8]) -> (f32[1,9,8]) {{{given}{blocks}\n  return(%x3)\n}}"
    found = check(text, passes=find_target("onnx").pipeline, tolerance=1e-4).operators
    assert found["LayerNormalization"] == 6
    assert found["Transpose"] <= 6

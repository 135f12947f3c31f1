"""Networks with named sizes, resized in the runtime to several of them: shapes are computed in the file."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from nhwcc.backends.tflite import PIPELINE

from .conftest import Check, single

CONV = "strides = [1, 1], dilations = [1, 1], pads = [[1, 1], [1, 1]]"
POOL = "kernel = [2, 2], strides = [2, 2], dilations = [1, 1], pads = [[0, 0], [0, 0]]"

PYRAMID = f"""
func @main(%x: f32[n,3,2*h,2*w], %w: f32[4,3,3,3]) -> (f32[n,7,4*h*w] {{name = "y"}}) {{
  %a = conv(%x, %w, none) {{{CONV}, activation = "relu"}} : f32[n,4,2*h,2*w]
  %b = max_pool(%a) {{{POOL}}} : f32[n,4,h,w]
  %c = resize(%b) {{dims = [2, 3], sizes = ['2*h', '2*w'], mode = "linear"}} : f32[n,4,2*h,2*w]
  %d = concat(%x, %c) {{axis = 1}} : f32[n,7,2*h,2*w]
  %e = reshape(%d) {{shape = ['n', 7, '4*h*w']}} : f32[n,7,4*h*w]
  %f = softmax(%e) {{axis = 1}} : f32[n,7,4*h*w]
  return(%f)
}}"""

ODD = f"""
func @main(%x: f32[1,h,w,3]) -> (f32[1,h,w,6] {{name = "y"}}) {{
  %a = average_pool(%x) {{{POOL}, channels_last = true}} : f32[1,h//2,w//2,3]
  %b = resize(%a) {{dims = [1, 2], sizes = ['h', 'w'], mode = "nearest", coordinates = "asymmetric", nearest = "floor"}}
     : f32[1,h,w,3]
  %c = concat(%x, %b) {{axis = 3}} : f32[1,h,w,6]
  return(%c)
}}"""

NORMS = """
func @main(%x: f32[batch,t,8], %s: f32[8], %b: f32[8]) -> (f32[batch,t,8] {name = "y"}) {
  %a = layer_norm(%x, %s, %b) {dims = [2]} : f32[batch,t,8]
  %c = rms_norm(%a, %s) {dims = [2]} : f32[batch,t,8]
  %d = layer_norm(%c, none, none) {dims = [1, 2]} : f32[batch,t,8]
  return(%d)
}"""

ATTENTION = """
func @main(%x: f32[batch,t,8], %w: f32[8,8]) -> (f32[batch,t,8] {name = "y"}) {
  %q = matmul(%x, %w) : f32[batch,t,8]
  %r = reshape(%q) {shape = ['batch', 't', 2, 4]} : f32[batch,t,2,4]
  %h = transpose(%r) {perm = [0, 2, 1, 3]} : f32[batch,2,t,4]
  %s = matmul(%h, %h) {transpose_b = true} : f32[batch,2,t,t]
  %p = softmax(%s) {axis = 3} : f32[batch,2,t,t]
  %o = matmul(%p, %h) : f32[batch,2,t,4]
  %u = transpose(%o) {perm = [0, 2, 1, 3]} : f32[batch,t,2,4]
  %y = reshape(%u) {shape = ['batch', 't', 8]} : f32[batch,t,8]
  return(%y)
}"""

MOVES = """
func @main(%x: f32[n,t]) -> (f32[n*t] {name = "flat"}, f32[2,n,t] {name = "wide"}, f32[n+2,t+1] {name = "padded"},
    f32[n,t//2] {name = "half"}, f32[n,(t+1)//2] {name = "steps"}, f32[n,1] {name = "end"}, f32[3*n,t] {name = "tiled"},
    f32[t,n,1] {name = "turned"}, f32[n+t] {name = "counted"}, i64[2] {name = "shape"}) {
  %a = reshape(%x) {shape = ['n*t']} : f32[n*t]
  %b = broadcast_to(%x) {shape = [2, 'n', 't']} : f32[2,n,t]
  %c = pad(%x) {low = [1, 0], high = [1, 1], value = 2.0} : f32[n+2,t+1]
  %d = slice(%x) {starts = [0, 't-t//2'], sizes = ['n', 't//2'], steps = [1, 1]} : f32[n,t//2]
  %e = slice(%x) {starts = [0, 0], sizes = ['n', '(t+1)//2'], steps = [1, 2]} : f32[n,(t+1)//2]
  %f = slice(%x) {starts = [0, 't-1'], sizes = ['n', 1], steps = [1, 1]} : f32[n,1]
  %g = tile(%x) {repeats = [3, 1]} : f32[3*n,t]
  %h0 = transpose(%x) {perm = [1, 0]} : f32[t,n]
  %h = reshape(%h0) {shape = ['t', 'n', 1]} : f32[t,n,1]
  %zero = const() {value = dense<0.0> : f32[]} : f32[]
  %one = const() {value = dense<1.0> : f32[]} : f32[]
  %i = range(%zero, %one) {size = 'n+t'} : f32[n+t]
  %j = shape_of(%x) {dims = [0, 1]} : i64[2]
  return(%a, %b, %c, %d, %e, %f, %g, %h, %i, %j)
}"""

PADDED_BY_SIZES = """
func @main(%x: f32[n,t], %like: f32[m,n]) -> (f32[m+n,t] {name = "y"}, f32[m,n,t] {name = "z"},
    f32[m*n,t] {name = "u"}) {
  %y = pad(%x) {low = ['m', 0], high = [0, 0]} : f32[m+n,t]
  %z = broadcast_to(%x) {shape = ['m', 'n', 't']} : f32[m,n,t]
  %u = reshape(%z) {shape = ['m*n', 't']} : f32[m*n,t]
  return(%y, %z, %u)
}"""

NETS: dict[str, tuple[str, list[dict[str, int]]]] = {
    "pyramid": (PYRAMID, [{"n": 1, "h": 2, "w": 3}, {"n": 2, "h": 5, "w": 4}, {"n": 3, "h": 1, "w": 1}]),
    "odd": (ODD, [{"h": 4, "w": 6}, {"h": 5, "w": 7}, {"h": 11, "w": 2}]),
    "norms": (NORMS, [{"batch": 1, "t": 1}, {"batch": 3, "t": 7}, {"batch": 2, "t": 12}]),
    "attention": (ATTENTION, [{"batch": 1, "t": 1}, {"batch": 3, "t": 7}, {"batch": 2, "t": 12}]),
    "moves": (MOVES, [{"n": 1, "t": 2}, {"n": 3, "t": 5}, {"n": 4, "t": 8}]),
    "sizes of others": (
        PADDED_BY_SIZES,
        [{"n": 1, "t": 2, "m": 1}, {"n": 3, "t": 5, "m": 2}, {"n": 2, "t": 1, "m": 4}],
    ),
}


@pytest.mark.parametrize("passes", ["legalize", PIPELINE], ids=["legalized", "compiled"])
@pytest.mark.parametrize("name", NETS)
def test_three_sizes(check: Check, name: str, passes: str) -> None:
    text, sizes = NETS[name]
    check(text, sizes=sizes, passes=passes, tolerance=3e-5)


def test_a_resize_that_only_some_sizes_need(check: Check) -> None:
    """The result's size may be the operand's."""
    text = ODD.replace("h//2", "h").replace("w//2", "w").replace("strides = [2, 2]", "strides = [1, 1]")
    text = text.replace("kernel = [2, 2]", "kernel = [1, 1]")
    out = check(text, sizes=NETS["odd"][1])
    assert "RESIZE_NEAREST_NEIGHBOR" not in out.builtins


COMPUTED = """
func @main(%x: f32[n,t,6]) -> (f32[n,t,2,3] {name = "y"}) {
  %y = reshape(%x) {shape = ['n', 't', 2, 3]} : f32[n,t,2,3]
  return(%y)
}"""


def test_shapes_of_one_unknown_size_are_constant(check: Check) -> None:
    """Only then XNNPACK takes the reshape."""
    one: Any = check(COMPUTED.replace("[n,t", "[n,4").replace("'t'", "4"), sizes=[{"n": 1}, {"n": 3}])
    assert one.builtins == {"RESHAPE": 1}
    two: Any = check(COMPUTED, sizes=[{"n": 1, "t": 2}, {"n": 3, "t": 4}])
    assert two.builtins["RESHAPE"] == 1 and two.builtins["SHAPE"] == 1


@pytest.mark.parametrize(("ceil", "count_pads"), [(False, False), (True, False), (True, True)])
def test_averages_at_the_edge(check: Check, ceil: bool, count_pads: bool) -> None:
    """How many elements count there is computed, too."""
    rows, columns = (
        (
            "min(1-((-h)//2), -((-h-1)//2))",
            "min(1-((-w)//2), -((-w-1)//2))",
        )
        if ceil
        else ("h//2+1", "w//2+1")
    )
    pads = f"[[1, 1], [1, 1]], ceil = {str(ceil).lower()}, count_pads = {str(count_pads).lower()}"
    text = f"""
    func @main(%x: f32[n,h,w,3]) -> (f32[n,{rows},{columns},3] {{name = "y"}}) {{
      %y = average_pool(%x) {{
        kernel = [2, 2], strides = [2, 2], dilations = [1, 1], pads = {pads}, channels_last = true
      }} : f32[n,{rows},{columns},3]
      return(%y)
    }}"""
    check(text, sizes=[{"n": 1, "h": 4, "w": 6}, {"n": 2, "h": 5, "w": 7}, {"n": 1, "h": 3, "w": 4}])


@pytest.mark.parametrize("axis", [0, 1, 2])
def test_elements_of_unknown_sizes(check: Check, axis: int) -> None:
    places = np.random.default_rng(0).integers(-2, 2, (2, 2, 2))
    sizes = [{"n": 2, "t": 3}, {"n": 3, "t": 2}, {"n": 5, "t": 4}]
    check(single("gather_elements", "f32[n,t,n]", "i64[2,2,2]", axis=axis), sizes=sizes, inputs={"x1": places})


@pytest.mark.parametrize("reduction", ["none", "add", "max"])
def test_updates_of_unknown_sizes(check: Check, reduction: str) -> None:
    sizes = [{"n": 3, "t": 3}, {"n": 4, "t": 2}, {"n": 5, "t": 7}]
    module = single("scatter_nd", "f32[n,t]", "i64[2,1]", "f32[2,t]", reduction=reduction)
    check(module, sizes=sizes, inputs={"x1": [[0], [-1]]})

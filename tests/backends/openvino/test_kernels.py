"""What kernels compute otherwise than the IR, and what is written instead."""

from __future__ import annotations

import numpy as np
import pytest

from .conftest import Check

INFINITE = np.asarray([0.0, -3, 3, -1, 1, np.inf, 1, np.nan, -7, 5.5], np.float32)
DIVISORS = np.asarray([-2.0, np.inf, np.inf, -np.inf, -np.inf, 2, 0, 2, 3, -2], np.float32)


@pytest.mark.parametrize("truncated", ["true", "false"])
def test_remainders_by_infinite_divisors(check: Check, truncated: str) -> None:
    text = f"""
func @main(%x: f32[10], %y: f32[10]) -> (f32[10]) {{
  %z = mod(%x, %y) {{truncated = {truncated}}} : f32[10]
  return(%z)
}}
"""
    check(text, inputs={"x": INFINITE, "y": DIVISORS}, reread=False)


@pytest.mark.parametrize("op", ["greater", "greater_equal", "less", "less_equal"])
def test_nothing_compares_with_nan(check: Check, op: str) -> None:
    text = f"func @main(%x: f32[10], %y: f32[10]) -> (bool[10]) {{\n  %z = {op}(%x, %y) : bool[10]\n  return(%z)\n}}"
    check(text, inputs={"x": INFINITE, "y": DIVISORS[::-1].copy()})


def test_rows_that_are_masked_as_a_whole(check: Check) -> None:
    text = """
func @main(%x: f32[2,3]) -> (bool[2,1], bool[2]) {
  %low = const() {value = dense<-inf> : f32[]} : f32[]
  %m = reduce(%x) {kind = "max", dims = [1]} : f32[2,1]
  %y = equal(%m, %low) : bool[2,1]
  %n = reduce(%x) {kind = "max", dims = [1], keepdims = false} : f32[2]
  %z = equal(%low, %n) : bool[2]
  return(%y, %z)
}
"""
    done = check(text, inputs={"x": [[-np.inf, -np.inf, -np.inf], [0, -np.inf, 1]]})
    assert done.operators == {"Equal": 1, "ReduceLogicalAnd": 2}


def test_integers_of_16_bits_are_cut(check: Check) -> None:
    text = """
func @main(%x: i32[4]) -> (i32[4], i32[4]) {
  %u = cast(%x) {to = "u16"} : u16[4]
  %v = cast(%u) {to = "i32"} : i32[4]
  %s = cast(%x) {to = "i16"} : i16[4]
  %t = cast(%s) {to = "i32"} : i32[4]
  return(%v, %t)
}
"""
    check(text, inputs={"x": [-5, 70000, 65535, -32769]})


def test_boxes_that_overlap_as_much_as_is_allowed_are_kept(check: Check) -> None:
    text = """
func @main(%b: f32[1,2,4], %s: f32[1,1,2]) -> (i64[n,3]) {
  %y = non_max_suppression(%b, %s) {limit = 9223372036854775807, overlap = 0.5, count = 'n'} : i64[n,3]
  return(%y)
}
"""
    boxes = [[[0, 0, 1, 1], [0, 0, 1, 0.5]]]
    check(text, inputs={"b": boxes, "s": [[[0.9, 0.8]]]})


def test_a_product_of_two_vectors(check: Check) -> None:
    text = """
func @main(%x: f32[3], %y: f32[3]) -> (f32[]) {
  %a = reshape(%x) {shape = [1, 3]} : f32[1,3]
  %b = reshape(%y) {shape = [3, 1]} : f32[3,1]
  %p = matmul(%a, %b) : f32[1,1]
  %z = reshape(%p) {shape = []} : f32[]
  return(%z)
}
"""
    assert check(text).operators["Squeeze"] == 1


def test_a_repeated_number_is_repeated_at_once(check: Check) -> None:
    text = """
func @main(%x: f32[b,2]) -> (f32[b,2], f32[b,2]) {
  %zero = const() {value = dense<[0.0]> : f32[1]} : f32[1]
  %wide = broadcast_to(%zero) {shape = [2, 'b', 2]} : f32[2,b,2]
  %flat = reshape(%wide) {shape = ['2*b', 2]} : f32[2*b,2]
  %p, %q = split(%flat) {axis = 0, sizes = ['b', 'b']} : f32[b,2], f32[b,2]
  %y = max(%x, %p) : f32[b,2]
  %z = min(%x, %q) : f32[b,2]
  return(%y, %z)
}
"""
    operators = check(text, sizes=[{"b": 2}]).operators
    assert not {"VariadicSplit", "Reshape"} & operators.keys()


@pytest.mark.parametrize("pool", ["average_pool", "max_pool"])
def test_windows_that_hang_over_the_end(check: Check, pool: str) -> None:
    windows = "kernel = [3], strides = [2], dilations = [1], pads = [[0, 0]], ceil = true"
    text = f"func @main(%x: f32[1,2,6]) -> (f32[1,2,3]) {{\n%y = {pool}(%x) {{{windows}}} : f32[1,2,3]\nreturn(%y)\n}}"
    check(text)


@pytest.mark.parametrize(
    "quotient",
    [
        "%q = div(%r, %c) : i32[4,1]",
        "%s = reshape(%r) {shape = [1, 4]} : i32[1,4]\n%t = mul(%s, %c) : i32[1,4]\n%q = div(%t, %d) : i32[1,4]",
        "%q = div(%d, %r) : i32[4,1]",
        '%q = reduce(%x) {kind = "mean", dims = [1], keepdims = true} : i32[4,1]',
    ],
)
def test_quotients_of_integers_are_cut_behind_reductions(check: Check, quotient: str) -> None:
    """Kernels that divide in the step that reduces would round them."""
    check(
        f"""func @main(%x: i32[4,9]) -> (i32[4,1]) {{
        %c = const() {{value = dense<7> : i32[]}} : i32[]
        %d = const() {{value = dense<100> : i32[]}} : i32[]
        %r = reduce(%x) {{kind = "max", dims = [1], keepdims = true}} : i32[4,1]
        {quotient}
        %y = reshape(%q) {{shape = [4, 1]}} : i32[4,1]
        return(%y)
        }}""",
        inputs={"x": np.random.default_rng(0).integers(-60, 60, (4, 9)).astype(np.int32)},
    )


def test_mirrors_and_equal_parts_of_open_sizes(check: Check) -> None:
    """The kernels need no sizes; mirrors of more than there is are refused when the network runs."""
    text = """
func @main(%x: f32[2*n,3]) -> (f32[n+1,3], f32[n,3]) {
  %a, %b = split(%x) {axis = 0, sizes = ['n', 'n']} : f32[n,3], f32[n,3]
  %y = pad(%a) {low = [0, 0], high = [1, 0], mode = "reflect"} : f32[n+1,3]
  return(%y, %b)
}
"""
    done = check(text, sizes=[{"n": 3}, {"n": 2}], reread=False)  # the file does not say that the first size is even
    assert done.operators == {"Split": 1, "Pad": 1}

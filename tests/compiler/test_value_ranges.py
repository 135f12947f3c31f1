"""What is never negative, and what may be."""

from __future__ import annotations

import numpy as np
import pytest
from nhwcc.compiler.interpreter import random_inputs, run
from nhwcc.compiler.parser import parse_module
from nhwcc.compiler.value_ranges import needs_64_bits, nonnegative

POOL = "{kernel = [2], strides = [1], dilations = [1], pads = [[1, 0]]}"
CLAMPED = '{strides = [1], dilations = [1], pads = [[0, 0]], activation = "relu"}'
NEVER = {
    "sigmoid": "sigmoid(%x)",
    "the end of a sum": 'add(%x, %x) {activation = "relu6"}',
    "the end of a convolution": f"conv(%x, %w, none) {CLAMPED}",
    "a maximum over windows": f"max_pool(%r) {POOL}",
    "an average over windows": f"average_pool(%r) {POOL}",
    "a mean": 'reduce(%r) {kind = "mean", dims = [2], keepdims = true}',
    "a sum of sizes": 'reduce(%x) {kind = "l1", dims = [2], keepdims = true}',
    "padding with zeros": "pad(%r) {low = [0, 0, 1], high = [0, 0, 0]}",
    "padding with the edge": 'pad(%r) {low = [0, 0, 1], high = [0, 0, 0], mode = "edge", value = -1.0}',
    "linear interpolation": 'resize(%r) {dims = [2], sizes = [9], mode = "linear"}',
    "softmax": "softmax(%x) {axis = 1}",
    "an exponential": "exp(%x)",
}
MAYBE = {
    "the end of a sum": 'add(%x, %x) {activation = "relu_n1_to_1"}',
    "a maximum over windows": f"max_pool(%x) {POOL}",
    "padding with something below": "pad(%r) {low = [0, 0, 1], high = [0, 0, 0], value = -1.0}",
    "cubic interpolation": 'resize(%r) {dims = [2], sizes = [9], mode = "cubic"}',
    "a mean": 'reduce(%x) {kind = "mean", dims = [2], keepdims = true}',
}
SHAPES = {"max": "1,2,5", "average": "1,2,5", "reduce": "1,2,1", "pad": "1,2,6", "resize": "1,2,9"}


def text(expression: str) -> str:
    shape = next((s for name, s in SHAPES.items() if expression.startswith(name)), "1,2,5")
    return f"""func @main(%x: f32[1,2,5]) -> (f32[{shape}]) {{
      %w = const() {{value = dense<[[[1.0], [-2.0]], [[3.0], [-1.0]]]> : f32[2,2,1]}} : f32[2,2,1]
      %r = relu(%x) : f32[1,2,5]
      %y = {expression} : f32[{shape}]
      return(%y)
    }}"""


@pytest.mark.parametrize("what", NEVER)
def test_never_negative(what: str) -> None:
    func = parse_module(text(NEVER[what])).main
    assert nonnegative(func.returns[0])
    for seed in range(10):
        (y,) = run(func, [np.float32(5) * x for x in random_inputs(func, seed=seed)])
        assert (y >= 0).all()


@pytest.mark.parametrize("what", MAYBE)
def test_maybe_negative(what: str) -> None:
    assert not nonnegative(parse_module(text(MAYBE[what])).main.returns[0])


BITS = """func @main(%f: f64[9], %u: u64[9], %i: i64[9], %h: bool[9]) -> (i64[9]) {{
  %far = const() {{value = dense<-9223372036854775808> : i64[]}} : i64[]
  %near = const() {{value = dense<7> : i64[]}} : i64[]
  %b = bit_cast(%f) {{to = "i64"}} : i64[9]
  %s = bit_cast(%u) {{to = "i64"}} : i64[9]
  %o = add(%s, %far) : i64[9]
  %n = add(%s, %near) : i64[9]
  %c = sub(%b, %far) : i64[9]
  %d = sub(%b, %c) : i64[9]
  %p = const() {{value = dense<[0, 1, 2, 3, 4, 5, 6, 7, 8]> : i64[9]}} : i64[9]
  %v, %at = top_k(%o) {{k = 9, axis = 0}} : i64[9], i64[9]
  %m = reduce(%o) {{kind = "max", dims = [0], keepdims = true}} : i64[1]
  %t = reduce(%o) {{kind = "sum", dims = [0], keepdims = true}} : i64[1]
  %y = {what} : i64[9]
  return(%y)
}}"""


@pytest.mark.parametrize(
    ("what", "large"),
    [
        ("reverse(%b) {dims = [0]}", True),
        ('bit_cast(%b) {to = "i64"}', True),
        ("select(%h, %i, %o)", True),
        ("max(%o, %far)", True),
        ("bitwise_xor(%i, %far)", True),
        ("add(%c, %far)", True),
        ("sub(%near, %o)", True),
        ("reverse(%v) {dims = [0]}", True),
        ("tile(%m) {repeats = [9]}", True),
        ('scatter_elements(%i, %p, %o) {axis = 0, reduction = "min"}', True),
        ("sub(%b, %c)", False),
        ("add(%d, %near)", False),
        ("reverse(%n) {dims = [0]}", False),
        ("select(%h, %i, %s)", False),
        ("min(%i, %far)", False),
        ("reverse(%at) {dims = [0]}", False),
        ("sub(%i, %o)", False),
        ("tile(%t) {repeats = [9]}", False),
        ('scatter_elements(%i, %p, %o) {axis = 0, reduction = "mul"}', False),
        ("sub(%o, %far)", False),
    ],
)
def test_what_32_bits_never_hold(what: str, large: bool) -> None:
    assert needs_64_bits(parse_module(BITS.format(what=what)).main.returns[0]) == large

"""Every operation in Core ML: written, typed by coremltools, and run by what MIL's operations mean."""

from __future__ import annotations

import numpy as np
import pytest
from nhwcc.compiler.diagnostics import CompileError
from nhwcc.compiler.opdef import OPS, Draws
from samples import module_of, samples

from tests.backends.tensorflow.test_operations import tolerance
from tests.backends.tflite.random_ops import MAKERS, draw_case
from tests.support.written import constant_text

from .conftest import Check

SAMPLES = samples()

KNOWN = {"lstm": {"n": np.asarray([5, 3])}}
"""Inputs of examples for which random ones make no sense."""

REFUSED = {"B001", "B002", "B003"}
"""Codes of what Core ML has not."""

NOT_IN_CORE_ML = {
    *("bit_cast", "rnn", "conv_transpose", "non_max_suppression", "select_boxes", "const"),
    *("bitwise_and", "bitwise_or", "bitwise_xor", "shift_right"),
}
"""Examples that are refused: of what MIL lacks, without an input, of computed weights or open numbers of steps."""


@pytest.mark.parametrize("name", [n for n in SAMPLES if n != "custom" and not OPS[n].spec.has(Draws)])
def test_the_example_in_the_docs(check: Check, name: str) -> None:
    if name in NOT_IN_CORE_ML:
        with pytest.raises(CompileError) as caught:
            check(module_of(SAMPLES[name]), inputs=KNOWN.get(name))
        assert {d.code for d in caught.value.diagnostics} <= REFUSED
        return
    check(module_of(SAMPLES[name]), inputs=KNOWN.get(name), tolerance=3e-5)


TRANSPOSED = f"""func @main(%x: f32[1,4,3,3]) -> (f32[1,6,7,6]) {{
  %w = {constant_text(4, 3, 3, 3)}
  %b = {constant_text(6)}
  %y = conv_transpose(%x, %w, %b) {{strides = [2, 2], dilations = [1, 1], pads = [[0, 0], [1, 1]],
    output_pads = [0, 1], groups = 2}} : f32[1,6,7,6]
  return(%y)
}}"""

RESIZED = "resize(%x) {{dims = [2, 3], sizes = [{0}, {1}], mode = {2!r}, coordinates = {3!r}, nearest = 'floor'}}"


def resized(rows: int, columns: int, mode: str, coordinates: str) -> str:
    words = RESIZED.format(rows, columns, mode, coordinates).replace("'", '"')
    type = f"f32[2,3,{rows},{columns}]"
    return f"func @main(%x: f32[2,3,4,5]) -> ({type}) {{\n  %y = {words} : {type}\n  return(%y)\n}}"


@pytest.mark.parametrize(
    ("text", "operator"),
    [
        (TRANSPOSED, "conv_transpose"),
        (resized(8, 10, "nearest", "asymmetric"), "upsample_nearest_neighbor"),
        (resized(7, 9, "nearest", "half_pixel"), "gather"),
        (resized(7, 9, "linear", "half_pixel"), "resize_bilinear"),
        (resized(7, 9, "linear", "align_corners"), "resize_bilinear"),
        (resized(3, 2, "linear", "asymmetric"), "resize_bilinear"),
        (resized(7, 9, "cubic", "half_pixel"), "matmul"),
    ],
)
def test_how_it_is_done(check: Check, text: str, operator: str) -> None:
    assert check(text).calls[operator]


@pytest.mark.parametrize("coordinates", ["half_pixel", "align_corners"])
def test_open_sizes_that_grow_by_whole_factors(check: Check, coordinates: str) -> None:
    text = f"""func @main(%x: f32[1,2,h,w]) -> (f32[1,2,2*h,3*w]) {{
      %y = resize(%x) {{dims = [2, 3], sizes = ['2*h', '3*w'], mode = "linear",
        coordinates = "{coordinates}"}} : f32[1,2,2*h,3*w]
      return(%y)
    }}"""
    assert check(text, sizes=({"h": 3, "w": 4}, {"h": 1, "w": 1})).calls["upsample_bilinear"]


def test_the_last_of_equal_elements(check: Check) -> None:
    text = """func @main(%x: f32[2,4]) -> (i32[2,1], i32[2]) {
      %y = arg_max(%x) {axis = 1, last = true, dtype = "i32"} : i32[2,1]
      %z = arg_min(%x) {axis = 1, last = true, keepdims = false, dtype = "i32"} : i32[2]
      return(%y, %z)
    }"""
    check(text, inputs={"x": np.asarray([[1, 3, 3, 1], [2, 2, 2, 2]], np.float32)})


def test_quotients_and_remainders_of_integers(check: Check) -> None:
    text = """func @main(%a: i32[4], %b: i32[4]) -> (i32[4], i32[4], i32[4], i32[4]) {
      %q = div(%a, %b) : i32[4]
      %f = floor_div(%a, %b) : i32[4]
      %m = mod(%a, %b) : i32[4]
      %t = mod(%a, %b) {truncated = true} : i32[4]
      return(%q, %f, %m, %t)
    }"""
    check(text, inputs={"a": np.asarray([-7, 7, -7, 6], np.int32), "b": np.asarray([2, -2, -2, 4], np.int32)})


def test_random_numbers_are_drawn(check: Check) -> None:
    """Nobody can compare them, so that nothing is left of them here."""
    done = check("""func @main(%l: f32[b,5]) -> (f32[2,b], f32[2,b], i32[b,4]) {
      %u = random_uniform() {shape = [2, 'b'], seed = 7} : f32[2,b]
      %n = random_normal() {shape = [2, 'b']} : f32[2,b]
      %c = random_choice(%l) {count = 4, dtype = "i32"} : i32[b,4]
      %f = floor(%u) : f32[2,b]
      %zero = const() {value = dense<0.0> : f32[]} : f32[]
      %g = mul(%n, %zero) : f32[2,b]
      %none = const() {value = dense<0> : i32[]} : i32[]
      %d = mul(%c, %none) : i32[b,4]
      return(%f, %g, %d)
    }""")
    assert {"random_uniform", "random_normal", "random_categorical"} <= done.calls.keys()


@pytest.mark.long
@pytest.mark.parametrize("name", MAKERS)
def test_many_random_operations(check: Check, name: str) -> None:
    """Right or refused with a code, never wrong."""
    for seed in range(3):
        case = draw_case(name, seed)
        single = tolerance(case.module.main)
        codes, message = set[str](), ""
        try:
            check(case.module, inputs=case.inputs, tolerance=single, floor=1e-2)
        except CompileError as bad:
            codes, message = {d.code for d in bad.diagnostics}, str(bad)
        assert codes <= REFUSED, f"{name}, {seed}: {message}"

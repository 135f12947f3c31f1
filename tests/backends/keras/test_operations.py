"""Every operation in Keras: written, loaded, run."""

from __future__ import annotations

import numpy as np
import pytest
from nhwcc.compiler.diagnostics import CompileError
from nhwcc.compiler.opdef import OPS, Draws
from nhwcc.compiler.types import DType
from samples import module_of, samples

from tests.backends.tensorflow.test_operations import tolerance
from tests.backends.tflite.random_ops import MAKERS, draw_case
from tests.support.written import REDUCED_TO_CONSTANTS, constant_text

from .conftest import Check

SAMPLES = samples()

KNOWN = {"lstm": {"n": np.asarray([5, 3])}}
"""Inputs of examples for which random ones make no sense."""

REFUSED = {"B001", "B003"}
"""Codes of what Keras has not."""

NOT_IN_KERAS = {
    *("if", "while", "non_zero", "unique", "non_max_suppression", "select_boxes"),
    *("bind_sizes", "const", "conv_transpose", "dynamic_slice", "rnn"),
}
"""Examples that are refused: of what Keras lacks, without an input, of computed weights or open sizes."""


@pytest.mark.parametrize("name", [n for n in SAMPLES if n != "custom" and not OPS[n].spec.has(Draws)])
def test_the_example_in_the_docs(check: Check, name: str) -> None:
    if name in NOT_IN_KERAS:
        with pytest.raises(CompileError) as caught:
            check(module_of(SAMPLES[name]), inputs=KNOWN.get(name))
        assert {d.code for d in caught.value.diagnostics} <= REFUSED
        return
    check(module_of(SAMPLES[name]), inputs=KNOWN.get(name), tolerance=3e-5)


@pytest.mark.parametrize(
    "text",
    [
        f"""func @main(%x: f32[1,3,3,2]) -> (f32[1,7,7,2]) {{
          %w = {constant_text(2, 3, 3, 2)}
          %y = conv_transpose(%x, %w, none) {{strides = [2, 2], dilations = [1, 1], output_pads = [0, 0],
            pads = [[0, 0], [0, 0]], channels_last = true}} : f32[1,7,7,2]
          return(%y)
        }}""",
        f"""func @main(%x: f32[2,4,3]) -> (f32[2,4,2], f32[2,2], f32[2,2]) {{
          %w = {constant_text(8, 3)}
          %r = {constant_text(8, 2)}
          %b = {constant_text(8)}
          %y, %h, %c = lstm(%x, %w, %r, %b) {{batch_first = true}} : f32[2,4,2], f32[2,2], f32[2,2]
          return(%y, %h, %c)
        }}""",
        f"""func @main(%x: f32[2,4,3]) -> (f32[2,4,2], f32[2,2]) {{
          %w = {constant_text(6, 3)}
          %r = {constant_text(6, 2)}
          %b = {constant_text(6)}
          %o = {constant_text(2)}
          %y, %h = gru(%x, %w, %r, %b, none, none, %o) {{batch_first = true, reset_after = true}} : f32[2,4,2], f32[2,2]
          return(%y, %h)
        }}""",
    ],
    ids=["conv_transpose", "lstm", "gru"],
)
def test_weights_whose_elements_differ(check: Check, text: str) -> None:
    check(text)


def test_quotients_of_integers_are_cut(check: Check) -> None:
    text = "func @main(%a: i32[4], %b: i32[4]) -> (i32[4]) {\n  %y = div(%a, %b) : i32[4]\n  return(%y)\n}"
    check(text, inputs={"a": np.asarray([-7, 7, -7, 6], np.int32), "b": np.asarray([2, -2, -2, 4], np.int32)})


@pytest.mark.parametrize("place", [[0, 0], [7, 1], [11, 0]])
def test_a_known_size_from_places_that_an_input_tells(check: Check, place: list[int]) -> None:
    text = """
func @main(%x: f32[12,3], %i: i32[2]) -> (f32[1,2]) {
  bind_sizes(%i) {sizes = ['u0', 'u1'], least = [0, 0], most = [11, 1]}
  %y = slice(%x) {starts = ['u0', 'u1'], sizes = [1, 2], steps = [1, 1]} : f32[1,2]
  return(%y)
}"""
    check(text, inputs={"i": np.asarray(place, np.int32)})


def test_reductions_of_no_elements_are_constants(check: Check) -> None:
    check(REDUCED_TO_CONSTANTS)


def test_bits_are_those_of_a_number(check: Check) -> None:
    check("""
    func @main(%x: f32[4]) -> (f32[4]) {
      %sign = const() {value = dense<-2147483648> : i32[]} : i32[]
      %bits = bit_cast(%x) {to = "i32"} : i32[4]
      %turned = bitwise_xor(%bits, %sign) : i32[4]
      %y = bit_cast(%turned) {to = "f32"} : f32[4]
      return(%y)
    }""")


@pytest.mark.parametrize("groups", [2, 4])
def test_groups_of_filters_that_are_computed(check: Check, groups: int) -> None:
    check(f"""
    func @main(%x: f32[1,5,6,4], %w: f32[8,3,3,{4 // groups}], %b: f32[8]) -> (f32[1,2,2,8]) {{
      %y = conv(%x, %w, %b) {{strides = [2, 2], dilations = [1, 1], pads = [[0, 0], [0, 0]], groups = {groups},
        channels_last = true}} : f32[1,2,2,8]
      return(%y)
    }}""")


def test_strides_beside_dilations(check: Check) -> None:
    check(f"""
    func @main(%x: f32[1,9,8,2]) -> (f32[1,3,2,4]) {{
      %w = {constant_text(4, 3, 3, 2)}
      %y = conv(%x, %w, none) {{strides = [2, 2], dilations = [2, 2], pads = [[0, 0], [0, 0]], groups = 1,
        channels_last = true}} : f32[1,3,2,4]
      return(%y)
    }}""")


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


def test_types_are_those_of_keras() -> None:
    from nhwcc.formats.keras.build import NAMES

    assert NAMES[DType.U8] == "uint8" and NAMES[DType.F16] == "float16" and DType.BF16 not in NAMES

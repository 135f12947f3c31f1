"""Every operation in TensorFlow.js: written, run by node, read again."""

from __future__ import annotations

import numpy as np
import pytest
from nhwcc.backends.tfjs.operators import OPERATORS
from nhwcc.compiler.opdef import OPS, Draws
from samples import module_of, samples

from tests.backends.tensorflow.test_operations import KNOWN, tolerance
from tests.backends.tflite.random_ops import MAKERS, draw_case
from tests.support.written import REDUCED_TO_CONSTANTS

from .conftest import Check

SAMPLES = samples()
REFUSED = ("bit_cast", "custom")
"""What TensorFlow.js does not run."""


@pytest.mark.parametrize("name", [n for n in SAMPLES if n not in REFUSED and not OPS[n].spec.has(Draws)])
def test_the_example_in_the_docs(check: Check, name: str) -> None:
    check(module_of(SAMPLES[name]), inputs=KNOWN.get(name), tolerance=3e-5)


@pytest.mark.parametrize("name", MAKERS)
def test_random_operations(check: Check, name: str) -> None:
    case = draw_case(name, 0)
    check(case.module, inputs=case.inputs, tolerance=tolerance(case.module.main), floor=1e-2)


def test_updates_leave_what_they_are_made_to(check: Check) -> None:
    """The kernel for processors writes into its operand."""
    check("""
    func @main(%x: f32[4], %u: f32[2], %v: f32[2]) -> (f32[4] {name = "a"}, f32[4] {name = "b"}, f32[4] {name = "c"}) {
      %places = const() {value = dense<[[0], [2]]> : i32[2,1]} : i32[2,1]
      %a = scatter_nd(%x, %places, %u) : f32[4]
      %b = scatter_nd(%x, %places, %v) : f32[4]
      %c = neg(%x) : f32[4]
      return(%a, %b, %c)
    }""")


@pytest.mark.parametrize("found", [[0, 0, 0], [0, 1, 0], [1, 1, 1]])
def test_numbers_that_are_repeated_no_times(found: list[int], check: Check) -> None:
    """``BroadcastTo`` would leave one of them."""
    text = """
    func @main(%x: i32[3], %y: f32[2,1])
        -> (i32[unknown0,1] {name = "a"}, i32[unknown0] {name = "b"}, f32[2,unknown0] {name = "c"}) {
      %a = non_zero(%x) {count = 'unknown0', dtype = "i32", rows = true} : i32[unknown0,1]
      %five = const() {value = dense<5> : i32[]} : i32[]
      %b = broadcast_to(%five) {shape = ['unknown0']} : i32[unknown0]
      %c = broadcast_to(%y) {shape = [2, 'unknown0']} : f32[2,unknown0]
      return(%a, %b, %c)
    }"""
    check(text, inputs={"x": found})


def test_reductions_of_no_elements_are_constants(check: Check) -> None:
    check(REDUCED_TO_CONSTANTS)


def test_remainders_of_floats_by_infinity(check: Check) -> None:
    """The kernel adds the divisor to what is left, and subtracts it again."""
    text = """
    func @main(%x: f32[8], %y: f32[8]) -> (f32[8]) {
      %r = mod(%x, %y) {truncated = false} : f32[8]
      return(%r)
    }"""
    inf = np.inf
    given = {"x": [1.5, -1.5, 1.5, -1.5, 7, -7, 7, -7], "y": [inf, inf, -inf, -inf, 3, 3, -3, -3]}
    check(text, inputs={name: np.asarray(numbers, np.float32) for name, numbers in given.items()})


def test_one_hot_is_no_operator() -> None:
    """The kernel for WebAssembly writes integers into floats."""
    assert "OneHot" not in OPERATORS

"""Every operation in ONNX: written, run, read again."""

from __future__ import annotations

import numpy as np
import pytest
from nhwcc.compiler.ir import Func
from nhwcc.compiler.opdef import OPS, Draws
from nhwcc.compiler.types import DType
from samples import module_of, samples

from tests.backends.tflite.random_ops import MAKERS, draw_case

from .conftest import Check

SAMPLES = samples()
KNOWN = {"lstm": {"n": np.asarray([5, 3])}}
"""Inputs of examples for which random ones make no sense: no runtime says what a sequence without steps gives."""

OF_SINGLE, OF_HALF = 1e-5, 5e-3
"""Differences, relative to the largest number."""


@pytest.mark.parametrize("name", [n for n in SAMPLES if n != "custom" and not OPS[n].spec.has(Draws)])
def test_the_example_in_the_docs(check: Check, name: str) -> None:
    check(module_of(SAMPLES[name]), inputs=KNOWN.get(name), tolerance=3e-5)


def tolerance(func: Func) -> float:
    types = {v.type.dtype for v in (*func.args, *func.returns)}
    return OF_HALF if DType.F16 in types else OF_SINGLE


@pytest.mark.parametrize("name", MAKERS)
def test_random_operations(check: Check, name: str) -> None:
    case = draw_case(name, 0)
    check(case.module, inputs=case.inputs, tolerance=tolerance(case.module.main), floor=1e-2)


@pytest.mark.long
@pytest.mark.parametrize("name", MAKERS)
def test_many_random_operations(check: Check, name: str) -> None:
    for seed in range(100, 130):
        case = draw_case(name, seed)
        check(case.module, inputs=case.inputs, tolerance=tolerance(case.module.main), floor=1e-2)


@pytest.mark.parametrize("dtype", ["i32", "i64"])
def test_negative_positions_of_ones_that_count_nothing(check: Check, dtype: str) -> None:
    """ONNX counts them from the end."""
    text = f"""
func @main(%x: {dtype}[6]) -> (f32[6,4]) {{
  %values = const() {{value = dense<[-1.0, 2.0]> : f32[2]}} : f32[2]
  %y = one_hot(%x, %values) {{depth = 4, axis = 1, wraps = false}} : f32[6,4]
  return(%y)
}}
"""
    check(text, inputs={"x": np.asarray([-5, -4, -1, 0, 3, 4], dtype.replace("i", "int"))})

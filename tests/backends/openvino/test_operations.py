"""Every operation in OpenVINO: written, run, read again."""

from __future__ import annotations

import numpy as np
import pytest
from nhwcc.compiler.ir import Func
from nhwcc.compiler.opdef import OPS, Draws
from nhwcc.compiler.types import DType
from samples import module_of, samples

from tests.backends.tflite.random_ops import MAKERS, Case, draw_case

from .conftest import Check

SAMPLES = samples()
KNOWN = {"lstm": {"n": np.asarray([5, 3])}}
"""Inputs of examples for which random ones make no sense: no runtime says what a sequence without steps gives."""

OF_SINGLE, OF_HALF = 1e-5, 5e-3
"""Differences, relative to the largest number."""


NOT_THERE = ("custom", "bit_cast")
"""What OpenVINO has no operation for, and nothing is made of."""

OTHERWISE = {DType.F64, DType.U64}
"""Types that kernels compute in fewer bits."""


@pytest.mark.parametrize("name", [n for n in SAMPLES if n not in NOT_THERE and not OPS[n].spec.has(Draws)])
def test_the_example_in_the_docs(check: Check, name: str) -> None:
    check(module_of(SAMPLES[name]), inputs=KNOWN.get(name), tolerance=3e-5, reread=name not in LOOPS)


LOOPS = ("rnn",)
"""Examples that become loops, which cut at computed places: these are not read again."""


def types(func: Func) -> set[DType]:
    return {v.type.dtype for v in (*func.args, *func.returns)}


def tolerance(func: Func) -> float:
    return OF_HALF if DType.F16 in types(func) else OF_SINGLE


def drawn_case(name: str, seed: int) -> Case:
    """Draw until kernels compute all types as they are."""
    cases = (draw_case(name, number) for number in range(seed, seed + 50))
    return next(case for case in cases if not types(case.module.main) & OTHERWISE)


@pytest.mark.parametrize("name", MAKERS)
def test_random_operations(check: Check, name: str) -> None:
    case = drawn_case(name, 0)
    check(case.module, inputs=case.inputs, tolerance=tolerance(case.module.main), floor=1e-2)


@pytest.mark.long
@pytest.mark.parametrize("name", MAKERS)
def test_many_random_operations(check: Check, name: str) -> None:
    for seed in range(100, 2000, 60):
        case = drawn_case(name, seed)
        check(case.module, inputs=case.inputs, tolerance=tolerance(case.module.main), floor=1e-2)

"""Random operations in the TFLite runtime: every one gives the reference's numbers, or is refused with a code."""

from __future__ import annotations

import numpy as np
import pytest
from nhwcc.backends.common.table import STRUCTURE
from nhwcc.backends.tflite import support
from nhwcc.compiler.diagnostics import CompileError
from nhwcc.compiler.interpreter import run
from nhwcc.compiler.ir import Func
from nhwcc.compiler.opdef import OPS, Draws
from nhwcc.compiler.types import Array, DType
from samples import module_of, samples

from .conftest import Check, prepare
from .random_ops import MAKERS, Case, draw_case

OF_SINGLE, OF_HALF = 1e-5, 5e-3
"""Differences, relative to the largest number; half floats are computed in single precision."""

SAMPLES = samples()
WAYS = {way.op for way in support()} | {op.spec.name for op in STRUCTURE}


@pytest.mark.parametrize("seed", range(2))
@pytest.mark.parametrize("name", MAKERS)
def test_random_operations(check: Check, name: str, seed: int) -> None:
    run_case(check, draw_case(name, seed))


@pytest.mark.long
@pytest.mark.parametrize("name", MAKERS)
def test_many_random_operations(check: Check, name: str) -> None:
    for seed in range(100, 160):
        run_case(check, draw_case(name, seed))


def run_case(check: Check, case: Case) -> None:
    check(case.module, inputs=case.inputs, tolerance=tolerance(case.module.main), floor=1e-2)


def tolerance(func: Func) -> float:
    types = {v.type.dtype for v in (*func.args, *func.returns)}
    return OF_HALF if DType.F16 in types else OF_SINGLE


@pytest.mark.parametrize("name", [n for n in SAMPLES if n != "custom" and not OPS[n].spec.has(Draws)])
def test_the_example_in_the_docs(check: Check, name: str) -> None:
    """It runs, or the table of what can be run does not have it."""
    module = module_of(SAMPLES[name])
    for number, port in enumerate(module.main.outputs):
        port.name = f"y{number}"
    if name in WAYS:
        check(module, tolerance=3e-5)
        return
    with pytest.raises(CompileError) as caught:
        check(module)
    assert {d.code for d in caught.value.diagnostics} == {"B001"}


def test_draws_repeat_and_differ() -> None:
    def numbers(seed: int) -> list[Array]:
        case = draw_case("conv", seed)
        return run(case.module.main, prepare(case.module.main, {}, case.inputs))

    np.testing.assert_array_equal(numbers(1)[0], numbers(1)[0])
    assert numbers(1)[0].shape != numbers(2)[0].shape

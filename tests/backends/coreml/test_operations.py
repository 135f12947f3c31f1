"""Every operation in Core ML: written, typed by coremltools, and run by what MIL's operations mean."""

from __future__ import annotations

import numpy as np
import pytest
from nhwcc.compiler.diagnostics import CompileError
from nhwcc.compiler.opdef import OPS, Draws
from samples import module_of, samples

from tests.backends.tensorflow.test_operations import tolerance
from tests.backends.tflite.random_ops import MAKERS, draw_case

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

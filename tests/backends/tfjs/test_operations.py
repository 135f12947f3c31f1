"""Every operation in TensorFlow.js: written, run by node, read again."""

from __future__ import annotations

import pytest
from nhwcc.compiler.opdef import OPS, Draws
from samples import module_of, samples

from tests.backends.tensorflow.test_operations import KNOWN, tolerance
from tests.backends.tflite.random_ops import MAKERS, draw_case

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

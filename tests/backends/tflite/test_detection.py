"""Boxes that overlap no better one, in the TFLite runtime."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from nhwcc.compiler.dims import symbol

from .conftest import Check, single
from .test_refusals import refused

N = symbol("found")

RNG = np.random.default_rng(5)
BOXES = RNG.random((2, 20, 4)).astype(np.float32)
SCORES = RNG.random((2, 3, 20)).astype(np.float32)


@pytest.mark.parametrize("overlap", [0.0, 0.1, 0.5, 1.0])
@pytest.mark.parametrize("threshold", [None, 0.4, 2.0])
@pytest.mark.parametrize("centred", [False, True])
def test_selection(check: Check, overlap: float, threshold: float | None, centred: bool) -> None:
    for limit in (1, 4, 50):
        fields: dict[str, Any] = {
            "limit": limit,
            "overlap": overlap,
            "count": N,
            "threshold": threshold,
            "centred": centred,
        }
        module = single("non_max_suppression", "f32[2,20,4]", "f32[2,3,20]", **fields)
        check(module, inputs={"x0": BOXES, "x1": SCORES}, delegates=[True])


def test_a_limit_that_is_just_reached_is_no_overlap(check: Check) -> None:
    boxes = [[[0, 0, 1, 1], [0, 0, 1, 0.5], [0, 0, 1, 0.5078125]]]
    module = single("non_max_suppression", "f32[1,3,4]", "f32[1,1,3]", limit=3, overlap=0.5, count=N)
    check(module, inputs={"x0": boxes, "x1": [[[0.9, 0.8, 0.7]]]})


def test_any_number_of_boxes(check: Check) -> None:
    module = single("non_max_suppression", "f32[1,n,4]", "f32[1,2,n]", limit=3, overlap=0.5, count=N)
    check(module, sizes=[{"n": 5}, {"n": 2}])


def test_an_unknown_number_of_classes_is_refused() -> None:
    module = single("non_max_suppression", "f32[1,4,4]", "f32[1,c,4]", limit=3, overlap=0.5, count=N)
    assert "boxes of 1 batches and c classes" in str(refused(module))

"""Where onnxruntime departs from the standard: its results are meant, or those of the standard on request."""

from __future__ import annotations

from typing import Any

import numpy as np
import onnxruntime  # pyright: ignore[reportMissingTypeStubs]
import pytest
from nhwcc.compiler.types import Array
from onnx import ModelProto
from onnx.reference import ReferenceEvaluator
from onnx_models import imported, model, node, results

import nhwcc

RUNTIME: Any = onnxruntime


def resizing(mode: str) -> ModelProto:
    how = {"mode": mode, "coordinate_transformation_mode": "align_corners"}
    scales = np.asarray([1, 1, 1.3, 1.7], np.float32)
    return model([node("Resize", "x _ s", "y", **how)], {"x": (1, 2, 5, 5)}, ["y"], {"s": scales}, version=19)


def unpooling() -> ModelProto:
    places = np.asarray([[[[5, 7], [13, 15]]]], np.int64)
    shape = np.asarray([1, 1, 5, 5], np.int64)
    how = {"kernel_shape": [2, 2], "strides": [2, 2]}
    return model([node("MaxUnpool", "x i s", "y", **how)], {"x": (1, 1, 2, 2)}, ["y"], {"i": places, "s": shape})


CASES = {**{mode: resizing(mode) for mode in ("linear", "nearest", "cubic")}, "unpool": unpooling()}


def picture(proto: ModelProto) -> Array:
    shape = [d.dim_value for d in proto.graph.input[0].type.tensor_type.shape.dim]
    return np.random.default_rng(0).standard_normal(shape).astype(np.float32)


@pytest.mark.parametrize("name", CASES)
def test_both_sides(name: str) -> None:
    proto = CASES[name]
    x = picture(proto)
    session = RUNTIME.InferenceSession(proto.SerializeToString(), providers=["CPUExecutionProvider"])
    there: Array = session.run(None, {"x": x})[0]
    standard: Any = ReferenceEvaluator(proto)
    text: Array = standard.run(None, {"x": x})[0]
    assert np.abs(there - text).max() > 0.1, "the two have come to agree: the table in the docs is old"
    np.testing.assert_allclose(results(imported(proto), x=x)[0], there, atol=1e-5)
    np.testing.assert_allclose(results(imported(proto, by_standard=True), x=x)[0], text, atol=1e-5)


def test_verified_against_what_is_meant() -> None:
    for by_standard, against in ((False, "onnxruntime"), (True, "the reference interpreter")):
        found = nhwcc.compile(CASES["linear"], by_standard=by_standard).report.verification
        assert found is not None and found.proven and found.reference.startswith(against)

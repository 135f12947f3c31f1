"""The functions of the protocol, in both modules."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from nhwcc.compiler.diagnostics import CompileError
from onnx import TensorProto, helper
from onnx.backend.base import Backend
from onnx_models import model, node

from nhwcc.onnx_backend import interpreter, tflite

BACKENDS: list[Any] = [interpreter, tflite]
RELU = model([node("Relu", "x", "y")], {"x": ("n", 2)}, ["y"])


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_model_runs_at_several_sizes(backend: Any) -> None:
    prepared = backend.prepare(RELU)
    for size in (1, 3):
        x = np.linspace(-1, 1, size * 2, dtype=np.float32).reshape(size, 2)
        (y,) = prepared.run([x])
        np.testing.assert_array_equal(y, np.maximum(x, 0))
        assert prepared.run({"x": x}).y.shape == (size, 2)
    assert prepared.specialized == ()


@pytest.mark.parametrize("backend", BACKENDS)
def test_what_must_be_known_is_compiled_in(backend: Any) -> None:
    """How many boxes a suppression keeps: the model is compiled anew for every other number."""
    boxes = np.asarray([[[0, 0, 1, 1], [2, 2, 3, 3], [4, 4, 5, 5]]], np.float32)
    scores = np.asarray([[[0.9, 0.8, 0.7]]], np.float32)
    inputs = {"boxes": boxes.shape, "scores": scores.shape, "most": (1,)}
    proto = model([node("NonMaxSuppression", "boxes scores most", "y")], inputs, ["y"])
    proto.graph.input[2].type.tensor_type.elem_type = proto.graph.output[0].type.tensor_type.elem_type = (
        TensorProto.INT64
    )
    prepared = backend.prepare(proto)
    for most in (1, 2):
        (y,) = prepared.run([boxes, scores, np.asarray([most])])
        np.testing.assert_array_equal(y[:, 2], range(most))
    assert prepared.specialized == ("most",)


@pytest.mark.parametrize("backend", BACKENDS)
def test_run_model_and_run_node(backend: Any) -> None:
    x = np.asarray([[-1, 2]], np.float32)
    np.testing.assert_array_equal(backend.run_model(RELU, [x])[0], [[0, 2]])
    clip = helper.make_node("Clip", ["x", "", "high"], ["y"])
    np.testing.assert_array_equal(backend.run_node(clip, [x, np.asarray(1, np.float32)])[0], [[-1, 1]])
    old = helper.make_node("Clip", ["x"], ["y"], min=0.0)
    np.testing.assert_array_equal(backend.run_node(old, [x], opset_version=6)[0], [[0, 2]])


@pytest.mark.parametrize("backend", BACKENDS)
def test_devices(backend: Any) -> None:
    assert backend.supports_device("CPU") and not backend.supports_device("CUDA")
    with pytest.raises(CompileError) as caught:
        backend.prepare(RELU, "CUDA")
    assert caught.value.diagnostics[0].code == "R017"


@pytest.mark.parametrize("backend", BACKENDS)
def test_what_is_refused_at_once(backend: Any) -> None:
    with pytest.raises(CompileError) as caught:
        backend.prepare(model([node("Frobnicate", "x", "y")], {"x": (1,)}, ["y"]))
    assert caught.value.diagnostics[0].code == "F001"


def test_classes_follow_the_protocol() -> None:
    assert issubclass(interpreter.InterpreterBackend, Backend) and issubclass(tflite.TfliteBackend, Backend)

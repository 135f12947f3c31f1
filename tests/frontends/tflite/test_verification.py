"""What a file that is compiled again is compared with."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from nhwcc.formats.tflite.model import options

import nhwcc
from nhwcc.runners.tflite import TfliteRunner

from .building import new_graph, save


def hybrid(path: Path, builtin: str) -> Path:
    """Write a file of one builtin that multiplies numbers by a weight of 8 bits."""
    graph = new_graph()
    rng = np.random.default_rng(0)
    shape, scales, axis, fields = WEIGHTS[builtin]
    x = graph.input("f32[4,64]" if builtin == "FULLY_CONNECTED" else "f32[2,6,5,4]", "x")
    scale = [0.01 * (i + 1) for i in range(scales)] if scales > 1 else 0.01
    w = graph.constant(rng.integers(-127, 128, shape).astype(np.int8), (scale, 0, axis))
    bias = -1 if builtin == "FULLY_CONNECTED" else graph.constant(rng.standard_normal(8).astype(np.float32))
    result = "f32[4,8]" if builtin == "FULLY_CONNECTED" else "f32[2,6,5,8]"
    version = {"FULLY_CONNECTED": 9, "CONV_2D": 5, "DEPTHWISE_CONV_2D": 6}[builtin]
    return save(graph, graph.call(builtin, [x, w, bias], [result], fields, version), path)


CONV = {"padding": "SAME", "strideH": 1, "strideW": 1}

WEIGHTS = {
    "FULLY_CONNECTED": ((8, 64), 1, 0, options("FullyConnectedOptions", asymmetricQuantizeInputs=True)),
    "CONV_2D": ((8, 3, 3, 4), 8, 0, options("Conv2DOptions", **CONV)),
    "DEPTHWISE_CONV_2D": ((1, 3, 3, 8), 8, 3, options("DepthwiseConv2DOptions", **CONV, depthMultiplier=2)),
}
"""By builtin: a weight's shape, how many scales it has along which axis, options."""


def test_transposed_convolutions_round_too(tmp_path: Path) -> None:
    """Those whose windows lie side by side, too, which are products elsewhere."""
    graph = new_graph()
    rng = np.random.default_rng(0)
    x = graph.input("f32[2,3,4,6]", "x")
    scales = [0.01 * (i + 1) for i in range(5)]
    parts = [graph.constant(rng.integers(-127, 128, (5, k, k, 6)).astype(np.int8), (scales, 0, 0)) for k in (3, 2)]
    shape = graph.constant(np.asarray([2, 6, 8, 5], np.int32))
    fields = options("TransposeConvOptions", padding="SAME", strideH=2, strideW=2)
    outs = [graph.call("TRANSPOSE_CONV", [shape, w, x], ["f32[2,6,8,5]"], fields, 2)[0] for w in parts]
    report = nhwcc.compile(save(graph, outs, tmp_path / "m.tflite"), tmp_path / "again.tflite").report
    assert report.ops_after == {"TRANSPOSE_CONV": 2}
    assert report.verification is not None and all(o.difference.error == 0 for o in report.verification.outputs)


@pytest.mark.parametrize("builtin", WEIGHTS)
def test_kernels_that_round_do_so_again(builtin: str, tmp_path: Path) -> None:
    path = hybrid(tmp_path / "m.tflite", builtin)
    report = nhwcc.compile(path, tmp_path / "again.tflite").report
    assert report.ops_after == {builtin: 1}
    assert report.verification is not None and all(o.difference.error == 0 for o in report.verification.outputs)


def test_targets_that_do_not_round(tmp_path: Path) -> None:
    """A hybrid kernel departs from the numbers further than any tolerance allows."""
    path = hybrid(tmp_path / "m.tflite", "FULLY_CONNECTED")
    report = nhwcc.compile(path, tmp_path / "again.onnx").report
    assert report.verification is not None and report.verification.ok
    assert any("verified against the reference interpreter" in r.text for r in report.remarks)


def test_rounding_of_some_kernels_only(tmp_path: Path) -> None:
    """One that can't be written as a kernel that rounds lets all others compute with numbers as they are."""
    graph = new_graph()
    rng = np.random.default_rng(0)
    x = graph.input("f32[3,4,64]", "x")
    w, other = (graph.constant(rng.integers(-127, 128, (64, 64)).astype(np.int8), (0.01, 0, 0)) for _ in range(2))
    keeps = options("FullyConnectedOptions", keepNumDims=True)
    (y,) = graph.call("FULLY_CONNECTED", [x, w, -1], ["f32[3,4,64]"], keeps, 9)
    fields = options("BatchMatMulOptions", adjX=False, adjY=True)
    path = save(graph, graph.call("BATCH_MATMUL", [y, other], ["f32[3,4,64]"], fields, 4), tmp_path / "m.tflite")
    report = nhwcc.compile(path, tmp_path / "again.tflite").report
    assert report.verification is not None and report.verification.ok
    assert any("verified against the reference interpreter" in r.text for r in report.remarks)


def test_files_with_states_are_run_as_in_a_first_call(tmp_path: Path) -> None:
    graph = new_graph()
    rng = np.random.default_rng(0)
    x = graph.input("f32[2,5,3]", "x")
    weights = [graph.constant(rng.standard_normal(s).astype(np.float32)) for s in ((4, 3), (4, 4), (4,))]
    state = graph.tensor("f32[2,4]", "h", is_variable=True)
    fields = options("SequenceRNNOptions", fusedActivationFunction="TANH")
    (y,) = graph.call("UNIDIRECTIONAL_SEQUENCE_RNN", [x, *weights, state], ["f32[2,5,4]"], fields)
    path = save(graph, [y], tmp_path / "m.tflite")
    given = {"x": rng.standard_normal((2, 5, 3)).astype(np.float32)}
    with TfliteRunner(path) as runner:
        (first,), (second,) = runner.run(given).values(), runner.run(given).values()
    np.testing.assert_array_equal(first, second)
    report = nhwcc.compile(path, tmp_path / "again.tflite").report
    assert report.verification is not None and all(o.difference.error < 1e-5 for o in report.verification.outputs)

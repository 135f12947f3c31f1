"""What a file that is compiled again is compared with."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from nhwcc.formats.tflite.model import options

import nhwcc
from nhwcc.runners.tflite import TfliteRunner

from .building import new_graph, save


def test_files_whose_kernels_round(tmp_path: Path) -> None:
    """A hybrid kernel departs from the numbers further than any tolerance allows."""
    graph = new_graph()
    rng = np.random.default_rng(0)
    x = graph.input("f32[4,64]", "x")
    w = graph.constant(rng.integers(-127, 128, (8, 64)).astype(np.int8), (0.01, 0, 0))
    (y,) = graph.call("FULLY_CONNECTED", [x, w, -1], ["f32[4,8]"], options("FullyConnectedOptions"), 3)
    path = save(graph, [y], tmp_path / "m.tflite")
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

"""The hundred seeded networks about layout: right numbers in the runtime, and the optimum that brute force proves."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import pytest
from brute_force import least_bytes, solved
from nhwcc.backends.tflite import PIPELINE, emit
from nhwcc.backends.tflite.runtime import TfliteModel
from nhwcc.compiler.diagnostics import collect_remarks
from nhwcc.compiler.ir import Module
from nhwcc.compiler.ops.shape import inverse
from nhwcc.compiler.pipeline import parse_pipeline
from nhwcc.frontends.onnx import import_onnx

from benchmarks.layout_nets import COUNT, network
from nhwcc.pipelines import register_passes
from nhwcc.runners.onnx import OnnxRunner


def claimed(module: Module) -> tuple[int, float, float]:
    """Run the passes; return the Transposes and bytes that propagate-layout claims, and the least bytes there are.

    What forms count that it takes instead of transposes does not belong to the claim.
    """
    register_passes()
    least = 0.0
    with collect_remarks() as remarks:
        for p in parse_pipeline(PIPELINE):
            if p.name == "propagate-layout":
                least = least_bytes(module.main) - solved(module.main).charge
            p.run(module)
    text = next(r.text for r in remarks if r.by == "propagate-layout" and r.kind == "note")
    transposes, size = (text.split()[i] for i in (0, 2))
    return int(transposes), float(size.replace(",", "")), least


@pytest.mark.parametrize("equal", [False, True], ids=["sizes", "equal sizes"])
@pytest.mark.parametrize("seed", range(COUNT))
def test_network(seed: int, equal: bool, tmp_path: Path) -> None:
    source = network(seed, equal=equal)
    module = import_onnx(source)
    transposes, size, least = claimed(module)
    assert size == least
    emitted = emit(module, tmp_path / "net.tflite")
    assert emitted.ops["TRANSPOSE"] == transposes

    reference = OnnxRunner(source)
    x = np.random.default_rng(seed).standard_normal(module_input(source)).astype(np.float32)
    (port,) = module.main.inputs
    results = TfliteModel(tmp_path / "net.tflite").run({port.name: x.transpose(port.perm or range(x.ndim))})
    for out in module.main.outputs:
        got, want = results[out.name], reference.run({"x": x})[out.name]
        got = got if out.perm is None else got.transpose(inverse(out.perm))
        np.testing.assert_allclose(got, want, rtol=1e-4, atol=1e-5 * float(np.abs(want).max()))


def module_input(source: onnx.ModelProto) -> list[int]:
    """The sizes of the only input."""
    (declared,) = source.graph.input
    return [d.dim_value for d in declared.type.tensor_type.shape.dim]

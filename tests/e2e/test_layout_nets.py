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
from nhwcc.passes.layout.proof import LayoutProof

from benchmarks.layout_nets import COUNT, network
from nhwcc.pipelines import register_passes
from nhwcc.runners.onnx import OnnxRunner


def compiled(module: Module, path: Path) -> tuple[LayoutProof, float]:
    """Run the passes and write the file; return what is claimed of its Transposes, and the least bytes there are.

    What forms count that are taken instead of transposes does not belong to the claim.
    """
    register_passes()
    least = 0.0
    with collect_remarks() as remarks:
        for p in parse_pipeline(PIPELINE):
            if p.name == "propagate-layout":
                least = least_bytes(module.main) - solved(module.main).charge
            p.run(module)
    proof = LayoutProof.of(remarks, emit(module, path).ops["TRANSPOSE"])
    assert proof is not None
    return proof, least


@pytest.mark.parametrize("equal", [False, True], ids=["sizes", "equal sizes"])
@pytest.mark.parametrize("seed", range(COUNT))
def test_network(seed: int, equal: bool, tmp_path: Path) -> None:
    source = network(seed, equal=equal)
    module = import_onnx(source)
    proof, least = compiled(module, tmp_path / "net.tflite")
    assert proof.bytes == least and proof.is_proven

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

"""Small networks in floats, as they are before quantization, and what calibration sees of them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from nhwcc.backends.registry import find_target
from nhwcc.compiler.clone import clone_module
from nhwcc.compiler.diagnostics import collect_remarks
from nhwcc.compiler.interpreter import run
from nhwcc.compiler.ir import Module, Op
from nhwcc.compiler.pipeline import Pipeline, parse_pipeline
from nhwcc.compiler.types import Array
from nhwcc.frontends.onnx import import_onnx
from nhwcc.passes.quantization.names import value_names
from nhwcc.passes.quantization.quantize import Recipe, quantize
from nhwcc.passes.quantization.statistics import Calibration, Statistics
from onnx import NodeProto, TensorProto, helper, numpy_helper

from nhwcc.pipelines import register_passes

register_passes()
TARGET = find_target("tflite")


def network(nodes: Sequence[NodeProto], x: Sequence[int], weights: dict[str, Array], *outputs: str) -> Module:
    """Import nodes that read ``x`` and compile them in floats."""
    graph = helper.make_graph(
        list(nodes),
        "test",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, list(x))],
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, None) for name in outputs or ("y",)],
        [numpy_helper.from_array(np.asarray(w), name) for name, w in weights.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    module = import_onnx(model)
    Pipeline([p for p in parse_pipeline(TARGET.pipeline) if not p.after_quantization]).run(module)
    return module


def samples(module: Module, count: int = 8, scale: float = 1.0) -> list[list[Array]]:
    """Return seeded inputs of a network."""
    rng = np.random.default_rng(1)
    shapes = [[int(str(d)) for d in a.type.shape] for a in module.main.args]
    return [[(rng.standard_normal(s) * scale).astype(np.float32) for s in shapes] for _ in range(count)]


def calibrated(module: Module, given: Sequence[Sequence[Array]]) -> Calibration:
    """Return statistics of all values, from runs of the reference interpreter."""
    names = value_names(module.main)
    seen: Calibration = {}

    def observe(op: Op, results: Sequence[Array]) -> None:
        for value, array in zip(op.results, results, strict=True):
            if value in names:
                seen.setdefault(names[value], Statistics()).add(array)

    for inputs in given:
        for arg, array in zip(module.main.args, inputs, strict=True):
            seen.setdefault(names[arg], Statistics()).add(array)
        run(module.main, inputs, observe)
    return seen


def quantized(module: Module, recipe: Recipe) -> tuple[Module, list[str]]:
    """Return a quantized copy that is legal once more, and what was remarked."""
    assert TARGET.integers is not None
    copy = clone_module(module)
    with collect_remarks() as remarks:
        quantize(copy.main, recipe, TARGET.integers)
    Pipeline(parse_pipeline("legalize,search-integers,cse,dce")).run(copy)
    return copy, [r.text for r in remarks if r.by == "quantize"]


def decibels(want: Array, got: Array) -> float:
    """How far two arrays are apart."""
    return float(10 * np.log10((want**2).mean() / max(((want - got) ** 2).mean(), 1e-30)))

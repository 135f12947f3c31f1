"""Networks that OpenVINO converts from ONNX, and what they become; all operations there and back."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from models import onnx_model
from nhwcc.backends.onnx.target import TARGET
from nhwcc.compiler.dims import substitute
from nhwcc.compiler.interpreter import random_tensor
from nhwcc.compiler.interpreter import run as interpret
from nhwcc.compiler.opdef import OPS, Draws
from nhwcc.frontends.openvino import import_openvino
from onnx import ModelProto, TensorProto, helper, numpy_helper, save_model
from samples import module_of, samples

import nhwcc

from .building import f32, openvino

pytest.importorskip("openvino")


def network(nodes: list[Any], x: list[Any], y: str, **constants: Any) -> ModelProto:
    """A network with one input ``x`` and one output."""
    graph = helper.make_graph(
        nodes,
        "g",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, x)],
        [helper.make_empty_tensor_value_info(y)],
        [numpy_helper.from_array(np.asarray(a), n) for n, a in constants.items()],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9)


def segmenter() -> ModelProto:
    """Down, up, joined, with a gate of global means: what is between convolutions in such networks."""
    node = helper.make_node
    nodes = [
        node("Conv", ["x", "w0"], ["a"], pads=[1, 1, 1, 1], strides=[2, 2]),
        node("HardSwish", ["a"], ["b"]),
        node("GlobalAveragePool", ["b"], ["m"]),
        node("Conv", ["m", "w1"], ["n"]),
        node("HardSigmoid", ["n"], ["g"], alpha=1 / 6, beta=0.5),
        node("Mul", ["b", "g"], ["c"]),
        node("MaxPool", ["c"], ["p"], kernel_shape=[3, 3], strides=[2, 2], pads=[1, 1, 1, 1]),
        node("Conv", ["p", "w2"], ["q"], group=8, pads=[1, 1, 1, 1]),
        node("Resize", ["q", "", "scales"], ["u"], mode="linear"),
        node("Concat", ["u", "c"], ["j"], axis=1),
        node("ConvTranspose", ["j", "w3"], ["y"], strides=[2, 2], pads=[1, 1, 1, 1], output_padding=[1, 1]),
    ]
    weights = {"w0": f32(8, 3, 3, 3), "w1": f32(8, 8, 1, 1), "w2": f32(8, 1, 3, 3), "w3": f32(16, 2, 3, 3)}
    return network(nodes, [1, 3, 32, 24], "y", scales=np.asarray([1, 1, 2, 2], np.float32), **weights)


def transformer() -> ModelProto:
    """A layer of attention in two heads over an open number of steps, with norms and a gated sum."""
    node = helper.make_node
    nodes = [
        node("LayerNormalization", ["x", "s", "b"], ["n"]),
        *(node("MatMul", ["n", f"w{k}"], [f"m{k}"]) for k in "qkv"),
        *(node("Reshape", [f"m{k}", "heads"], [f"r{k}"]) for k in "qkv"),
        *(node("Transpose", [f"r{k}"], [f"t{k}"], perm=[0, 2, 3, 1] if k == "k" else [0, 2, 1, 3]) for k in "qkv"),
        node("MatMul", ["tq", "tk"], ["scores"]),
        node("Mul", ["scores", "half"], ["scaled"]),
        node("Softmax", ["scaled"], ["shares"], axis=-1),
        node("MatMul", ["shares", "tv"], ["mixed"]),
        node("Transpose", ["mixed"], ["back"], perm=[0, 2, 1, 3]),
        node("Reshape", ["back", "flat"], ["whole"]),
        node("Gelu", ["whole"], ["gate"], approximate="tanh"),
        node("Add", ["x", "gate"], ["y"]),
    ]
    weights = {f"w{k}": f32(8, 8) / 3 for k in "qkv"}
    shapes = {"heads": np.asarray([0, 0, 2, 4]), "flat": np.asarray([0, 0, 8])}
    model = network(nodes, [1, "steps", 8], "y", s=f32(8), b=f32(8), half=np.float32(0.5), **weights, **shapes)
    model.opset_import[0].version = 20
    return model


def recurrent() -> ModelProto:
    """A recurrent layer in both directions, and what is made of its last step."""
    node = helper.make_node
    nodes = [
        node("LSTM", ["x", "w", "r", "b"], ["all", "h", "c"], hidden_size=5, direction="bidirectional"),
        node("Transpose", ["h"], ["t"], perm=[1, 0, 2]),
        node("Reshape", ["t", "flat"], ["last"]),
        node("Gemm", ["last", "v"], ["y"], transB=1),
    ]
    weights = {"w": f32(2, 20, 4), "r": f32(2, 20, 5), "b": f32(2, 40), "v": f32(3, 10)}
    return network(nodes, [6, 2, 4], "y", flat=np.asarray([0, -1]), **weights)


NETWORKS = {"small": onnx_model, "segmenter": segmenter, "transformer": transformer, "recurrent": recurrent}


@pytest.mark.parametrize("halves", [False, True])
@pytest.mark.parametrize("name", NETWORKS)
def test_converted(name: str, halves: bool, tmp_path: Path) -> None:
    """Read as OpenVINO wrote it, compiled and verified against OpenVINO."""
    save_model(NETWORKS[name](), str(tmp_path / "m.onnx"))
    ov = openvino()
    ov.save_model(ov.convert_model(str(tmp_path / "m.onnx")), str(tmp_path / "m.xml"), compress_to_fp16=halves)
    report = nhwcc.compile(tmp_path / "m.xml", tmp_path / "m.tflite").report
    assert report.verification is not None and report.verification.reference.startswith("OpenVINO")
    assert [p.name for p in report.inputs] == [i.name for i in NETWORKS[name]().graph.input]
    assert [p.name for p in report.outputs] == [o.name for o in NETWORKS[name]().graph.output]
    if name in ("small", "segmenter"):
        assert report.transposes_after == 0 and report.ops_after.get("PAD", 0) <= 1  # a stride of 2 pads otherwise
    if name == "recurrent":
        assert report.transposes_after <= 2


UNKNOWN = ("bit_cast", "cum_prod", "det")
"""Operations that OpenVINO can't convert from ONNX."""


@pytest.mark.long
@pytest.mark.parametrize("name", [n for n in samples() if n not in ("custom", *UNKNOWN) and not OPS[n].spec.has(Draws)])
def test_there_and_back(name: str, tmp_path: Path) -> None:
    """Written as ONNX, converted by OpenVINO, and read again."""
    func = samples()[name]
    nhwcc.compile(module_of(func), tmp_path / f"m{TARGET.suffix}", io_layout="keep", verify=False)
    ov = openvino()
    ov.serialize(ov.convert_model(str(tmp_path / "m.onnx")), str(tmp_path / "m.xml"))
    read = import_openvino(tmp_path / "m.xml")
    sizes = {d: 2 if d == "batch" else 3 for a in func.args for s in a.type.shape for d in getattr(s, "names", ())}
    rng = np.random.default_rng(0)
    inputs = {
        p.name: random_tensor(a.type.with_shape(substitute(a.type.shape, sizes)), rng, 4)
        for p, a in zip(func.inputs, func.args, strict=True)
    }
    found = interpret(read.main, [inputs[p.name] for p in read.main.inputs])
    for got, want in zip(found, interpret(func, list(inputs.values())), strict=True):
        np.testing.assert_allclose(got.astype(np.float64), want.astype(np.float64), rtol=1e-4, atol=1e-4)

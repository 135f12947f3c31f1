"""Quantized graphs with their scales stated: QuantizeLinear and DequantizeLinear become operations of the IR."""

from __future__ import annotations

from typing import Any

import numpy as np
import onnxruntime
import pytest
from agreement import agrees, contrib_node
from local import LocalWorker
from nhwcc.compiler.ops.integer import ConvInteger, MatMulInteger
from nhwcc.compiler.ops.quantize import Dequantize, DynamicQuantize, Quantize
from nhwcc.compiler.types import Array
from onnx import ModelProto, NodeProto, helper
from onnx_models import imported, model, results

import nhwcc

RNG = np.random.default_rng(4)
ort: Any = onnxruntime


@pytest.fixture(autouse=True)
def local_runtime(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("nhwcc.runners.tflite.start", LocalWorker)


def node(op: str, inputs: str, outputs: str, **attributes: Any) -> NodeProto:
    """A node of the standard with a name of its own."""
    return contrib_node(op, inputs, outputs, "", **attributes)


def whole(dtype: Any, *shape: int) -> Array:
    info = np.iinfo(dtype)
    return RNG.integers(info.min + 1, info.max + 1, shape).astype(dtype)


def steps(name: str, after: str, scale: str) -> list[NodeProto]:
    """To integers and back."""
    there = node("QuantizeLinear", f"{name} {scale} z", f"{after}_q")
    return [there, node("DequantizeLinear", f"{after}_q {scale} z", after)]


def network(weights: Any, per_channel: bool) -> ModelProto:
    """A convolution, one per channel, one of a pixel, and a layer: weights and biases are integers."""
    nodes = steps("x", "a0", "s0")
    constants: dict[str, Any] = {"z": np.int8(3), "zb": np.int32(0), "s0": np.float32(0.03)}
    fields: list[dict[str, Any]] = [{"pads": [1] * 4}, {"pads": [1] * 4, "strides": [2, 2], "group": 6}, {}]
    middle = np.asarray(0 if weights is np.int8 else 128, weights)
    for i, (shape, attributes) in enumerate(zip(((6, 3, 3, 3), (6, 1, 3, 3), (8, 6, 1, 1)), fields, strict=True)):
        scales = (RNG.random(shape[0]) * 0.01 + 0.001).astype(np.float32) if per_channel else np.float32(0.004)
        zeros = np.full(scales.shape, middle)
        constants |= {f"w{i}": whole(weights, *shape), f"ws{i}": scales, f"wz{i}": zeros}
        constants |= {f"b{i}": RNG.integers(-900, 900, shape[0]).astype(np.int32), f"bs{i}": np.float32(0.001)}
        constants[f"s{i + 1}"] = np.float32(0.05)
        nodes += [
            node("DequantizeLinear", f"w{i} ws{i} wz{i}", f"f{i}", axis=0),
            node("DequantizeLinear", f"b{i} bs{i} zb", f"c{i}"),
            node("Conv", f"a{i} f{i} c{i}", f"y{i}", **attributes),
            node("Relu", f"y{i}", f"r{i}"),
            *steps(f"r{i}", f"a{i + 1}", f"s{i + 1}"),
        ]
    scales = (RNG.random(5) * 0.01 + 0.001).astype(np.float32) if per_channel else np.float32(0.004)
    constants |= {"w": whole(weights, 8, 5), "ws": scales, "wz": np.full(scales.shape, middle), "s": np.float32(0.02)}
    nodes += [
        node("GlobalAveragePool", "a3", "g"),
        node("Flatten", "g", "h"),
        *steps("h", "i", "s"),
        node("DequantizeLinear", "w ws wz", "k", axis=1),
        node("MatMul", "i k", "j"),
        *steps("j", "y", "s"),
    ]
    return model(nodes, {"x": (2, 3, 9, 8)}, ["y"], constants)


@pytest.mark.parametrize("per_channel", [False, True])
@pytest.mark.parametrize("weights", [np.int8, np.uint8])
def test_a_network(weights: Any, per_channel: bool) -> None:
    """The file states scales, and kernels on integers run from the first rounding to the last."""
    proto = network(weights, per_channel)
    feed = {"x": RNG.standard_normal((2, 3, 9, 8)).astype(np.float32)}
    session: Any = ort.InferenceSession(proto.SerializeToString(), providers=["CPUExecutionProvider"])
    artifact = nhwcc.compile(proto, verify=False)
    (want,) = session.run(None, feed)
    (exact,) = results(imported(proto), **feed)
    nhwc = {"x": np.moveaxis(feed["x"], 1, -1)}
    for got in (exact, artifact(**nhwc)["y"]):
        assert np.abs(got - want).max() <= 1.001 * 0.02
    assert artifact.report.ops_after == {
        "QUANTIZE": 1,
        "DEQUANTIZE": 1,
        "CONV_2D": 2,
        "DEPTHWISE_CONV_2D": 1,
        "PAD": 1,
        "MEAN": 1,
        "RESHAPE": 1,
        "FULLY_CONNECTED": 1,
    }


def operations(proto: ModelProto) -> list[type]:
    return [type(op) for op in imported(proto).main.ops if isinstance(op, Quantize | Dequantize)]


@pytest.mark.parametrize("dtype", [np.int8, np.uint8, np.int16])
def test_scales_along_an_axis(dtype: Any) -> None:
    nodes = [node("QuantizeLinear", "x s z", "q", axis=-2), node("DequantizeLinear", "q s z", "y", axis=1)]
    zeros = np.zeros(3, dtype) if dtype is np.int16 else np.asarray([1, 5, 9], dtype)
    proto = model(
        nodes, {"x": (2, 3, 4)}, ["q", "y"], {"s": np.asarray([0.1, 0.02, 0.5], np.float32), "z": zeros}, version=21
    )
    assert operations(proto) == [Quantize, Dequantize]
    agrees(proto, {"x": RNG.standard_normal((2, 3, 4)).astype(np.float32)})


def test_what_no_file_states_is_arithmetic() -> None:
    """Scales of blocks, or of integers that the runtime has no scales for."""
    x = {"x": (3, 4)}
    blocks = {"s": np.asarray([[0.1, 0.2]] * 3, np.float32)}
    by_block = model([node("QuantizeLinear", "x s", "y", axis=1, block_size=2)], x, ["y"], blocks, version=21)
    nodes = [node("DequantizeLinear", "c s", "d"), node("Mul", "x d", "y")]
    wide = model(nodes, x, ["y"], {"c": np.arange(4, dtype=np.int32), "s": np.float32(0.1)})
    for proto in (by_block, wide):
        assert operations(proto) == []
    agrees(by_block, {"x": RNG.standard_normal((3, 4)).astype(np.float32)})


def test_computed_scales_and_zero_points() -> None:
    nodes = [node("QuantizeLinear", "x s z", "q"), node("DequantizeLinear", "q s z", "y")]
    proto = model(nodes, {"x": (3, 4), "s": ()}, ["q", "y"], {"zero": np.asarray([2, 3], np.uint8)})
    proto.graph.node.insert(0, node("ReduceMax", "zero", "z", keepdims=0))
    assert operations(proto) == [Quantize, Dequantize]
    agrees(proto, {"x": RNG.standard_normal((3, 4)).astype(np.float32), "s": np.asarray(0.03, np.float32)})


def whole_operations(proto: ModelProto) -> list[type]:
    kinds = DynamicQuantize | ConvInteger | MatMulInteger
    return [type(op) for op in imported(proto).main.ops if isinstance(op, kinds)]


@pytest.mark.parametrize(("zero", "is_whole"), [(3, True), ([3, 4], False)])
def test_convolutions_of_integers(zero: int | list[int], is_whole: bool) -> None:
    """With one zero point they are one operation; onnxruntime has no kernel for several."""
    nodes = [node("DynamicQuantizeLinear", "x", "q s p"), node("ConvInteger", "q w p z", "y", pads=[1, 0, 0, 1])]
    constants = {"w": whole(np.int8, 2, 3, 2, 2), "z": np.asarray(zero, np.int8)}
    proto = model(nodes, {"x": (2, 3, 5, 4)}, ["y"], constants)
    assert whole_operations(proto) == [DynamicQuantize, *([ConvInteger] if is_whole else [])]
    if is_whole:
        agrees(proto, {"x": RNG.standard_normal((2, 3, 5, 4)).astype(np.float32)}, tolerance=0)


@pytest.mark.parametrize(
    ("a_zero", "b_zero", "is_whole"), [(2, 3, True), (2, [1, 2, 3], True), ([1, 2], 3, False), (None, None, True)]
)
def test_products_of_integers(a_zero: Any, b_zero: Any, is_whole: bool) -> None:
    zeros = {name: np.asarray(z, np.uint8) for name, z in (("p", a_zero), ("z", b_zero)) if z is not None}
    nodes = [node("Cast", "x", "q", to=2), node("MatMulInteger", "q w p z" if zeros else "q w", "y")]
    proto = model(nodes, {"x": (2, 4)}, ["y"], {"w": whole(np.uint8, 4, 3), **zeros})
    assert whole_operations(proto) == ([MatMulInteger] if is_whole else [])
    if is_whole:
        agrees(proto, {"x": RNG.integers(0, 256, (2, 4)).astype(np.float32)}, tolerance=0)


def test_what_is_rounded_while_it_runs_is_rounded_as_by_onnxruntime() -> None:
    """To the last bit: networks amplify a single step, so that no difference may begin here."""
    nodes = [
        node("DynamicQuantizeLinear", "x", "q s z"),
        node("MatMulInteger", "q w z", "m"),
        node("Cast", "m", "f", to=1),
        node("Mul", "f s", "y"),
    ]
    proto = model(nodes, {"x": (40, 64)}, ["q", "s", "z", "y"], {"w": whole(np.int8, 64, 96)})
    draws = [RNG.standard_normal((40, 64)) * size + shift for size, shift in ((0.01, 0), (3, 1), (20, -7), (1, 9))]
    agrees(proto, *({"x": x.astype(np.float32)} for x in draws), tolerance=0)


def compiled(nodes: list[NodeProto], constants: dict[str, Any], **inputs: Any) -> dict[str, int]:
    """The builtins of a model whose constants ``w`` become ``d``; all runtimes agree on ``inputs``."""
    scales = {"s": np.float32(0.01), "z": np.int8(3)}
    shapes = {name: array.shape for name, array in inputs.items()}
    proto = model([node("DequantizeLinear", "w s z", "d"), *nodes], shapes, ["y"], constants | scales)
    for port in proto.graph.input:
        port.type.tensor_type.elem_type = helper.np_dtype_to_tensor_dtype(inputs[port.name].dtype)
    return agrees(proto, inputs)


def test_rows_of_a_table_are_scaled_when_they_are_found() -> None:
    indices = np.asarray([[3, 0], [-1, 8]])
    found = compiled([node("Gather", "d i", "y")], {"w": whole(np.int8, 9, 5)}, i=indices)
    assert (found["GATHER"], found["DEQUANTIZE"]) == (1, 1)


def test_what_no_kernel_takes_as_integers_is_stored_as_numbers() -> None:
    x = RNG.standard_normal((1, 3, 4, 5, 6)).astype(np.float32)
    assert "DEQUANTIZE" not in compiled([node("Conv", "x d", "y")], {"w": whole(np.int8, 2, 3, 2, 2, 2)}, x=x)
    assert "DEQUANTIZE" not in compiled([node("Mul", "x d", "y")], {"w": whole(np.int8, 5, 1)}, x=x)

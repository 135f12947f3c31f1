"""Kernels on integers: what onnxruntime computes, TFLite does, too, with the same scales and within a step."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import pytest
from local import LocalWorker
from nhwcc.backends.tflite.runtime import TfliteModel
from nhwcc.compiler.types import Array
from onnx import ModelProto, NodeProto, helper, numpy_helper

import nhwcc

ort: Any = onnxruntime
RNG = np.random.default_rng(7)
Scale = tuple[float, int]
Weights = tuple[Sequence[int], int | None]
IN: Scale = (0.04, 5)
OUT: Scale = (0.07, -9)
SHARE: Scale = (1 / 256, -128)


@dataclass
class Case:
    """Nodes between DequantizeLinear and QuantizeLinear; ``constants`` are floats, ``weights`` are quantized."""

    nodes: Sequence[NodeProto]
    inputs: dict[str, Sequence[int]]
    builtins: set[str]
    out: Scale = OUT
    weights: dict[str, Weights] = field(default_factory=lambda: dict[str, Weights]())
    constants: dict[str, Any] = field(default_factory=lambda: dict[str, Any]())
    scale: Scale = IN
    outputs: Sequence[str] = ("y",)


def n(op: str, inputs: str, outputs: str = "y", **attributes: Any) -> NodeProto:
    return helper.make_node(
        op, [i.replace("_", "") if i == "_" else i for i in inputs.split()], outputs.split(), **attributes
    )


def conv(name: str, shape: Sequence[int], axis: int | None, builtins: set[str], **attributes: Any) -> Case:
    channels = shape[1] * attributes.get("group", 1)
    outputs = shape[1] if name == "ConvTranspose" else shape[0]
    if name == "ConvTranspose":
        channels = shape[0]
    bias = RNG.standard_normal(outputs).astype(np.float32)
    return Case(
        [n(name, "x w b", **attributes)], {"x": (2, channels, 9, 8)}, builtins, weights={"w": (shape, axis)},
        constants={"b": bias},
    )  # fmt: skip


P = {"pads": [1, 1, 1, 1]}
CASES = {
    "conv": conv("Conv", (6, 4, 3, 3), None, {"CONV_2D"}, **P),
    "conv per channel": conv("Conv", (6, 4, 3, 3), 0, {"CONV_2D"}, **P),
    "strided": conv("Conv", (6, 4, 3, 3), 0, {"CONV_2D", "PAD"}, strides=[2, 2], **P),
    "dilated": conv("Conv", (6, 4, 3, 3), 0, {"CONV_2D"}, dilations=[2, 2]),
    "grouped": conv("Conv", (6, 2, 3, 3), 0, {"CONV_2D"}, group=2),
    "depthwise": conv("Conv", (6, 1, 3, 3), 0, {"DEPTHWISE_CONV_2D"}, group=6, **P),
    "depthwise per tensor": conv("Conv", (6, 1, 3, 3), None, {"DEPTHWISE_CONV_2D"}, group=6, **P),
    "upsampling": conv("ConvTranspose", (4, 3, 3, 3), None, {"TRANSPOSE_CONV"}, strides=[2, 2]),
    "upsampling per channel": conv("ConvTranspose", (4, 3, 3, 3), 1, {"TRANSPOSE_CONV"}, strides=[2, 2]),
    "blocks of pixels": conv("ConvTranspose", (4, 3, 2, 2), None, {"CONV_2D", "DEPTH_TO_SPACE"}, strides=[2, 2]),
    "blocks per channel": conv("ConvTranspose", (4, 3, 2, 2), 1, {"CONV_2D", "DEPTH_TO_SPACE"}, strides=[2, 2]),
    "conv and relu": Case(
        [n("Conv", "x w", "c", **P), n("Relu", "c")], {"x": (1, 4, 7, 7)}, {"CONV_2D"},
        weights={"w": ((6, 4, 3, 3), 0)},
    ),
    "conv and relu6": Case(
        [n("Conv", "x w", "c", **P), n("Clip", "c low high")], {"x": (1, 4, 7, 7)}, {"CONV_2D"},
        weights={"w": ((6, 4, 3, 3), 0)}, constants={"low": np.float32(0), "high": np.float32(6)},
    ),
    "gemm": Case(
        [n("Gemm", "x w b", transB=1)], {"x": (5, 8)}, {"FULLY_CONNECTED"}, weights={"w": ((7, 8), 0)},
        constants={"b": np.arange(7, dtype=np.float32)},
    ),
    "layer per column": Case(
        [n("MatMul", "x w", "m"), n("Add", "m b")], {"x": (2, 5, 8)}, {"FULLY_CONNECTED"},
        weights={"w": ((8, 7), 1)}, constants={"b": np.arange(7, dtype=np.float32)},
    ),
    "product": Case([n("MatMul", "a b")], {"a": (2, 5, 8), "b": (2, 8, 6)}, {"BATCH_MATMUL"}),
    "add": Case([n("Add", "a b")], {"a": (2, 3, 8), "b": (1, 3, 8)}, {"ADD"}),
    "add a constant": Case([n("Add", "x w")], {"x": (2, 3, 8)}, {"ADD"}, weights={"w": ((8,), None)}),
    "add and relu": Case([n("Add", "a b", "s"), n("Relu", "s")], {"a": (2, 3), "b": (2, 3)}, {"ADD"}),
    "sub": Case([n("Sub", "a b")], {"a": (2, 3, 8), "b": (2, 3, 8)}, {"SUB"}),
    "mul": Case([n("Mul", "a b")], {"a": (2, 3, 8), "b": (2, 1, 8)}, {"MUL"}),
    "average pool": Case(
        [n("AveragePool", "x", kernel_shape=[2, 2], strides=[2, 2])], {"x": (1, 3, 8, 8)}, {"AVERAGE_POOL_2D"}, IN
    ),
    "max pool": Case(
        [n("MaxPool", "x", kernel_shape=[2, 2], strides=[2, 2])], {"x": (1, 3, 8, 8)}, {"MAX_POOL_2D"}, IN
    ),
    "mean": Case([n("GlobalAveragePool", "x")], {"x": (2, 3, 8, 8)}, {"MEAN"}, (0.02, 3)),
    "reshape": Case([n("Reshape", "x s")], {"x": (2, 3, 4)}, {"RESHAPE"}, IN, constants={"s": np.asarray([6, 4])}),
    "transpose": Case([n("Transpose", "x", perm=[0, 2, 1])], {"x": (2, 3, 4)}, {"TRANSPOSE"}, IN),
    "pad": Case([n("Pad", "x p")], {"x": (2, 3)}, {"PADV2"}, IN, constants={"p": np.asarray([1, 0, 0, 2])}),
    "pad with a number": Case(
        [n("Pad", "x p v")], {"x": (2, 3)}, {"PADV2"}, IN,
        constants={"p": np.asarray([1, 0, 0, 2]), "v": np.float32(-1.2)},
    ),
    "slice": Case(
        [n("Slice", "x s e")], {"x": (4, 5)}, {"SLICE"}, IN, constants={"s": np.asarray([1]), "e": np.asarray([3])}
    ),
    "split": Case(
        [n("Split", "x s", "y z", axis=1)], {"x": (3, 4)}, {"SPLIT"}, IN, constants={"s": np.asarray([2, 2])},
        outputs=("y", "z"),
    ),
    "concat": Case([n("Concat", "a b", axis=1)], {"a": (2, 3), "b": (2, 4)}, {"CONCATENATION"}, IN),
    "concat of another scale": Case(
        [n("Concat", "a b", axis=1)], {"a": (2, 3), "b": (2, 4)}, {"CONCATENATION", "QUANTIZE"}
    ),
    "nearest": Case(
        [n("Resize", "x _ s", mode="nearest", coordinate_transformation_mode="asymmetric", nearest_mode="floor")],
        {"x": (1, 2, 3, 4)}, {"RESIZE_NEAREST_NEIGHBOR"}, IN,
        constants={"s": np.asarray([1, 1, 2, 2], np.float32)},
    ),
    "linear": Case(
        [n("Resize", "x _ s", mode="linear", coordinate_transformation_mode="half_pixel")],
        {"x": (1, 2, 3, 4)}, {"RESIZE_BILINEAR"}, IN,
        constants={"s": np.asarray([1, 1, 2, 2], np.float32)},
    ),
    "relu": Case([n("Relu", "x")], {"x": (3, 9)}, {"RELU"}, (0.02, -128)),
    "relu6": Case(
        [n("Clip", "x low high")], {"x": (3, 9)}, {"RELU6"}, (0.03, -128),
        constants={"low": np.float32(0), "high": np.float32(6)}, scale=(0.06, 3),
    ),
    "softmax": Case([n("Softmax", "x")], {"x": (3, 9)}, {"SOFTMAX"}, SHARE),
    "sigmoid": Case([n("Sigmoid", "x")], {"x": (3, 9)}, {"LOGISTIC"}, SHARE),
    "tanh": Case([n("Tanh", "x")], {"x": (3, 9)}, {"TANH"}, (1 / 128, 0)),
    "softmax of another scale": Case([n("Softmax", "x")], {"x": (3, 9)}, {"SOFTMAX", "QUANTIZE"}, (1 / 255, -128)),
    "sigmoid of another scale": Case([n("Sigmoid", "x")], {"x": (3, 9)}, {"LOGISTIC", "QUANTIZE"}, (1 / 255, -127)),
    "sigmoid of a finer scale": Case(
        [n("Sigmoid", "x")], {"x": (3, 9)}, {"DEQUANTIZE", "LOGISTIC", "QUANTIZE"}, (1 / 500, -128)
    ),
    "tanh of another scale": Case([n("Tanh", "x")], {"x": (3, 9)}, {"TANH", "QUANTIZE"}, (1 / 120, 3)),
    "coarser average pool": Case(
        [n("AveragePool", "x", kernel_shape=[2, 2], strides=[2, 2])], {"x": (1, 3, 8, 8)},
        {"AVERAGE_POOL_2D", "QUANTIZE"}, (0.05, 7),
    ),
    "hard swish": Case([n("HardSwish", "x")], {"x": (3, 9)}, {"HARD_SWISH"}, (0.03, -20)),
    "leaky relu": Case([n("LeakyRelu", "x", alpha=0.3)], {"x": (3, 9)}, {"LEAKY_RELU"}, (0.03, -60)),
    "requantize": Case([], {"x": (3, 9)}, {"QUANTIZE"}),
}  # fmt: skip


@pytest.fixture(autouse=True)
def local_runtime(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("nhwcc.runners.tflite.start", LocalWorker)


def scaled(scale: Scale, dtype: type) -> dict[str, Any]:
    if dtype is np.int16:  # as many numbers; what one kernel alone gives reaches as far as with 8 bits
        step = 1 / 32768 if scale in (SHARE, (1 / 128, 0)) else scale[0] / 256
        return {"s": np.float32(step), "z": np.int16(0)}
    return {"s": np.float32(scale[0]), "z": np.asarray(scale[1] + (128 if dtype is np.uint8 else 0), dtype)}


def made(case: Case, dtype: type, middle: int | None = None) -> ModelProto:
    """A model whose inputs and outputs are integers; weights are of i8, or of u8 with a zero point."""
    element = helper.np_dtype_to_tensor_dtype(np.dtype(dtype))
    constants: dict[str, Any] = dict(case.constants)
    nodes: list[NodeProto] = []
    for name in case.inputs:
        constants |= {f"{name}_{k}": v for k, v in scaled(case.scale, dtype).items()}
        nodes.append(n("DequantizeLinear", f"{name}_q {name}_s {name}_z", name))
    for name, (shape, axis) in case.weights.items():
        scales = np.float32(0.01) if axis is None else RNG.uniform(0.003, 0.02, shape[axis]).astype(np.float32)
        constants |= {f"{name}_s": scales, f"{name}_z": np.zeros(scales.shape, np.int8)}
        constants[f"{name}_q"] = RNG.integers(-127, 128, shape).astype(np.int8)
        if middle is not None:
            constants[f"{name}_z"] = np.uint8(middle)
            constants[f"{name}_q"] = RNG.integers(0, 256, shape).astype(np.uint8)
        nodes.append(n("DequantizeLinear", f"{name}_q {name}_s {name}_z", name, axis=axis or 0))
    constants |= {f"y_{k}": v for k, v in scaled(case.out, dtype).items()}
    nodes += case.nodes
    for name in case.outputs:
        nodes.append(n("QuantizeLinear", f"{name if case.nodes else 'x'} y_s y_z", f"{name}_q"))
    graph = helper.make_graph(
        nodes,
        "test",
        [helper.make_tensor_value_info(f"{name}_q", element, shape) for name, shape in case.inputs.items()],
        [helper.make_empty_tensor_value_info(f"{name}_q") for name in case.outputs],
        [numpy_helper.from_array(np.asarray(value), name) for name, value in constants.items()],
    )
    opset, version = (21, 10) if dtype is np.int16 else (18, 8)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=version)


def drawn(case: Case, dtype: type) -> dict[str, Array]:
    bounds: Any = np.iinfo(dtype)
    return {f"{k}_q": RNG.integers(bounds.min, bounds.max + 1, s).astype(dtype) for k, s in case.inputs.items()}


def apart(got: dict[str, Array], want: dict[str, Array]) -> int:
    """The most steps that two results are apart."""
    assert {k: (v.dtype, v.shape) for k, v in got.items()} == {k: (v.dtype, v.shape) for k, v in want.items()}
    return max(int(np.abs(got[k].astype(int) - want[k].astype(int)).max()) for k in want)


ONLY_BYTES = ("add a constant", "blocks of pixels", "blocks per channel", "hard swish", "pad")
"""What has no kernel on integers of 16 bits, no constant of such here, or another one without a zero point."""

FINER = ("softmax of another scale", "sigmoid of another scale")
"""What would have a finer scale than the kernel's on 16 bits."""

WIDE = [name for name in CASES if name not in (*ONLY_BYTES, *FINER, "sigmoid of a finer scale")]

UNSIGNED = ("strided", "depthwise", "layer per column", "add", "max pool", "pad with a number", "concat", "sigmoid")
"""Whatever these have in common with others is done to i8."""


@pytest.mark.parametrize(
    ("name", "dtype"),
    [
        *((name, np.int8) for name in CASES),
        *((name, np.uint8) for name in UNSIGNED),
        *((name, np.int16) for name in WIDE),
    ],
)
def test_rows(name: str, dtype: type, tmp_path: Path) -> None:
    """Each kernel on integers gives what onnxruntime does, with XNNPACK and without, and is read back as itself."""
    compare(name, made(CASES[name], dtype), dtype, tmp_path)


@pytest.mark.parametrize("middle", [128, 117])
@pytest.mark.parametrize("name", ["conv", "depthwise per tensor", "upsampling", "add a constant"])
def test_weights_of_u8(name: str, middle: int, tmp_path: Path) -> None:
    """Weights with zero points in the middle are those of i8; beside others, all stays u8."""
    compare(name, made(CASES[name], np.uint8, middle), np.uint8, tmp_path)


def compare(name: str, proto: ModelProto, dtype: type, tmp_path: Path) -> None:
    """Compile for TFLite, read what was written, and compare with onnxruntime."""
    case = CASES[name]
    feed = drawn(case, dtype)
    session = ort.InferenceSession(proto.SerializeToString(), providers=["CPUExecutionProvider"])
    names = [o.name for o in session.get_outputs()]
    want = dict(zip(names, session.run(names, feed), strict=True))
    path, again = tmp_path / "a.tflite", tmp_path / "b.tflite"
    report = nhwcc.compile(proto, output=path, io_layout="keep", verify=False).report
    around = {"TRANSPOSE"} if name != "transpose" else {"QUANTIZE"}
    given = ["QUANTIZE"] if dtype is np.uint8 else []
    assert {*report.ops_after, *given} - around == {*case.builtins, *given} - around, report.ops_after
    results = [TfliteModel(path, delegate=delegate).run(feed) for delegate in (True, False)]
    assert [apart(got, want) <= 1 for got in results] == [True, True]
    if name == "gemm":  # the search for layouts takes all of its time for what is read back
        return
    reread = nhwcc.compile(path, output=again, io_layout="keep", verify=False).report
    assert reread.ops_after == report.ops_after
    for delegate, before in zip((True, False), results, strict=True):
        assert apart(TfliteModel(again, delegate=delegate).run(feed), before) == 0

"""Weights of 4 bits in blocks that a model brings: integers with scales, which files can keep."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from nhwcc.formats.tflite.constants import constant_weight
from nhwcc.formats.tflite.contents import read_contents
from onnx import TensorProto, ValueInfoProto, helper, numpy_helper

import nhwcc


def test_integers_in_blocks_are_found_again(tmp_path: Path) -> None:
    """Those of MatMulNBits and of DequantizeLinear are the integers of a TFLite file with blocks as large."""
    rng = np.random.default_rng(3)
    integers = rng.integers(-8, 8, (32, 64)).astype(np.int8)
    scales = rng.uniform(0.5, 2, (32, 2)).astype(np.float32)
    pairs = (integers + 8).astype(np.uint8).reshape(32, 2, 16, 2)
    sizes: dict[str, Any] = {"K": 64, "N": 32, "bits": 4, "block_size": 32}
    bits = helper.make_node("MatMulNBits", ["a", "b", "s"], ["y"], domain="com.microsoft", **sizes)
    stored = {"b": pairs[..., 0] | pairs[..., 1] << 4, "s": scales.reshape(-1)}
    linear = [
        helper.make_node("DequantizeLinear", ["b", "s"], ["d"], axis=0, block_size=32),
        helper.make_node("MatMul", ["a", "d"], ["y"]),
    ]
    plain = {"b": np.ascontiguousarray(integers.T), "s": np.ascontiguousarray(scales.T)}
    for number, (nodes, constants) in enumerate((([bits], stored), (linear, plain))):
        held = [numpy_helper.from_array(array, name) for name, array in constants.items()]
        graph = helper.make_graph(nodes, "g", [float_port("a", 3, 64)], [float_port("y", 3, 32)], held)
        versions = [helper.make_opsetid("", 21), helper.make_opsetid("com.microsoft", 1)]
        proto = helper.make_model(graph, opset_imports=versions, ir_version=10)
        (tmp_path / "m.onnx").write_bytes(proto.SerializeToString())
        file = tmp_path / f"{number}.tflite"
        nhwcc.compile(tmp_path / "m.onnx", output=file, quantize="weight-int4:32", min_sqnr=20)
        contents = read_contents(file)
        (found,) = [t for t in contents.graphs[0].tensors if t.blocks is not None]
        assert np.array_equal(constant_weight(contents, found).array(), integers)
        again = nhwcc.compile(tmp_path / "m.onnx", output=tmp_path / "again.onnx").report
        assert again.ops_after["DequantizeLinear"] == 1


def float_port(name: str, *shape: int) -> ValueInfoProto:
    return helper.make_tensor_value_info(name, TensorProto.FLOAT, shape)

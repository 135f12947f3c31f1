"""A network with 3 GB of weights in external data: it compiles within 1.3 times its weights, runs, and is right.

python -m benchmarks.big_model [GIGABYTES]
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper

from benchmarks.measure import megabytes, nhwcc, run, scratch, table

CHANNELS = 2048
LAYER = CHANNELS * CHANNELS * 3 * 3 * 4
"""Bytes of one convolution's weights."""


def write(path: Path, layers: int) -> None:
    """Write convolutions with different weights, which all have to be transposed for the target."""
    rng = np.random.default_rng(0)
    block = (rng.standard_normal((CHANNELS, CHANNELS, 3, 3)) / np.sqrt(CHANNELS * 9)).astype(np.float32)
    tensors: list[onnx.TensorProto] = []
    nodes: list[onnx.NodeProto] = []
    with path.with_suffix(".weights").open("wb") as data:
        for i in range(layers):
            tensor = TensorProto(
                name=f"w{i}", dims=block.shape, data_type=TensorProto.FLOAT, data_location=TensorProto.EXTERNAL
            )
            entries: dict[str, str | int] = {
                "location": path.with_suffix(".weights").name,
                "offset": data.tell(),
                "length": LAYER,
            }
            for key, value in entries.items():
                tensor.external_data.add(key=key, value=str(value))
            tensors.append(tensor)
            data.write(np.roll(block, i, axis=0).tobytes())
            nodes.append(helper.make_node("Conv", [f"x{i}", f"w{i}"], [f"y{i}"], pads=[1, 1, 1, 1]))
            nodes.append(helper.make_node("Relu", [f"y{i}"], [f"x{i + 1}"]))
    shape = [1, CHANNELS, 4, 4]
    ends = [helper.make_tensor_value_info(n, TensorProto.FLOAT, shape) for n in ("x0", f"x{layers}")]
    graph = helper.make_graph(nodes, "big", ends[:1], ends[1:], tensors)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    path.write_bytes(model.SerializeToString())


def main() -> None:
    """Write it, compile it, compare it with onnxruntime."""
    layers = round(float(sys.argv[1] if len(sys.argv) > 1 else 3.0) * 1e9 / LAYER)
    folder = scratch()
    source, output = folder / "big.onnx", folder / "big.tflite"
    write(source, layers)
    weights = layers * LAYER
    compiled = run(nhwcc("compile", source, "-o", output, "--no-verify", "--quiet"))
    compared = run(nhwcc("verify", source, output))
    head = ("step", "exit", "CPU s", "peak", "peak / weights")
    rows = [
        [name, c.code, f"{c.cpu:.1f}", megabytes(c.peak), f"{c.peak / weights:.2f}"]
        for name, c in (("compile", compiled), ("compare with onnxruntime", compared))
    ]
    print(f"{megabytes(weights)} of weights, {megabytes(output.stat().st_size)} written\n")
    print(table(head, rows))
    print(f"\n```text\n{compiled.output}{compared.output}```")


if __name__ == "__main__":
    main()

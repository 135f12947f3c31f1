"""Networks that onnxruntime has quantized (QDQ), beside themselves in floats: size, time, and how far results are.

python -m benchmarks.quantized
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
from nhwcc.backends.tflite.runtime import TfliteModel
from onnxruntime import quantization

import nhwcc
from benchmarks.measure import scratch, table
from benchmarks.zoo import model

ort: Any = onnxruntime
tools: Any = quantization

NETWORKS = ("mobilenet_v2", "efficientnet_lite0")
WEIGHTS = {"i8 per channel": ("QInt8", True), "u8": ("QUInt8", False)}


def feeds(name: str, shape: list[int], count: int, seed: int) -> Iterator[dict[str, Any]]:
    """Yield inputs of one network."""
    rng = np.random.default_rng(seed)
    yield from ({name: rng.standard_normal(shape).astype(np.float32)} for _ in range(count))


class Samples(tools.CalibrationDataReader):
    """What ranges are taken from."""

    def __init__(self, name: str, shape: list[int]) -> None:
        self.rest = feeds(name, shape, 4, 0)

    def get_next(self) -> dict[str, Any] | None:
        """Return the next sample, None after the last."""
        return next(self.rest, None)


def row(title: str, source: Path) -> list[str]:
    """Compile one network; compare it with onnxruntime, and time it."""
    session, plain = (opened(source, optimize=optimize) for optimize in (True, False))
    port = session.get_inputs()[0]
    output = scratch() / f"{source.stem}.tflite"
    artifact = nhwcc.compile(source, output=output, io_layout="keep", verify=False)
    candidate = TfliteModel(output)
    worst, own, took = 0.0, 0.0, float("inf")
    for feed in feeds(port.name, port.shape, 10, 1):
        want = session.run(None, feed)[0]
        start = time.perf_counter()
        got = next(iter(candidate.run(feed).values()))
        took = min(took, time.perf_counter() - start)
        worst = max(worst, apart(got, want))
        own = max(own, apart(plain.run(None, feed)[0], want))
    counts = artifact.report.ops_after
    quantizing = counts.get("QUANTIZE", 0) + counts.get("DEQUANTIZE", 0)
    size = f"{output.stat().st_size / 1e6:.1f} MB"
    shown = (size, f"{took * 1e3:.1f} ms", f"{worst:.1e}", f"{own:.1e}")
    return [title, str(sum(counts.values())), str(quantizing), *shown]


def opened(source: Path, *, optimize: bool) -> Any:
    """Open a network in onnxruntime: as it is usually run, with integer kernels, or as it is written."""
    options = ort.SessionOptions()
    if not optimize:
        options.graph_optimization_level = ort.GraphOptimizationLevel.ORT_DISABLE_ALL
    return ort.InferenceSession(str(source), options, providers=["CPUExecutionProvider"])


def apart(got: Any, want: Any) -> float:
    """Return the largest difference in shares of the largest number."""
    return float(np.abs(got - want).max() / np.abs(want).max())


def main() -> None:
    """Print the table."""
    rows: list[list[str]] = []
    for name in NETWORKS:
        source = model(name)
        rows.append(row(f"{name}, floats", source))
        port = opened(source, optimize=False).get_inputs()[0]
        for title, (weights, per_channel) in WEIGHTS.items():
            target = scratch() / f"{name}-{weights}.onnx"
            kind = getattr(tools.QuantType, weights)
            given = {"per_channel": per_channel, "activation_type": kind, "weight_type": kind}
            tools.quantize_static(source, target, Samples(port.name, port.shape), **given)
            rows.append(row(f"{name}, {title}", target))
    head = ("network", "operations", "of these Q and DQ", "file", "time", "relative error", "onnxruntime's own")
    print(table(head, rows))


if __name__ == "__main__":
    main()

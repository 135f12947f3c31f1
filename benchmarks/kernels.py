"""What the cost model of choose-kernels rests on: depthwise filters whole, and as what the pass makes of them.

    python -m benchmarks.kernels [--threads N]

Prints milliseconds of both forms for filters, channels and sizes of images, and how many times as fast the second is.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
from nhwcc.backends.registry import find_target
from nhwcc.compiler.ir import Func, Module, Port, Region, Value
from nhwcc.compiler.ops.core import Const, Return
from nhwcc.compiler.ops.window import Conv
from nhwcc.compiler.pipeline import Pipeline, parse_pipeline
from nhwcc.compiler.types import DType, TensorType
from nhwcc.compiler.weights import Weight

from benchmarks.measure import scratch, table
from nhwcc.bench import Settings, bench
from nhwcc.pipelines import register_passes

CASES = (
    *((96, 56, (5, 5)), (96, 56, (2, 13)), (96, 56, (7, 7)), (384, 14, (7, 7)), (768, 7, (7, 7)), (64, 56, (9, 9))),
    *((32, 32, (11, 11)), (16, 16, (31, 31)), (64, 56, (1, 31)), (4, 28, (7, 7)), (16, 7, (7, 7))),
)
"""Channels, height and width of the image, and of the filter."""


def depthwise(channels: int, size: int, kernel: tuple[int, int], passes: str, file: Path) -> int:
    """Write a file with one depthwise convolution; return how many operators it has."""
    rng = np.random.default_rng(0)
    region = Region([Value(TensorType(DType.F32, (1, size, size, channels)), None, "x")])
    w, bias = (
        region.insert(Const(Weight.of(rng.standard_normal(shape).astype(np.float32)))).result
        for shape in ((channels, *kernel, 1), (channels,))
    )
    around = tuple(((k - 1) // 2, k // 2) for k in kernel)
    y = region.insert(Conv(region.args[0], w, bias, (1, 1), (1, 1), around, channels, channels_last=True)).result
    region.insert(Return((y,)))
    module = Module(Func("main", region, [Port("x")], [Port("y")]))
    Pipeline(parse_pipeline(passes)).run(module)
    return find_target("tflite").emit(module, file).ops.total()


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--threads", type=int, default=1)
    options = parser.parse_args()
    register_passes()
    print(table(("filter", "channels", "image", "whole ms", "operators", "ms", "times as fast"), []), flush=True)
    for channels, size, kernel in CASES:
        folder = scratch()
        whole, chosen = folder / "whole.tflite", folder / "chosen.tflite"
        depthwise(channels, size, kernel, "legalize", whole)
        count = depthwise(channels, size, kernel, "legalize,choose-kernels", chosen)
        a, b = bench([whole, chosen], Settings(5, 0.1, options.threads))
        times = f"{b.faster.middle:.2f} [{b.faster.low:.2f}, {b.faster.high:.2f}]"
        cells = (f"{kernel[0]}x{kernel[1]}", channels, f"{size}x{size}", f"{a.milliseconds.middle:.3f}", count)
        print(f"| {' | '.join(map(str, cells))} | {b.milliseconds.middle:.3f} | {times} |", flush=True)


if __name__ == "__main__":
    main()

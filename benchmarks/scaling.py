"""Time per operation of every pass and of writing, on synthetic graphs of 1,000, 10,000 and 100,000 operations.

python -m benchmarks.scaling [COUNT ...]
"""

from __future__ import annotations

import random
import sys
import time
from itertools import pairwise
from pathlib import Path

import numpy as np
from nhwcc.backends.tflite import PIPELINE, emit
from nhwcc.compiler.diagnostics import collect_remarks
from nhwcc.compiler.ir import Func, Module, Op, Port, Region, Value
from nhwcc.compiler.ops.activation import Relu, Sigmoid, Softmax
from nhwcc.compiler.ops.arith import Add
from nhwcc.compiler.ops.core import Const, Return
from nhwcc.compiler.ops.shape import Concat, Reshape, Slice, Transpose
from nhwcc.compiler.ops.window import Conv
from nhwcc.compiler.pipeline import parse_pipeline
from nhwcc.compiler.types import DType, TensorType
from nhwcc.compiler.weights import Weight

from benchmarks.measure import scratch, table
from nhwcc.pipelines import register_passes

COUNTS = (1_000, 10_000, 100_000)
SHAPE = (1, 8, 16, 16)


class Graph:
    """A network that grows from a seed; new operations read one of the last few values."""

    def __init__(self, seed: int) -> None:
        self.rng = random.Random(seed)
        self.weights = np.random.default_rng(seed).standard_normal((8, 8, 3, 3)).astype(np.float32)
        self.region = Region([Value(TensorType(DType.F32, SHAPE), name="x")])
        self.recent = list(self.region.args)
        self.count = 0

    def __call__(self, op: Op) -> Value:
        """Insert an operation."""
        self.count += 1
        return self.region.insert(op).result

    def grow(self) -> None:
        """Add a convolution, a sum, a concat, an activation, or something between two transposes or reshapes."""
        x, other, kind = self.recent[-1], self.rng.choice(self.recent[-6:]), self.rng.random()
        if kind < 0.35:
            w = self(Const(Weight.of(self.weights + np.float32(self.count))))
            y = self(Conv(x, w, None, strides=(1, 1), dilations=(1, 1), pads=((1, 1), (1, 1))))
        elif kind < 0.6:
            y = self(Add(x, other))
        elif kind < 0.7:
            y = self(Slice(self(Concat((x, other), 1)), (0, 4, 0, 0), SHAPE, (1, 1, 1, 1)))
        elif kind < 0.8:
            y = self(Relu(x))
        elif kind < 0.9:
            y = self(Transpose(self(Sigmoid(self(Transpose(x, (0, 2, 3, 1))))), (0, 3, 1, 2)))
        else:
            tokens = self(Transpose(self(Reshape(x, (1, 8, 256))), (0, 2, 1)))
            y = self(Reshape(self(Transpose(self(Softmax(tokens, 2)), (0, 2, 1))), SHAPE))
        self.recent = [*self.recent[-5:], y]

    def module(self) -> Module:
        """Finish with the last value as the output."""
        self.region.insert(Return((self.recent[-1],)))
        return Module(Func("main", self.region, [Port("x")], [Port("y")]))


def synthetic(count: int, seed: int = 0) -> Module:
    """Return a network of at least ``count`` operations."""
    graph = Graph(seed)
    while graph.count < count:
        graph.grow()
    return graph.module()


def measure(count: int, path: Path) -> dict[str, float]:
    """Return processor seconds per pass, and for writing the file."""
    register_passes()
    module = synthetic(count)
    seconds: dict[str, float] = {}
    with collect_remarks():
        for p in parse_pipeline(PIPELINE):
            seconds[p.name] = seconds.get(p.name, 0.0) + _timed(lambda p=p: p.run(module))
        seconds["write"] = _timed(lambda: emit(module, path))
    return seconds


def _timed(action: object) -> float:
    assert callable(action)
    start = time.process_time()
    action()
    return time.process_time() - start


def main() -> None:
    """Print microseconds per operation."""
    counts = [int(a) for a in sys.argv[1:]] or COUNTS
    measure(100, scratch() / "warm.tflite")  # imports, grammars
    found = {n: measure(n, scratch() / f"{n}.tflite") for n in counts}
    steps = list(found[counts[0]])
    body = [[step, *(f"{found[n][step] / n * 1e6:,.0f}" for n in counts)] for step in steps]
    totals = {n: sum(found[n].values()) / n * 1e6 for n in counts}
    body.append(["**all**", *(f"**{t:,.0f}**" for t in totals.values())])
    print(table(("µs per operation", *(f"{n:,} ops" for n in counts)), body))
    for small, large in pairwise(counts):
        print(f"\n{large:,} against {small:,}: {totals[large] / totals[small]:.2f} times the time per operation")


if __name__ == "__main__":
    main()

"""Builtins that compute with integers of 8 bits come back as the same builtins, and give the same integers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from nhwcc.backends.tflite import FOR_ANY_DEVICE
from nhwcc.formats.tflite.model import Options, options
from nhwcc.formats.tflite.reader import inspect
from nhwcc.frontends.tflite import import_tflite

from nhwcc.pipelines import register_passes

from .building import Scale, new_graph, random_for, save, written
from .comparing import check_same
from .conftest import Runtime


@dataclass(frozen=True)
class Kernel:
    """A builtin: scales of what it reads and gives, a constant that it also reads, what else it is given."""

    builtin: str
    reads: Sequence[Scale]
    gives: Scale
    version: int = 2
    options: Options | None = None
    axes: tuple[int, ...] = ()
    result: str = "4,6"

    def __str__(self) -> str:
        return self.builtin


FINE, COARSE, POSITIVE = (0.02, 3, 0), (0.05, -10, 0), (0.03, -128, 0)

KERNELS = [
    Kernel("GELU", [FINE], COARSE, options=options("GeluOptions", approximate=False)),
    Kernel("GELU", [FINE], COARSE, options=options("GeluOptions", approximate=True)),
    Kernel("RSQRT", [POSITIVE], (0.05, -100, 0)),
    Kernel("SQUARED_DIFFERENCE", [FINE, COARSE], (0.2, -128, 0), options=options("SquaredDifferenceOptions")),
    Kernel("EXP", [FINE], (0.2, -128, 0)),
    Kernel("LOG", [POSITIVE], COARSE),
    Kernel("ABS", [FINE], POSITIVE),
    Kernel("ELU", [FINE], COARSE, version=1),
    Kernel("MAXIMUM", [FINE, FINE], FINE, options=options("MaximumMinimumOptions")),
    Kernel("MINIMUM", [FINE, FINE], FINE, options=options("MaximumMinimumOptions")),
    Kernel("SUM", [FINE], (0.3, 5, 0), options=options("ReducerOptions", keepDims=False), axes=(1,), result="4"),
    Kernel("REDUCE_MAX", [FINE], FINE, options=options("ReducerOptions", keepDims=True), axes=(1,), result="4,1"),
    Kernel("REDUCE_MIN", [FINE], FINE, options=options("ReducerOptions", keepDims=True), axes=(0,), result="1,6"),
    Kernel("LOG_SOFTMAX", [FINE], (16 / 256, 127, 0), options=options("LogSoftmaxOptions")),
]


@pytest.mark.parametrize("kernel", KERNELS, ids=str)
def test_integers_come_back(kernel: Kernel, tmp_path: Path, runtime: Runtime) -> None:
    register_passes()
    graph = new_graph()
    reads = [graph.input("i8[4,6]", f"x{i}", scale) for i, scale in enumerate(kernel.reads)]
    given = {f"x{i}": random_for(graph.graph.tensors[n].type, np.random.default_rng(i)) for i, n in enumerate(reads)}
    if kernel.axes:
        reads.append(graph.constant(np.asarray(kernel.axes, np.int32)))
    result = graph.tensor(f"i8[{kernel.result}]", "y", kernel.gives)
    graph.call(kernel.builtin, reads, [result], kernel.options, kernel.version)
    path = save(graph, [result], tmp_path / "m.tflite")
    again = written(import_tflite(path), tmp_path / "again.tflite", FOR_ANY_DEVICE)
    assert [op.name for op in inspect(again).main.operators] == [kernel.builtin]
    (found,), (want,) = runtime(again, given).values(), runtime(path, given).values()
    check_same(found, want, 0, 0, "the same integers")


def test_equal_constants_of_two_scales(tmp_path: Path, runtime: Runtime) -> None:
    """They are one constant in the IR, and two tensors in the file."""
    graph = new_graph()
    x = graph.input("i8[4,6]", "x", FINE)
    outs: list[int] = []
    for scale in (0.01, 0.03):
        number = graph.constant(np.asarray(127, np.int8), (scale, 0, 0))
        outs += graph.call("MUL", [x, number], ["i8[4,6]"], options("MulOptions"), 2, {0: COARSE})
    path = save(graph, outs, tmp_path / "m.tflite")
    register_passes()
    again = written(import_tflite(path), tmp_path / "again.tflite", FOR_ANY_DEVICE)
    assert [op.name for op in inspect(again).main.operators] == ["MUL", "MUL"]
    given = {"x": random_for(graph.graph.tensors[x].type, np.random.default_rng(0))}
    for found, want in zip(runtime(again, given).values(), runtime(path, given).values(), strict=True):
        check_same(found, want, 0, 0, "the same integers")

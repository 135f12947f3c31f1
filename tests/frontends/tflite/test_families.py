"""Builtins that go together: complex numbers, sparse weights, weights in blocks, MediaPipe's operators."""

from __future__ import annotations

import struct
from pathlib import Path

import numpy as np
import pytest
from nhwcc.compiler.diagnostics import collect_remarks
from nhwcc.compiler.types import Array
from nhwcc.compiler.verify import verify
from nhwcc.compiler.weights import Weight
from nhwcc.formats.tflite.flexbuffer import RAW
from nhwcc.formats.tflite.model import CUSTOM, CustomOptions, options
from nhwcc.formats.tflite.reader import inspect
from nhwcc.frontends.tflite import import_tflite, read_tflite

from .building import Scale, new_graph, random_for, save, written
from .comparing import check_same, interpreted
from .conftest import Runtime


def check(path: Path, runtime: Runtime, slack: float = 1e-5) -> None:
    """Run by the meaning of the operations, and on the runtime."""
    func = import_tflite(path).main
    rng = np.random.default_rng(5)
    inputs = {p.name: random_for(a.type, rng) for p, a in zip(func.inputs, func.args, strict=True)}
    found = interpreted(func, inputs)
    for name, want in runtime(path, inputs).items():
        check_same(found[name], want, slack, 0, name)


@pytest.mark.parametrize("shape", [(1, 8), (4, 8), (2, 16)])
def test_spectra(shape: tuple[int, int], tmp_path: Path, runtime: Runtime) -> None:
    graph = new_graph()
    rows, columns = shape
    x = graph.input("f32[3,4,12]", "x")
    length = graph.constant(np.asarray(shape, np.int32))
    half = f"[3,{rows},{columns // 2 + 1}]"
    (z,) = graph.call("RFFT2D", [x, length], [f"c64{half}"])
    flat = graph.constant(np.asarray([3, -1], np.int32))
    (moved,) = graph.call("RESHAPE", [z, flat], [f"c64[3,{rows * (columns // 2 + 1)}]"])
    parts = [graph.call(n, [z], [f"f32{half}"])[0] for n in ("REAL", "IMAG")]
    (size,) = graph.call("COMPLEX_ABS", [moved], [f"f32[3,{rows * (columns // 2 + 1)}]"])
    check(save(graph, [*parts, size], tmp_path / "m.tflite"), runtime, 2e-5)


def told(*numbers: int) -> CustomOptions:
    """Options that are the fields of a C structure."""
    return CustomOptions("", {RAW: Weight.of(np.frombuffer(struct.pack(f"<{len(numbers)}i", *numbers), np.uint8))})


def mediapipe(name: str, *numbers: int) -> CustomOptions:
    return CustomOptions(name, told(*numbers).fields)


def pooled(x: Array) -> Array:
    n, h, w, c = x.shape
    return x.reshape(n, h // 2, 2, w // 2, 2, c).transpose(0, 1, 3, 5, 2, 4).reshape(n, h // 2, w // 2, c, 4)


def test_pooling_and_unpooling(tmp_path: Path) -> None:
    graph = new_graph()
    x = graph.input("f32[1,4,6,3]", "x")
    window = (1, 2, 2, 2, 2, 0)
    best, places = graph.call(
        CUSTOM, [x], ["f32[1,2,3,3]", "f32[1,2,3,3]"], mediapipe("MaxPoolingWithArgmax2D", *window)
    )
    (y,) = graph.call(CUSTOM, [best, places], ["f32[1,4,6,3]"], mediapipe("MaxUnpooling2D", *window))
    module = import_tflite(save(graph, [best, places, y], tmp_path / "m.tflite"))
    verify(module)
    given = np.random.default_rng(0).standard_normal((1, 4, 6, 3)).astype(np.float32)
    found_best, found_places, found = interpreted(module.main, {"x": given}).values()
    windows = pooled(given)
    np.testing.assert_array_equal(found_best, windows.max(-1))
    np.testing.assert_array_equal(found_places, windows.argmax(-1))
    np.testing.assert_array_equal(pooled(found), np.where(windows == windows.max(-1, keepdims=True), windows, 0))


@pytest.mark.parametrize(("padding", "size"), [(1, 8), (2, 9)])
def test_transposed_convolution_with_a_bias(padding: int, size: int, tmp_path: Path) -> None:
    graph = new_graph()
    rng = np.random.default_rng(0)
    x = graph.input("f32[1,4,4,2]", "x")
    w, bias = (graph.constant(rng.standard_normal(s).astype(np.float32)) for s in ((3, 3, 3, 2), (3,)))
    fields = mediapipe("Convolution2DTransposeBias", padding, 2, 2)
    (y,) = graph.call(CUSTOM, [x, w, bias], [f"f32[1,{size},{size},3]"], fields)
    shape = graph.constant(np.asarray([1, size, size, 3], np.int32))
    word = {1: "SAME", 2: "VALID"}[padding]
    same = options("TransposeConvOptions", padding=word, strideH=2, strideW=2)
    (z,) = graph.call("TRANSPOSE_CONV", [shape, w, x, bias], [f"f32[1,{size},{size},3]"], same, 3)
    func = import_tflite(save(graph, [y, z], tmp_path / "m.tflite")).main
    given = rng.standard_normal((1, 4, 4, 2)).astype(np.float32)
    found, wanted = interpreted(func, {"x": given}).values()
    np.testing.assert_array_equal(found, wanted)


def test_hybrid_kernels_are_told_of(tmp_path: Path, runtime: Runtime) -> None:
    graph = new_graph()
    rng = np.random.default_rng(0)
    x = graph.input("f32[4,64]", "x")
    w = graph.constant(rng.integers(-127, 128, (8, 64)).astype(np.int8), (0.01, 0, 0))
    fields = options("FullyConnectedOptions")
    path = save(graph, graph.call("FULLY_CONNECTED", [x, w, -1], ["f32[4,8]"], fields, 3), tmp_path / "m.tflite")
    with collect_remarks() as remarks:
        func = import_tflite(path).main
    assert remarks[0].text.startswith("1 operator with weights of few bits")
    assert read_tflite(path).rounded == {"hybrid": 1}
    given = {"x": rng.standard_normal((4, 64)).astype(np.float32)}
    (found,), (want,) = interpreted(func, given).values(), runtime(path, given).values()
    check_same(found, want, 2e-2, 0, "within what rounding to 8 bits changes")


@pytest.mark.parametrize("scales", [None, ((0.1, 0.2, 0.3), 0, 3), (0.1, 0, 0)])
def test_small_weights_stay_small(scales: Scale | None, tmp_path: Path, runtime: Runtime) -> None:
    """Filters of 16 or 8 bits are widened by DEQUANTIZE, in the order that the kernel wants."""
    graph = new_graph()
    rng = np.random.default_rng(0)
    x = graph.input("f32[1,5,5,3]", "x")
    weights = rng.standard_normal((1, 3, 3, 3)) if scales is None else rng.integers(-127, 128, (1, 3, 3, 3))
    stored = graph.constant(weights.astype(np.float16 if scales is None else np.int8), scales)
    (w,) = graph.call("DEQUANTIZE", [stored], ["f32[1,3,3,3]"], None, 3 if scales is None else 5)
    bias = graph.constant(np.zeros(3, np.float32))
    fields = options("DepthwiseConv2DOptions", padding="SAME", strideH=1, strideW=1, depthMultiplier=1)
    path = save(graph, graph.call("DEPTHWISE_CONV_2D", [x, w, bias], ["f32[1,5,5,3]"], fields), tmp_path / "m.tflite")
    again = written(import_tflite(path), tmp_path / "again.tflite", "canonicalize,legalize,cse,dce")
    assert [op.name for op in inspect(again).main.operators] == ["DEQUANTIZE", "DEPTHWISE_CONV_2D"]
    given = {"x": rng.standard_normal((1, 5, 5, 3)).astype(np.float32)}
    (found,), (want,) = runtime(again, given).values(), runtime(path, given).values()
    check_same(found, want, 1e-6, 0, "the same filter")

"""Constants in all element types, and weights of few bits that stay as small as they are."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from nhwcc.compiler.interpreter import run as interpret
from nhwcc.compiler.ir import Module, Op
from nhwcc.compiler.ops.quantize import Dequantize, Quantize
from nhwcc.formats.openvino.reader import read_contents
from nhwcc.formats.openvino.weights import constant_weight
from nhwcc.frontends.openvino import import_openvino

import nhwcc

from .building import f32, openvino, run, save

pytest.importorskip("openvino")


def ops() -> Any:
    from openvino import opset13

    return opset13


def constant(values: Any, type: str) -> Any:
    """A constant of an element type that numpy may lack."""
    ov, array = openvino(), np.asarray(values)
    return ops().constant(array, getattr(ov.Type, type))


def of_type(module: Module, kind: type[Op]) -> list[Op]:
    return [op for op in module.walk() if isinstance(op, kind)]


VALUES = {
    "i4": [-8, -1, 0, 7, 3],
    "u4": [15, 1, 0, 7, 3],
    "u2": [3, 1, 0, 2, 3],
    "u1": [1, 0, 1, 1, 0],
    "i8": [-128, 127, 0],
    "f16": [0.5, -1.25, 3],
    "bf16": [0.5, -1.25, 3],
    "f64": [0.5, -1.25, 3],
    "f8e4m3": [0.5, -1.25, 3],
    "f8e5m2": [0.5, -1.25, 3],
    "nf4": [1.0, 0.0, -1.0, 0.0, 1.0],
    "u64": [1, 2, 3],
}


@pytest.mark.parametrize("type", VALUES)
def test_elements(type: str, tmp_path: Path) -> None:
    """Read as they are stored, whatever shares a byte."""
    o = ops()
    x = o.parameter([1], np.float32, name="x")
    numbers = o.convert(constant(VALUES[type], type), "f32")
    model = openvino().Model([o.result(o.add(x, numbers))], [x])
    path = save(model, tmp_path / "m.xml")
    contents = read_contents(path)
    (layer,) = contents.network.of_type("Const")
    weight = constant_weight(layer, contents.weights, (len(VALUES[type]),))
    np.testing.assert_array_equal(weight.array().astype(np.float32), np.asarray(VALUES[type], np.float32))
    (found,) = interpret(import_openvino(path).main, [np.zeros(1, np.float32)])
    np.testing.assert_array_equal(found, np.asarray(VALUES[type], np.float32))


@pytest.mark.parametrize("type", ["i8", "u8", "i4", "u4"])
@pytest.mark.parametrize("has_zero", [False, True])
def test_compressed_weights(type: str, has_zero: bool, tmp_path: Path) -> None:
    """Integers, zero points and scales stay operands of one operation."""
    o = ops()
    rng = np.random.default_rng(2)
    low, high = (-8, 8) if type == "i4" else (0, 16) if type == "u4" else (-99, 99) if type == "i8" else (0, 200)
    x = o.parameter([3, 8], np.float32, name="x")
    weights = o.convert(constant(rng.integers(low, high, (5, 8)), type), "f16")
    if has_zero:
        weights = o.subtract(weights, o.convert(constant(rng.integers(max(low, 0), 8, (5, 1)), type), "f16"))
    weights = o.convert(o.multiply(weights, constant(np.abs(f32(5, 1)), "f16")), "f32")
    model = openvino().Model([o.result(o.matmul(x, weights, False, True))], [x])
    module = import_openvino(save(model, tmp_path / "m.xml"))
    (found,) = of_type(module, Dequantize)
    assert str(found.operands[0].type if found.operands[0] else "") == f"{type}[5,8]"
    given = f32(3, 8)
    np.testing.assert_allclose(interpret(module.main, [given])[0], run(model, {"x": given})[0], rtol=1e-3, atol=0.05)


def test_weights_by_groups(tmp_path: Path) -> None:
    """A scale for each group of a row: shaped to a matrix after it."""
    o = ops()
    x = o.parameter([3, 8], np.float32, name="x")
    groups = o.convert(constant(np.random.default_rng(1).integers(-8, 8, (5, 2, 4)), "i4"), "f16")
    scaled = o.multiply(groups, constant(np.abs(f32(5, 2, 1)), "f16"))
    weights = o.convert(o.reshape(scaled, o.constant(np.asarray([5, 8])), False), "f32")
    model = openvino().Model([o.result(o.matmul(x, weights, False, True))], [x])
    module = import_openvino(save(model, tmp_path / "m.xml"))
    assert len(of_type(module, Dequantize)) == 1
    given = f32(3, 8)
    np.testing.assert_allclose(interpret(module.main, [given])[0], run(model, {"x": given})[0], rtol=1e-3, atol=0.05)


@pytest.mark.parametrize("type", ["f16", "bf16"])
def test_weights_of_16_bits(type: str, tmp_path: Path) -> None:
    """A matrix stays in 16 bits, a vector becomes what it is added to."""
    o = ops()
    x = o.parameter([3, 8], np.float32, name="x")
    product = o.matmul(x, o.convert(constant(f32(8, 5), type), "f32"), False, False)
    model = openvino().Model([o.result(o.add(product, o.convert(constant(f32(5), type), "f32")))], [x])
    module = import_openvino(save(model, tmp_path / "m.xml"))
    (found,) = of_type(module, Dequantize)
    assert str(found.operands[0].type if found.operands[0] else "") == f"{type}[8,5]"
    given = f32(3, 8)
    np.testing.assert_allclose(interpret(module.main, [given])[0], run(model, {"x": given})[0], rtol=1e-5, atol=1e-5)


def test_quantized_activations(tmp_path: Path) -> None:
    """What rounds to 256 levels with zero among them are integers with a scale."""
    o = ops()
    x = o.parameter([1, 3, 8], np.float32, name="x")
    low, high = (o.constant(np.asarray(v, np.float32)) for v in (-1.28, 1.27))
    model = openvino().Model([o.result(o.relu(o.fake_quantize(x, low, high, low, high, 256)))], [x])
    module = import_openvino(save(model, tmp_path / "m.xml"))
    (found,) = of_type(module, Quantize)
    assert str(found.results[0].type) == "i8[1,3,8]"


@pytest.mark.parametrize("kind", ["integers", "rounded"])
def test_quantized_convolutions_are_kernels_on_integers(kind: str, tmp_path: Path) -> None:
    """As two generations of OpenVINO's tools quantize: weights that are integers, or floats that are rounded."""
    o = ops()
    x = o.parameter([1, 3, 8, 8], np.float32, name="x")

    def rounded(v: Any, low: Any, high: Any, levels: int = 256) -> Any:
        first, last = (o.constant(np.asarray(n, np.float32)) for n in (low, high))
        return o.fake_quantize(v, first, last, first, last, levels)

    w = f32(4, 3, 3, 3)
    most = np.abs(w).max((1, 2, 3), keepdims=True)
    if kind == "integers":
        integers = o.convert(o.constant(np.rint(w / most * 127).astype(np.int8)), "f32")
        weights = o.multiply(integers, o.constant((most / 127).astype(np.float32)))
    else:
        weights = rounded(o.constant(w), -most, most, 255)
    product = o.convolution(rounded(x, -1.28, 1.27), weights, [1, 1], [1, 1], [1, 1], [1, 1])
    biased = o.relu(o.add(product, o.constant(f32(1, 4, 1, 1))))
    model = openvino().Model([o.result(rounded(biased, 0.0, 4.0), name="y")], [x])
    report = nhwcc.compile(save(model, tmp_path / "m.xml"), tmp_path / "m.tflite").report
    assert dict(report.ops_after) == {"QUANTIZE": 1, "CONV_2D": 1, "DEQUANTIZE": 1}
    assert report.verification is not None


def test_halves_as_inputs(tmp_path: Path) -> None:
    """The interface keeps the types that the model states; between, all is computed in 32 bits."""
    o, ov = ops(), openvino()
    x = o.parameter([2, 3], ov.Type.f16, name="x")
    model = ov.Model([o.result(o.exp(x), name="y")], [x])
    module = import_openvino(save(model, tmp_path / "m.xml"))
    assert [str(v.type) for v in (*module.main.args, *module.main.returns)] == ["f16[2,3]", "f16[2,3]"]
    given = f32(2, 3).astype(np.float16)
    np.testing.assert_allclose(interpret(module.main, [given])[0], run(model, {"x": given})[0], rtol=2e-3)


def test_a_whole_network_of_halves(tmp_path: Path) -> None:
    """In IR 10, f16 is how a network is stored; it is given and gives numbers of 32 bits."""
    o, ov = ops(), openvino()
    x = o.parameter([2, 3], ov.Type.f16, name="x")
    model = ov.Model([o.result(o.matmul(x, constant(f32(3, 4), "f16"), False, False))], [x])
    path = save(model, tmp_path / "m.xml")
    path.write_text(path.read_text(encoding="utf-8").replace('version="11"', 'version="10"'), encoding="utf-8")
    module = import_openvino(path)
    assert [str(v.type) for v in (*module.main.args, *module.main.returns)] == ["f32[2,3]", "f32[2,4]"]
    read = ov.Core().read_model(str(path))
    assert str(read.input(0).element_type) == "<Type: 'float32'>"
    given = f32(2, 3)
    np.testing.assert_allclose(interpret(module.main, [given])[0], run(read, {"x": given})[0], rtol=1e-3, atol=1e-3)

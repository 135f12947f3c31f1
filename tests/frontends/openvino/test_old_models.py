"""IR of version 10 as the Model Optimizer of 2020 to 2022 wrote it: no names of tensors, the operations of then."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from nhwcc.compiler.diagnostics import CompileError
from nhwcc.compiler.ops.recurrent import Lstm
from nhwcc.frontends.openvino import import_openvino

import nhwcc

from .building import f32, openvino, save
from .cases_recurrent import iterator

pytest.importorskip("openvino")


def old(model: Any, path: Path) -> Path:
    """Write a model in the form of then."""
    save(model, path)
    text = path.read_text(encoding="utf-8").replace('version="11"', 'version="10"', 1)
    text = re.sub(r' (output_)?names="[^"]*"', "", text)
    of_then = '<meta_data><MO_version value="2021.4.2"/></meta_data>'
    text = re.sub(r"<rt_info>.*</rt_info>", of_then, text, flags=re.DOTALL)
    path.write_text(text, encoding="utf-8")
    return path


def network(element: str) -> Any:
    """Operations of the sets 1 to 6, in f32 or f16."""
    from openvino import opset6 as o
    from openvino import opset10

    ov = openvino()

    def constant(values: Any) -> Any:
        return o.constant(np.asarray(values, np.float16 if element == "f16" else np.float32))

    def numbers(*values: int) -> Any:
        return o.constant(np.asarray(values, np.int64))

    x = o.parameter([1, 3, 16, 16], getattr(ov.Type, element), name="image")
    y = o.convolution(x, constant(f32(8, 3, 3, 3)), [2, 2], [1, 1], [1, 1], [1, 1])
    y = o.add(y, constant(f32(1, 8, 1, 1)))
    y = o.mvn(o.swish(y, constant(1)), numbers(2, 3), True, 1e-5, "inside_sqrt")
    y = o.shuffle_channels(y, 1, 2)
    gate = o.hard_sigmoid(o.reduce_mean(y, numbers(2, 3), True), constant(0.2), constant(0.5))
    y = o.multiply(y, gate)
    sizes, scales = numbers(16, 16), o.constant(np.asarray([2, 2], np.float32))
    y = opset10.interpolate(y, sizes, scales, "linear_onnx", "sizes", axes=numbers(2, 3))
    y = o.max_pool(y, [2, 2], [0, 0], [0, 0], [2, 2], "floor", "explicit")
    y.set_friendly_name("features")
    first, second = o.split(y, o.constant(np.int64(1)), 2).outputs()
    first.get_node().set_friendly_name("halves")
    return ov.Model([o.result(y), o.result(second), o.result(first)], [x])


@pytest.mark.parametrize("element", ["f32", "f16"])
def test_network(element: str, tmp_path: Path) -> None:
    """Outputs are called like what computes them, with a number where that gives several."""
    path = old(network(element), tmp_path / "m.xml")
    module = import_openvino(path)
    assert [p.name for p in module.main.inputs] == ["image"]
    assert [p.name for p in module.main.outputs] == ["features", "halves.1", "halves.0"]
    assert {str(v.type.dtype) for v in (*module.main.args, *module.main.returns)} == {"f32"}
    for suffix in (".tflite", ".onnx"):
        report = nhwcc.compile(path, tmp_path / f"m{suffix}").report
        assert report.verification is not None and report.verification.reference.startswith("OpenVINO")


def test_recurrent(tmp_path: Path) -> None:
    """Two iterators, there and back, whose results are joined."""
    from openvino import opset6 as o

    ov = openvino()
    given = [o.parameter(s, np.float32, name=f"x{i}") for i, s in enumerate(([2, 7, 4], [2, 3], [2, 3]))]
    there, *_ = iterator(1, "lstm", False, False)(o, *given)
    back, *_ = iterator(1, "lstm", True, False)(o, *given)
    path = old(ov.Model([o.result(o.concat([there, back], 2))], given), tmp_path / "m.xml")
    layers = [op for op in import_openvino(path).main.walk() if isinstance(op, Lstm)]
    assert [layer.reverse for layer in layers] == [False, True]
    report = nhwcc.compile(path, tmp_path / "m.tflite").report
    assert report.verification is not None and report.verification.reference.startswith("OpenVINO")


@pytest.mark.parametrize("version", ["6", "7", "9", "12", "x"])
def test_other_versions(version: str, tmp_path: Path) -> None:
    path = old(network("f32"), tmp_path / "m.xml")
    text = path.read_text(encoding="utf-8").replace('version="10"', f'version="{version}"', 1)
    path.write_text(text, encoding="utf-8")
    with pytest.raises(CompileError, match="F012"):
        import_openvino(path)

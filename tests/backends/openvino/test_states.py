"""Files that keep states from call to call: variables, which verification sets and reads."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from nhwcc.compiler.diagnostics import CompileError
from nhwcc.frontends.openvino import read_openvino
from onnx import numpy_helper

import nhwcc
from nhwcc.runners.openvino import CONFIG

pytest.importorskip("openvino")


def recurrent(tmp_path: Path, time: str = "time", batch: str = "2") -> Path:
    """A layer that begins with zeros."""
    text = f"""<ir_version: 8, opset_import: ["" : 17]>
    g (float[{time},{batch},4] x) => (float[{time},1,{batch},3] y) {{ y = GRU<hidden_size=3>(x, w, r) }}"""
    made: Any = onnx.parser.parse_model(text)
    rng = np.random.default_rng(0)
    for name, shape in (("w", (1, 9, 4)), ("r", (1, 9, 3))):
        made.graph.initializer.append(numpy_helper.from_array(rng.standard_normal(shape).astype(np.float32), name))
    path = tmp_path / "net.onnx"
    path.write_bytes(made.SerializeToString())
    return path


def infer(request: Any, x: Any) -> Any:
    return np.array(next(iter(request.infer([x]).values())))


@pytest.mark.parametrize("data_type", [None, "FP16"])
def test_a_layer_goes_on_where_the_last_call_ended(data_type: Any, tmp_path: Path) -> None:
    model, path = recurrent(tmp_path), tmp_path / "kept.xml"
    artifact = nhwcc.compile(model, path, state="keep", data_type=data_type)
    report = artifact.report
    assert data_type or (report.verification is not None and report.verification.ok)
    assert [p.name for p in report.inputs] == ["x"]
    assert [p.name for p in report.outputs] == ["y"]
    assert report.ops_after["ReadValue"] == report.ops_after["Assign"] == 1
    x = np.random.default_rng(1).standard_normal((6, 2, 4)).astype(np.float32)
    whole = nhwcc.compile(model, tmp_path / "whole.xml")(x)["y"]
    request = import_module("openvino").compile_model(str(path), "CPU", CONFIG).create_infer_request()
    for parts in ([artifact(x[:2])["y"], artifact(x[2:])["y"]], [infer(request, x[:2]), infer(request, x[2:])]):
        np.testing.assert_allclose(np.concatenate(parts), whole, atol=1e-2 if data_type else 1e-5)
    request.reset_state()
    np.testing.assert_allclose(infer(request, x[:2]), whole[:2], atol=1e-2 if data_type else 1e-5)


def test_what_a_file_keeps_is_read_as_inputs_and_outputs(tmp_path: Path) -> None:
    nhwcc.compile(recurrent(tmp_path), tmp_path / "kept.xml", state="keep")
    read = read_openvino(tmp_path / "kept.xml", keeps_state=True)
    (state,) = read.states
    assert [p.name for p in read.module.main.inputs] == ["x", state]
    assert [p.name for p in read.module.main.outputs] == ["y", state]
    report = nhwcc.compile(tmp_path / "kept.xml", tmp_path / "again.onnx", state="io").report
    assert report.verification is not None and report.verification.ok


def test_states_begin_with_what_the_source_says(tmp_path: Path) -> None:
    """And again in a file that is written from a file."""
    o, ov = import_module("openvino.opset13"), import_module("openvino")
    x = o.parameter([2, 3], np.float32, name="x")
    before = o.read_value(o.constant(np.full((2, 3), 0.5, np.float32)), "total", np.float32, [2, 3])
    after = o.add(x, before)
    model = ov.Model([o.result(o.relu(after), name="y")], [o.assign(after, "total")], [x])
    path = tmp_path / "m.xml"
    ov.serialize(model, str(path))
    ones = np.ones((2, 3), np.float32)
    for name in ("first.xml", "second.xml"):
        artifact = nhwcc.compile(path, tmp_path / name, state="keep")
        path = tmp_path / name
        assert [artifact(ones)["y"][0, 0] for _ in range(3)] == [1.5, 2.5, 3.5]


def test_what_can_not_be_kept(tmp_path: Path) -> None:
    model = recurrent(tmp_path)
    with pytest.raises(CompileError, match=r"L007.*TFLite files keep no states"):
        nhwcc.compile(model, tmp_path / "m.tflite", state="keep")
    with pytest.raises(CompileError, match=r"L007.*open size"):
        nhwcc.compile(recurrent(tmp_path, batch="batch"), tmp_path / "m.xml", state="keep")

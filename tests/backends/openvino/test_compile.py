"""The whole way: from a model to two files, verified; and what is said where that can't be."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from nhwcc.compiler.diagnostics import CompileError
from onnx import numpy_helper

import nhwcc
from nhwcc.runners import openvino_file


@pytest.fixture
def model(tmp_path: Path) -> Path:
    text = """<ir_version: 8, opset_import: ["" : 17]>
    g (float[n,3,8,8] image) => (float[n,5] found) {
        a = Conv<pads=[1,1,1,1], strides=[2,2]>(image, w, b)
        c = HardSwish(a)
        d = GlobalAveragePool(c)
        e = Flatten(d)
        found = Gemm<transB=1>(e, v)
    }"""
    made: Any = onnx.parser.parse_model(text)
    rng = np.random.default_rng(0)
    for name, shape in (("w", (8, 3, 3, 3)), ("b", (8,)), ("v", (5, 8))):
        made.graph.initializer.append(numpy_helper.from_array(rng.standard_normal(shape).astype(np.float32), name))
    path = tmp_path / "net.onnx"
    path.write_bytes(made.SerializeToString())
    return path


def test_a_network_is_written_and_verified(model: Path) -> None:
    artifact = nhwcc.compile(model, model.with_suffix(".xml"))
    report = artifact.report
    assert report.verification is not None
    assert report.verification.ok
    assert report.requires == "IR 11"
    assert report.ops_after["Convolution"] == 1
    assert model.with_suffix(".bin").exists()
    x = np.ones((2, 3, 8, 8), np.float32)
    assert artifact(x)["found"].shape == (2, 5)


def test_numbers_in_16_bits_are_compared_with_all_their_digits_first(model: Path) -> None:
    report = nhwcc.compile(model, model.with_suffix(".xml"), data_type="FP16").report
    assert report.verification is not None
    assert max(o.difference.relative for o in report.verification.outputs) < 1e-5
    (said,) = report.warnings
    assert said.startswith("constants in 16 bits: found departs by ")
    assert not said.startswith("constants in 16 bits: found departs by 0.0")


def test_other_targets_have_no_such_choice(model: Path) -> None:
    with pytest.raises(CompileError) as caught:
        nhwcc.compile(model, model.with_suffix(".tflite"), data_type="FP16")
    assert caught.value.diagnostics[0].code == "L007"


def never() -> bool:
    return False


def test_without_openvino_nothing_is_written(model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(openvino_file, "is_available", never)
    with pytest.raises(CompileError) as caught:
        nhwcc.compile(model, model.with_suffix(".xml"))
    (found,) = caught.value.diagnostics
    assert found.code == "R017"
    assert "nhwcc[openvino]" in found.message
    assert found.help
    assert "--no-verify" in found.help
    assert not model.with_suffix(".xml").exists()


def test_without_openvino_files_are_written_that_nothing_has_run(model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(openvino_file, "is_available", never)
    report = nhwcc.compile(model, model.with_suffix(".xml"), verify=False).report
    assert report.verification is None
    assert model.with_suffix(".xml").exists()


def test_what_is_written_is_read_again(model: Path) -> None:
    first = nhwcc.compile(model, model.with_suffix(".xml"), io_layout="nhwc", verify=False).path
    again = nhwcc.compile(first, model.with_name("again.onnx"))
    assert again.report.verification is not None
    assert again.report.verification.ok
    assert again.report.inputs[0].type == "f32[n,8,8,3]"

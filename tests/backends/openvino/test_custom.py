"""Operations that nobody knows: written as layers of their sets, for libraries that an application loads."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from click.testing import CliRunner
from nhwcc.compiler.diagnostics import CompileError
from nhwcc.compiler.ops.custom import Custom
from nhwcc.compiler.parser import parse_module
from nhwcc.frontends.openvino import import_openvino, registry

import nhwcc
from nhwcc.cli import cli

pytest.importorskip("openvino")

LIBRARY = '''
from nhwcc.compiler.ir import Value
from nhwcc.compiler.ops.arith import Mul
from nhwcc.frontends.openvino.emitter import Emitter
from nhwcc.frontends.openvino.registry import openvino_op


@openvino_op("Foo")
def foo(emit: Emitter, x: Value, *, k: int) -> Value:
    """So many times."""
    return emit(Mul(x, emit.number(k, x)))
'''


def unknown(tmp_path: Path) -> Path:
    """A model with an operator that is known to nobody."""
    text = """<ir_version: 8, opset_import: ["" : 17, "mine" : 1]>
    g (float[2,3] x) => (float[2,3] y) { a = Relu(x)
    y = mine.Foo<k=3, how="wide", axes=[1, 2]>(a) }"""
    made: Any = onnx.parser.parse_model(text)
    path = tmp_path / "net.onnx"
    path.write_bytes(made.SerializeToString())
    return path


@pytest.mark.parametrize("suffix", [".xml", ".onnx"])
def test_what_nobody_knows_is_carried(suffix: str, tmp_path: Path) -> None:
    """The file is written, and reported as not verified."""
    artifact = nhwcc.compile(unknown(tmp_path), tmp_path / f"m{suffix}", allow_custom_ops=True)
    assert artifact.report.custom_ops == ["mine.Foo"]
    assert "has no kernel" in artifact.report.not_verified
    if suffix == ".xml":
        read = import_openvino(artifact.path, allow_custom_ops=True)
        (op,) = [op for op in read.main.walk() if isinstance(op, Custom)]
        assert op.code == "mine.Foo"
        assert dict(op.options) == {"k": "3", "how": "wide", "axes": "1, 2"}


def test_layers_of_a_set_that_is_only_not_read_run(tmp_path: Path) -> None:
    """OpenVINO knows what we don't, so that the copy is verified."""
    ov, o = import_module("openvino"), import_module("openvino.opset13")
    x = o.parameter([2, 5, 4], np.float32, name="x")
    labels = np.asarray([[1, 2, 1, 0, 0], [2, 2, 0, 0, 0]], np.int32)
    known = (np.full(2, 5, np.int32), labels, np.asarray([3, 2], np.int32), np.int32(3))
    loss = o.ctc_loss(x, *(o.constant(v) for v in known))
    ov.serialize(ov.Model([o.result(loss, name="y")], [x]), str(tmp_path / "m.xml"))
    with pytest.raises(CompileError, match=r"F001.*CTCLoss"):
        nhwcc.compile(tmp_path / "m.xml", tmp_path / "n.xml")
    report = nhwcc.compile(tmp_path / "m.xml", tmp_path / "n.xml", allow_custom_ops=True).report
    assert report.custom_ops == ["opset4.CTCLoss"]
    assert report.ops_after["CTCLoss"] == 1
    assert report.verification is not None and report.verification.ok


def test_layers_of_an_extension_are_declared(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registry, "HANDLERS", {name: [*entries] for name, entries in registry.HANDLERS.items()})
    nhwcc.compile(unknown(tmp_path), tmp_path / "m.xml", allow_custom_ops=True)
    library = tmp_path / "library.py"
    library.write_text(LIBRARY)
    words = ["compile", str(tmp_path / "m.xml"), "-o", str(tmp_path / "n.tflite"), "--op-library", str(library)]
    done = CliRunner().invoke(cli, words)
    assert done.exit_code == 0, done.output
    x = np.asarray([[-1, 2, 3]] * 2, np.float32)
    artifact = nhwcc.compile(tmp_path / "m.xml", load=[library])
    np.testing.assert_array_equal(artifact(x)["y"], np.maximum(x, 0) * 3)


def test_what_no_layer_can_say(tmp_path: Path) -> None:
    text = """func @main(%x: f32[2]) -> (f32[2]) {
        %y = custom(%x) {code = "Foo", types = ["f32[2]"], options = {table = dense<[1.0, 2.0]> : f32[2]}} : f32[2]
        return(%y)
    }"""
    with pytest.raises(CompileError, match=r"B001(.|\n)*the attribute 'table'"):
        nhwcc.compile(parse_module(text), tmp_path / "m.xml")

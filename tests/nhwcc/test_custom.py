"""Operators that nobody knows: carried from the source into the file, told to kernels, and not verified."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from nhwcc.compiler.diagnostics import CompileError
from nhwcc.compiler.ops.custom import Custom
from nhwcc.formats.tflite.flexbuffer import decode
from nhwcc.formats.tflite.reader import OperatorInfo, inspect
from nhwcc.frontends.onnx.registry import HANDLERS
from onnx import ModelProto, TensorProto, helper, numpy_helper
from onnx_models import model, node

import nhwcc
from nhwcc.inspection import _options  # pyright: ignore[reportPrivateUsage]
from nhwcc.inspection import inspect as look_into

TABLE = np.asarray([[1, 2], [3, 4]], np.float32)
ATTRIBUTES: dict[str, Any] = {
    "alpha": 0.5,
    "axes": [2, 3],
    "empty": "",
    "mode": "wide",
    "table": numpy_helper.from_array(TABLE, "table"),
    "weights": [0.25, -1.0],
    "words": ["a", "b"],
}


def acme(stated: dict[str, Any] | None = None, inputs: str = "a _ k", **attributes: Any) -> ModelProto:
    """A convolution before an unknown operator of two results, and a sign behind each of them."""
    nodes = [
        node("Conv", "x w", "a"),
        helper.make_node("Spread", inputs.replace("_", "").split(" "), ["b", "n"], domain="com.acme", **attributes),
        node("Neg", "b", "y"),
    ]
    constants = {"w": np.ones((4, 3, 1, 1), np.float32), "k": np.asarray([1, 2], np.int32)}
    made = model(nodes, {"x": (1, 3, 8, 8)}, ["y", "n"], constants)
    made.opset_import.append(helper.make_opsetid("com.acme", 1))
    known: dict[str, Any] = {"b": (TensorProto.FLOAT, (1, 6, 8, 8)), "n": (TensorProto.INT64, (4,))}
    types = known if stated is None else stated
    made.graph.value_info.extend(helper.make_tensor_value_info(k, *t) for k, t in types.items())
    return made


def refused(source: Any, code: str, **options: Any) -> str:
    with pytest.raises(CompileError) as caught:
        nhwcc.compile(source, **options)
    assert [d.code for d in caught.value.diagnostics] == [code], caught.value
    return str(caught.value)


def custom_op(path: Path) -> OperatorInfo:
    (found,) = (op for op in inspect(path).subgraphs[0].operators if op.custom_options is not None)
    return found


class TestCarrying:
    def test_only_on_request(self) -> None:
        text = refused(acme(), "F001")
        assert "com.acme.Spread" in text and "--allow-custom-ops" in text and "--op-library" in text

    def test_what_is_written(self, tmp_path: Path) -> None:
        artifact = nhwcc.compile(acme(**ATTRIBUTES), tmp_path / "m.tflite", allow_custom_ops=True)
        assert artifact.report.custom_ops == ["com.acme.Spread"] and artifact.report.ops_after["com.acme.Spread"] == 1
        op, graph = custom_op(artifact.path), inspect(artifact.path).subgraphs[0]
        assert op.name == "com.acme.Spread" and op.version == 1 and op.custom_options is not None
        told = decode(op.custom_options)
        table = told.pop("table")
        assert told == {k: v for k, v in ATTRIBUTES.items() if k != "table"}
        assert table["type"] == "f32" and table["shape"] == [2, 2]
        np.testing.assert_array_equal(np.frombuffer(table["data"], np.float32).reshape(2, 2), TABLE)
        assert op.inputs[1] == -1 and len(op.inputs) == 3
        assert [str(graph.tensors[t]) for t in op.outputs] == ["float32[1,6,8,8]", "int64[4]"]

    def test_the_layout_is_the_source_s(self) -> None:
        """The convolution runs channels last, so a transpose stands before what nobody knows."""
        artifact = nhwcc.compile(acme(), allow_custom_ops=True)
        op, graph = custom_op(artifact.path), inspect(artifact.path).subgraphs[0]
        assert str(graph.tensors[op.inputs[0]]) == "float32[1,4,8,8]"
        assert [o.name for o in graph.operators] == ["CONV_2D", "TRANSPOSE", "com.acme.Spread", "NEG"]

    def test_it_says_what_is_not_verified(self) -> None:
        report = nhwcc.compile(acme(), allow_custom_ops=True).report
        assert report.verification is None
        assert "no kernel for the custom operator com.acme.Spread" in report.not_verified

    def test_other_errors_are_still_told(self, monkeypatch: pytest.MonkeyPatch) -> None:
        from nhwcc.compiler.diagnostics import error

        def run(*_: Any) -> None:
            raise error("R013", "refused")

        monkeypatch.setattr("nhwcc.runners.tflite.TfliteRunner.allocate", run)
        refused(acme(), "R013", allow_custom_ops=True)

    def test_twice_the_same_operator(self) -> None:
        """Whoever knows nothing of an operator does not know whether it gives the same again."""
        made = acme()
        made.graph.node.append(helper.make_node("Spread", ["a", "", "k"], ["c", "m"], domain="com.acme"))
        made.graph.output.append(helper.make_empty_tensor_value_info("c"))
        for name, other in (("c", "b"), ("m", "n")):
            info = next(v for v in made.graph.value_info if v.name == other)
            made.graph.value_info.add().CopyFrom(info)
            made.graph.value_info[-1].name = name
        report = nhwcc.compile(made, allow_custom_ops=True).report
        assert report.ops_after["com.acme.Spread"] == 2

    def test_on_constants_it_is_not_folded(self) -> None:
        report = nhwcc.compile(acme(inputs="k"), allow_custom_ops=True).report
        assert report.ops_after["com.acme.Spread"] == 1

    def test_the_same_as_text(self) -> None:
        from nhwcc.compiler.parser import parse_module
        from nhwcc.compiler.printer import print_module

        text = print_module(nhwcc.load(acme(**ATTRIBUTES), allow_custom_ops=True), locations=True)
        assert print_module(parse_module(text), locations=True) == text and 'code = "com.acme.Spread"' in text
        assert nhwcc.compile(text.encode()).report.custom_ops == ["com.acme.Spread"]


class TestInspecting:
    def test_what_kernels_are_told(self, tmp_path: Path) -> None:
        artifact = nhwcc.compile(acme(**ATTRIBUTES), tmp_path / "m.tflite", allow_custom_ops=True)
        found = look_into(artifact.path).summary
        assert found.counts["com.acme.Spread"] == 1
        (line,) = (op for op in found.ops if "com.acme.Spread" in op)
        assert 'alpha = 0.5, axes = [2, 3], empty = "", mode = "wide", table = f32[2,2]' in line

    def test_what_others_have_told(self) -> None:
        assert _options(OperatorInfo("theirs", 1, (), (), b"\x00\x01\x02")) == " {3 bytes}"
        assert _options(OperatorInfo("theirs", 1, (), (), b"")) == ""


class TestTypes:
    def test_sizes_with_names_are_those_of_the_inputs(self) -> None:
        made = acme({"b": (TensorProto.FLOAT, ("batch size", 6, None, 8)), "n": (TensorProto.INT64, (4,))})
        made.graph.input[0].type.tensor_type.shape.dim[0].dim_param = "batch size"
        module = nhwcc.load(made, allow_custom_ops=True)
        assert [str(v.type) for v in module.main.returns] == ["f32[batch_size,6,unknown0,8]", "i64[4]"]
        fixed = nhwcc.load(made, allow_custom_ops=True, shapes={"batch size": 2})
        assert [str(v.type) for v in fixed.main.returns] == ["f32[2,6,unknown0,8]", "i64[4]"]

    @pytest.mark.parametrize("stated", [{}, {"b": (TensorProto.FLOAT, None), "n": (TensorProto.INT64, (4,))}])
    def test_what_is_not_stated(self, stated: dict[str, Any]) -> None:
        with pytest.raises(CompileError) as caught:
            nhwcc.load(acme(stated), allow_custom_ops=True)
        assert caught.value.diagnostics[0].code == "F023" and "make_tensor_value_info('b'" in str(caught.value)

    def test_the_onnx_package_may_know(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """An operator of the standard's other domains needs no stated type."""
        monkeypatch.delitem(HANDLERS, ("ai.onnx.ml", "Binarizer"), raising=False)
        step = helper.make_node("Binarizer", ["x"], ["y"], domain="ai.onnx.ml", threshold=0.5)
        made = model([step], {"x": (1, 8)}, ["y"])
        made.opset_import.append(helper.make_opsetid("ai.onnx.ml", 3))
        report = nhwcc.compile(made, allow_custom_ops=True).report
        assert report.outputs[0].type == "f32[1,8]" and report.custom_ops == ["ai.onnx.ml.Binarizer"]

    def test_a_changed_shape_is_told(self) -> None:
        report = nhwcc.compile(acme(), allow_custom_ops=True, shapes={"x": (2, 3, 8, 8)}).report
        assert any("com.acme.Spread" in w and "another x" in w for w in report.warnings)
        same = nhwcc.compile(acme(), allow_custom_ops=True, shapes={"x": (1, 3, 8, 8)}).report
        assert not same.warnings

    def test_a_graph_can_not_be_carried(self) -> None:
        body = helper.make_graph([], "body", [], [])
        with pytest.raises(CompileError) as caught:
            nhwcc.load(acme(body=body), allow_custom_ops=True)
        assert caught.value.diagnostics[0].code == "F005" and "'body'" in str(caught.value)


class TestRunning:
    def test_the_runtime_lacks_the_kernel(self) -> None:
        artifact = nhwcc.compile(acme(), allow_custom_ops=True)
        with pytest.raises(CompileError) as caught:
            artifact(np.zeros((1, 8, 8, 3), np.float32))
        assert caught.value.diagnostics[0].code == "R023" and "com.acme.Spread" in str(caught.value)

    def test_the_interpreter_lacks_semantics(self) -> None:
        from nhwcc.compiler.interpreter import random_inputs, run

        func = nhwcc.load(acme(), allow_custom_ops=True).main
        with pytest.raises(CompileError) as caught:
            run(func, random_inputs(func))
        assert caught.value.diagnostics[0].code == "R001"
        assert "the custom operator com.acme.Spread has no reference semantics" in str(caught.value)

    def test_a_kernel_that_the_runtime_has(self, tmp_path: Path) -> None:
        """The runtime brings some custom operators along: their files run."""
        text = """func @main(%boxes: f32[1,6,4], %scores: f32[1,6,3], %anchors: f32[6,4])
            -> (f32[1,5,4], f32[1,5], f32[1,5], f32[1]) {
          %b, %c, %s, %n = custom(%boxes, %scores, %anchors) {code = "TFLite_Detection_PostProcess",
            types = ["f32[1,5,4]", "f32[1,5]", "f32[1,5]", "f32[1]"],
            options = {max_detections = 5, max_classes_per_detection = 1, num_classes = 2, nms_score_threshold = 0.1,
            nms_iou_threshold = 0.5, h_scale = 5.0, w_scale = 5.0, x_scale = 10.0, y_scale = 10.0}}
            : f32[1,5,4], f32[1,5], f32[1,5], f32[1]
          return(%b, %c, %s, %n)
        }"""
        artifact = nhwcc.compile(text.encode())
        assert "no reference semantics" in artifact.report.not_verified
        rng = np.random.default_rng(0)
        shapes = {"boxes": (1, 6, 4), "scores": (1, 6, 3), "anchors": (6, 4)}
        found = artifact(**{k: rng.random(s, np.float32) for k, s in shapes.items()})
        assert found["output_0"].shape == (1, 5, 4) and found["output_3"].item() > 0


def test_what_kernels_can_not_be_told() -> None:
    from nhwcc.compiler.dims import symbol
    from nhwcc.formats.tflite.flexbuffer import encode

    with pytest.raises(CompileError) as caught:
        encode({"size": [symbol("h")]})
    assert caught.value.diagnostics[0].code == "B004" and "'size'" in str(caught.value)
    for damaged in (b"", b"\x01", b"\x01\xff\xff"):
        with pytest.raises(ValueError):  # noqa: PT011 -- flexbuffers' own words
            decode(damaged)


def test_declared_once() -> None:
    assert Custom.spec.variadic == "inputs" and not Custom.spec.traits

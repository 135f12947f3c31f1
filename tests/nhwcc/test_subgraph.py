"""What users change about a model: which part of it, of which sizes, under which names; for every kind of source."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from models import CONV, onnx_model
from nhwcc.compiler.diagnostics import did_you_mean
from nhwcc.compiler.interpreter import run
from nhwcc.compiler.parser import parse_module
from nhwcc.compiler.printer import print_module
from nhwcc.compiler.subgraph import cut
from nhwcc.compiler.verify import verify
from onnx import ModelProto, TensorProto, helper
from onnx_models import model, node
from torch import Tensor, nn
from torch.export import Dim

import nhwcc
from nhwcc import CompileError
from nhwcc.interface import Interface
from nhwcc.options import Model
from nhwcc.report import Report

OPEN = CONV.replace("f32[1,", "f32[batch,")
"""The same network for any number of images."""


class Small(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 4, 1, stride=2)

    def forward(self, image: Tensor) -> dict[str, Tensor]:
        y = torch.relu(self.conv(image))
        return {"map": y, "scores": y.mean((2, 3))}


def program() -> torch.export.ExportedProgram:
    return torch.export.export(Small().eval(), (torch.randn(2, 3, 8, 6),), dynamic_shapes={"image": {0: Dim("n")}})


def names(report: Report) -> tuple[list[str], list[str]]:
    return [p.name for p in report.inputs], [p.name for p in report.outputs]


def refused(source: Model, code: str, **options: Any) -> str:
    with pytest.raises(CompileError) as caught:
        nhwcc.compile(source, **options)
    assert [d.code for d in caught.value.diagnostics] == [code], caught.value
    return str(caught.value)


SOURCES: dict[str, Any] = {"onnx": onnx_model, "ir": CONV.encode, "torch": program}


@pytest.mark.parametrize("kind", SOURCES)
class TestNames:
    def test_some(self, kind: str) -> None:
        artifact = nhwcc.compile(SOURCES[kind](), rename={"image": "x", "scores": "y"})
        assert names(artifact.report) == (["x"], ["map", "y"])
        assert artifact.report.verification is not None and artifact.report.verification.ok
        assert artifact(x=np.ones((1, 8, 6, 3), np.float32))["y"].shape == (1, 4)

    def test_all(self, kind: str) -> None:
        report = nhwcc.compile(SOURCES[kind](), input_names=["map"], output_names=["a", "b"]).report
        assert names(report) == (["map"], ["a", "b"])

    def test_two_may_change_places(self, kind: str) -> None:
        report = nhwcc.compile(SOURCES[kind](), rename={"map": "scores", "scores": "map"}).report
        assert names(report)[1] == ["scores", "map"]
        assert [p.type.count(",") for p in report.outputs] == [3, 1] and report.verification is not None

    def test_layouts_and_data_speak_of_the_new_names(self, kind: str) -> None:
        image = np.random.default_rng(0).standard_normal((1, 3, 8, 6)).astype(np.float32)
        options: dict[str, Any] = {"rename": {"image": "x"}, "io_layout": {"x": "keep"}, "data": {"x": image}}
        report = nhwcc.compile(SOURCES[kind](), **options).report
        assert report.inputs[0].layout == "" and report.verification is not None
        assert "image" in refused(SOURCES[kind](), "L006", rename={"image": "x"}, io_layout={"image": "keep"})

    @pytest.mark.parametrize(
        ("options", "code", "says"),
        [
            ({"rename": {"imag": "x"}}, "L006", "did you mean 'image'"),
            ({"rename": {"scores": "map"}}, "L009", "two outputs would be called 'map'"),
            ({"rename": {"scores": ""}}, "L009", "empty name"),
            ({"output_names": ["a"]}, "L009", "1 name for 2 outputs"),
            ({"output_names": ["a", "a"]}, "L009", "two outputs would be called 'a'"),
            ({"output_names": ["a", "b"], "rename": {"map": "c"}}, "L006", "there are image"),
        ],
    )
    def test_what_does_not_fit(self, kind: str, options: dict[str, Any], code: str, says: str) -> None:
        assert says in refused(SOURCES[kind](), code, **options)


class TestUnused:
    TEXT = """func @main(%x: f32[1,4], %unused: f32[batch,7], %y: i32[3]) -> (f32[1,4] {name = "out"}) {
      %a = relu(%x) : f32[1,4]
      return(%a)
    }"""

    @staticmethod
    def onnx() -> ModelProto:
        made = model([node("Relu", "x", "out")], {"x": (1, 4), "unused": ("batch", 7)}, ["out"])
        made.graph.input.append(helper.make_tensor_value_info("y", TensorProto.INT32, [3]))
        return made

    @pytest.mark.parametrize("kind", ["ir", "onnx"])
    def test_they_stay(self, kind: str, tmp_path: Path) -> None:
        """The file takes them although nothing reads them, so that an application's call stays what it was."""
        source: Any = self.TEXT.encode() if kind == "ir" else self.onnx()
        artifact = nhwcc.compile(source, tmp_path / "m.tflite", io_layout="keep")
        assert names(artifact.report)[0] == ["x", "unused", "y"]
        x = np.asarray([[-1.0, 0.0, 1.0, 2.0]], np.float32)
        for batch in (1, 5):
            found = artifact(x=x, unused=np.ones((batch, 7), np.float32), y=np.zeros(3, np.int32))
            np.testing.assert_array_equal(found["out"], [[0, 0, 1, 2]])

    @pytest.mark.parametrize("kind", ["ir", "onnx"])
    def test_they_go_on_request(self, kind: str) -> None:
        source: Any = self.TEXT.encode() if kind == "ir" else self.onnx()
        artifact = nhwcc.compile(source, drop_unused_inputs=True, rename={"x": "z"})
        assert names(artifact.report)[0] == ["z"]
        verification = artifact.report.verification
        assert verification is not None and verification.ok
        assert ("onnxruntime" in verification.reference) == (kind == "onnx")

    def test_of_a_pytorch_module(self) -> None:
        class Net(nn.Module):
            def forward(self, x: Tensor, unused: Tensor) -> Tensor:
                return torch.relu(x)

        args = (torch.randn(2, 3), torch.randn(4))
        kept, dropped = (nhwcc.compile(Net(), args=args, drop_unused_inputs=drop).report for drop in (False, True))
        assert names(kept)[0] == ["x", "unused"] and names(dropped)[0] == ["x"]
        assert dropped.verification is not None and "PyTorch" in dropped.verification.reference

    def test_a_dropped_one_has_no_name(self) -> None:
        assert "there are x, out" in refused(
            self.TEXT.encode(), "L006", drop_unused_inputs=True, rename={"unused": "z"}
        )


class TestSizes:
    @pytest.mark.parametrize("shapes", [{"batch": 2}, {"image": (2, 3, 8, 6)}])
    @pytest.mark.parametrize("kind", ["onnx", "ir"])
    def test_a_name_becomes_a_number(self, kind: str, shapes: dict[str, Any]) -> None:
        source: Any = onnx_model(batch="batch") if kind == "onnx" else OPEN.encode()
        report = nhwcc.compile(source, shapes=shapes, io_layout="keep").report
        assert [p.type for p in (*report.inputs, *report.outputs)] == ["f32[2,3,8,6]", "f32[2,4,4,3]", "f32[2,4]"]
        assert report.verification is not None and report.verification.ok

    def test_of_an_exported_program(self) -> None:
        found = nhwcc.load(program())
        (name,) = (str(d) for d in found.main.args[0].type.shape if not isinstance(d, int))
        report = nhwcc.compile(program(), shapes={name: 3}, io_layout="keep").report
        assert report.inputs[0].type == "f32[3,3,8,6]" and report.verification is not None
        assert "'image' is (1, 3, 4, 4), but it is" in refused(program(), "F019", shapes={"image": (1, 3, 4, 4)})

    def test_of_a_module_together_with_shapes(self) -> None:
        shapes: Any = {"image": ("n", 3, 8, 6), "n": 5}
        report = nhwcc.compile(Small().eval(), shapes=shapes, io_layout="keep").report
        assert report.inputs[0].type == "f32[5,3,8,6]"

    def test_sizes_without_a_name_have_one_here(self) -> None:
        made = onnx_model(batch="?")
        assert str(nhwcc.load(made).main.args[0].type) == "f32[d0,3,8,6]"
        assert str(nhwcc.load(made, shapes={"d0": 4}).main.args[0].type) == "f32[4,3,8,6]"

    @pytest.mark.parametrize("kind", ["onnx", "ir"])
    def test_no_such_size(self, kind: str) -> None:
        source: Any = onnx_model(batch="batch") if kind == "onnx" else OPEN.encode()
        assert (did_you_mean("bach", ["batch"]) or "") in refused(source, "F018", shapes={"bach": 1})

    def test_a_vector_and_a_size(self) -> None:
        vector = model([node("Relu", "n", "y")], {"n": ("m",)}, ["y"])
        assert str(nhwcc.load(vector, shapes={"n": 5}).main.args[0].type) == "f32[5]"
        both = model([node("Relu", "n", "y")], {"n": ("n",)}, ["y"])
        assert "both an input and a size" in refused(both, "F019", shapes={"n": 5})
        assert str(nhwcc.load(both, shapes={"n": (5,)}).main.args[0].type) == "f32[5]"
        text = print_module(nhwcc.load(both)).encode()
        assert "both an input and a size" in refused(text, "F019", shapes={"n": 5})
        assert str(nhwcc.load(text, shapes={"n": (5,)}).main.args[0].type) == "f32[5]"

    def test_sizes_in_attributes_and_regions(self) -> None:
        text = b"""func @main(%c: bool[], %x: f32[n,2]) -> (f32[2*n]) {
          %y = if(%c) do () {
            %r = reshape(%x) {shape = ['2*n']} : f32[2*n]
            return(%r)
          } do () {
            %s = reshape(%x) {shape = ['2*n']} : f32[2*n]
            return(%s)
          } : f32[2*n]
          %z = custom(%y) {code = "acme.Same", types = ["f32[2*n]"]} : f32[2*n]
          return(%z)
        }"""
        fixed = print_module(nhwcc.load(text, shapes={"n": 3}))
        assert "n]" not in fixed.replace("return", "") and fixed.count("f32[6]") >= 6


class TestParts:
    def test_of_ir(self) -> None:
        report = nhwcc.compile(CONV.encode(), inputs=["c"], outputs=["scores"]).report
        assert names(report) == (["c"], ["scores"]) and set(report.ops_before) == {"relu", "reduce"}
        inner = nhwcc.compile(CONV.encode(), outputs=["c", "map"]).report
        assert names(inner) == (["image"], ["c", "map"]) and inner.verification is not None

    def test_an_output_that_is_an_input(self) -> None:
        module = nhwcc.load(CONV.encode(), inputs=["r"], outputs=["map", "scores"])
        assert module.main.returns[0] is module.main.args[0]

    def test_of_pytorch(self) -> None:
        report = nhwcc.compile(program(), outputs=["relu"], rename={"relu": "y"}).report
        assert names(report) == (["image"], ["y"]) and report.verification is not None
        assert report.warnings == ["verified against the reference interpreter: PyTorch runs whole models"]

    def test_together_with_sizes_and_names(self) -> None:
        options: Any = {"inputs": ["c"], "shapes": {"batch": 2}, "rename": {"c": "x"}, "io_layout": "keep"}
        for source in (OPEN.encode(), onnx_model(batch="batch")):
            report = nhwcc.compile(source, **options).report
            assert names(report) == (["x"], ["map", "scores"]) and report.inputs[0].type == "f32[2,4,4,3]"

    @pytest.mark.parametrize("kind", ["onnx", "ir", "torch"])
    def test_wrong_names_suggest_near_ones(self, kind: str) -> None:
        assert "did you mean 'scores'?" in refused(SOURCES[kind](), "F018", outputs=["score"]).lower()
        assert "did you mean 'image'?" in refused(SOURCES[kind](), "F018", inputs=["imagee"]).lower()

    @pytest.mark.parametrize("kind", ["onnx", "ir"])
    def test_names_inside_of_subgraphs(self, kind: str) -> None:
        f32 = TensorProto.FLOAT
        branch = helper.make_graph(
            [node("Relu", "x", "inner")], "then", [], [helper.make_tensor_value_info("inner", f32, [2])]
        )
        other = helper.make_graph(
            [node("Neg", "x", "other")], "else", [], [helper.make_tensor_value_info("other", f32, [2])]
        )
        made = model([node("If", "c", "y", then_branch=branch, else_branch=other)], {"x": (2,)}, ["y"])
        made.graph.input.append(helper.make_tensor_value_info("c", TensorProto.BOOL, []))
        text = """func @main(%c: bool[], %x: f32[2]) -> (f32[2] {name = "y"}) {
          %y = if(%c) do () {
            %inner = relu(%x) : f32[2]
            return(%inner)
          } do () {
            return(%x)
          } : f32[2]
          return(%y)
        }"""
        source = made if kind == "onnx" else text.encode()
        for options in ({"inputs": ["x", "inner"]}, {"outputs": ["inner"]}):
            assert "'inner' is inside of" in refused(source, "F018", **options)

    def test_a_part_needs_its_inputs(self) -> None:
        text = b"""func @main(%a: f32[2], %b: f32[2]) -> (f32[2]) {
          %c = neg(%a) : f32[2]
          %d = add(%c, %b) : f32[2]
          return(%d)
        }"""
        assert "also depend on the inputs b" in refused(text, "F018", inputs=["c"])


def test_an_interface_without_wishes_changes_nothing() -> None:
    assert Interface().apply(nhwcc.load(CONV.encode())).is_empty


def test_sizes_of_what_is_left_keep_their_numbers() -> None:
    module = parse_module("""
func @main(%x: f32[12], %n: i64[1], %m: i64[1]) -> (f32[u0], f32[u1]) {
  bind_sizes(%n) {sizes = ['u0']}
  bind_sizes(%m) {sizes = ['u1']}
  %a = slice(%x) {starts = [0], sizes = ['u0'], steps = [1]} : f32[u0]
  %b = slice(%x) {starts = [0], sizes = ['u1'], steps = [1]} : f32[u1]
  %y = neg(%a) : f32[u0]
  return(%y, %b)
}""")
    cut(module.main, None, ["a"])
    verify(module)
    assert [op.spec.name for op in module.main.ops] == ["bind_sizes", "slice", "return"]
    (found,) = run(module.main, [np.arange(12, dtype=np.float32), np.asarray([3]), np.asarray([5])])
    np.testing.assert_array_equal(found, [0, 1, 2])

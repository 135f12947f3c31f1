"""Runners: onnxruntime, the TFLite runtime and the reference interpreter, seen through one door."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import replace
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from models import CONV, SMALL, onnx_model, write_onnx
from nhwcc.backends.tflite.extra_outputs import give_too
from nhwcc.compiler.diagnostics import CompileError
from nhwcc.compiler.types import Array, parse_type
from nhwcc.formats.tflite.reader import inspect
from nhwcc.passes.propagate_layout import PropagateLayout
from onnx import TensorProto, helper

import nhwcc
from nhwcc.numerics import compare_unordered
from nhwcc.runners.onnx import SILENCE, OnnxRunner
from nhwcc.runners.reference import ReferenceRunner
from nhwcc.runners.tflite import TfliteRunner
from nhwcc.sources import load

IMAGE = np.random.default_rng(3).standard_normal((1, 3, 8, 6)).astype(np.float32)


def port(name: str, shape: list[int], type: int = TensorProto.FLOAT) -> Any:
    return helper.make_tensor_value_info(name, type, shape)


class TestReference:
    def test_names_types_and_numbers(self) -> None:
        runner = ReferenceRunner(load(SMALL.encode()))
        assert runner.inputs == {"x": parse_type("f32[1,3,4,2]")} and runner.outputs == ("y",)
        x = np.full((1, 3, 4, 2), -1, np.float32)
        np.testing.assert_array_equal(runner.run({"x": -x})["y"], -x * 2)

    def test_layouts_are_those_of_the_source_whatever_is_stored(self) -> None:
        module = load(CONV.encode())
        want = ReferenceRunner(load(CONV.encode())).run({"image": IMAGE})
        PropagateLayout(io_layout="nhwc").run(module)
        assert module.main.inputs[0].perm == (0, 2, 3, 1)
        runner = ReferenceRunner(module)
        assert runner.inputs == {"image": parse_type("f32[1,3,8,6]")}
        for name, array in runner.run({"image": IMAGE}).items():
            np.testing.assert_allclose(array, want[name], rtol=1e-5)

    def test_a_trace_has_what_has_a_name_but_no_constants(self) -> None:
        traced = list(ReferenceRunner(load(CONV.encode())).trace({"image": IMAGE}))
        assert [(t.name, t.kind) for t in traced] == [("c", "conv"), ("r", "relu"), ("m", "reduce")]


class TestOnnx:
    def test_what_it_is_from_itself_counts_threads(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """Dynamically quantized recurrent kernels round the states together of all sequences that one thread runs."""
        ort: Any = import_module("onnxruntime")
        opened: list[int] = []
        make = ort.InferenceSession

        def spy(model: Any, options: Any, **given: Any) -> Any:
            opened.append(options.intra_op_num_threads)
            return make(model, options, **given)

        monkeypatch.setattr(ort, "InferenceSession", spy)
        runner = OnnxRunner(write_onnx(tmp_path / "m.onnx"))
        want, found = runner.run({"image": IMAGE}), runner.run_otherwise({"image": IMAGE})
        assert opened == [0, 1]
        np.testing.assert_allclose(found["map"], want["map"], rtol=1e-4, atol=1e-6)

    def test_nothing_is_told_to_the_makers_of_the_runtime(self, tmp_path: Path) -> None:
        """Some builds of onnxruntime leave a file when they get ready to."""
        env = {k: v for k, v in os.environ.items() if k != SILENCE} | {"TMPDIR": str(tmp_path)}
        code = f"import os; from nhwcc.runners import onnx; print(onnx.is_available(), os.environ['{SILENCE}'])"
        done = subprocess.run([sys.executable, "-c", code], env=env, capture_output=True, text=True, check=True)
        assert done.stdout.split() == ["True", "1"] and not list(tmp_path.iterdir())

    def test_names_types_and_numbers(self, tmp_path: Path) -> None:
        runner = OnnxRunner(write_onnx(tmp_path / "m.onnx"))
        assert runner.inputs == {"image": parse_type("f32[1,3,8,6]")} and runner.outputs == ("map", "scores")
        results = runner.run({"image": IMAGE})
        np.testing.assert_allclose(results["scores"], results["map"].mean((2, 3)), rtol=1e-5)
        assert runner.title.startswith("onnxruntime 1.")

    def test_a_condition_without_axes(self) -> None:
        branches = [
            helper.make_graph([helper.make_node(op, ["x"], ["z"])], op, [], [port("z", [2])]) for op in ("Neg", "Exp")
        ]
        choice = helper.make_node("If", ["c"], ["y"], then_branch=branches[0], else_branch=branches[1])
        given = [port("x", [2]), port("c", [], TensorProto.BOOL)]
        graph = helper.make_graph([choice], "g", given, [port("y", [2])])
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
        done = nhwcc.compile(model.SerializeToString())
        assert done.report.verification is not None and done.report.verification.proven
        assert "onnxruntime" in done.report.verification.reference

    @pytest.mark.parametrize("form", ["path", "bytes", "message"])
    def test_paths_bytes_and_messages(self, form: str, tmp_path: Path) -> None:
        model = onnx_model()
        source = {"path": write_onnx(tmp_path / "m"), "bytes": model.SerializeToString(), "message": model}[form]
        assert OnnxRunner(source).run({"image": IMAGE})["scores"].shape == (1, 4)  # pyright: ignore[reportArgumentType]

    def test_named_sizes(self) -> None:
        assert OnnxRunner(onnx_model(batch="batch size")).inputs == {"image": parse_type("f32[d0,3,8,6]")}
        assert OnnxRunner(onnx_model(batch="batch")).inputs == {"image": parse_type("f32[batch,3,8,6]")}

    def test_other_shapes_than_the_file_states(self) -> None:
        types = {"image": parse_type("f32[5,3,8,6]")}
        model = onnx_model()
        with pytest.raises(CompileError):
            OnnxRunner(model).run({"image": np.repeat(IMAGE, 5, 0)})
        runner = OnnxRunner(model, types=types)
        assert runner.run({"image": np.repeat(IMAGE, 5, 0)})["scores"].shape == (5, 4)
        assert model.graph.input[0].type.tensor_type.shape.dim[0].dim_value == 1, "what is given is not changed"

    def test_a_part_of_the_model(self) -> None:
        runner = OnnxRunner(onnx_model(), types={"c": parse_type("f32[1,4,4,3]")}, outputs=["map"])
        c = np.asarray(np.linspace(-1, 1, 48).reshape(1, 4, 4, 3), np.float32)
        np.testing.assert_array_equal(runner.run({"c": c})["map"], np.maximum(c, 0))

    def test_a_part_that_takes_one_of_several_results(self) -> None:
        nodes = [
            helper.make_node("Split", ["x"], ["a", "b"], num_outputs=2),
            helper.make_node("Sub", ["a", "b"], ["y"]),
        ]
        value = helper.make_tensor_value_info
        graph = helper.make_graph(
            nodes, "g", [value("x", TensorProto.FLOAT, [4])], [value("y", TensorProto.FLOAT, [2])]
        )
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9)
        types = {"x": parse_type("f32[4]"), "a": parse_type("f32[2]")}
        got = OnnxRunner(model, types=types, outputs=["y"]).run(
            {"x": np.arange(4, dtype=np.float32), "a": np.asarray([10, 10], np.float32)}
        )
        assert got["y"].tolist() == [8, 7]

    def test_what_graphs_in_nodes_read_is_kept(self) -> None:
        value = helper.make_tensor_value_info
        branch = helper.make_graph(
            [helper.make_node("Neg", ["n"], ["o"])], "b", [], [value("o", TensorProto.FLOAT, [2])]
        )
        nodes = [
            helper.make_node("Abs", ["x"], ["n"]),
            helper.make_node("Exp", ["x"], ["unused"]),
            helper.make_node("If", ["c"], ["y"], then_branch=branch, else_branch=branch),
        ]
        inputs = [value("x", TensorProto.FLOAT, [2]), value("c", TensorProto.BOOL, [])]
        graph = helper.make_graph(nodes, "g", inputs, [value("y", TensorProto.FLOAT, [2])])
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9)
        runner = OnnxRunner(model, types={"x": parse_type("f32[2]"), "c": parse_type("bool[]")}, outputs=["y"])
        got = runner.run({"x": np.asarray([1, -2], np.float32), "c": np.asarray(True)})
        assert got["y"].tolist() == [-1, -2]

    def test_weights_in_another_file(self, tmp_path: Path) -> None:
        path = tmp_path / "m.onnx"
        save: Any = import_module("onnx").save_model
        save(onnx_model(), str(path), save_as_external_data=True, location="m.data", size_threshold=64)
        want = OnnxRunner(onnx_model()).run({"image": IMAGE})
        part = OnnxRunner(path, types={"image": parse_type("f32[1,3,8,6]")}, outputs=["scores"])
        np.testing.assert_allclose(part.run({"image": IMAGE})["scores"], want["scores"])
        assert [t.name for t in OnnxRunner(path).trace({"image": IMAGE})] == ["c", "map", "scores"]

    def test_a_trace_has_every_value_in_order(self) -> None:
        traced = list(OnnxRunner(onnx_model()).trace({"image": IMAGE}))
        assert [(t.name, t.kind) for t in traced] == [("c", "Conv"), ("map", "Relu"), ("scores", "ReduceMean")]
        np.testing.assert_array_equal(traced[1].array, np.maximum(traced[0].array, 0))

    @pytest.mark.parametrize(
        "image", [IMAGE[:, :2], IMAGE.astype(np.float64), IMAGE[0]], ids=["size", "element type", "rank"]
    )
    def test_what_it_refuses_to_run(self, image: Array) -> None:
        with pytest.raises(CompileError) as caught:
            OnnxRunner(onnx_model()).run({"image": image})
        assert caught.value.diagnostics[0].code == "R018"

    @pytest.mark.parametrize("what", ["IR version", "opset"])
    def test_what_is_newer_than_itself(self, what: str) -> None:
        newer = onnx_model()
        if what == "opset":
            newer.opset_import[0].version = 99
        else:
            newer.ir_version = 99
        with pytest.raises(CompileError, match=rf"it has {what} 99(.|\n)*--upgrade onnxruntime") as caught:
            OnnxRunner(newer)
        assert [d.code for d in caught.value.diagnostics] == ["R018"]

    def test_what_it_refuses_to_load(self, tmp_path: Path) -> None:
        (tmp_path / "m.onnx").write_bytes(b"no model")
        for source in (tmp_path / "m.onnx", tmp_path / "none.onnx", b"no model"):
            with pytest.raises(CompileError) as caught:
                OnnxRunner(source)
            assert caught.value.diagnostics[0].code == "R018"


class TestTflite:
    def test_a_trace_is_the_same_however_often_it_runs(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """What the runtime would have overwritten is kept, few tensors at a time, and outputs stay what they are."""
        nhwcc.compile(CONV.encode(), tmp_path / "m.tflite", passes="legalize", verify=False)
        with TfliteRunner(tmp_path / "m.tflite") as runner:
            at_once = list(runner.trace({"image": IMAGE}))
            monkeypatch.setattr("nhwcc.runners.tflite.KEPT_BYTES", 1)
            one_by_one = list(runner.trace({"image": IMAGE}))
        assert [(t.name, t.kind) for t in at_once] == [(t.name, t.kind) for t in one_by_one]
        for a, b in zip(at_once, one_by_one, strict=True):
            np.testing.assert_array_equal(a.array, b.array)
        want = {t.name: t.array for t in ReferenceRunner(load(CONV.encode())).trace({"image": IMAGE})}
        got = {t.name: t.array for t in one_by_one}
        assert got.keys() >= {"c", "r", "m"}
        for name in ("c", "r", "m"):
            assert compare_unordered(want[name], got[name]).ok
        assert [t.name for t in runner.trace({"image": IMAGE}, {"c"})] == ["c"]

    def test_what_a_file_gives_too(self, tmp_path: Path) -> None:
        file, copy = tmp_path / "m.tflite", tmp_path / "copy.tflite"
        nhwcc.compile(CONV.encode(), file, passes="legalize", verify=False)
        before = inspect(file).subgraphs[0]
        inside = [n for op in before.operators for n in op.outputs if n not in before.outputs]
        assert inside
        assert give_too(file, inside, copy)
        assert inspect(copy).subgraphs[0] == replace(before, outputs=(*before.outputs, *inside))

"""The Python API: what users import."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable
from dataclasses import fields
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import numpy as np
import pytest
from models import CONV, SMALL, answering, onnx_model, write, write_onnx
from nhwcc.backends.tflite import PIPELINE
from nhwcc.compiler.ir import Module
from nhwcc.compiler.printer import print_module

import nhwcc
from nhwcc.instruments import Instrument, Stage
from nhwcc.verification import VerificationError

IMAGE = np.random.default_rng(1).standard_normal((1, 3, 8, 6)).astype(np.float32)


def test_everything_public_is_there() -> None:
    for name in nhwcc.__all__:
        assert getattr(nhwcc, name) is not None
    with pytest.raises(AttributeError, match="no attribute 'compil'"):
        getattr(nhwcc, "compil")  # noqa: B009


class TestSignatures:
    def fields(self) -> dict[str, tuple[str, object]]:
        return {f.name: (str(f.type), f.default) for f in fields(nhwcc.CompileOptions)}

    def test_compile_takes_every_option(self) -> None:
        model, output, *more = inspect.signature(nhwcc.compile).parameters.values()
        assert (model.name, model.kind, output.name) == ("model", model.POSITIONAL_ONLY, "output")
        assert {p.name: (p.annotation, p.default) for p in (output, *more)} == self.fields()
        assert all(p.kind is p.KEYWORD_ONLY for p in more)
        with pytest.raises(TypeError, match="io_layuot"):
            nhwcc.compile(SMALL.encode(), io_layuot="keep")  # pyright: ignore[reportCallIssue]

    def test_compile_all_takes_the_same(self) -> None:
        _, files, *more = inspect.signature(nhwcc.compile_all).parameters.values()
        assert files.name == "files"
        assert {p.name: (p.annotation, p.default) for p in more} == {
            name: told for name, told in self.fields().items() if name != "output"
        }

    @pytest.mark.parametrize("function", [nhwcc.compile, nhwcc.verify, nhwcc.load], ids=["compile", "verify", "load"])
    def test_every_argument_is_described(self, function: Callable[..., object]) -> None:
        _, _, told = (inspect.getdoc(function) or "").partition("Args:\n")
        described = re.findall(r"^    (\w+): \S", told.partition("\nRaises:")[0], re.MULTILINE)
        assert described == list(inspect.signature(function).parameters)

    def test_every_option_arrives(self, monkeypatch: pytest.MonkeyPatch) -> None:
        seen: list[tuple[object, nhwcc.CompileOptions]] = []

        def compile_model(model: object, options: nhwcc.CompileOptions) -> None:
            seen.append((model, options))

        monkeypatch.setattr("nhwcc.driver.compile_model", compile_model)
        given = {name: object() for name in self.fields()}
        nhwcc.compile("m.onnx", **given)  # pyright: ignore[reportArgumentType]
        assert seen == [("m.onnx", nhwcc.CompileOptions(**given))]  # pyright: ignore[reportArgumentType]


class TestVerify:
    def test_two_formats(self, tmp_path: Path) -> None:
        source = write(tmp_path / "m.ir", CONV)
        nhwcc.compile(source, tmp_path / "m.tflite")
        found = nhwcc.verify(source, tmp_path / "m.tflite", per_op=True)
        assert found.ok and found.decibels is None and found.numbers.inside

    def test_where_they_depart(self, tmp_path: Path) -> None:
        wrong = write(tmp_path / "wrong.ir", CONV.replace("relu(", "abs("))
        found = nhwcc.verify(CONV.encode(), wrong, seed=2)
        assert not found.ok and found.numbers.departed is not None and found.numbers.departed.kind == "abs"

    def test_a_wrong_tolerance(self) -> None:
        with pytest.raises(nhwcc.CompileError, match="L004"):
            nhwcc.verify(CONV.encode(), CONV.encode(), tolerance=-1)


class TestArtifacts:
    def test_a_file_and_a_report(self, tmp_path: Path) -> None:
        artifact = nhwcc.compile(write(tmp_path / "m.ir", CONV), tmp_path / "m.tflite")
        assert artifact.path == tmp_path / "m.tflite" and artifact.path.read_bytes()[4:8] == b"TFL3"
        report = artifact.report
        assert report.verification is not None and report.verification.ok and report.transposes_after == 0
        assert [(p.name, p.type, p.layout) for p in report.inputs] == [("image", "f32[1,8,6,3]", "NHWC")]
        assert report.bytes == artifact.path.stat().st_size and "Artifact" in repr(artifact)

    def test_running(self, tmp_path: Path) -> None:
        artifact = nhwcc.compile(CONV.encode())
        stored = np.ascontiguousarray(IMAGE.transpose(0, 2, 3, 1))
        by_place, by_name = artifact(stored), artifact(image=stored)
        assert by_place.keys() == {"map", "scores"} and by_place["map"].shape == (1, 4, 3, 4)
        for name, array in by_place.items():
            np.testing.assert_array_equal(array, by_name[name])
        np.testing.assert_allclose(by_place["scores"], by_place["map"].mean((1, 2)), rtol=1e-5)

    def test_what_can_not_be_run(self) -> None:
        artifact = nhwcc.compile(CONV.encode(), verify=False)
        wrong: list[tuple[list[Any], dict[str, Any], str]] = [
            ([IMAGE], {}, "R002"),
            ([], {}, "R002"),
            ([IMAGE, IMAGE], {}, "R002"),
            ([], {"imgae": IMAGE}, "L006"),
        ]
        for args, kwargs, code in wrong:
            with pytest.raises(nhwcc.CompileError) as caught:
                artifact(*args, **kwargs)
            assert caught.value.diagnostics[0].code == code

    def test_without_an_output_it_lives_as_long_as_its_object(self, tmp_path: Path) -> None:
        artifact = nhwcc.compile(SMALL.encode())
        place, copy = artifact.path, artifact.save(tmp_path / "copy.tflite")
        assert place.exists() and copy.read_bytes() == place.read_bytes() and artifact.report.output is None
        del artifact
        assert not place.exists() and copy.exists()

    def test_saving_where_it_can_not_be_saved(self, tmp_path: Path) -> None:
        artifact = nhwcc.compile(SMALL.encode())
        with pytest.raises(nhwcc.CompileError):
            artifact.save(tmp_path / "none" / "copy.tflite")


class TestModels:
    def test_modules_are_not_changed(self) -> None:
        module = nhwcc.load(CONV.encode())
        before = print_module(module)
        nhwcc.compile(module, io_layout="nhwc")
        assert print_module(module) == before

    def test_onnx_in_every_form(self, tmp_path: Path) -> None:
        model = onnx_model()
        stored = np.ascontiguousarray(IMAGE.transpose(0, 2, 3, 1))
        want = nhwcc.compile(CONV.encode())(stored)["scores"]
        for form in (write_onnx(tmp_path / "m.onnx"), str(tmp_path / "m.onnx"), model.SerializeToString(), model):
            artifact = nhwcc.compile(form)
            found = artifact.report.verification
            assert found is not None and found.ok and found.reference.startswith("onnxruntime")
            np.testing.assert_allclose(artifact(stored)["scores"], want, rtol=1e-5)

    def test_named_batches(self) -> None:
        artifact = nhwcc.compile(onnx_model(batch="batch"))
        found = artifact.report.verification
        assert found is not None and found.ok and found.sizes == {"batch": [1, 2, 3]}
        three = np.repeat(IMAGE.transpose(0, 2, 3, 1), 3, 0)
        assert artifact(np.ascontiguousarray(three))["scores"].shape == (3, 4)

    def test_a_part_with_other_shapes(self) -> None:
        model = onnx_model(batch="batch")
        artifact = nhwcc.compile(model, shapes={"image": (2, 3, 8, 6)}, outputs=["map"])
        assert [p.type for p in artifact.report.inputs] == ["f32[2,8,6,3]"]
        assert [p.name for p in artifact.report.outputs] == ["map"]
        found = artifact.report.verification
        assert found is not None and found.ok and found.reference.startswith("onnxruntime")
        middle = nhwcc.compile(model, inputs=["c"], shapes={"c": (1, 4, 4, 3)}, io_layout="keep")
        assert [p.name for p in middle.report.inputs] == ["c"]

    def test_without_onnxruntime(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("nhwcc.runners.onnx.is_available", answering(value=False))
        report = nhwcc.compile(onnx_model()).report
        assert report.verification is not None
        assert report.verification.reference == "the reference interpreter" and report.verification.ok
        why = "onnxruntime is not installed (pip install 'nhwcc[onnxruntime]')"
        assert report.warnings == [f"verified against the reference interpreter: {why}"]


class TestOptions:
    def test_layouts_by_name(self) -> None:
        artifact = nhwcc.compile(CONV.encode(), io_layout={"image": "nchw", "map": "keep"})
        assert [p.layout for p in (*artifact.report.inputs, *artifact.report.outputs)] == ["", "", ""]
        image = {"image": IMAGE}
        assert artifact(**image)["map"].shape == (1, 4, 4, 3)

    def test_options_as_an_object(self, tmp_path: Path) -> None:
        options = nhwcc.CompileOptions(tmp_path / "m.tflite", io_layout="keep")
        from nhwcc.driver import compile_model

        assert compile_model(SMALL.encode(), options).path == tmp_path / "m.tflite"

    def test_instruments(self) -> None:
        class Counting(Instrument):
            def after(self, stage: Stage) -> None:
                assert isinstance(stage.module, Module)
                seen.append(stage.name)

        seen: list[str] = []
        nhwcc.compile(SMALL.encode(), instruments=[Counting()])
        assert seen == [work.partition("{")[0] for work in PIPELINE.split(",")]

    def test_wrong_numbers(self, tmp_path: Path) -> None:
        rules = write(tmp_path / "wrong.rules", "rule wrong: relu(%x) => abs(%x)")
        with pytest.raises(VerificationError) as caught:
            nhwcc.compile(CONV.encode(), tmp_path / "m.tflite", rules=[rules])
        assert isinstance(caught.value, nhwcc.CompileError) and not (tmp_path / "m.tflite").exists()
        assert {d.code for d in caught.value.diagnostics} == {"R020"}

    def test_data(self) -> None:
        artifact = nhwcc.compile(CONV.encode(), data={"image": IMAGE})
        assert artifact.report.verification is not None and artifact.report.verification.data == "the given data"


def test_outputs_without_names_are_kept_apart() -> None:
    statements = "%y = relu(%x) : f32[2]\n%z = tanh(%x) : f32[2]\nreturn(%y, %z)"
    text = f"func @main(%x: f32[2]) -> (f32[2], f32[2]) {{\n{statements}\n}}"
    artifact = nhwcc.compile(text.encode())
    assert [port.name for port in artifact.report.outputs] == ["output_0", "output_1"]
    results = artifact(np.asarray([-1.0, 1.0], np.float32))
    np.testing.assert_allclose(results["output_0"], [0, 1])
    np.testing.assert_allclose(results["output_1"], np.tanh([-1, 1]), rtol=1e-6)


class TestShownObjects:
    """In terminals a line each, in notebooks the texts of the command line."""

    def test_in_terminals(self, tmp_path: Path) -> None:
        report = nhwcc.compile(write(tmp_path / "m.ir", CONV), tmp_path / "m.tflite").report
        assert re.fullmatch(r"<Report \S*m\.ir to tflite: \d+ -> \d+ operations, 0 transposes, ok>", repr(report))
        found = "<Verification against the reference interpreter: ok, 2 outputs, error "
        assert repr(report.verification).startswith(found)
        module = repr(nhwcc.load(CONV.encode()))
        assert module.startswith("<Module @main(f32[1,3,8,6]) -> (") and module.endswith(" operations>")

    def test_in_notebooks(self, tmp_path: Path) -> None:
        artifact = nhwcc.compile(write(tmp_path / "<b>.ir", CONV), tmp_path / "<b>.tflite")
        wrong = write(tmp_path / "wrong.ir", CONV.replace("relu(", "abs("))
        shown = (artifact, artifact.report, artifact.report.verification, nhwcc.load(CONV.encode()))
        for thing in (*shown, nhwcc.verify(CONV.encode(), wrong)):
            text: str = getattr(thing, "_repr_html_")()  # noqa: B009
            ET.fromstring(text)
            assert "<b>" not in text and "map" in text and "\ue000" not in text

    def test_of_large_modules_only_the_beginning(self) -> None:
        chain = "\n".join(f"%v{i + 1} = relu(%v{i}) : f32[2]" for i in range(300))
        module = nhwcc.load(f"func @main(%v0: f32[2]) -> (f32[2]) {{\n{chain}\nreturn(%v300)\n}}".encode())
        text: str = getattr(module, "_repr_html_")()  # noqa: B009
        assert "... 103 more lines" in text and "%v300" not in text

"""Formats: told by content first, by name second; what can't be read says what to do."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

import numpy as np
import pytest
from models import SMALL, onnx_model, write_onnx
from nhwcc.compiler.diagnostics import CompileError, Diagnostic
from nhwcc.compiler.ir import Module
from onnx import helper

from nhwcc.cut import Cut
from nhwcc.file_formats import FORMATS, detect
from nhwcc.sources import load, source_of


def zipped(*names: str) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as file:
        for name in names:
            file.writestr(name, "x")
    return buffer.getvalue()


def problem(path: Path | bytes) -> Diagnostic:
    with pytest.raises(CompileError) as caught:
        source_of(path)
    return caught.value.diagnostics[0]


class TestContent:
    def test_onnx_whatever_it_is_called(self, tmp_path: Path) -> None:
        for name in ("m.onnx", "m.bin", "m.pb", "model"):
            assert detect(write_onnx(tmp_path / name)).name == "onnx"
        assert detect(onnx_model().SerializeToString()).name == "onnx"

    def test_onnx_with_texts_before_the_graph(self, tmp_path: Path) -> None:
        model = onnx_model()
        model.producer_name, model.producer_version, model.domain = "pytorch", "2.13.0", "ai.example"
        model.model_version, model.doc_string = 3, "x" * 10_000
        assert detect(write_onnx(tmp_path / "m", model)).name == "onnx"

    def test_onnx_without_weights_or_nodes(self) -> None:
        empty = helper.make_model(helper.make_graph([], "g", [], []))
        assert detect(empty.SerializeToString()).name == "onnx"

    def test_ir_and_tflite(self, tmp_path: Path) -> None:
        assert detect(SMALL.encode()).name == "ir"
        assert detect(b"// a comment\nfunc @main").name == "ir"
        assert detect(b'weights "w.safetensors"\n').name == "ir"
        assert detect(b"\x1c\0\0\0TFL3\0\0\0\0").name == "tflite"
        assert detect(b'<?xml version="1.0"?><net name="m">').name == "openvino"

    @pytest.mark.parametrize(
        ("content", "name"),
        [
            (b"GGUF\3\0\0\0", "gguf"),
            (b"version https://git-lfs.github.com/spec/v1\noid sha256:0", "lfs"),
            (b"\n<!DOCTYPE html><html>404", "html"),
        ],
    )
    def test_what_can_not_be_read(self, content: bytes, name: str, tmp_path: Path) -> None:
        path = tmp_path / "model.onnx"
        path.write_bytes(content)
        assert detect(path).name == name
        bad = problem(path)
        assert bad.code == "R015" and bad.help and str(path) in bad.message

    def test_tensorflow_is_no_onnx(self, tmp_path: Path) -> None:
        """A SavedModel begins like an ONNX model: a version, then field 2, which is the graph here."""
        path = tmp_path / "saved_model.pb"
        path.write_bytes(b"\x08\x01\x12\xc8\x01" + b"x" * 200 + b"\x12\x90\x4e" + b"y" * 10_000)
        assert detect(path).name == "tensorflow"
        path.write_bytes(b"\x0a\x20" + b"z" * 100)
        assert detect(path).name == "tensorflow"

    def test_models_of_keras(self) -> None:
        assert detect(zipped("metadata.json", "config.json", "model.weights.h5")).name == "keras"
        assert detect(b"\x89HDF\r\n\x1a\n").name == "h5"

    @pytest.mark.parametrize(
        "content",
        [
            zipped("archive/data.pkl", "archive/version"),
            zipped("model/byteorder", "model/archive_format"),
            b"\x80\x02\x8a\nl\xfc\x9cF\xf9 j\xa8P\x19.\x80\x02M",
            b"\x80\x02ctorch.nn.modules.linear\nLinear\n",
        ],
    )
    def test_files_of_pytorch(self, content: bytes) -> None:
        assert detect(content).name == "torch"


class TestNames:
    @pytest.mark.parametrize("suffix", sorted({s for f in FORMATS if f.remedy for s in f.suffixes}))
    def test_suffixes_of_what_can_not_be_read(self, suffix: str, tmp_path: Path) -> None:
        path = tmp_path / f"model{suffix.upper()}"
        path.write_bytes(b"\x00\x01 nothing known")
        bad = problem(path)
        assert bad.code == "R015" and bad.help and "onnx" in bad.help.lower()

    def test_a_saved_model_folder(self, tmp_path: Path) -> None:
        (tmp_path / "saved_model.pb").write_bytes(b"x")
        assert detect(tmp_path).name == detect(tmp_path / "saved_model.pb").name == "tensorflow"
        with pytest.raises(CompileError, match=r"R010.*damaged"):
            load(tmp_path)

    def test_damaged_onnx_is_for_the_importer_to_judge(self, tmp_path: Path) -> None:
        path = tmp_path / "m.onnx"
        path.write_bytes(b"\xff\xff\xff\xff")
        assert detect(path).name == "onnx"


class TestErrors:
    def test_unknown(self, tmp_path: Path) -> None:
        path = tmp_path / "model.xyz"
        path.write_bytes(b"\x00\x01\x02")
        assert problem(path).code == "R014" and problem(b"\x00\x01").code == "R014"

    def test_missing_empty_and_folders(self, tmp_path: Path) -> None:
        (tmp_path / "empty.onnx").touch()
        for path in (tmp_path / "none.onnx", tmp_path / "empty.onnx", tmp_path):
            assert problem(path).code == "R010", path

    def test_a_tflite_file_without_content(self) -> None:
        with pytest.raises(CompileError, match="damaged or incomplete"):
            load(b"\x1c\0\0\0TFL3\0\0\0\0")

    def test_torch_files_need_a_path(self) -> None:
        assert problem(zipped("archive/data.pkl")).code == "R015"

    def test_nonsense(self) -> None:
        with pytest.raises(TypeError, match="a model is a path"):
            source_of(42)  # pyright: ignore[reportArgumentType]

    def test_fixed_sizes_of_ir(self) -> None:
        with pytest.raises(CompileError) as caught:
            load(SMALL.encode(), shapes={"x": (1, 2, 3, 4)})
        assert caught.value.diagnostics[0].code == "F019"


class TestLoading:
    def test_ir_from_files_bytes_and_modules(self, tmp_path: Path) -> None:
        (tmp_path / "m.ir").write_text(SMALL)
        module = load(tmp_path / "m.ir")
        assert isinstance(module, Module) and isinstance(load(SMALL.encode()), Module)
        again = load(module)
        assert again is not module, "passes must not change what the user holds"

    def test_files_that_are_read(self, tmp_path: Path) -> None:
        from nhwcc.compiler.ops.core import Const
        from nhwcc.compiler.printer import print_module
        from nhwcc.compiler.sidefile import SideFile
        from nhwcc.compiler.weights import Weight

        module = load(SMALL.encode())
        module.main.body.insert(Const(Weight.of(np.ones(99, np.float32))), before=module.main.ops.first)
        side = SideFile()
        (tmp_path / "m.ir").write_text(print_module(module, sink=side, side_files=["w.safetensors"]))
        side.write(tmp_path / "w.safetensors")
        source = source_of(tmp_path / "m.ir")
        assert source.files(source.load(Cut())) == [tmp_path / "m.ir", tmp_path / "w.safetensors"]
        assert source_of(SMALL.encode()).files(Module()) == []

"""The file itself: weights as a stream, in the message or beside it; whole or not at all."""

# onnx's functions are untyped
# pyright: reportUnknownMemberType=false

from __future__ import annotations

from pathlib import Path

import ml_dtypes
import numpy as np
import onnx
import pytest
from nhwcc.compiler.budget import Budget, limited
from nhwcc.compiler.diagnostics import CompileError
from nhwcc.compiler.types import Array, DType
from nhwcc.compiler.weights import Weight
from nhwcc.formats.onnx import writer
from nhwcc.formats.onnx.files import open_model
from nhwcc.formats.onnx.model import Declared, Graph, Model, Node
from nhwcc.formats.onnx.tensors import number_of
from nhwcc.formats.onnx.writer import Stored, write
from onnx import numpy_helper

import nhwcc


def model_of(**weights: Weight) -> Model:
    """A model that gives its constants."""
    stated = {f"y_{n}": Declared("tensor", number_of(w.type.dtype), tuple(w.array().shape)) for n, w in weights.items()}
    nodes = tuple(Node("Identity", "", "", f"give {n}", (n,), (f"y_{n}",), {}) for n in weights)
    constants = {n: Stored(n, w) for n, w in weights.items()}
    return Model(Graph(nodes, {}, tuple(stated), constants, stated), {"": 25}, {})


def read(path: Path) -> dict[str, Array]:
    return {t.name: numpy_helper.to_array(t, str(path.parent)) for t in onnx.load_model(str(path)).graph.initializer}


LARGE = np.arange(3000, dtype=np.float32).reshape(50, 60)


@pytest.mark.parametrize("limit", [1 << 30, 100])
def test_weights_in_the_message_or_beside_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, limit: int) -> None:
    monkeypatch.setattr(writer, "MAX_MESSAGE", limit)
    path = tmp_path / "model.onnx"
    small = np.asarray([1, 2], np.int64)
    size = write(model_of(a=Weight.of(LARGE.T), b=Weight.of(small)), path, ir_version=13, metadata={"key": "value"})
    beside = tmp_path / "model.onnx.data"
    assert beside.exists() == (limit == 100)
    assert size == path.stat().st_size + (beside.stat().st_size if beside.exists() else 0)
    onnx.checker.check_model(str(path), full_check=True)
    found = read(path)
    np.testing.assert_array_equal(found["a"], LARGE.T)
    np.testing.assert_array_equal(found["b"], small)
    assert {p.key: p.value for p in onnx.load_model(str(path)).metadata_props} == {"key": "value"}
    ours = open_model(path).graph.constants
    np.testing.assert_array_equal(ours["a"].weight().array(), LARGE.T)
    assert sorted(p.name for p in tmp_path.iterdir()) == sorted(p.name for p in (path, beside) if p.exists())


def test_shapes_stay_in_the_message(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever infers shapes reads no other files."""
    monkeypatch.setattr(writer, "MAX_MESSAGE", 100)
    path = tmp_path / "model.onnx"
    write(model_of(a=Weight.of(LARGE), b=Weight.of(np.asarray([3, 4]))), path, ir_version=13)
    tensors = {t.name: t for t in onnx.load_model(str(path), load_external_data=False).graph.initializer}
    assert tensors["a"].data_location == onnx.TensorProto.EXTERNAL
    assert tensors["b"].data_location == onnx.TensorProto.DEFAULT


@pytest.mark.parametrize("dtype", [d for d in DType if d is not DType.STRING and not d.is_complex])
def test_elements_of_all_types(tmp_path: Path, dtype: DType) -> None:
    numbers = np.asarray([1, 0, 1, 1, 0], np.float32).astype(dtype.numpy)
    path = tmp_path / "model.onnx"
    write(model_of(a=Weight.of(numbers)), path, ir_version=13)
    assert open_model(path).graph.constants["a"].weight().array().tobytes() == numbers.tobytes()
    np.testing.assert_array_equal(read(path)["a"].astype(np.float32), numbers.astype(np.float32))


def test_signs_of_few_bits(tmp_path: Path) -> None:
    numbers = np.asarray([-8, 7, -1], ml_dtypes.int4)
    path = tmp_path / "model.onnx"
    write(model_of(a=Weight.of(numbers)), path, ir_version=13)
    assert read(path)["a"].astype(int).tolist() == [-8, 7, -1]


def test_texts(tmp_path: Path) -> None:
    path = tmp_path / "model.onnx"
    write(model_of(a=Weight.of(np.asarray(["a", "\u00e9"], object))), path, ir_version=13)
    assert [t.decode() for t in onnx.load_model(str(path)).graph.initializer[0].string_data] == ["a", "\u00e9"]


def test_a_file_appears_whole_or_not_at_all(tmp_path: Path) -> None:
    def fails() -> Array:
        raise MemoryError

    bad = Weight(Weight.of(LARGE).type, fails)
    path = tmp_path / "model.onnx"
    path.write_bytes(b"before")
    broken = model_of(a=Weight.of(LARGE))
    broken.graph.constants["a"] = Stored("a", bad)  # pyright: ignore[reportIndexIssue]
    with pytest.raises(MemoryError):
        write(broken, path, ir_version=13)
    assert path.read_bytes() == b"before"
    assert [p.name for p in tmp_path.iterdir()] == ["model.onnx"]


def test_a_folder_that_is_missing(tmp_path: Path) -> None:
    with pytest.raises(CompileError) as caught:
        write(model_of(a=Weight.of(LARGE)), tmp_path / "nowhere" / "model.onnx", ir_version=13)
    assert caught.value.diagnostics[0].code == "R012"


def test_what_the_source_does_not_hold_is_limited(tmp_path: Path) -> None:
    with limited(Budget(growth=1000)), pytest.raises(CompileError) as caught:
        write(model_of(a=Weight.splat(1, DType.F32, (1000,))), tmp_path / "model.onnx", ir_version=13)
    (found,) = caught.value.diagnostics
    assert found.code == "M002"
    assert "a, f32[1000]" in found.message


def test_the_weights_of_the_model_are_not_written_over(tmp_path: Path) -> None:
    """The output's own weights may come to lie beside it: there the model's lie."""
    model = onnx.parser.parse_model(
        '<ir_version: 9, opset_import: ["" : 18]> g (float[50,60] x) => (float[] y) { y = Add(x, w) }'
    )
    model.graph.initializer.append(numpy_helper.from_array(LARGE, "w"))
    source, weights = tmp_path / "b.onnx", tmp_path / "a.onnx.data"
    onnx.save_model(model, str(source), save_as_external_data=True, location=weights.name, size_threshold=0)
    before = weights.read_bytes()
    with pytest.raises(CompileError) as caught:
        nhwcc.compile(source, tmp_path / "a.onnx")
    assert caught.value.diagnostics[0].code == "R016" and weights.read_bytes() == before
    nhwcc.compile(source, tmp_path / "c.onnx")

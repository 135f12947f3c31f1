"""The bytes of a file: tensors as small as they can be, variables in a bundle, folders that appear whole."""

from __future__ import annotations

from pathlib import Path

import ml_dtypes
import numpy as np
import pytest
from nhwcc.backends.registry import find_target, target_of_file
from nhwcc.backends.tensorflow import target as tensorflow_target
from nhwcc.compiler.diagnostics import CompileError
from nhwcc.compiler.parser import parse_module
from nhwcc.compiler.types import Array, DType
from nhwcc.compiler.weights import Weight
from nhwcc.formats.message import Message
from nhwcc.formats.tensorflow import writer
from nhwcc.formats.tensorflow.bundle import read_bundle
from nhwcc.formats.tensorflow.bundle_writer import write_bundle
from nhwcc.formats.tensorflow.crc32c import crc32c
from nhwcc.formats.tensorflow.model import Attribute, FunctionName, Graph, Node, StoredShape, read_attribute, read_graph
from nhwcc.formats.tensorflow.tensors import NUMBERS, ElementType, Store, read_tensor
from nhwcc.formats.tensorflow.writer import attribute_message, graph_message, tensor_message, write_graph
from nhwcc.frontends.tensorflow import import_tensorflow

import nhwcc

TYPES = [d for d in NUMBERS if d is not DType.STRING and not d.is_complex]


@pytest.mark.parametrize("dtype", TYPES)
@pytest.mark.parametrize("shape", [(), (3, 5), (0, 2), (1,)])
def test_tensors(dtype: DType, shape: tuple[int, ...]) -> None:
    numbers = np.asarray(np.random.default_rng(0).integers(0, 2, shape)).astype(dtype.numpy)
    store = Store(bytes(tensor_message(Weight.of(numbers))))
    read = read_tensor(Message(store.view), store).weight("a tensor")
    assert read.type == Weight.of(numbers).type
    np.testing.assert_array_equal(read.array(), numbers)


@pytest.mark.parametrize("dtype", TYPES)
def test_one_number_repeated_is_stored_once(dtype: DType) -> None:
    weight = Weight.splat(1, dtype, (1000, 100))
    store = Store(bytes(tensor_message(weight)))
    assert store.size < 100 or dtype.bits <= 8
    np.testing.assert_array_equal(
        read_tensor(Message(store.view), store).weight("a tensor").array().astype(np.float32), np.ones((1000, 100))
    )


def test_strings() -> None:
    store = Store(bytes(tensor_message(Weight.of(np.asarray(["a", "", "äöü"], object)))))
    read = read_tensor(Message(store.view), store).weight("a tensor")
    assert read.array().tolist() == ["a", "", "äöü"]


ATTRIBUTES: list[Attribute] = [
    *(0, -1, 1 << 40, True, False, 0.5, "", "SAME", ElementType(1), StoredShape(None), StoredShape((2, None))),
    *((), (1, -2, 3), (True, False), (0.5, 2.0), ("a", "b"), (ElementType(1), ElementType(9))),
    *((StoredShape((1,)), StoredShape(None)), FunctionName("f", {"T": ElementType(3)}), (FunctionName("g", {}),)),
]


@pytest.mark.parametrize("value", ATTRIBUTES, ids=str)
def test_attributes(value: Attribute) -> None:
    store = Store(bytes(attribute_message(value)))
    read = read_attribute(Message(store.view), store)
    assert read == value and type(read) is type(value)


def test_a_graph_is_read_as_it_was_written() -> None:
    nodes = (Node("x", "Placeholder", (), {"dtype": ElementType(1)}, '{"a": 1}'), Node("y", "Identity", ("x",), {}))
    store = Store(bytes(graph_message(Graph(nodes))))
    assert read_graph(Message(store.view), store) == Graph(nodes)


def test_checksums_of_many_bytes() -> None:
    """Pieces beside each other give what one byte after the other does; so says the standard's example, too."""
    data = np.random.default_rng(0).integers(0, 256, 100_003).astype(np.uint8).tobytes()
    assert crc32c([data]) == crc32c(data[i : i + 1000] for i in range(0, len(data), 1000))
    assert crc32c([bytes(32)]) == 0x8A9136AA


def test_a_bundle_is_read_as_it_was_written(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    names = ["z/a", "b", "a", "a/b"]
    values: dict[str, Array] = {name: rng.random((50, n + 1)).astype(np.float32) for n, name in enumerate(names)}
    values["half"] = np.arange(3).astype(ml_dtypes.bfloat16)
    size = write_bundle({name: Weight.of(array) for name, array in values.items()}, tmp_path / "variables")
    assert size == sum(p.stat().st_size for p in tmp_path.iterdir())
    bundle = read_bundle(tmp_path / "variables")
    assert list(bundle.entries) == sorted(values)
    for name, array in values.items():
        np.testing.assert_array_equal(bundle.weight(name).array(), array)


DENSE = """
func @main(%x: f32[n,20]) -> (f32[n,3] {name = "y"}) {
  %w = const() {value = dense<WEIGHTS> : f32[3,20]} : f32[3,20]
  %y = linear(%x, %w, none) : f32[n,3]
  return(%y)
}
""".replace("WEIGHTS", str(np.arange(60, dtype=np.float32).reshape(3, 20).tolist()))


def test_weights_as_variables(tmp_path: Path) -> None:
    """Verified by whatever runs the file; the frontend finds what each variable holds."""
    done = nhwcc.compile(parse_module(DENSE), tmp_path / "m", target="saved_model", variables=True)
    assert done.report.verification is not None
    assert [p.name for p in sorted((tmp_path / "m" / "variables").iterdir())] == [
        "variables.data-00000-of-00001",
        "variables.index",
    ]
    (weight,) = [op.attributes["value"] for op in import_tensorflow(tmp_path / "m").walk() if op.spec.name == "const"]
    assert weight.type.size == 60


def test_what_is_too_large_for_a_message(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A SavedModel keeps its weights in a bundle then; a graph alone is refused."""
    module = parse_module(DENSE)
    monkeypatch.setattr(tensorflow_target, "MAX_MESSAGE", tensorflow_target.ROOM)
    find_target("saved_model").emit(module, tmp_path / "m")
    assert (tmp_path / "m" / "variables").is_dir()
    monkeypatch.setattr(writer, "MAX_MESSAGE", 100)
    with pytest.raises(CompileError) as caught:
        find_target("tensorflow").emit(module, tmp_path / "m.pb")
    (found,) = caught.value.diagnostics
    assert found.code == "B005" and found.help is not None and "saved_model/" in found.help
    assert not (tmp_path / "m.pb").exists()


def test_a_place_that_can_not_be_written_to(tmp_path: Path) -> None:
    with pytest.raises(CompileError, match="R012"):
        write_graph(Graph(()), tmp_path / "nowhere" / "m.pb")
    (tmp_path / "file").touch()
    with pytest.raises(CompileError, match="R012"):
        find_target("saved_model").emit(parse_module(DENSE), tmp_path / "file" / "m")


@pytest.mark.parametrize(
    ("path", "target"),
    [
        ("out/", "saved_model"),
        ("v1.5/", "saved_model"),
        ("saved_model", "saved_model"),
        ("a/saved_model", "saved_model"),
        ("m.pb", "tensorflow"),
        ("m.onnx", "onnx"),
        ("net", "tflite"),
        (None, "tflite"),
    ],
)
def test_the_target_of_a_name(path: str | None, target: str) -> None:
    assert target_of_file(path) == target


def test_a_folder_takes_the_place_of_an_older_one(tmp_path: Path) -> None:
    """Of a failed compilation the older one stays."""
    folder = tmp_path / "out"
    nhwcc.compile(parse_module(DENSE), f"{folder}/", variables=True, verify=False)
    nhwcc.compile(parse_module(DENSE), f"{folder}/", verify=False)
    assert [p.name for p in folder.iterdir()] == ["saved_model.pb"]
    with pytest.raises(CompileError):
        nhwcc.compile(parse_module(DENSE), folder, rename={"nothing": "x"}, verify=False)
    assert [p.name for p in tmp_path.iterdir()] == ["out"]
    (folder / "saved_model.pb").rename(folder / "notes.txt")
    with pytest.raises(CompileError, match="R012"):
        nhwcc.compile(parse_module(DENSE), f"{folder}/", verify=False)


def test_several_targets_from_one_import(tmp_path: Path) -> None:
    outputs = [f"{tmp_path}/sm/", tmp_path / "m.pb", tmp_path / "m.tflite"]
    done = nhwcc.compile_all(parse_module(DENSE), outputs, verify=False)
    assert [a.report.target for a in done] == ["saved_model", "tensorflow", "tflite"]
    assert sorted(p.name for p in tmp_path.iterdir()) == ["m.pb", "m.tflite", "sm"]

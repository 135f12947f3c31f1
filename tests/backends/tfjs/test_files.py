"""Folders of TensorFlow.js: what they hold, which ones are read, and what is said without node."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from nhwcc.backends.registry import find_target, target_of_file
from nhwcc.backends.tfjs.operators import OPERATORS
from nhwcc.backends.tfjs.table import TABLE, schemas
from nhwcc.compiler.diagnostics import CompileError, collect_remarks
from nhwcc.compiler.interpreter import run
from nhwcc.compiler.parser import parse_module
from nhwcc.compiler.types import DType
from nhwcc.compiler.weights import Weight
from nhwcc.formats.tensorflow.model import Graph, Node
from nhwcc.formats.tensorflow.saved_model import Signature
from nhwcc.formats.tensorflow.tensors import ElementType, StoredTensor
from nhwcc.formats.tfjs import writer
from nhwcc.formats.tfjs.reader import read_graph_model
from nhwcc.formats.tfjs.writer import Written, write_graph_model
from nhwcc.frontends.tensorflow import import_tensorflow

import nhwcc
from nhwcc.runners.tfjs import find_library

NET = """func @main(%x: f32[batch,2,4,4]) -> (f32[batch,3,4,4] {name = "y"}) {
  %w = const() {value = dense<[
    [[[0.5]], [[-1.0]]], [[[2.0]], [[0.25]]], [[[1.0]], [[1.0]]]
  ]> : f32[3,2,1,1]} : f32[3,2,1,1]
  %c = conv(%x, %w, none) {strides = [1, 1], dilations = [1, 1], pads = [[0, 0], [0, 0]]} : f32[batch,3,4,4]
  %y = relu(%c) : f32[batch,3,4,4]
  return(%y)
}"""


@pytest.fixture
def without_node(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")


def graph_of(**weights: Any) -> Graph:
    """Return a graph of constants alone."""
    numbers = {"f": 1, "i": 3, "b": 10, "O": 7}
    held = {name: Weight.of(np.asarray(value)) for name, value in weights.items()}
    elements = {name: ElementType(numbers[weight.array().dtype.kind]) for name, weight in held.items()}
    return Graph(tuple(Node(n, "Const", (), {"value": w, "dtype": elements[n]}) for n, w in held.items()))


def constants(folder: Path) -> dict[str, Any]:
    """Read them back."""
    found: dict[str, Any] = {}
    for node in read_graph_model(folder).graph.nodes:
        value = node.attributes["value"]
        assert isinstance(value, StoredTensor)
        found[node.name] = value.weight("a constant").array()
    return found


def test_the_folder_is_a_graph_model(tmp_path: Path) -> None:
    done = nhwcc.compile(parse_module(NET), tmp_path / "web_model", verify=False)
    assert {file.name for file in done.path.iterdir()} == {"model.json", "group1-shard1of1.bin"}
    said = json.loads((done.path / "model.json").read_text())
    assert said["format"] == "graph-model"
    (group,) = said["weightsManifest"]
    assert group["paths"] == ["group1-shard1of1.bin"]
    assert [(w["shape"], w["dtype"]) for w in group["weights"]] == [([1, 1, 2, 3], "float32")]
    assert said["signature"]["inputs"]["x"]["tensorShape"]["dim"] == [{"size": s} for s in ("-1", "4", "4", "2")]
    conv = next(node for node in said["modelTopology"]["node"] if node["op"] == "Conv2D")
    assert conv["attr"]["data_format"] == {"s": "TkhXQw=="}
    weights = np.fromfile(done.path / "group1-shard1of1.bin", np.float32)
    np.testing.assert_array_equal(weights, [0.5, 2, 1, -1, 0.25, 1])


def test_weights_lie_in_parts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(writer, "SHARD", 10)
    given = {
        "a": np.arange(7, dtype=np.float32),
        "b": np.asarray([True, False, True]),
        "c": np.asarray(["one", "", "äö"], object).reshape(3, 1),
        "d": np.asarray(5, np.int32),
        "e": np.zeros((0, 3), np.float32),
    }
    size = write_graph_model(Written(graph_of(**given), Signature("", {}, {})), tmp_path / "m")
    parts = sorted((tmp_path / "m").glob("*.bin"))
    assert [part.stat().st_size for part in parts] == [10, 10, 10, 10, 10, 4]
    assert size == sum(file.stat().st_size for file in (tmp_path / "m").iterdir())
    found = constants(tmp_path / "m")
    assert all(np.array_equal(found[name], value) and found[name].shape == value.shape for name, value in given.items())


def test_halves(tmp_path: Path) -> None:
    numbers = np.linspace(-3, 3, 11, dtype=np.float32)
    write_graph_model(
        Written(graph_of(a=numbers, b=np.arange(3, dtype=np.int32)), Signature("", {}, {}), True), tmp_path / "m"
    )
    assert (tmp_path / "m" / "group1-shard1of1.bin").stat().st_size == 22 + 12
    found = constants(tmp_path / "m")
    np.testing.assert_array_equal(found["a"], numbers.astype(np.float16).astype(np.float32))
    np.testing.assert_array_equal(found["b"], [0, 1, 2])


def test_steps_of_others_are_read(tmp_path: Path) -> None:
    write_graph_model(Written(graph_of(a=np.zeros(4, np.float32)), Signature("", {}, {})), tmp_path / "m")
    file = tmp_path / "m" / "model.json"
    said = json.loads(file.read_text())
    said["weightsManifest"][0]["weights"][0]["quantization"] = {"dtype": "uint8", "min": -1.0, "scale": 0.5}
    file.write_text(json.dumps(said))
    (tmp_path / "m" / "group1-shard1of1.bin").write_bytes(bytes([0, 1, 2, 6]))
    np.testing.assert_array_equal(constants(tmp_path / "m")["a"], [-1, -0.5, 0, 2])


DAMAGE: list[tuple[Callable[[Any], object], str]] = [
    (lambda said: said.pop("modelTopology"), "R010"),
    (lambda said: said["modelTopology"].pop("node"), "R015"),
    (lambda said: said["weightsManifest"][0]["weights"][0].update(shape=[1 << 40]), "M001"),
    (lambda said: said["weightsManifest"][0]["weights"][0].update(shape=[1000]), "R010"),
    (lambda said: said["weightsManifest"][0]["weights"][0].update(shape=[-4]), "M001"),
    (lambda said: said["weightsManifest"][0].update(paths=["../x.bin"]), "R010"),
    (lambda said: said["weightsManifest"][0].update(paths=["gone.bin"]), "R010"),
    (lambda said: said["modelTopology"]["node"].append({"name": 3}), "R010"),
    (lambda said: said["modelTopology"].update(node=[7]), "R010"),
    (lambda said: said["signature"]["inputs"]["x"].update(dtype="DT_NONE"), "R010"),
]


@pytest.mark.parametrize(("change", "code"), DAMAGE)
def test_what_is_damaged(tmp_path: Path, change: Callable[[Any], object], code: str) -> None:
    nhwcc.compile(parse_module(NET), tmp_path / "web_model", verify=False)
    file = tmp_path / "web_model" / "model.json"
    said = json.loads(file.read_text())
    change(said)
    file.write_text(json.dumps(said))
    with pytest.raises(CompileError, match=code):
        nhwcc.load(tmp_path / "web_model")


def test_without_node_the_interpreter_verifies(tmp_path: Path, without_node: None) -> None:
    del without_node
    done = nhwcc.compile(parse_module(NET), tmp_path / "web_model")
    assert done.report.verification is not None and done.report.verification.ok
    assert any("reference interpreter" in r.text for r in done.report.remarks)
    with pytest.raises(CompileError, match="R017"):
        done(np.ones((1, 4, 4, 2), np.float32))


def test_names_of_folders() -> None:
    assert [target_of_file(p) for p in ("a/web_model", "tfjs/", "model_web", "out/", "saved_model")] == [
        *("tfjs", "tfjs", "tfjs", "saved_model", "saved_model")
    ]


def test_any_folder_may_be_meant(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for _ in range(2):
        nhwcc.compile(parse_module(NET), "site/", target="tfjs", verify=False)
    assert (tmp_path / "site" / "model.json").is_file()


def test_a_folder_with_a_page_is_not_replaced(tmp_path: Path) -> None:
    folder = tmp_path / "web_model"
    for _ in range(2):
        nhwcc.compile(parse_module(NET), folder, verify=False)
    (folder / "index.html").write_text("a page")
    with pytest.raises(CompileError, match="R012"):
        nhwcc.compile(parse_module(NET), folder, verify=False)
    assert (folder / "index.html").exists()
    with pytest.raises(CompileError, match="L007"):
        nhwcc.compile(parse_module(NET), tmp_path / "saved_model", target="tfjs", verify=False)


def legalized(text: str) -> tuple[Any, list[str]]:
    """Return a module for the target, and what was said."""
    module = parse_module(text)
    target = find_target("tfjs")
    with collect_remarks() as remarks:
        problems = target.prepare(target, module, rnn="auto")
    assert not problems, problems
    return module, [r.text for r in remarks]


def test_inputs_that_have_no_tensors_change_their_type() -> None:
    module, said = (
        legalized("""func @main(%x: u8[2], %n: i64[2], %d: f64[2]) -> (f32[2] {name = "y"}, u8[2] {name = "z"}) {
      %f = cast(%x) {to = "f32"} : f32[2]
      %z = add(%x, %x) : u8[2]
      return(%f, %z)
    }""")
    )
    assert [a.type.dtype for a in module.main.args] == [DType.I32, DType.I32, DType.F32]
    assert [v.type.dtype for v in module.main.returns] == [DType.F32, DType.I32]
    assert [t.partition(" in the file")[0] for t in said if "in the file" in t] == [
        *("the input n is i32", "the input d is f32", "the input x is i32", "the output z is i32")
    ]
    x = np.asarray([200, 3])
    results = run(module.main, [x.astype(np.int32), x.astype(np.int32), x.astype(np.float32)])
    np.testing.assert_array_equal(results[1], [144, 6])


def test_what_lowerings_count_in_is_not_warned_of(tmp_path: Path) -> None:
    text = """func @main(%x: f32[steps,2,3], %w: f32[4,3], %r: f32[4,4]) -> (f32[steps,2,4] {name = "y"}) {
      %y, %h = rnn(%x, %w, %r, none, none, none) {activations = ["relu"]} : f32[steps,2,4], f32[2,4]
      return(%y)
    }"""
    done = nhwcc.compile(parse_module(text), tmp_path / "tfjs", verify=False)
    told = [r.text for r in done.report.remarks if r.kind == "warning"]
    assert [text for text in told if "node and TensorFlow.js are not installed" not in text] == []


def test_inputs_of_64_bits_without_node(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The reference interpreter stands in, on numbers in the types of the file."""
    monkeypatch.setattr("nhwcc.runners.tfjs_file.is_available", lambda: False)
    text = """func @main(%x: i64[2], %n: u8[2]) -> (i64[2] {name = "y"}, f32[2] {name = "z"}) {
      %y = add(%x, %x) : i64[2]
      %z = cast(%n) {to = "f32"} : f32[2]
      return(%y, %z)
    }"""
    done = nhwcc.compile(text.encode(), tmp_path / "web_model")
    assert done.report.verification is not None and done.report.verification.ok


def test_large_constants_are_refused(tmp_path: Path) -> None:
    text = """func @main(%x: i64[2]) -> (i64[2] {name = "y"}) {
      %c = const() {value = dense<[4294967296, 1]> : i64[2]} : i64[2]
      %y = add(%x, %c) : i64[2]
      return(%y)
    }"""
    with pytest.raises(CompileError, match="B003"):
        nhwcc.compile(parse_module(text), tmp_path / "tfjs", verify=False)


def test_bits_are_refused(tmp_path: Path) -> None:
    text = """func @main(%x: f32[2]) -> (i32[2] {name = "y"}) {
      %y = bit_cast(%x) {to = "i32"} : i32[2]
      return(%y)
    }"""
    with pytest.raises(CompileError, match="B001"):
        nhwcc.compile(parse_module(text), tmp_path / "tfjs", verify=False)


def test_every_operator_is_one_of_a_row() -> None:
    """Or stands around operations."""
    kernels = {row.kernel for rows in TABLE.rows.values() for row in rows}
    around = {"BiasAdd", "Identity", "Reshape", "Transpose", "Slice", "ConcatV2", "Shape"}
    assert kernels | around == OPERATORS.keys()
    assert OPERATORS.keys() <= schemas().keys()


def test_operators_are_those_of_the_executor() -> None:
    library = find_library()
    if library is None:
        pytest.skip("TensorFlow.js says which operators it has")
    text = (library.parent / "tfjs-converter" / "dist" / "tf-converter.node.js").read_text(encoding="utf-8")
    assert [name for name in OPERATORS if f"'tfOpName': '{name}'" not in text] == []


def test_a_folder_is_a_source(tmp_path: Path) -> None:
    module = parse_module(NET)
    x = np.random.default_rng(0).normal(size=(2, 2, 4, 4)).astype(np.float32)
    wanted = run(module.main, [x])[0]
    nhwcc.compile(module, tmp_path / "web_model", verify=False)
    again = import_tensorflow(read_graph_model(tmp_path / "web_model"))
    (port,) = again.main.inputs
    assert port.name == "x" and port.perm == (0, 2, 3, 1)
    np.testing.assert_allclose(run(again.main, [x.transpose(0, 2, 3, 1)])[0].transpose(0, 3, 1, 2), wanted, atol=1e-6)

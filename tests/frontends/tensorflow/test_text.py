"""Graphs and SavedModels as text, read without TensorFlow and without protobuf's own parser."""

# TensorFlow has no types
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false
# pyright: reportMissingImports=false, reportMissingTypeStubs=false, reportUnknownParameterType=false
# pyright: reportUnknownLambdaType=false, reportMissingParameterType=false, reportAttributeAccessIssue=false

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from google.protobuf import text_format
from nhwcc.compiler.diagnostics import CompileError
from nhwcc.formats.tensorflow.schema import ELEMENT, binary_of, is_text
from nhwcc.formats.wire import WireError
from nhwcc.frontends.tensorflow import import_tensorflow

import nhwcc

from .building import graph_of

tf: Any = pytest.importorskip("tensorflow", reason="TensorFlow writes the models")

RNG = np.random.default_rng(8)


def network(x):
    """Weights, texts with all kinds of characters, and a function."""
    weights = RNG.standard_normal((3, 4)).astype(np.float32)
    texts = tf.constant([b"a'\"\\\n\x00\xff?", "ü".encode()], name="texts")
    picked = tf.gather(tf.constant([-1, 1 << 40, 7], tf.int64), tf.constant([2, 0]))
    return tf.cond(tf.reduce_sum(x) > 1e-3, lambda: tf.nn.relu(x @ weights), lambda: x @ weights), picked, texts


def as_text(path: Path) -> tuple[Any, Path]:
    """Write a graph as text."""
    graph, _ = graph_of(lambda x: network(x)[:2], ["f32[2,3]"])
    message = graph.as_graph_def()
    path.write_text(text_format.MessageToString(message))
    return message, path


def parsed(text: str) -> Any:
    """Return the graph that a text stands for."""
    return tf.compat.v1.GraphDef.FromString(binary_of(text.encode()))


def test_what_protobuf_writes_means_the_same() -> None:
    graph, _ = graph_of(network, ["f32[2,3]"])
    want = graph.as_graph_def()
    for text in (text_format.MessageToString(want), text_format.MessageToString(want, as_one_line=True)):
        got = parsed(text)
        for node in (*want.node, *(n for f in want.library.function for n in f.node_def)):
            node.ClearField("experimental_debug_info")
        assert got.node == want.node
        assert [f.node_def for f in got.library.function] == [f.node_def for f in want.library.function]
        assert [f.signature for f in got.library.function] == [f.signature for f in want.library.function]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("i: 0x1F", {"i": 31}),
        ("i: 017", {"i": 15}),
        ("i: - 3 # three\n", {"i": -3}),
        ("i: -9223372036854775808", {"i": -(1 << 63)}),
        ("f: 1.5e2f", {"f": 150.0}),
        ("f: -inf", {"f": float("-inf")}),
        ("f: 1e60", {"f": float("inf")}),
        ("b: t", {"b": True}),
        ("type: DT_FLOAT_REF", {"type": 101}),
        ("type: 9", {"type": 9}),
        ("s: 'a' \"b\\x41\\101\\n\\u00fc\"", {"s": "abAA\nü".encode()}),
        ("list < i: [1, 2,3] i: 4; >", {"list": {"i": [1, 2, 3, 4]}}),
        ("shape: { dim: [{size: 2}, {size: -1}] }", {"shape": {"dim": [{"size": 2}, {"size": -1}]}}),
        ("unheard: { of { a: 'x' b: [] c: [{}, {}] } } i: 1", {"i": 1}),
    ],
)
def test_ways_to_write(text: str, value: dict[str, Any]) -> None:
    got = parsed(f"node {{ name: 'n' op: 'o' attr {{ key: 'a' value {{ {text} }} }} }}").node[0].attr["a"]
    assert got == tf.compat.v1.AttrValue(**value)


def test_element_types_are_those_of_tensorflow() -> None:
    from tensorflow.core.framework import types_pb2

    known = dict(types_pb2.DataType.items())
    assert {name: number for name, number in ELEMENT.names.items() if name in known} == known


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("node {\n  name: 'a\n}", "line 2"),
        ("node {\n  name: 3 }", "line 2"),
        ("node {\n  name { } }", "line 2"),
        ("node {\n  attr: 3 }", "line 2"),
        ("node { name: 'a'", "a field or } must stand here"),
        ("node { name: 'a' >", "a field or } must stand here"),
        ("node { attr { value { i: 1.5 } } }", "1.5 is neither a whole number"),
        ("node { attr { value { f: x } } }", "x is not a number"),
        ("node { attr { value { i: 99999999999999999999 } } }", "64 bits"),
        ("node { attr { value { list { i: [1 2] } } } }", "comma"),
        ("node { attr { value { i: " + "9" * 5000 + " } } }", "too long"),
        ("node " + "{ attr { value " * 100_000, "nested too deeply|must stand here"),
        ("node { x " + "{ x " * 100_000, "nested too deeply"),
        ("node { name: '" + "\\" * 1_000_001, "not a part of a message"),
        ("node { name: " + "'' " * 100_000 + "%", "not a part of a message"),
    ],
)
def test_damage(text: str, why: str) -> None:
    with pytest.raises(WireError, match=why):
        binary_of(text.encode())
    with pytest.raises(CompileError, match="R010"):
        import_tensorflow(text.encode())


def test_what_is_no_text() -> None:
    graph, _ = graph_of(lambda x: x + 1.0, ["f32[2]"])
    assert not is_text(graph.as_graph_def().SerializeToString())
    assert not is_text(b"ir_version: 8\ngraph { }")
    assert is_text(b"# written by hand\n\n  versions { producer: 1 }")


def test_compiled_and_verified(tmp_path: Path) -> None:
    """TensorFlow is given the message that the text stands for."""
    _, path = as_text(tmp_path / "graph.pbtxt")
    artifact = nhwcc.compile(path, tmp_path / "model.onnx", shapes={"x0": (2, 3)})
    assert artifact.report.verification is not None and artifact.report.verification.ok
    renamed = path.rename(tmp_path / "graph.pb")
    assert nhwcc.compile(renamed, tmp_path / "again.onnx", verify=False)


def test_a_saved_model(tmp_path: Path) -> None:
    """Variables lie beside the text as they do beside the message."""
    from tensorflow.core.protobuf import saved_model_pb2

    module = tf.Module()
    module.w = tf.Variable(RNG.standard_normal((3, 4)).astype(np.float32))
    call = tf.function(lambda x: {"y": x @ module.w}).get_concrete_function(tf.TensorSpec((None, 3), name="x"))
    folder = tmp_path / "saved"
    tf.saved_model.save(module, str(folder), signatures=call)
    file = folder / "saved_model.pb"
    message = saved_model_pb2.SavedModel.FromString(file.read_bytes())
    (folder / "saved_model.pbtxt").write_text(text_format.MessageToString(message))
    file.unlink()
    artifact = nhwcc.compile(folder, tmp_path / "model.tflite")
    assert artifact.report.verification is not None and artifact.report.verification.ok
    assert not artifact.report.warnings

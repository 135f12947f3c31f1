"""Nodes that reach out of a model: found whatever runs them, and not run by TensorFlow."""

# TensorFlow has no types
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false
# pyright: reportMissingImports=false, reportMissingTypeStubs=false, reportAttributeAccessIssue=false

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from nhwcc.formats.tensorflow.model import Function, FunctionName, Graph, Node
from nhwcc.frontends.tensorflow.effects import reaching_out, running

import nhwcc

WRITES = Node("evil", "WriteFile", ("name", "text"), {})


def node(name: str, op: str, *inputs: str, **attributes: Any) -> Node:
    return Node(name, op, inputs, attributes)


def body(name: str, *nodes: Node) -> Function:
    return Function(name, (), (), nodes, ())


@pytest.mark.parametrize(
    ("nodes", "functions", "expected"),
    [
        ([node("y", "Relu", "x"), WRITES], [], None),
        ([node("y", "Relu", "x", "^evil"), WRITES], [], "evil"),
        ([node("y", "Relu", "z:1"), node("z", "NoOp", "^evil"), WRITES], [], "evil"),
        ([node("y", "Unheard")], [], "y"),
        ([node("y", "f")], [body("f", node("a", "Neg"))], None),
        ([node("y", "f")], [body("f", node("a", "Neg"), WRITES)], "evil"),
        ([node("y", "While", body=FunctionName("f", {}))], [body("f", node("a", "g")), body("g", WRITES)], "evil"),
        ([node("y", "Case", branches=(FunctionName("f", {}),))], [body("f", node("a", "f"), WRITES)], "evil"),
    ],
)
def test_what_runs(nodes: list[Node], functions: list[Function], expected: str | None) -> None:
    graph = Graph(tuple(nodes), {f.name: f for f in functions})
    found = reaching_out(graph, running(graph, ["y:0"]))
    assert (None if found is None else found.name) == expected


def test_what_loading_would_do_is_not_done(tmp_path: Path) -> None:
    """A SavedModel says which nodes run when it is loaded; so does one that its outputs wait for."""
    tf: Any = pytest.importorskip("tensorflow", reason="TensorFlow writes and runs the models")
    v1: Any = tf.compat.v1
    graph, written = tf.Graph(), tmp_path / "written"
    with graph.as_default(), v1.Session(graph=graph) as session:
        x = v1.placeholder(tf.float32, [2, 3], name="x")
        y = tf.nn.relu(x, name="y")
        evil = tf.raw_ops.WriteFile(filename=str(written), contents="text", name="evil")
        v1.saved_model.simple_save(session, str(tmp_path / "m"), {"x": x}, {"y": y}, legacy_init_op=tf.group(evil))
    done = nhwcc.compile(tmp_path / "m", tmp_path / "m.tflite")
    assert done.report.verification is not None and done.report.verification.ok and not written.exists()
    assert any("WriteFile at 'evil'" in text for text in done.report.warnings)
    trusted = nhwcc.compile(tmp_path / "m", tmp_path / "m.tflite", unsafe_load=True)
    assert trusted.report.verification is not None and "TensorFlow" in trusted.report.verification.reference
    assert written.exists()

"""A session of TensorFlow with a model: what runs in a process of its own."""

# TensorFlow has no types
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false
# pyright: reportMissingImports=false, reportAttributeAccessIssue=false, reportUnknownParameterType=false

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from nhwcc.compiler.diagnostics import error
from nhwcc.compiler.types import Array
from nhwcc.runners.libraries import quiet


class TensorflowSession:
    """A SavedModel, restored with its variables, or a graph.

    Sessions of version 1 run models of both versions, and give any tensor of the graph.
    """

    def __init__(self, path: Path, tags: Sequence[str]) -> None:
        quiet()
        import tensorflow as tf

        self._errors = (tf.errors.OpError, ValueError, TypeError, KeyError, OSError)
        graph = tf.Graph()
        try:
            with graph.as_default():
                self._session: Any = tf.compat.v1.Session(graph=graph)
                if path.is_dir():
                    tf.compat.v1.saved_model.load(self._session, list(tags), str(path))
                else:
                    message = tf.compat.v1.GraphDef()
                    message.ParseFromString(path.read_bytes())
                    tf.import_graph_def(message, name="")
        except self._errors as bad:
            raise error("R018", f"TensorFlow refuses the model: {_said(bad)}") from bad
        self.version: str = tf.__version__

    def tensors(self) -> dict[str, str]:
        """Return the operator of each node that has a result that can be asked for."""
        nodes = self._session.graph.get_operations()
        return {n.name: n.type for n in nodes if n.outputs and n.outputs[0].dtype.is_numpy_compatible}

    def run(self, outputs: Sequence[str], inputs: Mapping[str, Array]) -> list[Array]:
        """Run the graph on tensors by name, and return those that are asked for.

        Raises:
            CompileError: R018.
        """
        try:
            return self._session.run(list(outputs), dict(inputs))
        except self._errors as bad:
            raise error("R018", f"TensorFlow refuses the inputs: {_said(bad)}") from bad


def _said(bad: BaseException) -> str:
    """Return the line that says what is wrong; others name TensorFlow's own code, and lines of Python."""
    text = str(getattr(bad, "message", None) or bad)
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    nodes = [number for number, line in enumerate(lines) if line.startswith("Node: ")]
    told = lines[nodes[-1] :][:2] if nodes else lines[:1]
    return ": ".join(told).removeprefix("Node: ")

"""Models of ONNX run by onnxruntime, by the reference interpreter and, compiled, by TFLite: all must agree."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import onnxruntime
from nhwcc.compiler.interpreter import run
from nhwcc.compiler.types import Array
from onnx import ModelProto, NodeProto, helper, numpy_helper
from onnx_models import imported

import nhwcc

ort: Any = onnxruntime  # options are a class of native code, without types
Feeds = Mapping[str, Any]


def contrib_node(op: str, inputs: str, outputs: str, domain: str, **attributes: Any) -> NodeProto:
    """A node of another domain; names are separated by blanks, ``_`` stands for an absent one."""
    ins, outs = (["" if n == "_" else n for n in names.split()] for names in (inputs, outputs))
    return helper.make_node(op, ins, outs, name=f"the {op} of {outs[0]}", domain=domain, **attributes)


def contrib_model(
    nodes: Sequence[NodeProto],
    inputs: Mapping[str, tuple[Any, Sequence[int | str]]],
    outputs: Sequence[str],
    constants: Mapping[str, Any] | None = None,
    *,
    opsets: Mapping[str, int],
) -> ModelProto:
    """A model of nodes of several domains; inputs have a numpy type and a shape."""
    graph = helper.make_graph(
        nodes,
        "test",
        [
            helper.make_tensor_value_info(name, helper.np_dtype_to_tensor_dtype(np.dtype(dtype)), shape)
            for name, (dtype, shape) in inputs.items()
        ],
        [helper.make_empty_tensor_value_info(name) for name in outputs],
        [numpy_helper.from_array(np.asarray(value), name) for name, value in (constants or {}).items()],
    )
    imports = [helper.make_opsetid(domain, version) for domain, version in opsets.items()]
    return helper.make_model(graph, opset_imports=imports, ir_version=8)


def agrees(proto: ModelProto, *feeds: Feeds, tolerance: float = 1e-5, steps: int = 0) -> dict[str, int]:
    """Run a model on each of ``feeds`` and compare; return how often the compiled file has each builtin.

    Errors count relative to the largest value of an output; strings must be equal, integers up to ``steps``.
    """
    options = ort.SessionOptions()
    options.log_severity_level = 4
    session = ort.InferenceSession(proto.SerializeToString(), options, providers=["CPUExecutionProvider"])
    names = [output.name for output in session.get_outputs()]
    module, artifact = imported(proto), nhwcc.compile(proto, io_layout="keep", verify=False)
    for number, feed in enumerate(feeds):
        wanted = dict(zip(names, session.run(names, dict(feed)), strict=True))
        outputs = [port.name for port in module.main.outputs]
        for runtime, got in (
            ("interpreter", dict(zip(outputs, run(module.main, dict(feed)), strict=True))),
            ("TFLite", artifact(**feed)),
        ):
            for name, want in wanted.items():
                within = steps if np.asarray(want).dtype.kind in "iu" else tolerance
                _compare(got[name], np.asarray(want), within, f"{name} of {runtime} on feed {number}")
    return artifact.report.ops_after


def _compare(got: Array, want: Array, tolerance: float, what: str) -> None:
    assert (got.dtype, got.shape) == (want.dtype, want.shape), what
    if want.dtype.kind in "iu" and tolerance:
        assert np.abs(got.astype(np.int64) - want.astype(np.int64)).max(initial=0) <= tolerance, what
        return
    if want.dtype.kind != "f":
        np.testing.assert_array_equal(got, want, err_msg=what)
        return
    largest = float(np.abs(want[np.isfinite(want)]).max(initial=1e-30))
    np.testing.assert_allclose(got, want, rtol=0, atol=tolerance * largest, err_msg=what)

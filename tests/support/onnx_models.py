"""Making ONNX models of a few nodes, and importing and running them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from nhwcc.compiler.diagnostics import CompileError
from nhwcc.compiler.interpreter import run
from nhwcc.compiler.ir import Module
from nhwcc.compiler.types import Array
from nhwcc.compiler.verify import verify
from nhwcc.frontends.onnx import import_onnx
from onnx import ModelProto, NodeProto, TensorProto, helper, numpy_helper

Shape = Sequence[int | str | None]


def node(op: str, inputs: str, outputs: str, **attributes: Any) -> NodeProto:
    """A node; names are separated by blanks, ``_`` stands for an absent one."""
    ins, outs = ([n.replace("_", "") if n == "_" else n for n in names.split()] for names in (inputs, outputs))
    return helper.make_node(op, ins, outs, name=f"the {op}", **attributes)


def model(
    nodes: Sequence[NodeProto],
    inputs: Mapping[str, Shape],
    outputs: Sequence[str],
    constants: Mapping[str, Any] | None = None,
    *,
    version: int = 18,
    element: int = TensorProto.FLOAT,
    **fields: Any,
) -> ModelProto:
    """A model whose inputs all have one element type."""
    graph = helper.make_graph(
        nodes,
        "test",
        [helper.make_tensor_value_info(name, element, shape) for name, shape in inputs.items()],
        [helper.make_empty_tensor_value_info(name) for name in outputs],
        [numpy_helper.from_array(np.asarray(value), name) for name, value in (constants or {}).items()],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", version)], ir_version=8, **fields)


def imported(proto: ModelProto | Path, **options: Any) -> Module:
    """Import and verify."""
    module = import_onnx(proto, **options)
    verify(module)
    return module


def results(module: Module, **inputs: Array) -> list[Array]:
    """Run by the reference interpreter."""
    return run(module.main, inputs)


def codes(bad: CompileError) -> list[str]:
    """The codes of an error."""
    return [d.code for d in bad.diagnostics]

"""Graphs of a few operators, and what TensorFlow makes of them."""

# TensorFlow has no types
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false
# pyright: reportMissingImports=false, reportAttributeAccessIssue=false, reportMissingTypeStubs=false

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime as ort
from nhwcc.compiler.interpreter import run
from nhwcc.compiler.ir import Module
from nhwcc.compiler.types import Array, TensorType, parse_type

from nhwcc.runners.tflite import RUNTIME
from nhwcc.runners.worker import Worker

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

Operand = Any
"""A type such as ``f32[2,3]`` of what is given, a constant, or a list of operands."""


def session_of(graph: Any, outputs: Sequence[str], feeds: Mapping[str, Array]) -> list[Array]:
    """Run a graph by TensorFlow."""
    import tensorflow as tf

    with tf.compat.v1.Session(graph=graph) as session:
        return session.run([f"{name}:0" for name in outputs], {f"{name}:0": a for name, a in feeds.items()})


def graph_of(build: Callable[..., Any], operands: Sequence[Operand]) -> tuple[Any, list[str]]:
    """Build a graph of what ``build`` makes of operands; return it with the names of its outputs.

    What is given is called ``x0``, ``x1`` and so on.
    """
    import tensorflow as tf

    graph = tf.Graph()
    with graph.as_default():
        made = [_operand(operand, f"x{i}") for i, operand in enumerate(operands)]
        found = build(*made)
        results = list(found) if isinstance(found, list | tuple) else [found]
        names = [tf.identity(y, name=f"y{i}").op.name for i, y in enumerate(results)]
    return graph, names


def _operand(operand: Operand, name: str) -> Any:
    import tensorflow as tf

    if isinstance(operand, list):
        return [_operand(item, f"{name}_{i}") for i, item in enumerate(operand)]
    if isinstance(operand, str):
        type = parse_type(operand)
        shape = [d if isinstance(d, int) else None for d in type.shape]
        return tf.compat.v1.placeholder(type.dtype.numpy, shape, name)
    return tf.constant(operand, name=name)


def raw(op: str, **attributes: Any) -> Callable[..., Any]:
    """Return what calls one operator on operands in the order of its schema."""
    from tensorflow.python.framework import op_def_library, op_def_registry

    schema: Any = op_def_registry.get(op)
    names = [argument.name for argument in schema.input_arg]
    defaults = {attribute.name: None for attribute in schema.attr if attribute.HasField("default_value")}
    inferred = {n for a in schema.input_arg for n in (a.type_attr, a.number_attr, a.type_list_attr)}
    filled = {name: value for name, value in (defaults | attributes).items() if name not in inferred}

    def call(*operands: Any) -> Any:
        return op_def_library.apply_op(op, **dict(zip(names, operands, strict=True)), **filled)

    return call


def given_types(operands: Sequence[Operand], prefix: str = "x") -> dict[str, TensorType]:
    """Return the types of what is given, by name."""
    found: dict[str, TensorType] = {}
    for i, operand in enumerate(operands):
        name = f"{prefix}{i}"
        if isinstance(operand, list):
            found |= given_types(operand, f"{name}_")
        elif isinstance(operand, str):
            found[name] = parse_type(operand)
    return found


def random_for(type: TensorType, rng: np.random.Generator, sizes: Mapping[str, int] | None = None) -> Array:
    """Elements that all operators take; open sizes are those of ``sizes``."""
    shape = tuple(d if isinstance(d, int) else (sizes or {})[str(d)] for d in type.shape)
    if type.dtype.is_float:
        return rng.standard_normal(shape).astype(type.dtype.numpy)
    return rng.integers(0, 4 if type.dtype.is_int else 2, shape).astype(type.dtype.numpy)


def interpreted(module: Module, inputs: Mapping[str, Array]) -> list[Array]:
    """Run a function by the meaning of its operations."""
    func = module.main
    return list(run(func, [inputs[port.name] for port in func.inputs]))


def run_written(path: Path, inputs: Mapping[str, Array], process: Worker) -> list[Array]:
    """Run what was compiled by its own runtime."""
    if path.suffix == ".onnx":
        onnx.checker.check_model(onnx.load(path), full_check=True)
        session: Any = ort.InferenceSession(path)
        return list(session.run(None, dict(inputs)))
    process.make(*RUNTIME, path, delegate=True)
    return list(process.call("run", dict(inputs)).values())


def check_same(got: Array, want: Array, slack: float, what: str) -> None:
    """Floats may differ relative to the largest."""
    want = np.asarray(want)
    assert got.shape == want.shape, f"{what}: {got.shape} instead of {want.shape}"
    assert got.dtype == want.dtype, f"{what}: {got.dtype} instead of {want.dtype}"
    if want.dtype.kind != "f":
        np.testing.assert_array_equal(got, want, err_msg=what)
        return
    finite = np.abs(want[np.isfinite(want)])
    largest = float(finite.max()) if finite.size else 1.0
    np.testing.assert_allclose(got, want, rtol=0, atol=slack * max(largest, 1e-9), err_msg=what)

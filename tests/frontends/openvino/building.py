"""Models of one operation, made by OpenVINO itself."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from typing import Any, cast

import numpy as np
from nhwcc.compiler.types import Array, DType, parse_type

Build = Callable[..., Any]
"""Gets the module of an operator set and one node per operand, and returns a node or several outputs."""

CONFIG = {"INFERENCE_PRECISION_HINT": "f32"}

ELEMENTS = {"bool": "boolean"}


@dataclass(frozen=True)
class Case:
    """One operation of an operator set: types of what is given, or constants, and how it is built.

    ``data`` replaces random inputs, ``slack`` is what numbers may differ by, relative to the largest.  ``dynamic`` are
    shapes as OpenVINO writes them, in which some sizes are open.  Of what is random, only types are compared.
    """

    type: str
    opset: int
    operands: tuple[Any, ...]
    build: Build
    slack: float = 1e-5
    data: Mapping[int, Any] = field(default_factory=lambda: dict[int, Any]())
    dynamic: Mapping[int, str] = field(default_factory=lambda: dict[int, str]())
    outputs: tuple[int, ...] | None = None
    is_random: bool = False

    @property
    def title(self) -> str:
        """What the test is called."""
        return f"{self.type}-{self.opset}"


def openvino() -> Any:
    """Import OpenVINO."""
    return import_module("openvino")


def model_of(case: Case) -> Any:
    """Build the model of a case."""
    ov, ops = openvino(), import_module(f"openvino.opset{case.opset}")
    nodes: list[Any] = []
    parameters: list[Any] = []
    for i, given in enumerate(case.operands):
        if isinstance(given, str):
            type = parse_type(given)
            shape = ov.PartialShape(case.dynamic.get(i, "[" + ",".join(map(str, type.shape)) + "]"))
            element = getattr(ov.Type, ELEMENTS.get(str(type.dtype), str(type.dtype)))
            node = import_module("openvino.opset13").parameter(shape, element, name=f"x{i}")
            parameters.append(node)
        elif isinstance(given, np.ndarray):
            node = import_module("openvino.opset13").constant(given)
        else:
            node = given
        nodes.append(node)
    made = case.build(ops, *nodes)
    outputs: list[Any] = list(cast("list[Any]", made) if isinstance(made, list | tuple) else made.outputs())
    stores = [o for o in outputs if isinstance(o, ov.Node) and o.get_type_name() == "Assign"]
    results = [o for o in outputs if o not in stores]
    chosen: list[Any] = results if case.outputs is None else [results[i] for i in case.outputs]
    named = [import_module("openvino.opset13").result(o, name=f"y{i}") for i, o in enumerate(chosen)]
    return ov.Model(named, stores, parameters, case.type)


def save(model: Any, path: Path) -> Path:
    """Write a model as it is, its weights beside it."""
    openvino().serialize(model, str(path))
    return path


def inputs_of(case: Case) -> dict[str, Array]:
    """Return the given data, and random numbers elsewhere."""
    rng = np.random.default_rng(3)
    found: dict[str, Array] = {}
    for i, given in enumerate(case.operands):
        if isinstance(given, str):
            found[f"x{i}"] = np.asarray(case.data[i]) if i in case.data else _random(given, rng)
    return found


def _random(text: str, rng: np.random.Generator) -> Array:
    type = parse_type(text)
    shape = tuple(int(str(d)) for d in type.shape)
    if type.dtype.is_float:
        return rng.standard_normal(shape).astype(type.dtype.numpy)
    if type.dtype is DType.BOOL:
        return rng.integers(0, 2, shape).astype(bool)
    return rng.integers(0, 5, shape).astype(type.dtype.numpy)


def run(model: Any, inputs: Mapping[str, Array]) -> list[Array]:
    """Return what OpenVINO computes, in the order of the outputs, then what it has stored in variables."""
    request = openvino().compile_model(model, "CPU", CONFIG).create_infer_request()
    names = [p.get_node().get_friendly_name() for p in request.model_inputs]
    request.infer({i: inputs[name] for i, name in enumerate(names)})
    outputs = [np.array(request.get_output_tensor(i).data) for i in range(len(request.model_outputs))]
    return [*outputs, *(np.array(variable.state.data) for variable in request.query_state())]


def f32(*shape: int) -> Array:
    """A constant of random numbers."""
    return np.random.default_rng(sum(shape) + 7).standard_normal(shape).astype(np.float32)


def i64(*values: Any) -> Array:
    """A constant vector."""
    return np.asarray(values, np.int64)


def scalar(value: Any, dtype: Any = np.int64) -> Array:
    """A constant scalar."""
    return np.asarray(value, dtype)


def attributes(node: Any) -> Sequence[str]:
    """The names of a node's attributes."""
    return list(node.get_attributes())

"""Files of a few operators, and what the runtime makes of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from nhwcc.backends.common import legalize as _legalize  # noqa: F401  # pyright: ignore[reportUnusedImport] -- registers it
from nhwcc.backends.tflite import emit
from nhwcc.compiler.ir import Module
from nhwcc.compiler.pipeline import Pipeline, parse_pipeline
from nhwcc.compiler.types import Array, TensorType, parse_type
from nhwcc.compiler.weights import Weight
from nhwcc.formats.tflite.model import (
    CustomOptions,
    Model,
    Operator,
    Options,
    Quantization,
    Signature,
    Subgraph,
    Tensor,
)
from nhwcc.formats.tflite.writer import write

Scale = tuple[float | Sequence[float], int, int]
"""Scales, the zero point of all, and the axis along which scales differ."""


@dataclass
class Graph:
    """A subgraph that grows; tensors are counted."""

    model: Model
    graph: Subgraph
    inputs: list[int] = field(default_factory=lambda: list[int]())

    def tensor(self, type: str | TensorType, name: str = "", scale: Scale | None = None, **more: Any) -> int:
        """Append a tensor that an operator computes."""
        found = parse_type(type) if isinstance(type, str) else type
        self.graph.tensors.append(
            Tensor(found, name or f"t{len(self.graph.tensors)}", quantization=_scale(scale), **more)
        )
        return len(self.graph.tensors) - 1

    def input(self, type: str, name: str = "", scale: Scale | None = None) -> int:
        """Append a tensor that is given."""
        number = self.tensor(type, name, scale)
        self.graph.inputs.append(number)
        return number

    def constant(self, array: Any, scale: Scale | None = None, name: str = "") -> int:
        """Append a tensor that the file holds."""
        weight = Weight.of(np.asarray(array))
        buffer = self.model.buffer(weight)
        return self.tensor(weight.type, name, scale, buffer=buffer)

    def call(
        self,
        builtin: str,
        inputs: Sequence[int],
        outputs: Sequence[str | int],
        options: Options | CustomOptions | None = None,
        version: int = 1,
        scales: Mapping[int, Scale] | None = None,
    ) -> list[int]:
        """Append an operator; outputs are types of new tensors, or numbers of tensors."""
        found = [
            o
            if isinstance(o, int)
            else self.tensor(o, f"{builtin.lower()}_{len(self.graph.tensors)}", (scales or {}).get(i))
            for i, o in enumerate(outputs)
        ]
        self.graph.operators.append(Operator(builtin, version, list(inputs), found, options))
        return found


def _scale(given: Scale | None) -> Quantization | None:
    if given is None:
        return None
    scales, zero, axis = given
    numbers = tuple(map(float, scales)) if isinstance(scales, Sequence) else (float(scales),)
    return Quantization(numbers, (zero,) * len(numbers), axis)


def new_graph(model: Model | None = None, name: str = "main") -> Graph:
    """Begin a model, or another subgraph of one."""
    model = Model() if model is None else model
    model.subgraphs.append(Subgraph(name))
    return Graph(model, model.subgraphs[-1])


def save(graph: Graph, outputs: Sequence[int], path: Path) -> Path:
    """Write a model whose first subgraph is ``graph``."""
    graph.graph.outputs = list(outputs)
    names = [str(t.name) for t in graph.graph.tensors]
    named = [names[n] for n in graph.graph.inputs], [f"{names[n]}_out{i}" for i, n in enumerate(outputs)]
    graph.model.signatures = [Signature("serving_default", 0, *named)]
    write(graph.model, path)
    return path


def written(module: Module, path: Path, passes: str) -> Path:
    """Run passes, and write."""
    Pipeline(parse_pipeline(passes)).run(module)
    return emit(module, path).path


def random_for(type: TensorType, rng: np.random.Generator) -> Array:
    """Elements that all builtins take."""
    shape = tuple(int(str(d)) for d in type.shape)
    if type.dtype.is_float:
        return rng.standard_normal(shape).astype(type.dtype.numpy)
    if type.dtype.is_int and type.dtype.bits <= 8:
        low = -128 if type.dtype.value[0] == "i" else 0
        return rng.integers(low, low + 256, shape).astype(type.dtype.numpy)
    return rng.integers(0, 4 if type.dtype.is_int else 2, shape).astype(type.dtype.numpy)

"""A source in one file: stacks of dense layers, written as JSON in files that end in .dense."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from nhwcc.compiler.diagnostics import Location, at, error
from nhwcc.compiler.dims import parse_dim
from nhwcc.compiler.ir import Func, Module, Op, Port, Region, Value
from nhwcc.compiler.ops import activation, linear
from nhwcc.compiler.ops.core import Const, Return
from nhwcc.compiler.types import DType, TensorType
from nhwcc.compiler.weights import Weight

from nhwcc.contents import text_with
from nhwcc.file_formats import Format, register_format
from nhwcc.sources.ir import ModuleSource

ACTIVATIONS: dict[str, type[Op]] = {
    "relu": activation.Relu,
    "sigmoid": activation.Sigmoid,
    "tanh": activation.Tanh,
}


class DenseSource(ModuleSource):
    """Reads ``{"layers": [{"weights": [[...]], "bias": [...], "activation": "relu"}]}``; rows are outputs."""

    kind = "dense layers"

    def read(self) -> Module:
        """Return the network, for any number of rows at once.

        Raises:
            CompileError: R010, it is damaged; F001, there is no such activation; T001, shapes don't fit.
        """
        layers = _layers(self.given)
        x = Value(TensorType(DType.F32, (parse_dim("batch"), len(layers[0]["weights"][0]))), None, "x")
        body, value = Region([x]), x
        for number, layer in enumerate(layers):
            with at(Location(f"layer {number}", self.title)):
                value = _layer(body, value, layer)
        body.insert(Return((value,)))
        return Module(Func("main", body, [Port("x")], [Port("y")]))


def _layers(given: Path | bytes) -> list[dict[str, Any]]:
    text = given.read_bytes() if isinstance(given, Path) else given
    try:
        found = json.loads(text)["layers"]
        return [{**layer, "weights": np.asarray(layer["weights"], np.float32).tolist()} for layer in found]
    except (ValueError, TypeError, KeyError) as bad:
        raise error(
            "R010", f"these are not dense layers: {bad}", help='write {"layers": [{"weights": [[1]]}]}'
        ) from bad


def _layer(body: Region, x: Value, layer: Mapping[str, Any]) -> Value:
    def constant(numbers: Any) -> Value:
        return body.insert(Const(Weight.of(np.asarray(numbers, np.float32)))).result

    bias = None if "bias" not in layer else constant(layer["bias"])
    y = body.insert(linear.Linear(x, constant(layer["weights"]), bias)).result
    name = layer.get("activation")
    if name is None:
        return y
    if name not in ACTIVATIONS:
        raise error("F001", f"unknown activation {name!r}", help=f"there are {', '.join(ACTIVATIONS)}")
    kind = ACTIVATIONS[name]
    return body.insert(kind(y)).result


register_format(
    Format(
        "dense",
        "a stack of dense layers",
        (".dense",),
        text_with(b'"layers"', b'"weights"'),
        source=f"{__name__}:DenseSource",
    )
)

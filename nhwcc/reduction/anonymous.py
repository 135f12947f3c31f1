"""Taking a network's secrets away: its weights, and all names."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterator

import numpy as np

from nhwcc.compiler.clone import clone_module
from nhwcc.compiler.dims import static
from nhwcc.compiler.interpreter import random_tensor
from nhwcc.compiler.ir import Module
from nhwcc.compiler.ops.core import Const
from nhwcc.compiler.subgraph import open_sizes
from nhwcc.compiler.types import Array, TensorType
from nhwcc.compiler.weights import Weight

FEW, FEW_INTEGERS = 8, 64
"""Elements of a constant up to which it is taken for a parameter of an operation: a shape, a scale, an axis."""


def weights_of(module: Module) -> list[int]:
    """Return which constants of a main function, by number, may hold what was learned."""
    return [number for number, op in enumerate(_constants(module)) if _is_learned(op.value.type)]


def _is_learned(type: TensorType) -> bool:
    size = math.prod(static(type.shape))
    return (type.dtype.is_float and size > FEW) or (type.dtype.is_int and size > FEW_INTEGERS)


def _constants(module: Module) -> Iterator[Const]:
    return (op for op in module.main.walk() if isinstance(op, Const))


def seeded(module: Module, chosen: Collection[int]) -> Module:
    """Return a module in which these constants have random elements, about as large as before."""
    copy = clone_module(module)
    for number, op in enumerate(_constants(copy)):
        if number in chosen:
            op.attributes["value"] = Weight.of(_like(op.value.array(), op.value.type, number))
    return copy


def _like(array: Array, type: TensorType, seed: int) -> Array:
    """Return normal numbers with the deviation of an array, or integers between its least and its largest."""
    rng = np.random.default_rng(seed)
    if type.dtype.is_int:
        return rng.integers(int(array.min()), int(array.max()), array.shape, endpoint=True).astype(array.dtype)
    deviation = float(array.astype(np.float64).std())
    factor = deviation if math.isfinite(deviation) and deviation else 1.0
    return (random_tensor(type, rng) * factor).astype(array.dtype)


def renamed(module: Module) -> Module:
    """Return a module whose inputs, outputs and values have names that say nothing, and that has no places."""
    copy = clone_module(module)
    func = copy.main
    for number, (arg, port) in enumerate(zip(func.args, func.inputs, strict=True)):
        arg.name = port.name = f"x{number}"
    for number, port in enumerate(func.outputs):
        port.name = f"y{number}"
    counters: dict[str, int] = {}
    for op in func.walk():
        op.location = None
        for region in op.regions:
            for value in region.args:
                value.name = _next("a", counters)
        for value in op.results:
            value.name = _next("w" if isinstance(op, Const) else "t", counters)
    return copy


def _next(letter: str, counters: dict[str, int]) -> str:
    counters[letter] = counters.get(letter, -1) + 1
    return f"{letter}{counters[letter]}"


def with_numbers(module: Module) -> Module | None:
    """Return a module with numbers in place of open sizes; None if it has none."""
    names = open_sizes(module.main)
    return clone_module(module, {name: 2 + number for number, name in enumerate(names)}) if names else None

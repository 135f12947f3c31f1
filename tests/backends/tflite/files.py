"""Modules to write, and what comes out."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from nhwcc.backends.tflite import emit
from nhwcc.compiler.ir import Func, Module, Port, Region, Value
from nhwcc.compiler.ops.core import Const, Return
from nhwcc.compiler.parser import parse_module
from nhwcc.compiler.pipeline import Pipeline, parse_pipeline
from nhwcc.compiler.types import Array, parse_type
from nhwcc.compiler.weights import Weight
from nhwcc.formats.tflite.reader import Summary, inspect


def written(module: Module | str, path: Path, passes: str = "legalize") -> Summary:
    """Legalize, write and read back."""
    module = parse_module(module) if isinstance(module, str) else module
    Pipeline(parse_pipeline(passes)).run(module)
    return inspect(emit(module, path).path)


def adding(*weights: Array | Weight) -> Module:
    """A module whose outputs are inputs plus one constant each."""
    from nhwcc.compiler.ops.arith import Add

    given = [Weight.of(w) for w in weights]
    region = Region(Value(w.type, name=f"x{i}") for i, w in enumerate(given))
    constants = [region.insert(Const(w)).results[0] for w in given]
    sums = [region.insert(Add(a, c)).results[0] for a, c in zip(region.args, constants, strict=True)]
    region.insert(Return(tuple(sums)))
    inputs = [Port(str(a.name)) for a in region.args]
    return Module(Func("main", region, inputs, [Port(f"y{i}") for i in range(len(sums))]))


def looking_up(table: Weight) -> Module:
    """A module that takes rows of a table."""
    from nhwcc.compiler.ops.index import Gather

    region = Region([Value(parse_type("i32[3]"), name="places")])
    rows = region.insert(Gather(region.insert(Const(table)).results[0], region.args[0], 0))
    region.insert(Return(rows.results))
    return Module(Func("main", region, [Port("places")], [Port("rows")]))


def normal(*shape: int, seed: int = 0) -> Array:
    """Random float32 elements."""
    return np.random.default_rng(seed).standard_normal(shape).astype(np.float32)

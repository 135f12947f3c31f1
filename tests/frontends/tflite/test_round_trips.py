"""What nhwcc writes is read back: the same numbers, where builtins are one to one the same operation, nothing added."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import pytest
from nhwcc.compiler.clone import clone_module
from nhwcc.compiler.interpreter import random_inputs
from nhwcc.compiler.ir import Module
from nhwcc.compiler.opdef import OPS, Draws
from nhwcc.compiler.ops.core import Const, Return
from nhwcc.compiler.parser import parse_module
from nhwcc.compiler.verify import verify
from nhwcc.formats.tflite.reader import inspect
from nhwcc.frontends.tflite import import_tflite
from samples import samples

import nhwcc
from tests.passes.random_graphs import Builder

from .building import written
from .comparing import check_same, interpreted
from .conftest import Runtime

SAMPLES = samples()

ALIKE = frozenset(
    {
        "abs",
        "add",
        "bit_cast",
        "bitwise_xor",
        "cast",
        "ceil",
        "concat",
        "cos",
        "cum_sum",
        "custom",
        "div",
        "dynamic_update_slice",
        "elu",
        "equal",
        "exp",
        "floor",
        "floor_div",
        "gather_nd",
        "gelu",
        "greater",
        "greater_equal",
        "hard_swish",
        "leaky_relu",
        "less",
        "less_equal",
        "log",
        "logical_and",
        "logical_not",
        "logical_or",
        "matmul",
        "max",
        "min",
        "mod",
        "mul",
        "neg",
        "not_equal",
        "pad",
        "pow",
        "random_choice",
        "random_normal",
        "random_uniform",
        "reduce",
        "relu",
        "reshape",
        "reverse",
        "reverse_sequence",
        "round",
        "rsqrt",
        "select",
        "select_boxes",
        "shift_right",
        "sigmoid",
        "sign",
        "sin",
        "sqrt",
        "square",
        "squared_difference",
        "sub",
        "tanh",
        "tile",
        "transpose",
    }
)
"""Samples of operations that are one builtin."""


PASSES = "canonicalize,legalize,fuse-activations,cse,dce"


def check(module: Module, path: Path, runtime: Runtime, *, runs: bool = True) -> Module:
    """Write, read, run, write again."""
    written(module, path, PASSES)
    read = import_tflite(path, allow_custom_ops=True)
    verify(read)
    again = clone_module(read)
    if runs:
        func = read.main
        names = [p.name for p in func.inputs]
        inputs = dict(zip(names, random_inputs(func, seed=1, default=3), strict=True))
        found = interpreted(func, inputs)
        for name, want in runtime(path, inputs).items():
            check_same(found[name], want, 2e-5, 0, name)
    second = path.with_name("again.tflite")
    written(read, second, PASSES)
    assert _total(second) <= _total(path)
    assert count(second)["TRANSPOSE"] <= count(path)["TRANSPOSE"]
    return again


def count(path: Path) -> Counter[str]:
    return Counter(op.name for graph in inspect(path).subgraphs for op in graph.operators)


def _total(path: Path) -> int:
    return sum(count(path).values())


def names(module: Module) -> Sequence[str]:
    return [op.spec.name for op in module.walk() if not isinstance(op, Const | Return)]


@pytest.mark.parametrize("name", SAMPLES)
def test_samples(name: str, tmp_path: Path, runtime: Runtime) -> None:
    module = clone_module(Module(SAMPLES[name]))
    runs = name != "custom" and not OPS[name].spec.has(Draws)
    read = check(module, tmp_path / "m.tflite", runtime, runs=runs)
    if name in ALIKE:
        assert set(names(read)) == {name}


@pytest.mark.parametrize("seed", range(12))
def test_random_graphs(seed: int, tmp_path: Path, runtime: Runtime) -> None:
    builder = Builder(seed)
    builder.grow(8)
    check(builder.module(), tmp_path / "m.tflite", runtime)


def test_layouts_are_those_of_the_source(tmp_path: Path) -> None:
    text = """
        func @main(%x: f32[batch,3,8,8]) -> (f32[batch,1,8,8]) {
          %w = const() {value = dense<[[[[1.0]], [[2.0]], [[3.0]]]]> : f32[1,3,1,1]} : f32[1,3,1,1]
          %y = conv(%x, %w, none) {strides = [1, 1], dilations = [1, 1], pads = [[0, 0], [0, 0]]} : f32[batch,1,8,8]
          return(%y)
        }
    """
    path = tmp_path / "m.tflite"
    nhwcc.compile(parse_module(text), path, verify=False, io_layout="nhwc")
    func = import_tflite(path).main
    assert str(func.args[0].type) == "f32[batch,8,8,3]"
    assert [p.order for p in (*func.inputs, *func.outputs)] == ["NHWC", "NHWC"]
    fixed = import_tflite(path, shapes={"x": (2, 3, 8, 8)}).main
    assert str(fixed.args[0].type) == "f32[2,8,8,3]"

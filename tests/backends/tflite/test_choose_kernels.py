"""choose-kernels: the same numbers from kernels that are faster."""

from __future__ import annotations

import math
import random
from collections import Counter

import numpy as np
import pytest
from nhwcc.backends.registry import find_target
from nhwcc.backends.tflite.choose_kernels import FAST_TAPS, ChooseKernels, blocks
from nhwcc.compiler.clone import clone_module
from nhwcc.compiler.dims import Dim, static, symbol
from nhwcc.compiler.ir import Func, Module, Port, Region, Value
from nhwcc.compiler.ops.core import Const, Return
from nhwcc.compiler.ops.linear import MatMul
from nhwcc.compiler.ops.window import Conv
from nhwcc.compiler.options import Goal
from nhwcc.compiler.pipeline import Pipeline, parse_pipeline
from nhwcc.compiler.types import DType, TensorType
from nhwcc.compiler.verify import verify
from nhwcc.compiler.weights import Weight

from nhwcc.testing import compare


def depthwise(
    size: tuple[Dim, Dim],
    kernel: tuple[int, int],
    pads: tuple[tuple[int, int], tuple[int, int]],
    *,
    stride: int = 1,
    dilation: int = 1,
    activation: str = "none",
    channels: int = 8,
) -> Module:
    arrays = np.random.default_rng(0)
    region = Region([Value(TensorType(DType.F32, (2, *size, channels)), None, "x")])
    w, bias = (
        region.insert(Const(Weight.of(arrays.standard_normal(shape).astype(np.float32)))).result
        for shape in ((channels, *kernel, 1), (channels,))
    )
    settings = ((stride, stride), (dilation, dilation), pads, channels, True, activation)
    y = region.insert(Conv(region.args[0], w, bias, *settings)).result
    region.insert(Return((y,)))
    return Module(Func("main", region, [Port("x")], [Port("y")]))


def chosen(module: Module, optimize: Goal = "balanced") -> Counter[str]:
    Pipeline(parse_pipeline("legalize")).run(module)
    before = clone_module(module)
    ChooseKernels(optimize=optimize).run(module)
    verify(module)
    compare(module, before, "choose-kernels")
    assert all(find_target("tflite").is_legal(op) for op in module.walk())
    return Counter(op.spec.name for op in module.walk())


def test_a_filter_of_seven_rows_becomes_three() -> None:
    module = depthwise((9, 9), (7, 7), ((3, 3), (3, 3)), activation="relu")
    found = chosen(module)
    assert (found["conv"], found["add"], found["slice"]) == (3, 2, 2)
    last = module.main.returns[0].owner
    assert last is not None
    assert last.attributes["activation"] == "relu"


@pytest.mark.parametrize("seed", range(40))
def test_any_geometry(seed: int) -> None:
    rng = random.Random(seed)
    kernel = rng.choice([(7, 7), (9, 5), (1, 31), (27, 1), (6, 6), (3, 11), (13, 13)])
    dilation, stride = rng.choice([1, 1, 2]), rng.choice([1, 1, 2])
    pads = tuple(tuple(rng.choice([0, k // 2, dilation * (k - 1)]) for _ in range(2)) for k in kernel)
    size = tuple(max(dilation * (k - 1) + 1 - sum(p), 1) + rng.randint(0, 5) for k, p in zip(kernel, pads, strict=True))
    module = depthwise(size, kernel, pads, stride=stride, dilation=dilation)  # pyright: ignore[reportArgumentType]
    if chosen(module)["conv"] > 1:
        assert all(math.prod(static(op.w.type.shape[1:3])) <= FAST_TAPS for op in module.walk() if isinstance(op, Conv))


def test_what_stays() -> None:
    same = ((2, 2), (2, 2))
    assert chosen(depthwise((9, 9), (5, 5), same))["conv"] == 1, "25 elements have a fast kernel"
    assert chosen(depthwise((9, 9), (7, 7), ((3, 3), (3, 3))), "size")["conv"] == 1
    assert chosen(depthwise((symbol("h"), 9), (7, 7), ((3, 3), (3, 3))))["conv"] == 1, "open sizes"
    assert chosen(depthwise((1, 1), (7, 7), ((3, 3), (3, 3))))["conv"] == 1, "only one block reads anything"
    assert chosen(depthwise((9, 9), (7, 7), ((3, 3), (3, 3)), channels=4))["conv"] == 1, "few channels"


def product(a: tuple[int, ...], b: tuple[int, ...], *, transpose_a: bool = False, transpose_b: bool = False) -> Module:
    region = Region([Value(TensorType(DType.F32, shape), None, name) for name, shape in (("a", a), ("b", b))])
    left, right = region.args
    y = region.insert(MatMul(left, right, transpose_a, transpose_b)).result
    region.insert(Return((y,)))
    return Module(Func("main", region, [Port("a"), Port("b")], [Port("y")]))


@pytest.mark.parametrize("transpose_a", [False, True])
@pytest.mark.parametrize("transpose_b", [False, True])
def test_one_row_times_a_large_matrix(*, transpose_a: bool, transpose_b: bool) -> None:
    a = (1, 4, 128, 1) if transpose_a else (1, 4, 1, 128)
    b = (1, 4, 150, 128) if transpose_b else (1, 4, 128, 150)
    found = chosen(product(a, b, transpose_a=transpose_a, transpose_b=transpose_b))
    assert (found["matmul"], found["mul"], found["reduce"]) == (0, 1, 1)


def test_products_that_stay() -> None:
    assert chosen(product((1, 4, 1, 16), (1, 4, 16, 15)))["matmul"] == 1, "small"
    assert chosen(product((1, 4, 2, 128), (1, 4, 128, 150)))["matmul"] == 1, "two rows"
    assert chosen(product((1, 1, 1, 128), (1, 4, 128, 150)))["matmul"] == 1, "one row for all"


@pytest.mark.parametrize("kernel", [(7, 7), (31, 31), (1, 60), (26, 1), (5, 6)])
def test_blocks_are_small_enough(kernel: tuple[int, int]) -> None:
    height, width = blocks(*kernel)
    assert height * width <= FAST_TAPS
    assert height <= kernel[0]
    assert width <= kernel[1]

"""Searches for the largest read integers in place of the numbers that these stand for."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from nhwcc.compiler.ops.index import ArgMax, ArgMin
from nhwcc.compiler.ops.quantize import Dequantize
from nhwcc.compiler.ops.window import MaxPool
from nhwcc.compiler.parser import parse_module
from nhwcc.compiler.pipeline import Pipeline, parse_pipeline
from nhwcc.compiler.types import DType
from nhwcc.passes.quantization.quantize import Recipe
from onnx import helper

from .networks import calibrated, network, quantized, samples

WEIGHTS = {"w": np.random.default_rng(2).standard_normal((5, 3, 3, 3)).astype(np.float32)}
NODES: list[Any] = [
    helper.make_node("Conv", ["x", "w"], ["c"], pads=[1, 1, 1, 1]),
    helper.make_node("MaxPool", ["c"], ["p"], kernel_shape=[2, 2], strides=[2, 2]),
    helper.make_node("ArgMax", ["p"], ["y"], axis=1, keepdims=0),
]


def test_what_is_searched_stays_integers() -> None:
    """The pool before the search, too: nobody else reads its integers."""
    module = network(NODES, [1, 3, 6, 6], WEIGHTS)
    copy, _ = quantized(module, Recipe("int8", calibration=calibrated(module, samples(module))))
    ops = list(copy.main.ops)
    (search,) = [op for op in ops if isinstance(op, ArgMax)]
    assert search.x.type.dtype is DType.I8 and isinstance(search.x.owner, MaxPool)


@pytest.mark.parametrize(
    ("dtype", "scale", "reads"), [("i8", "f32[]", "i8"), ("i8", "f32[4]", "f32"), ("i16", "f32[]", "f32")]
)
def test_integers_of_one_scale_that_kernels_search(dtype: str, scale: str, reads: str) -> None:
    module = parse_module(f"""
        func @main(%x: {dtype}[3,4], %s: {scale}, %z: {dtype}[]) -> (i32[3]) {{
          %d = dequantize(%x, %s, %z) : f32[3,4]
          %y = arg_min(%d) {{axis = 1, keepdims = false, dtype = "i32"}} : i32[3]
          return(%y)
        }}""")
    Pipeline(parse_pipeline("search-integers")).run(module)
    (search,) = [op for op in module.main.ops if isinstance(op, ArgMin)]
    assert search.x.type.dtype == reads
    assert any(isinstance(op, Dequantize) for op in module.main.ops)

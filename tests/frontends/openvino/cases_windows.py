"""Positions, windows, normalisations, resampling, products."""

# OpenVINO's functions are untyped
# pyright: reportUnknownLambdaType=false, reportUnknownMemberType=false, reportUnknownArgumentType=false
# pyright: reportUnknownVariableType=false

from __future__ import annotations

from itertools import product
from typing import Any

import numpy as np

from .building import Build, Case, f32, i64, scalar
from .cases_basic import method

ROW = np.asarray([3, 0, 1], np.int64)

POSITIONS = [
    Case("Gather", 1, ("f32[4,5]", ROW, scalar(0)), method("gather")),
    Case("Gather", 7, ("f32[2,5,3]", np.asarray([[1, 0], [4, 2]]), scalar(1)), method("gather", 1)),
    Case("Gather", 8, ("f32[2,3,5]", np.asarray([[1, -1], [4, 2]]), scalar(2)), method("gather", 1)),
    Case("Gather", 8, ("f32[4,5]", np.asarray([[-1, 0]]), scalar(1)), method("gather")),
    Case(
        "GatherElements",
        6,
        (
            "f32[3,3]",
            np.asarray([[0, 2, 1], [1, 0, 0]]),
        ),
        method("gather_elements", 0),
    ),
    Case("GatherND", 5, ("f32[2,2,3,4]", np.asarray([[[0], [1]], [[2], [0]]])), method("gather_nd", 2)),
    Case("GatherND", 8, ("f32[2,2,3,4]", np.asarray([[[0], [1]], [[2], [0]]])), method("gather_nd", 2)),
    Case("GatherND", 8, ("f32[4,5,3]", np.asarray([[0, 4], [3, 1]])), method("gather_nd")),
    Case(
        "ScatterElementsUpdate",
        3,
        ("f32[4,3]", np.asarray([[3, 0, 2]]), "f32[1,3]", scalar(0)),
        method("scatter_elements_update"),
    ),
    *(
        Case(
            "ScatterElementsUpdate",
            12,
            ("f32[4,3]", np.asarray([[3, 0, 2], [3, 1, -2]]), "f32[2,3]", scalar(0)),
            method("scatter_elements_update", r, u),
        )
        for r, u in product(("sum", "prod", "min", "max", "mean"), (True, False))
    ),
    Case(
        "ScatterElementsUpdate",
        12,
        ("f32[4,3]", np.asarray([[3, 0, 2]]), "f32[1,3]", scalar(0)),
        method("scatter_elements_update", "none"),
    ),
    Case("ScatterNDUpdate", 4, ("f32[4,3]", np.asarray([[3], [0]]), "f32[2,3]"), method("scatter_nd_update")),
    *(
        Case(
            "ScatterNDUpdate", 15, ("f32[4,3]", np.asarray([[3], [0], [3]]), "f32[3,3]"), method("scatter_nd_update", r)
        )
        for r in ("sum", "sub", "prod", "min", "max")
    ),
    Case("ScatterUpdate", 3, ("f32[2,5,3]", np.asarray([[1, 4]]), "f32[2,1,2,3]", scalar(1)), method("scatter_update")),
    Case("TopK", 1, ("f32[3,7]", scalar(3)), method("topk", 1, "max", "value")),
    Case("TopK", 3, ("f32[3,7]", scalar(3)), method("topk", 1, "min", "index")),
    Case("TopK", 11, ("f32[7,3]", scalar(2)), method("topk", 0, "max", "value", "i64", True)),
    Case("CumSum", 3, ("f32[3,4]", scalar(1)), method("cum_sum", True, True)),
    Case("OneHot", 1, ("i64[2,3]", scalar(4), scalar(2.0, np.float32), scalar(-1.0, np.float32)), method("one_hot", 1)),
    Case(
        "OneHot",
        16,
        ("i64[2,3]", scalar(4), scalar(2.0, np.float32), scalar(-1.0, np.float32)),
        method("one_hot", -1, "normalize"),
        data={0: np.asarray([[0, -1, 3], [2, -4, 5]])},
    ),
    Case(
        "OneHot",
        16,
        ("i64[2,3]", scalar(4), scalar(2.0, np.float32), scalar(-1.0, np.float32)),
        method("one_hot", -1, "ignore_negative"),
        data={0: np.asarray([[0, -1, 3], [2, -4, 5]])},
    ),
    Case("ReverseSequence", 1, ("f32[2,4,3]", np.asarray([3, 1])), method("reverse_sequence", 0, 1)),
    Case(
        "NonZero",
        3,
        ("f32[3,4]",),
        method("non_zero"),
        data={0: np.asarray([[0, 1, 2, 0], [0, 0, 0, 3], [4, 0, 0, 0]], np.float32)},
    ),
    Case("Unique", 10, ("i64[7]",), method("unique"), data={0: np.asarray([3, 1, 3, 2, 1, 9, 2])}),
    Case("Bucketize", 3, ("f32[2,3]", np.asarray([-0.5, 0.0, 0.5], np.float32)), method("bucketize", "i64", True)),
    Case("Bucketize", 3, ("i32[2,3]", np.asarray([0, 2, 3], np.int32)), method("bucketize", "i32", False)),
    Case("SearchSorted", 15, (np.sort(f32(2, 5), -1), "f32[2,3]"), method("search_sorted", True)),
    Case("SearchSorted", 15, (np.sort(f32(5)), "f32[2,3]"), method("search_sorted")),
    Case("SliceScatter", 15, ("f32[4,5]", "f32[2,5]", i64(0), i64(4), i64(2), i64(0)), method("slice_scatter")),
    Case(
        "GridSample", 9, ("f32[1,2,4,5]", "f32[1,3,2,2]"), lambda o, x, g: o.grid_sample(x, g, {"align_corners": True})
    ),
    *(
        Case(
            "GridSample",
            9,
            ("f32[1,2,4,5]", "f32[1,3,2,2]"),
            lambda o, x, g, p=p: o.grid_sample(x, g, {"mode": "bicubic", "padding_mode": p}),
        )
        for p in ("zeros", "border", "reflection")
    ),
    Case(
        "GridSample",
        9,
        ("f32[1,2,4,5]", "f32[1,3,2,2]"),
        lambda o, x, g: o.grid_sample(x, g, {"mode": "nearest", "padding_mode": "reflection"}),
    ),
]


def conv(
    strides: Any = (1, 1),
    begin: Any = (0, 0),
    end: Any = (0, 0),
    dilations: Any = (1, 1),
    auto_pad: str = "EXPLICIT",
    name: str = "convolution",
) -> Build:
    return lambda o, x, w: getattr(o, name)(x, w, list(strides), list(begin), list(end), list(dilations), auto_pad)


def back(
    strides: Any,
    shape: Any = None,
    begin: Any = (0, 0),
    end: Any = (0, 0),
    auto_pad: str = "explicit",
    more: Any = None,
    name: str = "convolution_backprop_data",
) -> Build:
    def build(o: Any, x: Any, w: Any) -> Any:
        wanted = None if shape is None else o.constant(np.asarray(shape, np.int64))
        return getattr(o, name)(x, w, list(strides), wanted, list(begin), list(end), [1, 1], auto_pad, more)

    return build


CONVOLUTIONS = [
    Case("Convolution", 1, ("f32[2,3,7,6]", f32(4, 3, 3, 2)), conv((2, 1), (1, 0), (0, 1), (1, 2))),
    Case("Convolution", 1, ("f32[1,2,9]", f32(3, 2, 3)), lambda o, x, w: o.convolution(x, w, [2], [1], [1], [1])),
    *(
        Case("Convolution", 1, ("f32[1,3,7,6]", f32(4, 3, 3, 2)), conv((2, 2), auto_pad=a))
        for a in ("SAME_UPPER", "SAME_LOWER", "VALID")
    ),
    Case("GroupConvolution", 1, ("f32[1,4,7,6]", f32(2, 3, 2, 3, 2)), conv((2, 1), name="group_convolution")),
    Case(
        "GroupConvolution",
        1,
        ("f32[1,4,7,6]", f32(4, 1, 1, 3, 3)),
        conv(begin=(1, 1), end=(1, 1), name="group_convolution"),
    ),
    Case(
        "ConvolutionBackpropData",
        1,
        ("f32[1,3,4,5]", f32(3, 2, 3, 3)),
        back((2, 2), begin=(1, 0), end=(0, 1), more=[1, 0]),
    ),
    Case("ConvolutionBackpropData", 1, ("f32[1,3,4,5]", f32(3, 2, 3, 3)), back((2, 2), (8, 10), auto_pad="same_upper")),
    Case("ConvolutionBackpropData", 1, ("f32[1,3,4,5]", f32(3, 2, 3, 3)), back((2, 2), (8, 10), auto_pad="same_lower")),
    Case("ConvolutionBackpropData", 1, ("f32[1,3,4,5]", f32(3, 2, 3, 3)), back((2, 2), (9, 11), auto_pad="valid")),
    Case("ConvolutionBackpropData", 1, ("f32[1,3,4,5]", f32(3, 2, 3, 3)), back((2, 2), (8, 10))),
    Case("ConvolutionBackpropData", 1, ("f32[1,3,4,5]", f32(3, 2, 3, 3)), back((2, 2), auto_pad="same_upper")),
    Case(
        "GroupConvolutionBackpropData",
        1,
        ("f32[1,4,4,5]", f32(2, 2, 3, 3, 3)),
        back((2, 2), begin=(1, 1), end=(1, 1), name="group_convolution_backprop_data"),
    ),
]


def pool(
    opset: int,
    name: str = "max_pool",
    rounding: str = "floor",
    auto_pad: str = "explicit",
    *,
    exclude: bool = True,
    begin: Any = (1, 0),
    end: Any = (1, 1),
    strides: Any = (2, 2),
) -> Build:
    def build(o: Any, x: Any) -> Any:
        kernel = [3, 2]
        if name == "avg_pool":
            return o.avg_pool(x, list(strides), list(begin), list(end), kernel, exclude, rounding, auto_pad)
        if opset < 8:
            return o.max_pool(x, list(strides), list(begin), list(end), kernel, rounding, auto_pad)
        return o.max_pool(x, list(strides), [1, 1], list(begin), list(end), kernel, rounding, auto_pad, "i32", 2)

    return build


X = "f32[2,3,8,7]"
POOLS = [
    *(
        Case("MaxPool", 1, (X,), pool(1, rounding=r, auto_pad=a))
        for r in ("floor", "ceil")
        for a in ("explicit", "same_upper", "same_lower", "valid")
    ),
    *(Case("MaxPool", 8, (X,), pool(8, rounding=r), outputs=o) for r in ("floor", "ceil") for o in ((0,), (0, 1))),
    Case("MaxPool", 14, (X,), pool(14, rounding="ceil_torch")),
    Case(
        "MaxPool",
        8,
        (X,),
        lambda o, x: o.max_pool(x, [2, 2], [1, 1], [0, 0], [0, 0], [2, 2], index_element_type="i64", axis=0),
    ),
    *(Case("AvgPool", 1, (X,), pool(1, "avg_pool", r, exclude=e)) for r in ("floor", "ceil") for e in (True, False)),
    Case(
        "AvgPool",
        1,
        ("f32[1,2,6,6]",),
        pool(1, "avg_pool", "ceil", exclude=True, begin=(0, 0), end=(0, 0), strides=(2, 2)),
    ),
    *(Case("AvgPool", 14, (X,), pool(14, "avg_pool", "ceil_torch", exclude=e)) for e in (True, False)),
    *(
        Case("AvgPool", 14, (X,), pool(14, "avg_pool", auto_pad=a, exclude=e))
        for a in ("same_upper", "same_lower")
        for e in (True, False)
    ),
    Case(
        "AvgPool",
        16,
        (X,),
        lambda o, x: o.avg_pool(x, [1, 2], [1, 0], [1, 1], [3, 2], True, "floor", "explicit", [2, 1]),
    ),
]

NORMS = [
    Case(
        "BatchNormInference",
        1,
        ("f32[2,3,4]", f32(3), f32(3), f32(3), np.abs(f32(3))),
        method("batch_norm_inference", 1e-3),
    ),
    Case(
        "BatchNormInference",
        5,
        ("f32[2,3,4]", f32(3), f32(3), f32(3), np.abs(f32(3))),
        method("batch_norm_inference", 1e-3),
    ),
    *(Case("MVN", 2, ("f32[2,3,4,5]",), method("mvn", a, n, 1e-2)) for a in (True, False) for n in (True, False)),
    *(
        Case("MVN", 6, ("f32[2,3,4,5]", i64(2, 3)), method("mvn", n, 1e-2, m))
        for n in (True, False)
        for m in ("inside_sqrt", "outside_sqrt")
    ),
    Case("MVN", 6, ("f32[2,3,4]", i64(-1)), method("mvn", True, 1e-5, "INSIDE_SQRT")),
    Case("GroupNormalization", 12, ("f32[2,4,5]", f32(4), f32(4)), method("group_normalization", 2, 1e-3)),
    *(Case("NormalizeL2", 1, ("f32[2,3,4]", i64(1)), method("normalize_l2", 0.5, m)) for m in ("add", "max")),
    Case("GRN", 1, ("f32[2,3,4,5]",), method("grn", 0.3)),
    *(
        Case("LRN", 1, ("f32[2,6,4,5]", i64(*axes)), method("lrn", 0.4, 0.7, 1.0, n))
        for axes in ((1,), (2, 3))
        for n in (3, 4)
    ),
]


def resize(opset: int, mode: str, by: str, target: Any, **more: Any) -> Build:
    def build(o: Any, x: Any) -> Any:
        axes = o.constant(np.asarray([2, 3], np.int64))
        numbers = o.constant(np.asarray(target, np.int64 if by == "sizes" else np.float32))
        if opset >= 11:
            return o.interpolate(x, numbers, mode, by, axes=axes, **more)
        other = o.constant(np.asarray([1, 1], np.float32 if by == "sizes" else np.int64))
        first, second = (numbers, other) if by == "sizes" else (other, numbers)
        return o.interpolate(x, first, second, mode, by, axes=axes, **more)

    return build


COORDINATES = ("half_pixel", "pytorch_half_pixel", "asymmetric", "tf_half_pixel_for_nn", "align_corners")
NEAREST = ("round_prefer_floor", "round_prefer_ceil", "floor", "ceil", "simple")
IMAGE = "f32[1,2,5,6]"
RESAMPLING = [
    *(
        Case("Interpolate", 10, (IMAGE,), resize(4, m, "sizes", s, coordinate_transformation_mode=c))
        for m in ("linear", "linear_onnx", "cubic")
        for c in COORDINATES
        for s in ((7, 9), (3, 4))
    ),
    *(
        Case(
            "Interpolate",
            10,
            (IMAGE,),
            resize(4, "nearest", "sizes", s, coordinate_transformation_mode=c, nearest_mode=n),
        )
        for c in COORDINATES
        for n in NEAREST
        for s in ((8, 9), (3, 4))
    ),
    *(
        Case("Interpolate", 10, (IMAGE,), resize(4, m, "scales", s, pads_begin=[0, 0, 1, 0], pads_end=[0, 0, 0, 2]))
        for m in ("nearest", "linear_onnx", "cubic")
        for s in ((2.0, 1.7), (0.6, 0.5))
    ),
    Case("Interpolate", 10, (IMAGE,), resize(4, "cubic", "sizes", (7, 9), cube_coeff=-0.5)),
    Case("Interpolate", 10, (IMAGE,), resize(4, "linear", "sizes", (3, 3), antialias=True)),
    Case("Interpolate", 11, (IMAGE,), resize(11, "linear", "scales", (2.0, 0.5))),
    *(
        Case("Interpolate", 11, (IMAGE,), resize(11, m, "sizes", s, cube_coeff=-0.5))
        for m in ("BILINEAR_PILLOW", "BICUBIC_PILLOW")
        for s in ((9, 8), (3, 4))
    ),
    *(
        Case(
            "Interpolate",
            1,
            (IMAGE,),
            lambda o, x, m=m, a=a, s=s: o.interpolate(
                x,
                o.constant(np.asarray(s, np.int64)),
                {"axes": [2, 3], "mode": m, "align_corners": a, "antialias": False, "pads_begin": [0], "pads_end": [0]},
            ),
        )
        for m in ("nearest", "linear", "cubic")
        for a in (True, False)
        for s in ((9, 8), (3, 4))
    ),
    Case("ReorgYolo", 2, ("f32[1,8,4,6]",), method("reorg_yolo", [2])),
]

PRODUCTS = [
    Case("MatMul", 1, ("f32[2,3,4]", f32(4, 5)), method("matmul", False, False)),
    Case("MatMul", 1, ("f32[4,3]", f32(5, 4)), method("matmul", True, True)),
    Case("MatMul", 1, ("f32[4]", f32(2, 4, 5)), method("matmul", True, False)),
    Case("MatMul", 1, ("f32[2,3,4]", f32(4)), method("matmul", False, True)),
    Case("Einsum", 7, ("f32[2,3,4]", "f32[2,4,5]"), lambda o, a, b: o.einsum([a, b], "bij,bjk->bik")),
    Case("Inverse", 14, ("f32[2,3,3]",), method("inverse"), slack=1e-4),
]

WEIGHTS = [
    Case(
        "FakeQuantize",
        1,
        (
            "f32[2,3,4]",
            scalar(-1.28, np.float32),
            scalar(1.27, np.float32),
            scalar(-1.28, np.float32),
            scalar(1.27, np.float32),
        ),
        method("fake_quantize", 256),
    ),
    Case(
        "FakeQuantize",
        1,
        (
            "f32[2,3,4]",
            scalar(-1.27, np.float32),
            scalar(1.27, np.float32),
            scalar(-1.27, np.float32),
            scalar(1.27, np.float32),
        ),
        method("fake_quantize", 255),
    ),
    Case(
        "FakeQuantize",
        1,
        ("f32[2,3,4]", scalar(0, np.float32), scalar(2.1, np.float32), scalar(0, np.float32), scalar(2.1, np.float32)),
        method("fake_quantize", 256),
    ),
    Case(
        "FakeQuantize",
        1,
        (
            "f32[2,3,4]",
            scalar(-0.9, np.float32),
            scalar(1.1, np.float32),
            scalar(-3, np.float32),
            scalar(2, np.float32),
        ),
        method("fake_quantize", 16),
    ),
    Case(
        "FakeQuantize",
        1,
        ("f32[2,3,4]", -np.abs(f32(1, 3, 1)), np.abs(f32(1, 3, 1)), scalar(-1, np.float32), scalar(1, np.float32)),
        method("fake_quantize", 2),
    ),
    Case("FakeConvert", 13, ("f32[2,3]", scalar(2.5, np.float32)), method("fake_convert")),
]

"""One call of every builtin and its variants: operands (types, constants, None), types of results, options."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from nhwcc.compiler.types import DType
from nhwcc.formats.tflite.model import CustomOptions, Options, custom, options

RNG = np.random.default_rng(7)


def f32(*shape: int) -> Any:
    """A constant of random numbers."""
    return RNG.standard_normal(shape).astype(np.float32)


def i32(*values: Any) -> Any:
    """A constant vector, or what is nested as it is."""
    return np.asarray(values, np.int32)


def scalar(value: Any, dtype: Any = np.int32) -> Any:
    """A constant scalar."""
    return np.asarray(value, dtype)


@dataclass(frozen=True)
class Case:
    """A call of one builtin. ``slack`` is what numbers may differ by, relative to the largest."""

    builtin: str
    operands: tuple[Any, ...]
    results: tuple[str, ...]
    options: Options | CustomOptions | None = None
    version: int = 1
    slack: float = 1e-5
    scales: dict[Any, Any] = field(default_factory=lambda: dict[Any, Any]())

    @property
    def delegate(self) -> bool:
        """Whether XNNPACK may run it, which refuses to do nothing but unfold constants."""
        return self.builtin != "DEQUANTIZE"

    @property
    def title(self) -> str:
        """What the test is called."""
        return f"{self.builtin}-{'-'.join(str(getattr(o, 'shape', o)) for o in self.operands)}"


_ACT = {"fusedActivationFunction": "RELU6"}
_CONV = {"strideH": 2, "strideW": 1, "dilationHFactor": 1, "dilationWFactor": 1}
_POOL = {"strideH": 2, "strideW": 1, "filterHeight": 3, "filterWidth": 2}


def _unary(names: str, *types: str) -> list[Case]:
    return [Case(n, (t,), (t,)) for n in names.split() for t in types]


def _binary(names: str, a: str, b: str, result: str) -> list[Case]:
    return [Case(n, (a, b), (result,)) for n in names.split()]


ELEMENTWISE = [
    *_unary("RELU RELU6 RELU_N1_TO_1 RELU_0_TO_1 TANH LOGISTIC HARD_SWISH ELU", "f32[2,3]"),
    *_unary("NEG ABS SIGN SQUARE EXP FLOOR CEIL ROUND SIN COS", "f32[2,3]"),
    *_unary("NEG ABS", "i32[2,3]"),
    *_unary("LOG SQRT RSQRT", "f32[0]"),
    Case("LOG", (f32(2, 3) ** 2 + 0.1,), ("f32[2,3]",)),
    Case("SQRT", (f32(2, 3) ** 2,), ("f32[2,3]",)),
    Case("RSQRT", (f32(2, 3) ** 2 + 0.1,), ("f32[2,3]",)),
    *_binary(
        "ADD SUB MUL DIV MAXIMUM MINIMUM SQUARED_DIFFERENCE FLOOR_DIV FLOOR_MOD", "f32[2,1,3]", "f32[4,3]", "f32[2,4,3]"
    ),
    *_binary("ADD SUB MUL MAXIMUM MINIMUM", "i32[2,3]", "i32[2,3]", "i32[2,3]"),
    *_binary("LESS LESS_EQUAL GREATER GREATER_EQUAL EQUAL NOT_EQUAL", "f32[2,3]", "f32[3]", "bool[2,3]"),
    *_binary("EQUAL NOT_EQUAL", "i32[2,3]", "i32[2,3]", "bool[2,3]"),
    *_binary("LOGICAL_AND LOGICAL_OR", "bool[2,3]", "bool[2,3]", "bool[2,3]"),
    *_binary("BITWISE_XOR RIGHT_SHIFT", "i32[2,3]", "i32[2,3]", "i32[2,3]"),
    *_binary(
        "STABLEHLO_ADD STABLEHLO_MULTIPLY STABLEHLO_MAXIMUM STABLEHLO_MINIMUM", "f32[2,3]", "f32[2,3]", "f32[2,3]"
    ),
    *_binary("STABLEHLO_AND", "i32[2,3]", "i32[2,3]", "i32[2,3]"),
    Case("STABLEHLO_SHIFT_LEFT", ("i32[2,3]", "i32[2,3]"), ("i32[2,3]",), options("StablehloShiftLeftOptions")),
    Case("ATAN2", ("f32[2,3]", "f32[2,3]"), ("f32[2,3]",)),
    Case("LOGICAL_NOT", ("bool[2,3]",), ("bool[2,3]",)),
    Case("DIV", ("i32[2,3]", i32(-3, 2, 1)), ("i32[2,3]",)),
    Case("FLOOR_DIV", ("i32[2,3]", i32(-3, 2, 1)), ("i32[2,3]",)),
    Case("FLOOR_MOD", ("i32[2,3]", i32(-3, 2, 1)), ("i32[2,3]",)),
    Case("POW", (f32(2, 3) ** 2, "f32[2,3]"), ("f32[2,3]",)),
    Case("POW", ("i32[2,3]", i32(2, 3, 0)), ("i32[2,3]",)),
    Case("ADD", ("f32[2,3]", "f32[2,3]"), ("f32[2,3]",), options("AddOptions", **_ACT)),
    Case("SUB", ("f32[2,3]", "f32[2,3]"), ("f32[2,3]",), options("SubOptions", fusedActivationFunction="RELU_N1_TO_1")),
    Case("MUL", ("f32[2,3]", "f32[2,3]"), ("f32[2,3]",), options("MulOptions", fusedActivationFunction="RELU")),
    Case("ADD_N", ("f32[2,3]", "f32[2,3]", "f32[2,3]"), ("f32[2,3]",)),
    Case("CAST", ("f32[2,3]",), ("i32[2,3]",), options("CastOptions")),
    Case("CAST", ("bool[2,3]",), ("f32[2,3]",)),
    Case("BITCAST", ("f32[2,3]",), ("i32[2,3]",)),
    Case("SELECT_V2", ("bool[2,1]", "f32[2,3]", "f32[3]"), ("f32[2,3]",)),
    Case("SELECT", ("bool[2]", "f32[2,3]", "f32[2,3]"), ("f32[2,3]",)),
    Case("LEAKY_RELU", ("f32[2,3]",), ("f32[2,3]",), options("LeakyReluOptions", alpha=0.3)),
    Case("PRELU", ("f32[1,2,2,3]", f32(1, 1, 3)), ("f32[1,2,2,3]",)),
    Case("GELU", ("f32[2,3]",), ("f32[2,3]",), options("GeluOptions", approximate=True), slack=1e-4),
    Case("GELU", ("f32[2,3]",), ("f32[2,3]",)),
    Case("SOFTMAX", ("f32[2,5]",), ("f32[2,5]",), options("SoftmaxOptions", beta=2.0)),
    Case("LOG_SOFTMAX", ("f32[2,5]",), ("f32[2,5]",)),
    Case("L2_NORMALIZATION", ("f32[2,5]",), ("f32[2,5]",)),
    Case(
        "LOCAL_RESPONSE_NORMALIZATION",
        ("f32[1,2,2,7]",),
        ("f32[1,2,2,7]",),
        options("LocalResponseNormalizationOptions", radius=2, bias=1.5, alpha=0.3, beta=0.7),
    ),
    Case("ZEROS_LIKE", ("f32[2,3]",), ("f32[2,3]",)),
    Case("FAKE_QUANT", ("f32[2,3]",), ("f32[2,3]",), options("FakeQuantOptions", min=-1.0, max=2.0, numBits=8)),
    Case("DEQUANTIZE", (f32(2, 3).astype(np.float16),), ("f32[2,3]",), None, 3),
]

WINDOWS = [
    *(
        Case("CONV_2D", (x, f32(*w), f32(w[0])), (y,), options("Conv2DOptions", padding=p, **_CONV, **_ACT), v)
        for x, w, y, p, v in (
            ("f32[1,7,6,2]", (4, 3, 2, 2), "f32[1,4,6,4]", "SAME", 1),
            ("f32[2,8,6,2]", (4, 3, 3, 2), "f32[2,3,4,4]", "VALID", 1),
            ("f32[1,7,6,4]", (4, 3, 3, 2), "f32[1,4,6,4]", "SAME", 6),
        )
    ),
    Case(
        "CONV_2D",
        ("f32[1,9,9,2]", f32(3, 3, 3, 2), f32(3)),
        ("f32[1,9,9,3]",),
        options("Conv2DOptions", padding="SAME", strideH=1, strideW=1, dilationHFactor=2, dilationWFactor=3),
    ),
    Case(
        "DEPTHWISE_CONV_2D",
        ("f32[1,7,6,2]", f32(1, 3, 2, 4), f32(4)),
        ("f32[1,4,6,4]",),
        options("DepthwiseConv2DOptions", padding="SAME", depthMultiplier=2, **{**_CONV, "strideW": 2, "strideH": 2}),
    ),
    Case(
        "DEPTHWISE_CONV_2D",
        ("f32[1,7,6,3]", f32(1, 3, 2, 3), f32(3)),
        ("f32[1,5,5,3]",),
        options("DepthwiseConv2DOptions", padding="VALID", depthMultiplier=1, strideH=1, strideW=1),
    ),
    *(
        Case(n, ("f32[1,7,6,2]",), ("f32[1,4,6,2]",), options("Pool2DOptions", padding="SAME", **_POOL))
        for n in ("MAX_POOL_2D", "AVERAGE_POOL_2D", "L2_POOL_2D")
    ),
    Case(
        "MAX_POOL_2D", ("f32[1,7,6,2]",), ("f32[1,3,5,2]",), options("Pool2DOptions", padding="VALID", **_POOL, **_ACT)
    ),
    *(
        Case(
            "TRANSPOSE_CONV",
            (i32(1, h, w, 3), f32(3, 3, 2, 2), "f32[1,4,5,2]", f32(3)),
            (f"f32[1,{h},{w},3]",),
            options("TransposeConvOptions", padding=p, strideH=2, strideW=1),
            3,
        )
        for h, w, p in ((8, 5, "SAME"), (7, 5, "SAME"), (9, 6, "VALID"), (10, 6, "VALID"))
    ),
    Case(
        "CONV_3D",
        ("f32[1,4,5,6,2]", f32(2, 3, 2, 2, 3), f32(3)),
        ("f32[1,4,3,6,3]",),
        options("Conv3DOptions", padding="SAME", strideD=1, strideH=2, strideW=1),
    ),
    Case(
        "CONV_3D_TRANSPOSE",
        (i32(1, 5, 7, 6, 3), f32(2, 3, 2, 3, 2), "f32[1,4,3,5,2]", f32(3)),
        ("f32[1,5,7,6,3]",),
        options("Conv3DOptions", padding="VALID", strideD=1, strideH=2, strideW=1),
    ),
    Case("RESIZE_BILINEAR", ("f32[1,3,4,2]", i32(6, 7)), ("f32[1,6,7,2]",), options("ResizeBilinearOptions")),
    *(
        Case(
            f"RESIZE_{n}",
            ("f32[1,3,4,2]", i32(5, 7)),
            ("f32[1,5,7,2]",),
            options(f"Resize{t}Options", **{flag: True}),
            3,
        )
        for n, t in (("BILINEAR", "Bilinear"), ("NEAREST_NEIGHBOR", "NearestNeighbor"))
        for flag in ("alignCorners", "halfPixelCenters")
    ),
    Case("RESIZE_NEAREST_NEIGHBOR", ("f32[1,3,4,2]", i32(5, 7)), ("f32[1,5,7,2]",)),
    Case("DEPTH_TO_SPACE", ("f32[1,2,3,8]",), ("f32[1,4,6,2]",), options("DepthToSpaceOptions", blockSize=2)),
    Case("SPACE_TO_DEPTH", ("f32[1,4,6,2]",), ("f32[1,2,3,8]",), options("SpaceToDepthOptions", blockSize=2)),
    Case("SPACE_TO_BATCH_ND", ("f32[1,3,4,2]", i32(2, 2), i32([1, 0], [0, 2])), ("f32[4,2,3,2]",)),
    Case("BATCH_TO_SPACE_ND", ("f32[4,2,3,2]", i32(2, 2), i32([1, 0], [0, 2])), ("f32[1,3,4,2]",)),
    Case("FULLY_CONNECTED", ("f32[2,3]", f32(4, 3), f32(4)), ("f32[2,4]",), options("FullyConnectedOptions", **_ACT)),
    Case("FULLY_CONNECTED", ("f32[2,2,3]", f32(4, 3)), ("f32[4,4]",), options("FullyConnectedOptions"), 6),
    Case("FULLY_CONNECTED", ("f32[2,6]", f32(4, 3), None), ("f32[4,4]",), options("FullyConnectedOptions")),
    Case(
        "FULLY_CONNECTED",
        ("f32[2,2,3]", f32(4, 3)),
        ("f32[2,2,4]",),
        options("FullyConnectedOptions", keepNumDims=True),
        5,
    ),
    Case("BATCH_MATMUL", ("f32[2,3,4]", "f32[1,4,5]"), ("f32[2,3,5]",), options("BatchMatMulOptions")),
    Case(
        "BATCH_MATMUL",
        ("f32[2,4,3]", "f32[2,5,4]"),
        ("f32[2,3,5]",),
        options("BatchMatMulOptions", adjX=True, adjY=True),
    ),
]

MOVES = [
    Case("RESHAPE", ("f32[2,3,4]", i32(4, -1)), ("f32[4,6]",)),
    Case("RESHAPE", ("f32[2,6]",), ("f32[3,4]",), options("ReshapeOptions", newShape=(3, 4))),
    Case("SQUEEZE", ("f32[1,3,1]",), ("f32[3,1]",), options("SqueezeOptions", squeezeDims=(0,))),
    Case("SQUEEZE", ("f32[1,3,1]",), ("f32[3]",), options("SqueezeOptions")),
    Case("EXPAND_DIMS", ("f32[2,3]", scalar(-1)), ("f32[2,3,1]",)),
    Case("TRANSPOSE", ("f32[2,3,4]", i32(2, 0, 1)), ("f32[4,2,3]",)),
    Case("CONCATENATION", ("f32[2,3]", "f32[2,1]", f32(2, 2)), ("f32[2,6]",), options("ConcatenationOptions", axis=-1)),
    Case("SPLIT", (scalar(1), "f32[2,6]"), ("f32[2,2]",) * 3, options("SplitOptions", numSplits=3)),
    Case(
        "SPLIT_V",
        ("f32[2,6]", i32(1, -1, 2), scalar(1)),
        ("f32[2,1]", "f32[2,3]", "f32[2,2]"),
        options("SplitVOptions", numSplits=3),
    ),
    Case("PACK", ("f32[2,3]", "f32[2,3]"), ("f32[2,2,3]",), options("PackOptions", valuesCount=2, axis=1)),
    Case("UNPACK", ("f32[2,3]",), ("f32[2]",) * 3, options("UnpackOptions", num=3, axis=1)),
    Case("SLICE", ("f32[4,5]", i32(1, 2), i32(2, -1)), ("f32[2,3]",)),
    Case(
        "STRIDED_SLICE", ("f32[4,5]", i32(1, 4), i32(4, 0), i32(2, -2)), ("f32[2,2]",), options("StridedSliceOptions")
    ),
    Case(
        "STRIDED_SLICE",
        ("f32[4,5,3]", i32(-1, 9, 1), i32(0, 9, 9), i32(1, 1, 1)),
        ("f32[5,2]",),
        options("StridedSliceOptions", beginMask=2, endMask=6, shrinkAxisMask=1),
    ),
    Case(
        "STRIDED_SLICE",
        ("f32[4,5,3]", i32(0, 0, 0), i32(0, 0, 2), i32(1, 1, 1)),
        ("f32[4,5,1,2]",),
        options("StridedSliceOptions", ellipsisMask=1, newAxisMask=2),
    ),
    Case(
        "STRIDED_SLICE",
        ("f32[4,5]", i32(1, 2), i32(2, 3), i32(1, 1)),
        ("f32[2,3]",),
        options("StridedSliceOptions", offset=True),
        8,
    ),
    Case("PAD", ("f32[2,3]", i32([1, 0], [0, 2])), ("f32[3,5]",)),
    Case("PADV2", ("f32[2,3]", i32([1, 0], [0, 2]), scalar(2.5, np.float32)), ("f32[3,5]",)),
    Case("MIRROR_PAD", ("f32[3,3]", i32([1, 0], [0, 2])), ("f32[4,5]",), options("MirrorPadOptions", mode="REFLECT")),
    Case("MIRROR_PAD", ("f32[3,3]", i32([1, 0], [0, 2])), ("f32[4,5]",), options("MirrorPadOptions", mode="SYMMETRIC")),
    Case("TILE", ("f32[2,3]", i32(2, 1)), ("f32[4,3]",)),
    Case("REVERSE_V2", ("f32[2,3]", i32(1)), ("f32[2,3]",)),
    Case(
        "REVERSE_SEQUENCE",
        ("f32[4,2,3]", i32(3, 1)),
        ("f32[4,2,3]",),
        options("ReverseSequenceOptions", seqDim=0, batchDim=1),
    ),
    Case("BROADCAST_TO", ("f32[2,1]", i32(3, 2, 4)), ("f32[3,2,4]",), None, 2),
    Case("BROADCAST_ARGS", (i32(2, 1), i32(3, 1, 4)), ("i32[3]",)),
    Case("SHAPE", ("f32[2,3]",), ("i32[2]",), options("ShapeOptions", outType=DType.I32)),
    Case("RANK", ("f32[2,3]",), ("i32[]",)),
    Case("FILL", (i32(2, 3), "f32[]"), ("f32[2,3]",)),
    Case("RANGE", (scalar(1), scalar(8), scalar(3)), ("i32[3]",)),
    Case("RANGE", (scalar(1.0, np.float32), scalar(-2.0, np.float32), scalar(-0.5, np.float32)), ("f32[6]",)),
    Case("DYNAMIC_UPDATE_SLICE", ("f32[4,5]", "f32[2,3]", i32(1, 2)), ("f32[4,5]",)),
    Case(
        "STABLEHLO_PAD",
        ("f32[2,3]", scalar(1.5, np.float32)),
        ("f32[4,4]",),
        options("StablehloPadOptions", edgePaddingLow=(1, 0), edgePaddingHigh=(0, -1), interiorPadding=(1, 1)),
    ),
    Case("DILATE", ("f32[2,3]", i32(2, 3), scalar(1.5, np.float32)), ("f32[3,7]",), options("DilateOptions")),
    Case("GATHER", ("f32[3,4]", i32([2, 0], [1, 1])), ("f32[2,2,4]",), options("GatherOptions", axis=0)),
    Case(
        "GATHER", ("f32[2,3,4]", i32([2, 0], [1, 1])), ("f32[2,2,4]",), options("GatherOptions", axis=1, batchDims=1), 5
    ),
    Case(
        "GATHER", ("f32[2,3,4]", i32([2, 0], [1, 1])), ("f32[2,3,2]",), options("GatherOptions", axis=2, batchDims=1), 5
    ),
    Case("GATHER_ND", ("f32[3,4]", i32([2, 0], [1, 3])), ("f32[2]",)),
    Case("EMBEDDING_LOOKUP", (i32(2, 0, 1), f32(4, 3)), ("f32[3,3]",)),
    Case("HASHTABLE_LOOKUP", (i32(7, 2, 5), i32(2, 5, 6), f32(3, 2)), ("f32[3,2]", "u8[3]")),
    Case("SCATTER_ND", (i32([3], [1], [3]), "f32[3,2]", i32(4, 2)), ("f32[4,2]",)),
    Case("SPARSE_TO_DENSE", (i32([0, 1], [2, 3]), i32(3, 4), "f32[2]", scalar(0.5, np.float32)), ("f32[3,4]",)),
    Case(
        "ONE_HOT",
        (i32(-1, 2, 9, 0), scalar(3), scalar(2.0, np.float32), scalar(0.5, np.float32)),
        ("f32[4,3]",),
        options("OneHotOptions", axis=-1),
    ),
    Case(
        "ONE_HOT",
        ("i32[4]", scalar(3), scalar(2.0, np.float32), scalar(0.5, np.float32)),
        ("f32[3,4]",),
        options("OneHotOptions", axis=0),
    ),
    Case("WHERE", ("bool[3,4]",), ("i64[0,2]",)),
    Case("UNIQUE", (i32(5, 3, 5, 1),), ("i32[3]", "i32[4]"), options("UniqueOptions")),
    Case("MATRIX_DIAG", ("f32[2,3]",), ("f32[2,3,3]",)),
    Case("MATRIX_SET_DIAG", ("f32[2,3,4]", "f32[2,3]"), ("f32[2,3,4]",)),
    Case("SEGMENT_SUM", ("f32[4,2]", i32(0, 0, 1, 1)), ("f32[2,2]",)),
    *(
        Case(f"UNSORTED_SEGMENT_{k}", ("f32[4,2]", i32(0, 2, -1, 0), scalar(3)), ("f32[3,2]",))
        for k in ("SUM", "PROD", "MAX", "MIN")
    ),
    Case("BUCKETIZE", ("f32[3,2]",), ("i32[3,2]",), options("BucketizeOptions", boundaries=(-0.75, -0.25, 0.25, 0.75))),
    *(
        Case(n, ("f32[2,3,4]", i32(0, -1)), ("f32[1,3,1]",), options("ReducerOptions", keepDims=True))
        for n in ("MEAN", "SUM", "REDUCE_MAX", "REDUCE_MIN", "REDUCE_PROD")
    ),
    *(Case(n, ("bool[2,3]", i32(1)), ("bool[2]",), options("ReducerOptions")) for n in ("REDUCE_ANY", "REDUCE_ALL")),
    Case("MEAN", ("f32[2,3,4,5]", "i32[2]"), ("f32[0,0,0,0]",), options("ReducerOptions", keepDims=True)),
    Case("CUMSUM", ("f32[2,3,4,5]", "i32[]"), ("f32[2,3,4,5]",), options("CumsumOptions", exclusive=True)),
    Case("ARG_MAX", ("f32[2,3,4]", scalar(1)), ("i64[2,4]",), options("ArgMaxOptions", outputType=DType.I64)),
    Case("ARG_MIN", ("f32[2,3,4]", scalar(-1)), ("i32[2,3]",), options("ArgMinOptions", outputType=DType.I32)),
    Case("TOPK_V2", ("f32[2,5]", scalar(2)), ("f32[2,2]", "i32[2,2]")),
    Case("CUMSUM", ("f32[2,5]", scalar(1)), ("f32[2,5]",), options("CumsumOptions", exclusive=True, reverse=True)),
]


def i8(*shape: int, low: int = -127) -> Any:
    """A constant of random integers."""
    return RNG.integers(low, 128, shape).astype(np.int8)


def bias(*values: float, scales: Any, zero: Any = 0) -> Any:
    """A constant of integers that stand for numbers."""
    return np.rint(np.asarray(values) / np.asarray(scales)).astype(np.int32)


_IN, _OUT = (0.05, 3, 0), (0.08, -5, 0)
_PER = ((0.01, 0.02, 0.015, 0.005), 0, 0)
_BIAS = (tuple(0.05 * s for s in _PER[0]), 0, 0)
_B = bias(0.5, -0.25, 0.1, 0.0, scales=_BIAS[0])


ONLY_ONE = ("HARD_SWISH", "RESHAPE")
"""Builtins that have no second version."""


def _same(builtin: str, operands: tuple[Any, ...], result: str, opts: Options | None = None) -> Case:
    """A call that keeps the scale of its first operand."""
    data = next(i for i, o in enumerate(operands) if isinstance(o, str))
    return Case(builtin, operands, (result,), opts, 1 if builtin in ONLY_ONE else 2, scales={data: _IN, "y0": _IN})


def _free(builtin: str, operands: tuple[Any, ...], result: str, opts: Options | None = None, out: Any = _OUT) -> Case:
    scales: dict[Any, Any] = {i: (_IN, _OUT)[i % 2] for i, o in enumerate(operands) if isinstance(o, str)}
    return Case(builtin, operands, (result,), opts, 1 if builtin in ONLY_ONE else 2, scales=scales | {"y0": out})


INTEGERS = [
    Case("QUANTIZE", ("f32[2,3]",), ("i8[2,3]",), None, 1, scales={"y0": _IN}),
    Case("QUANTIZE", ("i8[2,3]",), ("i8[2,3]",), None, 2, scales={0: _IN, "y0": _OUT}),
    Case("DEQUANTIZE", ("i8[2,3]",), ("f32[2,3]",), None, 2, scales={0: _IN}),
    Case("DEQUANTIZE", ("u8[2,3]",), ("f32[2,3]",), None, 1, scales={0: (0.1, 128, 0)}),
    Case("DEQUANTIZE", ("i16[2,3]",), ("f32[2,3]",), None, 3, scales={0: (0.01, 0, 0)}),
    Case("DEQUANTIZE", (i8(4, 3),), ("f32[4,3]",), None, 5, scales={0: _PER}),
    Case(
        "CONV_2D",
        ("i8[1,5,5,2]", i8(4, 3, 3, 2), _B),
        ("i8[1,5,5,4]",),
        options("Conv2DOptions", padding="SAME", strideH=1, strideW=1, fusedActivationFunction="RELU6"),
        3,
        scales={0: _IN, 1: _PER, 2: _BIAS, "y0": (0.05, -128, 0)},
    ),
    Case(
        "DEPTHWISE_CONV_2D",
        ("i8[1,5,5,4]", i8(1, 3, 3, 4), _B),
        ("i8[1,3,3,4]",),
        options("DepthwiseConv2DOptions", padding="VALID", strideH=1, strideW=1, depthMultiplier=1),
        3,
        scales={0: _IN, 1: (_PER[0], 0, 3), 2: _BIAS, "y0": _OUT},
    ),
    Case(
        "FULLY_CONNECTED",
        ("i8[2,6]", i8(4, 6), _B),
        ("i8[2,4]",),
        options("FullyConnectedOptions"),
        4,
        scales={0: _IN, 1: (0.02, 0, 0), 2: (0.001, 0, 0), "y0": _OUT},
    ),
    _free("ADD", ("i8[2,3]", "i8[2,3]"), "i8[2,3]", options("AddOptions", fusedActivationFunction="RELU")),
    _free("SUB", ("i8[2,3]", "i8[2,3]"), "i8[2,3]"),
    _free("MUL", ("i8[2,3]", "i8[2,3]"), "i8[2,3]"),
    _free("LEAKY_RELU", ("i8[2,3]",), "i8[2,3]", options("LeakyReluOptions", alpha=0.3)),
    _free("HARD_SWISH", ("i8[2,3]",), "i8[2,3]"),
    _free("RELU", ("i8[2,3]",), "i8[2,3]"),
    _free("MEAN", ("i8[2,3]", i32(1)), "i8[2]"),
    _free("SOFTMAX", ("i8[2,5]",), "i8[2,5]", options("SoftmaxOptions", beta=1.0), (1 / 256, -128, 0)),
    _free("LOGISTIC", ("i8[2,5]",), "i8[2,5]", None, (1 / 256, -128, 0)),
    _free("TANH", ("i8[2,5]",), "i8[2,5]", None, (1 / 128, 0, 0)),
    Case("LESS", ("i8[2,3]", "i8[2,3]"), ("bool[2,3]",), None, 2, scales={0: _IN, 1: _IN}),
    Case(
        "CONCATENATION",
        ("i8[2,3]", "i8[2,2]"),
        ("i8[2,5]",),
        options("ConcatenationOptions", axis=1),
        2,
        scales={0: _IN, 1: _IN, "y0": _IN},
    ),
    Case("MAXIMUM", ("i8[2,3]", "i8[2,3]"), ("i8[2,3]",), None, 2, scales={0: _IN, 1: _IN, "y0": _IN}),
    _same("PAD", ("i8[2,3]", i32([1, 0], [0, 2])), "i8[3,5]"),
    _same("RESHAPE", ("i8[2,3]", i32(3, 2)), "i8[3,2]"),
    _same("TRANSPOSE", ("i8[2,3]", i32(1, 0)), "i8[3,2]"),
    _same("SLICE", ("i8[4,5]", i32(1, 2), i32(2, 3)), "i8[2,3]"),
    _same("SPACE_TO_BATCH_ND", ("i8[1,3,4,2]", i32(2, 2), i32([1, 0], [0, 2])), "i8[4,2,3,2]"),
    _same("MAX_POOL_2D", ("i8[1,7,6,2]",), "i8[1,4,6,2]", options("Pool2DOptions", padding="SAME", **_POOL)),
    _same("AVERAGE_POOL_2D", ("i8[1,7,6,2]",), "i8[1,4,6,2]", options("Pool2DOptions", padding="SAME", **_POOL)),
    _same("RESIZE_NEAREST_NEIGHBOR", ("i8[1,3,4,2]", i32(6, 8)), "i8[1,6,8,2]"),
    _same("RESIZE_BILINEAR", ("i8[1,3,4,2]", i32(6, 8)), "i8[1,6,8,2]", options("ResizeBilinearOptions")),
    _same("REDUCE_MAX", ("i8[2,3]", i32(1)), "i8[2]"),
    _same("GATHER", ("i8[4,3]", i32(2, 0)), "i8[2,3]", options("GatherOptions", axis=0)),
    Case("EMBEDDING_LOOKUP", (i32(2, 0, 1), i8(4, 3)), ("f32[3,3]",), None, 3, scales={1: (0.02, 0, 0)}),
]
"""Integers that stand for numbers: kernels may be one step off what is computed with the numbers."""


def _lstm(inputs: int, cells: int, *, coupled: bool = False) -> tuple[Any, ...]:
    gates = [None if coupled and i == 0 else f32(cells, inputs) for i in range(4)]
    recurrent = [None if coupled and i == 0 else f32(cells, cells) for i in range(4)]
    peepholes = [None if coupled and i == 0 else f32(cells) for i in range(3)]
    return (*gates, *recurrent, *peepholes, *(None if coupled and i == 0 else f32(cells) for i in range(4)), None, None)


STATE = "variable f32"
"""How a variable of a kernel is written: this and its shape."""

_SEQ = options("UnidirectionalSequenceLSTMOptions", fusedActivationFunction="TANH")

RECURRENT = [
    Case(
        "UNIDIRECTIONAL_SEQUENCE_LSTM",
        ("f32[2,5,3]", *_lstm(3, 4), f"{STATE}[2,4]", f"{STATE}[2,4]"),
        ("f32[2,5,4]",),
        _SEQ,
    ),
    Case(
        "UNIDIRECTIONAL_SEQUENCE_LSTM",
        ("f32[2,5,3]", *_lstm(3, 4, coupled=True), f"{STATE}[2,4]", f"{STATE}[2,4]"),
        ("f32[2,5,4]",),
        _SEQ,
    ),
    Case(
        "LSTM",
        ("f32[2,3]", *_lstm(3, 4), f"{STATE}[2,4]", f"{STATE}[2,4]"),
        ("f32[2,4]",),
        options("LSTMOptions", fusedActivationFunction="TANH"),
    ),
    Case(
        "LSTM",
        ("f32[2,3]", "f32[2,4]", f32(16, 7), f32(16), "f32[2,4]"),
        ("f32[2,4]", "f32[2,4]", "f32[2,7]", "f32[2,16]"),
        options("LSTMOptions", fusedActivationFunction="TANH", kernelType=1),
        2,
    ),
    Case(
        "UNIDIRECTIONAL_SEQUENCE_RNN",
        ("f32[5,2,3]", f32(4, 3), f32(4, 4), f32(4), f"{STATE}[2,4]"),
        ("f32[5,2,4]",),
        options("SequenceRNNOptions", timeMajor=True, fusedActivationFunction="TANH"),
    ),
    Case(
        "RNN",
        ("f32[2,3]", f32(4, 3), f32(4, 4), f32(4), f"{STATE}[2,4]"),
        ("f32[2,4]",),
        options("RNNOptions", fusedActivationFunction="RELU"),
    ),
    Case(
        "BIDIRECTIONAL_SEQUENCE_RNN",
        (
            "f32[2,5,3]",
            f32(4, 3),
            f32(4, 4),
            f32(4),
            f"{STATE}[2,4]",
            f32(4, 3),
            f32(4, 4),
            f32(4),
            f"{STATE}[2,4]",
            None,
            None,
            None,
        ),
        ("f32[2,5,8]",),
        options("BidirectionalSequenceRNNOptions", fusedActivationFunction="TANH", mergeOutputs=True),
    ),
    Case(
        "BIDIRECTIONAL_SEQUENCE_LSTM",
        ("f32[5,2,3]", *_lstm(3, 4), *_lstm(3, 4), *(f"{STATE}[2,4]",) * 4, *(None,) * 9),
        ("f32[5,2,4]", "f32[5,2,4]"),
        options("BidirectionalSequenceLSTMOptions", fusedActivationFunction="TANH", timeMajor=True),
    ),
    Case(
        "SVDF",
        ("f32[2,3]", f32(8, 3), f32(8, 5), f32(4), f"{STATE}[2,40]"),
        ("f32[2,4]",),
        options("SVDFOptions", rank=2, fusedActivationFunction="RELU"),
    ),
]

DETECTION = [
    Case(
        f"NON_MAX_SUPPRESSION_V{v}",
        (
            np.sort(RNG.random((6, 2, 2)), 1).reshape(6, 4).astype(np.float32),
            "f32[6]",
            scalar(4),
            scalar(0.5, np.float32),
            scalar(-0.5, np.float32),
            *more,
        ),
        ("i32[4]", *scores, "i32[]"),
    )
    for v, more, scores in ((4, (), ()), (5, (scalar(0.0, np.float32),), ("f32[4]",)))
] + [
    Case(
        "TFLite_Detection_PostProcess",
        ("f32[1,6,4]", "f32[1,6,3]", np.abs(f32(6, 4)) + 0.2),
        ("f32[1,3,4]", "f32[1,3]", "f32[1,3]", "f32[1]"),
        custom(
            "TFLite_Detection_PostProcess",
            max_detections=3,
            max_classes_per_detection=1,
            nms_score_threshold=0.1,
            nms_iou_threshold=0.4,
            num_classes=2,
            y_scale=10.0,
            x_scale=10.0,
            h_scale=5.0,
            w_scale=5.0,
            use_regular_nms=False,
        ),
    )
]

"""One call of every builtin and its variants: operands (types, constants, None), types of results, options."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from nhwcc.compiler.types import DType
from nhwcc.formats.tflite.model import CustomOptions, Options, options

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
    *_binary("ADD SUB MUL DIV MAXIMUM MINIMUM SQUARED_DIFFERENCE FLOOR_DIV FLOOR_MOD", "f32[2,1,3]", "f32[4,3]", "f32[2,4,3]"),
    *_binary("ADD SUB MUL MAXIMUM MINIMUM", "i32[2,3]", "i32[2,3]", "i32[2,3]"),
    *_binary("LESS LESS_EQUAL GREATER GREATER_EQUAL EQUAL NOT_EQUAL", "f32[2,3]", "f32[3]", "bool[2,3]"),
    *_binary("EQUAL NOT_EQUAL", "i32[2,3]", "i32[2,3]", "bool[2,3]"),
    *_binary("LOGICAL_AND LOGICAL_OR", "bool[2,3]", "bool[2,3]", "bool[2,3]"),
    *_binary("BITWISE_XOR RIGHT_SHIFT", "i32[2,3]", "i32[2,3]", "i32[2,3]"),
    *_binary("STABLEHLO_ADD STABLEHLO_MULTIPLY STABLEHLO_MAXIMUM STABLEHLO_MINIMUM", "f32[2,3]", "f32[2,3]", "f32[2,3]"),
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
    Case("MAX_POOL_2D", ("f32[1,7,6,2]",), ("f32[1,3,5,2]",), options("Pool2DOptions", padding="VALID", **_POOL, **_ACT)),
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
        Case(f"RESIZE_{n}", ("f32[1,3,4,2]", i32(5, 7)), ("f32[1,5,7,2]",), options(f"Resize{t}Options", **{flag: True}), 3)
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
    Case("FULLY_CONNECTED", ("f32[2,2,3]", f32(4, 3)), ("f32[2,2,4]",), options("FullyConnectedOptions", keepNumDims=True), 5),
    Case("BATCH_MATMUL", ("f32[2,3,4]", "f32[1,4,5]"), ("f32[2,3,5]",), options("BatchMatMulOptions")),
    Case("BATCH_MATMUL", ("f32[2,4,3]", "f32[2,5,4]"), ("f32[2,3,5]",), options("BatchMatMulOptions", adjX=True, adjY=True)),
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
    Case("SPLIT_V", ("f32[2,6]", i32(1, -1, 2), scalar(1)), ("f32[2,1]", "f32[2,3]", "f32[2,2]"), options("SplitVOptions", numSplits=3)),
    Case("PACK", ("f32[2,3]", "f32[2,3]"), ("f32[2,2,3]",), options("PackOptions", valuesCount=2, axis=1)),
    Case("UNPACK", ("f32[2,3]",), ("f32[2]",) * 3, options("UnpackOptions", num=3, axis=1)),
    Case("SLICE", ("f32[4,5]", i32(1, 2), i32(2, -1)), ("f32[2,3]",)),
    Case("STRIDED_SLICE", ("f32[4,5]", i32(1, 4), i32(4, 0), i32(2, -2)), ("f32[2,2]",), options("StridedSliceOptions")),
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
    Case("REVERSE_SEQUENCE", ("f32[4,2,3]", i32(3, 1)), ("f32[4,2,3]",), options("ReverseSequenceOptions", seqDim=0, batchDim=1)),
    Case("BROADCAST_TO", ("f32[2,1]", i32(3, 2, 4)), ("f32[3,2,4]",), None, 2),
    Case("BROADCAST_ARGS", (i32(2, 1), i32(3, 1, 4)), ("i32[3]",)),
    Case("SHAPE", ("f32[2,3]",), ("i32[2]",), options("ShapeOptions", outType=DType.I32)),
    Case("RANK", ("f32[2,3]",), ("i32[]",)),
    Case("FILL", (i32(2, 3), "f32[]"), ("f32[2,3]",)),
    Case("RANGE", (scalar(1), scalar(8), scalar(3)), ("i32[3]",)),
    Case("RANGE", (scalar(1.0, np.float32), scalar(-2.0, np.float32), scalar(-0.5, np.float32)), ("f32[6]",)),
    Case("DYNAMIC_UPDATE_SLICE", ("f32[4,5]", "f32[2,3]", i32(1, 2)), ("f32[4,5]",)),
    Case("DILATE", ("f32[2,3]", i32(2, 3), scalar(1.5, np.float32)), ("f32[3,7]",), options("DilateOptions")),
    Case("GATHER", ("f32[3,4]", i32([2, 0], [1, 1])), ("f32[2,2,4]",), options("GatherOptions", axis=0)),
    Case("GATHER", ("f32[2,3,4]", i32([2, 0], [1, 1])), ("f32[2,2,4]",), options("GatherOptions", axis=1, batchDims=1), 5),
    Case("GATHER", ("f32[2,3,4]", i32([2, 0], [1, 1])), ("f32[2,3,2]",), options("GatherOptions", axis=2, batchDims=1), 5),
    Case("GATHER_ND", ("f32[3,4]", i32([2, 0], [1, 3])), ("f32[2]",)),
    Case("EMBEDDING_LOOKUP", (i32(2, 0, 1), f32(4, 3)), ("f32[3,3]",)),
    Case("HASHTABLE_LOOKUP", (i32(7, 2, 5), i32(2, 5, 6), f32(3, 2)), ("f32[3,2]", "u8[3]")),
    Case("SCATTER_ND", (i32([3], [1], [3]), "f32[3,2]", i32(4, 2)), ("f32[4,2]",)),
    Case("SPARSE_TO_DENSE", (i32([0, 1], [2, 3]), i32(3, 4), "f32[2]", scalar(0.5, np.float32)), ("f32[3,4]",)),
    Case("ONE_HOT", (i32(-1, 2, 9, 0), scalar(3), scalar(2.0, np.float32), scalar(0.5, np.float32)), ("f32[4,3]",), options("OneHotOptions", axis=-1)),
    Case("ONE_HOT", ("i32[4]", scalar(3), scalar(2.0, np.float32), scalar(0.5, np.float32)), ("f32[3,4]",), options("OneHotOptions", axis=0)),
    Case("WHERE", ("bool[3,4]",), ("i64[0,2]",)),
    Case("UNIQUE", (i32(5, 3, 5, 1),), ("i32[3]", "i32[4]"), options("UniqueOptions")),
    Case("MATRIX_DIAG", ("f32[2,3]",), ("f32[2,3,3]",)),
    Case("MATRIX_SET_DIAG", ("f32[2,3,4]", "f32[2,3]"), ("f32[2,3,4]",)),
    Case("SEGMENT_SUM", ("f32[4,2]", i32(0, 0, 1, 1)), ("f32[2,2]",)),
    *(
        Case(f"UNSORTED_SEGMENT_{k}", ("f32[4,2]", i32(0, 2, -1, 0), scalar(3)), ("f32[3,2]",))
        for k in ("SUM", "PROD", "MAX", "MIN")
    ),
    Case("BUCKETIZE", ("f32[3,2]",), ("i32[3,2]",), options("BucketizeOptions", boundaries=(-0.5, 0.0, 1.0))),
    *(
        Case(n, ("f32[2,3,4]", i32(0, -1)), ("f32[1,3,1]",), options("ReducerOptions", keepDims=True))
        for n in ("MEAN", "SUM", "REDUCE_MAX", "REDUCE_MIN", "REDUCE_PROD")
    ),
    *(Case(n, ("bool[2,3]", i32(1)), ("bool[2]",), options("ReducerOptions")) for n in ("REDUCE_ANY", "REDUCE_ALL")),
    Case("ARG_MAX", ("f32[2,3,4]", scalar(1)), ("i64[2,4]",), options("ArgMaxOptions", outputType=DType.I64)),
    Case("ARG_MIN", ("f32[2,3,4]", scalar(-1)), ("i32[2,3]",), options("ArgMinOptions", outputType=DType.I32)),
    Case("TOPK_V2", ("f32[2,5]", scalar(2)), ("f32[2,2]", "i32[2,2]")),
    Case("CUMSUM", ("f32[2,5]", scalar(1)), ("f32[2,5]",), options("CumsumOptions", exclusive=True, reverse=True)),
]

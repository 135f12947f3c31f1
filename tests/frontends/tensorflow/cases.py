"""One call of every operator and its variants: operands in the order of the schema, attributes."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

RNG = np.random.default_rng(7)


def f32(*shape: int) -> Any:
    """A constant of random numbers."""
    return RNG.standard_normal(shape).astype(np.float32)


def i32(*values: Any) -> Any:
    """A constant vector, or what is nested as it is."""
    return np.asarray(values, np.int32)


def vector(*values: float) -> Any:
    """A constant vector of floats."""
    return np.asarray(values, np.float32)


def scalar(value: Any, dtype: Any = np.int32) -> Any:
    """A constant scalar."""
    return np.asarray(value, dtype)


@dataclass(frozen=True)
class Case:
    """A call of one operator; ``slack`` is what numbers may differ by, relative to the largest."""

    op: str
    operands: tuple[Any, ...]
    attributes: dict[str, Any] = field(default_factory=lambda: dict[str, Any]())
    slack: float = 1e-5
    results: int | None = None

    @property
    def title(self) -> str:
        """What the test is called."""
        shown = "-".join(str(getattr(o, "shape", o)) for o in self.operands)
        more = ",".join(f"{k}={v}" for k, v in self.attributes.items() if k not in ("T", "dtype"))
        return f"{self.op}-{shown}-{more}"[:110]


def _unary(names: str, *operands: Any) -> list[Case]:
    return [Case(n, (o,)) for n in names.split() for o in operands]


def _binary(names: str, *operands: Any) -> list[Case]:
    return [Case(n, operands) for n in names.split()]


POSITIVE = np.abs(f32(2, 3)) + np.float32(0.2)
UNIT = np.tanh(f32(2, 3)).astype(np.float32)

ELEMENTWISE = [
    *_unary(
        "Abs Neg Sign Square Exp Expm1 Floor Ceil Round Rint Sin Cos Tan Atan Sinh Cosh Asinh Erf Erfc Relu Relu6 "
        "Tanh Sigmoid Elu Selu Softplus Softsign IsNan IsInf IsFinite Softmax LogSoftmax L2Loss ZerosLike OnesLike "
        "Identity Snapshot StopGradient Reciprocal Inv",
        "f32[2,3]",
    ),
    *_unary("Log Log1p Sqrt Rsqrt Lgamma Digamma BesselI0e BesselI1e BesselK0 BesselY1 BesselJ0", POSITIVE),
    *_unary("Asin Acos Atanh Erfinv", UNIT),
    *_unary("Ndtri", (UNIT + 1) / 2 * np.float32(0.9) + np.float32(0.05)),
    *_unary("Acosh", POSITIVE + np.float32(1)),
    *_unary("Abs Neg Sign Square Invert", "i32[2,3]"),
    *_unary("LogicalNot", "bool[2,3]"),
    Case("LeakyRelu", ("f32[2,3]",), {"alpha": 0.3}),
    Case("LeakyRelu", ("f32[2,3]",)),
    *_binary("Add AddV2 Sub Mul RealDiv Maximum Minimum SquaredDifference FloorDiv FloorMod", "f32[2,1,3]", "f32[4,3]"),
    *_binary("Add AddV2 Sub Mul Maximum Minimum SquaredDifference", "i32[2,3]", "i32[2,3]"),
    *_binary("FloorDiv FloorMod TruncateDiv TruncateMod Div Mod", i32(-7, 7, -7, 7), i32(2, -2, -2, 3)),
    *_binary("Mod TruncateMod", vector(-7.5, 7, 2), vector(2, -2, 3)),
    *_binary("Atan2", "f32[2,3]", "f32[2,3]"),
    *_binary("Pow", POSITIVE, "f32[2,3]"),
    *_binary("Less LessEqual Greater GreaterEqual Equal NotEqual", "f32[2,3]", "f32[3]"),
    *_binary("Equal NotEqual Less", "i32[2,3]", "i32[2,3]"),
    *_binary("LogicalAnd LogicalOr", "bool[2,3]", "bool[2,3]"),
    *_binary("BitwiseAnd BitwiseOr BitwiseXor LeftShift RightShift", i32(5, -9, 12), i32(3, 1, 2)),
    *_binary("DivNoNan MulNoNan", f32(4), vector(0, 1, -2, 0)),
    *_binary("Xdivy Xlogy Xlog1py", vector(0, 1, -2, 0), vector(0, 1, 2, 3)),
    Case("ApproximateEqual", (vector(1, 2, 3), vector(1.05, 2.2, 3)), {"tolerance": 0.1}),
    Case("AddN", (["f32[2,3]", "f32[2,3]", "f32[2,3]"],)),
    Case("ClipByValue", ("f32[2,3]", scalar(-0.5, np.float32), scalar(0.5, np.float32))),
    Case("SelectV2", ("bool[2,1]", "f32[3]", "f32[2,3]")),
    Case("Select", ("bool[2]", "f32[2,3]", "f32[2,3]")),
    Case("Select", ("bool[2,3]", "f32[2,3]", "f32[2,3]")),
    Case("BiasAdd", ("f32[2,3,4]", f32(4))),
    Case("BiasAdd", ("f32[2,3,4,5]", f32(3)), {"data_format": "NCHW"}),
    Case("BiasAddV1", ("f32[2,4]", f32(4))),
    Case("Cast", ("f32[2,3]",), {"DstT": np.int32}),
    Case("Cast", ("i32[2,3]",), {"DstT": np.float32}),
    Case("Cast", ("f32[2,3]",), {"DstT": np.bool_}),
    Case("Cast", ("f32[2,3]",), {"DstT": np.float16}),
    Case("Bitcast", ("f32[2,3]",), {"type": np.int32}),
    Case("CheckNumerics", ("f32[2,3]",), {"message": "no"}),
    Case("EnsureShape", ("f32[2,3]",), {"shape": [2, None]}),
    Case("IdentityN", (["f32[2,3]", "i32[2]"],)),
]

REDUCTIONS = [
    *[
        Case(op, (x, i32(*axes)), {"keep_dims": keep})
        for op in ("Mean", "Sum", "Max", "Min", "Prod", "EuclideanNorm")
        for x, axes, keep in (("f32[2,3,4]", (1, 2), True), ("f32[2,3,4]", (-1,), False))
    ],
    Case("Sum", ("f32[2,3]", scalar(0))),
    Case("Sum", ("f32[2,3]", i32())),
    Case("Max", ("i32[2,3]", i32(0))),
    *[Case(op, ("bool[2,3]", i32(1))) for op in ("Any", "All")],
    *[Case(op, ("f32[2,3,4]", scalar(axis))) for op in ("ArgMax", "ArgMin") for axis in (1, -1)],
    Case("ArgMax", ("f32[2,3]", scalar(1)), {"output_type": np.int32}),
    Case("TopKV2", ("f32[2,5]", scalar(3))),
    *[
        Case(op, ("f32[2,4]", scalar(axis)), {"exclusive": exclusive, "reverse": reverse})
        for op in ("Cumsum", "Cumprod")
        for axis, exclusive, reverse in ((1, False, False), (-1, True, False), (0, False, True))
    ],
]

SHAPES = [
    Case("Reshape", ("f32[2,3,4]", i32(6, -1))),
    Case("Reshape", ("f32[1]", i32())),
    Case("Squeeze", ("f32[1,2,1,3]",)),
    Case("Squeeze", ("f32[1,2,1,3]",), {"squeeze_dims": [2]}),
    Case("ExpandDims", ("f32[2,3]", scalar(-1))),
    Case("Transpose", ("f32[2,3,4]", i32(2, 0, 1))),
    Case("InvertPermutation", (i32(2, 0, 1),)),
    Case("ConcatV2", (["f32[2,3]", "f32[2,1]"], scalar(-1))),
    Case("Concat", (scalar(0), ["f32[2,3]", "f32[1,3]"])),
    Case("Split", (scalar(1), "f32[2,6]"), {"num_split": 3}),
    Case("SplitV", ("f32[2,6]", i32(1, -1, 2), scalar(1)), {"num_split": 3}),
    Case("Pack", (["f32[2,3]", "f32[2,3]"],), {"axis": 1}),
    Case("Pack", (["f32[2,3]"],), {"axis": -1}),
    Case("Unpack", ("f32[2,3,4]",), {"num": 3, "axis": 1}),
    Case("Slice", ("f32[4,5]", i32(1, 0), i32(2, -1))),
    Case("Slice", ("f32[4,5]", "i32[2]", i32(1, 2))),
    Case("Pad", ("f32[2,3]", i32((1, 0), (0, 2)))),
    Case("PadV2", ("f32[2,3]", i32((1, 0), (0, 2)), scalar(7.5, np.float32))),
    Case("MirrorPad", ("f32[4,5]", i32((1, 2), (0, 3))), {"mode": "REFLECT"}),
    Case("MirrorPad", ("f32[4,5]", i32((1, 2), (0, 3))), {"mode": "SYMMETRIC"}),
    Case("Tile", ("f32[2,3]", i32(2, 3))),
    Case("ReverseV2", ("f32[2,3,4]", i32(1, -1))),
    Case("Reverse", ("f32[2,3]", np.asarray([False, True]))),
    Case("Roll", ("f32[4,5]", i32(1, -2), i32(0, 1))),
    Case("BroadcastTo", ("f32[2,1]", i32(3, 2, 4))),
    Case("BroadcastArgs", (i32(2, 1), i32(3, 1, 4))),
    Case("Shape", ("f32[2,3]",)),
    Case("Shape", ("f32[2,3]",), {"out_type": np.int64}),
    Case("ShapeN", (["f32[2,3]", "f32[4]"],)),
    Case("Size", ("f32[2,3]",)),
    Case("Rank", ("f32[2,3]",)),
    Case("Fill", (i32(2, 3), scalar(1.5, np.float32))),
    Case("Range", (scalar(1), scalar(9), scalar(3))),
    Case("Range", (scalar(1.5, np.float32), scalar(0.1, np.float32), scalar(-0.4, np.float32))),
    Case("LinSpace", (scalar(1.5, np.float32), scalar(0.1, np.float32), scalar(4))),
    Case("SpaceToBatchND", ("f32[1,4,6,2]", i32(2, 3), i32((1, 1), (0, 0)))),
    Case("BatchToSpaceND", ("f32[6,2,3,2]", i32(2, 3), i32((0, 1), (1, 0)))),
    Case("SpaceToBatch", ("f32[1,4,4,2]", i32((0, 0), (1, 1))), {"block_size": 2}),
    Case("BatchToSpace", ("f32[4,2,3,2]", i32((0, 1), (1, 0))), {"block_size": 2}),
    *[
        Case("MatrixBandPart", ("f32[2,4,5]", scalar(a, np.int64), scalar(b, np.int64)))
        for a, b in ((0, -1), (-1, 0), (1, 2))
    ],
    *[
        Case("StridedSlice", ("f32[4,5,6]", i32(*a), i32(*b), i32(*s)), masks)
        for a, b, s, masks in (
            ((1, 0), (3, 5), (1, 2), {}),
            ((-1, 4), (-4, 0), (-2, -1), {}),
            ((1, 1), (2, 4), (1, 1), {"shrink_axis_mask": 1}),
            ((-2,), (0,), (1,), {"shrink_axis_mask": 1}),
            ((1, 0, 2), (3, 0, 5), (1, 1, 1), {"ellipsis_mask": 2}),
            ((0, 0, 1), (0, 0, 3), (1, 1, 1), {"new_axis_mask": 2, "begin_mask": 1, "end_mask": 1}),
            ((9, 9), (0, 0), (-1, 1), {"begin_mask": 3, "end_mask": 3}),
            ((0, 0), (0, 1), (1, 1), {"ellipsis_mask": 1, "shrink_axis_mask": 2}),
        )
    ],
    Case("StridedSlice", ("f32[4,5]", "i32[1]", i32(0), i32(1)), {"shrink_axis_mask": 1}),
]

INDEX = [
    Case("GatherV2", ("f32[4,5]", i32(3, 0), scalar(0))),
    Case("GatherV2", ("f32[4,5]", i32((3, 0), (1, 1)), scalar(1))),
    Case("GatherV2", ("f32[2,4,5]", i32((3, 0), (1, 1)), scalar(1)), {"batch_dims": 1}),
    Case("GatherV2", ("f32[2,3,5]", i32((4, 0), (1, 1)), scalar(2)), {"batch_dims": 1}),
    Case("Gather", ("f32[4,5]", "i32[3]")),
    Case("GatherNd", ("f32[4,5,2]", i32((3, 0), (1, 4)))),
    Case("ScatterNd", (i32((3,), (1,), (3,)), "f32[3,2]", i32(5, 2))),
    *[
        Case(op, ("f32[4,2]", i32((3,), (1,)), "f32[2,2]"))
        for op in (
            "TensorScatterUpdate",
            "TensorScatterAdd",
            "TensorScatterSub",
            "TensorScatterMax",
            "TensorScatterMin",
        )
    ],
    Case("OneHot", ("i32[2,3]", scalar(3), scalar(2.0, np.float32), scalar(-1.0, np.float32))),
    Case("OneHot", (i32(0, -1, 5), scalar(3), scalar(1), scalar(0)), {"axis": 0}),
    Case("Where", ("bool[3,4]",)),
    Case("Unique", (i32(4, 1, 4, 2, 1),)),
    Case("UniqueWithCounts", (i32(4, 1, 4, 2, 1),)),
    Case("ReverseSequence", ("f32[3,4,2]", i32(2, 4, 1)), {"seq_dim": 1, "batch_dim": 0}),
    Case("UniqueV2", (i32(4, 1, 4, 2, 1), i32(0))),
    Case("DynamicStitch", ([i32(0, 3), i32(2, 1)], ["f32[2,4]", "f32[2,4]"])),
    Case("DynamicStitch", ([i32(0, 1), i32((2, 1), (3, 0))], ["f32[2,4]", "f32[2,2,4]"])),
    Case("DenseBincount", (i32(1, 0, 1, 3), scalar(5), np.zeros(0, np.float32))),
    Case("DenseBincount", (i32((1, 0, 1, 3), (2, 2, 2, 9)), scalar(5), f32(2, 4))),
    Case(
        "DenseBincount", (i32((1, 0, 1, 3), (2, 2, 2, 9)), scalar(5), np.zeros(0, np.float32)), {"binary_output": True}
    ),
    *[Case(op, (np.sort(f32(2, 6)), "f32[2,3]"), {"out_type": np.int64}) for op in ("LowerBound", "UpperBound")],
    *_binary("LowerBound UpperBound", i32((1, 2, 2, 3)), i32((2, 0, 9))),
    Case("Diag", ("f32[3]",)),
    Case("MatrixDiagV2", ("f32[2,3]", scalar(0), scalar(-1), scalar(3), scalar(2.5, np.float32))),
    Case("MatrixDiagV3", ("f32[2,3]", scalar(0), scalar(-1), scalar(-1), scalar(0, np.float32))),
    Case("MatrixDiagPart", ("f32[2,3,4]",)),
    Case("MatrixDiagPartV2", ("f32[2,4,3]", scalar(0), scalar(0, np.float32))),
    Case("MatrixDiagPartV3", ("f32[3,3]", i32(0, 0), scalar(0, np.float32))),
    Case("MatrixSetDiagV2", ("f32[2,3,4]", "f32[2,3]", scalar(0))),
    Case("MatrixSetDiagV3", ("f32[2,3,4]", "f32[2,3]", scalar(0))),
    Case("MatrixDiag", ("f32[2,3]",)),
    Case("MatrixSetDiag", ("f32[2,3,4]", "f32[2,3]")),
    *[
        Case(f"UnsortedSegment{kind}", ("f32[4,2]", i32(2, 0, -1, 2), scalar(3)))
        for kind in ("Sum", "Prod", "Max", "Min")
    ],
    Case("SegmentSum", ("f32[4,2]", i32(0, 0, 1, 3))),
    Case("Bucketize", ("f32[3,4]",), {"boundaries": [-1.0, 0.0, 0.5]}),
]

LINEAR = [
    *[
        Case("MatMul", (a, b), {"transpose_a": ta, "transpose_b": tb})
        for a, b, ta, tb in (
            ("f32[2,3]", "f32[3,4]", False, False),
            ("f32[3,2]", "f32[3,4]", True, False),
            ("f32[3,2]", "f32[4,3]", True, True),
        )
    ],
    Case("BatchMatMul", ("f32[2,3,4]", "f32[2,4,5]")),
    Case("BatchMatMulV2", ("f32[2,3,4]", "f32[5,4]"), {"adj_y": True}),
    Case("BatchMatMulV2", ("f32[2,1,4,3]", "f32[3,4,5]"), {"adj_x": True}),
    Case("BatchMatMulV3", ("f32[2,3,4]", "f32[2,4,5]"), {"Tout": np.float32}),
    *[
        Case("Einsum", (list(operands),), {"equation": equation})
        for equation, *operands in (
            ("bij,bjk->bik", "f32[2,3,4]", "f32[2,4,5]"),
            ("bhqd,bhkd->bhqk", "f32[2,2,3,4]", "f32[2,2,5,4]"),
            ("...ij,jk->...ik", "f32[2,6,3,4]", "f32[4,5]"),
            ("ijk->kj", "f32[2,3,4]"),
            ("abc,cde->abde", "f32[2,3,4]", "f32[4,2,5]"),
        )
    ],
    Case("MatrixInverse", (f32(2, 3, 3) + 3 * np.eye(3, dtype=np.float32),)),
    Case("MatrixDeterminant", (f32(2, 3, 3),)),
]

_IMAGE = {"strides": [1, 1, 1, 1], "padding": "SAME"}

WINDOWS = [
    *[
        Case("Conv2D", (x, f32(*w)), {"strides": [1, *s, 1], "padding": p, "dilations": [1, *d, 1], **more})
        for x, w, s, p, d, more in (
            ("f32[2,8,9,3]", (3, 3, 3, 4), (1, 1), "SAME", (1, 1), {}),
            ("f32[2,8,9,3]", (3, 2, 3, 4), (2, 1), "SAME", (1, 1), {}),
            ("f32[2,9,8,3]", (3, 3, 3, 4), (2, 2), "SAME", (1, 1), {}),
            ("f32[2,8,9,3]", (3, 3, 3, 4), (2, 2), "VALID", (1, 1), {}),
            ("f32[2,8,9,3]", (3, 3, 3, 4), (1, 1), "SAME", (2, 2), {}),
            ("f32[2,8,9,4]", (3, 3, 2, 6), (1, 1), "SAME", (1, 1), {}),
            ("f32[2,8,9,3]", (3, 3, 3, 4), (2, 2), "EXPLICIT", (1, 1), {"explicit_paddings": [0, 0, 2, 1, 0, 1, 0, 0]}),
            ("f32[batch,8,9,3]", (3, 3, 3, 4), (2, 2), "SAME", (1, 1), {}),
            ("f32[2,height,9,3]", (3, 3, 3, 4), (2, 2), "SAME", (1, 1), {}),
        )
    ],
    Case("Conv2D", ("f32[2,5,5,2]", "f32[3,3,2,4]"), _IMAGE),
    *[
        Case("DepthwiseConv2dNative", (x, f32(*w)), {"strides": [1, s, s, 1], "padding": p, "dilations": [1, d, d, 1]})
        for x, w, s, p, d in (
            ("f32[2,8,9,3]", (3, 3, 3, 1), 1, "SAME", 1),
            ("f32[2,8,9,3]", (3, 3, 3, 2), 2, "SAME", 1),
            ("f32[2,8,9,3]", (3, 2, 3, 1), 1, "VALID", 2),
            ("f32[2,8,9,1]", (3, 3, 1, 4), 1, "SAME", 1),
        )
    ],
    *[
        Case("Conv2DBackpropInput", (i32(*size), f32(*w), x), {"strides": [1, *s, 1], "padding": p})
        for size, w, x, s, p in (
            ((2, 8, 10, 3), (3, 3, 3, 4), "f32[2,4,5,4]", (2, 2), "SAME"),
            ((2, 7, 9, 3), (3, 3, 3, 4), "f32[2,4,5,4]", (2, 2), "SAME"),
            ((2, 9, 11, 3), (3, 3, 3, 4), "f32[2,4,5,4]", (2, 2), "VALID"),
            ((2, 10, 12, 3), (3, 3, 3, 4), "f32[2,4,5,4]", (2, 2), "VALID"),
            ((2, 12, 5, 3), (2, 2, 3, 4), "f32[2,4,5,4]", (3, 1), "SAME"),
        )
    ],
    Case("Conv3D", ("f32[1,4,5,6,2]", f32(2, 3, 3, 2, 3)), {"strides": [1, 1, 2, 1, 1], "padding": "SAME"}),
    Case(
        "Conv3DBackpropInputV2",
        (i32(1, 4, 6, 6, 2), f32(2, 3, 3, 2, 3), "f32[1,4,3,6,3]"),
        {"strides": [1, 1, 2, 1, 1], "padding": "SAME"},
    ),
    *[
        Case(op, ("f32[2,7,8,3]",), {"ksize": [1, *k, 1], "strides": [1, *s, 1], "padding": p})
        for op in ("MaxPool", "AvgPool")
        for k, s, p in (((2, 2), (2, 2), "VALID"), ((3, 2), (2, 1), "SAME"), ((3, 3), (1, 1), "SAME"))
    ],
    Case("MaxPoolV2", ("f32[2,7,8,3]", i32(1, 2, 2, 1), i32(1, 2, 2, 1)), {"padding": "SAME"}),
    *[
        Case(op, ("f32[2,5,6,7,3]",), {"ksize": [1, 2, 3, 2, 1], "strides": [1, 2, 2, 1, 1], "padding": p})
        for op in ("MaxPool3D", "AvgPool3D")
        for p in ("SAME", "VALID")
    ],
]

NORMS = [
    Case(
        "FusedBatchNormV3",
        ("f32[2,4,5,3]", f32(3), f32(3), f32(3), np.abs(f32(3))),
        {"is_training": False, "epsilon": 0.001},
        results=1,
    ),
    Case(
        "FusedBatchNormV3",
        ("f32[2,4,5,3]", f32(3), f32(3), np.zeros(0, np.float32), np.zeros(0, np.float32)),
        {"is_training": True},
        results=3,
    ),
    Case(
        "FusedBatchNorm",
        ("f32[2,4,5,3]", f32(3), f32(3), f32(3), np.abs(f32(3))),
        {"is_training": False},
        results=1,
    ),
    Case("LRN", ("f32[2,3,4,9]",), {"depth_radius": 2, "bias": 1.5, "alpha": 0.3, "beta": 0.6}),
]

_ALIGN: tuple[dict[str, bool], ...] = ({}, {"half_pixel_centers": True}, {"align_corners": True})

IMAGES = [
    *[
        Case(op, ("f32[2,6,7,3]", i32(*size)), dict(how))
        for op in ("ResizeBilinear", "ResizeNearestNeighbor")
        for size in ((12, 14), (4, 10), (1, 1))
        for how in _ALIGN
    ],
    *[
        Case("ResizeBicubic", ("f32[2,6,7,3]", i32(*size)), dict(how))
        for size in ((12, 14), (4, 10), (1, 1))
        for how in _ALIGN
    ],
    *[
        Case("ResizeArea", ("f32[2,6,7,3]", i32(*size)), dict(how))
        for size in ((12, 14), (4, 10), (3, 7))
        for how in ({}, {"align_corners": True})
    ],
    *[
        Case(
            "ExtractImagePatches",
            ("f32[2,7,8,3]",),
            {"ksizes": [1, 2, 3, 1], "strides": [1, 2, 1, 1], "rates": [1, r, 1, 1], "padding": p},
        )
        for r, p in ((1, "SAME"), (2, "VALID"), (2, "SAME"))
    ],
    Case("ResizeBilinear", ("u8[2,6,7,3]", i32(9, 9)), {"half_pixel_centers": True}),
    Case("DepthToSpace", ("f32[2,3,4,12]",), {"block_size": 2}),
    Case("SpaceToDepth", ("f32[2,6,4,3]",), {"block_size": 2}),
]

_BOXES = np.asarray(
    [[0, 0, 1, 1], [0, 0.05, 1, 1.05], [0.9, 0.9, 0.1, 0.1], [0, 10, 1, 11], [0, 10.1, 1, 11.1], [0, 100, 1, 101]],
    np.float32,
)
_SCORES = np.asarray([0.9, 0.75, 0.6, 0.95, 0.5, 0.3], np.float32)

_CORNERS = np.random.default_rng(4).uniform(-0.2, 1.2, (2, 9, 3, 4)).astype(np.float32)

DETECTION = [
    *[
        Case(
            "CombinedNonMaxSuppression",
            (
                _CORNERS[:, :, :owners],
                "f32[2,9,3]",
                scalar(limit),
                scalar(total),
                scalar(overlap, np.float32),
                scalar(least, np.float32),
            ),
            {"pad_per_class": padded, "clip_boxes": clipped},
        )
        for owners, limit, total, overlap, least, padded, clipped in (
            (1, 3, 5, 0.3, 0.2, False, True),
            (1, 4, 40, 0.1, float("-inf"), False, False),
            (3, 4, 40, 0.2, -0.5, True, True),
            (3, 2, 40, 1.0, 9.0, False, True),
        )
    ],
    Case("NonMaxSuppression", (_BOXES, _SCORES, scalar(4)), {"iou_threshold": 0.4}),
    Case("NonMaxSuppressionV2", (_BOXES, _SCORES, scalar(3), scalar(0.5, np.float32))),
    *[
        Case("NonMaxSuppressionV3", (_BOXES, _SCORES, scalar(9), scalar(o, np.float32), scalar(s, np.float32)))
        for o, s in ((0.5, 0.4), (0.95, 0.0), (0.5, float("-inf")))
    ],
    *[
        Case(
            "NonMaxSuppressionV4",
            (_BOXES[[0, 1, 3, 4, 5]], _SCORES[:5], scalar(4), scalar(0.5, np.float32), scalar(0.4, np.float32)),
            {"pad_to_max_output_size": padded},
        )
        for padded in (True, False)
    ],
    *[
        Case(
            "NonMaxSuppressionV5",
            (
                _BOXES[[0, 1, 3, 4, 5]],
                _SCORES[:5],
                scalar(4),
                scalar(0.5, np.float32),
                scalar(0.4, np.float32),
                scalar(0, np.float32),
            ),
            {"pad_to_max_output_size": padded},
        )
        for padded in (True, False)
    ],
]

QUANTIZED = [
    Case("FakeQuantWithMinMaxArgs", ("f32[4,9]",), {"min": -1.2, "max": 2.0}),
    Case("FakeQuantWithMinMaxArgs", ("f32[4,9]",), {"num_bits": 4, "narrow_range": True}),
    Case("FakeQuantWithMinMaxVars", ("f32[4,9]", scalar(-1.2, np.float32), scalar(0.7, np.float32))),
    Case("FakeQuantWithMinMaxVarsPerChannel", ("f32[4,3]", vector(-1, -2, 0), vector(1, 0.5, 3))),
]

CASES = [
    *ELEMENTWISE,
    *REDUCTIONS,
    *SHAPES,
    *INDEX,
    *LINEAR,
    *WINDOWS,
    *NORMS,
    *IMAGES,
    *DETECTION,
    *QUANTIZED,
]

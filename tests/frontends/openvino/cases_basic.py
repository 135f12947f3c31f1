"""Arithmetic, activations, reductions, and what moves elements."""

# OpenVINO's functions are untyped
# pyright: reportUnknownLambdaType=false, reportUnknownMemberType=false, reportUnknownArgumentType=false
# pyright: reportUnknownVariableType=false

from __future__ import annotations

from typing import Any

import numpy as np

from .building import Build, Case, f32, i64, scalar


def method(name: str, *args: Any, **kwargs: Any) -> Build:
    """Call a function of the operator set with the operands and more."""
    return lambda ops, *nodes: getattr(ops, name)(*nodes, *args, **kwargs)


POSITIVE = np.abs(f32(2, 3)) + 0.2

UNARY = {
    "Abs": ("absolute", 1),
    "Acos": ("acos", 1),
    "Acosh": ("acosh", 4),
    "Asin": ("asin", 1),
    "Asinh": ("asinh", 4),
    "Atan": ("atan", 1),
    "Atanh": ("atanh", 4),
    "Ceiling": ("ceiling", 1),
    "Cos": ("cos", 1),
    "Cosh": ("cosh", 1),
    "Erf": ("erf", 1),
    "Exp": ("exp", 1),
    "Floor": ("floor", 1),
    "HSwish": ("hswish", 4),
    "HSigmoid": ("hsigmoid", 5),
    "IsFinite": ("is_finite", 10),
    "IsNaN": ("is_nan", 10),
    "Log": ("log", 1),
    "Mish": ("mish", 4),
    "Negative": ("negative", 1),
    "Relu": ("relu", 1),
    "Sigmoid": ("sigmoid", 1),
    "Sign": ("sign", 1),
    "Sin": ("sin", 1),
    "Sinh": ("sinh", 1),
    "SoftPlus": ("softplus", 4),
    "SoftSign": ("softsign", 9),
    "Sqrt": ("sqrt", 1),
    "Tan": ("tan", 1),
    "Tanh": ("tanh", 1),
    "Identity": ("identity", 16),
    "Gelu": ("gelu", 2),
    "Swish": ("swish", 4),
}

INSIDE = {
    "Acos": f32(2, 3) / 4,
    "Asin": f32(2, 3) / 4,
    "Atanh": f32(2, 3) / 4,
    "Acosh": POSITIVE + 1,
    "Log": POSITIVE,
    "Sqrt": POSITIVE,
}

BINARY = {
    "Add": "add",
    "Divide": "divide",
    "Equal": "equal",
    "FloorMod": "floor_mod",
    "Greater": "greater",
    "GreaterEqual": "greater_equal",
    "Less": "less",
    "LessEqual": "less_equal",
    "Maximum": "maximum",
    "Minimum": "minimum",
    "Mod": "mod",
    "Multiply": "multiply",
    "NotEqual": "not_equal",
    "Power": "power",
    "SquaredDifference": "squared_difference",
    "Subtract": "subtract",
}

LOGIC = {"LogicalAnd": "logical_and", "LogicalOr": "logical_or", "LogicalXor": "logical_xor"}
BITS = {"BitwiseAnd": "bitwise_and", "BitwiseOr": "bitwise_or", "BitwiseXor": "bitwise_xor"}

REDUCTIONS = {
    "ReduceL1": ("reduce_l1", 4),
    "ReduceL2": ("reduce_l2", 4),
    "ReduceMax": ("reduce_max", 1),
    "ReduceMean": ("reduce_mean", 1),
    "ReduceMin": ("reduce_min", 1),
    "ReduceProd": ("reduce_prod", 1),
    "ReduceSum": ("reduce_sum", 1),
}

ELEMENTWISE = [
    *(Case(n, o, ("f32[2,3]",), method(f), data={0: INSIDE[n]} if n in INSIDE else {}) for n, (f, o) in UNARY.items()),
    *(
        Case(n, 1, ("f32[2,1,3]", "f32[4,3]"), method(f), data={0: np.abs(f32(2, 1, 3))} if n == "Power" else {})
        for n, f in BINARY.items()
    ),
    *(Case(n, 1, ("bool[2,1,3]", "bool[4,3]"), method(f)) for n, f in LOGIC.items()),
    *(Case(n, 13, ("i32[2,3]", "i32[3]"), method(f)) for n, f in BITS.items()),
    Case("BitwiseNot", 13, ("i32[2,3]",), method("bitwise_not")),
    Case("BitwiseNot", 13, ("bool[2,3]",), method("bitwise_not")),
    Case("BitwiseLeftShift", 15, ("i32[2,3]", "i32[3]"), method("bitwise_left_shift")),
    Case("BitwiseRightShift", 15, ("i32[2,3]", "i32[3]"), method("bitwise_right_shift")),
    Case("ErfInv", 17, ("f32[2,3]",), method("erfinv"), data={0: f32(2, 3) / 4}),
    Case("LogicalNot", 1, ("bool[2,3]",), method("logical_not")),
    Case(
        "Divide",
        1,
        ("i32[2,3]", "i32[3]"),
        method("divide"),
        data={0: np.asarray([[-7, 8, 5], [9, 1, 2]], np.int32), 1: np.asarray([2, 2, 3], np.int32)},
    ),
    Case(
        "Mod",
        1,
        ("i32[2,3]", "i32[3]"),
        method("mod"),
        data={0: np.asarray([[-7, 7, 5], [9, -1, 2]], np.int32), 1: np.asarray([2, -2, 3], np.int32)},
    ),
    Case(
        "FloorMod",
        1,
        ("i32[2,3]", "i32[3]"),
        method("floor_mod"),
        data={0: np.asarray([[-7, 7, 5], [9, -1, 2]], np.int32), 1: np.asarray([2, -2, 3], np.int32)},
    ),
    Case(
        "Round",
        5,
        ("f32[6]",),
        method("round", "half_to_even"),
        data={0: np.asarray([-2.5, -1.5, -0.5, 0.5, 1.5, 2.4], np.float32)},
    ),
    Case(
        "Round",
        5,
        ("f32[6]",),
        method("round", "half_away_from_zero"),
        data={0: np.asarray([-2.5, -1.5, -0.5, 0.5, 1.5, 2.4], np.float32)},
    ),
    Case(
        "IsInf",
        10,
        ("f32[4]",),
        lambda o, x: o.is_inf(x, {"detect_negative": False}),
        data={0: np.asarray([np.inf, -np.inf, 1, np.nan], np.float32)},
    ),
    Case("Select", 1, ("bool[4,1]", "f32[4,3]", "f32[3]"), method("select")),
    Case("Convert", 1, ("f32[2,3]",), method("convert", "i32")),
    Case("Convert", 1, ("i32[2,3]",), method("convert", "f32")),
    Case(
        "Convert",
        1,
        ("f32[2,3]",),
        method("convert", "boolean"),
        data={0: np.asarray([[0.3, 0, -0.2], [1, 2, 0]], np.float32)},
    ),
    Case("ConvertLike", 1, ("i32[2,3]", "f32[1]"), method("convert_like")),
    Case("ConvertPromoteTypes", 14, ("i32[2,3]", "f32[3]"), method("convert_promote_types", True)),
    Case("ConvertPromoteTypes", 14, ("u8[2,3]", "i8[3]"), method("convert_promote_types", True)),
]

ACTIVATIONS = [
    Case("PRelu", 1, ("f32[2,3,4]", f32(3)), method("prelu")),
    Case("PRelu", 1, ("f32[2,3]", f32(1)), method("prelu")),
    Case("Elu", 1, ("f32[2,3]",), method("elu", 0.7)),
    Case("Selu", 1, ("f32[2,3]", scalar(1.6, np.float32), scalar(1.05, np.float32)), method("selu")),
    Case("HardSigmoid", 1, ("f32[2,3]", scalar(0.3, np.float32), scalar(0.4, np.float32)), method("hard_sigmoid")),
    Case("Swish", 4, ("f32[2,3]", scalar(0.7, np.float32)), method("swish")),
    Case("Gelu", 7, ("f32[2,3]",), method("gelu", "erf")),
    Case("Gelu", 7, ("f32[2,3]",), method("gelu", "tanh")),
    Case("Clamp", 1, ("f32[2,3]",), method("clamp", -0.5, 0.4)),
    Case("Clamp", 1, ("i32[2,3]",), method("clamp", 0.5, 2.7)),
    Case("Softmax", 1, ("f32[2,3,4]",), method("softmax", 1)),
    Case("Softmax", 8, ("f32[2,3,4]",), method("softmax", -1)),
    Case("LogSoftmax", 5, ("f32[2,3,4]",), method("log_softmax", 2)),
    *(
        Case(n, o, ("f32[2,3,4]", i64(0, 2)), method(f, keep_dims=k))
        for n, (f, o) in REDUCTIONS.items()
        for k in (False, True)
    ),
    Case("ReduceMean", 1, ("i32[2,3]", i64(1)), method("reduce_mean")),
    Case("ReduceLogicalAnd", 1, ("bool[2,3]", i64(1)), method("reduce_logical_and")),
    Case("ReduceLogicalOr", 1, ("bool[2,3]", i64(1)), method("reduce_logical_or", True)),
]

MOVES = [
    Case("Reshape", 1, ("f32[2,3,4]", i64(0, -1)), method("reshape", True)),
    Case("Reshape", 1, ("f32[2,3,4]", i64(6, 4)), method("reshape", False)),
    Case("ReduceMean", 1, ("f32[2,3,4,5,2]", "i64[1]"), method("reduce_mean", True)),
    Case("Squeeze", 1, ("f32[1,3,1,2]", i64(0)), method("squeeze")),
    Case("Squeeze", 15, ("f32[1,3,1,2]",), method("squeeze")),
    Case("Squeeze", 15, ("f32[1,3,1,2]", i64(1, 2)), method("squeeze", True)),
    Case("Unsqueeze", 1, ("f32[2,3]", i64(0, -1)), method("unsqueeze")),
    Case("Transpose", 1, ("f32[2,3,4]", i64(2, 0, 1)), method("transpose")),
    Case("Transpose", 1, ("f32[2,3,4]", i64()), method("transpose")),
    Case("Concat", 1, ("f32[2,3]", "f32[2,2]"), lambda o, *xs: o.concat(list(xs), -1)),
    Case("Split", 1, ("f32[2,6]", scalar(1)), method("split", 3)),
    Case("VariadicSplit", 1, ("f32[2,6]", scalar(1), i64(1, -1, 2)), method("variadic_split")),
    Case("Tile", 1, ("f32[2,3]", i64(2, 1, 2)), method("tile")),
    Case("Tile", 1, ("f32[2,3]", i64(2)), method("tile")),
    *(Case("Pad", 1, ("f32[2,3]", i64(1, 0), i64(0, 2)), method("pad", m)) for m in ("edge", "reflect", "symmetric")),
    Case(
        "Pad",
        1,
        ("f32[2,3]", i64(1, 0), i64(0, 2)),
        lambda o, x, a, b: o.pad(x, a, b, "constant", o.constant(np.float32(0.5))),
    ),
    Case("Pad", 12, ("f32[3,4]", i64(1, -1), i64(0, 2)), method("pad", "edge")),
    Case("Broadcast", 1, ("f32[3]", i64(2, 3)), method("broadcast")),
    Case("Broadcast", 1, ("f32[2]", i64(2, 3), i64(0)), method("broadcast", "EXPLICIT")),
    Case("Broadcast", 3, ("f32[4,1]", i64(1, 3)), lambda o, x, s: o.broadcast(x, s, broadcast_spec="BIDIRECTIONAL")),
    Case("Broadcast", 3, ("f32[3,1]", i64(2, 3, 4)), method("broadcast")),
    Case("ShapeOf", 1, ("f32[2,3]",), method("shape_of")),
    Case("ShapeOf", 3, ("f32[2,3]",), method("shape_of", "i32")),
    Case("Range", 1, (scalar(2), scalar(11), scalar(3)), lambda o, a, b, c: o.range(a, b, c)),
    Case("Range", 4, (scalar(2), scalar(11), scalar(3)), method("range", "f32")),
    Case("Range", 4, (scalar(9), scalar(1), scalar(-3)), method("range", "i32")),
    Case("Roll", 7, ("f32[3,5]", i64(2, -1), i64(1, 0)), method("roll")),
    Case("ShuffleChannels", 3, ("f32[1,6,2,2]",), method("shuffle_channels", 1, 3)),
    Case("SpaceToBatch", 2, ("f32[2,4,6]", i64(1, 2, 3), i64(0, 1, 0), i64(0, 1, 0)), method("space_to_batch")),
    Case("BatchToSpace", 2, ("f32[12,3,2]", i64(1, 2, 3), i64(0, 1, 0), i64(0, 0, 2)), method("batch_to_space")),
    Case("DepthToSpace", 1, ("f32[1,8,2,3]",), method("depth_to_space", "blocks_first", 2)),
    Case("DepthToSpace", 1, ("f32[1,8,2,3]",), method("depth_to_space", "depth_first", 2)),
    Case("DepthToSpace", 1, ("f32[1,8,2,3,2]",), method("depth_to_space", "blocks_first", 2)),
    Case("DepthToSpace", 1, ("f32[1,8,2,3,2]",), method("depth_to_space", "depth_first", 2)),
    Case("SpaceToDepth", 1, ("f32[1,2,4,6]",), method("space_to_depth", "blocks_first", 2)),
    Case("SpaceToDepth", 1, ("f32[1,2,4,6]",), method("space_to_depth", "depth_first", 2)),
    Case("SpaceToDepth", 1, ("f32[1,2,4,6,2]",), method("space_to_depth", "blocks_first", 2)),
    Case("SpaceToDepth", 1, ("f32[1,2,4,6,2]",), method("space_to_depth", "depth_first", 2)),
    Case("StridedSlice", 1, ("f32[4,5,6]", i64(1, 0), i64(3, -1), i64(1, 2)), method("strided_slice", [0, 1], [0, 0])),
    Case(
        "StridedSlice",
        1,
        ("f32[4,5,6]", i64(0, 2, 0), i64(0, 0, 3), i64(1, 1, 1)),
        method("strided_slice", [0, 0, 0], [0, 0, 0], [0, 0, 0], [0, 1, 0], [1, 0, 0]),
    ),
    Case(
        "StridedSlice",
        1,
        ("f32[4,5]", i64(0, -1), i64(0, -6), i64(1, -1)),
        method("strided_slice", [0, 0], [0, 0], [1, 0]),
    ),
    Case("Slice", 8, ("f32[4,5,6]", i64(1, -1), i64(3, -7), i64(1, -2), i64(0, 2)), method("slice")),
    Case("Slice", 8, ("f32[4,5]", i64(1), i64(3), i64(1)), method("slice")),
]

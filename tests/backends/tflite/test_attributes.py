"""Every attribute at a value that is not its default, on shapes without symmetries: decompositions and kernels."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import product
from typing import Any

import numpy as np
import pytest
from nhwcc.compiler.ir import Module
from nhwcc.compiler.ops.reduce import REDUCTIONS

from .conftest import Check, single


@dataclass(frozen=True)
class Case:
    """An operation on inputs of the given types; ``inputs`` replace random ones, ``constants`` are as in `single`."""

    name: str
    types: tuple[str | None, ...]
    attributes: dict[str, Any]
    constants: dict[int, Any] = field(default_factory=lambda: dict[int, Any]())
    inputs: dict[str, Any] = field(default_factory=lambda: dict[str, Any]())

    def __str__(self) -> str:
        return f"{self.name}-{'-'.join(self.attributes)}"

    def module(self) -> Module:
        return single(self.name, *self.types, constants=self.constants, **self.attributes)


def case(name: str, types: str, /, inputs: dict[str, Any] | None = None, **attributes: Any) -> Case:
    """A case of one line; a type that begins with ``=`` is one of a constant, ``none`` stands for an absent operand."""
    given = types.split()
    return Case(
        name,
        tuple(None if t == "none" else t.removeprefix("=") for t in given),
        attributes,
        {i: i + 1 for i, t in enumerate(given) if t.startswith("=")},
        inputs or {},
    )


LAST: dict[str, Any] = {"channels_last": True}


def window(name: str, types: str, rank: int = 2, /, inputs: dict[str, Any] | None = None, **given: Any) -> Case:
    """A window over ``rank`` axes: what is not given is idle, channels are last unless told otherwise."""
    ones = (1,) * rank
    idle: dict[str, Any] = {"strides": ones, "dilations": ones, "pads": ((0, 0),) * rank}
    idle |= {"output_pads": (0,) * rank} if name == "conv_transpose" else {}
    return case(name, types, inputs, **(idle | LAST | given))


def values(*shape: int, seed: int = 0) -> Any:
    return np.random.default_rng(seed).standard_normal(shape).astype(np.float32)


SIGNED = np.asarray([[-7, 7, -8, 9], [-1, 1, -9, 4], [5, -5, 3, -2]])

WINDOWS = [
    window("conv", "f32[1,7,8,2] =f32[3,2,3,2] =f32[3]", strides=(2, 1), pads=((1, 0), (0, 2)), activation="relu6"),
    window("conv", "f32[1,7,8,2] =f32[3,2,3,2]", dilations=(2, 1)),
    window("conv", "f32[1,7,8,2] =f32[3,2,2,2]", pads=((0, 1), (0, 1))),
    window("conv", "f32[1,7,8,2] =f32[3,2,2,2]", pads=((1, 0), (1, 0))),
    window("conv", "f32[1,8,8,2] =f32[3,3,3,2]", pads=((1, 1), (1, 1)), strides=(2, 2)),
    window("conv", "f32[1,8,6,2] =f32[3,3,3,2]", pads=((0, 1), (0, 1)), strides=(3, 3)),
    window("conv", "f32[1,6,8,2] =f32[3,3,3,2]", pads=((1, 0), (1, 0)), strides=(3, 3)),
    window("conv", "f32[1,7,8,4] =f32[6,2,3,2] =f32[6]", groups=2, activation="relu"),
    window("conv", "f32[1,7,8,4] =f32[4,3,3,1] =f32[4]", groups=4),
    window("conv", "f32[1,7,8,4] =f32[4,2,3,1]", groups=4, dilations=(1, 2), activation="relu6"),
    window("conv", "f32[1,2,7,8] =f32[3,2,2,3]", channels_last=False, strides=(1, 2)),
    window("conv", "f32[1,7,6,7,2] =f32[3,3,2,2,2] =f32[3]", 3, dilations=(2, 1, 1), activation="relu6"),
    window("conv", "f32[1,5,6,7,2] =f32[3,3,2,2,2] =f32[3]", 3, strides=(2, 1, 3), pads=((1, 0), (0, 1), (2, 0))),
    window("conv", "f32[1,11,3,4,3] =f32[3,9,2,2,3] =f32[3]", 3),
    window("conv_transpose", "f32[1,5,6,2] =f32[3,3,4,2] =f32[3]", strides=(2, 3), pads=((0, 1), (2, 1))),
    window("conv_transpose", "f32[1,5,6,2] =f32[3,3,4,2] =f32[3]", strides=(2, 3), output_pads=(1, 2)),
    window("conv_transpose", "f32[1,5,6,2] =f32[3,3,4,2] =f32[3]", pads=((-1, 0), (1, -2)), activation="relu6"),
    window("conv_transpose", "f32[1,5,6,2] =f32[3,2,2,2]", dilations=(2, 3), pads=((-2, 1), (-1, 0))),
    window("conv_transpose", "f32[1,5,6,2] =f32[3,2,2,2] =f32[3]", dilations=(2, 3), output_pads=(1, 2)),
    window("conv_transpose", "f32[1,4,5,6,3] =f32[3,2,2,2,3]", 3, strides=(1, 2, 1), pads=((0, 0), (-1, 0), (0, -2))),
    window("conv_transpose", "f32[1,5,6,2] =f32[3,4,4,2]", strides=(2, 2), pads=((0, 2), (2, 0))),
    window("conv_transpose", "f32[1,5,6,2] =f32[3,4,4,2]", strides=(2, 2), pads=((1, 1), (1, 1)), activation="relu"),
    window("conv_transpose", "f32[1,5,6,2] =f32[3,2,2,2] =f32[3]", strides=(2, 2), activation="relu6"),
    window("conv_transpose", "f32[1,5,6,2] =f32[3,3,2,2]", dilations=(2, 3)),
    window("conv_transpose", "f32[1,5,6,4] =f32[3,3,4,4] =f32[6]", groups=2, strides=(2, 1)),
    window("conv_transpose", "f32[1,5,6,10] =f32[1,3,2,10] =f32[10]", groups=10, strides=(2, 3), output_pads=(1, 0)),
    window("conv_transpose", "f32[1,4,5,6,3] =f32[3,2,2,2,3] =f32[3]", 3, strides=(1, 2, 1)),
    window("conv_transpose", "f32[1,3,4,5,3] f32[3,2,2,3,3]", 3, strides=(2, 1, 3)),
    window("max_pool", "f32[1,6,7,2]", kernel=(3, 2), strides=(2, 2), ceil=True),
    window("max_pool", "f32[1,7,8,2]", kernel=(3, 3), strides=(2, 2), pads=((0, 1), (0, 1)), ceil=True),
    window("max_pool", "f32[1,7,8,2]", kernel=(3, 2), strides=(2, 1), dilations=(2, 3), pads=((1, 0), (0, 1))),
    window(
        "max_pool", "f32[1,6,7,2]", inputs={"x0": -1 - values(1, 6, 7, 2) ** 2}, kernel=(3, 2), pads=((1, 0), (1, 0))
    ),
    window("max_pool", "i8[1,6,7,2]", inputs={"x0": np.full((1, 6, 7, 2), -9)}, kernel=(3, 2), pads=((1, 0), (1, 0))),
    window("max_pool", "f32[1,6,7,8,2]", 3, kernel=(3, 2, 2), strides=(2, 1, 3), pads=((1, 0), (0, 1), (0, 0))),
    window("average_pool", "f32[1,6,7,8,2]", 3, kernel=(3, 2, 2), strides=(2, 1, 3)),
    *(
        window(
            "average_pool", "f32[1,7,9,2]", kernel=(3, 2), strides=(2, 2), pads=((1, 0), (0, 1)), ceil=c, count_pads=p
        )
        for c, p in product((False, True), repeat=2)
    ),
    window("average_pool", "f32[1,6,7,2]", kernel=(3, 3), pads=((1, 1), (1, 1)), count_pads=True),
    window("average_pool", "f32[1,7,8,2]", kernel=(3, 2), dilations=(2, 3), pads=((1, 0), (0, 1))),
    window("lp_pool", "f32[1,6,7,2]", kernel=(3, 2), strides=(2, 1), pads=((1, 0), (0, 1)), p=3),
    *(
        case(
            "max_pool_positions",
            "f32[1,2,6,7]",
            column_major=c,
            kernel=(3, 2),
            strides=(2, 1),
            dilations=(1, 2),
            pads=((1, 0), (0, 1)),
        )
        for c in (False, True)
    ),
]
MOVES = [
    *(case("transpose", "f32[2,3,4,5]", perm=p) for p in ((1, 2, 3, 0), (2, 0, 3, 1))),
    case("transpose", "f32[2,3,2,3,2,3,2]", perm=(1, 2, 3, 4, 5, 6, 0)),
    case("transpose", "f32[2,3,2,3,2,3,2,2]", perm=(2, 3, 4, 5, 6, 7, 0, 1)),
    case("transpose", "f32[2,3,2,3,2,3,2]", perm=(1, 0, 3, 2, 6, 4, 5)),
    case("transpose", "f32[2,3,2,3,2,3,2]", perm=(2, 3, 6, 0, 1, 4, 5)),
    case("transpose", "f32[2,2,2,2,2,2,2,3]", perm=(1, 3, 5, 7, 0, 2, 4, 6)),
    case("slice", "f32[2,9,7]", starts=(1, 7, 6), sizes=(1, 4, 3), steps=(1, -2, -3)),
    case("slice", "f32[2,9,7]", starts=(0, 1, 0), sizes=(2, 4, 2), steps=(1, 2, 5)),
    case("split", "f32[2,9,3]", axis=1, sizes=(2, 4, 3)),
    case("concat", "f32[1,2,3,2,3,2,2] f32[1,2,4,2,3,2,2]", axis=2),
    case("pad", "f32[2,3,4]", low=(1, 0, 2), high=(0, 3, 1), value=1.5),
    case("pad", "f32[1,2,3,2,2,3]", low=(0, 0, 1, 0, 0, 0), high=(0, 0, 0, 0, 0, 2), value=1.5),
    case("pad", "f32[2,2,3,2,2,3]", low=(1, 0, 1, 0, 1, 0), high=(0, 2, 0, 1, 0, 2), value=1.5),
    *(
        case("pad", "f32[3,4,5]", low=(1, 0, 2), high=(0, 3, 1), mode=mode)
        for mode in ("edge", "reflect", "symmetric", "wrap")
    ),
    case("pad", "f32[2,3]", low=(0, 3), high=(0, 1), mode="reflect"),
    case("range", "f32[] f32[]", size=5, inputs={"x0": 1.5, "x1": 0.7}),
    case("depth_to_space", "f32[1,2,3,12]", block=2, mode="crd", **LAST),
    case("depth_to_space", "f32[1,2,3,12]", block=2, **LAST),
    case("space_to_depth", "f32[1,4,6,3]", block=2, **LAST),
    *(
        case("resize", "f32[2,5,7,3]", dims=(2, 1), sizes=(11, 8), mode=mode, coordinates=how)
        for mode in ("nearest", "linear", "cubic")
        for how in ("half_pixel", "asymmetric", "align_corners", "half_pixel_symmetric")
    ),
    *(
        case("resize", "f32[1,4,6,1]", dims=(1, 2), sizes=(2, 3), nearest=how)
        for how in ("round_prefer_floor", "round_prefer_ceil", "floor", "ceil")
    ),
    case("resize", "f32[1,5,7,2]", dims=(1, 2), sizes=(8, 9), nearest="floor", coordinates="half_pixel_floor"),
    case("resize", "f32[1,8,9,2]", dims=(1, 2), sizes=(3, 4), mode="linear", antialias=True),
    case("resize", "f32[1,5,7,2]", dims=(1, 2), sizes=(8, 9), mode="cubic", cubic=-0.5, exclude_outside=True),
    case("resize", "f32[1,5,7,2]", dims=(1,), sizes=(8,), mode="linear", scales=(1.7,)),
]
INDEXING = [
    case("gather", "f32[2,5,3] i64[2]", axis=1, inputs={"x1": [-1, 2]}),
    case("gather_elements", "f32[4,5,6] i64[2,3,4]", axis=1, inputs={"x1": np.arange(24).reshape(2, 3, 4) % 9 - 4}),
    case(
        "gather_nd", "f32[2,5,3] i64[2,4,1]", batch_dims=1, inputs={"x1": np.asarray([[4, -5, 0, -1]] * 2)[..., None]}
    ),
    case("gather_nd", "f32[2,3,5] i64[2,3,1]", batch_dims=2, inputs={"x1": np.arange(6).reshape(2, 3, 1) % 5}),
    case("one_hot", "i64[4] f32[2]", depth=4, axis=0, inputs={"x0": [-1, 2, 0, -4]}),
    *(
        case(name, "f32[3,5]", axis=1, keepdims=False, last=True, inputs={"x0": [[1, 3, 3, 0, 0]] * 3})
        for name in ("arg_max", "arg_min")
    ),
    case("top_k", "f32[3,4,5]", k=2, axis=1, largest=False),
    case("top_k", "i32[2,3,4]", k=2, axis=0, largest=False),
    *(case("trilu", "f32[4,5]", k=k, upper=upper) for k in (0, 1, -1) for upper in (False, True)),
    *(
        case("scatter_nd", "f32[5,2] i32[3,1] f32[3,2]", reduction=how, inputs={"x1": [[4], [0], [4]]})
        for how in ("add", "mul", "max", "min")
    ),
    Case("scatter_nd", ("f32[5,2]", "i32[3,1]", "f32[3,2]"), {}, {1: [[4], [0], [-3]]}),
    case("scatter_elements", "f32[4,5] i32[2,3] f32[2,3]", axis=1, inputs={"x1": [[0, 4, -2], [1, 2, 3]]}),
    *(
        case(name, "f32[3,7]", axis=1, exclusive=e, reverse=r)
        for name in ("cum_sum", "cum_prod")
        for e, r in product((False, True), repeat=2)
    ),
]
NUMBERS = [
    Case("mod", ("i32[3,4]", "i32[4]"), {"truncated": True}, {1: [3, -3, 3, 4]}, {"x0": SIGNED}),
    Case("mod", ("i32[3,4]", "i32[4]"), {}, {1: [3, -3, 3, 4]}, {"x0": SIGNED}),
    Case("div", ("i32[3,4]", "i32[4]"), {}, {1: [3, -3, 3, 4]}, {"x0": SIGNED}),
    Case("floor_div", ("i32[3,4]", "i32[4]"), {}, {1: [3, -3, 3, 4]}, {"x0": SIGNED}),
    *(
        Case(name, ("f32[3,4]", "f32[4]"), {"activation": how}, {1: [2, -3, 0.5, 4]})
        for name in ("add", "sub", "mul", "div")
        for how in ("relu", "relu6", "relu_n1_to_1")
    ),
    *(
        Case("pow", ("f32[3,4]", "f32[]"), {}, {1: np.float32(e)}, {"x0": values(3, 4) ** 2 + 0.1})
        for e in (0.5, -0.5, 5, 6, -3)
    ),
    case("leaky_relu", "f32[3,4]", alpha=0.3),
    case("thresholded_relu", "f32[3,4]", alpha=0.3),
    case("elu", "f32[3,4]", alpha=0.3),
    case("celu", "f32[3,4]", alpha=0.3),
    case("selu", "f32[3,4]", alpha=0.3, gamma=0.7),
    case("hard_sigmoid", "f32[3,4]", alpha=0.3, beta=0.4),
    case("shrink", "f32[3,4]", threshold=0.3, bias=0.2),
    case("gelu", "f32[3,4]", approximate=True),
    case("clip", "f32[3,4]", min=-0.3, max=0.7),
    Case("prelu", ("f32[3,4]", "f32[4]"), {}, {1: [2, 0.3, -1, 0.5]}),
    Case("prelu", ("f32[3,4]", "f32[3,1]"), {}, {1: [[2], [0.3], [-1]]}),
    Case("prelu", ("f32[3,4]", "f32[3,1]"), {}, {1: [[1], [0.3], [-1]]}),
    *(case(name, "f32[3,4,5]", axis=1, inputs={"x0": 200 * values(3, 4, 5)}) for name in ("softmax", "log_softmax")),
    *(
        case("reduce", "f32[3,4,5]", kind=kind, dims=(0, 2), keepdims=keep, inputs={"x0": values(3, 4, 5) ** 2 + 0.1})
        for kind, keep in product(REDUCTIONS, (False, True))
        if kind not in ("any", "all")
    ),
    case("reduce", "i32[3,4]", kind="mean", dims=(1,), keepdims=False, inputs={"x0": SIGNED}),
]
NORMS = [
    case("batch_norm", "f32[2,4,4] f32[4] f32[4] f32[4] f32[4]", axis=1, epsilon=0.7, inputs={"x4": [0.1, 2, 0.5, 1]}),
    case("layer_norm", "f32[2,3,4] f32[3,4] f32[4]", dims=(1, 2), epsilon=0.7),
    case("rms_norm", "f32[2,3,4] f32[4]", dims=(2,), epsilon=0.7),
    case("group_norm", "f32[2,6,3,5] f32[6] f32[6]", groups=2, axis=1, epsilon=0.7),
    case("group_norm", "f32[2,3,5,6] f32[6] f32[6]", groups=3, axis=3, epsilon=0.7),
    *(
        case("local_response_norm", "f32[2,3,5,6]", size=size, alpha=0.5, beta=0.6, bias=2.0, axis=axis)
        for size in (3, 4)
        for axis in (1, 3)
    ),
    case("matmul", "f32[2,4,3] f32[2,5,4]", transpose_a=True, transpose_b=True),
    case("matmul", "f32[2,4,4] f32[2,4,4]", transpose_b=True),
    case("matmul", "f32[2,1,4,5,4,3] f32[2,3,1,5,3,2]"),
    case("linear", "f32[3,4] =f32[5,4] =f32[5]", activation="relu6"),
    case("linear", "f32[2,3,4] =f32[5,4] =f32[5]", activation="relu"),
    *(case("det", f"f32[2,{n},{n}]") for n in (2, 3, 4)),
    case("quantize", "f32[3,4] f32[] i32[]", dtype="u8", inputs={"x0": 300 * values(3, 4), "x1": 0.5, "x2": 3}),
    case("dequantize", "u8[3,4] f32[] u8[]", inputs={"x1": 0.5, "x2": 9}),
    Case(
        "dequantize",
        ("i8[3,4]", "f32[3,1]", "i32[3,1]"),
        {},
        {1: [[0.5], [2], [0.1]], 2: [[0], [3], [-7]]},
    ),
]

LSTM = "f32[3,2,4] =f32[20,4] =f32[20,5] =f32[20] none f32[2,5] f32[2,5] =f32[15] none"
LAYERS = [
    *(case("lstm", LSTM, strategy=how) for how in ("unroll", "while", "fused")),
    *(case("lstm", LSTM, strategy=how, clip=0.4, reverse=True, coupled=True) for how in ("unroll", "while")),
    *(
        case("gru", "f32[3,2,4] =f32[15,4] =f32[15,5] =f32[15] none f32[2,5] =f32[5]", strategy=how, reset_after=True)
        for how in ("unroll", "while")
    ),
    case("gru", "f32[2,3,4] =f32[15,4] =f32[15,5] =f32[15]", strategy="unroll", batch_first=True, reverse=True),
    *(
        case("rnn", "f32[3,2,4] =f32[5,4] =f32[5,5] =f32[5]", strategy=how, activations=("relu",))
        for how in ("unroll", "while", "fused")
    ),
]


def run(check: Check, given: Case) -> None:
    check(given.module(), inputs=given.inputs, tolerance=2e-5, floor=1e-2)


@pytest.mark.parametrize("given", WINDOWS, ids=str)
def test_windows(check: Check, given: Case) -> None:
    run(check, given)


@pytest.mark.parametrize("given", MOVES, ids=str)
def test_moves(check: Check, given: Case) -> None:
    run(check, given)


@pytest.mark.parametrize("given", INDEXING, ids=str)
def test_indexing(check: Check, given: Case) -> None:
    run(check, given)


@pytest.mark.parametrize("given", NUMBERS, ids=str)
def test_numbers(check: Check, given: Case) -> None:
    run(check, given)


@pytest.mark.parametrize("given", NORMS, ids=str)
def test_norms_and_products(check: Check, given: Case) -> None:
    run(check, given)


@pytest.mark.parametrize("given", LAYERS, ids=str)
def test_recurrent_layers(check: Check, given: Case) -> None:
    run(check, given)


def test_infinite_maxima_do_not_shift(check: Check) -> None:
    """XNNPACK's maximum of infinities is infinite; other kernels cut it to the largest number."""
    given = case("reduce", "f32[3,3]", kind="log_sum_exp", dims=(1,))
    rows = [[np.inf, 1, 0.5], [0.5, -np.inf, 90], [-np.inf] * 3]
    check(given.module(), inputs={"x0": rows}, delegates=(True,))


def test_transposes_in_a_row(check: Check) -> None:
    """Of equal sizes, so that no shape tells in which order they are composed."""
    text = """
    func @main(%x: f32[3,3,3], %z: f32[2,3,4]) -> (f32[3,3,3] {name = "y"}, f32[4,2,3] {name = "w"}) {
      %a = transpose(%x) {perm = [1, 2, 0]} : f32[3,3,3]
      %b = transpose(%a) {perm = [0, 2, 1]} : f32[3,3,3]
      %c = transpose(%z) {perm = [1, 2, 0]} : f32[3,4,2]
      %d = transpose(%c) {perm = [1, 2, 0]} : f32[4,2,3]
      return(%b, %d)
    }"""
    assert check(text).builtins == {"TRANSPOSE": 2}


@pytest.mark.parametrize("count_pads", [False, True])
@pytest.mark.parametrize("ceil", [False, True])
def test_averages_of_open_sizes(check: Check, ceil: bool, count_pads: bool) -> None:
    """What hangs over the end, what is padded and what is data count differently."""
    given: dict[str, Any] = {"kernel": (3, 3), "strides": (2, 2), "pads": ((1, 2), (0, 2))}
    made = window("average_pool", "f32[1,h,w,2]", ceil=ceil, count_pads=count_pads, **given)
    check(made.module(), sizes=[{"h": h, "w": w} for h, w in ((6, 7), (7, 10), (9, 8))])


@pytest.mark.parametrize("mode", ["reflect", "symmetric", "edge", "wrap"])
def test_paddings_of_open_sizes(check: Check, mode: str) -> None:
    made = case("pad", "f32[2,n]", low=(0, 2), high=(0, 3), mode=mode)
    check(made.module(), sizes=[{"n": n} for n in (4, 5, 9)])


def test_sizes_that_inputs_tell_by_expressions(check: Check) -> None:
    text = """
    func @main(%x: f32[n+3], %z: f32[2*m+1]) -> (f32[n] {name = "a"}, f32[m] {name = "b"}, f32[(n+1)//2] {name = "c"},
        f32[min(4,n)] {name = "d"}, f32[max(2,n)] {name = "e"}) {
      %a = slice(%x) {starts = [2], sizes = ['n'], steps = [1]} : f32[n]
      %b = slice(%z) {starts = ['m'], sizes = ['m'], steps = [1]} : f32[m]
      %c = slice(%a) {starts = [0], sizes = ['(n+1)//2'], steps = [2]} : f32[(n+1)//2]
      %d = slice(%a) {starts = [0], sizes = ['min(4,n)'], steps = [1]} : f32[min(4,n)]
      %e = slice(%x) {starts = [1], sizes = ['max(2,n)'], steps = [1]} : f32[max(2,n)]
      return(%a, %b, %c, %d, %e)
    }"""
    check(text, sizes=[{"n": n, "m": m} for n, m in ((1, 3), (5, 2), (8, 1))])


def test_what_is_quantized_is_clamped_before_it_is_converted(check: Check) -> None:
    """Not every runtime keeps a conversion to 8 bits within them."""
    given = {"x0": 300 * values(3, 4), "x1": 0.5, "x2": 3}
    found = check(case("quantize", "f32[3,4] f32[] i32[]", dtype="u8").module(), inputs=given).builtins
    assert found["MAXIMUM"] == found["MINIMUM"] == 1

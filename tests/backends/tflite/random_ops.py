"""Random operations: every kind with random types, shapes and attributes."""

from __future__ import annotations

import math
import random
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from nhwcc.compiler.dims import static
from nhwcc.compiler.ir import Module
from nhwcc.compiler.opdef import OPS, Elementwise
from nhwcc.compiler.ops.reduce import REDUCTIONS
from nhwcc.compiler.ops.spatial import COORDINATES, ROUND
from nhwcc.compiler.types import Array, DType

from .conftest import single

FLOATS = ["f32", "f32", "f32", "f16", "f64"]
INTS = ["i8", "i16", "i32", "i64", "u8", "u16", "u32", "u64"]
ANY = ["f32", "f32", "bool", *INTS, "f16", "f64"]

TRIGONOMETRIC = ["asin", "acos", "atan", "atan2", "sin", "cos", "tan"]
HYPERBOLIC = ["sinh", "cosh", "asinh", "acosh", "atanh", "tanh"]
POWERS = ["exp", "expm1", "log", "log1p", "erf", "sqrt", "rsqrt", "reciprocal", "div"]
SIGMOIDS = ["sigmoid", "hard_sigmoid", "hard_swish", "silu", "gelu", "softplus", "softsign", "mish"]
RAMPS = ["elu", "selu", "celu", "thresholded_relu", "shrink", "leaky_relu", "prelu"]
FLOAT_ONLY = [*TRIGONOMETRIC, *HYPERBOLIC, *POWERS, *SIGMOIDS, *RAMPS, "is_nan", "is_inf"]
BITS_ONLY = ["bitwise_and", "bitwise_or", "bitwise_xor", "bitwise_not", "shift_left", "shift_right"]
TRUTH_ONLY = ["logical_and", "logical_or", "logical_xor", "logical_not"]


@dataclass
class Case:
    """A module of one operation, and inputs by name where plain random ones make no sense."""

    name: str
    module: Module
    inputs: dict[str, Array] = field(default_factory=lambda: dict[str, Array]())


@dataclass
class Draw:
    """A source of choices."""

    rng: random.Random

    def one(self, *options: Any) -> Any:
        return self.rng.choice(options)

    def flag(self) -> bool:
        return self.rng.random() < 0.5

    def upto(self, n: int, low: int = 0) -> int:
        return self.rng.randint(low, n)

    def shape(self, low: int = 1, high: int = 5, largest: int = 4) -> list[int]:
        return [self.upto(largest, 1) for _ in range(self.upto(high, low))]

    def type(self, dtypes: list[str], shape: list[int]) -> str:
        return f"{self.one(*dtypes)}[{','.join(map(str, shape))}]"

    def array(self, shape: list[int], low: int, high: int) -> Array:
        return np.random.default_rng(self.rng.randrange(1 << 30)).integers(low, high, shape)


def text(dtype: str, shape: list[int]) -> str:
    return f"{dtype}[{','.join(map(str, shape))}]"


Make = Callable[[Draw], Case]
MAKERS: dict[str, Make] = {}


def maker(*names: str) -> Callable[[Callable[[Draw, str], Case]], Callable[[Draw, str], Case]]:
    def wrap(fn: Callable[[Draw, str], Case]) -> Callable[[Draw, str], Case]:
        for name in names:
            MAKERS[name] = lambda draw, name=name: fn(draw, name)
        return fn

    return wrap


def elementwise(draw: Draw, name: str) -> Case:
    """Operands that broadcast, special numbers among them."""
    spec = OPS[name].spec
    dtype = draw.one(*_dtypes(name))
    shape = draw.shape(0, 6, 3)
    types: list[str] = []
    for i in range(len(spec.operands)):
        part = [d if draw.rng.random() < 0.7 else 1 for d in shape][draw.one(0, 0, 1, 2) if i else 0 :]
        types.append(text("bool" if name == "select" and i == 0 else dtype, part if draw.rng.random() < 0.5 else shape))
    given: dict[str, Any] = {}
    if "activation" in spec.attributes and draw.flag() and dtype != "bool":
        given["activation"] = draw.one("relu", "relu6", "relu_n1_to_1") if dtype[0] != "u" else "relu"
    if name == "cast":
        given["to"] = draw.one("f32", "i32", "i64", "u8", "f16", "f64", "i8", "i16")
    case = Case(name, single(name, *types, **given))
    for i, arg in enumerate(case.module.main.args):
        case.inputs[f"x{i}"] = _values(draw, name, arg.type.dtype, list(static(arg.type.shape)), i)
    return case


def _dtypes(name: str) -> list[str]:
    if name in FLOAT_ONLY:
        return FLOATS
    if name in BITS_ONLY:
        return INTS
    if name in TRUTH_ONLY:
        return ["bool"]
    if name in ("select", "equal", "not_equal", "cast"):
        return ANY
    return [*FLOATS, *INTS]


SPECIAL = [0.0, -0.0, 1.0, -1.0, 0.5, -2.5, 1.5, 6.0, 20.0, -30.0, 1e-6]
NON_FINITE = [np.inf, -np.inf, np.nan]
COMPARISONS = ["equal", "not_equal", "less", "less_equal", "greater", "greater_equal"]
ABOUT_NON_FINITE = ["is_nan", "is_inf", "select", "neg", *COMPARISONS]
"""Elsewhere kernels cut infinities to the largest number, and XNNPACK's exponential makes zero of NaN."""


def _values(draw: Draw, name: str, dtype: DType, shape: list[int], slot: int) -> Array:
    rng = np.random.default_rng(draw.rng.randrange(1 << 30))
    if dtype is DType.BOOL:
        return rng.random(shape) < 0.5
    if dtype.is_float:
        plain = rng.standard_normal(shape) * draw.one(0.5, 1, 5)
        pool = np.asarray([*SPECIAL, *(NON_FINITE if name in ABOUT_NON_FINITE else [])])
        special = pool[rng.integers(0, len(pool), shape)]
        if name in ("sqrt", "rsqrt", "log", "log1p", "reciprocal", "pow"):
            return (np.abs(plain) + 0.05).astype(dtype.numpy)
        if slot and name in ("div", "floor_div", "mod"):
            return (np.abs(plain) + 0.1).astype(dtype.numpy)
        odd = draw.flag() and name not in ("cast", "floor_div", "mod", "pow")
        return np.asarray(np.where(rng.random(shape) < (0.3 if odd else 0), special, plain)).astype(dtype.numpy)
    low = 0 if dtype.value[0] == "u" or (slot and name == "pow") else -9
    if slot and name in ("div", "floor_div", "mod"):
        return rng.integers(1, 9, shape).astype(dtype.numpy)
    return rng.integers(low, 6 if name in ("pow", "shift_left", "shift_right") else 40, shape).astype(dtype.numpy)


for _name, _cls in OPS.items():
    if _cls.spec.has(Elementwise) and (
        _name == "cast" or not any(a.is_required for a in _cls.spec.attributes.values())
    ):
        MAKERS[_name] = lambda draw, name=_name: elementwise(draw, name)


@maker("mod")
def mod(draw: Draw, name: str) -> Case:
    dtype = draw.one(*INTS, "f32")
    shape = draw.shape(1, 3)
    case = Case(name, single(name, text(dtype, shape), text(dtype, shape), truncated=draw.flag() or dtype == "f32"))
    low = 0 if dtype[0] == "u" else -20
    case.inputs = {"x0": draw.array(shape, low, 20), "x1": draw.array(shape, 1, 7)}
    return case


@maker("shift_left", "shift_right")
def shift(draw: Draw, name: str) -> Case:
    dtype = draw.one(*INTS)
    shape = draw.shape(1, 3)
    case = Case(name, single(name, text(dtype, shape), text(dtype, shape)))
    low = 0 if dtype[0] == "u" else -60
    case.inputs = {"x0": draw.array(shape, low, 60), "x1": draw.array(shape, 0, 8)}
    return case


@maker("softmax", "log_softmax", "cum_sum", "cum_prod", "reverse", "arg_max", "arg_min", "trilu")
def along_axis(draw: Draw, name: str) -> Case:
    shape = draw.shape(2, 7, 4)
    axis = draw.upto(len(shape) - 1)
    given: dict[str, Any] = {"axis": axis}
    dtypes = [*FLOATS, *INTS]
    match name:
        case "softmax" | "log_softmax":
            dtypes = FLOATS
        case "cum_sum" | "cum_prod":
            given |= {"exclusive": draw.flag(), "reverse": draw.flag()}
        case "reverse":
            given = {"dims": tuple(sorted(draw.rng.sample(range(len(shape)), draw.upto(len(shape), 1))))}
            dtypes = ANY
        case "trilu":
            given, dtypes = {"k": draw.upto(3, -3), "upper": draw.flag()}, ANY
        case _:
            given |= {"keepdims": draw.flag(), "last": draw.flag(), "dtype": draw.one("i32", "i64")}
    case = Case(name, single(name, draw.type(dtypes, shape), **given))
    if name.startswith("arg"):
        case.inputs["x0"] = draw.array(shape, 0, 3)
    return case


@maker("reduce")
def reduction(draw: Draw, name: str) -> Case:
    kind = draw.one(*REDUCTIONS)
    shape = draw.shape(1, 7, 3)
    dims = tuple(sorted(draw.rng.sample(range(len(shape)), draw.upto(len(shape), 1))))
    dtypes = FLOATS if kind in ("l2", "log_sum", "log_sum_exp") else [*FLOATS, *INTS]
    dtypes = ["bool", "i32", "f32"] if kind in ("any", "all") else dtypes
    case = Case(name, single(name, draw.type(dtypes, shape), kind=kind, dims=dims, keepdims=draw.flag()))
    if kind == "log_sum":
        case.inputs["x0"] = draw.array(shape, 1, 5)
    return case


@maker("transpose", "reshape", "broadcast_to", "concat", "split", "slice", "pad", "tile", "shape_of", "range")
def movement(draw: Draw, name: str) -> Case:
    shape = draw.shape(1, 6, 4)
    rank = len(shape)
    types = [draw.type(ANY, shape)]
    given: dict[str, Any]
    axis = draw.upto(rank - 1)
    match name:
        case "transpose":
            given = {"perm": tuple(draw.rng.sample(range(rank), rank))}
        case "reshape":
            kept = draw.rng.sample([*shape, *[1] * draw.upto(2)], len(shape))
            given = {"shape": (*kept, math.prod(shape) // math.prod(kept))}
        case "broadcast_to":
            given = {"shape": (*[draw.upto(3, 1) for _ in range(draw.upto(1))], *shape)}
            types = [draw.type(ANY, [d if draw.flag() else 1 for d in shape][draw.upto(1) :])]
        case "concat":
            dtype = draw.one(*ANY)
            parts = [[*shape[:axis], draw.upto(3, 1), *shape[axis + 1 :]] for _ in range(draw.upto(6, 1))]
            types, given = [text(dtype, p) for p in parts], {"axis": axis}
        case "split":
            sizes = [draw.upto(3, 1) for _ in range(draw.upto(5, 1))] if draw.flag() else [2] * draw.upto(5, 1)
            types = [draw.type(ANY, [*shape[:axis], sum(sizes), *shape[axis + 1 :]])]
            given = {"axis": axis, "sizes": tuple(sizes)}
        case "slice":
            cuts = [_cut(draw, d) for d in shape]
            given = {k: tuple(c[i] for c in cuts) for i, k in enumerate(("starts", "sizes", "steps"))}
        case "pad":
            mode = draw.one("constant", "constant", "reflect", "symmetric", "edge", "wrap")
            most = [min(d - 1, 2) if mode == "reflect" else min(d, 2) for d in shape]
            given = {k: tuple(draw.upto(m) if draw.flag() else 0 for m in most) for k in ("low", "high")}
            given |= {"mode": mode, "value": draw.one(0.0, 1.0)}
        case "tile":
            given = {"repeats": tuple(draw.upto(3, 1) for _ in shape)}
        case "shape_of":
            given = {"dims": tuple(draw.rng.sample(range(rank), draw.upto(rank, 1))), "dtype": draw.one("i32", "i64")}
        case _:
            dtype = draw.one("i32", "i64", "f32", "i16")
            case = Case(name, single(name, f"{dtype}[]", f"{dtype}[]", size=draw.upto(9)))
            case.inputs = {"x0": draw.array([], -9, 9), "x1": draw.array([], -3, 4)}
            return case
    return Case(name, single(name, *types, **given))


def _cut(draw: Draw, size: int) -> tuple[int, int, int]:
    step = draw.one(1, 1, 1, 2, -1, -2)
    count = draw.upto((size + abs(step) - 1) // abs(step), 1)
    reach = (count - 1) * abs(step)
    first = draw.upto(size - 1 - reach)
    return (first if step > 0 else first + reach), count, step


@maker("gather", "gather_elements", "gather_nd", "scatter_nd", "scatter", "scatter_elements", "one_hot", "top_k")
def indexing(draw: Draw, name: str) -> Case:
    shape = draw.shape(2, 4, 4)
    axis = draw.upto(len(shape) - 1)
    index = draw.one("i32", "i64")
    x = draw.type(ANY, shape)
    low = draw.one(0, -1)
    match name:
        case "gather":
            places = draw.array(draw.shape(0, 3), low * shape[axis], shape[axis])
            module = single(name, x, text(index, list(places.shape)), axis=axis)
        case "gather_elements":
            places = draw.array([draw.upto(d, 1) for d in shape], low * shape[axis], shape[axis])
            module = single(name, x, text(index, list(places.shape)), axis=axis)
        case "one_hot":
            places = draw.array(shape, -5, 6)
            dtype = draw.one(*ANY)
            module = single(name, text(index, shape), f"{dtype}[2]", depth=draw.upto(5, 1), axis=axis)
            return Case(name, module, {"x0": places})
        case "top_k":
            k, largest = draw.upto(shape[axis], 1), draw.flag()
            x = draw.type([*FLOATS, *INTS], shape)
            return Case(name, single(name, x, k=k, axis=axis, largest=largest), {"x0": draw.array(shape, 0, 4)})
        case "gather_nd":
            batch = draw.upto(1)
            depth = draw.upto(len(shape) - batch, 1)
            some = [*shape[:batch], *draw.shape(0, 2)]
            limit = min(shape[batch : batch + depth])
            places = draw.array([*some, depth], low * limit, limit)
            module = single(name, x, text(index, list(places.shape)), batch_dims=batch)
        case "scatter_nd":
            depth = draw.upto(len(shape), 1)
            count = math.prod(shape[:depth])
            spots = draw.rng.sample(range(count), draw.upto(min(3, count), 1))
            places = np.stack(np.unravel_index(spots, shape[:depth]), -1)
            updates = text(x.split("[")[0], [len(spots), *shape[depth:]])
            module = single(name, x, text(index, [len(spots), depth]), updates, reduction=draw.one("none", "add"))
        case "scatter":
            places = np.asarray(draw.rng.sample(range(shape[axis]), draw.upto(min(3, shape[axis]), 1)))
            updates = text(x.split("[")[0], [len(places) if i == axis else d for i, d in enumerate(shape)])
            reduction = draw.one("none", "add", "max")
            module = single(name, x, text(index, [len(places)]), updates, axis=axis, reduction=reduction)
        case _:
            count = [draw.upto(d, 1) for d in shape]
            orders = draw.array(shape, 0, 1 << 20).argsort(axis)
            places = orders[tuple(slice(n) for n in count)]
            updates = text(x.split("[")[0], count)
            module = single(name, x, text(index, count), updates, axis=axis, reduction=draw.one("none", "add"))
    return Case(name, module, {"x1": places})


@maker("matmul", "linear")
def product(draw: Draw, name: str) -> Case:
    m, k, n = (draw.upto(5, 1) for _ in range(3))
    dtype = draw.one(*FLOATS, "i32")
    batch = draw.shape(0, 4, 3)
    if name == "linear":
        axis = draw.one(-1, draw.upto(len(batch)))
        at = axis % (len(batch) + 1)
        data = text(dtype, [*batch[:at], k, *batch[at:]])
        shapes = [data, text(dtype, [n, k]), text(dtype, [n]) if draw.flag() else None]
        given = {"activation": draw.one("none", "relu6"), "axis": axis}
        return Case(name, single(name, *shapes, constants=_seeds(draw), **given))
    turned = [draw.flag(), draw.flag()]
    a = [*[d if draw.flag() else 1 for d in batch], *((k, m) if turned[0] else (m, k))]
    b = [*batch[draw.upto(len(batch)) :], *((n, k) if turned[1] else (k, n))]
    given: dict[str, Any] = {"transpose_a": turned[0], "transpose_b": turned[1]}
    return Case(name, single(name, text(dtype, a), text(dtype, b), constants=_seeds(draw), **given))


def _seeds(draw: Draw) -> dict[int, int]:
    """Weights are constant more often than not."""
    return {1: 1, 2: 2} if draw.rng.random() < 0.7 else {}


@maker("batch_norm", "layer_norm", "rms_norm", "group_norm", "local_response_norm")
def normalisation(draw: Draw, name: str) -> Case:
    shape = [draw.upto(3, 1), *draw.shape(1, 4, 5)]
    dtype = draw.one(*FLOATS)
    axis = draw.upto(len(shape) - 1, 1)
    c = shape[axis]
    x = text(dtype, shape)
    match name:
        case "batch_norm":
            case = Case(name, single(name, x, *[text(dtype, [c])] * 4, axis=axis))
            case.inputs["x4"] = np.random.default_rng(1).random(c) + 0.5
            return case
        case "layer_norm" | "rms_norm":
            first = draw.upto(len(shape) - 1)
            rest = text(dtype, shape[first:]) if draw.flag() else None
            given: dict[str, Any] = {"dims": tuple(range(first, len(shape))), "epsilon": 1e-3}
            more = [rest, rest] if name == "layer_norm" else [rest]
            return Case(name, single(name, x, *more, **given))
        case "group_norm":
            groups = draw.one(*[g for g in range(1, c + 1) if c % g == 0])
            given = {"groups": groups, "axis": axis, "epsilon": 1e-2}
            return Case(name, single(name, x, text(dtype, [c]), text(dtype, [c]), **given))
        case _:
            return Case(name, single(name, x, size=draw.upto(min(c, 5), 1), alpha=0.5, beta=0.6, axis=axis))


@maker("resize")
def resize(draw: Draw, name: str) -> Case:
    shape = draw.shape(2, 5, 5)
    count = draw.upto(min(3, len(shape)), 1)
    dims = tuple(sorted(draw.rng.sample(range(len(shape)), count)))
    given: dict[str, Any] = {
        "dims": dims,
        "sizes": tuple(draw.upto(9, 1) for _ in dims),
        "mode": draw.one("nearest", "linear", "cubic"),
        "coordinates": draw.one(*COORDINATES),
        "nearest": draw.one(*ROUND),
        "antialias": draw.rng.random() < 0.2,
        "exclude_outside": draw.rng.random() < 0.2,
    }
    if draw.rng.random() < 0.2:
        given["scales"] = tuple(draw.one(0.5, 1.3, 2.0) for _ in dims)
    dtypes = [*FLOATS, "i32", "u8", "i8"] if given["mode"] == "nearest" else FLOATS
    return Case(name, single(name, draw.type(dtypes, shape), **given))


@maker("depth_to_space", "space_to_depth")
def blocks(draw: Draw, name: str) -> Case:
    block, last = draw.upto(3, 1), draw.flag()
    h, w, c = (draw.upto(3, 1) for _ in range(3))
    given: dict[str, Any] = {"block": block, "channels_last": last}
    if name == "depth_to_space":
        c *= block * block
        given["mode"] = draw.one("dcr", "crd")
    else:
        h, w = h * block, w * block
    return Case(name, single(name, draw.type(ANY, [2, h, w, c] if last else [2, c, h, w]), **given))


@maker("conv", "conv_transpose")
def convolution(draw: Draw, name: str) -> Case:
    rank, last = draw.one(1, 2, 2, 2, 3), draw.flag()
    groups = draw.one(1, 1, 2, 3)
    inner, outer = draw.upto(3, 1), draw.upto(2, 1)
    kernel = [draw.upto(3, 1) for _ in range(rank)]
    ones = (1,) * rank
    strides = tuple(draw.upto(3, 1) for _ in range(rank)) if draw.flag() else ones
    dilations = tuple(draw.upto(2, 1) for _ in range(rank)) if draw.rng.random() < 0.3 else ones
    pads = tuple((draw.upto(2), draw.upto(2)) if draw.flag() else (0, 0) for _ in range(rank))
    sizes = [draw.upto(6, 2) + (k - 1) * d for k, d in zip(kernel, dilations, strict=True)]
    given: dict[str, Any] = {"strides": strides, "dilations": dilations, "pads": pads, "groups": groups}
    given |= {"channels_last": last, "activation": draw.one("none", "relu", "relu6")}
    dtype = draw.one("f32", "f32", "f16")
    channels = inner * groups
    x = [2, *sizes, channels] if last else [2, channels, *sizes]
    if name == "conv":
        out = outer * groups
        w = [out, *kernel, inner] if last else [out, inner, *kernel]
    else:
        out = outer * groups
        w = [outer, *kernel, channels] if last else [channels, outer, *kernel]
        given["output_pads"] = tuple(draw.upto(s - 1) for s in strides)
        given["pads"] = tuple((draw.upto(d * (k - 1)), 0) for k, d in zip(kernel, dilations, strict=True))
    bias = text(dtype, [out]) if draw.flag() else None
    return Case(name, single(name, text(dtype, x), text(dtype, w), bias, constants=_seeds(draw), **given))


@maker("max_pool", "average_pool", "lp_pool")
def pooling(draw: Draw, name: str) -> Case:
    rank, last = draw.one(1, 2, 2, 2, 3), draw.flag()
    if name == "lp_pool":
        rank = draw.one(1, 2, 2)
    kernel = tuple(draw.upto(3, 1) for _ in range(rank))
    dilations = tuple(draw.upto(2, 1) for _ in range(rank)) if rank < 3 and draw.rng.random() < 0.3 else (1,) * rank
    given: dict[str, Any] = {
        "kernel": kernel,
        "strides": tuple(draw.upto(3, 1) for _ in range(rank)),
        "dilations": dilations,
        "pads": tuple((draw.upto(k // 2), draw.upto(k // 2)) for k in kernel),
        "ceil": draw.flag(),
        "channels_last": last,
    }
    if name == "average_pool":
        given["count_pads"] = draw.flag()
    if name == "lp_pool":
        given["p"] = draw.upto(3, 1)
    sizes = [draw.upto(6, 3) + (k - 1) * d for k, d in zip(kernel, dilations, strict=True)]
    x = [2, *sizes, 3] if last else [2, 3, *sizes]
    dtype = draw.one("f32", "f32", "f16", "f64") if name != "max_pool" else draw.one(*FLOATS, "i8", "u8", "i32")
    return Case(name, single(name, text(dtype, x), **given))


def draw_case(name: str, seed: int) -> Case:
    """Return the random case of an operation that belongs to a seed."""
    return MAKERS[name](Draw(random.Random(f"{name} {seed}")))

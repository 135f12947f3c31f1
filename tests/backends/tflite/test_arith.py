"""Arithmetic, activations and logic in the TFLite runtime."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from .conftest import Check, single

PLAIN = ["relu", "neg", "abs", "sign", "square", "floor", "ceil", "round", "exp", "sin", "cos", "tan", "atan", "erf"]
HYPERBOLIC = ["sinh", "cosh", "asinh", "tanh", "sigmoid", "hard_sigmoid", "hard_swish", "silu", "gelu", "softplus"]
OTHERS = ["softsign", "mish", "elu", "selu", "celu", "thresholded_relu", "shrink", "leaky_relu", "is_nan", "is_inf"]
UNARY = [*PLAIN, *HYPERBOLIC, *OTHERS]


@pytest.mark.parametrize("name", UNARY)
def test_unary(check: Check, name: str) -> None:
    check(single(name, "f32[3,5,7]"))


@pytest.mark.parametrize("name", ["sqrt", "rsqrt", "log", "reciprocal"])
def test_of_positive_numbers(check: Check, name: str) -> None:
    check(single(name, "f32[3,5,7]"), inputs={"x0": np.random.default_rng(0).random((3, 5, 7)) + 0.1})


@pytest.mark.parametrize("name", ["asin", "acos", "atanh"])
def test_within_one(check: Check, name: str) -> None:
    check(single(name, "f32[200]"), inputs={"x0": np.linspace(-0.99, 0.99, 200)})


@pytest.mark.parametrize("name", ["log1p", "expm1"])
def test_near_zero_nothing_is_lost(check: Check, name: str) -> None:
    check(single(name, "f32[8]"), inputs={"x0": [-3e-7, -1e-9, -1e-30, 0, 1e-30, 1e-9, 3e-7, 1e-6]}, tolerance=1e-6)
    check(single(name, "f32[8]"), inputs={"x0": [-0.9999, -0.999, -0.5, 0.5, 1, 20, 60, 88]})


def test_inverse_error_function(check: Check) -> None:
    x = np.concatenate([np.linspace(-0.9999, 0.9999, 399), [1e-30, -1e-6]])
    check(single("special", "f32[401]", function="erfinv"), inputs={"x0": x}, tolerance=1e-6)


def test_tangent_near_its_poles(check: Check) -> None:
    x = np.pi / 2 + np.asarray([-1e-3, -1e-4, 1e-4, 1e-3, 3 * np.pi - 1e-4, -7 * np.pi + 1e-4, 0, 1])
    check(single("tan", "f32[8]"), inputs={"x0": x}, tolerance=1e-5)


@pytest.mark.parametrize("dtype", ["i32", "i64"])
def test_negative_powers_of_integers(check: Check, dtype: str) -> None:
    grid = {"x0": [[-3], [-1], [1], [2], [7]], "x1": [-3, -2, -1, 0, 1, 5]}
    check(single("pow", f"{dtype}[5,1]", f"{dtype}[6]"), inputs=grid)


def test_acosh_from_one_to_huge_numbers(check: Check) -> None:
    check(single("acosh", "f32[6]"), inputs={"x0": [1, 1.001, 2, 1e4, 1e10, 1e30]})


WIDE = [-1e25, -1e10, -88, -20, -9, -1e-3, -1e-30, 0, 1e-30, 1e-3, 9, 20, 88, 1e10, 1e25]
"""LOGISTIC of XNNPACK 2.3 gives NaN beyond 1e27."""


@pytest.mark.parametrize(
    "name", ["erf", "tanh", "sigmoid", "softplus", "softsign", "mish", "gelu", "silu", "asinh", "atan", "hard_swish"]
)
def test_extreme_numbers(check: Check, name: str) -> None:
    check(single(name, "f32[15]"), inputs={"x0": WIDE})


def test_erf_is_right_to_the_last_digits(check: Check) -> None:
    # of 1, the largest value: 3 units in the last place; ELU of XNNPACK has one of them
    x = np.concatenate([np.linspace(-5, 5, 4001), np.logspace(-30, 0, 100)])
    check(single("erf", "f32[4101]"), inputs={"x0": x}, tolerance=2e-7)


@pytest.mark.parametrize("name", ["elu", "selu", "celu"])
def test_exponentials_below_zero(check: Check, name: str) -> None:
    check(single(name, "f32[9]", alpha=0.7), inputs={"x0": [-1e30, -88, -3, -1, -1e-4, 0, 1e-4, 2, 50]})


@pytest.mark.parametrize(
    ("low", "high", "builtins"),
    [
        (0, math.inf, {"RELU": 1}),
        (0, 6, {"RELU6": 1}),
        (-1, 1, {"RELU_N1_TO_1": 1}),
        (0, 1, {"MAXIMUM": 1, "MINIMUM": 1}),
        (-math.inf, 2.5, {"MINIMUM": 1}),
        (-0.5, math.inf, {"MAXIMUM": 1}),
    ],
)
def test_clip(check: Check, low: float, high: float, builtins: dict[str, int]) -> None:
    assert check(single("clip", "f32[4,9]", min=low, max=high)).builtins == builtins


def test_clip_without_bounds_is_nothing(check: Check) -> None:
    assert check(single("clip", "f32[4,9]")).builtins == {"SLICE": 1}  # a copy of the input


@pytest.mark.parametrize(
    ("slope", "shape", "builtins"),
    [
        (1, "f32[6]", {"PRELU": 1}),
        (1, "f32[1,1,6]", {"PRELU": 1}),
        ([[[0.3]]], "f32[1,1,1]", {"LEAKY_RELU": 1}),
        (np.linspace(-1, 1, 5)[:, None], "f32[5,1]", {"MUL": 1, "MAXIMUM": 1}),
        (np.linspace(1, 3, 5)[:, None], "f32[5,1]", {"RELU": 1, "MINIMUM": 1, "MUL": 1, "ADD": 1}),
    ],
)
def test_prelu(check: Check, slope: Any, shape: str, builtins: dict[str, int]) -> None:
    assert check(single("prelu", "f32[2,5,6]", shape, constants={1: slope})).builtins == builtins


def test_prelu_with_computed_slopes(check: Check) -> None:
    check(single("prelu", "f32[2,5,6]", "f32[5,1]"))


@pytest.mark.parametrize("alpha", [0.2, 1 / 6])
def test_hard_sigmoid_ends_in_relu6(check: Check, alpha: float) -> None:
    builtins = check(single("hard_sigmoid", "f32[4,4]", alpha=alpha)).builtins
    assert builtins["ADD"] == 1 and builtins["MUL"] == (1 if alpha == 1 / 6 else 2)


BINARY = ["add", "sub", "mul", "div", "max", "min", "squared_difference", "atan2", "less", "greater_equal", "mod"]


@pytest.mark.parametrize("name", [*BINARY, "equal", "floor_div"])
@pytest.mark.parametrize("shapes", [("f32[2,3,4]", "f32[2,3,4]"), ("f32[2,3,4]", "f32[4]"), ("f32[]", "f32[3,1]")])
def test_binary(check: Check, name: str, shapes: tuple[str, str]) -> None:
    check(single(name, *shapes))


@pytest.mark.parametrize("activation", ["relu", "relu6", "relu_n1_to_1"])
@pytest.mark.parametrize("name", ["add", "sub", "mul", "div"])
def test_fused_activation(check: Check, name: str, activation: str) -> None:
    out = check(single(name, "f32[2,3,4]", "f32[4]", activation=activation))
    assert out.builtins == {name.upper(): 1}


INTEGERS = ["add", "sub", "mul", "max", "min", "squared_difference", "less", "equal", "not_equal", "greater"]


@pytest.mark.parametrize("dtype", ["i8", "i16", "i32", "i64", "u8", "u16", "u32"])
@pytest.mark.parametrize("name", [*INTEGERS, "bitwise_and", "bitwise_or", "bitwise_xor", "shift_left", "shift_right"])
def test_integers(check: Check, name: str, dtype: str) -> None:
    top = 2 ** int(dtype[1:]) - 1
    a = np.asarray([0, 1, 2, 3, 5, 7, 100, 127], np.int64)
    a = np.concatenate([a, top - a if dtype[0] == "u" else -a])
    b = np.asarray([1, 2, 3, 4, 5, 6, 7, 1] * 2)
    check(single(name, f"{dtype}[16]", f"{dtype}[16]"), inputs={"x0": a.astype(np.uint64), "x1": b})


@pytest.mark.parametrize("dtype", ["i8", "i16", "i32", "i64", "u8", "u16", "u32"])
@pytest.mark.parametrize("name", ["div", "floor_div", "mod"])
@pytest.mark.parametrize("divisor", [3, 7])
def test_integer_division(check: Check, name: str, dtype: str, divisor: int) -> None:
    a = np.arange(0, 24) if dtype[0] == "u" else np.arange(-12, 12)
    check(single(name, f"{dtype}[24]", f"{dtype}[1]"), inputs={"x0": a, "x1": [divisor]})


@pytest.mark.parametrize("dtype", ["f32", "i32", "i64", "i8"])
@pytest.mark.parametrize("divisor", [-3, 5])
def test_truncated_remainder(check: Check, dtype: str, divisor: int) -> None:
    a = np.arange(-12, 12)
    check(single("mod", f"{dtype}[24]", f"{dtype}[]", truncated=True), inputs={"x0": a, "x1": divisor})


@pytest.mark.parametrize("dtype", ["i8", "i16", "i32", "i64", "u8"])
@pytest.mark.parametrize("name", ["neg", "abs", "sign", "square", "relu", "bitwise_not", "floor", "clip"])
def test_unary_integers(check: Check, name: str, dtype: str) -> None:
    bounds: dict[str, Any] = {"min": 1, "max": 3} if name == "clip" else {}
    check(
        single(name, f"{dtype}[8]", **bounds),
        inputs={"x0": np.asarray([0, 1, 2, 3, 9, -1, -2, -11]).astype(dtype_of(dtype))},
    )


def dtype_of(name: str) -> str:
    return name.replace("i", "int").replace("u", "uint")


@pytest.mark.parametrize("name", ["add", "mul", "max"])
def test_integer_activation_is_a_clip(check: Check, name: str) -> None:
    given: dict[str, Any] = {} if name == "max" else {"activation": "relu6"}
    check(single(name, "i32[9]", "i32[9]", **given), inputs={"x0": np.arange(-4, 5), "x1": [3] * 9})


@pytest.mark.parametrize("name", ["and", "or", "xor"])
@pytest.mark.parametrize("kind", ["logical", "bitwise"])
def test_truth_values(check: Check, kind: str, name: str) -> None:
    check(single(f"{kind}_{name}", "bool[2,3]", "bool[3]"))


@pytest.mark.parametrize("name", ["logical_not", "bitwise_not"])
def test_not(check: Check, name: str) -> None:
    check(single(name, "bool[2,3]"))


@pytest.mark.parametrize("name", ["equal", "not_equal"])
def test_equality_of_truth_values(check: Check, name: str) -> None:
    check(single(name, "bool[2,3]", "bool[3]"))


@pytest.mark.parametrize("dtype", ["f32", "bool", "i8", "i16", "i32", "i64", "u8", "u16", "u32"])
def test_select(check: Check, dtype: str) -> None:
    check(single("select", "bool[2,1,4]", f"{dtype}[3,4]", f"{dtype}[]"))


@pytest.mark.parametrize(
    ("exponent", "builtins"),
    [
        (2.0, {"SQUARE": 1}),
        (0.5, {"SQRT": 1}),
        (-0.5, {"RSQRT": 1}),
        (3.0, {"SQUARE": 1, "MUL": 1}),
        (4.0, {"SQUARE": 2}),
        (-1.0, {"DIV": 1}),
        (1.0, {"SLICE": 1}),  # a copy
        (2.5, {"POW": 1}),
    ],
)
def test_constant_powers(check: Check, exponent: float, builtins: dict[str, int]) -> None:
    base = np.random.default_rng(0).random((3, 4)) + 0.2
    module = single("pow", "f32[3,4]", "f32[1]", constants={1: [exponent]})
    assert check(module, inputs={"x0": base}).builtins == builtins


@pytest.mark.parametrize(
    "types", [("f32[4]", "f32[4]"), ("f32[4]", "i32[4]"), ("f32[4]", "i64[]"), ("i32[4]", "i32[4]")]
)
def test_powers(check: Check, types: tuple[str, str]) -> None:
    check(single("pow", *types), inputs={"x0": [1, 2, 3, 4]})


def test_division_by_a_constant_is_a_product(check: Check) -> None:
    assert check(single("div", "f32[3,4]", "f32[4]", constants={1: 1})).builtins == {"MUL": 1}


def test_division_by_zero_is_no_product(check: Check) -> None:
    # the kernel without XNNPACK cuts infinity to the largest number
    module = single("div", "f32[2]", "f32[2]", constants={1: [0, 2]})
    assert check(module, inputs={"x0": [1, 1]}, delegates=[True]).builtins == {"DIV": 1}


def test_infinite_exponents_and_slopes(check: Check) -> None:
    given = {"x0": [0.25, 0.5, 2.0, 4.0]}
    check(single("pow", "f32[4]", "f32[]", constants={1: math.inf}), inputs=given)
    check(single("prelu", "f32[4]", "f32[1]", constants={1: [math.inf]}), inputs=given)


def test_infinities(check: Check) -> None:
    x = [math.inf, -math.inf, math.nan, 0, 1]
    for negative in (True, False):
        for positive in (True, False):
            check(single("is_inf", "f32[5]", negative=negative, positive=positive), inputs={"x0": x})
    check(single("is_nan", "f32[5]"), inputs={"x0": x})


RANKS = [
    ("f32[2,3,2,3,2]", "f32[2]", 2),
    ("f32[2,3,2,3,2]", "f32[3,1,1,1]", 3),
    ("f32[2,1,2,1,2]", "f32[2,3,2,3,1]", 0),
    ("f32[1,2,3,4,5,2]", "f32[3,4,5,2]", 3),
    ("f32[2,3,2,3,2,2]", "f32[2,3,1,1,2,2]", 3),
]


@pytest.mark.parametrize(("a", "b", "reshapes"), RANKS)
@pytest.mark.parametrize("name", ["add", "pow", "less", "squared_difference"])
def test_axes_fold_before_broadcasting(check: Check, name: str, a: str, b: str, reshapes: int) -> None:
    given = {"x0": np.abs(np.random.default_rng(1).standard_normal([int(d) for d in a[4:-1].split(",")])) + 0.1}
    out = check(single(name, a, b), inputs=given)
    assert out.builtins["RESHAPE"] == reshapes


@pytest.mark.parametrize("source", ["f32", "i32", "i64", "u8", "i8", "bool", "f16", "f64", "i16", "u16", "u32"])
@pytest.mark.parametrize("target", ["f32", "i32", "i64", "u8", "i8", "bool", "f16", "f64", "i16", "u16", "u32"])
def test_casts(check: Check, source: str, target: str) -> None:
    check(single("cast", f"{source}[2,6]", to=target), inputs={"x0": np.arange(12).reshape(2, 6)})


@pytest.mark.parametrize("dtype", ["f16", "f64"])
def test_other_floats_are_computed_in_f32(check: Check, dtype: str) -> None:
    # half precision is the tolerance here: intermediate results are not rounded to it, the reference's are
    text = f"""
    func @main(%x: {dtype}[2,3], %y: {dtype}[3]) -> ({dtype}[2,3]) {{
      %a = add(%x, %y) : {dtype}[2,3]
      %b = exp(%a) : {dtype}[2,3]
      %c = silu(%b) : {dtype}[2,3]
      return(%c)
    }}"""
    out = check(text, tolerance=2e-3 if dtype == "f16" else 1e-5)
    assert out.builtins == {"CAST": 3, "ADD": 1, "EXP": 1, "LOGISTIC": 1, "MUL": 1}
    assert any("computed in f32" in w for w in out.warnings)


def test_narrowing_is_said(check: Check) -> None:
    assert any("i64" in w for w in check(single("floor_div", "i64[4]", "i64[4]"), inputs={"x1": [1, 2, 3, 4]}).warnings)


@pytest.mark.parametrize(("name", "is_said"), [("pow", True), ("floor_div", False)])
def test_a_result_that_outgrows_its_operands_is_said(check: Check, name: str, is_said: bool) -> None:
    """What was i32 fits it, but not each of its powers does."""
    text = f"""
    func @main(%x: i32[4]) -> (i64[4]) {{
      %a = cast(%x) {{to = "i64"}} : i64[4]
      %y = {name}(%a, %a) : i64[4]
      return(%y)
    }}"""
    warnings = check(text, inputs={"x": [1, 2, 3, 4]}).warnings
    assert any(f"{name} of i64 is computed in i32" in w for w in warnings) is is_said


def test_infinite_values_of_functions(check: Check) -> None:
    """Kernels outside of XNNPACK cut infinite sums, products and quotients to the largest number."""
    check(single("atanh", "f32[5]"), inputs={"x0": [-1, -0.5, 0, 0.25, 1]})
    check(single("log1p", "f32[4]"), inputs={"x0": [-1, 1e-9, 0, 20]})


def test_a_division_of_one_number_stays_exact(check: Check) -> None:
    """It may be the scale that a tensor is rounded by, where the last bit decides about halves."""
    seven = np.float32(7)
    assert seven / np.float32(255) != seven * (np.float32(1) / np.float32(255))
    divided = {size: single("div", f"f32[{size}]", "f32[]", constants={1: np.asarray(255.0)}) for size in (1, 8)}
    found = check(divided[1], inputs={"x0": [seven]}, tolerance=0)
    assert found.builtins == {"DIV": 1}
    assert check(divided[8]).builtins == {"MUL": 1}

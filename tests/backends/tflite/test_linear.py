"""Matrix products and normalisations in the TFLite runtime."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from nhwcc.compiler.pipeline import Pipeline, parse_pipeline

from .conftest import Check, single
from .test_refusals import refused


@pytest.mark.parametrize("x", ["f32[5]", "f32[3,5]", "f32[2,3,5]", "f32[2,1,3,2,2,5]", "f32[2,1,3,2,2,2,5]"])
@pytest.mark.parametrize("activation", ["none", "relu"])
def test_linear(check: Check, x: str, activation: str) -> None:
    module = single("linear", x, "f32[4,5]", "f32[4]", constants={1: 1, 2: 2}, activation=activation)
    assert check(module).builtins["FULLY_CONNECTED"] == 1


@pytest.mark.parametrize("x", ["f32[5]", "f32[2,1,3,2,2,2,5]"])
def test_linear_that_counts_its_axis_from_the_front(check: Check, x: str) -> None:
    module = single("linear", x, "f32[4,5]", "f32[4]", constants={1: 1, 2: 2}, axis=x.count(","))
    assert check(module).builtins["FULLY_CONNECTED"] == 1


def test_linear_without_bias_and_of_unknown_sizes(check: Check) -> None:
    module = single("linear", "f32[n,t,5]", "f32[4,5]", None, constants={1: 1})
    out = check(module, sizes=[{"n": 1, "t": 2}, {"n": 3, "t": 1}, {"n": 2, "t": 5}])
    assert out.builtins == {"FULLY_CONNECTED": 1} and out.requires == "TFLite 2.0.0 or later"


@pytest.mark.parametrize("x", ["f32[5]", "f32[2,3,5]"])
def test_linear_with_computed_weight(check: Check, x: str) -> None:
    module = single("linear", x, "f32[4,5]", "f32[4]", activation="relu6")
    assert check(module).builtins["BATCH_MATMUL"] == 1


@pytest.mark.parametrize("transpose_b", [False, True])
@pytest.mark.parametrize("lead", ["", "1,1,"])
def test_constant_matrix(check: Check, lead: str, transpose_b: bool) -> None:
    b = f"f32[{lead}{'6,5' if transpose_b else '5,6'}]"
    out = check(single("matmul", "f32[2,3,4,5]", b, constants={1: 1}, transpose_b=transpose_b))
    assert out.builtins == {"FULLY_CONNECTED": 1}


PRODUCTS = [
    ("f32[4,5]", "f32[5,6]", False, False),
    ("f32[5,4]", "f32[6,5]", True, True),
    ("f32[2,3,4,5]", "f32[2,3,5,6]", False, False),
    ("f32[2,3,4,5]", "f32[3,6,5]", False, True),
    ("f32[2,1,5,4]", "f32[3,5,6]", True, False),
    ("f32[2,1,2,3,4,5]", "f32[2,3,2,1,5,6]", False, False),
    ("f32[2,2,2,3,4,5]", "f32[5,6]", False, False),
]


@pytest.mark.parametrize(("a", "b", "ta", "tb"), PRODUCTS)
@pytest.mark.parametrize("fixed", [None, 0, 1])
def test_products(check: Check, a: str, b: str, ta: bool, tb: bool, fixed: int | None) -> None:
    constants = {} if fixed is None else {fixed: 1}
    check(single("matmul", a, b, transpose_a=ta, transpose_b=tb, constants=constants))


def test_products_of_unknown_sizes(check: Check) -> None:
    sizes = [{"n": 1, "t": 2, "h": 3}, {"n": 3, "t": 1, "h": 1}, {"n": 2, "t": 5, "h": 2}]
    check(single("matmul", "f32[n,h,t,4]", "f32[n,h,4,t]"), sizes=sizes)
    check(single("matmul", "f32[n,h,t,4]", "f32[n,h,t,4]", transpose_b=True), sizes=sizes)


def test_products_of_integers(check: Check) -> None:
    out = check(single("matmul", "i32[3,4]", "i32[4,5]"))
    assert any("2^24" in w for w in out.warnings)
    assert not check(single("matmul", "u8[3,4]", "u8[4,5]")).warnings


WRAPPING = [[255, 0], [0, 255], [3, 1], [128, 128]]


@pytest.mark.parametrize("activation", ["none", "relu6"])
def test_products_of_small_integers_overflow_before_they_are_clamped(check: Check, activation: str) -> None:
    fixed = {1: WRAPPING, 2: [0, 1, 2, 3]}
    module = single("linear", "u8[3,2]", "u8[4,2]", "u8[4]", constants=fixed, activation=activation)
    check(module, inputs={"x0": [[200, 3], [17, 0], [1, 254]]})


@pytest.mark.parametrize("axis", [0, 1, 2, 3])
@pytest.mark.parametrize("name", ["softmax", "log_softmax"])
def test_softmax(check: Check, name: str, axis: int) -> None:
    out = check(single(name, "f32[2,3,4,5]", axis=axis))
    assert (out.builtins == {name.upper(): 1}) == (axis == 3)


@pytest.mark.parametrize("axis", [0, 3, 6])
def test_softmax_of_many_axes(check: Check, axis: int) -> None:
    check(single("softmax", "f32[2,3,2,3,1,2,3]", axis=axis))
    check(single("log_softmax", "f32[2,3,2,3,1,2,3]", axis=axis))


def test_softmax_of_large_numbers_and_unknown_sizes(check: Check) -> None:
    check(single("softmax", "f32[2,3]", axis=0), inputs={"x0": [[1e4, 0, -1e4], [0, 0, 1e4]]})
    check(single("softmax", "f32[n,c,t]", axis=1), sizes=[{"n": 1, "c": 2, "t": 3}, {"n": 2, "c": 4, "t": 1}])


@pytest.mark.parametrize("axis", [1, 3])
def test_batch_norm(check: Check, axis: int) -> None:
    parameters = {1: 1, 2: 2, 3: 3, 4: [0.5, 1.0, 2.0, 0.1]}
    out = check(single("batch_norm", "f32[2,4,3,4]", *["f32[4]"] * 4, constants=parameters, axis=axis))
    assert out.builtins == {"MUL": 1, "ADD": 1}
    check(single("batch_norm", "f32[2,4]", *["f32[4]"] * 4, axis=1), inputs={"x4": [0.5, 1.0, 2.0, 0.1]})


@pytest.mark.parametrize(("dims", "shape"), [((2,), "f32[5]"), ((1, 2), "f32[4,5]"), ((1,), "f32[4,1]")])
def test_layer_norm(check: Check, dims: tuple[int, ...], shape: str) -> None:
    out = check(single("layer_norm", "f32[3,4,5]", shape, shape, constants={1: 1, 2: 2}, dims=dims))
    assert "POW" not in out.builtins and out.builtins["RSQRT"] == 1
    check(single("layer_norm", "f32[n,4,t]", None, None, dims=dims), sizes=[{"n": 1, "t": 3}, {"n": 2, "t": 7}])


def test_rms_norm(check: Check) -> None:
    check(single("rms_norm", "f32[3,4,5]", "f32[5]", constants={1: 1}, dims=(2,)))
    check(single("rms_norm", "f32[3,4,5]", None, dims=(1, 2)))


@pytest.mark.parametrize("groups", [1, 2, 6])
@pytest.mark.parametrize(
    ("x", "axis"), [("f32[2,6,4,5]", 1), ("f32[2,4,5,6]", 3), ("f32[2,4,6,5]", 2), ("f32[2,6]", 1)]
)
def test_group_norm(check: Check, x: str, axis: int, groups: int) -> None:
    if x.count(",") == 1 and groups == 6:
        return  # one element has no variance
    out = check(single("group_norm", x, "f32[6]", "f32[6]", constants={1: 1, 2: 2}, groups=groups, axis=axis))
    assert ("RESHAPE" in out.builtins) == (groups not in (1, 6))


@pytest.mark.parametrize(("size", "axis"), [(5, 1), (5, 3), (4, 3), (4, 1), (1, 3)])
def test_local_response_norm(check: Check, size: int, axis: int) -> None:
    given: dict[str, Any] = {"size": size, "axis": axis, "alpha": 0.3, "beta": 0.6, "bias": 1.5}
    check(
        single("local_response_norm", "f32[2,7,4,7]", **given),
        inputs={"x0": np.random.default_rng(0).random((2, 7, 4, 7)) * 3},
    )


KINDS = ["sum", "mean", "max", "min", "prod", "l1", "l2", "sum_square", "log_sum_exp"]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(("dims", "keepdims"), [((1,), True), ((0, 2), False), ((0, 1, 2, 3), False), ((2, 3), True)])
def test_reductions(check: Check, kind: str, dims: tuple[int, ...], keepdims: bool) -> None:
    check(single("reduce", "f32[2,3,4,2]", kind=kind, dims=dims, keepdims=keepdims))


def test_logarithm_of_sum(check: Check) -> None:
    x = np.random.default_rng(0).random((3, 4)) + 0.1
    check(single("reduce", "f32[3,4]", kind="log_sum", dims=(1,)), inputs={"x0": x})


def test_log_sum_exp_of_infinities(check: Check) -> None:
    inf = np.inf
    x = [[-inf, -inf], [-inf, 3], [inf, 1], [200, 201]]
    check(
        single("reduce", "f32[4,2]", kind="log_sum_exp", dims=(1,), keepdims=False), inputs={"x0": x}, delegates=[True]
    )
    check(
        single("reduce", "f32[4,2]", kind="log_sum_exp", dims=(1,)),
        inputs={"x0": [[1e3, 1e3], [0, -1e3], [1, 2], [3, 4]]},
    )


@pytest.mark.parametrize("kind", ["sum", "mean", "max", "min", "prod", "l1"])
@pytest.mark.parametrize("dtype", ["i32", "i64", "i8", "u8"])
def test_reductions_of_integers(check: Check, kind: str, dtype: str) -> None:
    check(single("reduce", f"{dtype}[3,4]", kind=kind, dims=(1,)))


@pytest.mark.parametrize("kind", ["any", "all"])
@pytest.mark.parametrize("dtype", ["bool", "i32", "f32"])
def test_truth(check: Check, kind: str, dtype: str) -> None:
    check(single("reduce", f"{dtype}[3,2]", kind=kind, dims=(1,), keepdims=False))


@pytest.mark.parametrize("kind", [*KINDS, "any"])
def test_reducing_nothing(check: Check, kind: str) -> None:
    check(single("reduce", "bool[3,2]" if kind == "any" else "f32[3,2]", kind=kind, dims=()))


@pytest.mark.parametrize("dims", [(0, 1, 2), (3, 4, 5, 6), (2, 3), (0, 1, 4, 5)])
def test_reductions_of_many_axes(check: Check, dims: tuple[int, ...]) -> None:
    check(single("reduce", "f32[2,3,2,3,1,2,3]", kind="sum", dims=dims, keepdims=False))


def test_reductions_of_unknown_sizes(check: Check) -> None:
    sizes = [{"n": 1, "t": 2}, {"n": 3, "t": 1}, {"n": 2, "t": 5}]
    check(single("reduce", "f32[n,t,3]", kind="mean", dims=(1,), keepdims=False), sizes=sizes)


@pytest.mark.parametrize("size", [1, 2, 3, 5, 8])
def test_determinants(check: Check, size: int) -> None:
    check(single("det", f"f32[2,3,{size},{size}]"))
    check(single("det", f"f32[{size},{size}]"))


def test_large_determinants_are_refused() -> None:
    assert "determinants of 13 rows; at most 12" in str(refused(single("det", "f32[13,13]")))


def test_the_inverse_of_no_rows_is_itself() -> None:
    """The runtime computes nothing of empty tensors, so this is about the rewrite alone."""
    module = single("inverse", "f32[n,0,0]")
    Pipeline(parse_pipeline("legalize")).run(module)
    assert [op.spec.name for op in module.walk()] == ["return"]


SCALED = """
func @main(%x: f32[n,4]) -> (f32[n,3]) {
  %q = const() {value = dense<[[1, 2, 3], [4, 5, 6], [7, 8, 9], [1, 2, 3]]> : TYPE[4,3]} : TYPE[4,3]
  %s = const() {value = dense<[0.5, 0.25, 1.0]> : f32[3]} : f32[3]
  %z = const() {value = dense<ZERO> : f32[]} : f32[]
  %a = cast(%q) {to = "f32"} : f32[4,3]
  %b = sub(%a, %z) : f32[4,3]
  %w = mul(FACTORS) : f32[4,3]
  %y = matmul(%x, %w) : f32[n,3]
  return(%y)
}
"""


@pytest.mark.parametrize("factors", ["%a, %s", "%s, %b"])
@pytest.mark.parametrize("dtype", ["i8", "u8"])
def test_weights_that_a_network_scales_are_stored_with_their_scales(check: Check, dtype: str, factors: str) -> None:
    """They would be converted in every call."""
    text = SCALED.replace("TYPE", dtype).replace("FACTORS", factors).replace("ZERO", "3.0")
    found = check(text, sizes=[{"n": 2}])
    assert found.builtins["CAST"] == 0 and found.builtins["DEQUANTIZE"] == 1


@pytest.mark.parametrize("zero", ["0.5", "-1.0"])
def test_zero_points_that_are_no_integers_of_the_type_are_subtracted(check: Check, zero: str) -> None:
    text = SCALED.replace("TYPE", "u8").replace("FACTORS", "%b, %s").replace("ZERO", zero)
    assert check(text, sizes=[{"n": 2}]).builtins["DEQUANTIZE"] == 0

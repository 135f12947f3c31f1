"""Picking elements by computed positions, and ordering them, in the TFLite runtime."""

from __future__ import annotations

from itertools import product
from typing import Any

import numpy as np
import pytest

from .conftest import Check, single

INDICES = ["i32", "i64"]


@pytest.mark.parametrize("dtype", [*INDICES, "u8", "i16"])
@pytest.mark.parametrize("axis", [0, 2])
def test_gather(check: Check, axis: int, dtype: str) -> None:
    last = 1 if dtype == "u8" else -1
    check(single("gather", "f32[3,4,5]", f"{dtype}[2,2]", axis=axis), inputs={"x1": [[0, last], [2, 1]]})


def test_gather_at_constant_places(check: Check) -> None:
    module = single("gather", "f32[3,4,5]", "i64[3]", axis=1, constants={1: [0, -1, 2]})
    assert check(module).builtins == {"GATHER": 1}
    module = single("gather", "f32[3,4,5]", "i64[]", axis=1, constants={1: np.asarray(-1)})
    assert check(module).builtins == {"GATHER": 1}


def test_gather_of_unknown_sizes(check: Check) -> None:
    sizes = [{"n": 4, "t": 2}, {"n": 5, "t": 1}]
    check(single("gather", "f32[n,4]", "i64[t]", axis=0), sizes=sizes)


@pytest.mark.parametrize("dtype", INDICES)
@pytest.mark.parametrize(
    ("x", "indices", "batch"),
    [("3,4,5", "2,2", 0), ("3,4,5", "2,3", 0), ("3,4,5", "3,2,1", 1), ("2,3,4,5", "2,3,2,2", 2)],
)
def test_gather_nd(check: Check, x: str, indices: str, batch: int, dtype: str) -> None:
    shape = [int(d) for d in indices.split(",")]
    places = np.random.default_rng(0).integers(-3, 3, shape)
    check(single("gather_nd", f"f32[{x}]", f"{dtype}[{indices}]", batch_dims=batch), inputs={"x1": places})


@pytest.mark.parametrize("dtype", INDICES)
@pytest.mark.parametrize("axis", [0, 1, 2])
@pytest.mark.parametrize("fixed", [False, True])
def test_gather_elements(check: Check, axis: int, dtype: str, fixed: bool) -> None:
    places = np.random.default_rng(0).integers(-3, 3, (2, 3, 4))
    constants = {1: places} if fixed else {}
    out = check(
        single("gather_elements", "f32[3,4,5]", f"{dtype}[2,3,4]", axis=axis, constants=constants),
        inputs={} if fixed else {"x1": places},
    )
    assert out.builtins["GATHER"] == 1 and ("FLOOR_MOD" in out.builtins) != fixed


@pytest.mark.parametrize(("reduction", "fixed"), list(product(["none", "add", "mul", "max", "min"], [False, True])))
@pytest.mark.parametrize("dtype", INDICES)
def test_scatter_nd(check: Check, reduction: str, fixed: bool, dtype: str) -> None:
    if reduction in ("mul", "max", "min") and not fixed:
        return  # refused: see test_errors
    places = [[0, 1], [2, -1], [1, 0]]
    types = ("f32[3,4,5]", f"{dtype}[3,2]", "f32[3,5]")
    out = check(
        single("scatter_nd", *types, reduction=reduction, constants={1: places} if fixed else {}),
        inputs={} if fixed else {"x1": places},
    )
    assert ("SCATTER_ND" in out.builtins) != fixed


def test_scattered_sums_at_the_same_place(check: Check) -> None:
    for fixed in (False, True):
        module = single(
            "scatter_nd",
            "f32[4,2]",
            "i64[3,1]",
            "f32[3,2]",
            reduction="add",
            constants={1: [[1], [1], [3]]} if fixed else {},
        )
        check(module, inputs={} if fixed else {"x1": [[1], [1], [3]]})


@pytest.mark.parametrize("given", ["const", "broadcast", "reshaped"])
def test_one_number_may_be_put_several_times_at_one_place(check: Check, given: str) -> None:
    """The kernel adds up: of the largest integer, twice of it would be -2."""
    numbers = {
        "const": f"const() {{value = dense<{[[2**63 - 1] * 2] * 3}> : i64[3,2]}} : i64[3,2]",
        "broadcast": "broadcast_to(%z) {shape = [3, 2]} : i64[3,2]",
        "reshaped": "reshape(%b) {shape = [3, 2]} : i64[3,2]",
    }
    text = f"""
    func @main(%x: i64[4,2], %at: i64[3,1], %z: i64[]) -> (i64[4,2]) {{
      %b = broadcast_to(%z) {{shape = [2, 3]}} : i64[2,3]
      %u = {numbers[given]}
      %y = scatter_nd(%x, %at, %u) : i64[4,2]
      return(%y)
    }}
    """
    out = check(text, inputs={"at": [[1], [1], [3]]})
    assert out.builtins["SCATTER_ND"] == 1


@pytest.mark.parametrize("axis", [0, 1])
@pytest.mark.parametrize("reduction", ["none", "add"])
@pytest.mark.parametrize("fixed", [False, True])
def test_scatter_elements(check: Check, axis: int, reduction: str, fixed: bool) -> None:
    places = [[0, 2, 1], [1, 0, -1]] if axis == 1 else [[0, 1, -1], [1, 0, 1]]
    module = single(
        "scatter_elements",
        "f32[3,4]",
        "i64[2,3]",
        "f32[2,3]",
        axis=axis,
        reduction=reduction,
        constants={1: places} if fixed else {},
    )
    check(module, inputs={} if fixed else {"x1": places})


@pytest.mark.parametrize("dtype", ["i32", "i64", "bool", "u8"])
def test_scatter_of_other_types(check: Check, dtype: str) -> None:
    check(single("scatter_nd", f"{dtype}[4,2]", "i64[2,1]", f"{dtype}[2,2]"), inputs={"x1": [[3], [1]]})


@pytest.mark.parametrize("axis", [0, 1, 2])
@pytest.mark.parametrize("fixed", [False, True])
@pytest.mark.parametrize("dtype", INDICES)
def test_one_hot(check: Check, axis: int, fixed: bool, dtype: str) -> None:
    module = single("one_hot", f"{dtype}[2,3]", "f32[2]", depth=4, axis=axis, constants={1: [-1, 2]} if fixed else {})
    check(module, inputs={"x0": [[0, 3, -1], [-4, 5, -6]]})


def test_one_hot_of_unknown_depth(check: Check) -> None:
    text = """
    func @main(%places: i32[3], %like: f32[n,2]) -> (f32[3,n] {name = "y"}, f32[n,2] {name = "z"}) {
      %values = const() {value = dense<[0.0, 1.0]> : f32[2]} : f32[2]
      %y = one_hot(%places, %values) {depth = 'n', axis = 1} : f32[3,n]
      return(%y, %like)
    }"""
    check(text, inputs={"places": [2, -1, 7]}, sizes=[{"n": 3}, {"n": 4}, {"n": 9}])


@pytest.mark.parametrize("name", ["arg_max", "arg_min"])
@pytest.mark.parametrize(("keepdims", "last"), list(product([False, True], repeat=2)))
@pytest.mark.parametrize("dtype", ["f32", "i32", "i64", "u8"])
def test_extreme_positions(check: Check, name: str, keepdims: bool, last: bool, dtype: str) -> None:
    x = [[1, 3, 3, 0, 0], [2, 2, 2, 2, 2], [0, 1, 2, 3, 4]]
    for axis in (0, 1):
        check(single(name, f"{dtype}[3,5]", axis=axis, keepdims=keepdims, last=last), inputs={"x0": x})
    check(single(name, "f32[3,5]", axis=1, dtype="i32"), inputs={"x0": x})


def test_extreme_positions_of_unknown_sizes(check: Check) -> None:
    for last in (False, True):
        check(single("arg_max", "f32[n,t]", axis=1, last=last), sizes=[{"n": 1, "t": 3}, {"n": 2, "t": 7}])


@pytest.mark.parametrize("largest", [True, False])
@pytest.mark.parametrize("axis", [0, 1])
@pytest.mark.parametrize("dtype", ["f32", "i32", "i64", "u8"])
def test_top_k(check: Check, axis: int, largest: bool, dtype: str) -> None:
    x = [[1, 3, 3, 0, 0], [2, 2, 2, 2, 2], [0, 1, 2, 3, 4]]
    check(single("top_k", f"{dtype}[3,5]", k=2, axis=axis, largest=largest), inputs={"x0": x})
    check(single("top_k", "f32[3,5]", k=3, axis=axis, largest=largest, dtype="i32"), inputs={"x0": x})


def test_top_k_of_the_smallest_number_there_is(check: Check) -> None:
    least = np.iinfo(np.int32).min
    check(single("top_k", "i32[4]", k=2, axis=0, largest=False), inputs={"x0": [5, least, -3, 0]})


@pytest.mark.parametrize(("exclusive", "reverse"), list(product([False, True], repeat=2)))
@pytest.mark.parametrize("dtype", ["f32", "i32", "i64", "u8"])
def test_cum_sum(check: Check, exclusive: bool, reverse: bool, dtype: str) -> None:
    given: dict[str, Any] = {"exclusive": exclusive, "reverse": reverse}
    for axis in (0, 1):
        check(single("cum_sum", f"{dtype}[3,4]", axis=axis, **given))


@pytest.mark.parametrize("upper", [False, True])
@pytest.mark.parametrize("k", [-1, 0, 2])
def test_triangles(check: Check, k: int, upper: bool) -> None:
    check(single("trilu", "f32[2,4,5]", k=k, upper=upper), inputs={"x0": np.full((2, 4, 5), -np.inf)}, delegates=[True])
    check(single("trilu", "f32[2,t,n]", k=k, upper=upper), sizes=[{"n": 1, "t": 3}, {"n": 4, "t": 2}])
    check(single("trilu", "i64[4,5]", k=k, upper=upper))


@pytest.mark.parametrize("wraps", [True, False])
def test_positions_that_never_count_back(check: Check, wraps: bool) -> None:
    """Where a source has no negative positions, none have to be found."""
    module = single("gather", "f32[4,3]", "i32[2]", axis=0, wraps=wraps)
    wrapping = {"FLOOR_MOD": 1} if wraps else {}
    assert check(module, inputs={"x1": [3, 0]}).builtins == {"GATHER": 1} | wrapping


def test_negative_positions_give_no_hit(check: Check) -> None:
    module = single("one_hot", "i32[3]", "f32[2]", constants={1: [0, 1]}, depth=3, axis=1, wraps=False)
    assert check(module, inputs={"x0": [-1, 2, 5]}).builtins == {"ONE_HOT": 1}


def test_negative_positions_choose_no_computed_value(check: Check) -> None:
    module = single("one_hot", "i32[3]", "f32[2]", depth=3, axis=1, wraps=False)
    assert check(module, inputs={"x0": [-1, 2, 5]}).builtins["LESS"] == 0


def test_positions_of_64_bits_are_converted_where_they_come_from(check: Check) -> None:
    out = check(single("gather", "f32[4,3]", "i64[2]", axis=0, wraps=False), inputs={"x1": [3, 0]})
    assert out.builtins == {"CAST": 1, "GATHER": 1}
    constant = single("gather", "f32[4,3]", "i64[2]", constants={1: [3, 0]}, axis=0)
    assert check(constant).builtins == {"GATHER": 1}
    found = check(single("arg_max", "f32[3,5]", axis=1, keepdims=False))
    assert found.builtins == {"ARG_MAX": 1, "CAST": 1}

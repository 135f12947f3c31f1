"""Results whose size depends on data: positions, different elements."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from nhwcc.compiler.dims import symbol

from .conftest import Check, single
from .test_refusals import refused

N = symbol("found")

ROWS = [[1, 0, 1], [0, 2, 5], [1, 0, 1], [0, 2, 4], [0, 2, 5]]


@pytest.mark.parametrize("dtype", ["f32", "bool", "i32", "i64", "u8", "f16", "u64"])
@pytest.mark.parametrize("rows", [False, True])
def test_positions(check: Check, dtype: str, rows: bool) -> None:
    for x in ([[0, 1, 0], [2, 0, 3]], [[0, 0, 0], [0, 0, 0]]):
        check(single("non_zero", f"{dtype}[2,3]", count=N, rows=rows), inputs={"x0": x})


def test_what_follows_knows_the_number(check: Check) -> None:
    text = """
    func @main(%x: f32[2,3]) -> (f32[n] {name = "y"}) {
      %places = non_zero(%x) {count = 'n', rows = true} : i64[n,2]
      %found = gather_nd(%x, %places) : f32[n]
      %one = const() {value = dense<1.0> : f32[]} : f32[]
      %ones = broadcast_to(%one) {shape = ['n']} : f32[n]
      %y = add(%found, %ones) : f32[n]
      return(%y)
    }"""
    for x in ([[0, 1, 0], [2, 0, 3]], [[1, 1, 1], [1, 1, 1]]):
        check(text, inputs={"x": x})


def test_the_position_of_one_number_is_refused() -> None:
    assert "which has no axes" in str(refused(single("non_zero", "f32[]", count=N)))


@pytest.mark.parametrize("sorted", [False, True])
@pytest.mark.parametrize("dtype", ["f32", "i32", "i64", "u8"])
def test_different_elements(check: Check, dtype: str, sorted: bool) -> None:
    for x in ([[2, 1, 1], [3, 4, 3]], [[7, 7, 7], [7, 7, 7]], [[5, 4, 3], [2, 1, 0]]):
        check(single("unique", f"{dtype}[2,3]", count=N, sorted=sorted), inputs={"x0": x})
    check(single("unique", f"{dtype}[1]", count=N, sorted=sorted))
    check(single("unique", f"{dtype}[4]", count=N, sorted=sorted, axis=0), inputs={"x0": [3, 1, 1, 3]})


@pytest.mark.parametrize("sorted", [False, True])
@pytest.mark.parametrize("dtype", ["f32", "i64"])
def test_different_slices(check: Check, dtype: str, sorted: bool) -> None:
    for axis, x in ((0, ROWS), (1, np.transpose(ROWS))):
        shape = ",".join(map(str, np.shape(x)))
        check(single("unique", f"{dtype}[{shape}]", count=N, sorted=sorted, axis=axis), inputs={"x0": x})
    deep: Any = np.random.default_rng(1).integers(0, 2, (2, 6, 2))
    check(single("unique", f"{dtype}[2,6,2]", count=N, sorted=sorted, axis=1), inputs={"x0": deep})


def test_too_many_pairs_are_refused() -> None:
    assert "which are compared in pairs" in str(refused(single("unique", "f32[8000,9]", count=N, axis=0)))

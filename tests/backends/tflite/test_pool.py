"""Poolings in the TFLite runtime."""

from __future__ import annotations

from itertools import product
from typing import Any

import numpy as np
import pytest
from nhwcc.compiler.parser import parse_module

from .conftest import Check, single


def pool(kind: str, x: str, kernel: int, **given: Any) -> Any:
    rank = x.count(",") - 1
    ones = (1,) * rank
    pads = given.pop("pads", ((0, 0),) * rank)
    idle: dict[str, Any] = {"kernel": (kernel,) * rank, "strides": ones, "dilations": ones, "channels_last": True}
    return single(f"{kind}_pool", x, pads=pads, **(idle | given))


CASES = [
    (8, 2, 2, (0, 0)),
    (8, 3, 1, (1, 1)),
    (8, 3, 2, (0, 1)),
    (8, 3, 2, (1, 1)),
    (7, 3, 2, (1, 1)),
    (9, 2, 3, (1, 0)),
    (8, 4, 3, (2, 2)),
]


@pytest.mark.parametrize(("size", "kernel", "stride", "pads"), CASES)
@pytest.mark.parametrize("ceil", [False, True])
def test_maximum(check: Check, size: int, kernel: int, stride: int, pads: Any, ceil: bool) -> None:
    x = f"f32[2,{size},{size},3]"
    check(pool("max", x, kernel, strides=(stride,) * 2, pads=(pads,) * 2, ceil=ceil))


@pytest.mark.parametrize(("size", "kernel", "stride", "pads"), CASES)
@pytest.mark.parametrize(("ceil", "count_pads"), list(product([False, True], repeat=2)))
def test_average(check: Check, size: int, kernel: int, stride: int, pads: Any, ceil: bool, count_pads: bool) -> None:
    x = f"f32[2,{size},{size},3]"
    given: dict[str, Any] = {"strides": (stride,) * 2, "pads": (pads,) * 2, "ceil": ceil, "count_pads": count_pads}
    check(pool("average", x, kernel, **given))


def test_a_window_that_is_larger_than_what_it_hangs_over(check: Check) -> None:
    """One position, which starts inside: no window as a whole has room."""
    given: dict[str, Any] = {"strides": (2, 2), "pads": ((0, 1), (0, 1)), "ceil": True}
    check(pool("max", "f32[1,7,1,2]", 3, **given))
    check(pool("average", "f32[1,7,1,2]", 3, **given))


@pytest.mark.parametrize("dtype", ["i64", "i32", "i8"])
@pytest.mark.parametrize("dilation", [1, 2])
def test_integers(check: Check, dtype: str, dilation: int) -> None:
    """What is put around them for a maximum must not be cut to zero on the way; averages end at whole numbers."""
    given: dict[str, Any] = {"pads": ((1, 1),) * 2, "dilations": (dilation,) * 2}
    negative = -1 - np.arange(128).reshape(1, 8, 8, 2) % 100
    check(pool("max", f"{dtype}[1,8,8,2]", 3, **given), inputs={"x0": negative})
    strides: dict[str, Any] = {"strides": (3, 3), "ceil": True, "count_pads": True}
    check(pool("average", f"{dtype}[1,9,9,2]", 4, **strides), inputs={"x0": np.full((1, 9, 9, 2), 12)})


@pytest.mark.parametrize(
    ("kind", "given", "builtins"),
    [
        ("max", {"pads": ((1, 1),) * 2}, {"MAX_POOL_2D": 1}),
        ("max", {"pads": ((2, 0),) * 2}, {"PADV2": 1, "MAX_POOL_2D": 1}),
        ("average", {"pads": ((1, 1),) * 2}, {"AVERAGE_POOL_2D": 1}),
        ("average", {"pads": ((1, 1),) * 2, "count_pads": True}, {"PAD": 1, "AVERAGE_POOL_2D": 1}),
        ("average", {"pads": ((2, 0),) * 2}, {"PAD": 1, "AVERAGE_POOL_2D": 1, "MUL": 1}),
    ],
)
def test_builtins(check: Check, kind: str, given: dict[str, Any], builtins: dict[str, int]) -> None:
    assert check(pool(kind, "f32[1,8,8,3]", 3, **given)).builtins == builtins


def test_zeros_pad_what_is_not_negative(check: Check) -> None:
    text = """
    func @main(%x: f32[1,8,8,3]) -> (f32[1,4,4,3]) {
      %r = relu(%x) : f32[1,8,8,3]
      %y = max_pool(%r) {kernel = [3, 3], strides = [2, 2], dilations = [1, 1], pads = [[1, 1], [1, 1]],
                         channels_last = true} : f32[1,4,4,3]
      return(%y)
    }"""
    assert check(parse_module(text)).builtins == {"RELU": 1, "PAD": 1, "MAX_POOL_2D": 1}


@pytest.mark.parametrize("kind", ["max", "average"])
@pytest.mark.parametrize("pads", [(0, 0), (1, 1), (0, 1)])
def test_unknown_sizes(check: Check, kind: str, pads: Any) -> None:
    sizes = [{"n": 1, "h": 5, "w": 4}, {"n": 2, "h": 9, "w": 6}, {"n": 3, "h": 3, "w": 3}]
    given: dict[str, Any] = {"count_pads": True} if kind == "average" else {}
    check(pool(kind, "f32[n,h,w,3]", 2 if pads == (0, 1) else 3, pads=(pads,) * 2, **given), sizes=sizes)


@pytest.mark.parametrize("kind", ["max", "average"])
def test_other_ranks(check: Check, kind: str) -> None:
    check(pool(kind, "f32[2,9,3]", 3, strides=(2,), pads=((1, 1),)))
    check(pool(kind, "f32[2,3,9]", 3, strides=(2,), pads=((1, 1),), channels_last=False))
    check(pool(kind, "f32[2,3,8,8]", 3, pads=((1, 1),) * 2, channels_last=False))
    check(pool(kind, "f32[2,5,6,7,3]", 3, strides=(1, 2, 2), pads=((1, 1),) * 3))
    check(pool(kind, "f32[2,3,5,6,7]", 2, strides=(2, 2, 2), ceil=True, channels_last=False))


@pytest.mark.parametrize("kind", ["max", "average"])
@pytest.mark.parametrize("stride", [1, 2])
def test_dilated(check: Check, kind: str, stride: int) -> None:
    given: dict[str, Any] = {"dilations": (2, 1), "pads": ((1, 2), (1, 1)), "strides": (stride,) * 2}
    check(pool(kind, "f32[2,9,8,3]", 3, **given))


@pytest.mark.parametrize("p", [1, 2, 3])
def test_norms(check: Check, p: int) -> None:
    check(pool("lp", "f32[2,8,8,3]", 3, p=p, strides=(2, 2), pads=((1, 1),) * 2))
    check(pool("lp", "f32[2,3,8]", 3, p=p, strides=(2,), ceil=True, channels_last=False))


@pytest.mark.parametrize("dtype", ["i8", "u8", "i32"])
def test_maximum_of_integers(check: Check, dtype: str) -> None:
    check(pool("max", f"{dtype}[1,8,8,3]", 2, strides=(2, 2)))


@pytest.mark.parametrize("dtype", ["f32", "u8", "f16"])
@pytest.mark.parametrize("column_major", [False, True])
def test_positions_of_maxima(check: Check, dtype: str, column_major: bool) -> None:
    for size, kernel, strides, dilations, pads in (
        ("7,8", (3, 2), (2, 1), (1, 2), ((1, 1), (0, 1))),
        ("9", (3,), (2,), (1,), ((0, 0),)),
        ("4,3,5", (2, 2, 2), (1, 1, 2), (1, 1, 1), ((0, 0), (1, 0), (0, 0))),
    ):
        given: dict[str, Any] = {"kernel": kernel, "strides": strides, "dilations": dilations, "pads": pads}
        module = single("max_pool_positions", f"{dtype}[2,3,{size}]", ceil=True, column_major=column_major, **given)
        check(module)


def test_norm_of_volumes(check: Check) -> None:
    given: dict[str, Any] = {"kernel": (2, 3, 2), "strides": (1, 2, 1), "dilations": (1, 1, 1)}
    check(single("lp_pool", "f32[1,4,7,5,3]", pads=((1, 0), (0, 0), (0, 1)), p=3, channels_last=True, **given))

"""NaN in inputs: what kernels of the target make of it is said where it is not what the source makes of it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import nhwcc

NET = """func @main(%x: f32[n,4,8,8], %z: f32[n,4,8,8]) -> ({type} {{name = "y"}}) {{
  %a = add(%x, %z) : f32[n,4,8,8]
  %y = {op} : {type} loc("the/op")
  return(%y)
}}"""
POOL = "{kernel = [2, 2], strides = [2, 2], dilations = [1, 1], pads = [[0, 0], [0, 0]]}"


def warnings(op: str, type: str, **options: object) -> list[str]:
    done = nhwcc.compile(NET.format(op=op, type=type).encode(), **options)  # pyright: ignore[reportArgumentType]
    assert done.report.verification is not None and done.report.verification.proven
    return done.report.warnings


@pytest.mark.parametrize(
    ("op", "type", "named"),
    [
        ("max(%x, %z)", "f32[n,4,8,8]", "max at"),
        ("min(%a, %z)", "f32[n,4,8,8]", "min at"),
        ('reduce(%a) {kind = "max", dims = [1], keepdims = true}', "f32[n,1,8,8]", "reduce at"),
        (f"max_pool(%a) {POOL}", "f32[n,4,4,4]", "max_pool at"),
    ],
)
def test_kernels_that_ignore_nan_are_named(op: str, type: str, named: str) -> None:
    (text,) = warnings(op, type)
    assert text.startswith("where inputs are NaN, y departs from the reference interpreter in ")
    assert named in text and "the/op" in text


@pytest.mark.parametrize("op", ["relu(%a)", "exp(%a)", "max(%a, %a)"])
def test_nothing_is_said_where_nan_stays_nan(op: str) -> None:
    assert warnings(op, "f32[n,4,8,8]") == []


def test_the_users_data_says_what_inputs_are(tmp_path: Path) -> None:
    arrays = {
        name: np.random.default_rng(i).normal(size=(1, 4, 8, 8)).astype(np.float32) for i, name in enumerate("xz")
    }
    np.savez(tmp_path / "data.npz", **arrays)  # pyright: ignore[reportArgumentType]
    assert warnings("max(%x, %z)", "f32[n,4,8,8]", data=tmp_path / "data.npz") == []

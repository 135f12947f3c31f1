"""Types of 64 bits: f64 and u64 beyond what f32 and i64 hold."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from .conftest import Check, single

F64 = [[1e300, -1e-310, 1 + 2.0**-50], [np.inf, 2.0**60 + 256, 0.1]]
U64 = [[2**64 - 1, 2**63, 0], [2**63 - 1, 7, 2**40 + 3]]


@pytest.mark.parametrize("name", ["add", "sub", "mul", "max", "min"])
@pytest.mark.parametrize("other", ["2,3", "3", ""])
def test_arithmetic_of_f64(check: Check, name: str, other: str) -> None:
    out = check(single(name, "f64[2,3]", f"f64[{other}]"), inputs={"x0": F64}, tolerance=0)
    assert not out.warnings
    check(single(name, "f64[2,3]", f"f64[{other}]", constants={1: 3}), inputs={"x0": F64}, tolerance=0)


def test_activations_of_f64(check: Check) -> None:
    out = check(single("sub", "f64[2,3]", "f64[3]", activation="relu"))
    assert out.warnings == ["1 value of f64 is computed in f32: TFLite has no kernels for f64"]


@pytest.mark.parametrize("dtype", ["f64", "u64"])
def test_moves(check: Check, dtype: str) -> None:
    given = {"x0": F64 if dtype == "f64" else U64}
    moves: list[tuple[str, dict[str, Any]]] = [
        ("transpose", {"perm": (1, 0)}),
        ("reshape", {"shape": (3, 2)}),
        ("slice", {"starts": (0, 2), "sizes": (2, 2), "steps": (1, -1)}),
        ("broadcast_to", {"shape": (2, 2, 3)}),
        ("tile", {"repeats": (2, 1)}),
        ("reverse", {"dims": (0, 1)}),
        ("pad", {"low": (1, 0), "high": (0, 1)}),
        ("pad", {"low": (1, 0), "high": (0, 1), "value": 1.0}),
        ("pad", {"low": (0, 2), "high": (1, 0), "value": 3e9}),
    ]
    for name, fields in moves:
        check(single(name, f"{dtype}[2,3]", **fields), inputs=given, tolerance=0)
    check(single("concat", f"{dtype}[2,3]", f"{dtype}[2,3]", axis=0), inputs=given, tolerance=0)
    check(single("gather", f"{dtype}[2,3]", "i32[2]", axis=1), inputs=given | {"x1": [2, -1]}, tolerance=0)
    check(single("select", "bool[2,3]", f"{dtype}[2,3]", f"{dtype}[3]"), inputs={"x1": given["x0"]}, tolerance=0)


@pytest.mark.parametrize("name", ["add", "sub", "mul", "max", "min", "bitwise_and", "bitwise_or", "bitwise_xor"])
def test_arithmetic_of_u64(check: Check, name: str) -> None:
    check(single(name, "u64[2,3]", "u64[2,1]"), inputs={"x0": U64, "x1": [[2**63 + 5], [9]]})


@pytest.mark.parametrize("name", ["equal", "not_equal", "less", "less_equal", "greater", "greater_equal"])
def test_comparisons_of_u64(check: Check, name: str) -> None:
    check(single(name, "u64[2,3]", "u64[2,1]"), inputs={"x0": U64, "x1": [[2**63], [7]]})


@pytest.mark.parametrize("name", ["div", "floor_div", "mod", "shift_right"])
def test_quotients_of_u64(check: Check, name: str) -> None:
    out = check(single(name, "u64[3]", "u64[3]"), inputs={"x0": [90, 7, 2**30], "x1": [7, 7, 3]})
    assert any("numbers beyond 2^63 would count as negative" in text for text in out.warnings)


@pytest.mark.parametrize("kind", ["sum", "prod", "max", "min"])
def test_reductions_of_u64(check: Check, kind: str) -> None:
    check(single("reduce", "u64[2,3]", kind=kind, dims=(1,)), inputs={"x0": U64})


def test_ordering_of_u64(check: Check) -> None:
    for largest in (True, False):
        check(single("top_k", "u64[2,3]", k=2, axis=1, largest=largest), inputs={"x0": U64})


@pytest.mark.parametrize("other", ["f32", "f64", "i32", "i64", "u8", "bool", "u32"])
def test_conversions_of_u64(check: Check, other: str) -> None:
    check(single("cast", "u64[2,3]", to=other), inputs={"x0": U64})
    given = [0, 1, 200, 5] if other not in ("f32", "f64") else [0.5, 2.0**63, 1.5 * 2.0**63, 3.7]
    check(single("cast", f"{other}[4]", to="u64"), inputs={"x0": given})


@pytest.mark.parametrize(
    ("source", "to"), [("f32", "i32"), ("u64", "i64"), ("f64", "u64"), ("u8", "i8"), ("f16", "i16")]
)
def test_bit_casts(check: Check, source: str, to: str) -> None:
    assert check(single("bit_cast", f"{source}[2,3]", to=to), tolerance=0).builtins == {"BITCAST": 1}

"""The table of operators says what TensorFlow itself says, and every row names one of them."""

from __future__ import annotations

import pytest
from nhwcc.backends.registry import find_target
from nhwcc.backends.tensorflow.operators import TABLE, operators
from nhwcc.compiler.types import DType

from .kernels_of import line


def test_operators_are_those_of_tensorflow() -> None:
    pytest.importorskip("tensorflow", reason="TensorFlow says which kernels it has")
    assert TABLE.read_text(encoding="utf-8").splitlines() == [line(name) for name in sorted(operators())]


def test_every_operator_is_used() -> None:
    """By a row, or by what stands around operations: constants, sizes, names."""
    rows = [row for rows in find_target("saved_model").table.rows.values() for row in rows]
    around = {"BiasAdd", "Identity", "Transpose", "Reshape", "Slice", "ConcatV2", "Shape"}
    assert {row.kernel for row in rows} | around == set(operators())


def test_types_tell_attributes() -> None:
    concat = operators()["ConcatV2"]
    assert concat.attributes([DType.F32, DType.F32, DType.I32], [DType.F32]) == {
        "T": DType.F32,
        "N": 2,
        "Tidx": DType.I32,
    }
    one_hot = operators()["OneHot"]
    given = [DType.I64, DType.I32, DType.F32, DType.F32]
    assert one_hot.attributes(given, [DType.F32]) == {"TI": DType.I64, "T": DType.F32}
    assert (
        one_hot.why_not([DType.I64, *given[:1], *given[2:]], [DType.F32])
        == "OneHot takes depth of i32 only, not of i64"
    )
    loop = operators()["StatelessWhile"]
    assert loop.attributes([DType.F32, DType.I32], [DType.F32, DType.I32]) == {"T": (DType.F32, DType.I32)}


def test_why_there_is_no_kernel() -> None:
    add = operators()["AddV2"]
    assert add.why_not([DType.F32, DType.F32], [DType.F32]) is None
    assert add.why_not([DType.F32, DType.I32], [DType.F32]) == "AddV2 takes y of f32 only, not of i32"
    assert add.why_not([DType.BOOL, DType.BOOL], [DType.BOOL]) == "AddV2 has no kernel for x of bool"

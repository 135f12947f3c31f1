"""Comparing numbers: what is close, what differs, what proves nothing."""

from __future__ import annotations

from typing import Any

import ml_dtypes
import numpy as np
import pytest
from nhwcc.compiler.types import Array

from nhwcc.numerics import compare, compare_unordered

ONES = np.asarray([1.0, -2.0, 4.0], np.float32)
NAN, INF = np.nan, np.inf


def floats(*values: float) -> Array:
    return np.asarray(values, np.float32)


class TestFloats:
    def test_equal(self) -> None:
        found = compare(ONES, ONES)
        assert (found.status, found.error, found.relative, found.differing, found.size) == ("ok", 0, 0, 0, 3)

    def test_errors_are_relative_to_the_largest_value(self) -> None:
        found = compare(ONES, ONES + floats(0, 0, 4e-4), tolerance=1.1e-4)
        assert (
            found.ok
            and found.error == pytest.approx(4e-4, rel=1e-3)
            and found.relative == pytest.approx(1e-4, rel=1e-3)
        )
        assert not compare(ONES, ONES + floats(0, 0, 4e-4), tolerance=0.9e-4).ok

    def test_a_small_element_may_be_wrong_by_what_a_large_one_may(self) -> None:
        assert compare(floats(1000, 0), floats(1000, 0.05)).ok
        assert not compare(floats(1, 0), floats(1, 0.05)).ok

    def test_what_differs_is_counted(self) -> None:
        found = compare(ONES, floats(1, 2, 5))
        assert (found.status, found.error, found.differing, found.note) == ("differs", 4, 2, "2 of 3 differ")

    def test_tiny_values_are_not_blown_up(self) -> None:
        assert compare(floats(0, 0, 1e-12), floats(0, 1e-12, 0)).ok
        assert not compare(floats(0, 0, 1e-3), floats(0, 1e-3, 0)).ok

    def test_another_shape_or_kind(self) -> None:
        assert compare(ONES, ONES[:2]).note == "shape [2], not [3]"
        assert compare(ONES, ONES.astype(np.int32)).note == "element type int32, not float32"
        assert compare(ONES, ONES.astype(np.float64)).ok, "another width is fine"

    @pytest.mark.parametrize("dtype", [np.float16, ml_dtypes.bfloat16])
    def test_narrow_floats(self, dtype: Any) -> None:
        assert compare(ONES.astype(dtype), ONES.astype(dtype)).ok
        assert not compare(ONES.astype(dtype), (ONES + 1).astype(dtype)).ok

    def test_complex(self) -> None:
        z = np.asarray([1 + 2j, 3], np.complex64)
        assert compare(z, z).ok and not compare(z, z.conj()).ok


class TestNotANumber:
    def test_at_the_same_places(self) -> None:
        found = compare(floats(1, NAN, INF, -INF, 2), floats(1, NAN, INF, -INF, 2))
        assert found.status == "ok" and found.note == "3 of 5 are NaN or infinite, on both sides" and found.error == 0

    @pytest.mark.parametrize(
        ("want", "got"), [(1, NAN), (NAN, 1), (INF, -INF), (INF, 1), (1, INF), (NAN, INF), (INF, NAN), (-INF, NAN)]
    )
    def test_on_one_side_only(self, want: float, got: float) -> None:
        found = compare(floats(1, want), floats(1, got))
        assert not found.ok and found.differing == 1 and "NaN or infinite on one side only" in found.note

    def test_everywhere_proves_nothing(self) -> None:
        found = compare(floats(NAN, NAN), floats(NAN, NAN))
        assert found.status == "not proven" and found.ok

    def test_the_rest_is_compared_nevertheless(self) -> None:
        assert not compare(floats(NAN, 1), floats(NAN, 2)).ok


class TestProof:
    def test_a_constant_proves_nothing(self) -> None:
        assert compare(np.zeros(4, np.float32), np.zeros(4, np.float32)).status == "not proven"
        assert compare(floats(7), floats(7)).status == "ok", "one element is all there is"

    def test_nothing_proves_nothing(self) -> None:
        assert compare(floats(), floats()).status == "not proven"

    def test_a_wrong_constant_is_wrong(self) -> None:
        assert compare(np.zeros(4, np.float32), np.ones(4, np.float32)).status == "differs"


class TestIntegers:
    def test_exact(self) -> None:
        a = np.arange(10)
        found = compare(a, np.where(a == 5, 7, a))
        assert (found.status, found.error, found.differing) == ("differs", 2, 1)
        assert compare(a, a.astype(np.int32)).status == "ok"

    def test_a_small_share_may_be_tipped_by_rounding(self) -> None:
        a = np.zeros(100_000, np.int64)
        b = a.copy()
        b[:10] = 3
        assert compare(a, b).ok and compare(a, b).note == "10 of 100000 differ"
        b[:11] = 3
        assert not compare(a, b).ok

    def test_large_values_are_compared_exactly(self) -> None:
        a = np.asarray([2**62], np.int64)
        assert not compare(a, a + 1).ok

    def test_booleans(self) -> None:
        a = np.asarray([True, False])
        assert compare(a, a).ok and not compare(a, ~a).ok

    def test_unsigned_and_sub_byte(self) -> None:
        a = np.asarray([0, 255], np.uint8)
        assert compare(a, a).ok and not compare(a, a[::-1]).ok
        b = np.asarray([-8, 7], ml_dtypes.int4)
        assert compare(b, b).ok and not compare(b, b[::-1]).ok


class TestUnordered:
    def test_any_order_and_shape(self) -> None:
        a = np.random.default_rng(0).standard_normal((2, 3, 4)).astype(np.float32)
        assert compare_unordered(a, a.transpose(2, 0, 1)).ok
        assert compare_unordered(a, a.reshape(6, 4)[::-1]).ok
        assert not compare_unordered(a, a + 1).ok

    def test_another_number_of_elements(self) -> None:
        assert not compare_unordered(ONES, ONES[:2]).ok

    def test_not_a_number_is_sorted_to_the_end(self) -> None:
        assert compare_unordered(floats(NAN, 1, 2), floats(2, NAN, 1)).ok
        assert not compare_unordered(floats(NAN, 1, 2), floats(2, 3, 1)).ok

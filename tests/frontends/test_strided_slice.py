"""Entries of a strided slice, and the axes that they are about."""

from __future__ import annotations

from nhwcc.frontends.common.strided_slice import Masks, cuts_of


def test_one_ellipsis_stands_for_the_other_axes() -> None:
    span = (0, 1, 1)
    found = cuts_of((2, 3, 4), [span, span], Masks(0, 0, 0b01, 0, 0))
    assert found is not None and found.axes == [0, 1, 2]


def test_two_ellipses_fit_nothing() -> None:
    span = (0, 1, 1)
    assert cuts_of((2, 3, 4), [span, span], Masks(0, 0, 0b11, 0, 0)) is None

"""Layouts in words: which there are, what they mean at each rank, and what is said of others."""

from __future__ import annotations

import pytest
from nhwcc.compiler.diagnostics import CompileError
from nhwcc.compiler.ir import Port, Value
from nhwcc.compiler.layouts import choices, general_perm, layout_perm, parse_io_layout
from nhwcc.compiler.types import parse_type
from nhwcc.passes.propagate_layout import Pins


@pytest.mark.parametrize(
    ("word", "rank", "perm"),
    [
        ("nchw", 4, (0, 1, 2, 3)),
        ("nhwc", 4, (0, 2, 3, 1)),
        ("ncw", 3, (0, 1, 2)),
        ("ntc", 3, (0, 2, 1)),
        ("ndhwc", 5, (0, 2, 3, 4, 1)),
        ("ncthw", 5, (0, 1, 2, 3, 4)),
        ("nc", 2, (0, 1)),
        ("3/0/1/2", 4, (3, 0, 1, 2)),
        ("keep", 6, (0, 1, 2, 3, 4, 5)),
        ("nhwc", 3, None),
        ("nchw", 5, None),
        ("nwhc", 4, None),
        ("0/1", 3, None),
        ("0/0/1", 3, None),
        ("1/2/3", 3, None),
    ],
)
def test_meaning(word: str, rank: int, perm: tuple[int, ...] | None) -> None:
    assert layout_perm(word, rank) == perm


def test_words_for_all_tensors_leave_others_alone() -> None:
    assert [general_perm("nhwc", rank) for rank in (0, 1, 2, 3, 5)] == [(), (0,), (0, 1), (0, 2, 1), (0, 2, 3, 4, 1)]
    assert general_perm("nchw", 3) == (0, 1, 2) and general_perm("0/2/1", 4) == (0, 1, 2, 3)


def test_mixed() -> None:
    found = parse_io_layout(" NHWC ; x=keep, y = 0/2/1 ;")
    assert found.default == "nhwc" and found.named == {"x": "keep", "y": "0/2/1"}
    assert parse_io_layout("").default == "free"


@pytest.mark.parametrize(
    "text", ["nwhc", "nhcw", "x=nwhc", "hwc", "0/1/1", "x=", "=", "nhwc;keep", "x=keep;x=nhwc", "²/1"]
)
def test_what_is_refused(text: str) -> None:
    with pytest.raises(CompileError) as caught:
        parse_io_layout(text)
    assert caught.value.diagnostics[0].code == "L005"


def test_a_layout_of_another_rank_lists_what_there_is() -> None:
    value = Value(parse_type("f32[1,4,9]"))
    with pytest.raises(CompileError) as caught:
        Pins.of("x=nchw").axes(Port("x"), value)
    told = caught.value.diagnostics[0]
    assert told.code == "L005" and told.help == f"there are {choices(3)}" and "nwc" in choices(3)
    assert Pins.of("nchw").axes(Port("x"), value) == (0, 1, 2)

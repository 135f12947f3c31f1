"""Codes of diagnostics: every one that is raised is explained, every one that is explained is raised."""

from __future__ import annotations

import pickle
import re
from pathlib import Path

import pytest
from nhwcc.compiler.codes import CODES, FAMILIES
from nhwcc.compiler.diagnostics import (
    CompileError,
    Diagnostic,
    Location,
    Remark,
    at,
    collect_remarks,
    error,
    here,
    remark,
    remarks_wanted,
)

ROOT = Path(__file__).parents[2]
TREES = ("compiler", "formats", "passes", "frontends", "backends", "nhwcc")
RAISED = {
    code
    for tree in TREES
    for path in (ROOT / tree).rglob("*.py")
    if path.name != "codes.py"
    for code in re.findall(r'"([A-Z][0-9]{3})"', path.read_text(encoding="utf-8"))
}


OTHER_WORDS = {"I420"}
"""What only looks like a code: a format of pictures."""


def test_every_raised_code_is_explained() -> None:
    assert RAISED - OTHER_WORDS - CODES.keys() == set()


def test_every_explained_code_is_raised() -> None:
    assert CODES.keys() - RAISED == set()


@pytest.mark.parametrize("code", CODES)
def test_explanations_are_sentences(code: str) -> None:
    entry = CODES[code]
    assert code[0] in FAMILIES
    assert entry.title == entry.title[0].lower() + entry.title[1:] or entry.title.split()[0].isupper()
    assert not entry.title.endswith(".")
    for text in (entry.cause, entry.remedy):
        assert text.endswith(".") and (text[0].isupper() or text.startswith(("nhwcc ", "docs/"))), text


def test_a_diagnostic_says_what_where_and_what_to_do() -> None:
    text = Diagnostic(
        "error", "T001", "no fit", Location("conv", "m.onnx", ("relu",)), "a\nb", ["%a is f32[1]"], "turn it"
    ).render()
    assert text.splitlines() == [
        "error[T001]: no fit",
        '  --> m.onnx: node "conv" (with relu)',
        "   | a",
        "   | b",
        "   = note: %a is f32[1]",
        "   = help: turn it",
    ]


def test_an_error_shows_all_of_its_diagnostics() -> None:
    assert str(CompileError(Diagnostic("error", "A", "x"), Diagnostic("warning", "B", "y"))) == (
        "error[A]: x\n\nwarning[B]: y"
    )


def test_an_error_shows_what_was_added_later_and_can_be_copied() -> None:
    bad = CompileError(Diagnostic("error", "A", "x"))
    bad.diagnostics[0].notes.append("seen from afar")
    again = pickle.loads(pickle.dumps(bad))
    assert "seen from afar" in str(bad) and str(again) == str(bad) and again.diagnostics == bad.diagnostics


def test_places_are_ambient_and_nest() -> None:
    outer, inner = Location("outer"), Location("inner")
    with at(outer):
        with at(inner):
            assert here() is inner
        assert error("T001", "x").diagnostics[0].location is outer
    assert here() is None


def test_fusing_places() -> None:
    assert Location.fuse([None, None]) is None
    fused = Location.fuse([Location("a", "m", ("b",)), None, Location("c", "m", ("a", "d"))])
    assert fused == Location("a", "m", ("b", "c", "d"))


def test_remarks_reach_every_listener() -> None:
    assert not remarks_wanted()
    with collect_remarks() as outer, collect_remarks() as inner:
        assert remarks_wanted()
        remark(Remark("note", "me", "hello"))
    remark(Remark("note", "me", "to nobody"))
    assert [r.text for r in outer] == [r.text for r in inner] == ["hello"]

"""A sample of PyTorch's operators: the committed lists say whose first samples are right.

Nothing may slip back unseen.  ``make conformance`` runs all of them and writes the lists anew.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.opinfo import BAD, Judge, Row, Tally

EVERY = 30
"""One operator of so many is run by default, with its first samples."""

STAGES = ("interpreter", "tflite")


def passing(stage: str) -> set[str]:
    return set(Path(__file__).with_name(f"{stage}.passing").read_text(encoding="utf-8").splitlines())


@pytest.fixture(scope="module")
def rows() -> list[Row]:
    with Judge() as judge:
        names = judge.names()
        assert passing("interpreter") <= set(names), "the list is of another version of torch"
        return list(judge.run(names[::EVERY], 1))


def test_lists_agree() -> None:
    assert passing("tflite") < passing("interpreter")


@pytest.mark.parametrize("stage", STAGES)
def test_sample(rows: list[Row], stage: str) -> None:
    """Exactly the listed operators are right, and the others are refused with a code."""
    tallies: dict[str, Tally] = {r.operator: r.ir if stage == "interpreter" else r.tflite for r in rows}
    right = {name for name, tally in tallies.items() if tally.verdict == "right"}
    assert right == passing(stage) & tallies.keys()
    assert [(name, t.why) for name, t in tallies.items() if t.verdict in BAD] == []
    assert all(t.codes for t in tallies.values() if t.verdict == "refused")

"""Metrics of what a network is for: built-in ones, the user's, and what they decide."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from nhwcc.compiler.diagnostics import CompileError
from nhwcc.compiler.types import Array

from nhwcc.quantization.goal import Goal
from nhwcc.quantization.measure import measure
from nhwcc.quantization.metrics import METRICS, Metric, check_metric, parse_metric, parse_share
from nhwcc.quantization.report import Candidate, Trial

A = np.asarray([[1.0, 2.0, 3.0], [3.0, 2.0, 1.0]], np.float32)


def value(name: str, *pairs: tuple[Array, Array]) -> float:
    return parse_metric(name)([{"y": a} for a, _ in pairs], [{"y": b} for _, b in pairs])


@pytest.mark.parametrize("name", METRICS)
def test_nothing_is_lost(name: str) -> None:
    assert value(name, (A, A), (A - 2, A - 2)) == pytest.approx(1)
    assert value(name, (A * 0, A * 0)) == 1 and parse_metric(name)([], []) == 1


def test_angles() -> None:
    east, north = np.asarray([1.0, 0.0], np.float32), np.asarray([0.0, 5.0], np.float32)
    assert value("cosine", (east, north)) == 0 and value("cosine", (east, -east)) == -1
    assert value("cosine", (east, east), (east, north)) == 0.5 and value("cosine", (east, east * 0)) == 0


def test_labels() -> None:
    assert value("top1", (A, A[::-1])) == 0 and value("top1", (A, A * [4, 1, 1])) == 0.5


def test_masks() -> None:
    probabilities, logits = np.asarray([0.1, 0.6, 0.9, 0.7]), np.asarray([-3.0, 0.2, 5.0, 1.0])
    assert value("iou", (probabilities, np.asarray([0.2, 0.4, 0.9, 0.6]))) == pytest.approx(2 / 3)
    assert value("iou", (logits, np.asarray([1.0, 0.1, 4.0, 1.0]))) == 0.75


def test_the_worst_output_counts() -> None:
    want, got = [{"a": A, "b": A, "n": np.arange(3)}], [{"a": A, "b": A[::-1], "n": np.arange(3) + 1}]
    assert parse_metric("top1")(want, got) == 0


def test_the_user_s_own(tmp_path: Path) -> None:
    path = tmp_path / "own.py"
    path.write_text("def half(want, got):\n    return len(got) / 2\ndef word(want, got):\n    return 'good'\n")
    assert parse_metric(f"{path}:half")([{}], [{}]) == 0.5
    with pytest.raises(CompileError, match=r"L010.*word gives 'good'"):
        parse_metric(f"{path}:word")([{}], [{}])
    with pytest.raises(CompileError, match=r"L010.*nan"):
        Metric("n", lambda _a, _b: float("nan"))([{}], [{}])
    for result in (np.ones(3), np.ones(0), 97.5, None):
        with pytest.raises(CompileError, match=r"L010.*not a number up to 1"):
            Metric("n", lambda _a, _b, result=result: result)([{}], [{}])
    assert Metric("n", lambda _a, _b: np.full(1, 0.5))([{}], [{}]) == 0.5
    (tmp_path / "one.py").write_text("def one(got):\n    return 1.0\n")
    with pytest.raises(CompileError, match=r"L010.*2 arguments.*one\(got\)"):
        parse_metric(f"{tmp_path / 'one.py'}:one")


@pytest.mark.parametrize(("text", "code"), [("cosin", "L004"), ("gone.py:f", "R010"), ("gone.txt:f", "L004")])
def test_there_is_no_such_metric(text: str, code: str) -> None:
    with pytest.raises(CompileError, match=code):
        check_metric(text)


@pytest.mark.parametrize("text", ["0", "-1%", "101%", "few", "", "nan"])
def test_no_share(text: str) -> None:
    with pytest.raises(CompileError, match="L004"):
        parse_share(text)


def trial(least: float, kept: float | None = None) -> Trial:
    return Trial(Candidate("int8"), least, least, 1, kept=kept)


def test_what_is_asked_for() -> None:
    top1 = Metric("top1", METRICS["top1"])
    assert Goal().required() == 10 and Goal(30.0).required() == 30 and Goal(max_error=0.01).required() == 40
    assert Goal(30.0, max_error=0.1).required() == 30 and Goal(metric=top1).required() == 10
    assert Goal(20.0).loss(trial(20)) == 1 and Goal(20.0).loss(trial(10)) == pytest.approx(10)
    assert Goal(None, top1, 0.02).loss(trial(-5, 0.99)) == pytest.approx(0.5)
    assert Goal(10.0, top1, 0.02).loss(trial(0, 0.99)) == pytest.approx(10)
    assert Goal(metric=top1).rank(trial(5, 0.9), 5) > Goal(metric=top1).rank(trial(9, 0.8), 9)


def test_infinite_scores_may_stay_what_they_are() -> None:
    """What is masked is infinite in floats, too."""
    want, got = np.asarray([[1.0, -np.inf]], np.float32), np.asarray([[0.9, -np.inf]], np.float32)
    assert measure([{"y": want}], [{"y": got}])[0].sqnr == pytest.approx(20, abs=1e-4)
    assert measure([{"y": want}], [{"y": np.zeros_like(got)}])[0].sqnr == -200
    assert measure([{"y": want}], [{"y": np.where(got < 0, -9, got)}])[0].sqnr == -200

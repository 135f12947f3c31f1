"""The choice among modes: ranges from samples need a reserve, since new inputs leave them."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

import pytest
from nhwcc.compiler.options import QuantizationMode

from nhwcc.quantization import choose as choosing
from nhwcc.quantization.choose import choose
from nhwcc.quantization.goal import Goal
from nhwcc.quantization.report import Candidate, Trial


def trial(mode: QuantizationMode, decibels: float, time: float) -> Trial:
    return Trial(Candidate(mode), decibels, decibels, 1000, time=time)


@pytest.mark.parametrize(("decibels", "taken"), [(21.0, "dynamic-int8"), (24.0, "int8")])
def test_the_fastest_that_keeps_enough(monkeypatch: pytest.MonkeyPatch, decibels: float, taken: str) -> None:
    trials = {"int8": trial("int8", decibels, 0.3), "dynamic-int8": trial("dynamic-int8", 21.0, 0.5)}

    def best(mode: str, *_: object, timed: bool) -> Trial:
        assert timed
        return trials[mode]

    monkeypatch.setattr(choosing, "_best", best)
    bench = SimpleNamespace(goal=Goal(), target=SimpleNamespace(modes=tuple(trials)))
    found = choose("auto", cast("Any", bench), print)
    assert found.best.candidate.mode == taken

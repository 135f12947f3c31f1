"""The choice among modes: ranges from samples need a reserve, since new inputs leave them."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import pytest
from nhwcc.compiler.options import QuantizationMode

from nhwcc.quantization import choose as choosing
from nhwcc.quantization.calibrate import Seen
from nhwcc.quantization.choose import choose
from nhwcc.quantization.goal import Goal
from nhwcc.quantization.measure import CEILING, mean_distance
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


def test_a_score_that_is_lost_is_not_made_up_for_by_boxes() -> None:
    """Clamped ranges of a detector were nearer on average in decibels, but its scores were lost."""
    clamped, finer = [21.1, 32.0, 14.3, 23.1], [20.2, 32.1, 19.4, 18.0]
    assert sum(clamped) > sum(finer) and mean_distance(clamped) < mean_distance(finer) - 1
    assert mean_distance([]) == mean_distance([200.0]) == CEILING


class Corrections:
    """A bench on which biases as they are seem a little better alone, but weights need them corrected."""

    def __init__(self) -> None:
        self.trials: list[Trial] = []
        self.goal, self.is_calibrated = Goal(), True
        self.network = SimpleNamespace(is_known=True, can_equalize=False)
        self.target = SimpleNamespace(modes=())

    def run(self, candidate: Candidate, **_: object) -> Trial:
        decibels = {(True, False): 32.0, (False, False): 33.0, (True, True): 45.0, (False, True): 31.0}
        found = decibels[candidate.corrects_bias, candidate.rounds_together]
        self.trials.append(Trial(candidate, found, found, 1000))
        return self.trials[-1]


def test_weights_are_rounded_together_where_biases_are_corrected() -> None:
    bench = Corrections()
    found = choose("dynamic-int8", cast("Any", bench), print).best.candidate
    assert found.rounds_together and found.corrects_bias and len(bench.trials) == 3 + 1  # the best one on more samples


def test_half_of_what_recipes_are_compared_on_is_new() -> None:
    """Ranges that were taken from a sample fit it well; another one tells how they are."""
    seen = Seen(compared=4)
    numbers: list[int] = []
    for number in range(40):
        sample = {"x": np.full(1, number, np.float32)}
        if not seen.is_held(number, sample):
            numbers.append(number)
            seen.try_on(sample)
    tried = [int(sample["x"][0]) for sample in seen.tried]
    assert [n for n in tried if n in numbers] == [0, 1] and [n for n in tried if n not in numbers] == [7, 15]
    assert [int(sample["x"][0]) for sample in seen.held] == [3, 11, 19, 27, 35]
    assert sorted([*numbers, 7, 15, 3, 11, 19, 27, 35]) == list(range(40))


@pytest.mark.parametrize(("count", "most"), [(3, 5), (400, 64), (63, 64), (65, 64), (1000, 7)])
def test_few_of_many_samples_lie_evenly_among_them(count: int, most: int) -> None:
    """Folders are often sorted by what the pictures show."""
    samples = [{"x": np.full(1, number)} for number in range(count)]
    found = [int(sample["x"][0]) for sample in Seen(count=count).others(samples, most)]
    assert len(found) == min(count, most) and max(np.diff(found)) <= -(-count // most)
    held = Seen(count=4, apart={3})
    assert [int(s["x"][0]) for s in held.others([*samples[:3], {"x": np.full(1, 9)}], 8)] == [0, 1, 2]


def test_weights_are_rounded_for_one_network_only() -> None:
    """Rounding takes longest: whether channels are equalized is found out before."""
    bench = Corrections()
    bench.network.can_equalize = True
    choose("int8", cast("Any", bench), print)
    rounded = {t.candidate.equalization for t in bench.trials if t.candidate.rounds_together}
    assert len(rounded) == 1 and {t.candidate.equalization for t in bench.trials} == {0.0, 0.5}


@pytest.mark.parametrize(("more", "is_taken"), [(0.3, False), (0.9, True)])
def test_what_is_a_little_better_on_few_samples_is_as_good(more: float, is_taken: bool) -> None:
    class Alike(Corrections):
        def run(self, candidate: Candidate, **_: object) -> Trial:
            found = 40.0 + (more if candidate.equalization else 0.0)
            self.trials.append(Trial(candidate, found, found, 1000))
            return self.trials[-1]

    bench = Alike()
    bench.network.can_equalize = True
    found = choose("int8", cast("Any", bench), print).best.candidate
    assert found.method == "minmax" and found.corrects_bias and (found.equalization > 0) == is_taken

"""A sample of the sweep over all builtins in all versions, and what it found once."""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path

import pytest

from nhwcc.pipelines import register_passes

from .sweep import ABSENT, CALLS, KINDS, REFUSED, RIGHT, WRONG, Found, Sweep, versions

SAMPLE = 100
"""How many calls the default tests try of a few thousand."""


@pytest.fixture(scope="module")
def sweep(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sweep]:
    register_passes()
    made = Sweep(tmp_path_factory.mktemp("sweep"))
    yield made
    made.close()


def test_a_sample_is_right_or_refused(sweep: Sweep) -> None:
    known = versions()
    drawn = random.Random(0)
    found: list[Found] = []
    for case in drawn.sample([c for c in CALLS if c.builtin in known], SAMPLE):
        version = drawn.choice(known[case.builtin])
        one = sweep.try_integers(case, version, drawn.choice([*KINDS])) or sweep.try_call(case, version)
        found.append(one)
    assert not [f for f in found if f.verdict == WRONG]
    assert {f.verdict for f in found} <= {RIGHT, REFUSED, ABSENT}
    assert sum(f.verdict == RIGHT for f in found) > SAMPLE / 2


@pytest.mark.parametrize(
    "builtin",
    ["NEG", "FLOOR_DIV", "FLOOR_MOD", "SCATTER_ND", "STABLEHLO_ADD", "STABLEHLO_MULTIPLY", "HASHTABLE_LOOKUP"],
)
def test_kernels_that_take_integers_as_they_are(sweep: Sweep, builtin: str) -> None:
    """They ignore what integers stand for, so that zero is 0 and not a zero point."""
    case = next(c for c in CALLS if c.builtin == builtin and "f32" in str(c.results))
    found = sweep.try_integers(case, 1, "i8")
    assert found is not None
    assert (found.verdict, found.why) == (RIGHT, "")


def test_the_sweep_notices_another_meaning(sweep: Sweep, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    case = next(c for c in CALLS if c.builtin == "NEG")
    run = Sweep.run

    def doubled(self: Sweep, path: Path, inputs: dict[str, object], *, delegate: bool) -> object:
        found = run(self, path, inputs, delegate=delegate)  # pyright: ignore[reportArgumentType]
        return {name: 2 * array for name, array in found.items()} if isinstance(found, dict) else found

    monkeypatch.setattr(Sweep, "run", doubled)
    assert sweep.try_call(case, 1).verdict == WRONG

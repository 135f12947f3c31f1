"""Random numbers in the TFLite runtime: which ones is the runtime's own business, how they are spread is not."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from nhwcc.backends.tflite import emit
from nhwcc.compiler.diagnostics import collect_remarks
from nhwcc.compiler.pipeline import Pipeline, parse_pipeline
from nhwcc.compiler.types import Array

from .conftest import Worker, single


def draw(worker: Worker, path: Path, name: str, *types: str, **fields: object) -> tuple[Array, Array]:
    """Return what two calls draw; a constant operand is random."""
    module = single(name, *types, constants=None, **fields)  # pyright: ignore[reportArgumentType]
    with collect_remarks() as remarks:
        Pipeline(parse_pipeline("cse,fold-constants,legalize")).run(module)
    assert any("random numbers anew in each call" in r.text for r in remarks)
    emit(module, path / "m.tflite")
    given = {"x0": np.zeros((200, 50), np.float32)} if types else {}
    answer = worker.run(path / "m.tflite", [given, given], delegate=True)
    assert not isinstance(answer, str), answer
    return answer[0]["y0"], answer[1]["y0"]


@pytest.mark.parametrize("seed", [None, 5])
def test_uniform_and_normal(worker: Worker, tmp_path: Path, seed: int | None) -> None:
    a, b = draw(worker, tmp_path, "random_uniform", shape=(100, 100), seed=seed)
    assert (a != b).any() and a.min() >= 0 and a.max() < 1 and abs(a.mean() - 0.5) < 0.02
    a, b = draw(worker, tmp_path, "random_normal", shape=(100, 100), seed=seed)
    assert (a != b).any() and abs(a.mean()) < 0.05 and abs(a.std() - 1) < 0.05


def test_a_seed_stands_for_a_sequence(worker: Worker, tmp_path: Path) -> None:
    first, again = (draw(worker, tmp_path, "random_uniform", shape=(9,), seed=7) for _ in range(2))
    np.testing.assert_array_equal(first, again)


def test_choices(worker: Worker, tmp_path: Path) -> None:
    a, b = draw(worker, tmp_path, "random_choice", "f32[200,50]", count=30, seed=1)
    assert a.dtype == np.int64 and a.shape == (200, 30) and (a != b).any() and abs(a.mean() - 24.5) < 1

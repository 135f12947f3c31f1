"""Random numbers: of the right kind, drawn anew each time, in the same sequence for a seed."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from nhwcc.backends.registry import find_target
from nhwcc.compiler.parser import parse_module
from nhwcc.compiler.pipeline import Pipeline, parse_pipeline
from nhwcc.compiler.types import Array

from nhwcc.runners.openvino_file import OpenvinoFile


def drawn(path: Path, call: str, runs: int = 2) -> list[Array]:
    text = f'func @main(%n: i32[1]) -> ({call.rpartition(": ")[2]} {{name = "y"}}, i32[1] {{name = "m"}}) {{\n'
    module = parse_module(f"{text}  %y = {call}\n  %m = neg(%n) : i32[1]\n  return(%y, %m)\n}}")
    Pipeline(parse_pipeline("legalize{target=openvino}")).run(module)
    file = OpenvinoFile(find_target("openvino").emit(module, path / "model.xml").path)
    return [file.run({"n": np.zeros(1, np.int32)})["y"] for _ in range(runs)]


@pytest.mark.parametrize(
    ("call", "mean", "deviation"),
    [
        ("random_uniform() {shape = [100, 100]} : f32[100,100]", 0.5, 0.289),
        ("random_normal() {shape = [100, 100]} : f32[100,100]", 0.0, 1.0),
        ("random_normal() {shape = [100, 100], seed = 7} : f32[100,100]", 0.0, 1.0),
    ],
)
def test_numbers(tmp_path: Path, call: str, mean: float, deviation: float) -> None:
    first, second = drawn(tmp_path, call)
    assert abs(first.mean() - mean) < 0.05
    assert abs(first.std() - deviation) < 0.05
    assert np.isfinite(first).all()
    assert not np.array_equal(first, second)
    if "seed" in call:
        np.testing.assert_array_equal(drawn(tmp_path, call)[0], first)


def test_choices(tmp_path: Path) -> None:
    module = parse_module(
        """
func @main(%x: f32[2,3]) -> (i64[2,500] {name = "y"}) {
  %y = random_choice(%x) {count = 500} : i64[2,500]
  return(%y)
}
"""
    )
    Pipeline(parse_pipeline("legalize{target=openvino}")).run(module)
    file = OpenvinoFile(find_target("openvino").emit(module, tmp_path / "model.xml").path)
    found = file.run({"x": np.log(np.asarray([[0.8, 0.1, 0.1], [1e-9, 0.5, 0.5]], np.float32))})["y"]
    assert 0.7 < (found[0] == 0).mean() < 0.9
    assert (found[1] != 0).all()

"""The bench command: what it counts and compares; never how long anything takes."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from models import CONV, SMALL, write
from nhwcc.backends.tflite.stopwatch import Stopwatch
from nhwcc.formats.tflite.reader import inspect
from nhwcc.formats.tflite.single import single_operators

import nhwcc
from nhwcc.bench import Settings, bench

from .conftest import Call, as_json

QUICK = ("--rounds", 2, "--seconds", 0.001)
OPEN = """func @main(%x: f32[n,4]) -> (f32[n,4], i64[n,1]) {
  %y = gelu(%x) : f32[n,4]
  %i = arg_max(%x) {axis = 1, keepdims = true, dtype = "i64"} : i64[n,1]
  return(%y, %i)
}
"""


@pytest.fixture
def made(tmp_path: Path) -> Path:
    """A file with a convolution."""
    return Path(nhwcc.compile(write(tmp_path / "conv.ir", CONV), tmp_path / "conv.tflite").path)


class TestBench:
    def test_every_operator_is_counted_and_timed(self, call: Call, made: Path) -> None:
        result = call("bench", made, *QUICK, "--json")
        (found,) = as_json(result)["report"]
        counts = as_json(call("inspect", made, "--json"))["report"]["counts"]
        assert {k["name"]: k["count"] for k in found["kinds"]} == counts
        assert found["operators"] == sum(counts.values()) and found["bytes"] == made.stat().st_size
        assert all(k["milliseconds"] > 0 and not k["untimed"] for k in found["kinds"])
        assert found["milliseconds"]["low"] <= found["milliseconds"]["middle"] <= found["milliseconds"]["high"]
        assert found["faster"] == {"middle": 1.0, "low": 1.0, "high": 1.0}

    def test_beside_another_one(self, call: Call, made: Path, tmp_path: Path) -> None:
        other = Path(nhwcc.compile(write(tmp_path / "small.ir", SMALL), tmp_path / "small.tflite").path)
        result = call("bench", made, other, *QUICK)
        assert result.exit_code == 0
        assert result.stdout.count("times as fast as the first") == 1
        assert str(made) in result.stdout and str(other) in result.stdout

    def test_what_the_delegate_leaves(self, tmp_path: Path) -> None:
        path = Path(nhwcc.compile(write(tmp_path / "m.ir", OPEN.replace("n,", "3,")), tmp_path / "m.tflite").path)
        (found,) = bench([path], Settings(1, 0.001))
        left = {k.name: k.count - k.delegated for k in found.kinds}
        assert left["GELU"] == 0 and left["ARG_MAX"] == 1
        assert found.operators - found.delegated == sum(left.values())

    def test_open_sizes_are_given(self, call: Call, tmp_path: Path) -> None:
        path = Path(nhwcc.compile(write(tmp_path / "m.ir", OPEN), tmp_path / "m.tflite").path)
        assert call("bench", path, *QUICK, "--shape", "x=7,4").exit_code == 0
        assert call("bench", path, *QUICK).exit_code == 0

    def test_what_reads_sizes_is_not_timed_alone(self, tmp_path: Path) -> None:
        text = """func @main(%x: f32[n,4]) -> (f32[n-1,4]) {
          %y = slice(%x) {starts = [1, 0], sizes = ['n-1', 4], steps = [1, 1]} : f32[n-1,4]
          return(%y)
        }"""
        path = Path(nhwcc.compile(write(tmp_path / "m.ir", text), tmp_path / "m.tflite").path)
        (found,) = bench([path], Settings(1, 0.001, shapes={"x": (7, 4)}))
        assert {k.name: k.untimed for k in found.kinds}["SLICE"] > 0

    def test_operators_alone_have_the_sizes_of_the_run(self, tmp_path: Path) -> None:
        path = Path(nhwcc.compile(write(tmp_path / "m.ir", OPEN), tmp_path / "m.tflite").path)
        gelu = next(op for op in inspect(path).main.operators if op.name == "GELU")
        (single,) = (s for s in single_operators(path, {gelu.inputs[0]: (7, 4)}) if s.name == "GELU")
        assert single.file is not None
        (tmp_path / "alone.tflite").write_bytes(single.file)
        assert [t.shape for t in inspect(tmp_path / "alone.tflite").ports("inputs").values()] == [(7, 4)]

    def test_convolutions_of_open_sizes(self, call: Call, tmp_path: Path) -> None:
        """The runtime's kernels make tensors of their own, which the file does not have."""
        text = """func @main(%x: f32[1,4,h,w], %f: f32[3,4,3,3]) -> (f32[1,3,h,w]) {
          %y = conv(%x, %f) {strides = [1, 1], dilations = [1, 1], pads = [[1, 1], [1, 1]]} : f32[1,3,h,w]
          return(%y)
        }"""
        path = Path(nhwcc.compile(write(tmp_path / "m.ir", text), tmp_path / "m.tflite").path)
        assert call("bench", path, *QUICK, "--shape", "x=1,7,9,4").exit_code == 0

    @pytest.mark.parametrize(
        ("arguments", "said"),
        [
            (("--shape", "z=1,4"), "has no input 'z'"),
            (("--shape", "x=n,4"), "a run needs numbers"),
            (("--shape", "image=1,2,3"), "refuses"),
            (("--rounds", 0), "0 is not in the range"),
        ],
    )
    def test_what_is_wrong(self, call: Call, made: Path, arguments: tuple[object, ...], said: str) -> None:
        result = call("bench", made, "--seconds", 0.001, *arguments)
        assert result.exit_code in (1, 2)
        assert said in result.stderr

    def test_other_files(self, call: Call, tmp_path: Path) -> None:
        result = call("bench", write(tmp_path / "small.ir", SMALL))
        assert result.exit_code == 1
        assert "error[R015]" in result.stderr and "nhwcc compile" in result.stderr


def test_networks_of_microseconds_are_timed_in_seconds(tmp_path: Path) -> None:
    """Hundreds of thousands of runs are added up as they come."""
    nhwcc.compile(SMALL.encode(), tmp_path / "m.tflite", verify=False)
    watch = Stopwatch(tmp_path / "m.tflite", 1, {})
    ticks = iter(range(10**7))
    watch._clock = lambda: next(ticks) * 1e-6  # pyright: ignore[reportPrivateUsage]
    watch._model.run(watch._inputs())  # pyright: ignore[reportPrivateUsage]
    begun = time.process_time()
    assert len(watch.sample(0.1)) >= 10**5 - 1
    assert time.process_time() - begun < 10

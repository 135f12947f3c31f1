"""What calibration remembers: the same however samples are split, and in which order they come."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from nhwcc.compiler.diagnostics import CompileError
from nhwcc.compiler.scales import Range, Scale, round_weight, weight_scales
from nhwcc.compiler.types import Array, DType
from nhwcc.passes.quantization.statistics import BINS, Statistics, joined, load, save

RNG = np.random.default_rng(0)
ARRAYS = [(RNG.standard_normal((2, 5, 6)) * s + m).astype(np.float32) for s, m in ((1, 0), (30, 5), (1e-3, -2))]


def seen(*arrays: Array) -> Statistics:
    found = Statistics()
    for array in arrays:
        found.add(array)
    return found


def alike(a: Statistics, b: Statistics) -> bool:
    same = a.to_dict(), b.to_dict()
    sums = [s.pop("sums") for s in same]
    return same[0] == same[1] and np.allclose(*sums)


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 1, 0), (1, 2, 0)])
def test_parts_that_are_joined(order: tuple[int, ...]) -> None:
    whole = seen(*ARRAYS)
    runs = [{"v": seen(ARRAYS[i])} for i in order]
    assert alike(joined(runs)["v"], whole)


def test_a_file(tmp_path: Path) -> None:
    found = {"a": seen(*ARRAYS), "b": seen(ARRAYS[0])}
    save(found, tmp_path / "s.json")
    assert all(alike(found[name], other) for name, other in load(tmp_path / "s.json").items())


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"nhwcc-statistics": 9}', '{"nhwcc-statistics": 1, "tensors": 3}'])
def test_a_file_of_something_else(tmp_path: Path, text: str) -> None:
    (tmp_path / "s.json").write_text(text)
    with pytest.raises(CompileError, match="R010"):
        load(tmp_path / "s.json")


def test_memory_is_bounded() -> None:
    found = Statistics()
    for i in range(50):
        found.add(np.asarray([10.0**i, -(10.0 ** (i / 2))]) * 1e-20)
    assert found.histogram.counts.size <= BINS + 2 and found.histogram.counts.sum() == 100


def test_ranges() -> None:
    numbers = RNG.standard_normal(1 << 15).astype(np.float32)
    numbers[0] = 100.0
    found = seen(numbers)
    assert found.range() == Range(float(numbers.min()), 100.0)
    assert found.range("percentile").high < 60 and found.range("percentile").low <= -2
    assert found.range("mse").high < 100 and found.range("mse").low <= -2
    assert found.range("mse", floor=-1.0).low == -1.0


def test_least_error_is_less_than_that_of_the_whole_range() -> None:
    numbers = RNG.laplace(size=20000).astype(np.float32)
    found = seen(numbers)

    def error(range: Range) -> float:
        scale = Scale.of(range)
        rounded = np.clip(np.rint(numbers / scale.scale) + scale.zero, -128, 127)
        return float((((rounded - scale.zero) * scale.scale - numbers) ** 2).mean())

    assert error(found.range("mse")) < error(found.range()) and error(found.range("mse")) < error(
        found.range("percentile")
    )


def test_masks_are_no_numbers() -> None:
    found = seen(np.asarray([[1.0, -2.0, -3.4e38]], np.float32))
    assert found.range() == Range(-34.0, 1.0) and found.range("percentile") == Range(-34.0, 1.0)


def test_nothing_was_seen() -> None:
    assert seen(np.zeros((0, 3), np.float32)).range("mse") == Range(0.0, 0.0)


@pytest.mark.parametrize("dtype", [DType.I8, DType.U8, DType.I16])
@pytest.mark.parametrize("range", [Range(-1.0, 3.0), Range(0.0, 6.0), Range(-5.0, -1.0), Range(2.0, 9.0), Range(0, 0)])
def test_scales(range: Range, dtype: DType) -> None:
    scale = Scale.of(range, dtype)
    first, last = dtype.bounds
    assert first <= scale.zero <= last and (dtype is not DType.I16 or scale.zero == 0)
    for number in (range.low, range.high, 0.0):
        rounded = np.clip(np.rint(number / scale.scale) + scale.zero, first, last)
        assert abs((rounded - scale.zero) * scale.scale - number) <= scale.scale * 0.5001 or rounded in (first, last)
    assert scale.range.low <= max(range.low, 0) and scale.range.high >= range.high - scale.scale


def test_weights() -> None:
    weight = RNG.standard_normal((3, 2, 2)).astype(np.float32)
    weight[1] = 0
    scales = weight_scales(weight, 8)
    rounded = round_weight(weight, scales, 8)
    assert rounded.dtype == np.int8 and np.abs(rounded).max() == 127 and not rounded[1].any()
    assert (np.abs(rounded * scales.reshape(3, 1, 1) - weight) <= scales.reshape(3, 1, 1) * 0.5001).all()
    assert weight_scales(weight, 8, per_channel=False).shape == (1,)

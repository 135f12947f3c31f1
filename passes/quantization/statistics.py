"""What calibration remembers of a tensor: its range, how its numbers are distributed, the mean of each channel.

Statistics take the same memory however many samples there were.  Those of several runs can be joined: bins are as wide
as a power of two and begin at multiples of it, so that two histograms have a common grid.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np

from ...compiler.diagnostics import error, reason
from ...compiler.options import RangeMethod
from ...compiler.regular import regular
from ...compiler.scales import Range
from ...compiler.types import Array

BINS = 4096
"""How many bins a histogram has at most."""

DRAWN = 1 << 15
"""How many numbers of a tensor in one sample are counted in the histogram; the range is that of all."""

ROWS = 1 << 11
"""Of how many rows of channels of a tensor in one sample the mean is taken, evenly over it."""

LARGEST = 1e30
"""Numbers that are larger stand for infinity, as those of masks do; no range holds them."""

MASKED = 32.0
"""How much lower a masked number is than all others: softmax makes nothing of it."""

TAIL = 1e-4
"""The share of numbers that the method ``percentile`` leaves outside of the range."""

FORMAT = 2
"""Version of the file's form."""


@dataclass
class Histogram:
    """How many numbers lie in each bin; bin ``i`` begins at ``(first + i) * 2**exponent``."""

    exponent: int = -1000
    first: int = 0
    counts: Array = field(default_factory=lambda: np.zeros(0, np.int64))

    def add(self, numbers: Array) -> None:
        """Count finite numbers."""
        if not numbers.size:
            return
        low, high = float(numbers.min()), float(numbers.max())
        exponent = max(self.exponent, _exponent(low, high))
        bins = np.floor(np.ldexp(numbers.astype(np.float64), -exponent)).astype(np.int64)
        first = int(bins.min())
        self.join(Histogram(exponent, first, np.bincount(bins - first)))

    def join(self, other: Histogram) -> None:
        """Add the counts of another histogram."""
        if not other.counts.size:
            return
        if not self.counts.size:
            self.exponent, self.first, self.counts = other.exponent, other.first, other.counts.astype(np.int64)
            return
        ends = [(h.first, h.first + h.counts.size, h.exponent) for h in (self, other)]
        low, high = min(math.ldexp(a, e) for a, _, e in ends), max(math.ldexp(b, e) for _, b, e in ends)
        exponent = max(self.exponent, other.exponent, _exponent(low, high))
        mine, theirs = (h._coarser(exponent) for h in (self, other))
        first = min(mine[0], theirs[0])
        counts = np.zeros(max(a + c.size for a, c in (mine, theirs)) - first, np.int64)
        for start, found in (mine, theirs):
            counts[start - first : start - first + found.size] += found
        self.exponent, self.first, self.counts = exponent, first, counts

    def _coarser(self, exponent: int) -> tuple[int, Array]:
        """Return the first bin and the counts on a grid that is at most as fine."""
        shift = exponent - self.exponent
        if shift == 0 or not self.counts.size:
            return self.first, self.counts
        bins = (self.first + np.arange(self.counts.size)) >> min(shift, 62)
        return int(bins[0]), np.bincount(bins - bins[0], self.counts).astype(np.int64)

    @property
    def centers(self) -> Array:
        """The number in the middle of each bin, as an array."""
        return np.ldexp(self.first + np.arange(self.counts.size) + 0.5, self.exponent)


def _exponent(low: float, high: float) -> int:
    """The finest power of two with which bins between two numbers are not too many."""
    width = max(high - low, abs(high), abs(low), 1e-30)
    return math.frexp(width / (BINS // 2))[1]


@dataclass
class Statistics:
    """Of one tensor: the range of all numbers, their histogram, and the sum and range of each channel, the last axis.

    ``has_masked`` says that some numbers stood for infinity.  Sums and ranges of channels are those of some ``rows``.
    """

    low: float = math.inf
    high: float = -math.inf
    has_masked: bool = False
    histogram: Histogram = field(default_factory=Histogram)
    sums: Array = field(default_factory=lambda: np.zeros(0))
    rows: int = 0
    lows: Array = field(default_factory=lambda: np.zeros(0))
    highs: Array = field(default_factory=lambda: np.zeros(0))

    def add(self, numbers: Array) -> None:
        """See the tensor in one sample."""
        if not numbers.size:
            return
        low, high = float(numbers.min()), float(numbers.max())
        flat = _drawn(numbers)
        if not (low > -LARGEST and high < LARGEST):
            self.has_masked = True
            finite = numbers[np.abs(numbers) < LARGEST]
            if not finite.size:
                return
            low, high, flat = float(finite.min()), float(finite.max()), finite[: DRAWN * 2]
            numbers = np.where(np.abs(numbers) < LARGEST, numbers, 0)
        self.low, self.high = min(self.low, low), max(self.high, high)
        self.histogram.add(flat)
        if numbers.ndim:
            rows = numbers.reshape(-1, numbers.shape[-1])
            rows = rows[:: max(len(rows) // ROWS, 1)]
            wide = np.float32 if rows.dtype == np.float32 else np.float64  # rows are few; samples add up in f64
            sums = rows.sum(0, dtype=wide).astype(np.float64)
            self._sum(sums, rows.shape[0], rows.min(0), rows.max(0))

    def _sum(self, sums: Array, rows: int, lows: Array, highs: Array) -> None:
        if self.rows and sums.shape != self.sums.shape:  # a last axis whose size is open has no channels
            sums, lows, highs = (np.full(self.sums.shape, found) for found in (sums.mean(), lows.min(), highs.max()))
        self.sums = sums if not self.rows else self.sums + sums
        self.lows = lows if not self.rows else np.minimum(self.lows, lows)
        self.highs = highs if not self.rows else np.maximum(self.highs, highs)
        self.rows += rows

    def join(self, other: Statistics) -> None:
        """Add what another run has seen."""
        self.low, self.high = min(self.low, other.low), max(self.high, other.high)
        self.has_masked |= other.has_masked
        self.histogram.join(other.histogram)
        if other.rows:
            self._sum(other.sums, other.rows, other.lows, other.highs)

    @property
    def means(self) -> Array:
        """The mean of each channel over all samples, as an array."""
        return self.sums / max(self.rows, 1)

    def range(self, method: RangeMethod = "minmax", *, floor: float = -math.inf, levels: int = 256) -> Range:
        """Return the range that integers of so many levels shall cover; numbers below ``floor`` make no difference."""
        if self.low > self.high:
            return Range(0.0, 0.0)
        whole = Range(max(self.low, floor) - (MASKED if self.has_masked else 0.0), max(self.high, floor))
        if method == "minmax" or self.has_masked or not self.histogram.counts.size:
            return whole
        found = self._percentile() if method == "percentile" else self._least_error(whole, levels)
        return Range(max(found.low, whole.low), min(found.high, whole.high))

    def _percentile(self) -> Range:
        cumulative = np.cumsum(self.histogram.counts)
        total = int(cumulative[-1])
        step = math.ldexp(1.0, self.histogram.exponent)
        first = int(np.searchsorted(cumulative, total * TAIL, side="right"))
        last = int(np.searchsorted(cumulative, total * (1 - TAIL), side="left"))
        start = self.histogram.first
        return Range((start + first) * step, (start + last + 1) * step)

    def _least_error(self, whole: Range, levels: int) -> Range:
        """Shrink both ends, each by a share of its own, as long as what is clamped costs less than rounding gains."""
        centers, counts = self.histogram.centers, self.histogram.counts
        lows = np.array([whole.low * s for s in (SHARES if whole.low < 0 else (1.0,))])
        highs = np.array([whole.high * s for s in (SHARES if whole.high > 0 else (1.0,))])
        below, above = np.maximum(lows[:, None] - centers, 0) ** 2, np.maximum(centers - highs[:, None], 0) ** 2
        clamped = ((below @ counts)[:, None] + above @ counts) / max(int(counts.sum()), 1)
        widths = np.maximum(highs, 0.0) - np.minimum(lows, 0.0)[:, None]
        low, high = np.unravel_index(np.argmin(clamped + (widths / (levels - 1)) ** 2 / 12), clamped.shape)
        return Range(float(lows[low]), float(highs[high]))

    def to_dict(self) -> dict[str, Any]:
        """Return the statistics as plain data, which JSON can hold."""
        h = self.histogram
        return {
            "low": self.low,
            "high": self.high,
            "has_masked": self.has_masked,
            "rows": self.rows,
            "sums": self.sums.tolist(),
            "lows": self.lows.tolist(),
            "highs": self.highs.tolist(),
            "histogram": {"exponent": h.exponent, "first": h.first, "counts": h.counts.tolist()},
        }

    @staticmethod
    def of(data: Mapping[str, Any]) -> Statistics:
        """Read plain data.

        Raises:
            KeyError, TypeError, ValueError: it is none of ours.
        """
        h: Mapping[str, Any] = data["histogram"]
        histogram = Histogram(int(h["exponent"]), int(h["first"]), np.asarray(h["counts"], np.int64))
        sums, lows, highs = (np.asarray(data[key], np.float64) for key in ("sums", "lows", "highs"))
        ends = float(data["low"]), float(data["high"])
        return Statistics(*ends, bool(data["has_masked"]), histogram, sums, int(data["rows"]), lows, highs)


SHARES = tuple(round(1 - 0.04 * i, 2) for i in range(20))
"""What may be left of an end of a range."""


def _drawn(numbers: Array) -> Array:
    """Return some numbers of a large tensor, evenly over it and over its channels."""
    flat = numbers.reshape(-1)
    step = flat.size // DRAWN
    if step < 2:
        return flat
    channels = numbers.shape[-1]
    while math.gcd(step, channels) > 1:
        step += 1
    return flat[::step]


Calibration: TypeAlias = dict[str, Statistics]
"""Statistics of values by their names."""


def joined(runs: Iterable[Calibration]) -> Calibration:
    """Return statistics as if one run had seen the samples of all."""
    out: Calibration = {}
    for run in runs:
        for name, found in run.items():
            out.setdefault(name, Statistics()).join(found)
    return out


def save(calibration: Calibration, path: Path) -> None:
    """Write the statistics of all tensors into a JSON file."""
    data = {"nhwcc-statistics": FORMAT, "tensors": {name: s.to_dict() for name, s in calibration.items()}}
    path.write_text(json.dumps(data, separators=(",", ":")))


def load(path: Path) -> Calibration:
    """Read statistics.

    Raises:
        CompileError: R010, the file holds none.
    """
    help = "nhwcc calibrate writes such files"
    try:
        data = json.loads(regular(path).read_bytes())
        if data["nhwcc-statistics"] != FORMAT:
            raise ValueError(f"its form has the version {data['nhwcc-statistics']}")
        return {str(name): Statistics.of(found) for name, found in data["tensors"].items()}
    except OSError as bad:
        raise error("R010", f"can't read {path}: {reason(bad)}", help=help) from bad
    except (AttributeError, KeyError, TypeError, ValueError, RecursionError) as bad:
        raise error("R010", f"can't read {path}: it holds no statistics of a calibration", help=help) from bad

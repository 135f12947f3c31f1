"""How far a quantized network is from itself in floats, on samples: in decibels, per output and per channel."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from nhwcc.compiler.types import Array

EXACT = 200.0
"""The distance of what has no error at all, in dB."""


@dataclass
class Distance:
    """Of one output, summed up over samples: the power of what was wanted, and of the error, per channel.

    The last axis counts as channels.
    """

    signal: Array = field(default_factory=lambda: np.zeros(1))
    noise: Array = field(default_factory=lambda: np.zeros(1))
    labels: int = 0
    same_labels: int = 0

    def add(self, want: Array, got: Array) -> None:
        """Add what was wanted and what came in one sample."""
        a, b = (x.astype(np.float64).reshape(-1, x.shape[-1] if x.ndim > 1 else 1) for x in (want, got))
        error = np.subtract(a, b, out=np.zeros_like(a), where=a != b)  # infinite numbers may be the same
        signal, noise = np.square(a, out=np.zeros_like(a), where=np.isfinite(a)).sum(0), (error**2).sum(0)
        if self.signal.shape not in ((1,), signal.shape):  # the last axis is open: no channels
            self.signal, self.noise, signal, noise = (
                x.sum(keepdims=True) for x in (self.signal, self.noise, signal, noise)
            )
        self.signal, self.noise = self.signal + signal, self.noise + noise
        if a.ndim == 2 and want.ndim == 2 and a.shape[1] > 1:
            self.labels += len(a)
            self.same_labels += int((a.argmax(1) == b.argmax(1)).sum())

    @property
    def decibels(self) -> float:
        """The power of the signal beside that of the error: 20 dB are an error of a tenth."""
        return _decibels(float(self.signal.sum()), float(self.noise.sum()))

    @property
    def worst_channel(self) -> float:
        """That of the worst channel that carries at least a thousandth of the mean power."""
        heard = self.signal > self.signal.mean() / 1000
        return min((_decibels(s, n) for s, n in zip(self.signal[heard], self.noise[heard], strict=True)), default=EXACT)


def _decibels(signal: float, noise: float) -> float:
    if noise == 0:
        return EXACT
    if not math.isfinite(noise):
        return -EXACT
    return max(min(10 * math.log10(max(signal, 1e-300) / noise), EXACT), -EXACT)


CEILING = 60.0
"""Beyond so many dB, an output gains nothing any more."""


def mean_distance(decibels: Sequence[float]) -> float:
    """Return the distance of outputs whose errors, each relative to its own output, have the same power on average.

    The mean of decibels would trade a score that is lost for a box that was near enough.

    >>> round(mean_distance([20.0, 20.0])), round(mean_distance([40.0, 10.0]))
    (20, 13)
    """
    powers = [10 ** (-min(d, CEILING) / 10) for d in decibels]
    return -10 * math.log10(sum(powers) / len(powers)) if powers else CEILING


@dataclass(frozen=True)
class OutputReport:
    """What quantization made of one output: dB in all and of the worst channel; of scores, how often labels agree.

    ``same_labels`` is a share of samples, None where the output has no labels: rows of scores.
    """

    name: str
    sqnr: float
    worst_channel: float
    same_labels: float | None = None


def measure(want: Sequence[Mapping[str, Array]], got: Sequence[Mapping[str, Array]]) -> list[OutputReport]:
    """Compare outputs of floating-point numbers, sample by sample; the worst one comes first."""
    found: dict[str, Distance] = {}
    for a, b in zip(want, got, strict=True):
        for name, array in a.items():
            if array.dtype.kind == "f" and array.size:
                found.setdefault(name, Distance()).add(array, b[name])
    reports = [
        OutputReport(name, d.decibels, d.worst_channel, d.same_labels / d.labels if d.labels else None)
        for name, d in found.items()
    ]
    return sorted(reports, key=lambda r: r.sqnr)

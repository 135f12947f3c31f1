"""What is asked of a quantized network: decibels of every output, how much a metric may lose."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Protocol

from nhwcc.quantization.metrics import Metric

LEAST = 10.0
"""The least distance from the network in floats that is accepted, in dB, unless the user says something else."""

FAITHFUL = 20.0
"""The distance that every output must keep for a file to be chosen by itself, in dB: an error of a tenth."""

MARGIN = 0.5
"""What share of a bound may be used up on known samples, so that others keep it, too: ranges come from these, and new
samples leave them. 3 dB are left; 4 were lost on other photographs by MobileNetV2."""


class Measured(Protocol):
    """How far something is from the network in floats."""

    @property
    def least(self) -> float:
        """The distance of the worst output in dB."""
        ...

    @property
    def kept(self) -> float | None:
        """What the metric says is kept, None without one."""
        ...


@dataclass(frozen=True)
class Goal:
    """What the user asks for: ``min_sqnr`` dB, ``max_error`` of a metric, or of each output without a metric."""

    min_sqnr: float | None = None
    metric: Metric | None = None
    max_error: float | None = None

    def required(self, usual: float = LEAST) -> float:
        """Return the dB that every output must keep; ``usual`` ones where nothing is said."""
        asked = [] if self.min_sqnr is None else [self.min_sqnr]
        if self.max_error is not None and self.metric is None:
            asked.append(-20 * math.log10(self.max_error))
        if self.max_error is not None and self.metric is not None and not asked:
            return -math.inf  # the user's own measure is all that counts
        return max(asked, default=usual)

    def text(self, usual: float = LEAST) -> str:
        """Return what is asked for in words, such as ``10 dB and top1 of 0.99``."""
        decibels = self.required(usual)
        asked = [] if decibels == -math.inf else [f"{decibels:.4g} dB"]
        if self.metric is not None and self.max_error is not None:
            asked.append(f"{self.metric.name} of {1 - self.max_error:.4g}")
        return " and ".join(asked)

    def loss(self, found: Measured, usual: float = LEAST) -> float:
        """Return how much is lost beside what may be: no more than 1 is asked for.

        Independent roundings add up: power of the noise beside what is allowed, errors of a metric likewise.
        """
        losses = [10 ** ((self.required(usual) - found.least) / 10)]
        if self.max_error is not None and found.kept is not None:
            losses.append((1 - found.kept) / self.max_error)
        return max(losses)

    def rank(self, found: Measured, sqnr: float) -> tuple[float, float]:
        """Return by what better ones are told: the user's metric first, then the mean distance of outputs."""
        return (0.0 if found.kept is None else found.kept, sqnr)

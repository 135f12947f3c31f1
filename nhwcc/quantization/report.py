"""What a quantization did and cost. Plain data."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from nhwcc.compiler.options import QuantizationMode, RangeMethod
from nhwcc.quantization.measure import OutputReport

if TYPE_CHECKING:
    from nhwcc.backends.tflite.saturation import Saturation


@dataclass(frozen=True)
class Candidate:
    """A way to quantize.

    ``dynamic`` are names of values whose operations round what they multiply as it comes, ``stored`` those of
    operations that compute in floats and have weights of fewer bits.  ``rounds_together`` lets weights of one sum make
    up for each other's errors.  ``equalization`` is by how much channels are made alike.
    """

    mode: QuantizationMode
    method: RangeMethod = "minmax"
    corrects_bias: bool = True
    dynamic: tuple[str, ...] = ()
    stored: tuple[str, ...] = ()
    rounds_together: bool = False
    equalization: float = 0.0

    def __str__(self) -> str:
        ranges = {"minmax": "whole ranges", "percentile": "ranges of 99.98 %", "mse": "ranges of least error"}
        biases = "biases corrected" if self.corrects_bias else "biases as they are"
        biases += ", weights rounded together" if self.rounds_together else ""
        biases += f", channels equalized by {self.equalization:g}" if self.equalization else ""
        count = len(self.dynamic) + len(self.stored)
        more = f", {count} without fixed ranges" if count else ""
        if self.mode == "float16":
            return f"{self.mode}{more}"
        return (
            f"{self.mode}, {ranges[self.method]}, {biases}{more}" if self.mode == "int8" else f"{self.mode}, {biases}"
        )


@dataclass(frozen=True)
class Trial:
    """A candidate that was tried on samples of the calibration.

    ``sqnr`` is the distance from the network in floats, in dB, of the mean error of outputs and of what they are joined
    from, ``least`` that of the worst output; ``is_quantized`` says that something is stored or computed in fewer bits;
    ``time`` is that of a run beside one in floats, on this machine; it was not measured where it is None.  ``kept`` is
    what a metric says.
    """

    candidate: Candidate
    sqnr: float
    least: float
    bytes: int
    is_quantized: bool = True
    time: float | None = None
    kept: float | None = None


@dataclass(frozen=True)
class Clamped:
    """A tensor inside of a quantized file some of whose integers are at an end of their range: a share of them.

    ``kind`` is the operator that computed it.
    """

    name: str
    kind: str
    share: float


CLAMPED = 1e-3
"""What share of integers at the ends is told of."""

WORST = 3
"""Of how many tensors."""


def most_clamped(found: Sequence[Saturation]) -> list[Clamped]:
    """Return the tensors with most integers at the ends of their range, the worst one first."""
    return [Clamped(s.name, s.kind, s.share) for s in found[:WORST] if s.share >= CLAMPED]


@dataclass(frozen=True)
class QuantizationReport:
    """How a network was quantized, and how far it is from itself in floats.

    ``outputs`` were measured on ``held`` samples that calibration has not seen, unless there were too few.  ``seconds``
    are those of one run, before and after, on this machine.  ``why`` says what led to the choice, ``notes`` what stayed
    in floats.  ``required`` are the dB that were asked for, ``metric`` is what was asked about, ``kept`` what it says,
    ``max_error`` how much less than 1 that may be.  ``instead`` are other modes, as they came out on samples of the
    calibration; ``clamped`` are tensors with integers at the ends of their range.
    """

    chosen: Candidate
    why: str
    data: str
    samples: int
    held: int
    trials: list[Trial]
    outputs: list[OutputReport]
    required: float | None
    bytes_before: int
    bytes_after: int
    seconds_before: float
    seconds_after: float
    notes: list[str] = field(default_factory=lambda: list[str]())
    metric: str | None = None
    kept: float | None = None
    max_error: float | None = None
    instead: list[Trial] = field(default_factory=lambda: list[Trial]())
    clamped: list[Clamped] = field(default_factory=lambda: list[Clamped]())

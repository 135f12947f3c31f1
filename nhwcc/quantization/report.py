"""What a quantization did and cost. Plain data."""

from __future__ import annotations

from dataclasses import dataclass, field

from nhwcc.compiler.options import QuantizationMode, RangeMethod
from nhwcc.quantization.measure import OutputReport


@dataclass(frozen=True)
class Trial:
    """A recipe that was tried: its mean distance from the network in floats, in dB, on samples of the calibration."""

    method: RangeMethod
    corrects_bias: bool
    sqnr: float


@dataclass(frozen=True)
class QuantizationReport:
    """How a network was quantized, and how far it is from itself in floats.

    ``outputs`` were measured on ``held`` samples that calibration has not seen, unless there were too few.
    ``notes`` say what stayed in floats, and why.
    """

    mode: QuantizationMode
    data: str
    samples: int
    held: int
    chosen: Trial | None
    trials: list[Trial]
    outputs: list[OutputReport]
    least: float
    bytes_before: int
    bytes_after: int
    notes: list[str] = field(default_factory=lambda: list[str]())


def describe(method: RangeMethod, corrects_bias: bool) -> str:
    """Say a recipe in words."""
    ranges = {"minmax": "whole ranges", "percentile": "ranges of 99.98 %", "mse": "ranges of least error"}[method]
    return f"{ranges}, biases {'corrected' if corrects_bias else 'as they are'}"

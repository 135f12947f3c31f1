"""Metrics of what a network is for: how much of it is kept, from 0 to 1, by outputs in floats and quantized ones."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, SupportsFloat, cast

import numpy as np

from nhwcc.compiler.diagnostics import did_you_mean, error
from nhwcc.compiler.plugins import load_function
from nhwcc.compiler.types import Array

Outputs = Sequence[Mapping[str, Array]]
"""Outputs by name, one mapping per sample."""

MOST = 1 + 1e-6
"""What a metric gives at most, rounding included: percents would let any loss pass."""


@dataclass(frozen=True)
class Metric:
    """A function of the outputs in floats and of the quantized ones; 1 says that nothing is lost."""

    name: str
    function: Callable[[Outputs, Outputs], object]

    def __call__(self, want: Outputs, got: Outputs) -> float:
        """Return how much is kept.

        Raises:
            CompileError: L010, the function gives something else than a number up to 1.
        """
        found = self.function(want, got)
        is_one = isinstance(found, SupportsFloat) and np.size(cast(Any, found)) == 1
        number = float(cast(SupportsFloat, np.reshape(cast(Any, found), ()))) if is_one else math.nan
        if not (math.isfinite(number) and number <= MOST):
            text = f"the metric {self.name} gives {found!r}, which is not a number up to 1"
            raise error("L010", text, help="return one number: 1 where nothing is lost, 0 where all is")
        return number


def check_metric(text: str | None) -> None:
    """Refuse a metric that there is not.

    Raises:
        CompileError: L004; R010, there is no such file.
    """
    file = None if text is None else _file(text)
    if text is not None and file is None and text not in METRICS:
        help = did_you_mean(text, METRICS) or f"there are {', '.join(METRICS)}; or give file.py:function"
        raise error("L004", f"there is no metric {text!r}", help=help)
    if file is not None and not file.exists():
        raise error("R010", f"can't read {file}: there is no such file")


def _file(text: str) -> Path | None:
    """Return the file of a metric of the user's."""
    file, colon, _ = text.rpartition(":")
    return Path(file) if colon and file.endswith(".py") else None


def parse_metric(text: str) -> Metric:
    """Return a metric by its name, or a function of the user's: ``file.py:function``.

    Raises:
        CompileError: L010 and R010, the user's file is of no use.
    """
    file = _file(text)
    if file is None:
        return Metric(text, METRICS[text])
    function = text.rpartition(":")[2]
    return Metric(function, load_function(file, function, 2))


def _pairs(want: Outputs, got: Outputs) -> Iterator[tuple[str, Array, Array]]:
    """Yield the outputs of floats, sample by sample."""
    for a, b in zip(want, got, strict=True):
        for name, array in a.items():
            if array.dtype.kind == "f" and array.size:
                yield name, array.astype(np.float64), b[name].astype(np.float64)


def _worst_mean(scores: Iterator[tuple[str, float]]) -> float:
    """Return the mean over samples for the output where it is least; 1 if there is none."""
    found: dict[str, list[float]] = {}
    for name, score in scores:
        found.setdefault(name, []).append(score)
    return min((sum(s) / len(s) for s in found.values()), default=1.0)


def cosine(want: Outputs, got: Outputs) -> float:
    """The cosine of the angle between both, as of embeddings; negative ones count as they are."""
    return _worst_mean((name, _cosine(a.reshape(-1), b.reshape(-1))) for name, a, b in _pairs(want, got))


def _cosine(a: Array, b: Array) -> float:
    size = float(np.linalg.norm(a) * np.linalg.norm(b))
    return float(a @ b) / size if size else float(not (a.any() or b.any()))


def top1(want: Outputs, got: Outputs) -> float:
    """How often the largest element along the last axis is at the same position: the same label."""
    return _worst_mean(
        (name, float((a.argmax(-1) == b.argmax(-1)).mean())) for name, a, b in _pairs(want, got) if a.shape[-1:] > (1,)
    )


def iou(want: Outputs, got: Outputs) -> float:
    """How much masks overlap: what both count as foreground beside what one of them does.

    Foreground is above 0.5 where numbers in floats are between 0 and 1, else above 0.
    """
    return _worst_mean((name, _overlap(a, b)) for name, a, b in _pairs(want, got))


def _overlap(a: Array, b: Array) -> float:
    limit = 0.5 if a.min() >= 0 and a.max() <= 1 else 0.0
    both, any_of_them = int(((a > limit) & (b > limit)).sum()), int(((a > limit) | (b > limit)).sum())
    return both / any_of_them if any_of_them else 1.0


METRICS: dict[str, Callable[[Outputs, Outputs], object]] = {"cosine": cosine, "top1": top1, "iou": iou}
"""What can be asked for by name."""


def parse_share(text: str) -> float:
    """Read ``0.5%`` or ``0.005``.

    Raises:
        CompileError: L004, it is no share.

    >>> parse_share("0.5%"), parse_share("0.02")
    (0.005, 0.02)
    """
    number = text.strip().removesuffix("%")
    try:
        share = float(number) / (100 if text.strip().endswith("%") else 1)
    except ValueError:
        share = math.nan
    if not 0 < share <= 1:
        raise error("L004", f"{text!r} is not a share of what may be lost", help="for example --max-error 0.5%")
    return share

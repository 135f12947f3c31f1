"""How a network is to be quantized: mode, ranges, biases, what stays in floats."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase

from ...compiler.diagnostics import did_you_mean, error
from ...compiler.ir import Func, Op, Value
from ...compiler.options import CALIBRATED, QuantizationMode, RangeMethod
from ...compiler.types import Array, DType
from .statistics import Calibration


@dataclass(frozen=True)
class Recipe:
    """How to quantize.

    ``corrects_bias`` makes up for what rounding weights changes on average, as far as ``calibration`` knows inputs.
    ``per_channel`` gives every output channel of a weight a scale. ``keeps`` are patterns of the names of operations,
    or of what they compute, that stay in floats. ``dynamic`` are names of values whose operations round what they
    multiply where others have ranges from calibration, ``stored`` those of operations that compute in floats, by
    weights of fewer bits. ``rounded`` are integers of weights that were rounded together, by the names of what their
    operations compute; others take the nearest ones. ``io_dtypes`` are element types of inputs and outputs by name,
    under an empty one those of all others.
    """

    mode: QuantizationMode
    calibration: Calibration = field(default_factory=lambda: Calibration())
    method: RangeMethod = "minmax"
    corrects_bias: bool = True
    per_channel: bool = True
    keeps: tuple[str, ...] = ()
    dynamic: frozenset[str] = frozenset()
    stored: frozenset[str] = frozenset()
    io_dtypes: Mapping[str, DType] = field(default_factory=lambda: dict[str, DType]())
    rounded: Mapping[str, Array] = field(default_factory=lambda: dict[str, Array]())

    @property
    def dtype(self) -> DType:
        """The type of integers that kernels compute with by ranges from calibration."""
        return DType.I16 if self.mode == "int16x8" else DType.I8

    @property
    def is_static(self) -> bool:
        """Whether kernels compute with integers by ranges from calibration."""
        return self.mode in CALIBRATED

    def is_kept(self, op: Op, names: Mapping[Value, str]) -> bool:
        """Say whether an operation stays in floats because the user wants it."""
        return any(fnmatchcase(word, pattern) for pattern in self.keeps for word in _called(op, names))

    def is_free(self, op: Op, names: Mapping[Value, str]) -> bool:
        """Say whether the ranges of an operation's values are none of the calibration's."""
        return any(names.get(r) in self.dynamic or names.get(r) in self.stored for r in op.results)

    def is_stored(self, op: Op, names: Mapping[Value, str]) -> bool:
        """Say whether only the weight of an operation is stored in fewer bits."""
        return any(names.get(r) in self.stored for r in op.results)


def check_keeps(func: Func, keeps: Iterable[str], names: Mapping[Value, str]) -> None:
    """Refuse patterns of what stays in floats that no operation of a function fits.

    Raises:
        CompileError: Q006.
    """
    known = dict.fromkeys(word for op in func.walk() if op.results for word in _called(op, names))
    for pattern in keeps:
        if not any(fnmatchcase(word, pattern) for word in known):
            text = f"{pattern!r}, which is to stay in floats, is neither an operation nor what one computes"
            kinds = ", ".join(sorted({op.spec.name for op in func.walk() if op.operands}))
            raise error("Q006", text, help=did_you_mean(pattern, known) or f"its operations are {kinds}")


def _called(op: Op, names: Mapping[Value, str]) -> list[str]:
    """Return what an operation may be called: its kind, what it computes, and where it stems from."""
    own = [names[r] for r in op.results if r in names]
    return [op.spec.name, *own, *([op.location.node] if op.location is not None else [])]

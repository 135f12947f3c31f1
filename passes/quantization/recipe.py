"""How a network is to be quantized: mode, ranges, biases, what stays in floats."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase

from ...compiler.ir import Op, Value
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
        own = [names[r] for r in op.results if r in names]
        words = [op.spec.name, *own, *([op.location.node] if op.location is not None else [])]
        return any(fnmatchcase(word, pattern) for pattern in self.keeps for word in words)

    def is_free(self, op: Op, names: Mapping[Value, str]) -> bool:
        """Say whether the ranges of an operation's values are none of the calibration's."""
        return any(names.get(r) in self.dynamic or names.get(r) in self.stored for r in op.results)

    def is_stored(self, op: Op, names: Mapping[Value, str]) -> bool:
        """Say whether only the weight of an operation is stored in fewer bits."""
        return any(names.get(r) in self.stored for r in op.results)

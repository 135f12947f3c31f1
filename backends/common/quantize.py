"""quantize: integers in place of numbers, as far as a target has kernels for them."""

from __future__ import annotations

from pathlib import Path

from ...compiler.diagnostics import error
from ...compiler.ir import Module
from ...compiler.options import CALIBRATED, QuantizationMode, RangeMethod
from ...compiler.pipeline import Pass, register
from ...compiler.types import DType
from ...passes.quantization import rounding, statistics
from ...passes.quantization.quantize import Recipe, quantize
from ...passes.quantization.statistics import Calibration
from ..registry import find_target


@register("quantize")
class Quantize(Pass):
    """Store weights in fewer bits, or let kernels compute with integers; run legalize before and afterwards.

    ``mode`` is ``float16`` or ``weight-int8``, which store weights, ``dynamic-int8`` or ``weight-int4``, which also
    round what they are multiplied with (``weight-int4:32`` gives every 32 weights of a row a scale), or ``int8`` or
    ``int16x8``, which need the ``statistics`` that ``nhwcc calibrate`` writes: the ranges of all values. ``method``
    says which part of a range integers cover: all of it, all but the numbers at its ends, or where the mean square
    error is least. With statistics, ``correct-bias`` makes up for what rounding weights changes. ``per-channel`` gives
    each output channel of a weight a scale. ``io-dtype`` gives inputs and outputs a type: ``int8``, ``uint8``,
    ``int16``, or by name ``x=uint8;y=float32``. ``keep-float`` names operations that stay in floats, patterns with
    ``;`` or line breaks between them; ``dynamic`` values, with line breaks between them, whose operations round what
    they multiply by ranges of its own, ``stored`` those that only have weights of fewer bits. ``rounded`` is a file of
    integers for weights that are not the nearest ones, which compiling on real data makes.
    """

    mode: QuantizationMode = "weight-int8"
    target: str = "tflite"
    statistics: str = ""
    method: RangeMethod = "minmax"
    correct_bias: bool = True
    per_channel: bool = True
    keep_float: str = ""
    dynamic: str = ""
    stored: str = ""
    io_dtype: str = ""
    rounded: str = ""

    def run(self, module: Module) -> None:
        """Quantize the main function.

        Raises:
            CompileError: Q001, there are no statistics where they are needed; Q002, they are of another model; Q003,
                the target has no kernels for integers.
        """
        target = find_target(self.target)
        if target.integers is None:
            raise error("Q003", f"{target.title} files are not quantized yet", help="write a .tflite file")
        if self.mode in CALIBRATED and not self.statistics:
            raise error(
                "Q001", "integers need the ranges of values", help=f"quantize{{mode={self.mode},statistics=FILE}}"
            )
        seen = statistics.load(Path(self.statistics)) if self.statistics else Calibration()
        keeps = tuple(filter(None, self.keep_float.split("\n" if "\n" in self.keep_float else ";")))
        dynamic, stored = (frozenset(filter(None, text.split("\n"))) for text in (self.dynamic, self.stored))
        recipe = Recipe(
            self.mode,
            seen,
            self.method,
            self.correct_bias,
            self.per_channel,
            keeps,
            dynamic,
            stored,
            io_dtypes(self.io_dtype),
            rounding.load(Path(self.rounded)) if self.rounded else {},
        )
        quantize(module.main, recipe, target.integers)


IO_DTYPES = {"float32": DType.F32, "int8": DType.I8, "uint8": DType.U8, "int16": DType.I16}
"""What inputs and outputs may be stored as."""


def io_dtypes(text: str) -> dict[str, DType]:
    """Read ``int8`` or ``x=uint8;y=float32``; the empty name has the type of all others.

    Raises:
        CompileError: L004, it names another type.
    """
    found: dict[str, DType] = {}
    for part in filter(None, text.split(";")):
        name, _, word = part.rpartition("=")
        if word not in IO_DTYPES:
            raise error("L004", f"inputs and outputs can't be {word!r}", help=f"choose of {', '.join(IO_DTYPES)}")
        if name in found:
            whose = repr(name) if name else "all inputs and outputs"
            raise error("L004", f"two types are asked for {whose}", help="give one, and NAME=TYPE for exceptions")
        found[name] = IO_DTYPES[word]
    return found

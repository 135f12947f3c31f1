"""The options of a compilation, as plain data that all of the product shares."""

from __future__ import annotations

import os
from collections.abc import Collection, Mapping, Sequence
from dataclasses import KW_ONLY, dataclass
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

if TYPE_CHECKING:
    from onnx import ModelProto
    from torch import nn
    from torch.export import ExportedProgram

    from nhwcc.compiler.budget import Budget
    from nhwcc.compiler.ir import Module
    from nhwcc.compiler.options import DataType, Goal, QuantizationChoice, Strategy
    from nhwcc.data import Data
    from nhwcc.frontends.torch import DynamicShapes
    from nhwcc.instruments import Instrument
    from nhwcc.named import NamedModule
    from nhwcc.shapes import ShapeLike

PathLike: TypeAlias = "str | os.PathLike[str]"

Model: TypeAlias = "PathLike | bytes | ModelProto | nn.Module | NamedModule | ExportedProgram | Module"
"""A file, the bytes of one, a parsed ONNX message, PyTorch's modules and programs, or IR (copied, not changed)."""

StateHandling: TypeAlias = Literal["refuse", "io", "keep"]
"""What becomes of what one call leaves for the next."""

ALL = "all"
"""The word for all signatures of a model, where one could be named."""

WITH_SIGNATURES = ("tensorflow", "tflite")
"""The formats of files that may hold several networks, each called by a key."""

TOLERANCE = 1e-4
"""Error relative to the largest value of an output: float32 summed in another order stays well below."""


@dataclass(frozen=True)
class CompileOptions:
    """How to compile; everything has a default.

    The fields are the arguments of :func:`nhwcc.compile`, which describes each of them.
    """

    output: PathLike | None = None
    _: KW_ONLY
    target: str | None = None
    opset: int | None = None
    variables: bool = False
    shapes: Mapping[str, ShapeLike] | None = None
    inputs: Sequence[str] | None = None
    outputs: Sequence[str] | None = None
    args: Sequence[Any] = ()
    kwargs: Mapping[str, Any] | None = None
    dynamic_shapes: DynamicShapes = None
    state: StateHandling = "refuse"
    signature: str | None = None
    unsafe_load: bool = False
    weights: PathLike | None = None
    by_standard: bool = False
    allow_custom_ops: bool = False
    rename: Mapping[str, str] | None = None
    input_names: Sequence[str] | None = None
    output_names: Sequence[str] | None = None
    drop_unused_inputs: bool = False
    io_layout: str | Mapping[str, str] | None = None
    rnn: Strategy = "auto"
    optimize: Goal = "balanced"
    data_type: DataType | None = None
    passes: str | None = None
    disable: Collection[str] = ()
    before: Mapping[str, str] | None = None
    after: Mapping[str, str] | None = None
    load: Sequence[PathLike] = ()
    rules: Sequence[PathLike] = ()
    instruments: Sequence[Instrument] = ()
    verify: bool = True
    data: Data | None = None
    seed: int = 0
    tolerance: float = TOLERANCE
    quantize: QuantizationChoice | None = None
    calibration: Sequence[PathLike] = ()
    images: str | None = None
    keep_float: Sequence[str] = ()
    per_tensor: bool = False
    io_dtype: str | Mapping[str, str] | None = None
    split_outputs: bool = False
    min_sqnr: float | None = None
    metric: str | None = None
    max_error: float | None = None
    report: PathLike | None = None
    budget: Budget | None = None

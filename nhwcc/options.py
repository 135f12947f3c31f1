"""What can be asked of a compilation."""

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

StateHandling: TypeAlias = Literal["refuse", "io"]
"""What becomes of what one call leaves for the next."""

TOLERANCE = 1e-4
"""Error relative to the largest value of an output: float32 summed in another order stays well below."""


@dataclass(frozen=True)
class CompileOptions:
    """How to compile; everything has a default.

    ``output`` is the file to write; without one the artifact lives in a temporary file as long as its object.
    ``target`` is what to compile for; where it is not given, the output's suffix says it.  ``opset``
    is the newest version that an ONNX file may ask for; it gets the lowest that keeps every operation whole.
    ``variables`` writes the weights of a SavedModel as variables, which can be trained on, in place of constants.

    A PyTorch module runs on ``args`` and ``kwargs`` when it is exported; ``dynamic_shapes`` says which sizes stay open,
    as for torch.export.  Without them, it gets inputs of ``shapes``, where a text names a size that stays open;
    ``"i64:1,length"`` states an element type, too, where it is not f32.  ``unsafe_load`` allows files whose reading
    runs code that is in them.  ``weights`` is the file with the constants of an OpenVINO model, by default the one
    beside it.

    ``state="io"`` makes inputs and outputs of what one call leaves for the next: states of recurrent layers that begin
    with zeros or constants, and tensors of a PyTorch module that running it overwrites, such as caches.

    ``shapes``, ``inputs`` and ``outputs`` replace declared shapes and cut out a part of the graph; a number in place of
    a shape is what a named size is to be: ``{"x": (1, 3, 224, 224), "batch": 1}``.  ``allow_custom_ops`` carries
    operators that nobody knows as custom ones.

    ``by_standard`` follows the ONNX standard where onnxruntime, for which exporters write, departs from it.

    ``signature`` chooses one of those that a SavedModel or a TFLite file has, by default that for serving, or the
    first one.

    ``rename`` gives inputs and outputs new names, ``input_names`` and ``output_names`` do so for all of them;
    ``io_layout`` and ``data`` speak of the new names, what is above of the source's.  ``drop_unused_inputs`` leaves out
    inputs that nothing reads.  ``io_layout`` says how inputs and outputs lie: ``free`` (as is cheapest), ``keep`` (as
    in the source), ``nhwc``, or by name ``{"x": "nchw", "y": "0/2/1"}``.

    ``rnn`` says how recurrent layers run: ``unroll`` step by step, ``while`` as a loop, ``fused`` as one kernel where
    there is one, or ``auto``, whatever of these is fastest.  ``optimize`` is ``balanced``, which takes kernels that are
    faster where they are worth their bytes, or ``size``, which adds no operation for speed.

    ``data_type`` says in how many bits an OpenVINO file stores the constants that are computed with in 32: ``FP32``, or
    ``FP16``, which halves the file; numbers then agree up to the rounding of the constants.

    ``passes`` is a pipeline that replaces the target's own, ``disable`` leaves passes out; ``load`` brings passes and
    operations from Python files, ``rules`` rewrites from rule files, which
    go first, or where ``"after:PASS=FILE"`` or ``"before:PASS=FILE"`` says.  ``instruments`` look on.

    ``verify`` compares with the source's own runtime, on ``data`` or on random inputs of ``seed``, up to ``tolerance``
    relative to the largest value of each output.

    ``quantize`` stores weights in 16 bits (``float16``), 8 (``weight-int8``) or 4 (``weight-int4``), lets products
    round what they multiply (``dynamic-int8``), or lets kernels compute with integers of 8 bits (``int8``), or of 16
    bits with weights of 8 (``int16x8``). Ranges are calibrated on ``data``, which may then hold many samples: arrays
    with these along the first axis, a folder of pictures, which become inputs as ``images`` says, or
    ``"file.py:function"``, which yields them. ``calibration`` are files that nhwcc calibrate wrote instead.
    ``keep_float`` are patterns of what stays in floats: operations, or the names of what they compute. ``per_tensor``
    gives a weight one scale for all its output channels. ``io_dtype`` stores inputs and outputs as ``int8``, ``uint8``
    or ``int16``, all or by name. ``split_outputs`` gives the parts that an output is joined from as outputs of their
    own, NAME_0, NAME_1, each with its own scale. Below ``min_sqnr`` dB, each output's distance from the network in
    floats, nothing is written.
    ``metric`` is ``cosine``, ``top1``, ``iou``, or ``"file.py:function"``: a function of the outputs in floats and of
    the quantized ones, a list of arrays by name each, that says how much is kept, from 0 to 1. It may lose
    ``max_error``; without a metric, that is how large the error of each output may be beside the output.

    ``budget`` says what the model may cost at most: memory, bytes of constants that it does not hold, and seconds.
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
    budget: Budget | None = None

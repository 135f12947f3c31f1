"""The functions that users call: their signatures name every option, so that editors and ``help`` show them.

A test compares the signatures with the fields of :class:`~nhwcc.options.CompileOptions`.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from nhwcc.options import TOLERANCE, CompileOptions, Model, PathLike, StateHandling

if TYPE_CHECKING:
    from nhwcc.artifact import Artifact
    from nhwcc.comparison import Comparison
    from nhwcc.compiler.budget import Budget
    from nhwcc.compiler.options import DataType, Goal, QuantizationChoice, Strategy
    from nhwcc.data import Data
    from nhwcc.frontends.torch import DynamicShapes
    from nhwcc.instruments import Instrument
    from nhwcc.shapes import ShapeLike
    from nhwcc.signatures import Part


def compile(  # noqa: PLR0913 -- users see every option
    model: Model,
    /,
    output: PathLike | None = None,
    *,
    target: str | None = None,
    opset: int | None = None,
    variables: bool = False,
    shapes: Mapping[str, ShapeLike] | None = None,
    inputs: Sequence[str] | None = None,
    outputs: Sequence[str] | None = None,
    args: Sequence[Any] = (),
    kwargs: Mapping[str, Any] | None = None,
    dynamic_shapes: DynamicShapes = None,
    state: StateHandling = "refuse",
    signature: str | None = None,
    unsafe_load: bool = False,
    weights: PathLike | None = None,
    by_standard: bool = False,
    allow_custom_ops: bool = False,
    rename: Mapping[str, str] | None = None,
    input_names: Sequence[str] | None = None,
    output_names: Sequence[str] | None = None,
    drop_unused_inputs: bool = False,
    io_layout: str | Mapping[str, str] | None = None,
    rnn: Strategy = "auto",
    optimize: Goal = "balanced",
    data_type: DataType | None = None,
    passes: str | None = None,
    disable: Collection[str] = (),
    before: Mapping[str, str] | None = None,
    after: Mapping[str, str] | None = None,
    load: Sequence[PathLike] = (),
    rules: Sequence[PathLike] = (),
    instruments: Sequence[Instrument] = (),
    verify: bool = True,
    data: Data | None = None,
    seed: int = 0,
    tolerance: float = TOLERANCE,
    quantize: QuantizationChoice | None = None,
    calibration: Sequence[PathLike] = (),
    images: str | None = None,
    keep_float: Sequence[str] = (),
    per_tensor: bool = False,
    io_dtype: str | Mapping[str, str] | None = None,
    split_outputs: bool = False,
    min_sqnr: float | None = None,
    metric: str | None = None,
    max_error: float | None = None,
    report: PathLike | None = None,
    budget: Budget | None = None,
) -> Artifact:
    """Compile a model, compare it with the source, write the file, and return the artifact.

    Args:
        model: A file, the bytes of one, a parsed ONNX message, a module or an exported program of PyTorch, a model of
            Keras, or IR, which is copied.
        output: The file to write; a slash at the end means a folder (a SavedModel).  Without one, the artifact lives in
            a temporary file as long as its object.
        target: What to compile for; by default what the output's suffix says.
        opset: The newest version that an ONNX file may ask for; it gets the lowest that keeps every operation whole.
        variables: Write the weights of a SavedModel as variables, which can be trained on, in place of constants.
        shapes: Shapes by input, which replace declared ones; a string names a size that stays open, ``"i64:1,length"``
            states an element type, too.  A number in place of a shape is what a named size is to be:
            ``{"x": (1, 3, 224, 224), "batch": 1}``.
        inputs: Tensors at which the part of the graph begins that is compiled.
        outputs: Tensors at which it ends.
        args: Positional arguments with which a PyTorch module is exported; without them it gets inputs of ``shapes``.
        kwargs: Its keyword arguments.
        dynamic_shapes: Which of their sizes stay open, as for ``torch.export``.
        state: ``"io"`` makes inputs and outputs of what one call leaves for the next: states of recurrent layers that
            begin with constants, and tensors of a PyTorch module that running it overwrites, such as caches.
            ``"keep"`` leaves them to the file, whose variables go on from call to call; OpenVINO files have such.
        signature: Which signature of a SavedModel or a TFLite file; by default the one for serving, or the first one.
        unsafe_load: Allow files whose reading runs code that is in them.
        weights: The file with the constants of an OpenVINO model; by default the one beside it.
        by_standard: Follow the ONNX standard where onnxruntime, for which exporters write, departs from it.
        allow_custom_ops: Keep operators without a known meaning as custom operators of the file.
        rename: New names of inputs and outputs.  ``io_layout`` and ``data`` speak of these, all above of the source's.
        input_names: New names of all inputs.
        output_names: New names of all outputs.
        drop_unused_inputs: Leave out inputs that nothing reads.
        io_layout: How inputs and outputs lie: ``free`` (as is cheapest), ``keep`` (as in the source), ``nhwc``, or by
            name ``{"x": "nchw", "y": "0/2/1"}``.
        rnn: How recurrent layers run: ``unroll`` step by step, ``while`` as a loop, ``fused`` as one kernel where there
            is one, or ``auto``, whatever of these is fastest.
        optimize: ``balanced``, which takes kernels that are faster where they are worth their bytes, or ``size``, which
            adds no operation for speed.
        data_type: In how many bits files of OpenVINO, TensorFlow.js and Core ML store constants that are computed with
            in 32: ``FP32``, or ``FP16``, which makes the file half as large; numbers then agree up to the rounding of
            the constants. Packages of Core ML then compute in 16 bits, too.
        passes: A pipeline that replaces the target's own; ``default`` in it stands for that one.
        disable: Passes to leave out.
        before: Pipelines to run before passes of the pipeline, by their names: ``{"legalize": "my-pass"}``.
        after: Pipelines to run after them.
        load: Python files that declare operations or passes.
        rules: Files of rewrite rules; they go first, or where ``"after:PASS=FILE"`` or ``"before:PASS=FILE"`` says.
        instruments: Objects that see the module before and after every pass.
        verify: Compare with the source's own runtime; a file that computes something else is not written.
        data: Arrays by input, or files of them, to compare on; random inputs by default.  With ``quantize``, ranges are
            calibrated on it: arrays with samples along the first axis, a folder of pictures, or
            ``"file.py:function"``, which yields samples.
        seed: Seed of random inputs.
        tolerance: The error that is allowed, relative to the largest value of each output.
        quantize: Store weights in 16 bits (``float16``), 8 (``weight-int8``) or 4 (``weight-int4``; with a scale for
            every 32 weights where kernels take that, ``weight-int4:32``); let products round what they multiply
            (``dynamic-int8``); compute with integers of 8 bits (``int8``), or of 16 bits with weights of 8
            (``int16x8``); or ``auto``, whatever is fastest and keeps the accuracy.
        calibration: Files that ``nhwcc calibrate`` wrote, in place of data.
        images: How pictures of a folder become inputs, such as ``"mean=0.5,std=0.5"``.
        keep_float: Patterns of what stays in floats: operations, or the names of what they compute.
        per_tensor: Give a weight one scale for all its output channels.
        io_dtype: Store inputs and outputs as ``int8``, ``uint8`` or ``int16``, all or by name.
        split_outputs: Give the parts that an output is joined from as outputs of their own, NAME_0, NAME_1, each with
            its own scale.
        min_sqnr: Each output's least distance from the network in floats, in dB; below, nothing is written.
        metric: ``cosine``, ``top1``, ``iou``, or ``"file.py:function"``: a function of the outputs in floats and of the
            quantized ones, a list of arrays by name each, that says how much is kept, from 0 to 1.
        max_error: How much the metric may lose; without a metric, how large the error of each output may be beside it.
        report: A page to write about the compilation, in HTML: the network before and after, and all tables.  Tensors
            inside that have the same name in both are compared for it, too.
        budget: What the model may cost at most: memory, bytes of constants that it does not hold, and seconds.

    Raises:
        VerificationError: the result computes something else than the source.
        CompileError: everything else that can be wrong; its ``diagnostics`` say what, where and what to do.
    """
    given = {**locals()}
    del given["model"]
    from nhwcc import driver

    return driver.compile_model(model, CompileOptions(**given))


def compile_all(  # noqa: D417, PLR0913 -- users see every option; compile describes them
    model: Model,
    files: Sequence[PathLike],
    /,
    *,
    target: str | None = None,
    opset: int | None = None,
    variables: bool = False,
    shapes: Mapping[str, ShapeLike] | None = None,
    inputs: Sequence[str] | None = None,
    outputs: Sequence[str] | None = None,
    args: Sequence[Any] = (),
    kwargs: Mapping[str, Any] | None = None,
    dynamic_shapes: DynamicShapes = None,
    state: StateHandling = "refuse",
    signature: str | None = None,
    unsafe_load: bool = False,
    weights: PathLike | None = None,
    by_standard: bool = False,
    allow_custom_ops: bool = False,
    rename: Mapping[str, str] | None = None,
    input_names: Sequence[str] | None = None,
    output_names: Sequence[str] | None = None,
    drop_unused_inputs: bool = False,
    io_layout: str | Mapping[str, str] | None = None,
    rnn: Strategy = "auto",
    optimize: Goal = "balanced",
    data_type: DataType | None = None,
    passes: str | None = None,
    disable: Collection[str] = (),
    before: Mapping[str, str] | None = None,
    after: Mapping[str, str] | None = None,
    load: Sequence[PathLike] = (),
    rules: Sequence[PathLike] = (),
    instruments: Sequence[Instrument] = (),
    verify: bool = True,
    data: Data | None = None,
    seed: int = 0,
    tolerance: float = TOLERANCE,
    quantize: QuantizationChoice | None = None,
    calibration: Sequence[PathLike] = (),
    images: str | None = None,
    keep_float: Sequence[str] = (),
    per_tensor: bool = False,
    io_dtype: str | Mapping[str, str] | None = None,
    split_outputs: bool = False,
    min_sqnr: float | None = None,
    metric: str | None = None,
    max_error: float | None = None,
    report: PathLike | None = None,
    budget: Budget | None = None,
) -> list[Artifact]:
    """Compile a model into several files, for which it is read once; all of them appear, or none.

    Args:
        model: As for :func:`compile`, which describes all other arguments, too.
        files: The files to write; the suffix of each says its format.

    Raises:
        VerificationError: a result computes something else than the source.
        CompileError: everything else that can be wrong.
    """
    given = {**locals()}
    del given["model"], given["files"]
    from nhwcc import driver

    return driver.compile_all(model, CompileOptions(**given), files)


def compile_signatures(models: Mapping[str, Part], output: PathLike, **options: Any) -> list[Artifact]:
    """Compile networks into one file, each of them called by its key; weights that they share are stored once.

    Files that hold several are TFLite files and SavedModels. Each network is compared with its source, and called in
    the file to compare it with what it is alone.

    Args:
        models: By key, the models, as for :func:`compile`, which may be one with several signatures; or a pair of a
            model and a dictionary of options that are its own: ``{"decode": (decoder, {"shapes": {"z": (1, 16)}})}``.
        output: The file to write, or the folder of a SavedModel.
        **options: The arguments of :func:`compile` that are the same for all.

    Returns:
        What was made of each network, in order: its report, and a function that calls it in the file.

    Raises:
        VerificationError: a network computes something else than its source.
        CompileError: everything else that can be wrong.
    """
    from nhwcc import signatures

    return signatures.compile_signatures(models, output, CompileOptions(output, **options))


def verify(  # noqa: PLR0913 -- users see every option
    reference: Model,
    candidate: Model,
    *,
    data: Data | None = None,
    seed: int = 0,
    tolerance: float = TOLERANCE,
    per_op: bool = False,
    min_sqnr: float = 10.0,
    budget: Budget | None = None,
) -> Comparison:
    """Run two models of any formats on the same inputs and compare what they compute.

    Args:
        reference: The model that is right, as for :func:`compile`.
        candidate: The model to look at; layouts are read from the metadata of files that nhwcc wrote.
        data: Arrays by input, or files of them; random inputs by default.
        seed: Seed of random inputs.
        tolerance: The error that is allowed, relative to the largest value of each output.
        per_op: Compare all tensors inside that have the same name; otherwise those up to the first that departs, where
            outputs differ.
        min_sqnr: How near, in dB, outputs of a quantized candidate must be.
        budget: What a run may cost at most.

    Raises:
        CompileError: R022, the two have other inputs or outputs; or what refuses to be read or to run.
    """
    from nhwcc.comparison import compare_given
    from nhwcc.verification import Settings

    settings = Settings(tolerance, data, seed, per_op, strict=tolerance != TOLERANCE)
    return compare_given(reference, candidate, settings, min_sqnr, budget)

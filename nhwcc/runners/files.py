"""The runner of a file, whatever format it has."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path

from nhwcc.compiler.diagnostics import CompileError
from nhwcc.compiler.workload import check_run
from nhwcc.cut import Cut
from nhwcc.file_formats import detect
from nhwcc.pytorch import TorchSource
from nhwcc.runners import Runner
from nhwcc.runners.bounded import Bounded
from nhwcc.runners.reference import ReferenceRunner
from nhwcc.source import Source


def open_file(path: Path, stack: ExitStack) -> Runner:
    """Return what runs a file; ``stack`` ends it.

    Raises:
        CompileError: the file can't be read, or is of no format that can be run.
    """
    if detect(path).name == "tflite":
        from nhwcc.runners.tflite import TfliteRunner

        return stack.enter_context(TfliteRunner(path))
    source = Source.of(path)
    if source.format == "onnx":
        from nhwcc.runners.onnx import is_available

        if is_available():
            return _open_onnx(path, source)
    module = source.load(Cut())
    check_run(module.main)
    if isinstance(source, TorchSource):
        func = module.main
        types = {port.name: arg.type for port, arg in zip(func.inputs, func.args, strict=True)}
        return Bounded(source.runner(Cut(), types, [port.name for port in func.outputs]), func)
    return Bounded(ReferenceRunner(module), module.main)


def _open_onnx(path: Path, source: Source | TorchSource) -> Runner:
    """Return onnxruntime's runner; where the model can be imported, what a run costs is checked first."""
    from nhwcc.runners.onnx import OnnxRunner

    try:
        func = source.load(Cut()).main
        check_run(func)
    except CompileError as bad:
        if any(d.code.startswith("M") for d in bad.diagnostics):
            raise
        func = None
    try:
        runner = OnnxRunner(path)
    except CompileError as bad:
        return _stand_in(source, bad)
    return runner if func is None else Bounded(runner, func)


def _stand_in(source: Source | TorchSource, refused: CompileError) -> Runner:
    """Return the reference interpreter for a model that its own runtime refuses: it may know operators of the user."""
    try:
        return ReferenceRunner(source.load(Cut()))
    except CompileError:
        raise refused from None

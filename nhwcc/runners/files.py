"""The runner of a file, whatever format it has."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path

from nhwcc.compiler.diagnostics import CompileError
from nhwcc.cut import Cut
from nhwcc.formats import detect
from nhwcc.pytorch import TorchSource
from nhwcc.runners import Runner
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
        from nhwcc.runners.onnx import OnnxRunner, is_available

        if is_available():
            try:
                return OnnxRunner(path)
            except CompileError as bad:
                return _stand_in(source, bad)
    module = source.load(Cut())
    if isinstance(source, TorchSource):
        func = module.main
        types = {port.name: arg.type for port, arg in zip(func.inputs, func.args, strict=True)}
        return source.runner(Cut(), types, [port.name for port in func.outputs])
    return ReferenceRunner(module)


def _stand_in(source: Source | TorchSource, refused: CompileError) -> Runner:
    """Return the reference interpreter for a model that its own runtime refuses: it may know operators of the user."""
    try:
        return ReferenceRunner(source.load(Cut()))
    except CompileError:
        raise refused from None

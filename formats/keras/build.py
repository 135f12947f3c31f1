"""Files of Keras, made by Keras itself, which is imported when one is written."""

# Keras has no types
# pyright: reportMissingImports=false, reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false

from __future__ import annotations

import json
import os
import sys
import tempfile
import warnings
from collections.abc import Generator
from contextlib import contextmanager, suppress
from importlib.util import find_spec
from pathlib import Path
from typing import Any, cast

from ...compiler.diagnostics import error
from ...compiler.dims import Shape
from ...compiler.scratch import Scratch
from ...compiler.types import DType, TensorType
from .interface import annotate
from .program import LAYERS, Argument, Call, Input, Program, Tensor
from .refusals import first_line, refusals

NAMES = {
    DType.BOOL: "bool",
    **{DType(f"i{bits}"): f"int{bits}" for bits in (8, 16, 32, 64)},
    **{DType(f"u{bits}"): f"uint{bits}" for bits in (8, 16, 32, 64)},
    **{DType(f"f{bits}"): f"float{bits}" for bits in (16, 32, 64)},
}
"""Element types as Keras calls them."""


def check_installed() -> None:
    """Refuse to go on without Keras.

    Raises:
        CompileError: R017, Keras or what computes for it is not installed.
    """
    if find_spec("keras") is None or find_spec("tensorflow") is None:
        raise error("R017", "files of Keras are written by Keras, which is not installed", help=INSTALL)


INSTALL = "pip install 'nhwcc[tensorflow]'"


def save(program: Program, path: Path) -> int:
    """Write a model as a file whose suffix says the format; return its size.

    Raises:
        CompileError: R017, Keras is not installed; R018, it refuses the model.
    """
    check_installed()
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    os.environ.setdefault("KERAS_BACKEND", "tensorflow")
    with _silenced(), _confined(), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of .h5, that it is the older format
        _Builder().model(program).save(path)
    annotate(path, program.layout)
    return path.stat().st_size


@contextmanager
def _confined() -> Generator[None, None, None]:
    """Let temporary folders lie in one of ours: Keras leaves its own where it can't write."""
    usual = tempfile.tempdir
    with Scratch() as folder:
        tempfile.tempdir = str(folder.path)
        try:
            yield
        finally:
            tempfile.tempdir = usual


@contextmanager
def _silenced() -> Generator[None, None, None]:
    """Keep from standard error what TensorFlow writes there about itself when it is imported, at any level."""
    try:
        kept = os.dup(2)
    except OSError:  # there is none
        yield
        return
    with suppress(AttributeError):
        sys.stderr.flush()
    nothing = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nothing, 2)
    os.close(nothing)
    try:
        yield
    finally:
        with suppress(AttributeError):
            sys.stderr.flush()
        os.dup2(kept, 2)
        os.close(kept)


class _Builder:
    """Calls layers and operations one after the other on tensors without elements."""

    def __init__(self) -> None:
        import keras

        self._keras = cast(Any, keras)
        self._tensors: dict[Tensor, Any] = {}
        self._layers: dict[Any, Any] = {}

    def model(self, program: Program) -> Any:
        """Return the functional model."""
        for given in program.inputs:
            self._tensors[given.tensor] = self._input(given)
        for call in program.calls:
            self._run(call)
        inputs = [self._tensors[given.tensor] for given in program.inputs]
        outputs = [self._tensors[tensor] for tensor in program.outputs]
        return self._keras.Model(inputs, outputs[0] if len(outputs) == 1 else outputs, name="nhwcc")

    def _input(self, given: Input) -> Any:
        shape = tuple(size if isinstance(size, int) else None for size in given.type.shape)
        return self._keras.Input(batch_shape=shape, dtype=NAMES[given.type.dtype], name=given.name)

    def _run(self, call: Call) -> None:
        arguments = [self._argument(a) for a in call.arguments]
        try:
            if call.function.startswith(LAYERS):
                found = self._layer(call, arguments)
            else:
                found = self._function(call.function)(*arguments, **call.settings)
        except refusals() as bad:
            raise error("R018", f"Keras refuses {call.function} at {call.name!r}: {first_line(bad)}") from bad
        results = found if isinstance(found, list | tuple) else (found,)
        if not call.function.startswith(LAYERS):
            results[0]._keras_history.operation.name = call.name
        for (tensor, type), result in zip(call.results, results, strict=False):
            _check(call, type, result)
            self._tensors[tensor] = result

    def _function(self, name: str) -> Any:
        found: Any = self._keras
        for part in name.split("."):
            found = getattr(found, part)
        return found

    def _layer(self, call: Call, arguments: list[Any]) -> Any:
        """Call a layer; one with the same weights is called once more, as networks do that share them."""
        key = (call.function, json.dumps(dict(call.settings), default=str, sort_keys=True), call.weights)
        layer = self._layers.get(key) if call.weights else None
        if layer is not None:
            return layer(*arguments)
        layer = self._function(call.function)(name=call.name, **call.settings)
        results = layer(*arguments)
        if call.weights:
            layer.set_weights([weight.array() for weight in call.weights])
            self._layers[key] = layer
        return results

    def _argument(self, argument: Argument) -> Any:
        if isinstance(argument, Tensor):
            return self._tensors[argument]
        if isinstance(argument, tuple) and any(isinstance(part, Tensor | tuple) for part in argument):
            return [self._argument(part) for part in argument]
        return argument


def _check(call: Call, type: TensorType, result: Any) -> None:
    """Compare what Keras infers with what the compiler has."""
    found = tuple(result.shape)
    if result.dtype != NAMES[type.dtype] or not _agree(found, type.shape):
        text = f"{call.function} at {call.name!r} gives {result.dtype}{list(found)} in Keras, not {type}"
        raise error("R018", text)


def _agree(found: tuple[int | None, ...], shape: Shape) -> bool:
    pairs = zip(found, shape, strict=False)
    return len(found) == len(shape) and all(f is None or not isinstance(s, int) or f == s for f, s in pairs)

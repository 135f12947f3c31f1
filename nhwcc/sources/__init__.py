"""Models as they were given: what each is, how to read it, and what runs it as it is; one file per format."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, cast

from nhwcc.compiler.budget import Budget, limited
from nhwcc.compiler.ir import Module
from nhwcc.compiler.plugins import blaming
from nhwcc.compiler.types import TensorType
from nhwcc.cut import Cut
from nhwcc.file_formats import Format, named, supported
from nhwcc.named import NamedModule
from nhwcc.options import Model
from nhwcc.shapes import ShapeLike, read_shapes
from nhwcc.sources.call import Call

if TYPE_CHECKING:
    from nhwcc.runners import Runner


class Source(Protocol):
    """A model of some format: how it is read, and what runs the original."""

    @property
    def title(self) -> str:
        """How reports and progress call the model: its path, or what kind of object it is."""
        ...

    def load(self, cut: Cut) -> Module:
        """Read the model as the source says it.

        Raises:
            CompileError: what the frontend finds (F..., P...).
        """
        ...

    def files(self, module: Module) -> list[Path]:
        """Return the files that the model and its weights are read from; none in memory."""
        ...

    def runner(self, cut: Cut, types: Mapping[str, TensorType], outputs: Sequence[str], stack: ExitStack) -> Runner:
        """Return what runs the source: its own runtime, else the reference interpreter on what is imported anew.

        ``types`` and ``outputs`` are the interface of the part that was imported; ``stack`` ends what runs it.
        """
        ...

    def open(self, stack: ExitStack) -> Runner:
        """Return what runs the whole model; ``stack`` ends it.

        Raises:
            CompileError: the runtime refuses it.
        """
        ...


def source_of(model: Model, call: Call | None = None) -> Source:
    """Find out what was given; ``call`` says how a PyTorch model is called.

    Raises:
        CompileError: R010 unreadable, R014 unknown, R015 a format that is not supported.
        TypeError: it is nothing that could be a model.
    """
    if isinstance(model, bytes | str | os.PathLike):
        place = model if isinstance(model, bytes) else Path(model)
        return _open(supported(place), place, call)
    return _open(_format_of(model), model, call)


def _format_of(model: object) -> Format:
    """The format of an object in memory."""
    if isinstance(model, Module):
        return named("ir")
    libraries = {base.__module__.partition(".")[0] for base in type(model).mro()}
    if isinstance(model, NamedModule) or "torch" in libraries:
        return named("torch")
    if libraries & {"keras", "tf_keras"}:
        return named("keras")
    if hasattr(model, "SerializeToString"):
        return named("onnx")
    raise TypeError(
        f"a model is a path, bytes, a model of ONNX, PyTorch or Keras, or a Module, not {type(model).__name__}"
    )


def _open(format: Format, given: object, call: Call | None) -> Source:
    """Make the source that a format says."""
    module, _, name = format.source.partition(":")
    made: Any = getattr(import_module(module), name)
    return cast(Source, made(given, call or Call()))


def load(
    model: Model,
    *,
    shapes: Mapping[str, ShapeLike] | None = None,
    inputs: Sequence[str] | None = None,
    outputs: Sequence[str] | None = None,
    allow_custom_ops: bool = False,
    budget: Budget | None = None,
) -> Module:
    """Read a model as the source says it: nothing is optimised, no layout is changed.

    Args:
        model: A file, the bytes of one, a parsed ONNX message, a module or an exported program of PyTorch, a model of
            Keras, or IR, which is copied.
        shapes: Shapes by input, which replace declared ones; a string names a size that stays open.  A number in place
            of a shape is what a named size is to be.
        inputs: Tensors at which the part of the graph begins that is read.
        outputs: Tensors at which it ends.
        allow_custom_ops: Keep operators without a known meaning as custom operations.
        budget: What the model may cost at most.

    Raises:
        CompileError: R010 unreadable, R014 unknown, R015 not supported, and what the frontend finds (F..., P...).
    """
    with limited(budget), blaming():
        return source_of(model).load(Cut(read_shapes(shapes), inputs, outputs, allow_custom_ops))

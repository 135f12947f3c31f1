"""A model as it was given: what it is, how to read it, and what runs it as it is."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, cast

from nhwcc.compiler.budget import Budget, limited
from nhwcc.compiler.clone import clone_module
from nhwcc.compiler.diagnostics import CompileError, Remark, error, remark
from nhwcc.compiler.ir import Func, Module
from nhwcc.compiler.ops.core import Const
from nhwcc.compiler.plugins import blaming
from nhwcc.compiler.types import TensorType
from nhwcc.cut import Cut, sizes_of
from nhwcc.file_formats import supported
from nhwcc.named import NamedModule
from nhwcc.options import Model
from nhwcc.pytorch import Call, TorchSource
from nhwcc.shapes import ShapeLike, read_shapes

if TYPE_CHECKING:
    from onnx import ModelProto
    from torch import nn
    from torch.export import ExportedProgram

    from nhwcc.runners import Runner


@dataclass(frozen=True)
class Source:
    """A file, bytes, a parsed message, or IR."""

    given: Path | bytes | ModelProto | Module
    format: str

    @staticmethod
    def of(model: Model, call: Call | None = None) -> Source | TorchSource:
        """Find out what was given; ``call`` says how a PyTorch model is called.

        Raises:
            CompileError: R010 unreadable, R014 unknown, R015 a format that is not supported.
            TypeError: it is nothing that could be a model.
        """
        if isinstance(model, Module):
            return Source(model, "ir")
        if isinstance(model, bytes | str | os.PathLike):
            place = model if isinstance(model, bytes) else Path(model)
            format = supported(place).name
            if format == "torch":
                if isinstance(place, bytes):
                    raise error("R015", "a PyTorch file can't be read from bytes", help="give its path")
                return TorchSource(place, call or Call())
            return Source(place, format)
        if isinstance(model, NamedModule):
            return TorchSource(model, call or Call())
        if hasattr(model, "SerializeToString"):
            return Source(cast("ModelProto", model), "onnx")
        if any(base.__module__.partition(".")[0] == "torch" for base in type(model).__mro__):
            return TorchSource(cast("nn.Module | ExportedProgram", model), call or Call())
        raise TypeError(f"a model is a path, bytes, an ONNX message or a Module, not {type(model).__name__}")

    @property
    def title(self) -> str:
        """What was given, in words."""
        if isinstance(self.given, Path):
            return str(self.given)
        return "IR" if self.format == "ir" else "an ONNX model"

    def load(self, cut: Cut) -> Module:
        """Read the model as the source says it.

        Raises:
            CompileError: what the frontend finds (F..., P...).
        """
        if self.format == "onnx":
            from nhwcc.frontends.onnx import import_onnx

            given = cast("Path | bytes | ModelProto", self.given)
            part = import_onnx(
                given,
                shapes=sizes_of(cut.shapes),
                inputs=cut.inputs,
                outputs=cut.outputs,
                allow_custom_ops=cut.allow_custom_ops,
            )
            return cut.checked(part)
        module = clone_module(self.given) if isinstance(self.given, Module) else _read_ir(self.given)
        _name_apart(module.main)
        return cut.of(module, cut.shapes)

    def files(self, module: Module) -> list[Path]:
        """The files that the model and its weights are read from."""
        weights = [op.value.source for op in module.walk() if isinstance(op, Const)]
        own = [self.given] if isinstance(self.given, Path) else []
        return [*own, *dict.fromkeys(source.path for source in weights if source is not None)]

    def runner(self, cut: Cut, types: Mapping[str, TensorType], outputs: Sequence[str]) -> Runner:
        """Return what runs the source: its own runtime, else the reference interpreter on what is imported anew.

        ``types`` and ``outputs`` are the interface of the part that was imported.
        """
        if self.format == "onnx":
            from nhwcc.runners.onnx import OnnxRunner, is_available

            given = cast("Path | bytes | ModelProto", self.given)
            try:
                if is_available():
                    return OnnxRunner(given) if cut.is_whole else OnnxRunner(given, types=types, outputs=outputs)
                why = "onnxruntime is not installed (pip install 'nhwcc[onnxruntime]')"
            except CompileError as bad:
                why = bad.diagnostics[0].message
            remark(Remark("warning", "verify", f"verified against the reference interpreter: {why}"))
        from nhwcc.runners.reference import ReferenceRunner

        return ReferenceRunner(self.load(cut))


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

    ``shapes`` replaces declared shapes of inputs (a text names a size that stays open), and gives numbers for named
    sizes; ``inputs`` and ``outputs`` cut out the part of the graph between these tensors.  ``allow_custom_ops`` carries
    operators that nobody knows as custom ones.  ``budget`` says what the model may cost at most.

    Raises:
        CompileError: R010 unreadable, R014 unknown, R015 not supported, and what the frontend finds (F..., P...).
    """
    with limited(budget), blaming():
        return Source.of(model).load(Cut(read_shapes(shapes), inputs, outputs, allow_custom_ops))


def _name_apart(func: Func) -> None:
    """Give outputs that have the same name, or none, names of their own: results are found by them."""
    taken: set[str] = set()
    for i, port in enumerate(func.outputs):
        if port.name in taken or (not port.name and len(func.outputs) > 1):
            port.name = next(n for n in (f"output_{k}" for k in count(i)) if n not in taken)
        taken.add(port.name)


def _read_ir(source: object) -> Module:
    from nhwcc.compiler import ops as _ops  # noqa: F401  # pyright: ignore[reportUnusedImport]
    from nhwcc.compiler.parser import parse_module, read_module

    return read_module(source) if isinstance(source, Path) else parse_module(cast(bytes, source).decode("utf-8"))

"""Running torch.export, and what its errors mean."""

from __future__ import annotations

import inspect
import warnings
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias, cast

import torch
from torch import nn
from torch._dynamo.exc import TorchDynamoException
from torch.export import ExportedProgram
from torch.export.dynamic_shapes import Dim

from ...compiler.diagnostics import error

DynamicShapes: TypeAlias = "Mapping[str, Any] | Sequence[Any] | None"
"""Which sizes stay open, in the form that torch.export takes."""

REFUSALS = (
    TorchDynamoException,
    ArithmeticError,
    AssertionError,
    AttributeError,
    LookupError,
    NotImplementedError,
    RuntimeError,
    TypeError,
    ValueError,
)
"""What running a model without data can raise: the model's own errors and PyTorch's, which have no common base."""


@dataclass(frozen=True)
class Exported:
    """A program, and for each of its inputs how the user calls its open sizes, by axis."""

    program: ExportedProgram
    sizes: Sequence[Mapping[int, str]] = ()

    def size(self, input: int, axis: int) -> str | None:
        """Return the name of an input's size, None if it has none."""
        return self.sizes[input].get(axis) if input < len(self.sizes) else None


def export(
    model: nn.Module, args: Sequence[Any], kwargs: Mapping[str, Any] | None, dynamic_shapes: DynamicShapes
) -> Exported:
    """Export a module as it runs on ``args`` and ``kwargs``.

    Raises:
        CompileError: F030, PyTorch can't.
    """
    try:
        with warnings.catch_warnings(), torch.no_grad():
            warnings.simplefilter("ignore")
            program = torch.export.export(
                model, tuple(args), dict(kwargs or {}), dynamic_shapes=cast(Any, dynamic_shapes), strict=False
            )
        return Exported(program, list(_size_names(model, args, kwargs or {}, dynamic_shapes)))
    except REFUSALS as bad:
        raise error(
            "F030",
            f"torch.export can't export {type(model).__name__}: {_first_lines(bad)}",
            excerpt=_user_line(bad),
            help=_advice(str(bad)),
        ) from bad


def _first_lines(bad: BaseException) -> str:
    lines = [line.strip() for line in str(bad).splitlines() if line.strip()]
    return " ".join(lines[:3]) if lines else type(bad).__name__


def _user_line(bad: BaseException) -> str | None:
    """The innermost line of Python outside of PyTorch and of this file that an error passed through."""
    found: str | None = None
    trace = bad.__traceback__
    own = (str(inspect.getsourcefile(torch)).removesuffix("__init__.py"), __file__)
    while trace is not None:
        code = trace.tb_frame.f_code
        if not code.co_filename.startswith(own) and "torch/export" not in code.co_filename:
            found = f"{code.co_filename}:{trace.tb_lineno} in {code.co_name}"
        trace = trace.tb_next
    return found


def _advice(text: str) -> str:
    if "onstraint" in text or "specialized" in text:
        return "Leave fewer sizes open, or give the relation between them that the message suggests."
    if "data-dependent" in text or "DataDependent" in text:
        return "Replace Python's if on data by torch.where or torch.cond, and sizes that depend on data by fixed ones."
    return "torch.export.draft_export(model, args) lists everything that is in the way."


def _size_names(
    model: nn.Module, args: Sequence[Any], kwargs: Mapping[str, Any], shapes: DynamicShapes
) -> Iterator[dict[int, str]]:
    """Yield for every tensor among the arguments the names of its sizes."""
    bound = inspect.signature(model.forward).bind(*args, **kwargs).arguments
    if shapes is None:
        shapes = {}
    given = shapes if isinstance(shapes, Mapping) else dict(zip(bound, shapes, strict=False))
    for name, value in bound.items():
        yield from _leaves(value, given.get(name))


def _leaves(value: Any, shapes: Any) -> Iterator[dict[int, str]]:
    if isinstance(value, Mapping):
        for key, item in cast(Mapping[Any, Any], value).items():
            yield from _leaves(item, shapes.get(key) if isinstance(shapes, Mapping) else None)  # pyright: ignore
    elif isinstance(value, list | tuple):
        many = shapes if isinstance(shapes, list | tuple) else [None] * len(value)
        for item, shape in zip(value, many, strict=True):
            yield from _leaves(item, shape)
    else:
        axes = shapes if isinstance(shapes, Mapping) else dict(enumerate(shapes or ()))
        yield {axis: d.__name__ for axis, d in axes.items() if isinstance(d, Dim)}

"""Operators whose kernels an application brings, carried as they are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from ...compiler.ir import Value
from ...compiler.ops.custom import Custom
from ...compiler.types import TensorType
from ...compiler.weights import Weight
from ...formats.tflite.constants import element_type
from ...formats.tflite.contents import StoredOperator
from ...formats.tflite.flexbuffer import RAW, decode
from .emitter import Emitter
from .handles import Imported


def custom_options(operator: StoredOperator) -> Mapping[str, Any]:
    """Return what the kernel of a custom operator is told, by name; bytes that are no map under the name ``RAW``."""
    told = operator.info.custom_options or b""
    if not told:
        return {}
    try:
        found = decode(told)
    except ValueError:
        found = None
    if isinstance(found, dict) and all(isinstance(key, str) for key in found):  # pyright: ignore[reportUnknownVariableType]
        return found  # pyright: ignore[reportUnknownVariableType]
    return {RAW: Weight.of(np.frombuffer(told, np.uint8))}


def custom(emit: Emitter, operands: Sequence[Imported | None]) -> Custom:
    """Return the operation that stands for an operator; what the file states are the types of its results.

    Raises:
        CompileError: F005, it reads a resource; F003, a result has an element type that the IR lacks.
    """
    if any(v is not None and not isinstance(v, Value) for v in operands):
        raise emit.fail("reads a resource, which can't be carried")
    inputs = tuple(v if isinstance(v, Value) else None for v in operands)
    types = tuple(TensorType(element_type(t), emit.stated(i)) for i, t in enumerate(emit.outputs))
    return Custom(inputs, emit.operator.name, types, dict(custom_options(emit.operator)))

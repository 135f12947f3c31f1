"""What operations of MIL mean, by Apple's own descriptions: packages are run by this where there is no Core ML.

It shares nothing with the compiler: conditions, kernels and lowerings of the target are tested against it.  It reads
packages as coremltools loads them, and lives in a process without the libraries that coremltools converts from.
"""

# coremltools has no types
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false
# pyright: reportMissingImports=false

from __future__ import annotations

import traceback
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from mil_operations import OPERATIONS
from nhwcc.compiler.diagnostics import error
from nhwcc.compiler.types import Array
from nhwcc.formats.coreml.build import Request, answer
from nhwcc.formats.refusals import STANDARD

from nhwcc.runners.coreml_file import CoremlFileRunner
from nhwcc.runners.coreml_session import CoremlSession


class MilWriter:
    """Writes packages as the process does that writes one."""

    def write(self, request: Request, constants: list[Array]) -> tuple[bool, Any]:
        """Write one; return whether that went well, or else what is wrong."""
        return answer(request, constants)


class MilSession(CoremlSession):
    """A package whose program is evaluated operation by operation."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.version = "MIL as described"

    def run(self, outputs: Sequence[str], inputs: Mapping[str, Array]) -> list[Array]:
        """Evaluate; inputs must have the types and sizes that the package states."""
        try:
            return self._evaluated(outputs, inputs)
        except STANDARD as bad:
            raise error("R018", f"{type(bad).__name__}: {bad}\n{traceback.format_exc()[-1500:]}") from bad

    def _evaluated(self, outputs: Sequence[str], inputs: Mapping[str, Array]) -> list[Array]:
        function = self.program.functions["main"]
        self._check(inputs)
        values: dict[str, Any] = {}
        for name, var in function.inputs.items():
            assert inputs[name].dtype == _numpy_type(var), f"{name} is {inputs[name].dtype}"
            values[name] = inputs[name]
        _evaluate(function, values)
        return [np.asarray(values[name]) for name in outputs]

    def operators(self) -> list[str]:
        """Return the type of each operation in order, without constants."""
        return [op.op_type for op in self.program.functions["main"].operations if op.op_type != "const"]

    def weights(self) -> dict[str, Array]:
        """Return the constants of the program by name."""
        found = [op.outputs[0] for op in self.program.functions["main"].operations if op.op_type == "const"]
        return {var.name: np.asarray(var.val) for var in found if isinstance(var.val, np.ndarray)}

    def description(self) -> str:
        """Return what the package says of its inputs and outputs."""
        return str(self._model.get_spec().description)

    def _check(self, inputs: Mapping[str, Array]) -> None:
        """Hold inputs to the ranges of sizes that the package states."""
        for given in self._model.get_spec().description.input:
            shape, stated = inputs[given.name].shape, given.type.multiArrayType
            ranges = [(r.lowerBound, r.upperBound) for r in stated.shapeRange.sizeRanges]
            ranges = ranges or [(size, size) for size in stated.shape]
            assert len(shape) == len(ranges), f"{given.name} has {len(shape)} axes"
            assert all(low <= size <= high for size, (low, high) in zip(shape, ranges, strict=True)), given.name


class MilFileRunner(CoremlFileRunner):
    """Runs a written package by the interpreter, in the source's layout."""

    session = ("mil_interpreter", "MilSession")

    def said(self, what: str) -> Any:
        """Return what the session says of the package: what a method without operands returns."""
        return self._runtime.call(what)


def _evaluate(block: Any, values: dict[str, Any]) -> None:
    """Evaluate operations in order."""
    for op in block.operations:
        for var, result in zip(op.outputs, _results(op, values), strict=True):
            values[var.name] = _typed(op, var, result)


def _run_block(block: Any, values: Mapping[str, Any], taken: Sequence[Any] = ()) -> list[Any]:
    """Return what a block gives; it sees what is around it."""
    own = {**values, **dict(zip((var.name for var in block.inputs), taken, strict=True))}
    _evaluate(block, own)
    return [own[var.name] for var in block.outputs]


def _looped(op: Any, values: Mapping[str, Any]) -> list[Any]:
    condition, body = op.blocks
    carried = [values[var.name] for var in op.loop_vars]
    while np.asarray(_run_block(condition, values, carried)[0]).item():
        carried = _run_block(body, values, carried)
    return carried


def _results(op: Any, values: Mapping[str, Any]) -> Sequence[Any]:
    if op.op_type == "const":
        return [op.outputs[0].val]
    if op.op_type == "cond":
        return _run_block(op.blocks[0 if np.asarray(values[op.pred.name]).item() else 1], values)
    if op.op_type == "while_loop":
        return _looped(op, values)
    operands = {name: _value(var, values) for name, var in op.inputs.items()}
    compute: Callable[..., Any] = OPERATIONS[op.op_type]
    found = compute(**operands)
    return found if isinstance(found, tuple) else [found]


def _value(var: Any, values: Mapping[str, Any]) -> Any:
    if var is None:
        return None
    return [_value(v, values) for v in var] if isinstance(var, list | tuple) else values[var.name]


def _numpy_type(var: Any) -> Any:
    from coremltools.converters.mil.mil import types

    return np.dtype(types.nptype_from_builtin(var.dtype))


def _typed(op: Any, var: Any, result: Any) -> Any:
    """Return a result in the type that MIL infers, whose shape it must have."""
    if isinstance(result, str | bool | int):
        return result
    array = np.asarray(result).astype(_numpy_type(var), copy=False) if _is_array(var) else result
    if _is_array(var):
        pairs = zip(np.shape(array), var.shape, strict=True)
        assert all(a == b for a, b in pairs if isinstance(b, int | np.integer)), f"{op.op_type} {op.name}: {var.shape}"
    return array


def _is_array(var: Any) -> bool:
    from coremltools.converters.mil.mil import types

    return not types.is_str(var.dtype)

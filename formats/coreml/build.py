"""What writes packages: coremltools builds the program, infers its types, and converts it; a process of its own."""

# coremltools has no types
# pyright: reportMissingImports=false, reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false

from __future__ import annotations

import json
import os
import pickle
import sys
from collections.abc import Iterator
from functools import partial
from typing import Any, TypeAlias

import numpy as np

from ...compiler.diagnostics import CompileError, error
from ...compiler.dims import Sym, is_static
from ...compiler.types import Array, DType, TensorType
from ..layout import KEY
from ..refusals import STANDARD, first_line
from .install import load
from .program import LARGEST, STORED, Argument, Block, Input, Program, Step, Stored, Tensor, walk

PASSES = ("common::dead_code_elimination",)
"""The only pass of coremltools that runs: it drops what nothing reads."""

HALF_PASSES = ("common::add_fp16_cast", "common::cast_optimization", "common::const_elimination", *PASSES)
"""Those that make a program compute in 16 bits, with conversions at its ends."""

FEW = 8
"""Elements of a constant up to which each operation has its own copy."""


Request: TypeAlias = tuple[Program, str, bool, int]
"""What is written, where, whether it computes in 16 bits, and how many constants follow."""


class Builder:
    """Calls operations of MIL one after the other on variables without elements."""

    def __init__(self, constants: list[Array]) -> None:
        self._ct = load()
        from coremltools.converters import mil
        from coremltools.converters.mil.mil import types

        self._mb: Any = mil.Builder
        self._types: dict[DType, Any] = {
            DType.F16: types.fp16,
            DType.F32: types.fp32,
            DType.I32: types.int32,
            DType.BOOL: types.bool,
        }
        self._constants = constants
        self._stored: dict[Stored, Any] = {}
        self._tensors: dict[Tensor, Any] = {}
        self._symbols: dict[str, Any] = {}

    def save(self, program: Program, path: str, *, halves: bool) -> None:
        """Write a package.

        Raises:
            CompileError: R018, coremltools refuses the program.
        """
        ct: Any = self._ct
        model = ct.convert(
            self._program(program),
            source="milinternal",
            inputs=[self._range(given) for given in program.inputs],
            convert_to="mlprogram",
            minimum_deployment_target=ct.target.iOS16,
            compute_precision=ct.precision.FLOAT16 if halves else ct.precision.FLOAT32,
            pass_pipeline=ct.PassPipeline(list(HALF_PASSES if halves else PASSES), "nhwcc"),
            skip_model_load=True,
        )
        metadata = {**program.said, KEY: _renamed(program.said[KEY], model.get_spec().description)}
        model.user_defined_metadata.update(metadata)
        model.save(path)

    def _program(self, program: Program) -> Any:
        from coremltools.converters.mil.mil import Function
        from coremltools.converters.mil.mil import Program as MilProgram

        given = {i.name: self._mb.placeholder(self._shape(i.type), self._types[i.type.dtype]) for i in program.inputs}
        with Function(given, opset_version=self._ct.target.iOS16) as function:
            for i in program.inputs:
                self._tensors[i.tensor] = function.inputs[i.name]
            for step in program.steps:
                self._run(step)
            function.set_outputs([self._tensors[tensor] for tensor in program.outputs])
        _name_apart(function)
        made = MilProgram()
        made.add_function("main", function)
        return made

    def _shape(self, type: TensorType) -> tuple[Any, ...]:
        return tuple(self._symbol(str(d)) if isinstance(d, Sym) else d for d in type.shape)

    def _symbol(self, size: str) -> Any:
        from coremltools.converters.mil.mil import get_new_symbol

        if size not in self._symbols:
            self._symbols[size] = get_new_symbol()
        return self._symbols[size]

    def _range(self, given: Input) -> Any:
        """Return an input with what its open sizes may be."""
        ct: Any = self._ct
        sizes = zip(given.type.shape, given.least, strict=True)
        shape = [ct.RangeDim(least, LARGEST) if isinstance(size, Sym) else size for size, least in sizes]
        return ct.TensorType(given.name, shape=ct.Shape(shape), dtype=given.type.dtype.numpy.type)

    def _run(self, step: Step) -> None:
        self._store(step)
        arguments = {name: self._argument(a) for name, a in step.arguments.items()}
        blocks = {name: partial(self._run_block, block) for name, block in step.blocks.items()}
        try:
            found = getattr(self._mb, step.operator)(name=step.name, **arguments, **blocks)
        except (*STANDARD, NotImplementedError) as bad:
            raise error("R018", f"Core ML refuses {step.operator} at {step.name!r}: {first_line(bad)}") from bad
        results = found if isinstance(found, list | tuple) else (found,)
        for (tensor, type), result in zip(step.results, results, strict=True):
            self._check(step, type, result)
            self._tensors[tensor] = result

    def _run_block(self, block: Block, *taken: Any) -> list[Any]:
        """Call the operations of a block, which is inside of an operation by then."""
        self._tensors |= dict(zip(block.takes, taken, strict=True))
        for step in block.steps:
            self._run(step)
        return [self._sized(self._tensors[tensor], type) for tensor, type in block.returns]

    def _sized(self, result: Any, type: TensorType) -> Any:
        """Return a result with all its sizes where coremltools does not know some: loops carry what keeps its type."""
        if not is_static(type.shape) or all(isinstance(d, int | np.integer) for d in result.shape):
            return result
        return self._mb.reshape(x=result, shape=np.asarray(type.shape, np.int32))

    def _store(self, step: Step) -> None:
        """Make the constants of blocks where all blocks see them."""
        inner = [s for block in step.blocks.values() for s in walk(block.steps)]
        for argument in (a for s in inner for a in s.arguments.values()):
            for part in argument if isinstance(argument, tuple) else (argument,):
                if isinstance(part, Stored):
                    self._constant(part)

    def _check(self, step: Step, type: TensorType, result: Any) -> None:
        """Compare what coremltools infers with what the compiler has."""
        found = tuple(result.shape)
        pairs = list(zip(found, type.shape, strict=False))
        fits = all(not isinstance(d, int | np.integer) or (d == s if isinstance(s, int) else d > 0) for d, s in pairs)
        if len(found) != type.rank or not fits or result.dtype is not self._types[STORED[type.dtype]]:
            text = f"{step.operator} at {step.name!r} gives {result.dtype.__name__}{list(found)} in Core ML, not {type}"
            raise error("R018", text)

    def _argument(self, argument: Argument) -> Any:
        match argument:
            case Tensor():
                return self._tensors[argument]
            case Stored():
                return self._constant(argument)
            case tuple() if all(isinstance(part, bool) for part in argument):
                return np.asarray(argument, np.bool_)
            case tuple() if all(isinstance(part, int) for part in argument):
                return np.asarray(argument, np.int32)
            case tuple():
                return [self._argument(part) for part in argument]
            case _:
                return argument

    def _constant(self, stored: Stored) -> Any:
        array = self._constants[stored.number]
        if array.size <= FEW:
            return array if array.shape else array[()]
        if stored not in self._stored:
            self._stored[stored] = self._mb.const(val=array, name=f"constant_{stored.number}")
        return self._stored[stored]


def _name_apart(function: Any) -> None:
    """Give variables other names where several have one: coremltools makes more of the names of operations."""
    kept = {id(var): var for var in (*function.inputs.values(), *function.outputs)}
    taken = {var.name for var in kept.values()}
    for var in _variables(function):
        name, number = var.name, 0
        while id(var) not in kept and var.name in taken:
            number += 1
            var.set_name(f"{name}_{number}")
        taken.add(var.name)


def _variables(block: Any) -> Iterator[Any]:
    """Yield what a block computes, and what blocks inside of it take and compute."""
    for op in block.operations:
        yield from op.outputs
        for inner in op.blocks:
            yield from inner.inputs
            yield from _variables(inner)


def _renamed(said: str, description: Any) -> str:
    """Return what is said of inputs and outputs with the names that they have: coremltools changes those that clash."""
    sides = json.loads(said)
    for side, features in (("inputs", description.input), ("outputs", description.output)):
        for port, feature in zip(sides[side], features, strict=True):
            port["tensor"] = feature.name
    return json.dumps(sides, separators=(",", ":"))


def answer(request: Request, constants: list[Array]) -> tuple[bool, Any]:
    """Write what a request asks for; return whether that went well, or else what is wrong."""
    program, path, halves, _ = request
    try:
        Builder(constants).save(program, path, halves=halves)
    except CompileError as bad:
        return False, bad.diagnostics
    except STANDARD as bad:
        return False, error("R018", f"Core ML refuses the program: {first_line(bad)}").diagnostics
    return True, None


def main() -> None:
    """Answer one request on standard input and output; what coremltools prints goes to standard error."""
    back = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    request: Request = pickle.load(sys.stdin.buffer)  # noqa: S301 -- from our own process
    constants = [pickle.load(sys.stdin.buffer) for _ in range(request[-1])]  # noqa: S301
    pickle.dump(answer(request, constants), back, pickle.HIGHEST_PROTOCOL)
    back.flush()


if __name__ == "__main__":
    main()

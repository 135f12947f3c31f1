"""Damaged operations: every sample with other operand types and attributes, fitting or not."""

from __future__ import annotations

import math
import random
from typing import Any, cast

import numpy as np
from nhwcc.compiler.dims import Sym, static, substitute, symbol
from nhwcc.compiler.interpreter import random_inputs, random_tensor, run
from nhwcc.compiler.ir import Func, Op, Port, Region, Value
from nhwcc.compiler.ops.core import Return
from nhwcc.compiler.types import Array, DType, TensorType
from samples import sample_op

SIZES = (0, 1, 1, 2, 3, 4, 5, 7, symbol("batch"), symbol("n"))
INTEGERS = (-1, 0, 1, 2, 3, 5, 7, 100, -3, 2**31, 2**62, -(2**63), 2**64)
FLOATS = (0.0, -1.0, 0.5, 1e-40, 1e300, float("inf"), float("-inf"), float("nan"))
OTHERS: tuple[Any, ...] = ("", "none", "add", "nearest", 1.5, None, True, (), (1,), ((1, 1),), "f32", {}, [1])
"""Values of any type."""


class Damage:
    """Changes operations at random, the same way for the same seed."""

    def __init__(self, seed: object) -> None:
        self.rng = random.Random(str(seed))

    def type(self, type: TensorType) -> TensorType:
        """Another rank, size or element type."""
        shape: list[Any] = list(type.shape)
        place = self.rng.randrange(len(shape) + 1)
        match self.rng.randrange(5):
            case 0:
                shape.insert(place, self.rng.choice(SIZES))
            case 1 if shape:
                del shape[min(place, len(shape) - 1)]
            case 2:
                return type.with_dtype(self.rng.choice(list(DType)))
            case 3:
                self.rng.shuffle(shape)
            case _:
                if shape:
                    shape[min(place, len(shape) - 1)] = self.rng.choice(SIZES)
        return type.with_shape(shape)

    def value(self, value: Any) -> Any:
        """Another value of an attribute, mostly of the same type."""
        if self.rng.random() < 0.1:
            return self.rng.choice(OTHERS)
        if isinstance(value, tuple):
            return self.items(list(cast(tuple[Any, ...], value)))
        if isinstance(value, bool):
            return not value
        if isinstance(value, float):
            return self.rng.choice(FLOATS)
        if isinstance(value, DType):
            return self.rng.choice(list(DType))
        if isinstance(value, str):
            return self.rng.choice(("", value + "x", "none", "relu"))
        return self.rng.choice(INTEGERS)

    def items(self, items: list[Any]) -> tuple[Any, ...]:
        """One item more, less, or other."""
        place = self.rng.randrange(len(items) + 1)
        match self.rng.randrange(3):
            case 0:
                items.insert(place, self.value(items[0] if items else 0))
            case 1 if items:
                del items[min(place, len(items) - 1)]
            case _:
                if items:
                    items[min(place, len(items) - 1)] = self.value(items[min(place, len(items) - 1)])
        return tuple(items)

    def operation(self, op: Op) -> Op:
        """Build the operation again with something changed."""
        operands = [None if v is None else Value(v.type, name=f"x{i}") for i, v in enumerate(op.operands)]
        attributes = dict(op.attributes)
        for _ in range(self.rng.choice((1, 1, 2))):
            if attributes and self.rng.random() < 0.5:
                name = self.rng.choice(list(attributes))
                attributes[name] = self.value(attributes[name])
            elif operands:
                self.operand(op, operands)
        return op.spec.build(type(op), operands, attributes)

    def operand(self, op: Op, operands: list[Value | None]) -> None:
        """Change, leave out or add one operand."""
        slot = self.rng.randrange(len(operands))
        chance = self.rng.random()
        value = operands[slot]
        if op.spec.variadic and chance < 0.2:
            operands.append(Value(TensorType(DType.F32, (self.rng.choice(SIZES),)), name="more"))
        elif op.spec.variadic and chance < 0.3:
            operands.pop()
        elif op.spec.operands[min(slot, len(op.spec.operands) - 1)] in op.spec.optional and chance < 0.3:
            operands[slot] = None
        elif value is not None:
            value.type = self.type(value.type)


def operands_of(func: Func) -> list[Array | None]:
    """Return the arrays that a sample's operation is run on."""
    op = sample_op(func)
    seen: dict[Value, Array] = {}
    given = random_inputs(func, seed=1)
    seen.update(zip(func.args, given, strict=True))

    def observe(done: Op, results: Any) -> None:
        seen.update(zip(done.results, results, strict=True))

    run(func, given, observe)
    return [None if v is None else seen[v] for v in op.operands]


def run_alone(op: Op, like: list[Array | None], seed: int) -> list[Array]:
    """Run one operation with names of sizes made 2, on the arrays ``like``, or random ones where types differ."""
    names = {n: 2 for v in op.operands if v is not None for d in v.type.shape if isinstance(d, Sym) for n in d.names}
    operands = [
        None if v is None else Value(v.type.with_shape(substitute(v.type.shape, names)), name=f"x{slot}")
        for slot, v in enumerate(op.operands)
    ]
    attributes = {k: substitute(v, names) for k, v in op.attributes.items()}
    op = op.spec.build(type(op), operands, attributes)
    args = [v for v in operands if v is not None]
    region = Region(args)
    region.insert(op)
    region.insert(Return(op.results))
    func = Func("main", region, [Port(a.name or "") for a in args], [Port(f"y{i}") for i in range(len(op.results))])
    rng = np.random.default_rng(seed)
    arrays: list[Array] = []
    for slot, value in enumerate(operands):
        if value is not None:
            old = like[slot] if slot < len(like) else None
            fits = old is not None and old.shape == value.type.shape and old.dtype == value.type.dtype.numpy
            arrays.append(old if old is not None and fits else random_tensor(value.type, rng))
    return run(func, arrays)


def elements(op: Op) -> int:
    """Return how many elements operands and results have, names of sizes counting as 4."""
    shapes = [v.type.shape for v in (*op.operands, *op.results) if v is not None]
    names = {n: 4 for shape in shapes for d in shape if isinstance(d, Sym) for n in d.names}
    return sum(math.prod(static(substitute(shape, names))) for shape in shapes)

"""The search for layouts ends in time whatever the network, and never claims what it has not shown."""

from __future__ import annotations

import math
import random
import re
import time

import numpy as np
import pytest
from nhwcc.compiler.diagnostics import collect_remarks
from nhwcc.compiler.interpreter import random_inputs, run
from nhwcc.compiler.ir import Func, Module, Port, Region, Value
from nhwcc.compiler.ops.arith import Add, Neg
from nhwcc.compiler.ops.core import Return
from nhwcc.compiler.ops.linear import Linear
from nhwcc.compiler.ops.shape import Transpose
from nhwcc.compiler.types import DType, TensorType
from nhwcc.compiler.verify import verify
from nhwcc.passes.layout.candidates import Kernels, collect
from nhwcc.passes.propagate_layout import PropagateLayout

from nhwcc.runners.reference import ReferenceRunner


def network(rank: int, length: int) -> Module:
    """A chain of random transposes with shortcuts across them."""
    rng = random.Random(rank)
    region = Region([Value(TensorType(DType.F32, (2,) * rank), name="x")])
    values = [region.args[0]]
    for i in range(length):
        perm = tuple(rng.sample(range(rank), rank))
        value = region.insert(Neg(region.insert(Transpose(values[-1], perm)).result)).result
        values.append(region.insert(Add(value, rng.choice(values))).result if i % 2 else value)
    region.insert(Return((values[-1],)))
    return Module(Func("main", region, [Port("x")], [Port("y")]))


@pytest.mark.parametrize("limit", [0.0, 0.05, 1.0])
def test_a_limit_ends_the_search(limit: float) -> None:
    module = network(7, 12)
    inputs = random_inputs(module.main)
    (want,) = run(module.main, inputs)
    with collect_remarks() as remarks:
        PropagateLayout(io_layout="keep", time_limit=limit).run(module)
    verify(module)
    got = ReferenceRunner(module).run({"x": inputs[0]})["y"]
    assert np.array_equal(want, got)
    note = next(r.text for r in remarks if r.kind == "note")
    found = re.search(r"transposes, ([\d,]+) bytes: not proven, at most ([\d,]+) bytes above the optimum", note)
    assert found is not None, note
    assert found[1] == found[2], "nothing is known of the optimum, which may do without a transpose"


def test_without_time_no_worse_than_the_source() -> None:
    module = network(8, 10)
    before = sum(isinstance(op, Transpose) for op in module.walk())
    PropagateLayout(io_layout="keep", time_limit=0.0).run(module)
    assert sum(isinstance(op, Transpose) for op in module.walk()) <= 2 * before


def test_orders_are_of_as_many_elements_as_the_value() -> None:
    """A weight that is computed has two letters that stand at one place of data: no order follows from it."""
    x, w, b = (Value(TensorType(DType.F32, shape), name=name) for name, shape in zip("xwb", SHAPES, strict=True))
    region = Region([x, w, b])
    y = region.insert(Linear(x, region.insert(Neg(w)).result, region.insert(Neg(b)).result)).result
    region.insert(Return((y,)))
    func = Func("main", region, [Port(name) for name in "xwb"], [Port("y")])
    problem = collect(func, region, _free, Kernels(), time.monotonic() + 5)
    assert problem.is_complete
    for value, orders in problem.orders.items():
        assert all(math.prod(piece.size for piece in order.pieces) == value.type.size for order in orders)


SHAPES = ((4, 16), (10, 16), (10,))


def _free(_port: Port, _value: Value) -> None:
    """Pin nothing."""

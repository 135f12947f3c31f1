"""Sizes as values: a symbolic size that a graph computes with, read from the shapes of tensors when it runs."""

# sympy is untyped; the walk over its expressions is the only place here that sees it
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import reduce
from typing import Any

import numpy as np

from ...compiler.diagnostics import error
from ...compiler.dims import Dim, Sym
from ...compiler.ir import Op, Value
from ...compiler.ops import arith
from ...compiler.ops.core import Const
from ...compiler.ops.shape import Reshape, ShapeOf
from ...compiler.weights import Weight

Emit = Callable[[Op], Value]


def size_value(emit: Emit, size: Dim, tensors: Sequence[Value], bound: Mapping[str, Value]) -> Value:
    """Return a scalar of 64 bits that holds a size, computed from the shapes of ``tensors`` and ``bound`` scalars.

    Raises:
        CompileError: F004, none of the shapes tells a name in it.
    """
    return _number(emit, size) if isinstance(size, int) else _expr(emit, size.expr, _Tellers(tensors, bound))


@dataclass(frozen=True)
class _Tellers:
    """What tells named sizes: shapes, and scalars by their names."""

    tensors: Sequence[Value]
    bound: Mapping[str, Value]


def _number(emit: Emit, value: int) -> Value:
    return emit(Const(Weight.of(np.asarray(value, np.int64))))


def _expr(emit: Emit, expr: Any, tell: _Tellers) -> Value:
    import sympy

    if expr.is_Integer:
        return _number(emit, int(expr))
    if expr.is_Symbol:
        return _axis(emit, Sym(expr), tell)
    if expr.func is sympy.floor:
        top, bottom = sympy.fraction(sympy.together(expr.args[0]))
        return emit(arith.FloorDiv(_expr(emit, top, tell), _expr(emit, bottom, tell)))
    if expr.is_Pow and expr.exp.is_Integer and expr.exp > 0:
        base = _expr(emit, expr.base, tell)
        return reduce(lambda a, b: emit(arith.Mul(a, b)), [base] * int(expr.exp))
    kinds = {sympy.Add: arith.Add, sympy.Mul: arith.Mul, sympy.Max: arith.Max, sympy.Min: arith.Min}
    if expr.func not in kinds:
        raise error("F004", f"the size {Sym(expr)} can't be computed when the network runs")
    parts = [_expr(emit, a, tell) for a in expr.args]
    return reduce(lambda a, b: emit(kinds[expr.func](a, b)), parts)


def _axis(emit: Emit, size: Sym, tell: _Tellers) -> Value:
    if str(size) in tell.bound:
        return tell.bound[str(size)]
    for tensor in tell.tensors:
        if size in tensor.type.shape:
            read = emit(ShapeOf(tensor, (tensor.type.shape.index(size),)))
            return emit(Reshape(read, ()))
    raise error("F004", f"no input's shape tells the size {size}", help="Give the inputs fixed shapes.")

"""Copies: fresh operations and values over the same weights, so that a module can be kept while passes change it."""

from __future__ import annotations

from dataclasses import replace

from .diagnostics import at
from .ir import Func, Module, Op, Region, Value


def clone_module(module: Module) -> Module:
    """Return a module that computes the same and shares nothing that passes change."""
    return Module(*(clone_func(func) for func in module.funcs.values()))


def clone_func(func: Func) -> Func:
    """Return a function of the same name, interface and operations."""
    inputs, outputs = ([replace(port) for port in ports] for ports in (func.inputs, func.outputs))
    return Func(func.name, _clone_region(func.body, {}), inputs, outputs)


def _clone_region(region: Region, values: dict[Value, Value]) -> Region:
    """Copy a region; ``values`` maps what is visible in it, and learns what it defines."""
    copy = Region(values.setdefault(a, Value(a.type, name=a.name)) for a in region.args)
    for op in region.ops:
        copy.insert(_clone_op(op, values))
    return copy


def _clone_op(op: Op, values: dict[Value, Value]) -> Op:
    operands = [None if v is None else values[v] for v in op.operands]
    regions = [_clone_region(r, values) for r in op.regions]
    with at(op.location):
        copy = op.spec.build(type(op), operands, op.attributes, regions)
    for old, new in zip(op.results, copy.results, strict=True):
        new.name = old.name
        values[old] = new
    return copy

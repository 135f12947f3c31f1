"""Copies: fresh operations and values over the same weights, so that a module can be kept while passes change it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from typing import Any, cast

from .diagnostics import at
from .dims import Dim, Sym, substitute
from .ir import Func, Module, Op, Region, Value
from .types import TensorType


def clone_module(module: Module, sizes: Mapping[str, int] | None = None) -> Module:
    """Return a module that computes the same and shares nothing that passes change; named ``sizes`` become numbers.

    Raises:
        CompileError: T001, an operation can't have these sizes.
    """
    return Module(*(clone_func(func, sizes) for func in module.funcs.values()))


def clone_func(func: Func, sizes: Mapping[str, int] | None = None) -> Func:
    """Return a function of the same name, interface and operations; named ``sizes`` become numbers."""
    return _resized(func, partial(substitute, sizes=sizes) if sizes else None)


def resized_module(module: Module, resize: Callable[[Dim], Dim]) -> Module:
    """Return a module that computes the same with other expressions for sizes.

    Raises:
        CompileError: T001, an operation can't have these sizes.
    """
    return Module(*(_resized(func, resize) for func in module.funcs.values()))


def _resized(func: Func, resize: Callable[[Dim], Dim] | None) -> Func:
    inputs, outputs = ([replace(port) for port in ports] for ports in (func.inputs, func.outputs))
    return Func(func.name, _Cloner(resize).region(func.body), inputs, outputs)


class _Cloner:
    """Copies regions; ``values`` maps what is visible in them."""

    def __init__(self, resize: Callable[[Dim], Dim] | None) -> None:
        self.resize = resize
        self.values: dict[Value, Value] = {}

    def region(self, region: Region) -> Region:
        copy = Region(self.values.setdefault(a, Value(self.fixed(a.type), name=a.name)) for a in region.args)
        for op in region.ops:
            copy.insert(self.op(op))
        return copy

    def op(self, op: Op) -> Op:
        operands = [None if v is None else self.values[v] for v in op.operands]
        regions = [self.region(r) for r in op.regions]
        attributes = {k: self.fixed(v) for k, v in op.attributes.items()} if self.resize else op.attributes
        with at(op.location):
            copy = op.spec.build(type(op), operands, attributes, regions)
        for old, new in zip(op.results, copy.results, strict=True):
            new.name = old.name
            self.values[old] = new
        return copy

    def fixed(self, value: Any) -> Any:
        """Return a type, an attribute, or tuples of them, with other sizes."""
        if self.resize is None:
            return value
        if isinstance(value, TensorType):
            return value.with_shape(tuple(map(self.resize, value.shape)))
        if isinstance(value, tuple):
            return tuple(self.fixed(v) for v in cast(tuple[Any, ...], value))
        return self.resize(value) if isinstance(value, Sym) else value

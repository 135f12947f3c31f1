"""The text form, written: one generic syntax for every operation."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from typing import Any, Protocol, cast

import numpy as np

from .diagnostics import Location
from .dims import Sym
from .ir import Func, Module, Op, Port, Region, Value
from .layouts import letters_of
from .types import Array, DType, TensorType
from .weights import Weight

INLINE_ELEMENTS = 16
"""Constants with more elements go to the side file, or are left out where there is none; strings never do."""

_BARE = re.compile(r"[A-Za-z_][\w.$-]*\Z")


class WeightSink(Protocol):
    """Where large constants go while a module is printed."""

    def add(self, weight: Weight) -> str:
        """Keep a weight, and return the key under which the text refers to it."""
        ...


class Names:
    """Hands out ``%0``, ``%1`` ... unless a value has a name of its own that is still free."""

    def __init__(self) -> None:
        self._names: dict[Value, str] = {}
        self._taken: set[str] = set()
        self._count = 0

    def __getitem__(self, value: Value | None) -> str:
        if value is None:
            return "none"
        if value not in self._names:
            name = value.name
            text = None if name is None else f"%{name}" if _BARE.match(name) else f"%{json.dumps(name)}"
            if text is None or text in self._taken:
                text, self._count = f"%{self._count}", self._count + 1
            self._taken.add(text)
            self._names[value] = text
        return self._names[value]


def print_literal(value: Any, sink: WeightSink | None = None) -> str:
    """Print an attribute's value.

    >>> print_literal((1, 2.5, None, "a", True, ((0, 1),)))
    '[1, 2.5, null, "a", true, [[0, 1]]]'
    """
    match value:
        case Weight():
            return _weight(value, sink)
        case Sym():
            return f"'{value}'"
        case tuple() | list():
            return f"[{', '.join(print_literal(v, sink) for v in value)}]"  # pyright: ignore[reportUnknownVariableType]
        case bool() | None:
            return json.dumps(value)
        case Mapping():
            items = cast(Mapping[str, Any], value).items()
            return f"{{{', '.join(f'{_key(k)} = {print_literal(v, sink)}' for k, v in items)}}}"
        case DType() | TensorType() | str():
            return json.dumps(str(value))
        case int() | float():
            return repr(value)
        case _:
            raise TypeError(f"no text form for {value!r}")


def _key(name: str) -> str:
    return name if name.isidentifier() and name.isascii() else json.dumps(name)


def _weight(weight: Weight, sink: WeightSink | None) -> str:
    size, dtype = weight.type.size, weight.type.dtype
    if isinstance(size, int) and (size <= INLINE_ELEMENTS or (dtype is DType.STRING and sink is not None)):
        return f"dense<{_array(_plain(weight.array(), dtype))}> : {weight.type}"
    return f"{sink.add(weight) if sink else '@@elided'} : {weight.type}"


def _plain(array: Array, dtype: DType) -> Array:
    """Complex numbers as pairs: the real and the imaginary part."""
    if not dtype.is_complex:
        return array
    parts = np.float32 if dtype is DType.C64 else np.float64
    return np.ascontiguousarray(array).view(parts).reshape(*array.shape, 2)


def _array(array: Array) -> str:
    if array.ndim:
        return f"[{', '.join(_array(array[i, ...]) for i in range(len(array)))}]"
    item = array.item()
    if isinstance(item, float):
        return str(array[()])  # the shortest text that gives this element back
    return json.dumps(item.decode(errors="surrogateescape") if isinstance(item, bytes) else item)


def print_location(location: Location) -> str:
    """Print where an operation comes from.

    >>> print_location(Location("conv1", "m.onnx", ("relu1",)))
    'loc("conv1" in "m.onnx" with "relu1")'
    """
    file = f" in {json.dumps(location.file)}" if location.file else ""
    via = f" with {', '.join(map(json.dumps, location.via))}" if location.via else ""
    return f"loc({json.dumps(location.node)}{file}{via})"


def print_op(
    op: Op, names: Names | None = None, *, locations: bool = False, sink: WeightSink | None = None, indent: str = ""
) -> str:
    """Print one operation, with its regions if it has any."""
    names = names or Names()
    operands = ", ".join(names[v] for v in op.operands)
    head = f"{', '.join(names[r] for r in op.results)} = " if op.results else ""
    regions = "".join(f" do {_region(r, names, locations=locations, sink=sink, indent=indent)}" for r in op.regions)
    types = f" : {', '.join(str(r.type) for r in op.results)}" if op.results else ""
    place = f" {print_location(op.location)}" if locations and op.location else ""
    return f"{head}{op.spec.name}({operands}){_attributes(op, sink)}{regions}{types}{place}"


def _attributes(op: Op, sink: WeightSink | None) -> str:
    shown = [
        f"{name} = {print_literal(value, sink)}"
        for name, value in op.attributes.items()
        if op.spec.attributes[name].is_required or op.spec.attributes[name].default != value
    ]
    return f" {{{', '.join(shown)}}}" if shown else ""


def _region(region: Region, names: Names, *, locations: bool, sink: WeightSink | None, indent: str) -> str:
    args = ", ".join(f"{names[a]}: {a.type}" for a in region.args)
    return f"({args}) {_body(region, names, locations=locations, sink=sink, indent=indent)}"


def _body(region: Region, names: Names, *, locations: bool, sink: WeightSink | None, indent: str) -> str:
    inner = indent + "  "
    lines = (f"{inner}{print_op(op, names, locations=locations, sink=sink, indent=inner)}\n" for op in region.ops)
    return f"{{\n{''.join(lines)}{indent}}}"


def _port(port: Port, name: str | None) -> str:
    parts = [f"name = {json.dumps(port.name)}"] if port.name != (name or "") else []
    parts += [f"perm = {print_literal(port.perm)}"] if port.order else []
    parts += [f"axes = {json.dumps(port.axes)}"] if port.axes != letters_of(len(port.axes)) else []
    return f" {{{', '.join(parts)}}}" if parts else ""


def print_func(func: Func, *, locations: bool = False, sink: WeightSink | None = None) -> str:
    """Return the text of one function, which :mod:`.parser` reads again."""
    names = Names()
    args = ", ".join(f"{names[a]}: {a.type}{_port(p, a.name)}" for a, p in zip(func.args, func.inputs, strict=True))
    outs = ", ".join(f"{v.type}{_port(p, None)}" for v, p in zip(func.returns, func.outputs, strict=True))
    return f"func @{func.name}({args}) -> ({outs}) {_body(func.body, names, locations=locations, sink=sink, indent='')}"


def print_module(
    module: Module, *, locations: bool = False, sink: WeightSink | None = None, side_files: Iterable[str] = ()
) -> str:
    """Print all functions.

    Without a ``sink``, large constants are left out: such a text is for reading, it can't be parsed back.
    """
    head = "".join(f"weights {json.dumps(f)}\n" for f in side_files)
    return head + "\n\n".join(print_func(f, locations=locations, sink=sink) for f in module.funcs.values()) + "\n"

"""docs/ir.md: the IR as text, and every operation from its declaration."""

from __future__ import annotations

import inspect
import types
import typing
from collections.abc import Iterator, Mapping
from importlib import import_module
from itertools import groupby
from typing import Any

from nhwcc.compiler.attributes import AtLeast, Attribute, IsFinite, OneOf
from nhwcc.compiler.axes import Axes, Form, Names, Pattern
from nhwcc.compiler.dims import Sym
from nhwcc.compiler.ir import Func, Op, Value
from nhwcc.compiler.opdef import (
    OPS,
    Commutative,
    Elementwise,
    Predicate,
    Spec,
    Symbolic,
    Terminator,
    View,
)
from nhwcc.compiler.operands import Elements
from nhwcc.compiler.printer import print_func, print_literal
from nhwcc.compiler.types import DType, TensorType
from nhwcc.compiler.weights import Weight
from samples import sample_op, samples

from pages.markdown import code, page, prose, table

EXAMPLE = """func @main(%x: f32[batch,3,8]) -> (f32[batch,4,8] {name = "y"}) {
  %w = const() {value = @@w0 : f32[4,3,1]} : f32[4,3,1]
  %c = conv(%x, %w, none) {strides = [1], dilations = [1], pads = [[0, 0]]} : f32[batch,4,8] loc("conv1")
  return(%c)
}"""

INTRO = """A module holds functions; `main` is the one that is compiled. Every operation has the same syntax: results,
name, operands (`none` where an optional one is absent), attributes that differ from their defaults, regions, types:"""

RULES = """- Types are an element type and sizes: numbers, names or expressions of names, `f32[batch,3,2*h+1]`.
- Stated types are checked against inference. Names (`%x`) are kept, values without one are numbered.
- Constants of more than 16 elements lie as `@@key` in files named at the top: `weights "m.safetensors"`.
- Inputs and outputs have the source's names; `perm` says which source axis lies where if a layout was changed.
- `loc(...)` is the node of the source, and those that were fused into it."""

ORDERS = """The lines about *orders* say in which storage orders an operation runs, in letters: one per axis, the
same letter for the same axis, `...` for all axes not named, in any common order. So a convolution reads
`n c s0 s1, o c s0 s1, o -> n o s0 s1`, and runs channels-last as `n ... c, o ... c, o -> n ... o`.
[architecture.md](architecture.md) says how layouts are chosen from these."""

TRAITS: dict[type, str] = {
    Predicate: "elementwise with a boolean result",
    Elementwise: "elementwise",
    Commutative: "operands may be swapped",
    Symbolic: "computes with symbolic sizes",
    View: "moves no data",
    Terminator: "ends a region",
}
"""Traits in words; what follows from another one is left out."""

WORDS: dict[Any, str] = {
    int: "integer",
    float: "number",
    bool: "true or false",
    str: "text",
    DType: "element type",
    Weight: "tensor",
    TensorType: "type",
    Sym: "size",
}


def operations() -> str:
    """Print the page."""
    examples = samples()
    families: dict[str, list[type[Op]]] = {}
    for cls in OPS.values():
        families.setdefault(cls.__module__, []).append(cls)
    parts = [part for module, ops in families.items() for part in _family(module, ops, examples)]
    return page("The IR", INTRO, code(EXAMPLE), RULES, ORDERS, *parts)


def _family(module: str, ops: list[type[Op]], examples: dict[str, Func]) -> Iterator[str]:
    """One chapter: short operations in a table, the others with an example each."""
    title, _, rest = inspect.cleandoc(import_module(module).__doc__ or "").partition(".")
    yield f"## {title}"
    yield prose(rest.strip())
    short = [cls for cls in ops if cls.spec.has(Elementwise)]
    yield table(("", "fields", "meaning"), ((f"`{c.spec.name}`", _fields(c.spec), prose(_doc(c))) for c in short))
    for cls in ops:
        if cls not in short:
            yield from _section(cls, examples[cls.spec.name])


def _section(cls: type[Op], example: Func) -> Iterator[str]:
    op = sample_op(example)
    yield f"### {cls.spec.name}"
    yield prose(_doc(cls))
    spec = cls.spec
    lines = [f"- operands: {_operands(spec)}"] if spec.operands else []
    lines += [f"- {what}" for what in (_regions(spec), ", ".join(_traits(spec))) if what]
    lines += ["- attributes:", *(f"  - {_attribute(a)}" for a in spec.attributes.values())] if spec.attributes else []
    yield "\n".join([*lines, *([] if spec.is_terminator else _orders(op))])
    yield code(print_func(example))


def _doc(cls: type[Op]) -> str:
    return inspect.cleandoc(cls.__doc__ or "")


def _traits(spec: Spec) -> list[str]:
    found = [trait for trait in TRAITS if spec.has(trait)]
    return [TRAITS[t] for t in found if not any(t is not other and issubclass(other, t) for other in found)]


def _fields(spec: Spec) -> str:
    """Operands and attributes in one line."""
    attributes = ", ".join(_attribute(a) for a in spec.attributes.values())
    return f"{_operands(spec)}; {attributes}" if attributes else _operands(spec)


def _operands(spec: Spec) -> str:
    marks = dict.fromkeys(spec.optional, "?") | ({spec.variadic: "..."} if spec.variadic else {})
    groups = groupby(spec.operands, spec.elements.get)
    return ", ".join(_group([f"`{n}{marks.get(n, '')}`" for n in names], elements) for elements, names in groups)


def _group(names: list[str], elements: Elements | None) -> str:
    """Operands that take the same elements."""
    return ", ".join(names) + (f" ({elements.value})" if elements else "")


def _regions(spec: Spec) -> str:
    return f"regions: {', '.join(f'`{name}`' for name in spec.regions)}" if spec.regions else ""


def _attribute(attribute: Attribute) -> str:
    default = "" if attribute.is_required else f" = `{print_literal(attribute.default)}`"
    return f"`{attribute.name}`: {_type(attribute)}{default}"


def _type(attribute: Attribute) -> str:
    words = _words(attribute.type)
    match attribute.names:
        case None:
            return words
        case Names.AXIS | Names.RESULT_AXIS:
            axis = "axes" if typing.get_origin(attribute.type) is tuple else "axis"
            return axis if attribute.names is Names.AXIS else f"{axis} of the result"
        case Names.PER_AXIS:
            return f"{words}, one per axis"
        case Names.PER_RESULT_AXIS:
            return f"{words}, one per axis of the result"
        case Names.PER_SPATIAL:
            return f"{words}, one per spatial axis"


def _words(hint: Any) -> str:
    if hint in WORDS:
        return WORDS[hint]
    origin, args = typing.get_origin(hint), typing.get_args(hint)
    if origin is typing.Annotated:
        return _marked_words(*args)
    if origin is tuple:
        inner = _words(args[0])
        if inner.startswith("one of "):
            return f"strings, each {inner}"
        if typing.get_origin(args[0]) is tuple:
            return f"pairs of {_words(typing.get_args(args[0])[0])}s"
        return f"{inner}s"
    if origin is Mapping:
        return "values by name"
    if origin in (typing.Union, types.UnionType):
        return " or ".join(
            "null" if a is types.NoneType else _words(a) for a in args if a is not int or Sym not in args
        )
    return str(hint)


def _marked_words(hint: Any, mark: OneOf | AtLeast | IsFinite) -> str:
    if isinstance(mark, OneOf):
        return f"one of {', '.join(f'`{word}`' for word in mark.words)}"
    if isinstance(mark, IsFinite):
        return f"finite {_words(hint)}"
    return _words(hint) if hint is not int else "positive integer" if mark.low == 1 else f"integer from {mark.low} on"


def _orders(op: Op) -> list[str]:
    """The forms in which an operation can run."""
    if op.spec.has(View):
        return ["- orders: all; it is a relabelling between the order of its operand and that of its result"]
    axes = op.spec.axes_of(op)
    if axes is None or not axes.forms:
        return ["- orders: the source's own only"]
    letters = f"- orders: `{_side(axes.operands)} -> {_side(axes.results)}`"
    if all(_is_open(form) for form in axes.forms):
        return [f"{letters}, any order that is common to all{_rigid(axes)}"]
    return [f"{letters}{_rigid(axes)}, in the forms", *(f"  - {_form(form, op)}" for form in axes.forms)]


def _rigid(axes: Axes) -> str:
    """Which positions must stay in their own order: along these axes the operation walks."""
    letters = dict.fromkeys(x for side in (*axes.operands, *axes.results) for x in side or () if x in axes.rigid)
    return f" (positions along {', '.join(f'`{x}`' for x in letters)} in their own order)" if letters else ""


def _is_open(form: Form) -> bool:
    return all(pattern in (None, (...,)) for pattern in (*form.operands, *form.results))


def _form(form: Form, op: Op) -> str:
    present = [p for p, v in zip(form.operands, op.operands, strict=False) if isinstance(v, Value)]
    said = [f"{name} = {print_literal(value)}" for name, value in form.attributes.items()]
    said += ["operands swapped"] if form.swap else []
    said += ["positions permuted"] if form.index else []
    said += ["where it saves a transpose"] if form.penalty else []
    return f"`{_side(tuple(present))} -> {_side(form.results)}`" + (f" ({', '.join(said)})" if said else "")


def _side(patterns: tuple[Pattern | None, ...]) -> str:
    return ", ".join("none" if p is None else " ".join("..." if x is ... else x for x in p) or "()" for p in patterns)

"""What declarations of operations allow: other element types of operands, all values of attributes that have few."""

from __future__ import annotations

import typing
from collections.abc import Iterator
from typing import Any

from nhwcc.compiler.attributes import Attribute, OneOf
from nhwcc.compiler.opdef import OPS
from nhwcc.compiler.types import DType

from .drafts import Body, build
from .equivalence import FAULTS

TYPES = (
    *(DType.F32, DType.F16, DType.F64, DType.BOOL),
    *(DType.I8, DType.I16, DType.I32, DType.I64, DType.U8, DType.U16, DType.U32, DType.U64),
)
"""Element types that are tried; declarations refuse those that they don't take."""


def variations(body: Body) -> Iterator[Body]:
    """Yield a draft with one thing changed, in all ways that make a module."""
    for changed in (*_retyped(body), *_reworded(body)):
        try:
            build(changed)
        except FAULTS:
            continue
        yield changed


def values_of(attribute: Attribute) -> tuple[Any, ...]:
    """All values of an attribute that is one of a few things, else none."""
    for hint in (attribute.type, *typing.get_args(attribute.type)):
        if hint is bool:
            return False, True
        if hint is DType:
            return TYPES
        if isinstance(hint, OneOf):
            return hint.words
    return ()


def _retyped(body: Body) -> Iterator[Body]:
    """Each argument alone, and all that have the same type together."""
    groups: set[tuple[int, ...]] = {(n,) for n in body.arguments}
    for old in {t.dtype for t in body.arguments.values()}:
        groups.add(tuple(n for n, t in body.arguments.items() if t.dtype is old))
    for group in sorted(groups):
        for new in TYPES:
            changed = body.copy()
            changed.arguments |= {n: body.arguments[n].with_dtype(new) for n in group}
            yield changed


def _reworded(body: Body) -> Iterator[Body]:
    for number, step in enumerate(body.steps):
        for name, attribute in OPS[step.kind].spec.attributes.items():
            for value in values_of(attribute):
                changed = body.copy()
                changed.steps[number].attributes[name] = value
                yield changed

"""Conversions, copies, and what only tells about memory."""

from __future__ import annotations

from typing import Any

from ....compiler.ir import Value
from ....compiler.types import DType
from ..emitter import Emitter
from ..nodes import stated
from ..registry import aten


@aten("to.dtype")
def to_dtype(
    emit: Emitter, x: Value, dtype: DType, non_blocking: bool = False, copy: bool = False, memory_format: Any = None
) -> Value:
    """``to`` with an element type: a conversion; copies and memory formats have no meaning in the IR."""
    return emit.cast(x, emit.dtype)


@aten("to.device")
def to_device(
    emit: Emitter,
    x: Value,
    device: Any,
    dtype: DType,
    non_blocking: bool = False,
    copy: bool = False,
    memory_format: Any = None,
) -> Value:
    """``to`` with a device and an element type: a conversion; devices have no meaning in the IR."""
    return emit.cast(x, emit.dtype)


@aten("to.dtype_layout")
def to_layout(emit: Emitter, x: Value) -> Value:
    """``to`` with a memory layout: a conversion to the element type that the node states."""
    return emit.cast(x, emit.dtype)


@aten("_to_copy")
def to_copy(emit: Emitter, x: Value) -> Value:
    """``_to_copy``, which ``to`` becomes by decomposition: a conversion to the element type that the node states."""
    return emit.cast(x, emit.dtype)


@aten("to.other")
def to_other(
    emit: Emitter, x: Value, other: Value, non_blocking: bool = False, copy: bool = False, memory_format: Any = None
) -> Value:
    """``to`` with another tensor: a conversion to that one's element type."""
    return emit.cast(x, emit.dtype)


@aten("type_as")
def type_as(emit: Emitter, x: Value, other: Value) -> Value:
    """``type_as``: a conversion to another tensor's element type, as ``to`` with that tensor."""
    return emit.cast(x, emit.dtype)


@aten("clone", "contiguous")
def clone(emit: Emitter, x: Value) -> Value:
    """``clone`` and ``contiguous``: the operand itself, since memory has no meaning in the IR."""
    return x


@aten("detach", "detach_copy", "alias", "alias_copy", "lift", "lift_fresh", "lift_fresh_copy", "resolve_conj")
def same(emit: Emitter, x: Value) -> Value:
    """Operators that detach, alias or lift a tensor: the operand itself, so that nothing is left of them."""
    return x


@aten("resolve_neg", "positive")
def same_number(emit: Emitter, x: Value) -> Value:
    """``positive`` and ``resolve_neg``: the operand itself, so that nothing is left of them."""
    return x


@aten("copy")
def copy(emit: Emitter, x: Value, src: Value, non_blocking: bool = False) -> Value:
    """Another tensor's elements in the type and shape of the first."""
    return emit.expand(emit.cast(src, x.type.dtype), x.type.shape)


@aten("dropout", "feature_dropout", "alpha_dropout", "feature_alpha_dropout")
def dropout(emit: Emitter, input: Value, p: float, train: bool) -> Value:
    """Dropouts of all kinds: the operand itself; in training mode, with a probability, they are refused."""
    if train and p:
        raise emit.fail("drops out, as in training", code="F031", help="Call .eval() on the model.")
    return input


@aten("item", "_local_scalar_dense")
def item(emit: Emitter, x: Value) -> Any:
    """A number where it is known while compiling; else an integer gets the name that PyTorch gives it."""
    named = emit.symbols.element(stated(emit.node)) if x.type.dtype.is_int and emit.known(x) is None else None
    if named is None:
        return emit.scalar(x, "the element")
    name, bounds = named
    emit.bind(name, x, bounds)
    return name

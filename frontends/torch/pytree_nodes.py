"""Objects that hold tensors, such as caches of language models, as arguments and results of a module.

PyTorch exports what it can take apart and put together again, and must be told how, once for every class.  Here the
attributes that hold tensors are the parts, and all others belong to what the object is.
"""

# PyTorch's trees are untyped
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false

from __future__ import annotations

import copy
import sys
from collections.abc import Iterator, Mapping, Sequence
from enum import Enum
from types import FunctionType, MethodType, ModuleType
from typing import Any, cast

import torch
from torch import nn
from torch.utils import _pytree as pytree

CACHES = ("transformers.cache_utils", ("Cache", "CacheLayerMixin"))
"""A library, if it is loaded, and its classes that modules return without having been given one."""

_NO_HOLDERS = (nn.Module, type, FunctionType, MethodType, ModuleType, Enum)

_PARTS = "_nhwcc_parts"
"""What an object that was put together remembers: which attributes were parts, whatever is in them now."""


def know_holders(values: Any) -> None:
    """Tell PyTorch of the classes of all objects among ``values``; what it knows already stays."""
    library, bases = CACHES
    if library in sys.modules:
        for base in bases:
            for cls in _subclasses(getattr(sys.modules[library], base, None)):
                _know(cls)
    _know_inside(values, anyway=True)


def spread(value: Any, axes: Any) -> Any:
    """Return which sizes stay open in the form that PyTorch takes: what is said of an object holds for its tensors."""
    if isinstance(value, torch.Tensor):
        return {
            a: size for a, size in cast(Mapping[Any, Any], axes).items() if not isinstance(a, int) or a < value.ndim
        }
    parts = children(value)
    return axes if parts is None else [spread(part, axes) for part in parts]


def children(value: Any) -> list[Any] | None:
    """Return the parts of a container or of an object that PyTorch knows, None for all else."""
    node = pytree.SUPPORTED_NODES.get(type(value))
    return None if node is None else list(node.flatten_fn(value)[0])


def is_holder(value: Any) -> bool:
    """Say whether something is an object, rather than a container that PyTorch knows by itself."""
    return type(value) in _KNOWN


_KNOWN: set[type] = set()


def _subclasses(cls: type | None) -> Iterator[type]:
    for inner in () if cls is None else cls.__subclasses__():
        yield inner
        yield from _subclasses(inner)


def _know(cls: type) -> None:
    if cls not in pytree.SUPPORTED_NODES:
        _KNOWN.add(cls)
        name = f"{cls.__module__}.{cls.__qualname__}"
        pytree.register_pytree_node(
            cls, _flatten, _unflatten, serialized_type_name=name, flatten_with_keys_fn=_flatten_with_keys
        )


def _know_inside(value: Any, *, anyway: bool = False) -> bool:
    """Tell PyTorch of the classes of objects in a value that hold tensors, or ``anyway``; return whether it does."""
    if isinstance(value, torch.Tensor):
        return True
    if isinstance(value, list | tuple | Mapping):
        values = cast(Mapping[Any, Any], value).values() if isinstance(value, Mapping) else cast(Sequence[Any], value)
        inside = [_know_inside(v, anyway=anyway) for v in values]
        return any(inside)
    if isinstance(value, _NO_HOLDERS) or type(value).__module__.startswith("torch.") or not hasattr(value, "__dict__"):
        return False
    attributes = [_know_inside(v) for v in vars(value).values()]
    if anyway or any(attributes):
        _know(type(value))
    return any(attributes)


def _parts(holder: Any) -> list[str]:
    before = vars(holder).get(_PARTS, ())
    return [name for name, value in vars(holder).items() if name != _PARTS and (name in before or _know_inside(value))]


def _flatten(holder: Any) -> tuple[list[Any], Any]:
    names = _parts(holder)
    rest = {name: value for name, value in vars(holder).items() if name not in (*names, _PARTS)}
    return [vars(holder)[name] for name in names], (type(holder), tuple(names), rest)


def _flatten_with_keys(holder: Any) -> tuple[list[Any], Any]:
    values, context = _flatten(holder)
    return [(pytree.GetAttrKey(name), value) for name, value in zip(context[1], values, strict=True)], context


def _changes(value: Any) -> bool:
    """Say whether running a module could change an attribute in place."""
    return isinstance(value, list | dict | set) or type(value) in _KNOWN


def _unflatten(values: Any, context: Any) -> Any:
    cls, names, rest = context
    holder = cls.__new__(cls)
    own = {name: copy.deepcopy(value) if _changes(value) else value for name, value in rest.items()}
    vars(holder).update({**own, **dict(zip(names, values, strict=True)), _PARTS: names})
    return holder

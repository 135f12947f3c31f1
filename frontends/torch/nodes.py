"""What a node of an exported graph is."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

import torch
from torch import fx
from torch._ops import HigherOrderOperator


def schema(node: fx.Node) -> Any:
    """Return the schema of the operator that a node calls, None if it calls something else."""
    return getattr(node.target, "_schema", None)


def overload_name(node: fx.Node) -> str:
    """Return the operator's name as the registry has it: ``aten::add.Tensor``."""
    found = schema(node)
    if found is None:
        return str(getattr(node.target, "__name__", node.target))
    return f"{found.name}.{found.overload_name or 'default'}"


def written(node: fx.Node) -> list[fx.Node]:
    """Return the nodes whose tensors an in-place operator overwrites, as its schema says."""
    found = schema(node)
    if found is None or not found.is_mutable:
        return []
    out: list[fx.Node] = []
    for i, argument in enumerate(found.arguments):
        given = node.args[i] if i < len(node.args) else node.kwargs.get(argument.name)
        if argument.alias_info is not None and argument.alias_info.is_write and isinstance(given, fx.Node):
            out.append(given)
    return out


def is_getitem(node: fx.Node) -> bool:
    """Whether a node picks one of the results of another node, which gives several."""
    return getattr(node.target, "__name__", "") == "getitem"


def is_control(node: fx.Node) -> bool:
    """Whether a node calls a higher-order operator, such as ``cond`` or ``scan``, whose arguments are graphs."""
    return isinstance(node.target, HigherOrderOperator)


def is_size(node: fx.Node) -> bool:
    """Whether a node computes a size from sizes: PyTorch has worked out what it is."""
    found = schema(node)
    if found is not None:
        return str(found.name).startswith("aten::sym_")
    return not is_control(node) and not is_getitem(node)


def has_complex(node: fx.Node) -> bool:
    """Whether there are complex numbers among the arguments or results of a node."""
    tensors = (v for n in (node, *node.all_input_nodes) for v in each(stated(n)) if isinstance(v, torch.Tensor))
    return any(v.is_complex() for v in tensors) or _holds_complex([node.args, list(node.kwargs.values())])


def _holds_complex(given: object) -> bool:
    return isinstance(given, complex) or (isinstance(given, list | tuple) and any(map(_holds_complex, each(given))))


def needed(node: fx.Node) -> frozenset[int]:
    """Return the numbers of those of a node's results that somebody reads."""
    picked = [user.args[1] for user in node.users if is_getitem(user) and user.users]
    return frozenset(i for i in picked if isinstance(i, int))


def stated(node: fx.Node) -> Any:
    """Return what PyTorch says about a node's result: a tensor without elements, a size, or several of them."""
    return node.meta.get("val")


def each(stated: Any) -> Sequence[Any]:
    """Return what is said about several results as a sequence, also if there is one."""
    return cast(Sequence[Any], stated) if isinstance(stated, list | tuple) else (stated,)


def live(graph: fx.Graph) -> set[fx.Node]:
    """Return the nodes that outputs or in-place operators need, directly or not."""
    found: set[fx.Node] = set()
    for node in reversed(list(graph.nodes)):
        if node.op == "output" or written(node) or node in found:
            found.add(node)
            found.update(node.all_input_nodes)
    return found

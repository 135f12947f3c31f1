"""Operators that take graphs: branches, loops, and graphs that only run in another mode."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Protocol, cast

from torch import fx

from ...compiler.diagnostics import error
from ...compiler.ir import Op, Region, Value
from ...compiler.ops.control import If, While
from ...compiler.ops.core import Return
from ...compiler.types import DType
from .locations import code
from .nodes import overload_name


class Graphs(Protocol):
    """What imports graphs: operations go into ``region``, and ``values`` has what each node gives."""

    region: Region
    values: dict[fx.Node, Any]

    def nested(self, region: Region) -> Graphs:
        """Return what imports graphs into a region inside of this one's."""
        ...

    def run(self, graph: fx.Graph) -> list[Any]:
        """Import a graph, whose inputs have values, and return what it gives."""
        ...


def run_control(graphs: Graphs, node: fx.Node, args: Sequence[Any]) -> Any:
    """Import a node that calls graphs; ``args`` are its arguments, graphs among them.

    Raises:
        CompileError: F001, there is no such operation here.
    """
    name = overload_name(node)
    if name not in _CONTROL:
        help = f"There are {', '.join(_CONTROL)}."
        raise error("F001", f"the operator {name} is not supported", excerpt=code(node), help=help)
    return _CONTROL[name](graphs, args)


def _inline(graphs: Graphs, args: Sequence[Any]) -> list[Any]:
    """Run a graph in place: outside of training, modes change nothing."""
    index = next(i for i, a in enumerate(args) if isinstance(a, fx.GraphModule))
    return _body(graphs, args[index], args[index + 1 :])


def _autocast(graphs: Graphs, args: Sequence[Any]) -> list[Any]:
    _, dtype, enabled, *_ = args
    if enabled:
        text = f"computes in {dtype} by autocast, which no operator in the graph shows"
        raise error("F005", text, help="Convert the module itself: model.to(dtype).")
    return _inline(graphs, args)


def _body(graphs: Graphs, graph: fx.GraphModule, operands: Sequence[Any]) -> list[Any]:
    """Import the nodes of a graph whose inputs are ``operands``."""
    inputs = graph.graph.find_nodes(op="placeholder")
    for placeholder, operand in zip(inputs, operands, strict=True):
        graphs.values[placeholder] = operand
    return graphs.run(graph.graph)


def _region(graphs: Graphs, graph: fx.GraphModule, carried: Sequence[Value], others: Sequence[Any]) -> Region:
    """Import a graph as a region whose arguments are like ``carried``; it reads ``others`` from outside."""
    region = Region(Value(v.type, name=v.name) for v in carried)
    inner = graphs.nested(region)
    results = [_tensor(r) for r in _body(inner, graph, [*region.args, *others])]
    region.insert(Return(tuple(results)))
    return region


def _tensor(result: Any) -> Value:
    if not isinstance(result, Value):
        raise error("F032", f"a graph inside returns {result!r}, which is not a tensor")
    return result


def _cond(graphs: Graphs, args: Sequence[Any]) -> tuple[Value, ...]:
    condition, then, otherwise, operands = args
    first, second = (_region(graphs, graph, (), operands) for graph in (then, otherwise))
    return _insert(graphs, lambda: If(_truth(condition), first, second))


def _while(graphs: Graphs, args: Sequence[Any]) -> tuple[Value, ...]:
    condition, body, carried, others = args
    values = [_tensor(v) for v in cast(Sequence[Any], carried)]
    first, second = (_region(graphs, graph, values, others) for graph in (condition, body))
    return _insert(graphs, lambda: While(tuple(values), first, second))


def _truth(value: Any) -> Value:
    if not isinstance(value, Value) or value.type.dtype is not DType.BOOL:
        raise error("F032", f"a branch depends on {value!r}, which is not a tensor of truth values")
    return value


def _insert(graphs: Graphs, make: Callable[[], Op]) -> tuple[Value, ...]:
    return graphs.region.insert(make()).results


def _with_effects(graphs: Graphs, args: Sequence[Any]) -> list[None]:
    """An operator that must run in its place; of these, checks that raise are left out."""
    _, operator, *_ = args
    name = str(operator)
    if name not in CHECKS:
        raise error("F001", f"the operator {name} is not supported, which does more than compute")
    return [None]


CHECKS = ("aten._linalg_check_errors.default",)
"""Operators that do nothing, or raise in PyTorch."""

_CONTROL: dict[str, Callable[[Graphs, Sequence[Any]], Any]] = {
    "cond": _cond,
    "with_effects": _with_effects,
    "while_loop": _while,
    "wrap_with_autocast": _autocast,
    "wrap_with_set_grad_enabled": _inline,
}
"""Operators that take graphs, by name."""

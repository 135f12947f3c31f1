"""Turning the nodes of an exported graph into operations."""

from __future__ import annotations

from collections.abc import Sequence
from difflib import get_close_matches
from typing import Any, cast

import torch
from torch import fx

from ...compiler.diagnostics import CompileError, Location, at, error
from ...compiler.dims import is_static
from ...compiler.ir import Region, Value
from ...compiler.ops.core import Const
from ...compiler.plugins import is_loaded
from ...compiler.types import TensorType
from ...compiler.value_analysis import Known
from ...compiler.weights import Weight
from ..problems import Problems
from .complex import ByParts, Complex, part_type
from .control import run_control
from .custom import Carried
from .emitter import Emitter
from .functional import assignments
from .locations import code, location
from .nodes import each, has_complex, is_control, is_getitem, is_size, live, needed, overload_name, stated
from .registry import HANDLERS, Entry, find, find_complex
from .symbols import Symbols
from .tensors import Weights, complex_parts, element_type

FAILED = object()
"""What stands for a result that could not be built; the reason is among the problems."""


class Importer:
    """Builds the operations of one region; what can't be built is collected in ``problems``.

    ``values`` has what each node gives: a Value, a tuple of them, or a size. The node of an in-place operator is
    the ``same`` as the node whose tensor it overwrites. ``carries`` says whether operators without a handler become
    custom ones.
    """

    def __init__(self, region: Region, symbols: Symbols, weights: Weights, *, carries: bool = False) -> None:
        self.region = region
        self.symbols = symbols
        self.weights = weights
        self.carries = carries
        self.inputs: list[Value] = list(region.args)
        self.known = Known()
        self.problems = Problems()
        self.values: dict[fx.Node, Any] = {}
        self.same: dict[fx.Node, fx.Node] = {}

    def nested(self, region: Region) -> Importer:
        """Return an importer for a region inside of this one's, which sees its inputs and shares its problems."""
        inner = Importer(region, self.symbols, self.weights, carries=self.carries)
        inner.inputs, inner.problems = [*self.inputs, *inner.inputs], self.problems
        return inner

    def argument_of(self, node: fx.Node, name: str) -> None:
        """Add an input to the region, of the type that a node states, as which that node is imported."""
        value = Value(self.type(stated(node)), name=name)
        self.region.args.append(value)
        self.inputs.append(value)
        self.values[node] = value

    def constant(self, name: str, tensor: torch.Tensor) -> Value | Complex:
        """Insert a constant tensor of the model."""
        if tensor.is_complex():
            real, imag = complex_parts(tensor)
            return Complex(self._constant(f"{name}_real", real), self._constant(f"{name}_imag", imag))
        return self._constant(name, self.weights(tensor))

    def _constant(self, name: str, weight: Weight) -> Value:
        with at(Location(name)):
            value = self.region.insert(Const(weight)).result
        value.name = name
        return value

    def run(self, graph: fx.Graph) -> list[Any]:
        """Import the nodes that the graph's outputs need and return what it gives, FAILED for what can't be built."""
        alive = live(graph)
        self.same.update(assignments(graph.nodes))
        nodes: list[fx.Node] = list(graph.nodes)
        for node in nodes:
            if node in alive and node.op in ("call_function", "get_attr"):
                with at(location(node)):
                    value = self._node(node)
                self.values[self.same.get(node, node)] = value
        (output,) = graph.find_nodes(op="output")
        return [self.argument(a) for a in each(output.args[0])]

    def argument(self, given: Any) -> Any:
        """Return a node's argument with values in the place of nodes."""
        if isinstance(given, fx.Node):
            return self.values[self.same.get(given, given)]
        if isinstance(given, list | tuple):
            return [self.argument(a) for a in cast(Sequence[Any], given)]
        return element_type(given) if isinstance(given, torch.dtype) else given

    def _node(self, node: fx.Node) -> Any:
        """Import one node; even where its operands could not be built, say whether it is supported."""
        if node.op == "get_attr":
            return self._attribute(node)
        with self.problems.collect():
            if is_size(node) and isinstance(stated(node), torch.SymInt | torch.SymFloat | int):
                return self.symbols.dim(stated(node))
            if is_getitem(node):
                found, index = self.argument(node.args[0]), cast(int, node.args[1])
                return FAILED if found is FAILED else found[index]
            if is_control(node):
                args = [self.argument(a) for a in node.args]
                return FAILED if _has_failed(args) else run_control(self, node, args)
            return self._call(node, self._handler(node))
        return FAILED

    def _handler(self, node: fx.Node) -> Entry | ByParts | Carried:
        by_parts = has_complex(node)
        entry = find_complex(overload_name(node)) if by_parts else find(overload_name(node))
        if entry is None and by_parts and (self.carries or find(overload_name(node)) is not None):
            raise _real_only(node)
        if entry is None and not self.carries:
            raise _unsupported(node)
        return entry or Carried(node)

    def _call(self, node: fx.Node, entry: Entry | ByParts | Carried) -> Any:
        args = [self.argument(a) for a in node.args]
        kwargs = {k: self.argument(v) for k, v in node.kwargs.items()}
        if _has_failed([args, list(kwargs.values())]):
            return FAILED
        if not isinstance(entry, ByParts) and entry.sizes_by_data:
            for result in each(stated(node)):
                self.symbols.admit(result.shape)
        emit = Emitter(self.region, self.known, node, self.types(node), needed(node), self.inputs, self.symbols)
        try:
            result: Any = entry.call(emit, args, kwargs)
        except CompileError as bad:
            raise _explain(bad, node) from bad
        results = each(result)
        if not isinstance(entry, ByParts) and entry.sizes_by_data:
            self.inputs += [v for v in results if isinstance(v, Value)]
        if is_loaded(getattr(entry, "handler", None)) and not all(isinstance(v, Value) for v in results):
            help = "Let it return emit(...) of an operation, or a tuple with a value for each result."
            raise emit.fail(f"has a handler that gives {result!r} where a value belongs", code="L010", help=help)
        for i, (value, type) in enumerate(zip(results, emit.types, strict=False)):
            _finish(emit, value, type, node.name if len(results) == 1 else f"{node.name}_{i}")
        return result

    def types(self, node: fx.Node) -> tuple[TensorType | None, ...]:
        """Return the types of a node's results as PyTorch states them, None for what is no tensor."""
        return tuple(self.type(v) if isinstance(v, torch.Tensor) else None for v in each(stated(node)))

    def type(self, tensor: torch.Tensor) -> TensorType:
        """Return the type of a tensor."""
        return TensorType(element_type(tensor.dtype), tuple(map(self.symbols.dim, tensor.shape)))

    def _attribute(self, node: fx.Node) -> Any:
        """Return a constant of the graph, or one of its subgraphs."""
        owner = node.graph.owning_module
        found: Any = owner
        for part in cast(str, node.target).split("."):
            found = getattr(found, part)
        return self.constant(node.name, found) if isinstance(found, torch.Tensor) else found


def _unsupported(node: fx.Node) -> CompileError:
    name = overload_name(node)
    known = [n for n in HANDLERS if n.partition(".")[0] != name.partition(".")[0]]
    close = get_close_matches(name, known, 1, 0.85)
    help = (
        "Replace it in the model by operators that are, declare it with --op-library, or carry it with "
        "--allow-custom-ops."
    )
    text = f"the operator {name} is not supported"
    return error("F001", text, excerpt=code(node), help=f"Is it {close[0]}? {help}" if close else help)


def _has_failed(values: Any) -> bool:
    return any(map(_has_failed, each(values))) if isinstance(values, list | tuple) else values is FAILED


def _explain(bad: CompileError, node: fx.Node) -> CompileError:
    """Add the operator and the line of Python to errors that don't have them."""
    for diagnostic in bad.diagnostics:
        line = code(node)
        name = str(node.target)
        if name not in diagnostic.message:
            diagnostic.message = f"{name}: {diagnostic.message}"
        if line is not None and diagnostic.excerpt is None:
            diagnostic.excerpt = line
    return bad


def _real_only(node: fx.Node) -> CompileError:
    text = f"{node.target} computes with complex numbers, which can't be done here"
    help = "Compute with real and imaginary parts, torch.view_as_real(x), instead."
    return error("F005", text, excerpt=code(node), help=help)


def _finish(emit: Emitter, value: object, wanted: TensorType | None, name: str) -> None:
    """Compare a result with what PyTorch says about it, and name it; of complex ones both parts.

    Raises:
        CompileError: F033, they differ.
    """
    if isinstance(value, Complex) and wanted is not None and wanted.dtype.is_complex:
        _finish(emit, value.real, part_type(wanted), f"{name}_real")
        _finish(emit, value.imag, part_type(wanted), f"{name}_imag")
    elif isinstance(value, Value):
        _check(emit, value, wanted)
        value.name = value.name or name


def _check(emit: Emitter, value: Value, wanted: TensorType | None) -> None:
    """Compare a result with what PyTorch says about it.

    Raises:
        CompileError: F033, they differ.
    """
    if wanted is None:
        return
    same_rank = value.type.rank == wanted.rank
    known = [(d, e) for d, e in zip(value.type.shape, wanted.shape, strict=False) if is_static((d, e))]
    if value.type.dtype is not wanted.dtype or not same_rank or any(d != e for d, e in known):
        raise emit.fail(f"gives {value.type} here, but {wanted} in PyTorch", code="F033")

"""Turning nodes into operations: scopes of names, calls of functions, handlers."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from difflib import get_close_matches
from itertools import count

from ...compiler.budget import check_depth, count_operations
from ...compiler.diagnostics import CompileError, Location, at, counted, error
from ...compiler.dims import Sym, symbol
from ...compiler.ir import Region, Value
from ...compiler.ops.core import Const
from ...compiler.types import TensorType
from ...compiler.value_analysis import Known
from ...formats.onnx.model import Attribute, Declared, Function, FunctionId, Graph, Model, Node, Reference, read_type
from ...formats.onnx.tensors import Constant
from ..common.sizes import Sizes
from ..problems import Problems
from .custom import code, custom, is_stated
from .definitions import definition, has_definition, inferred, is_same, newest_version
from .emitter import Emitter
from .lists import Imported, Nothing, ValueList
from .refused import REFUSED
from .registry import HANDLERS, Entry, find
from .schedule import schedule


@dataclass
class Scope:
    """The names of one graph or function body.

    A value is None where it could not be built.  ``stated`` are types of values inside, ``absent`` inputs that the
    caller of a function does not give, ``functions`` the calls that lead here, ``stands_for`` the operator of the
    standard whose definition this is, ``graphs`` how many graphs of nodes lie around this one.
    """

    values: dict[str, Imported | None]
    opsets: Mapping[str, int]
    constants: Mapping[str, Constant] = field(default_factory=lambda: dict[str, Constant]())
    stated: Mapping[str, Declared] = field(default_factory=lambda: dict[str, Declared]())
    attributes: Mapping[str, Attribute] = field(default_factory=lambda: dict[str, Attribute]())
    absent: frozenset[str] = frozenset()
    path: str = ""
    functions: tuple[FunctionId, ...] = ()
    stands_for: str | None = None
    graphs: int = 0

    @property
    def names(self) -> set[str]:
        """The names that are defined without running a node, such as inputs."""
        return {*self.values, *self.constants, *self.absent}


class Importer:
    """Builds the operations of one region; what can't be built is collected in ``problems``.

    ``carries`` says whether unknown operators become custom ones.  ``assumed`` says which branch is taken at
    conditions that nothing tells, by the paths of their nodes; ``undecided`` are those of which it would have to say
    more.  ``by_standard`` follows the standard where onnxruntime departs from it.
    """

    def __init__(
        self,
        model: Model,
        sizes: Sizes,
        *,
        carries: bool = False,
        assumed: Mapping[str, bool] | None = None,
        by_standard: bool = False,
    ) -> None:
        self.model = model
        self.region = Region()
        self.sizes = sizes
        self.carries = carries
        self.by_standard = by_standard
        self.assumed = assumed or {}
        self.undecided: list[str] = []
        self.known = Known()
        self.problems = Problems()
        self.unknown = count()

    def run(self, nodes: Sequence[Node], scope: Scope, wanted: Iterable[str]) -> list[Imported | None]:
        """Import the nodes that ``wanted`` tensors need and return these tensors, None where one can't be built.

        Raises:
            CompileError: F013 to F015, the names don't make a graph.
        """
        names = list(wanted)
        order = schedule(nodes, scope.names, names)
        read = {name for node in order for name in node.inputs} | set(names)
        for node in order:
            with at(Location(scope.path + node.label, self.model.file)):
                results = self._node(node, scope, frozenset(i for i, name in enumerate(node.outputs) if name in read))
            for i, name in enumerate(node.outputs):
                if name:
                    scope.values[name] = value = results[i] if i < len(results) else None
                    if isinstance(value, Value) and value.name is None:
                        value.name = scope.path + name
        return [self._value(name, scope) for name in names]

    def _value(self, name: str, scope: Scope) -> Imported | None:
        """Return the value of a tensor; a constant is inserted at its first use."""
        if not name or name in scope.absent:
            return None
        if name not in scope.values:
            scope.values[name] = None
            with at(Location(name, self.model.file)), self.problems.collect():
                value = self.region.insert(Const(scope.constants[name].weight())).result
                value.name = name
                scope.values[name] = value
        return scope.values[name]

    def _node(self, node: Node, scope: Scope, needed: frozenset[int]) -> Sequence[Imported | None]:
        """Import one node; even where its operands could not be built, say whether it is supported."""
        operands = [self._value(name, scope) for name in node.inputs]
        present = [bool(name) and name not in scope.absent for name in node.inputs]
        is_whole = all(v is not None or not there for v, there in zip(operands, present, strict=True))
        with self.problems.collect():
            attributes = _resolve(node, scope)
            own = self.model.functions.get((node.domain, node.op_type, node.overload))
            if own is not None and not any(e.is_users for e in HANDLERS.get((node.domain, node.op_type), ())):
                return self._call(node, own, operands, present, attributes, scope)
            version = _version(node, scope)
            entry = find(node.domain, node.op_type, version)
            if entry is not None:
                emit = Emitter(
                    self.region, self.known, node, version, needed, _Subgraphs(self, node, scope), self.by_standard
                )
                return _handle(entry, emit, operands, attributes) if is_whole else ()
            if not has_definition(node, version):
                if not self.carries:
                    raise _unsupported(node, version, scope)
                return self._carry(node, version, operands, attributes, scope) if is_whole else ()
            if is_whole:
                function = definition(node, version, operands, attributes)
                inner = replace(scope, stands_for=scope.stands_for or f"{node.op_type} (version {version})")
                return self._call(node, function, operands, present, attributes, inner)
        return ()

    def _carry(
        self,
        node: Node,
        version: int,
        operands: Sequence[Imported | None],
        attributes: Mapping[str, Attribute],
        scope: Scope,
    ) -> Sequence[Imported]:
        """Insert an operator that nobody knows; types that the model states go before those that the package infers."""
        types = {name: read_type(t) for name, t in inferred(node, version, operands, attributes).items()}
        types |= {name: scope.stated[name] for name in node.outputs if is_stated(scope.stated.get(name))}
        return self.region.insert(custom(node, operands, attributes, types, self.sizes)).results

    def _call(
        self,
        node: Node,
        function: Function,
        operands: Sequence[Imported | None],
        present: Sequence[bool],
        attributes: Mapping[str, Attribute],
        scope: Scope,
    ) -> Sequence[Imported | None]:
        """Import the body of a function in place of its call."""
        id = (node.domain, node.op_type, node.overload)
        check_depth(len(scope.functions), "calls of functions")
        count_operations(0, nodes=1 + len(function.nodes))
        if id in scope.functions:
            raise error("F021", f"the function {node.op_type!r} calls itself")
        if len(operands) > len(function.inputs):
            raise error(
                "F006", f"{node.op_type} takes {counted(len(function.inputs), 'input')}, but has {len(operands)}"
            )
        given = dict(zip(function.inputs, zip(operands, present, strict=True), strict=False))
        inner = Scope(
            values={name: value for name, (value, there) in given.items() if there},
            opsets=function.opsets,
            stated=function.stated,
            attributes={**function.defaults, **attributes},
            absent=frozenset(name for name in function.inputs if name not in given or not given[name][1]),
            path=f"{scope.path}{node.label}/",
            graphs=scope.graphs,
            functions=(*scope.functions, id),
            stands_for=scope.stands_for,
        )
        wanted = [name for name, used in zip(function.outputs, node.outputs, strict=False) if used]
        found = dict(zip(wanted, self.run(function.nodes, inner, wanted), strict=True))
        return [found.get(name) for name in function.outputs]


class _Subgraphs:
    """Imports the graphs of one node; they may read everything that the node could."""

    def __init__(self, importer: Importer, node: Node, scope: Scope) -> None:
        self.importer = importer
        self.node = node
        self.scope = scope

    def inline(self, graph: Graph, inputs: Sequence[Imported]) -> list[Imported]:
        """Import a graph into the region that is being built.

        Raises:
            CompileError: F006, there is another number of inputs; F022, a part of it could not be imported.
        """
        if len(inputs) != len(graph.inputs):
            takes = counted(len(graph.inputs), "input")
            text = f"a graph of {self.node.op_type} takes {takes}, but is given {len(inputs)}"
            raise error("F006", text)
        check_depth(self.scope.graphs, "graphs")
        count_operations(0, nodes=1 + len(graph.nodes))
        own = {name for node in graph.nodes for name in node.outputs} | set(graph.constants)
        seen = {name: value for name, value in self.scope.values.items() if name not in own}
        inner = replace(
            self.scope,
            values={**seen, **dict(zip(graph.inputs, inputs, strict=True))},
            constants={**self.scope.constants, **graph.constants},
            stated={**self.scope.stated, **graph.stated},
            path=f"{self.scope.path}{self.node.label}/",
            graphs=self.scope.graphs + 1,
        )
        found = self.importer.run(graph.nodes, inner, graph.outputs)
        values = [value for value in found if value is not None]
        if len(values) < len(found):
            raise error("F022", f"a graph of {self.node.op_type} could not be imported")
        return values

    def region(self, graph: Graph, types: Sequence[TensorType]) -> tuple[Region, list[Imported]]:
        """Import a graph into a region of its own, which has no terminator yet."""
        outer, own = self.importer.region, Region([Value(t, name=n) for n, t in zip(graph.inputs, types, strict=True)])
        self.importer.region = own
        try:
            return own, self.inline(graph, own.args)
        finally:
            self.importer.region = outer

    def assumed(self) -> bool | None:
        """Return which branch of the node is assumed to be taken; None if that is open."""
        return self.importer.assumed.get(self.scope.path + self.node.label)

    def leave_undecided(self) -> None:
        """Ask for an assumption about the node."""
        self.importer.undecided.append(self.scope.path + self.node.label)

    def fresh(self) -> Sym:
        """Return a size that depends on data."""
        return symbol(f"unknown{next(self.importer.unknown)}")


def _resolve(node: Node, scope: Scope) -> dict[str, Attribute]:
    """Replace references to the attributes of the function around; one that the caller does not give is absent."""
    found = ((k, scope.attributes.get(v.name) if isinstance(v, Reference) else v) for k, v in node.attributes.items())
    return {name: value for name, value in found if value is not None}


def _handle(
    entry: Entry, emit: Emitter, operands: Sequence[Imported | None], attributes: Mapping[str, Attribute]
) -> Sequence[Imported]:
    try:
        results = entry.call(emit, operands, attributes)
    except CompileError as bad:
        asked = emit.deciding(v for v in operands if isinstance(v, Value))
        for diagnostic in bad.diagnostics:
            diagnostic.inputs = diagnostic.inputs or asked
        raise
    missing = [name for i, name in enumerate(emit.node.outputs) if i in emit.needed and i >= len(results)]
    if missing:
        raise emit.fail(f"has outputs that are not supported: {', '.join(missing)}")
    strange = [results[i] for i in emit.needed if not _is_value(results[i])]
    if strange:
        help = "Let it return emit(...) of an operation, or a tuple with a value for each output."
        raise emit.fail(f"has a handler that gives {strange[0]!r} where a value belongs", code="L010", help=help)
    return results


def _is_value(found: object) -> bool:
    """Look at what a handler of the user gives, whatever its signature promises."""
    return isinstance(found, Value | ValueList | Nothing)


OLDEST = 6
"""The first version of the standard's operator set that has handlers; of earlier ones, what has stayed is read."""


def _version(node: Node, scope: Scope) -> int:
    """Return the version of the operator set by which a node is read.

    Handlers begin at version 7, and at 6 for what 7 has changed: an earlier node is of the version it is equal to.
    """
    version = scope.opsets.get(node.domain, 0 if node.domain == "" else 1)
    if node.domain:
        return version
    same = [v for v in (OLDEST + 1, OLDEST) if 0 < version <= v and is_same(node.op_type, version, v)]
    newest = newest_version()
    if same or OLDEST <= version <= newest:
        return same[0] if same else version
    stated = f"version {version}" if version else "no version"
    raise error(
        "F012",
        f"the model imports {stated} of the ONNX operator set; supported are {OLDEST} to {newest}",
        help=f"Convert it with onnx.version_converter.convert_version(model, {newest})"
        + ("; a newer onnx package may know it." if version > newest else "."),
    )


def _unsupported(node: Node, version: int, scope: Scope) -> CompileError:
    help = "Cut it off with --inputs and --outputs, declare it with --op-library, or carry it with --allow-custom-ops."
    if scope.stands_for is not None:
        text = f"the ONNX operator {scope.stands_for} is not supported: its definition needs {code(node)}"
        return error("F001", text, help=help)
    close = _similar(node)
    if not node.domain and node.op_type in REFUSED:
        help = f"It {REFUSED[node.op_type]}. {help}"
    elif close:
        help = f"Is it {close}? {help}"
    return error("F001", f"the ONNX operator {code(node)} (version {version}) is not supported", help=help)


def _similar(node: Node) -> str | None:
    """Return what is known of an operator's name: other versions of it, in other domains, or written differently."""
    entries = HANDLERS.get((node.domain, node.op_type))
    if entries:
        ranges = (f"{e.since} to {e.until}" if e.until else f"{e.since} and later" for e in entries)
        return f"another version: {', '.join(ranges)} are known"
    elsewhere = [f"{d}.{name}" if d else name for d, name in HANDLERS if name == node.op_type]
    close = get_close_matches(node.op_type, {name for d, name in HANDLERS if d == node.domain}, 1, 0.8)
    return next(iter(elsewhere + close), None)

"""Reading TensorFlow's models: a signature of a SavedModel, a frozen graph, or what lies between some tensors."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from functools import partial
from pathlib import Path
from typing import Any

from ...compiler.diagnostics import Remark, error, remark
from ...compiler.ir import Func, Module, Port, Region, Value
from ...compiler.ops.core import Return
from ...compiler.rewrite import erase_dead
from ...compiler.types import DType
from ...formats.layout import Layout
from ...formats.tensorflow.interface import Interface as StatedInterface
from ...formats.tensorflow.interface import stated_interface
from ...formats.tensorflow.model import StoredShape
from ...formats.tensorflow.saved_model import Contents, Signature, read_contents
from ...formats.tensorflow.saved_model import Port as StoredPort
from ...formats.tensorflow.tensors import ElementType
from ..common.inputs import BATCH, Declared, Shape, input_types, layout_perm
from ..common.sizes import Stated
from ..problems import Problems
from . import ops as _handlers  # noqa: F401 -- registers them  # pyright: ignore[reportUnusedImport]
from .effects import reaching_out, running
from .flatten import Flat, Result, parse
from .functionalize import functionalize
from .functionalize.names import EXITS
from .importer import Importer, Scope
from .registry import results_of
from .schedule import WRITES, needed_calls, what_axes_count
from .variables import Variables

PLACEHOLDERS = frozenset({"Placeholder", "PlaceholderV2"})
"""Operators that stand for a tensor that is given; with a default, one that may be given."""

WITHOUT_RESULTS = frozenset({"Assert", "NoOp", "Print", "SaveV2"}) | WRITES
"""Operators that are no outputs although nobody reads what they give."""

_TYPES = ("dtype", "DstT", "output_type", "out_type", "Tout", "T")
"""Attributes that say which element type a result has, the most telling one first."""


@dataclass(frozen=True)
class Interface:
    """Names of tensors at one side of what is read, each with its place and what is stated of it."""

    ports: Mapping[str, Result]
    stated: Mapping[str, StoredPort]


@dataclass(frozen=True)
class Program:
    """A module, and how the model itself calls its inputs and outputs: tensors by name; ``tags`` are the graph's.

    ``nodes`` are those that run.  ``reaching_out`` is what loading or running the model may do outside of it, such as
    ``WriteFile at 'x'``; it may be empty.
    """

    module: Module
    inputs: Mapping[str, str]
    outputs: Mapping[str, str]
    tags: tuple[str, ...]
    nodes: frozenset[str] = frozenset()
    reaching_out: str = ""


def import_tensorflow(
    source: Path | str | bytes | Contents,
    *,
    shapes: Mapping[str, Shape | int] | None = None,
    inputs: Sequence[str] | None = None,
    outputs: Sequence[str] | None = None,
    signature: str | None = None,
) -> Module:
    """Read a SavedModel's folder or a graph: a path, the bytes of a graph, or what was read of either.

    ``shapes`` replaces the stated shapes of inputs; a string is the name of a size that stays open, and a number in
    the place of a shape is what a named size is to be.  ``inputs`` and ``outputs`` cut out the part between these
    tensors, which are named as in the graph, or by the signature.  Of several signatures, ``signature`` chooses one,
    else it is the one for serving, or the first.

    Raises:
        CompileError: the model can't be read or is not supported; codes R010 and F001 to F031, all problems at once.
    """
    return read_tensorflow(source, shapes=shapes, inputs=inputs, outputs=outputs, signature=signature).module


def read_tensorflow(
    source: Path | str | bytes | Contents,
    *,
    shapes: Mapping[str, Shape | int] | None = None,
    inputs: Sequence[str] | None = None,
    outputs: Sequence[str] | None = None,
    signature: str | None = None,
) -> Program:
    """Read a model as :func:`import_tensorflow` does, and keep the names of its tensors.

    Raises:
        CompileError: as :func:`import_tensorflow`.
    """
    contents = source if isinstance(source, Contents) else _opened(source)
    chosen = _signature(contents, signature)
    graph = functionalize(contents.graph, _named(contents, outputs))
    flat = Flat(graph.functions, results_of)
    flat.add(graph.nodes)
    own = _stated(contents, None if chosen is None else chosen.key)
    if own is not None:
        chosen = Signature("", own.inputs, own.outputs)
    layout: Layout = {} if own is None else own.layout
    ends = _outputs(flat, chosen, outputs) if outputs is not None or chosen is not None else _unread(flat, contents)
    starts = _inputs(flat, chosen, inputs, ends.ports.values())
    counted = what_axes_count(flat, starts.ports.values(), ends.ports.values())
    declared = {name: _declared(name, flat, starts, counted, layout.get("inputs", {})) for name in starts.ports}
    types = input_types(declared, shapes or {})
    args = {name: Value(type, name=name) for name, type in types.items()}
    importer = Importer(Variables(contents, flat), None if contents.path is None else str(contents.path))
    importer.region = Region(args.values())
    is_part = inputs is not None or outputs is not None
    scope = Scope(flat, {starts.ports[name]: arg for name, arg in args.items()}, is_part=is_part)
    found = importer.run(scope, [*ends.ports.values()])
    importer.problems.raise_any()
    values = {name: v for name, v in zip(ends.ports, found, strict=True) if isinstance(v, Value)}
    if len(values) < len(ends.ports):
        name = next(n for n in ends.ports if n not in values)
        raise error("F020", f"the output {name!r} is not a tensor but a resource or a list")
    importer.region.insert(Return(tuple(values.values())))
    ins = [Port(name, layout_perm(layout.get("inputs", {}), name)) for name in types]
    outs = [Port(name, layout_perm(layout.get("outputs", {}), name)) for name in values]
    bad = next(
        (p.name for p, v in zip(outs, values.values(), strict=True) if len(p.perm or ()) not in (0, v.type.rank)), ""
    )
    if bad:
        raise error("R010", f"the graph is damaged: the layout of {bad} has other axes", help="Compile it again.")
    func = Func("main", importer.region, ins, outs)
    erase_dead(*reversed(func.ops))
    tensors = [{name: str(place) for name, place in side.ports.items()} for side in (starts, ends)]
    nodes = running(graph, tensors[1].values())
    outer = reaching_out(contents.graph, running(contents.graph, (*tensors[1].values(), *contents.loading)))
    effect = "" if outer is None else f"{outer.op} at {outer.name!r}"
    return Program(Module(func), tensors[0], tensors[1], contents.tags, nodes, effect)


def _opened(source: Path | str | bytes) -> Contents:
    return read_contents(Path(source) if isinstance(source, str) else source)


def _named(contents: Contents, outputs: Sequence[str] | None) -> list[str]:
    """Return the tensors that are asked for by name, by signatures or by the user."""
    ports = [port for s in contents.signatures for side in (s.inputs, s.outputs) for port in side.values()]
    return [*(port.tensor for port in ports), *(outputs or ())]


def _signature(contents: Contents, name: str | None) -> Signature | None:
    """Return the signature that is meant; None where there is none, as in a frozen graph.

    Raises:
        CompileError: F018, there is none of that name.
    """
    there = contents.signatures
    keys = ", ".join(repr(s.key) for s in there)
    if name is not None:
        found = next((s for s in there if s.key == name), None)
        if found is None:
            raise error("F018", f"there is no signature {name!r}", help=f"There are {keys or 'none'}.")
        return found
    if not there:
        return None
    if len(_different(there)) > 1:
        remark(Remark("note", "import", f"of the signatures {keys}, {there[0].key!r} is read (see --signature)"))
    return there[0]


def _stated(contents: Contents, signature: str | None) -> StatedInterface | None:
    """Return what a file of ours says of its inputs and outputs, those of a signature.

    Raises:
        CompileError: R010, it is damaged.
    """
    try:
        return stated_interface(contents.graph, signature)
    except ValueError as bad:
        raise error("R010", f"the graph is damaged: {bad}", help="Compile it again.") from bad


def _different(signatures: Iterable[Signature]) -> set[tuple[tuple[str, ...], ...]]:
    """Return the interfaces of signatures; Keras gives the same one two names."""
    return {(tuple(s.inputs), tuple(s.outputs)) for s in signatures}


def _outputs(flat: Flat, signature: Signature | None, names: Sequence[str] | None) -> Interface:
    """Return the outputs that are named, or those of the signature.

    Raises:
        CompileError: F018, there is no such tensor; F014, the signature names one that nothing computes.
    """
    own = {} if signature is None else dict(signature.outputs)
    if names is not None:
        return _found("outputs", names, flat, own)
    return Interface({name: _checked(flat, port.tensor) for name, port in own.items()}, own)


def _unread(flat: Flat, contents: Contents) -> Interface:
    """Return the tensors of a graph that nobody reads.

    What loops leave unread and what depends on no input count if there is nothing else.

    Raises:
        CompileError: F011, there is none.
    """
    read = {operand.node for call in flat.calls.values() for operand in call.inputs}
    unread = [
        call
        for call in flat.calls.values()
        if call.name not in read and call.op not in WITHOUT_RESULTS | PLACEHOLDERS and call.op != "Const"
    ]
    left = {node.name for node in contents.graph.nodes if node.op in EXITS}
    computed = _computed(flat)
    likely = [call for call in unread if call.name in computed and call.name not in left]
    ends = [Result(call.name, n) for call in likely or unread for n in range(len(results_of(call.op)) or 1)]
    if not ends:
        raise error("F011", "the graph has no output", help="Name one: --outputs NODE.")
    return Interface({place.flat: place for place in ends}, {})


def _computed(flat: Flat) -> set[str]:
    """Return the nodes that depend on an input."""
    readers: dict[str, list[str]] = {}
    for call in flat.calls.values():
        for operand in call.inputs:
            readers.setdefault(operand.node, []).append(call.name)
    found: set[str] = set()
    waiting = [call.name for call in flat.calls.values() if call.op in PLACEHOLDERS]
    while waiting:
        name = waiting.pop()
        if name not in found:
            found.add(name)
            waiting += readers.get(name, ())
    return found


def _inputs(flat: Flat, signature: Signature | None, names: Sequence[str] | None, ends: Iterable[Result]) -> Interface:
    """Return the inputs: those that are named, those of the signature, or the placeholders that outputs need.

    Raises:
        CompileError: F018, there is no such tensor, or outputs need another input.
    """
    own = {} if signature is None else dict(signature.inputs)
    if names is not None:
        found = _found("inputs", names, flat, own)
    elif signature is not None:
        found = Interface({name: _checked(flat, port.tensor) for name, port in own.items()}, own)
    else:
        needed = needed_calls(flat, ends, ())
        placed = [call.name for call in flat.calls.values() if call.op in PLACEHOLDERS]
        live = {call.name for call in needed}
        return Interface({name: Result(name) for name in placed if name in live}, {})
    given = set(found.ports.values())
    missing = [call.name for call in needed_calls(flat, ends, given) if call.op in PLACEHOLDERS]
    if missing:
        text = f"the outputs also depend on the inputs {', '.join(missing)} of the model"
        raise error("F018", text, help="Add them to inputs, or cut them off as well.")
    return found


def _checked(flat: Flat, tensor: str) -> Result:
    """Return the place of a tensor that a signature names.

    Raises:
        CompileError: F014, nothing computes it.
    """
    result = parse(tensor)
    if result.node not in flat.calls:
        raise error("F014", f"the signature names the tensor {tensor!r}, which is not there")
    return result


def _found(what: str, names: Sequence[str], flat: Flat, own: Mapping[str, StoredPort]) -> Interface:
    """Return the places of tensors that the user names.

    Raises:
        CompileError: F018, there is no such tensor.
    """
    problems = Problems()
    found: dict[str, Result] = {}
    for name in names:
        with problems.collect():
            place = parse(own[name].tensor) if name in own else flat.find(name)
            if place is None or place.node not in flat.calls:
                close = get_close_matches(name, [*own, *flat.calls], 1)
                help = f"Did you mean {close[0]!r}?" if close else f"The usual ones are {', '.join(own) or 'none'}."
                raise error("F018", f"{what}: there is no tensor {name!r} in the model", help=help)
            found[name] = place if what == "outputs" or name in own else flat.resolve(place)
    problems.raise_any()
    return Interface(found, {name: own[name] for name in found if name in own})


def _declared(
    name: str, flat: Flat, starts: Interface, counted: Mapping[Result, str], layout: Mapping[str, Any]
) -> Declared:
    """Return what is stated of an input: by a file of ours, by the signature, and by the placeholder itself."""
    place = starts.ports[name]
    call = flat.calls[place.node]
    stated = starts.stated.get(name)
    shape = call.attributes.get("shape")
    dims: Stated = shape.dims if isinstance(shape, StoredShape) and call.op in PLACEHOLDERS else None
    if stated is not None and stated.dims is not None:
        dims = stated.dims
    if dims is not None:
        dims = tuple(counted.get(place, BATCH) if d is None and axis == 0 else d for axis, d in enumerate(dims))
    element = next((t for n in _TYPES if isinstance(t := call.attributes.get(n), ElementType)), ElementType(1))
    if name in layout:
        dims = tuple(layout[name]["shape"])
    kind = partial(_element, stated.element if stated is not None else element, name)
    return Declared(kind, dims, layout_perm(layout, name))


def _element(element: ElementType, name: str) -> DType:
    return element.known(f"the input {name!r}")

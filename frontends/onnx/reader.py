"""Reading ONNX models: the whole graph, or what lies between some of its tensors."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING

from ...compiler.diagnostics import Remark, error, remark
from ...compiler.ir import Func, Module, Port, Region, Value
from ...compiler.ops.core import Return
from ...compiler.ops.custom import Custom
from ...compiler.rewrite import erase_dead
from ...compiler.types import Array, TensorType
from ...formats.onnx.files import open_model
from ...formats.onnx.model import Declared, Graph, Model, Node
from ...formats.onnx.tensors import Given, number_of
from ..common.sizes import Sizes
from ..problems import Problems
from . import ops as _handlers  # noqa: F401 -- registers them  # pyright: ignore[reportUnusedImport]
from .branches import Reading, decided
from .importer import Importer, Scope
from .inputs import input_types
from .lists import Imported, Nothing, ValueList, item_name
from .schedule import reads, schedule

if TYPE_CHECKING:
    from onnx import ModelProto

Shape = Sequence[int | str]
Shapes = Mapping[str, Shape]
Values = Mapping[str, Array]
Lengths = Mapping[str, int | None]


def import_onnx(
    source: Path | str | bytes | ModelProto,
    *,
    shapes: Mapping[str, Shape | int] | None = None,
    inputs: Sequence[str] | None = None,
    outputs: Sequence[str] | None = None,
    values: Values | None = None,
    lengths: Lengths | None = None,
    allow_custom_ops: bool = False,
    by_standard: bool = False,
) -> Module:
    """Read an ONNX model: a path, the bytes of a file, or a parsed message.

    ``shapes`` replaces the declared shapes of inputs; a string is the name of a size that stays open.  A number in the
    place of a shape is what a named size is to be, wherever it occurs.  ``inputs`` and ``outputs`` cut out the part of
    the graph between these tensors.  Inputs that have ``values`` become constants.
    ``lengths`` says of how many items the inputs that are sequences are, which become inputs ``name.0``, ``name.1`` and
    so on; None says that an optional input is absent.  Outputs that are sequences become several, too.  With
    ``allow_custom_ops`` unknown operators become custom ones, of the types that the model states.
    Where onnxruntime, for which exporters write, departs from the standard, its results are meant, or those of the
    standard with ``by_standard``.

    Raises:
        CompileError: the model can't be read or is not supported; codes R010 and F001 to F021, all problems at once.
    """
    model, lists = _spread(_fix(open_model(source), values or {}), lengths or {})
    graph = model.graph
    names = list(graph.outputs if outputs is None else outputs)
    given, fixed = _sort(graph, shapes or {}, graph.inputs if inputs is None else inputs)
    _check_names(graph, given, inputs, names)
    sizes = Sizes(fixed)
    if inputs is None:
        types = input_types(graph.inputs, given, sizes)
    else:
        _check_cut(graph, inputs, names)
        types = _cut_types(model, dict.fromkeys(inputs), given, sizes)
    sizes.check()

    def read(assumed: Mapping[str, bool]) -> Reading:
        importer = Importer(model, sizes, carries=allow_custom_ops, assumed=assumed, by_standard=by_standard)
        return _run(importer, types, names, lists)

    found = decided(read)
    found.problems.raise_any()
    region = found.region
    if allow_custom_ops:
        _warn_of_stale_types(graph, given, region)
    ports = dict(pair for name, value in zip(names, found.results, strict=True) for pair in _tensors(name, value))
    region.insert(Return(tuple(ports.values())))
    erase_dead(*reversed(region.ops))
    return Module(Func("main", region, [Port(name) for name in types], [Port(name) for name in ports]))


def _tensors(name: str, value: Imported | None) -> Iterator[tuple[str, Value]]:
    """Iterate over the tensors of an output, with their names."""
    if isinstance(value, Value):
        yield name, value
    elif isinstance(value, ValueList):
        yield from ((item_name(name, i), item) for i, item in enumerate(value.items))


def _sort(
    graph: Graph, shapes: Mapping[str, Shape | int], inputs: Iterable[str]
) -> tuple[dict[str, Shape], dict[str, int]]:
    """Tell shapes of inputs from numbers for named sizes; a number for an input is the shape of a vector.

    Raises:
        CompileError: F019, a name is both an input's and a size's.
    """
    named = {d for declared in graph.inputs.values() for d in declared.dims or () if isinstance(d, str)}
    given: dict[str, Shape] = {}
    fixed: dict[str, int] = {}
    known = set(inputs)
    for name, shape in shapes.items():
        if not isinstance(shape, int):
            given[name] = shape
        elif name not in known:
            fixed[name] = shape
        elif name not in named:
            given[name] = (shape,)
        else:
            help = f"Write {name}=({shape},) or --shape {name}={shape}, (with a comma) for the shape of the input."
            raise error("F019", f"shapes: {name!r} is both an input and a size, and is given a number", help=help)
    return given, fixed


def _warn_of_stale_types(graph: Graph, shapes: Shapes, region: Region) -> None:
    """Say that what the model states about custom operators may not hold for shapes that the user has changed."""
    changed = [
        name
        for name, shape in shapes.items()
        for d, e in zip(shape, graph.inputs[name].dims or () if name in graph.inputs else (), strict=False)
        if isinstance(e, int) and e > 0 and d != e
    ]
    carried = dict.fromkeys(op.code for op in region.walk() if isinstance(op, Custom))
    if changed and carried:
        text = f"the results of {', '.join(carried)} have the shapes that the model states, for another {changed[0]}"
        remark(Remark("warning", "import", text))


def _fix(model: Model, values: Values) -> Model:
    """Turn inputs into constants.

    Raises:
        CompileError: F018, there is no such input.
    """
    problems = Problems()
    for name in values:
        with problems.collect():
            _check_name("values", name, model.graph.inputs, list(model.graph.inputs))
    problems.raise_any()
    inputs = {name: declared for name, declared in model.graph.inputs.items() if name not in values}
    constants = {**model.graph.constants, **{name: Given(name, array) for name, array in values.items()}}
    return replace(model, graph=replace(model.graph, inputs=inputs, constants=constants))


def _spread(model: Model, lengths: Lengths) -> tuple[Model, dict[str, int | None]]:
    """Replace inputs that are sequences by one input per item; return the model and the lengths by name.

    Raises:
        CompileError: F018, there is no such input.
    """
    inputs: dict[str, Declared] = {}
    lists: dict[str, int | None] = {}
    for name in lengths:
        _check_name("lengths", name, model.graph.inputs, list(model.graph.inputs))
    for name, declared in model.graph.inputs.items():
        if name in lengths:
            lists[name] = lengths[name]
            items = range(lengths[name] or 0)
            inputs |= {item_name(name, i): replace(declared, kind="tensor") for i in items}
        else:
            inputs[name] = declared
    return replace(model, graph=replace(model.graph, inputs=inputs)), lists


def _run(
    importer: Importer, types: Mapping[str, TensorType], wanted: Iterable[str], lists: Lengths | None = None
) -> Reading:
    """Import what computes the ``wanted`` tensors from inputs of the given types."""
    model = importer.model
    args: dict[str, Value] = {name: Value(type, name=name) for name, type in types.items()}
    given: dict[str, Imported | None] = dict(args)
    for name, length in (lists or {}).items():
        items = tuple(args[item_name(name, i)] for i in range(length or 0))
        given[name] = Nothing() if length is None else ValueList(items)
    constants = {name: c for name, c in model.graph.constants.items() if name not in args}
    importer.region = Region(args.values())
    results = importer.run(model.graph.nodes, Scope(given, model.opsets, constants, model.graph.stated), wanted)
    return Reading(importer.region, results, importer.problems, importer.undecided)


def _check_names(graph: Graph, shapes: Shapes, inputs: Sequence[str] | None, outputs: Sequence[str]) -> None:
    """Refuse names that the model does not have.

    Raises:
        CompileError: F018.
    """
    known = {*graph.inputs, *graph.constants, *(name for node in graph.nodes for name in node.outputs if name)}
    open_inputs = list(graph.inputs if inputs is None else inputs)
    problems = Problems()
    for what, names, among in (("inputs", inputs or (), known), ("shapes", shapes, open_inputs)):
        for name in names:
            with problems.collect():
                _check_inside(what, name, graph, known)
                _check_name(what, name, among, open_inputs if what == "shapes" else list(graph.inputs))
    for name in outputs if tuple(outputs) != graph.outputs else ():
        with problems.collect():
            _check_inside("outputs", name, graph, known)
            _check_name("outputs", name, known, graph.outputs)
    problems.raise_any()


def _check_name(what: str, name: str, known: Iterable[str], usual: Sequence[str]) -> None:
    if name not in known:
        close = get_close_matches(name, list(known), 1)
        help = f"Did you mean {close[0]!r}?" if close else f"The usual ones are {', '.join(usual)}."
        place = "in the model" if what in ("inputs", "outputs") else "among the inputs"
        raise error("F018", f"{what}: there is no tensor {name!r} {place}", help=help)


def _check_inside(what: str, name: str, graph: Graph, known: Iterable[str]) -> None:
    """Refuse to cut inside of the graph of a node."""
    holder = None if name in known else _holder(name, graph)
    if holder is not None:
        text = f"{what}: {name!r} is inside of a graph of the node {holder.label!r}, where nothing can be cut"
        raise error("F018", text, help="Cut before or after the node.")


def _holder(name: str, graph: Graph) -> Node | None:
    """Return the node in whose graphs a tensor is."""
    for node in graph.nodes:
        for inner in (a for a in node.attributes.values() if isinstance(a, Graph)):
            own = {*inner.inputs, *inner.constants, *(n for child in inner.nodes for n in child.outputs)}
            if name in own or _holder(name, inner) is not None:
                return node
    return None


def _check_cut(graph: Graph, inputs: Sequence[str], outputs: Sequence[str]) -> None:
    """Refuse a cut whose outputs also need inputs of the model that are not among ``inputs``.

    Raises:
        CompileError: F018.
    """
    given = {*inputs, *graph.inputs, *graph.constants}
    order = schedule(graph.nodes, given, outputs)
    needed = dict.fromkeys(name for names in (outputs, *map(reads, order)) for name in names)
    missing = [name for name in needed if name in graph.inputs and name not in inputs]
    if missing:
        text = f"the outputs also depend on the inputs {', '.join(missing)} of the model"
        raise error("F018", text, help="Add them to inputs, or cut them off as well.")


def _cut_types(model: Model, inputs: Iterable[str], shapes: Shapes, sizes: Sizes) -> dict[str, TensorType]:
    """Return the types of inputs some of which are inner tensors of the model.

    Their types are inferred from the whole model if it can be read up to them, or else are those that it states.

    Raises:
        CompileError: F019 or F020, a type is not known or does not fit.
    """
    graph = model.graph
    types = input_types({n: graph.inputs[n] for n in inputs if n in graph.inputs}, _of(shapes, graph.inputs), sizes)
    inner = [name for name in inputs if name not in types]
    inferred = _infer(model, types, inner, sizes)
    declared: dict[str, Declared] = {}
    for name in inner:
        stated = graph.stated.get(name)
        if name not in inferred:
            if stated is None:
                text = f"the type of {name!r} is neither stated nor can it be inferred from the operators before it"
                raise error("F020", text, help="Cut at a tensor whose type the model states.")
            declared[name] = replace(stated, dims=None) if name in shapes else stated
        elif name in shapes:
            declared[name] = Declared("tensor", number_of(inferred[name].dtype))
    types |= inferred | input_types(declared, _of(shapes, declared), sizes)
    return {name: types[name] for name in inputs}


def _of(shapes: Shapes, names: Iterable[str]) -> Shapes:
    return {name: shapes[name] for name in names if name in shapes}


def _infer(model: Model, types: Mapping[str, TensorType], names: Sequence[str], sizes: Sizes) -> dict[str, TensorType]:
    """Return the types of inner tensors as far as the model can be imported up to them."""
    ignored, known = Problems(), dict(types)
    for name, declared in model.graph.inputs.items():
        if name not in known:
            with ignored.collect():
                known |= input_types({name: declared}, {}, sizes)
    found: dict[str, TensorType] = {}
    with ignored.collect():
        values = _run(Importer(model, sizes, carries=True), known, names).results
        found = {name: value.type for name, value in zip(names, values, strict=True) if isinstance(value, Value)}
    return found

"""Reading models of OpenVINO: whole, or what lies between some of their tensors."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from itertools import count
from pathlib import Path

from ...compiler.diagnostics import error
from ...compiler.ir import Func, Module, Port, Region, Value
from ...compiler.ops.arith import Cast
from ...compiler.rewrite import erase_dead
from ...compiler.weights import Weight
from ...formats.openvino.model import Layer, Network, Place
from ...formats.openvino.reader import Contents, read_contents
from ..common.inputs import Shape
from ..common.states import Changed, end_with_states, refused_changes
from ..problems import Problems
from . import ops as _handlers  # noqa: F401 -- registers them  # pyright: ignore[reportUnusedImport]
from .emitter import WIDE
from .importer import Importer, Scope
from .inputs import Declared, axes_of, declared_input, declared_port, input_types, named_sizes
from .schedule import operands_of, schedule

STORES_HALVES = 10
"""The version of the IR in which f16 is how a whole network is stored, while it is given numbers of 32 bits."""


@dataclass(frozen=True)
class Program:
    """A module, what the states that became its inputs hold in a first call, and the layers of inputs and outputs.

    ``layers`` are those by which OpenVINO finds them: Parameters and Results by the names of the module's ports;
    ``variables`` are OpenVINO's names of the states.
    """

    module: Module
    states: Mapping[str, Weight]
    layers: Mapping[str, Mapping[str, str]]
    variables: Mapping[str, str]


def import_openvino(
    source: Path | str | bytes,
    *,
    shapes: Mapping[str, Shape | int] | None = None,
    inputs: Sequence[str] | None = None,
    outputs: Sequence[str] | None = None,
    allow_custom_ops: bool = False,
    weights: Path | None = None,
) -> Module:
    """Read a model of OpenVINO: the path of its XML, or the XML itself.

    The elements of constants lie in ``weights``, by default in the file beside the XML.  ``shapes`` replaces the stated
    shapes of inputs; a string is the name of a size that stays open, and a number in the place of a shape is what a
    named size is to be.  ``inputs`` and ``outputs`` cut out the part between these tensors.  With ``allow_custom_ops``
    operations without a handler become custom ones, of the types that the model states.

    Raises:
        CompileError: the model can't be read or is not supported; codes R010 and F001 to F031, all problems at once.
    """
    return read_openvino(
        source, shapes=shapes, inputs=inputs, outputs=outputs, allow_custom_ops=allow_custom_ops, weights=weights
    ).module


def read_openvino(
    source: Path | str | bytes,
    *,
    shapes: Mapping[str, Shape | int] | None = None,
    inputs: Sequence[str] | None = None,
    outputs: Sequence[str] | None = None,
    allow_custom_ops: bool = False,
    weights: Path | None = None,
    keeps_state: bool = False,
) -> Program:
    """Read a model as :func:`import_openvino` does; with ``keeps_state``, variables become inputs and outputs.

    Raises:
        CompileError: as :func:`import_openvino`.
    """
    contents = read_contents(Path(source) if isinstance(source, str) else source, weights)
    network = contents.network
    if not network.layers:
        raise error("F011", "the model has no layers", help="The file is damaged.")
    starts, ends = _starts(network, inputs), _ends(contents, outputs)
    _check_cut(network, starts, ends)
    declared = _declared(contents, starts)
    types = input_types(declared, shapes or {})
    importer = Importer(contents, carries=allow_custom_ops)
    importer.variables.keeps_state = keeps_state
    args = {name: Value(type, name=name) for name, type in types.items()}
    importer.region = Region(args.values())
    values: dict[Place, Value | None] = {starts[name].place: _wide(importer.region, arg) for name, arg in args.items()}
    scope = Scope(network, values)
    stores = [] if outputs else _stores(network)
    found = importer.run(scope, [*(end.place for end in ends.values()), *(place for _, place in stores)])
    importer.problems.raise_any()
    results = [_narrow(importer, v, end) for v, end in zip(found, ends.values(), strict=False) if v is not None]
    for (variable, _), value in zip(stores, found[len(ends) :], strict=True):
        if value is not None:
            importer.variables.now[variable] = value
    func = Func(
        "main",
        importer.region,
        [Port(name, axes=declared[name].axes) for name in types],
        [Port(name, axes=_axes(end, v)) for (name, end), v in zip(ends.items(), results, strict=True)],
    )
    states = _expose_variables(func, importer, results)
    erase_dead(*reversed(func.ops))
    layers = {"inputs": _layers(starts), "outputs": _layers(ends)}
    return Program(Module(func), states, layers, dict(zip(states, importer.variables.changed, strict=True)))


@dataclass(frozen=True)
class End:
    """A tensor at which a part begins or ends, and the Parameter or Result there, if it is one of the model's own."""

    place: Place
    layer: Layer | None = None


def _layers(ends: Mapping[str, End]) -> dict[str, str]:
    return {name: end.layer.name for name, end in ends.items() if end.layer is not None}


def _starts(network: Network, names: Sequence[str] | None) -> dict[str, End]:
    own: dict[str, End] = {}
    for layer in network.of_type("Parameter"):
        own |= {_unused(layer.name, own): End((layer.id, port.id), layer) for port in layer.outputs}
    return own if names is None else _find_all("inputs", names, own, network)


def _unused(name: str, taken: Mapping[str, End]) -> str:
    """Return a name, with a number where it is taken."""
    numbered = (f"{name}_{n}" for n in count(1))
    return name if name not in taken else next(n for n in numbered if n not in taken)


def _ends(contents: Contents, names: Sequence[str] | None) -> dict[str, End]:
    """Return the outputs by name: that of the tensor, or else of what computes it.

    Raises:
        CompileError: F014, nothing leads to an output; F018, there is no tensor of a name.
    """
    network, own = contents.network, dict[str, End]()
    for layer in network.of_type("Result"):
        for place in operands_of(network, layer):
            if place is None:
                raise error("F014", f"nothing computes the output {layer.name!r}", help="The file is damaged.")
            own[_unused(_output_name(network, layer, place), own)] = End(place, layer)
    return own if names is None else _find_all("outputs", names, own, network)


def _output_name(network: Network, result: Layer, place: Place) -> str:
    if result.output_names:
        return result.output_names[0]
    writer = network.layers.get(place[0])
    if writer is None:
        return str(result)
    for i, port in enumerate(writer.outputs):
        if port.id == place[1] and port.names:
            return port.names[0]
        if port.id == place[1] and len(writer.outputs) > 1:
            return f"{writer}.{i}"
    return str(writer)


def _find_all(what: str, names: Sequence[str], own: Mapping[str, End], network: Network) -> dict[str, End]:
    """Return the tensors with given names.

    Raises:
        CompileError: F018, there is no such tensor.
    """
    known: dict[str, End] = {}
    for layer in network.layers.values():
        for i, port in enumerate(layer.outputs):
            place = End((layer.id, port.id))
            known |= dict.fromkeys((*port.names, f"{layer.name}.{i}", *([layer.name] if i == 0 else [])), place)
    known |= own
    problems = Problems()
    for name in names:
        with problems.collect():
            if name not in known:
                close = get_close_matches(name, known, 1)
                help = f"Did you mean {close[0]!r}?" if close else f"The usual ones are {', '.join(own)}."
                raise error("F018", f"{what}: there is no tensor {name!r} in the model", help=help)
    problems.raise_any()
    return {name: known[name] for name in names}


def _check_cut(network: Network, starts: Mapping[str, End], ends: Mapping[str, End]) -> None:
    """Refuse a cut whose outputs also need inputs of the model that are not among the given ones.

    Raises:
        CompileError: F018.
    """
    given = {start.place for start in starts.values()}
    needed = schedule(network, given, [end.place for end in ends.values()])
    missing = [layer.name for layer in needed if layer.type.lower() == "parameter"]
    if missing:
        text = f"the outputs also depend on the inputs {', '.join(missing)} of the model"
        raise error("F018", text, help="Add them to inputs, or cut them off as well.")


def _declared(contents: Contents, starts: Mapping[str, End]) -> dict[str, Declared]:
    found: dict[str, Declared] = {}
    for name, start in starts.items():
        if start.layer is not None:
            found[name] = declared_input(start.layer, stores_halves=contents.version == STORES_HALVES)
        else:
            ports = contents.network.layers[start.place[0]].outputs
            found[name] = declared_port(next(p for p in ports if p.id == start.place[1]))
    return named_sizes(found, contents.metadata)


def _wide(region: Region, arg: Value) -> Value:
    """Return an argument in the type that is computed in."""
    dtype = WIDE.get(arg.type.dtype)
    return arg if dtype is None else region.insert(Cast(arg, dtype)).result


def _narrow(importer: Importer, value: Value, end: End) -> Value:
    """Return an output in the type that the model states for it: in IR 11, that may be one of 16 bits."""
    if end.layer is None or importer.contents.version == STORES_HALVES:
        return value
    writer = importer.contents.network.layers[end.place[0]]
    stated = next((p.precision for p in writer.outputs if p.id == end.place[1]), "")
    narrow = {"FP16": "f16", "BF16": "bf16"}.get(stated.upper())
    dtype = next((d for d in WIDE if d == narrow), None)
    if dtype is None or WIDE[dtype] is not value.type.dtype:
        return value
    return importer.region.insert(Cast(value, dtype)).result


def _axes(end: End, value: Value) -> str:
    """Return the letters of an output's axes, if the model states a layout for it."""
    return "" if end.layer is None else next((axes_of(p, (1,) * value.type.rank) for p in end.layer.inputs), "")


def _stores(network: Network) -> list[tuple[str, Place]]:
    """Return what the network stores into which variable."""
    found: list[tuple[str, Place]] = []
    for layer in network.of_type("Assign"):
        found += [
            (layer.data.get("variable_id", ""), place) for place in operands_of(network, layer) if place is not None
        ]
    return found


def _expose_variables(func: Func, importer: Importer, returns: list[Value]) -> dict[str, Weight]:
    """End a function; variables that a call changes become inputs and outputs.

    Raises:
        CompileError: F031, it changes variables, and states are not asked for.
    """
    variables = importer.variables
    if not variables.keeps_state:
        if variables.changed:
            raise refused_changes(list(variables.changed))
        return end_with_states(func, returns, [])
    for variable in variables.found.keys() - variables.changed.keys():
        variables.found[variable].replace_all_uses_with(variables.first[variable])
    changed = variables.changed.items()
    states = [Changed(name, variables.found.get(name), variables.first.get(name), last) for name, last in changed]
    return end_with_states(func, returns, states)

"""Turning layers into operations: scopes of results, constants, bodies, handlers."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from itertools import count

import numpy as np

from ...compiler.budget import check_depth, count_operations
from ...compiler.diagnostics import CompileError, Location, at, error
from ...compiler.dims import Sym, static, symbol
from ...compiler.ir import Region, Value
from ...compiler.ops.core import Const
from ...compiler.ops.custom import Custom
from ...compiler.ops.quantize import Dequantize
from ...compiler.types import Array, DType, TensorType
from ...compiler.value_analysis import Known
from ...compiler.weights import Weight
from ...formats.openvino.model import Layer, Network, Place
from ...formats.openvino.reader import Contents
from ...formats.openvino.weights import constant_weight, element_type, stated_type
from ..problems import Problems
from .emitter import WIDE, Emitter
from .inputs import stated_shape
from .refused import REFUSED
from .registry import HANDLERS, Entry, find
from .schedule import operands_of, schedule
from .surroundings import Around, Variables


@dataclass
class Scope:
    """The results of one network while it is imported, by layer and port; None where one could not be built.

    ``depth`` counts the bodies around it; ``is_conditional`` says that data decide whether or how often it runs.
    """

    network: Network
    values: dict[Place, Value | None]
    path: str = ""
    depth: int = 0
    is_conditional: bool = False


@dataclass
class Importer:
    """Builds the operations of one region; what can't be built is collected in ``problems``.

    ``carries`` says whether operations without a handler become custom ones.
    """

    contents: Contents
    carries: bool = False
    region: Region = field(default_factory=Region)
    known: Known = field(default_factory=Known)
    problems: Problems = field(default_factory=Problems)
    variables: Variables = field(default_factory=Variables)
    unknown: count[int] = field(default_factory=count)

    @property
    def file(self) -> str | None:
        """The path that locations in error messages begin with, if the model came from a file."""
        return None if self.contents.path is None else str(self.contents.path)

    def fresh(self) -> Sym:
        """Return a symbolic size with a name that is not in use yet."""
        return symbol(f"unknown{next(self.unknown)}")

    def run(self, scope: Scope, wanted: Iterable[Place]) -> list[Value | None]:
        """Import what ``wanted`` results need, and return them; None where one can't be built.

        Raises:
            CompileError: F013 or F014, the layers don't make a graph.
        """
        wanted = list(wanted)
        order = schedule(scope.network, scope.values.keys(), wanted)
        read = {place for layer in order for place in operands_of(scope.network, layer)} | set(wanted)
        for layer in order:
            with at(Location(scope.path + str(layer), self.file)):
                needed = frozenset(i for i, port in enumerate(layer.outputs) if (layer.id, port.id) in read)
                results = self._layer(layer, scope, needed)
            for i, port in enumerate(layer.outputs):
                value = results[i] if i < len(results) else None
                scope.values[layer.id, port.id] = value
                if value is not None and value.name is None:
                    value.name = scope.path + (port.names[0] if port.names else _numbered(layer, i))
        return [scope.values.get(place) for place in wanted]

    def _layer(self, layer: Layer, scope: Scope, needed: frozenset[int]) -> Sequence[Value | None]:
        """Import one layer; even where its operands could not be built, say whether it is supported."""
        places = operands_of(scope.network, layer)
        operands = [None if place is None else scope.values.get(place) for place in places]
        is_whole = all(v is not None or p is None for v, p in zip(operands, places, strict=True))
        with self.problems.collect():
            if layer.type.lower() == "const":
                return [self._constant(layer)]
            entry = find(layer.type, layer.opset)
            if entry is None and not self.carries:
                raise _unsupported(layer)
            if not is_whole:
                return ()
            emit = Emitter(self.region, self.known, layer, needed, Around(self, scope))
            if entry is None:
                return emit.all(self._custom(layer, operands))
            return _call(entry, emit, operands)
        return ()

    def _constant(self, layer: Layer) -> Value:
        """Insert a constant; one of 16 bits stays as small as it is, and stands for numbers of 32 bits."""
        shape = stated_shape(layer.data.get("shape", ""))
        sizes = tuple(d for d in shape or () if isinstance(d, int))
        if shape is None or len(sizes) < len(shape):
            raise error("F016", f"the constant {layer.name!r} has an open shape", help="The file is damaged.")
        weight = constant_weight(layer, self.contents.weights, sizes)
        wide = WIDE.get(weight.type.dtype)
        if wide is None or not _is_matrix(weight):
            return self._insert(weight if wide is None else _widened(weight, wide), layer)
        stored = self._insert(weight, layer)
        one, zero = (self.region.insert(Const(Weight.of(n))).result for n in (_ONE, _ZERO))
        return self.region.insert(Dequantize(stored, one, zero)).result

    def _insert(self, weight: Weight, layer: Layer) -> Value:
        value = self.region.insert(Const(weight)).result
        value.name = layer.name or None
        return value

    def _custom(self, layer: Layer, operands: Sequence[Value | None]) -> Custom:
        """Return a custom operation for a layer without a handler; its results have the types that its ports state."""
        types: list[TensorType] = []
        for port in layer.outputs:
            dtype = element_type(stated_type(port.precision))
            shape = tuple(d if d >= 0 else self.fresh() for d in port.dims)
            types.append(TensorType(WIDE.get(dtype, dtype), shape))
        own = "" if layer.opset in ("", "extension") else f"{layer.opset}."
        return Custom(tuple(operands), own + layer.type, tuple(types), dict(layer.data))

    def enter(self, network: Network, given: Sequence[Value | None], scope: Scope, name: str) -> list[Value]:
        """Import a body into the region that is being built: Parameters in their order are ``given``.

        Raises:
            CompileError: F022, a part of it could not be imported.
        """
        check_depth(scope.depth, "bodies")
        count_operations(0, nodes=1 + len(network.layers))
        parameters = network.of_type("Parameter")
        values: dict[Place, Value | None] = {}
        for layer, value in zip(parameters, given, strict=True):
            values |= {(layer.id, port.id): value for port in layer.outputs if value is not None}
        inner = Scope(network, values, f"{scope.path}{name}/", scope.depth + 1, scope.is_conditional)
        results = network.of_type("Result")
        found = self.run(inner, [place for layer in results for place in _read_by(network, layer)])
        if any(layer.type.lower() == "assign" for layer in network.layers.values()):
            raise error("F005", "a body stores into a variable", help="Only the network itself can have states.")
        whole = [value for value in found if value is not None]
        if len(whole) < len(results):
            raise error("F022", f"a body of {name!r} could not be imported")
        return whole


_ONE, _ZERO = Weight.of(np.float32(1)), Weight.of(np.int32(0))


def _read_by(network: Network, result: Layer) -> list[Place]:
    """Return what a Result gives.

    Raises:
        CompileError: F014, nothing.
    """
    found = [place for place in operands_of(network, result) if place is not None]
    if len(found) != 1:
        raise error("F014", f"nothing computes the result {result.name!r}", help="The file is damaged.")
    return found


def _is_matrix(weight: Weight) -> bool:
    """Whether a constant has more than one axis: vectors are small, and mostly what sums and factors are."""
    return sum(d != 1 for d in static(weight.type.shape)) > 1


def _widened(weight: Weight, dtype: DType) -> Weight:
    def convert(array: Array) -> Array:
        return array.astype(dtype.numpy)

    return weight.derive(weight.type.with_dtype(dtype), convert)


def _call(entry: Entry, emit: Emitter, operands: Sequence[Value | None]) -> tuple[Value, ...]:
    """Run a handler.

    Raises:
        CompileError: F005, somebody reads a result that it does not give; or what the handler raises.
    """
    results = entry.call(emit, operands, emit.layer.data)
    if emit.needed and max(emit.needed) >= len(results):
        raise emit.fail(f"has {len(emit.layer.outputs)} results, of which {len(results)} are supported")
    return results


def _numbered(layer: Layer, result: int) -> str:
    """Name a result that has no name: as the layer, with its number if there are several."""
    return f"{layer}.{result}" if len(layer.outputs) > 1 else str(layer)


def _unsupported(layer: Layer) -> CompileError:
    help = "Cut it off with --inputs and --outputs, declare it with --op-library, or carry it with --allow-custom-ops."
    why = f"It {REFUSED[layer.type]}. " if layer.type in REFUSED else ""
    known = {entry.name for entries in HANDLERS.values() for entry in entries}
    close = get_close_matches(layer.type, known, 1, 0.8)
    if close and not why and close[0] != layer.type:
        why = f"Is it {close[0]}? "
    return error(
        "F001",
        f"the operation {layer.type} of {layer.opset or 'no operator set'} is not supported",
        help=f"{why}{help}",
    )

"""Joined outputs as several ones, each with its own scale; the refusal of integers in which a part would be lost."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from ...compiler.diagnostics import error
from ...compiler.fold import constant
from ...compiler.ir import Func, Op, Port, Value
from ...compiler.ops.core import Return
from ...compiler.ops.shape import Concat, Reshape, Slice, Transpose
from ...compiler.rewrite import erase_dead
from ...compiler.scales import Range
from ...compiler.types import DType
from .joins import Slab, Span, blocks, index_text, place_of, ranges_of, ratio, slabs, spans_by_axis
from .names import value_names
from .ranges import constant_range
from .recipe import Recipe

STEPS = 16
"""How many integers the range of every part of a joined output must have at least."""


def split_outputs(func: Func, pieces: Mapping[str, Sequence[Slab]]) -> dict[str, list[str]]:
    """Give outputs, by name, in pieces along axes of the source, and return the names of the pieces.

    They are called NAME_0, NAME_1, and so on.  All values keep the names by which calibration knows them.
    """
    for value, name in value_names(func).items():
        value.name = name
    terminator = func.body.terminator
    ports: list[Port] = []
    values: list[Value] = []
    made: dict[str, list[str]] = {}
    for port, value in zip(func.outputs, func.returns, strict=True):
        found = pieces.get(port.name, ())
        parts = [narrowed(value, _axis(port, slab), slab.span, terminator) for slab in found]
        own = [replace(port, name=f"{port.name}_{i}") for i in range(len(found))]
        ports += own or [port]
        values += parts or [value]
        if own:
            made[port.name] = [p.name for p in own]
    func.body.erase(terminator)
    func.body.insert(Return(tuple(values)))
    func.outputs = ports
    erase_dead(*reversed(func.ops))
    return made


def _axis(port: Port, slab: Slab) -> int:
    """Where an axis of the source lies in a value."""
    return slab.axis if port.perm is None else port.perm.index(slab.axis)


def narrowed(value: Value, axis: int, span: Span, before: Op) -> Value:
    """Return what a value holds between two positions along an axis, from the parts that it is joined from."""
    start, stop = span
    size, writer = value.type.shape[axis], value.owner
    assert isinstance(size, int) and before.parent is not None
    if (start, stop) == (0, size):
        return value
    shape = [stop - start if i == axis else d for i, d in enumerate(value.type.shape)]
    made: Op | None = None
    if isinstance(writer, Concat):
        parts = _parts(writer, axis, span, before)
        if len(parts) == 1:
            return parts[0]
        made = Concat(tuple(parts), writer.axis)
    elif isinstance(writer, Transpose):
        made = Transpose(narrowed(writer.x, writer.perm[axis], span, before), writer.perm)
    elif isinstance(writer, Reshape):
        old = place_of(axis, value.type.shape, writer.x.type.shape)
        made = None if old is None else Reshape(narrowed(writer.x, old, span, before), tuple(shape))
    if made is None:
        starts = tuple(start if i == axis else 0 for i in range(len(shape)))
        made = Slice(value, starts, tuple(shape), (1,) * len(shape))
    before.parent.insert(made, before)
    return made.results[0]


def _parts(op: Concat, axis: int, span: Span, before: Op) -> list[Value]:
    """Return the parts of what is joined that lie in a span."""
    if axis != op.axis:
        return [narrowed(x, axis, span, before) for x in op.xs]
    found: list[Value] = []
    start = 0
    for x in op.xs:
        size = x.type.shape[axis]
        assert isinstance(size, int)
        first, last = max(span[0] - start, 0), min(span[1] - start, size)
        if first < last:
            found.append(narrowed(x, axis, (first, last), before))
        start += size
    return found


def check_outputs(func: Func, recipe: Recipe, names: Mapping[Value, str]) -> None:
    """Refuse outputs of integers in whose scale a part would have hardly any digits.

    Raises:
        CompileError: Q005, there is one.
    """
    for port, value in zip(func.outputs, func.returns, strict=True):
        dtype = recipe.io_dtypes.get(port.name, recipe.io_dtypes.get("", DType.F32))
        if not dtype.is_int or value.type.dtype is not DType.F32:
            continue
        found = blocks(value)
        known = {b.value: r for b in found if (r := _range(b.value, recipe, names)) is not None}
        parts = slabs(spans_by_axis(found), ranges_of(found, known))
        if ratio(parts) * STEPS > 1 << (dtype.bits or 0):
            raise _too_different(port, parts, dtype)


def _range(value: Value, recipe: Recipe, names: Mapping[Value, str]) -> Range | None:
    weight = constant(value)
    if weight is not None:
        return constant_range(weight)
    seen = recipe.calibration.get(names.get(value, ""))
    return None if seen is None else seen.range()


def _too_different(port: Port, parts: Sequence[Slab], dtype: DType) -> Exception:
    """Say which parts are too different, in the source's axes."""
    ends = [
        f"{port.name}{index_text(s.axis if port.perm is None else port.perm[s.axis], s.span)} "
        f"from {s.range.low:.4g} to {s.range.high:.4g}"
        for s in (min(parts, key=lambda s: s.range.width or float("inf")), max(parts, key=lambda s: s.range.width))
    ]
    text = f"{port.name} joins {ends[0]} with {ends[1]}: integers of {dtype} in one scale have no digits for the former"
    help = f"give every part an output and a scale of its own: --split-outputs, or --io-dtype {port.name}=float32"
    return error("Q005", text, help=help)

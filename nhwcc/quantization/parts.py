"""Parts of outputs that join very different ranges: each is measured by itself.

In one number for all, the large ones would hide what the small ones lose.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from nhwcc.compiler.ir import Func, Port
from nhwcc.compiler.scales import Range
from nhwcc.compiler.types import Array
from nhwcc.passes.quantization.joins import Slab, Span, alike, blocks, index_text, slabs, spans_by_axis
from nhwcc.passes.quantization.ranges import TOO_WIDE


@dataclass(frozen=True)
class Parts:
    """For outputs that fall apart, by name: the pieces, along axes of the source.

    ``joined`` are all that outputs are joined from, those of like ranges among them.
    """

    of_output: Mapping[str, Sequence[Slab]] = field(default_factory=lambda: dict[str, Sequence[Slab]]())
    joined: Mapping[str, Sequence[Slab]] = field(default_factory=lambda: dict[str, Sequence[Slab]]())

    def cut(self, outputs: Mapping[str, Array]) -> dict[str, Array]:
        """Return outputs with those that fall apart in pieces, named as NumPy cuts them."""
        found: dict[str, Array] = {}
        for name, array in outputs.items():
            for slab in self.of_output.get(name, ()):
                found[f"{name}{index_text(slab.axis, slab.span)}"] = _piece(array, slab.axis, slab.span)
            if name not in self.of_output:
                found[name] = array
        return found


def different_parts(func: Func, outputs: Sequence[Mapping[str, Array]]) -> Parts:
    """Find the outputs of a function that join parts of different ranges, by what they were on samples."""
    joined = joined_outputs(func, outputs)
    found = {name: alike(pieces, TOO_WIDE) for name, pieces in joined.items()}
    return Parts({name: pieces for name, pieces in found.items() if len(pieces) > 1}, joined)


def joined_outputs(func: Func, outputs: Sequence[Mapping[str, Array]]) -> dict[str, list[Slab]]:
    """Return the pieces of all outputs that are joined, along the axis of the source on which they differ most."""
    found: dict[str, list[Slab]] = {}
    for port, value in zip(func.outputs, func.returns, strict=True):
        arrays = [sample[port.name] for sample in outputs if port.name in sample]
        if arrays and all(a.ndim == value.type.rank for a in arrays):
            own = {_source_axis(port, axis): pieces for axis, pieces in spans_by_axis(blocks(value)).items()}
            found[port.name] = slabs(own, lambda axis, span, arrays=arrays: seen_range(arrays, axis, span))
    return {name: pieces for name, pieces in found.items() if pieces}


def seen_range(arrays: Sequence[Array], axis: int, span: Span) -> Range:
    """Return the range of a piece in some arrays."""
    pieces = [_piece(array, axis, span) for array in arrays]
    low, high = min(float(p.min(initial=0.0)) for p in pieces), max(float(p.max(initial=0.0)) for p in pieces)
    return Range(low, high)


def _piece(array: Array, axis: int, span: Span) -> Array:
    return array[(slice(None),) * axis + (slice(*span),)]


def _source_axis(port: Port, axis: int) -> int:
    return axis if port.perm is None else port.perm[axis]

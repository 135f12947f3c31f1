"""What tensors are called in a file: as in the source, else after the operation that computes or reads them.

Tools know tensors by their names: those that quantize a file, compare it with another one, or draw it.
"""

from __future__ import annotations

from collections.abc import Mapping

from ...compiler.ir import Op, Region

OPERANDS: Mapping[str, Mapping[int, str]] = {
    "ARG_MAX": {1: "axis"},
    "ARG_MIN": {1: "axis"},
    "BROADCAST_TO": {1: "shape"},
    "CONV_2D": {1: "filter", 2: "bias"},
    "CONV_3D": {1: "filter", 2: "bias"},
    "CUMSUM": {1: "axis"},
    "DEPTHWISE_CONV_2D": {1: "filter", 2: "bias"},
    "EXPAND_DIMS": {1: "axis"},
    "FULLY_CONNECTED": {1: "weights", 2: "bias"},
    "GATHER": {1: "indices"},
    "GATHER_ND": {1: "indices"},
    "MEAN": {1: "axes"},
    "MIRROR_PAD": {1: "paddings"},
    "ONE_HOT": {1: "depth", 2: "on", 3: "off"},
    "PAD": {1: "paddings"},
    "PADV2": {1: "paddings", 2: "value"},
    "PRELU": {1: "slope"},
    "REDUCE_MAX": {1: "axes"},
    "REDUCE_MIN": {1: "axes"},
    "REDUCE_PROD": {1: "axes"},
    "RESHAPE": {1: "shape"},
    "RESIZE_BILINEAR": {1: "size"},
    "RESIZE_NEAREST_NEIGHBOR": {1: "size"},
    "REVERSE_V2": {1: "axes"},
    "SLICE": {1: "begin", 2: "size"},
    "SPLIT": {0: "axis"},
    "STRIDED_SLICE": {1: "begin", 2: "end", 3: "strides"},
    "SUM": {1: "axes"},
    "TILE": {1: "multiples"},
    "TOPK_V2": {1: "k"},
    "TRANSPOSE": {1: "perm"},
    "TRANSPOSE_CONV": {0: "output_shape", 1: "filter", 3: "bias"},
}
"""What builtins call the operands that are constants as a rule."""


def operand_name(builtin: str, slot: int) -> str:
    """Return what the schema calls an operand of a builtin operator."""
    return OPERANDS.get(builtin, {}).get(slot, f"operand_{slot}")


def place_of(op: Op, builtin: str) -> str:
    """Return what the tensors of an operator are called after: its result, or the node of the source.

    Several operators may stem from one node; then what they do tells them apart.
    """
    named = next((r.name for r in op.results if r.name), None)
    if named is not None:
        return named
    return builtin.lower() if op.location is None else f"{op.location.node}/{builtin.lower()}"


class Names:
    """Gives the tensors of a subgraph names that differ; no other one is called as a value of the source is."""

    def __init__(self, region: Region) -> None:
        args = (arg.name for arg in region.args)
        results = (r.name for op in region.walk() for r in op.results)
        self._of_source = {name for name in (*args, *results) if name}
        self._taken: set[str] = set()
        self._counts: dict[str, int] = {}

    def of_source(self, name: str) -> str:
        """Return a value's own name, with a number if there are several such values."""
        return self._unique(name, self._taken)

    def made(self, name: str) -> str:
        """Return a name for what is no value of the source."""
        return self._unique(name, self._taken, self._of_source)

    def _unique(self, name: str, *taken: set[str]) -> str:
        unique, number = name, self._counts.get(name, 0)
        while any(unique in names for names in taken):
            number += 1
            unique = f"{name}_{number}"
        self._counts[name] = number
        self._taken.add(unique)
        return unique

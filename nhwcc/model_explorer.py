"""What Model Explorer shows over a TFLite file: one file of node data per question, by the numbers of operators.

The form is that of its ``node_data_builder``: values by graph, which is called like the subgraph, and by node, which is
called like the operator's number.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, TypeAlias

from nhwcc.backends.common.placement import Placement
from nhwcc.compiler.diagnostics import error
from nhwcc.compiler.types import DType
from nhwcc.files import replacing
from nhwcc.formats.tflite.reader import Summary, TensorInfo, inspect

Overlay: TypeAlias = "Mapping[int, float | str]"
"""A number or a string for operators of the main subgraph."""

COLOURS = {"device": "#8bd3a1", "rest": "#ffe08a", "nowhere": "#ff9d9d", "stops": "#ff9d9d", "TRANSPOSE": "#ff9d9d"}
"""Of operators by where they run, and of transposes; all are readable under dark text."""

GRADIENT = ("#ffffff", "#f29f4c")
"""The colours of the smallest and the largest number."""


def write_overlays(
    file: Path, folder: Path, placement: Placement | None = None, milliseconds: Sequence[float | None] = ()
) -> list[Path]:
    """Write what is known of a file's operators into a folder; return the files.

    That is the bytes that each writes, which are transposes, where each runs on a device, and how long each takes.

    Raises:
        CompileError: R010, it is not a TFLite file; R012, the folder can't be written.
    """
    summary = inspect(file)
    found: dict[str, Overlay] = {"bytes": _bytes(summary), "transposes": _transposes(summary)}
    if placement is not None:
        found["placement"] = {i: _where(op.where, op.why) for i, op in enumerate(placement.operators)}
    if milliseconds:
        found["milliseconds"] = {i: time for i, time in enumerate(milliseconds) if time is not None}
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as bad:
        raise error("R012", f"can't write the folder {folder}: {bad.strerror}") from bad
    written = [folder / f"{file.stem}-{name}.json" for name in found]
    for (name, overlay), path in zip(found.items(), written, strict=True):
        with replacing(path) as draft:
            draft.write_text(json.dumps({summary.main.name or "main": _node_data(name, overlay)}), encoding="utf-8")
    return written


def _node_data(name: str, overlay: Overlay) -> dict[str, Any]:
    """Return the data of one graph: strings with their colours, numbers with a gradient."""
    results = {str(number): _result(value) for number, value in overlay.items()}
    numbers = [value for value in overlay.values() if not isinstance(value, str)]
    stops = [{"stop": stop, "bgColor": colour} for stop, colour in enumerate(GRADIENT)] if numbers else []
    return {"name": name, "results": results, **({"gradient": stops} if stops else {})}


def _result(value: float | str) -> dict[str, Any]:
    if not isinstance(value, str):
        return {"value": value}
    return {"value": value, "bgColor": COLOURS.get(value.partition(":")[0], GRADIENT[0])}


def _where(place: str, why: str | None) -> str:
    return f"{place}: {why}" if why else place


def _transposes(summary: Summary) -> Overlay:
    return {i: op.name for i, op in enumerate(summary.main.operators) if op.name == "TRANSPOSE"}


def _bytes(summary: Summary) -> Overlay:
    tensors = summary.main.tensors
    sizes = {i: [_size(tensors[n]) for n in op.outputs if n >= 0] for i, op in enumerate(summary.main.operators)}
    return {i: sum(filter(None, found)) for i, found in sizes.items() if None not in found}


def _size(tensor: TensorInfo) -> int | None:
    """The bytes of a tensor, None where a size is open, or its elements are of a type without a size."""
    bits = BITS.get(tensor.dtype.lower())
    return None if bits is None or min(tensor.shape, default=0) < 0 else math.prod(tensor.shape) * bits // 8


BITS = {
    **{f"float{d.bits}": d.bits for d in DType if d.is_float and d.value.startswith("f")},
    **{f"int{bits}": bits for bits in (4, 8, 16, 32, 64)},
    **{f"uint{bits}": bits for bits in (8, 16, 32, 64)},
    "bool": 8,
    "bfloat16": 16,
    "complex64": 64,
    "complex128": 128,
}
"""Bits of an element by what the schema calls it."""

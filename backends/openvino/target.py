"""OpenVINO as a target: IR of version 11, whose operations are those of the sets 1 to 16."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from functools import cache, partial
from pathlib import Path

from ...compiler.diagnostics import Diagnostic, Remark, error, remark
from ...compiler.ir import Func, Module
from ...compiler.lowering import Limits
from ...compiler.ops.core import Const
from ...compiler.ops.recurrent import Recurrent
from ...compiler.options import DataType, Strategy
from ...compiler.types import DType
from ...compiler.weights import Weight
from ...formats.layout import KEY, RENAMED
from ...formats.openvino.weights import STORED_AS
from ...formats.openvino.writer import write
from ...passes.lowerings.general import GENERAL
from ..common.layout import write_layout
from ..common.target import Emitted, Target
from . import PIPELINE
from . import kernels as _kernels  # noqa: F401  # pyright: ignore[reportUnusedImport] -- fills the table
from .graph import build
from .lowerings import OWN, SHARED
from .table import TABLE

ANY_RANK = 64
"""The specification has no limit."""


def prepare(target: Target, module: Module, *, rnn: Strategy) -> list[Diagnostic]:
    """Choose how recurrent layers run: whole, unless they are to be unrolled; the runtime knows best how to loop."""
    del target
    _warn_of_large_integers(module)
    for op in module.walk():
        if isinstance(op, Recurrent) and op.strategy in ("auto", "while", "fused"):
            op.attributes["strategy"] = "unroll" if rnn == "unroll" else "auto"
    return []


LARGE = (DType.I64, DType.U64, DType.U32)
"""Integers that kernels compute in 32 bits with a sign."""


def _warn_of_large_integers(module: Module) -> None:
    """Tell of constants that kernels can't hold; whether they matter, numbers tell."""
    low, high = DType.I32.bounds
    for op in module.walk():
        if isinstance(op, Const) and op.value.type.dtype in LARGE and op.value.type.size:
            array = op.value.array()
            if array.min() < low or array.max() > high:
                text = f"OpenVINO computes {op.value.type.dtype} in 32 bits, which can't hold a constant here"
                remark(Remark("warning", "legalize", text, op.location))


def not_storable(func: Func) -> Iterator[Diagnostic]:
    """Yield an error for each value of an element type that OpenVINO has not."""
    ports = zip((*func.inputs, *func.outputs), (*func.args, *func.returns), strict=True)
    for name in dict.fromkeys(port.name for port, value in ports if value.type.dtype is DType.F64):
        text = f"OpenVINO computes f64 in f32, which can't hold all that {name!r} may be"
        yield from error("B001", text, help="make it f32 in the model").diagnostics
    values = [*func.args, *(v for op in func.walk() for v in op.results)]
    known = STORED_AS.keys() - {DType.STRING}
    for dtype in dict.fromkeys(v.type.dtype for v in values if v.type.dtype not in known):
        value = next(v for v in values if v.type.dtype is dtype)
        place = "" if value.owner is None else f", which {value.owner.title} computes"
        text = f"OpenVINO has no elements of {dtype}{place or ' for an input'}"
        yield from error("B001", text, help="convert them in the model, or cut it before them").diagnostics


def emit(data_type: DataType, module: Module, path: Path, *, metadata: Mapping[str, bytes] | None = None) -> Emitted:
    """Write the main function of a module whose operations are all legal; with FP16 constants are stored in 16 bits.

    Raises:
        CompileError: as :func:`emit_states`.
    """
    return emit_states(data_type, {}, module, path, metadata=metadata)


def emit_states(
    data_type: DataType,
    states: Mapping[str, Weight],
    module: Module,
    path: Path,
    *,
    metadata: Mapping[str, bytes] | None = None,
) -> Emitted:
    """Write the main function; inputs and outputs that are ``states`` become variables, which hold these at first.

    Raises:
        CompileError: B001, an operation is not legal; B002, a size can't be known at run time; R012, the files can't be
            written.
    """
    func = module.main
    built = build(func, TABLE, compresses=data_type == "FP16", states=states)
    strings = {KEY: write_layout(func, states), **(metadata or {})}
    if built.renamed:
        strings[RENAMED] = json.dumps(built.renamed, separators=(",", ":")).encode()
    said = {name.replace(".", "/"): text.decode() for name, text in strings.items()}
    size = write(built.network, path, metadata=said)
    return Emitted(path, built.counts, size, "IR 11", built.custom)


@cache
def storing(data_type: DataType) -> Target:
    """Return the target whose files store floating-point constants in this type, the same one for each call."""
    return Target(
        name="openvino",
        title=TABLE.title,
        suffix=".xml",
        table=TABLE,
        lowerings=(OWN, GENERAL, SHARED),
        limits=Limits(ANY_RANK, ANY_RANK, ANY_RANK),
        channels="first",
        pipeline=PIPELINE,
        prepare=prepare,
        unstorable=not_storable,
        emit=partial(emit, data_type),
        emit_states=partial(emit_states, data_type),
        runner="nhwcc.runners.openvino_file",
        artifact="pair",
        companion=".bin",
        storing=storing,
    )


TARGET = storing("FP32")

"""Keras as a target: one file that stock Keras loads and trains, in its own format or in HDF5."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import partial
from pathlib import Path

from ...compiler.diagnostics import Diagnostic
from ...compiler.ir import Func, Module
from ...compiler.lowering import Limits
from ...compiler.ops.recurrent import Recurrent
from ...compiler.options import Strategy
from ...formats.keras.build import NAMES, check_installed, save
from ..common.emulate_types import carry
from ..common.table import Table
from ..common.target import Emitted, Target
from ..tensorflow.lowerings import LOWERINGS as TENSORFLOW
from ..tensorflow.target import ANY_RANK, BROADCAST_RANK, RANK
from . import kernels as _kernels  # noqa: F401  # pyright: ignore[reportUnusedImport] -- fills the table
from . import pipeline
from .graph import build
from .kernels.recurrent import fits
from .lowerings import LOWERINGS
from .lowerings.shared import SHARED
from .table import TABLE, Call, layers_only


def prepare(target: Target, module: Module, *, rnn: Strategy) -> list[Diagnostic]:
    """Replace element types that Keras lacks; recurrent layers that are no layers of Keras run step by step."""
    check_installed()
    problems = carry(target, module)
    for op in module.walk():
        if isinstance(op, Recurrent) and op.strategy in ("auto", "while", "fused"):
            op.attributes["strategy"] = "auto" if rnn != "unroll" and fits(op) else "unroll"
    return problems


def not_storable(func: Func) -> Iterator[Diagnostic]:
    """Yield an error for every operation whose values no file can hold."""
    for op in func.walk():
        bad = next((r for r in op.results if r.type.dtype not in NAMES), None)
        if bad is not None:
            text = f"{op.spec.name} gives {bad.type}; Keras has no elements of {bad.type.dtype}"
            yield from op.fail("B003", text).diagnostics


def emit(table: Table[Call], module: Module, path: Path, *, metadata: Mapping[str, bytes] | None = None) -> Emitted:
    """Write the main function of a module whose operations are all legal, by Keras.

    Raises:
        CompileError: B001, an operation is not legal, or there is no input; R017, Keras is not installed; R018, Keras
            refuses the model.
    """
    del metadata
    program, counts = build(module.main, table)
    return Emitted(path, counts, save(program, path), "Keras 3")


def _target(name: str, suffix: str, table: Table[Call]) -> Target:
    return Target(
        name=name,
        title=table.title,
        suffix=suffix,
        table=table,
        lowerings=(LOWERINGS, TENSORFLOW, SHARED),
        limits=Limits(RANK, ANY_RANK, BROADCAST_RANK),
        channels="last",
        pipeline=pipeline(name),
        prepare=prepare,
        unstorable=not_storable,
        emit=partial(emit, table),
        runner="nhwcc.runners.keras_file",
    )


KERAS = _target("keras", ".keras", TABLE)
HDF5 = _target("h5", ".h5", layers_only(TABLE))

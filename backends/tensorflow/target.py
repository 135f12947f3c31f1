"""TensorFlow as a target: SavedModels and frozen graphs, of one table."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from functools import cache, partial
from pathlib import Path

from ...compiler.diagnostics import Diagnostic
from ...compiler.ir import Func, Module
from ...compiler.lowering import Limits
from ...compiler.ops.core import Const
from ...compiler.ops.recurrent import Recurrent
from ...compiler.options import Strategy
from ...compiler.types import DType
from ...formats.tensorflow.saved_model import Signature
from ...formats.tensorflow.tensors import NUMBERS
from ...formats.tensorflow.writer import MAX_MESSAGE, Written, write_graph, write_saved_model
from ...passes.lowerings import LOWERINGS as SHARED
from ..common.emulate_types import carry
from ..common.recurrence import choose_strategies
from ..common.target import Emitted, Target
from . import PIPELINE
from . import kernels as _kernels  # noqa: F401  # pyright: ignore[reportUnusedImport] -- fills the table
from .graph import Ends, build, stored_ports
from .kernels.common import BROADCAST_RANK
from .lowerings import LOWERINGS
from .table import TABLE

RANK, ANY_RANK = 5, 64
"""Axes that all kernels take, and those that products take."""

COMPUTED = frozenset({DType.BF16})
"""Types that other targets lack."""

SIGNATURE = "serving_default"
"""What the signature is called."""


def prepare(target: Target, module: Module, *, rnn: Strategy) -> list[Diagnostic]:
    """Replace element types that there are no kernels for, and choose how recurrent layers run."""
    problems = carry(target, module, kept=COMPUTED)
    choose_strategies(module, rnn, _why_not_fused)
    return problems


def _why_not_fused(op: Recurrent) -> str:
    return f"TensorFlow has no kernel for {op.spec.name} on processors"


def not_storable(func: Func) -> Iterator[Diagnostic]:
    """Yield an error for every operation whose values no file can hold."""
    for op in func.walk():
        bad = next((r for r in op.results if r.type.dtype not in NUMBERS), None)
        if bad is not None:
            text = f"{op.spec.name} gives {bad.type}; TensorFlow has no elements of {bad.type.dtype}"
            yield from op.fail("B003", text).diagnostics


def emit(kind: str, module: Module, path: Path, *, metadata: Mapping[str, bytes] | None = None) -> Emitted:
    """Write the main function of a module whose operations are all legal.

    Raises:
        CompileError: B001, an operation is not legal; B002, a size can't be known at run time; B005, the file would be
            too large; R012, it can't be written.
    """
    del metadata
    if kind != "graph":
        return emit_signatures(kind, {SIGNATURE: module}, path)
    built = build({SIGNATURE: module.main})
    return Emitted(path, built.counts, write_graph(built.graph, path), "TensorFlow 2")


def emit_signatures(
    kind: str, modules: Mapping[str, Module], path: Path, *, metadata: Mapping[str, bytes] | None = None
) -> Emitted:
    """Write the main functions of modules into a SavedModel, each a signature by its key.

    Raises:
        CompileError: as :func:`emit`.
    """
    del metadata
    funcs = {key: module.main for key, module in modules.items()}
    built = build(funcs, variables=kind == "variables" or _are_large(funcs.values()))
    signatures = [_signature(key, func, built.ends[key]) for key, func in funcs.items()]
    size = write_saved_model(Written(built.graph, signatures, built.variables), path)
    return Emitted(path, built.counts, size, "TensorFlow 2")


def _are_large(funcs: Iterable[Func]) -> bool:
    """Whether constants have no room in the message of a graph."""
    weights = {op.value for func in funcs for op in func.walk() if isinstance(op, Const)}
    return sum(weight.nbytes for weight in weights) > MAX_MESSAGE - ROOM


ROOM = 1 << 24
"""Bytes of a graph without its constants."""


def _signature(key: str, func: Func, ends: Ends) -> Signature:
    return Signature(
        key,
        stored_ports(func.inputs, func.args, ends.inputs, NUMBERS),
        stored_ports(func.outputs, func.returns, ends.outputs, NUMBERS),
    )


@cache
def _target(name: str, kind: str, suffix: str) -> Target:
    return Target(
        name=name,
        title="TensorFlow",
        suffix=suffix,
        table=TABLE,
        lowerings=(LOWERINGS, SHARED),
        limits=Limits(RANK, ANY_RANK, BROADCAST_RANK),
        channels="last",
        pipeline=PIPELINE,
        prepare=prepare,
        unstorable=not_storable,
        emit=partial(emit, kind),
        with_variables=partial(_target, name, "variables", suffix) if kind == "folder" else None,
        emit_signatures=None if kind == "graph" else partial(emit_signatures, kind),
        runner="nhwcc.runners.tensorflow_file",
        artifact="file" if kind == "graph" else "folder",
    )


SAVED_MODEL = _target("saved_model", "folder", "")
GRAPH = _target("tensorflow", "graph", ".pb")

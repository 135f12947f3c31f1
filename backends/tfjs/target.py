"""TensorFlow.js as a target: graph models, which browsers load as they lie on a server."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import cache, partial
from pathlib import Path

from ...compiler.diagnostics import Diagnostic
from ...compiler.ir import Func, Module
from ...compiler.lowering import Limits
from ...compiler.ops.recurrent import Recurrent
from ...compiler.options import DataType, Strategy
from ...formats.tensorflow.model import Graph, Node
from ...formats.tensorflow.saved_model import Signature
from ...formats.tfjs.writer import Written, write_graph_model
from ...passes.lowerings import LOWERINGS as SHARED
from ..common.emulate_types import carry
from ..common.large_integers import too_large
from ..common.recurrence import choose_strategies
from ..common.target import Emitted, Target
from ..tensorflow.graph import Dialect, Ends, build, stored_ports
from . import PIPELINE
from . import kernels as _kernels  # noqa: F401  # pyright: ignore[reportUnusedImport] -- fills the table
from .elements import COMPUTED, NUMBERS
from .interface import narrow_interface
from .lowerings import LOWERINGS
from .table import TABLE, TITLE, schemas

RANK = 6
"""Axes that all kernels take."""

SIGNATURE = "serving_default"
"""What the signature is called."""

DATA_FORMATS = {
    **dict.fromkeys(("Conv2D", "DepthwiseConv2dNative", "Conv2DBackpropInput", "DepthToSpace"), "NHWC"),
    "Conv3D": "NDHWC",
}
"""Operators that do nothing without a word about their channels."""


def prepare(target: Target, module: Module, *, rnn: Strategy) -> list[Diagnostic]:
    """Replace element types that there are no tensors of, and choose how recurrent layers run."""
    problems = [*too_large(target.title, module, COMPUTED)] or carry(target, module, computed=COMPUTED)
    if not problems:
        narrow_interface(target.title, module)
    choose_strategies(module, rnn, _why_not_fused)
    return problems


def _why_not_fused(op: Recurrent) -> str:
    return f"{TITLE} has no kernel for {op.spec.name}"


def not_storable(func: Func) -> Iterator[Diagnostic]:
    """Yield an error for every operation whose values no file can hold."""
    for op in func.walk():
        bad = next((r for r in op.results if r.type.dtype not in NUMBERS), None)
        if bad is not None:
            text = f"{op.spec.name} gives {bad.type}; {TITLE} has no elements of {bad.type.dtype}"
            yield from op.fail("B003", text).diagnostics


def emit(data_type: DataType, module: Module, path: Path, *, metadata: Mapping[str, bytes] | None = None) -> Emitted:
    """Write the main function of a module whose operations are all legal; FP16 stores its weights in 16 bits.

    Raises:
        CompileError: B001, an operation is not legal; B002, a size can't be known at run time; R012, it can't be
            written.
    """
    del metadata
    func = module.main
    built = build({SIGNATURE: func}, dialect=Dialect(TABLE, schemas(), NUMBERS))
    written = Written(_said(built.graph), _signature(func, built.ends[SIGNATURE]), halves=data_type == "FP16")
    return Emitted(path, built.counts, write_graph_model(written, path), f"{TITLE} 4")


def _said(graph: Graph) -> Graph:
    """Return a graph whose nodes say where their channels are."""
    functions = {f.name: replace(f, nodes=tuple(map(_with_format, f.nodes))) for f in graph.functions.values()}
    return Graph(tuple(map(_with_format, graph.nodes)), functions)


def _with_format(node: Node) -> Node:
    if node.op not in DATA_FORMATS:
        return node
    return replace(node, attributes={**node.attributes, "data_format": DATA_FORMATS[node.op]})


def _signature(func: Func, ends: Ends) -> Signature:
    return Signature(
        SIGNATURE,
        stored_ports(func.inputs, func.args, ends.inputs, NUMBERS),
        stored_ports(func.outputs, func.returns, ends.outputs, NUMBERS),
    )


@cache
def storing(data_type: DataType) -> Target:
    """Return the target whose files store weights so."""
    return Target(
        name="tfjs",
        title=TITLE,
        suffix="",
        table=TABLE,
        lowerings=(LOWERINGS, SHARED),
        limits=Limits(RANK, RANK, RANK),
        channels="last",
        pipeline=PIPELINE,
        prepare=prepare,
        unstorable=not_storable,
        emit=partial(emit, data_type),
        runner="nhwcc.runners.tfjs_file",
        artifact="folder",
        storing=storing,
    )


TARGET = storing("FP32")

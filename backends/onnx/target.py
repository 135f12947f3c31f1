"""ONNX as a target: one for each opset, of which the newest that runtimes have is the one without a number."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache, partial
from pathlib import Path

from ...compiler.diagnostics import Diagnostic
from ...compiler.ir import Module
from ...compiler.lowering import Limits
from ...compiler.ops.recurrent import Recurrent
from ...compiler.options import Strategy
from ...formats.layout import KEY, RENAMED
from ...formats.onnx.model import Model
from ...formats.onnx.writer import write
from ...passes.lowerings.general import GENERAL
from ..common.layout import write_layout
from ..common.target import Emitted, Target
from . import PIPELINE
from .graph import build
from .lowerings import OWN, SHARED
from .standard import usual
from .stored_weights import lift
from .table import table

ANY_RANK = 64
"""The standard has no limit."""


def prepare(target: Target, module: Module, *, rnn: Strategy) -> list[Diagnostic]:
    """Choose how recurrent layers run: whole, unless they are to be unrolled; runtimes know best how to loop."""
    del target
    for op in module.walk():
        if isinstance(op, Recurrent) and op.strategy in ("auto", "while", "fused"):
            op.attributes["strategy"] = "unroll" if rnn == "unroll" else "auto"
    return []


def emit(opset: int, module: Module, path: Path, *, metadata: Mapping[str, bytes] | None = None) -> Emitted:
    """Write the main function of a module whose operations are all legal, in the lowest opset that has all of them.

    Raises:
        CompileError: B001, an operation is not legal; B002, a size can't be known at run time; R012, the file can't be
            written.
    """
    from onnx import helper

    func = module.main
    lift(func)
    built = build(func, table(opset), opset)
    imports = [helper.make_opsetid(domain, version) for domain, version in built.opsets.items()]
    strings = {KEY: write_layout(func), **(metadata or {})}
    if built.renamed:
        strings[RENAMED] = json.dumps(built.renamed, separators=(",", ":")).encode()
    size = write(
        Model(built.graph, built.opsets, {}),
        path,
        ir_version=helper.find_min_ir_version_for(imports, ignore_unknown=True),
        metadata={name: text.decode() for name, text in strings.items()},
    )
    return Emitted(path, built.counts, size, f"opset {built.opsets['']}", built.custom)


@cache
def of_opset(opset: int) -> Target:
    """Return the target that uses no opset beyond one.

    Raises:
        CompileError: L012, there is no such opset.
    """
    return Target(
        name="onnx",
        title=table(opset).title,
        suffix=".onnx",
        table=table(opset),
        lowerings=(OWN, GENERAL, SHARED),
        limits=Limits(ANY_RANK, ANY_RANK, ANY_RANK),
        channels="first",
        pipeline=PIPELINE if opset == usual() else PIPELINE.replace("target=onnx", f"target=onnx,opset={opset}"),
        prepare=prepare,
        emit=partial(emit, opset),
        runner="nhwcc.runners.onnx_file",
        artifact="pair",
        version=None if opset == usual() else opset,
        at=of_opset,
    )


TARGET = of_opset(usual())

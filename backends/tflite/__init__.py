"""The TFLite backend: a table of what the runtime runs, legalization into it, and a writer of files.

What the parts need is imported with them: the process that only runs files has no use for the compiler.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from ...compiler.ir import Module

if TYPE_CHECKING:
    from ..common.support_matrix import Support
    from ..common.table import Table
    from ..common.target import Emitted
    from .calls import Call

FOR_ANY_DEVICE = (
    "canonicalize,fold-constants,cse,dce,fuse-recurrent-loops,fuse-patterns,fuse-batch-norm,merge-linear-branches,"
    "fuse-activations,"
    "propagate-layout,canonicalize,group-axes,canonicalize,legalize,"
    "fuse-batch-norm,canonicalize,group-axes,legalize,fuse-activations,cse,dce"
)
"""What brings a module into a form that some runtime of TFLite files runs."""

SIGNATURE = "serving_default"
"""By which key applications call the network of a file that holds one."""

PIPELINE = f"{FOR_ANY_DEVICE},choose-kernels"
"""What runs between import and :func:`emit`.

What decompositions insert is folded into weights, canonicalized and grouped as well; where that makes something that
is no builtin, such as a clip, the second legalization lowers it. Kernels are chosen at the very end: where integers are
asked for, after quantization.
"""


def emit(
    module: Module,
    path: Path,
    *,
    metadata: Mapping[str, bytes] | None = None,
    tables: Sequence[Table[Call]] | None = None,
) -> Emitted:
    """Write the main function of a module whose operations are all legal by one of the tables.

    Raises:
        CompileError: B001, an operation is not legal; B002, a size can't be known at run time; B003, an element type
            can't be stored; R012, the file can't be written.
    """
    return emit_signatures({SIGNATURE: module}, path, metadata=metadata, tables=tables)


def emit_signatures(
    modules: Mapping[str, Module],
    path: Path,
    *,
    metadata: Mapping[str, bytes] | None = None,
    tables: Sequence[Table[Call]] | None = None,
) -> Emitted:
    """Write main functions into one file, each a signature by its key; the first one runs where no key is said.

    Raises:
        CompileError: as :func:`emit`.
    """
    from ...formats.layout import KEY, key_of
    from ...formats.tflite.writer import write
    from ..common.layout import write_layout
    from ..common.target import Emitted
    from .graph import build
    from .table import TABLE
    from .versions import min_runtime

    funcs = {key: module.main for key, module in modules.items()}
    model = build(funcs, tables or (TABLE,))
    oldest = min_runtime(model.versions)
    model.metadata = {
        "min_runtime_version": oldest.encode().ljust(16, b"\0"),
        **{key_of(key) if place else KEY: write_layout(func) for place, (key, func) in enumerate(funcs.items())},
        **(metadata or {}),
    }
    size = write(model, path)
    custom_ops = dict.fromkeys(op.custom_code for op in model.operators if op.custom_code is not None)
    return Emitted(path, model.counts, size, f"TFLite {oldest} or later", tuple(custom_ops))


def support() -> list[Support]:
    """List all ways to run all operations, by operation in the order in which they are tried."""
    from ..common import support_matrix
    from .target import TARGET

    return support_matrix.support(TARGET)


__all__ = ["PIPELINE", "emit", "emit_signatures", "support"]

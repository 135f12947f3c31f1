"""Files of IR: the text of a module, and beside it a file with its large weights."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from nhwcc.compiler.ir import Module
from nhwcc.compiler.printer import print_module
from nhwcc.compiler.sidefile import SideFile
from nhwcc.files import check_not_source, check_writable, replacing, save_text


def write_ir(module: Module, path: Path, sources: Sequence[Path] = ()) -> None:
    """Write the text of a module, and its large weights beside it; ``sources`` are files that the module is read from.

    Raises:
        CompileError: R012, it can't be written; R016, one of the files is a source.
    """
    check_not_source(path, sources)
    weights, side = SideFile(), path.with_name(f"{path.name}.safetensors")
    text = print_module(module, locations=True, sink=weights, side_files=[side.name])
    if not weights.fresh:
        save_text(path, print_module(module, locations=True))
        return
    check_not_source(side, sources)
    check_writable(side)
    with replacing(path) as draft:
        weights.write(draft.with_name(side.name))
        draft.write_text(text, encoding="utf-8")

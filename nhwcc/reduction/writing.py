"""Writing a network as it is, for others to look at: as IR, or as ONNX with as few changes as the format needs."""

from __future__ import annotations

from pathlib import Path

from nhwcc.backends.registry import find_target, target_of_file
from nhwcc.compiler.clone import clone_module
from nhwcc.compiler.ir import Module
from nhwcc.compiler.pipeline import Pipeline, parse_pipeline
from nhwcc.compiler.printer import print_module
from nhwcc.compiler.sidefile import SideFile
from nhwcc.files import replacing, save_text
from nhwcc.pipelines import register_passes

LEAST = "legalize{{target={name}}},dce"
"""What a module must go through before it can be written: operations that the format lacks become others."""


def write_module(module: Module, path: Path) -> None:
    """Write a module; the suffix says the format.

    Raises:
        CompileError: B..., the format can't say it; R012, it can't be written.
    """
    if path.suffix.lower() == ".ir":
        write_ir(module, path)
        return
    register_passes()
    target, own = find_target(target_of_file(path)), clone_module(module)
    Pipeline(parse_pipeline(LEAST.format(name=target.name))).run(own)
    with replacing(path) as draft:
        target.emit(own, draft)


def write_ir(module: Module, path: Path) -> None:
    """Write the text of a module, and large weights beside it."""
    weights, side = SideFile(), path.with_name(f"{path.name}.safetensors")
    text = print_module(module, locations=True, sink=weights, side_files=[side.name])
    if not weights.fresh:
        save_text(path, print_module(module, locations=True))
        return
    with replacing(path) as draft, replacing(side) as side_draft:
        weights.write(side_draft)
        draft.write_text(text, encoding="utf-8")

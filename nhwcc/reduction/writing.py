"""Writing a network as it is, for others to look at: as IR, or as ONNX with as few changes as the format needs."""

from __future__ import annotations

from pathlib import Path

from nhwcc.backends.registry import find_target, target_of_file
from nhwcc.compiler.clone import clone_module
from nhwcc.compiler.ir import Module
from nhwcc.compiler.pipeline import Pipeline, parse_pipeline
from nhwcc.files import replacing
from nhwcc.ir_files import write_ir
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

"""Legalizes modules, writes them as ONNX, checks the file, runs it, reads it again, and compares all numbers."""

# onnx's functions are untyped
# pyright: reportUnknownMemberType=false

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import onnx
import pytest
from nhwcc.backends.registry import find_target
from nhwcc.compiler.diagnostics import CompileError
from nhwcc.compiler.interpreter import run
from nhwcc.compiler.ir import Module
from nhwcc.compiler.printer import print_module
from nhwcc.compiler.types import Array
from nhwcc.frontends.onnx import import_onnx
from onnx import ModelProto

from nhwcc.runners.onnx_file import OnnxFile
from tests.support.written import compare, lay_out, legalized

TOLERANCE = 1e-5
"""Of a difference, relative to the largest expected value."""


@dataclass
class Checked:
    """What came out of a check; ``reread`` is what the frontend makes of the file."""

    module: Module
    operators: Counter[str]
    opset: int
    model: ModelProto
    reread: Module | None
    path: Path


Check = Callable[..., Checked]


@pytest.fixture
def check(tmp_path: Path) -> Check:
    """Compile a module; compare what the file computes, and what is read from it, with the module's own semantics.

    ``sizes`` are numbers for named sizes, one mapping per run; ``inputs`` replace random ones by name.
    """

    def go(
        given: Module | str,
        *,
        opset: int | None = None,
        sizes: Sequence[Mapping[str, int]] = ({},),
        inputs: Mapping[str, Any] | None = None,
        tolerance: float = TOLERANCE,
        floor: float = 1e-30,
        passes: str | None = None,
        reread: bool = True,
    ) -> Checked:
        target = find_target("onnx", opset)
        legalize = f"legalize{{target=onnx{f',opset={opset}' if opset else ''}}}"
        done = legalized(given, legalize, sizes=sizes, inputs=inputs, passes=passes)
        module, text = done.module, done.text
        emitted = target.emit(module, tmp_path / "model.onnx")
        model = checked_model(emitted.path)
        file = OnnxFile(emitted.path)
        again = import_onnx(emitted.path) if reread else None
        for arrays, want in zip(done.runs, done.wanted, strict=True):
            stored = lay_out(module.main, arrays)
            found = run_file(file, stored)
            if found is not None:
                compare(module.main, found, want, (tolerance, floor), text)
            if again is not None:
                given_names = [p.name for p in again.main.inputs]
                results = run(again.main, [stored[name] for name in given_names])
                named = dict(zip([p.name for p in again.main.outputs], results, strict=True))
                compare(module.main, named, want, (tolerance, floor), print_module(again))
        opset = next(i.version for i in model.opset_import if not i.domain)
        return Checked(module, emitted.ops, opset, model, again, emitted.path)

    return go


def run_file(file: OnnxFile, inputs: Mapping[str, Array]) -> dict[str, Array] | None:
    """Run a file; nothing if neither onnxruntime nor onnx's reference have a kernel: then what is read again counts."""
    try:
        return file.run(inputs)
    except CompileError:
        if not file.is_by_reference:
            raise
        return None


def checked_model(path: Path) -> ModelProto:
    """Let onnx check a file in full, and check that every tensor has a stated type with all its axes."""
    onnx.checker.check_model(str(path), full_check=True)
    model = onnx.load_model(str(path))
    onnx.shape_inference.infer_shapes(model, check_type=True, strict_mode=True, data_prop=True)
    graph = model.graph
    stated = {v.name: v for v in (*graph.input, *graph.output, *graph.value_info)}
    for node in graph.node:
        for name in filter(None, node.output):
            assert stated[name].type.tensor_type.HasField("shape"), name
    labels = [node.name for node in graph.node]
    assert len(set(labels)) == len(labels)
    assert all(labels)
    return model

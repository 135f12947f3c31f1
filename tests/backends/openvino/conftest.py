"""Legalizes modules, writes them as OpenVINO's IR, runs the files, reads them again, and compares all numbers."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from nhwcc.backends.registry import find_target
from nhwcc.compiler.interpreter import run
from nhwcc.compiler.ir import Module
from nhwcc.compiler.printer import print_module
from nhwcc.formats.openvino.model import Network
from nhwcc.formats.openvino.reader import read_contents
from nhwcc.frontends.openvino import import_openvino

from nhwcc.runners.openvino_file import OpenvinoFile
from tests.support.written import compare, lay_out, legalized

TOLERANCE = 1e-5
"""Of a difference, relative to the largest expected value."""


@dataclass
class Checked:
    """What came out of a check; ``reread`` is what the frontend makes of the files."""

    module: Module
    operators: Counter[str]
    network: Network
    reread: Module | None
    path: Path


Check = Callable[..., Checked]


@pytest.fixture
def check(tmp_path: Path) -> Check:
    """Compile a module; compare what the files compute, and what is read from them, with the module's own semantics.

    ``sizes`` are numbers for named sizes, one mapping per run; ``inputs`` replace random ones by name.
    """

    def go(
        given: Module | str,
        *,
        sizes: Sequence[Mapping[str, int]] = ({},),
        inputs: Mapping[str, Any] | None = None,
        tolerance: float = TOLERANCE,
        floor: float = 1e-30,
        passes: str | None = None,
        reread: bool = True,
    ) -> Checked:
        done = legalized(given, "legalize{target=openvino}", sizes=sizes, inputs=inputs, passes=passes)
        module, text = done.module, done.text
        emitted = find_target("openvino").emit(module, tmp_path / "model.xml")
        file = OpenvinoFile(emitted.path)
        again = import_openvino(emitted.path) if reread else None
        for arrays, want in zip(done.runs, done.wanted, strict=True):
            stored = lay_out(module.main, arrays)
            compare(module.main, file.run(stored), want, (tolerance, floor), text)
            if again is not None:
                given_names = [p.name for p in again.main.inputs]
                results = run(again.main, [stored[name] for name in given_names])
                named = dict(zip([p.name for p in again.main.outputs], results, strict=True))
                compare(module.main, named, want, (tolerance, floor), print_module(again))
        return Checked(module, emitted.ops, read_contents(emitted.path).network, again, emitted.path)

    return go

"""Legalizes modules, writes packages of Core ML, runs their programs by what MIL's operations mean, and compares.

There is no Core ML but on Apple's systems: an interpreter that follows the descriptions of MIL stands for it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from mil_interpreter import MilFileRunner
from nhwcc.backends.registry import find_target
from nhwcc.compiler.diagnostics import CompileError
from nhwcc.compiler.ir import Module
from nhwcc.compiler.weights import Weight
from nhwcc.formats.coreml import writer
from nhwcc.formats.coreml.install import is_installed

from nhwcc.runners.worker import Worker
from tests.backends.tensorflow.conftest import compare
from tests.support.written import legalized

TOLERANCE = 1e-5
"""Of a difference, relative to the largest expected value."""


@dataclass
class Checked:
    """What came out of a check."""

    module: Module
    calls: Counter[str]
    path: Path
    runner: MilFileRunner


Check = Callable[..., Checked]


@pytest.fixture(scope="session")
def coreml_process() -> Iterator[Worker]:
    """One process for all packages: coremltools takes seconds to load."""
    if not is_installed():
        pytest.skip("coremltools writes and types the packages: pip install 'nhwcc[coreml]'")
    with Worker() as worker:
        yield worker


@pytest.fixture
def check(tmp_path: Path, coreml_process: Worker, monkeypatch: pytest.MonkeyPatch) -> Check:
    """Compile a module, and compare what the program of the package means with the module's own semantics.

    ``sizes`` are numbers for named sizes, one mapping per run; ``inputs`` replace random ones by name.
    """

    def ask(request: object, weights: Sequence[Weight]) -> None:
        """Let the process of all tests write what usually has a process of its own."""
        coreml_process.make("mil_interpreter", "MilWriter")
        is_well, answer = coreml_process.call("write", request, [writer.stored(weight) for weight in weights])
        if not is_well:
            raise CompileError(*answer)

    monkeypatch.setattr(writer, "ask", ask)

    def go(
        given: Module | str,
        *,
        sizes: Sequence[Mapping[str, int]] = ({},),
        inputs: Mapping[str, Any] | None = None,
        tolerance: float = TOLERANCE,
        floor: float = 1e-30,
    ) -> Checked:
        done = legalized(given, "legalize{target=coreml}", sizes=sizes, inputs=inputs)
        module, text = done.module, done.text
        emitted = find_target("coreml").emit(module, tmp_path / "model.mlpackage")
        runner = MilFileRunner(emitted.path, coreml_process)
        for arrays, want in zip(done.runs, done.wanted, strict=True):
            named = {p.name: a for p, a in zip(module.main.inputs, arrays, strict=True)}
            wanted = [w.astype(v.type.dtype.numpy) for w, v in zip(want, module.main.returns, strict=True)]
            compare(module.main, runner.run(named), wanted, (tolerance, floor), text)
        return Checked(module, emitted.ops, emitted.path, runner)

    return go

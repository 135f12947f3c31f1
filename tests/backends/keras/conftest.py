"""Legalizes modules, writes files of Keras, runs these as stock Keras loads them, and compares all numbers."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
from nhwcc.backends.registry import find_target
from nhwcc.compiler.ir import Module

from nhwcc.runners.keras_file import KerasFileRunner, start
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


Check = Callable[..., Checked]


@pytest.fixture(scope="session")
def keras_process() -> Iterator[Worker]:
    """One process for all files: it takes seconds to begin."""
    if find_spec("keras") is None or find_spec("tensorflow") is None:
        pytest.skip("Keras writes and runs the files")
    with start() as worker:
        yield worker


@pytest.fixture
def check(tmp_path: Path, keras_process: Worker) -> Check:
    """Compile a module, and compare what the loaded file computes with the module's own semantics.

    ``sizes`` are numbers for named sizes, one mapping per run; ``inputs`` replace random ones by name.
    """

    def go(
        given: Module | str,
        *,
        target: str = "keras",
        sizes: Sequence[Mapping[str, int]] = ({},),
        inputs: Mapping[str, Any] | None = None,
        tolerance: float = TOLERANCE,
        floor: float = 1e-30,
    ) -> Checked:
        done = legalized(given, f"legalize{{target={target}}}", sizes=sizes, inputs=inputs)
        module, text = done.module, done.text
        found = find_target(target)
        emitted = found.emit(module, tmp_path / f"model{found.suffix}")
        runner = KerasFileRunner(emitted.path, keras_process)
        for arrays, want in zip(done.runs, done.wanted, strict=True):
            named = {p.name: a for p, a in zip(module.main.inputs, arrays, strict=True)}
            compare(module.main, runner.run(named), want, (tolerance, floor), text)
        return Checked(module, emitted.ops, emitted.path)

    return go

"""Legalizes modules, writes files of Keras, runs these as stock Keras loads them, and compares all numbers."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
from nhwcc.backends.common import legalize as _legalize  # noqa: F401  # pyright: ignore[reportUnusedImport]
from nhwcc.backends.registry import find_target
from nhwcc.compiler import ops as _ops  # noqa: F401  # pyright: ignore[reportUnusedImport]
from nhwcc.compiler.interpreter import run
from nhwcc.compiler.ir import Module
from nhwcc.compiler.parser import parse_module
from nhwcc.compiler.pipeline import Pipeline, parse_pipeline
from nhwcc.compiler.printer import print_module
from nhwcc.compiler.verify import verify

from nhwcc.runners.keras_file import KerasFileRunner, start
from nhwcc.runners.worker import Worker
from tests.backends.tensorflow.conftest import compare, drawn, name_outputs

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
        module = parse_module(given) if isinstance(given, str) else given
        name_outputs(module.main)
        verify(module)
        runs = [drawn(module.main, s, inputs or {}) for s in sizes]
        wanted = [run(module.main, r) for r in runs]
        legalize = f"legalize{{target={target}}}"
        Pipeline(parse_pipeline(f"{legalize},cse,dce")).run(module)
        verify(module)
        text = print_module(module)
        Pipeline(parse_pipeline(legalize)).run(module)
        assert print_module(module) == text, "legalize is not idempotent"
        found = find_target(target)
        emitted = found.emit(module, tmp_path / f"model{found.suffix}")
        runner = KerasFileRunner(emitted.path, keras_process)
        for arrays, want in zip(runs, wanted, strict=True):
            named = {p.name: a for p, a in zip(module.main.inputs, arrays, strict=True)}
            compare(module.main, runner.run(named), want, (tolerance, floor), text)
        return Checked(module, emitted.ops, emitted.path)

    return go

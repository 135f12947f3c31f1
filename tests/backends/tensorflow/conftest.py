"""Legalizes modules, writes SavedModels, runs these by TensorFlow, reads them again, and compares all numbers."""

# TensorFlow has no types
# pyright: reportMissingImports=false, reportMissingModuleSource=false

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from nhwcc.backends.registry import find_target
from nhwcc.compiler.interpreter import run
from nhwcc.compiler.ir import Func, Module
from nhwcc.compiler.printer import print_module
from nhwcc.compiler.types import Array
from nhwcc.frontends.tensorflow import import_tensorflow

from nhwcc.runners.libraries import TENSORFLOW
from nhwcc.runners.tensorflow import is_available
from nhwcc.runners.tensorflow_file import TensorflowFileRunner
from nhwcc.runners.worker import Worker
from tests.support.written import legalized

TOLERANCE = 1e-5
"""Of a difference, relative to the largest expected value."""


@dataclass
class Checked:
    """What came out of a check."""

    module: Module
    operators: Counter[str]
    path: Path


Check = Callable[..., Checked]


@pytest.fixture(scope="session")
def tensorflow() -> Iterator[Worker]:
    """One process for all files: it takes seconds to begin."""
    if not is_available():
        pytest.skip("TensorFlow runs the files")
    with Worker(TENSORFLOW) as worker:
        yield worker


@pytest.fixture
def check(tmp_path: Path, tensorflow: Worker) -> Check:
    """Compile a module; compare what the file computes, and what is read from it, with the module's own semantics.

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
        done = legalized(given, "legalize{target=saved_model}", sizes=sizes, inputs=inputs, passes=passes)
        module, text = done.module, done.text
        emitted = find_target("saved_model").emit(module, tmp_path / "model")
        runner = TensorflowFileRunner(emitted.path, tensorflow)
        again = import_tensorflow(emitted.path) if reread else None
        for arrays, want in zip(done.runs, done.wanted, strict=True):
            named = {p.name: a for p, a in zip(module.main.inputs, arrays, strict=True)}
            compare(module.main, runner.run(named), want, (tolerance, floor), text)
            if again is not None:
                results = run(again.main, [laid_out(p, named[p.name]) for p in again.main.inputs])
                pairs = zip(again.main.outputs, results, strict=True)
                found = {p.name: r if p.perm is None else r.transpose(np.argsort(p.perm)) for p, r in pairs}
                compare(module.main, found, want, (tolerance, floor), print_module(again))
        return Checked(module, emitted.ops, emitted.path)

    return go


def laid_out(port: Any, array: Array) -> Array:
    return array if port.perm is None else array.transpose(port.perm)


def compare(
    func: Func, got: Mapping[str, Array], want: Sequence[Array], tolerance: tuple[float, float], what: str
) -> None:
    """Differences count relative to the largest number, and relative to ``tolerance[1]`` where all are smaller."""
    for port, w in zip(func.outputs, want, strict=True):
        g = np.asarray(got[port.name])
        assert g.shape == w.shape, f"{port.name}: {g.shape} instead of {w.shape}; {what}"
        assert g.dtype == w.dtype, f"{port.name}: {g.dtype} instead of {w.dtype}; {what}"
        if w.dtype.kind in "biuO":
            assert np.array_equal(g, w), f"{port.name}; {what}"
            continue
        g, w = g.astype(np.float64), w.astype(np.float64)
        finite = np.isfinite(w)
        assert np.array_equal(np.isnan(g), np.isnan(w)), f"{port.name}: other NaN; {what}"
        assert np.array_equal(g[~finite & ~np.isnan(w)], w[~finite & ~np.isnan(w)]), f"{port.name}: infinities; {what}"
        difference = np.abs(g[finite] - w[finite])
        largest = max(float(np.abs(w[finite]).max(initial=0)), tolerance[1])
        assert difference.max(initial=0) <= tolerance[0] * largest, f"{port.name}: {difference.max()}; {what}"

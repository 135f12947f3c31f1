"""Legalizes modules, writes graph models, runs these by TensorFlow.js, reads them again, and compares all numbers."""

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
from nhwcc.compiler.ir import Module
from nhwcc.compiler.printer import print_module
from nhwcc.compiler.types import Array
from nhwcc.formats.tfjs.reader import read_graph_model
from nhwcc.frontends.tensorflow import import_tensorflow

from nhwcc.runners.tfjs import MISSING, is_available
from nhwcc.runners.tfjs_file import TfjsFileRunner
from nhwcc.runners.worker import Worker
from tests.backends.tensorflow.conftest import compare, laid_out
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
def node() -> Iterator[Worker]:
    """One process for all folders."""
    if not is_available():
        pytest.skip(MISSING)
    with Worker("nhwcc.runners.tfjs_file") as worker:
        yield worker


@pytest.fixture
def check(tmp_path: Path, node: Worker) -> Check:
    """Compile a module; compare what the folder computes, and what is read from it, with the module's own semantics.

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
        done = legalized(given, "legalize{target=tfjs}", sizes=sizes, inputs=inputs, passes=passes)
        module, text = done.module, done.text
        emitted = find_target("tfjs").emit(module, tmp_path / "model")
        runner = TfjsFileRunner(emitted.path, node)
        again = import_tensorflow(read_graph_model(emitted.path)) if reread else None
        for arrays, want in zip(done.runs, done.wanted, strict=True):
            named = {p.name: a for p, a in zip(module.main.inputs, arrays, strict=True)}
            expected = as_stored(module, want)
            compare(module.main, runner.run(named), expected, (tolerance, floor), text)
            if again is not None:
                given_to = zip(again.main.inputs, again.main.args, strict=True)
                results = run(again.main, [laid_out(p, named[p.name]).astype(a.type.dtype.numpy) for p, a in given_to])
                pairs = zip(again.main.outputs, results, strict=True)
                found = {p.name: r if p.perm is None else r.transpose(np.argsort(p.perm)) for p, r in pairs}
                types = {p.name: w.dtype for p, w in zip(module.main.outputs, expected, strict=True)}
                found = {name: r.astype(types[name]) for name, r in found.items()}  # TensorFlow finds more bits
                compare(module.main, found, expected, (tolerance, floor), print_module(again))
        return Checked(module, emitted.ops, emitted.path)

    return go


def as_stored(module: Module, want: Sequence[Array]) -> list[Array]:
    """Return what is expected in the types that the folder has."""
    return [w.astype(v.type.dtype.numpy) for w, v in zip(want, module.main.returns, strict=True)]

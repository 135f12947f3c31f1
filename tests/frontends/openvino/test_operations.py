"""Every operation in every version: made and run by OpenVINO, read, and run by the meaning of the operations."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from nhwcc.compiler.interpreter import run as interpret
from nhwcc.compiler.types import Array
from nhwcc.compiler.verify import verify
from nhwcc.frontends.openvino import read_openvino

import nhwcc
from nhwcc.runners.tflite import TfliteRunner, start
from nhwcc.runners.worker import Worker

from .building import Case, inputs_of, model_of, run, save
from .cases import CASES

pytest.importorskip("openvino")


@pytest.mark.parametrize("case", CASES, ids=lambda c: c.title)
def test_meaning(case: Case, tmp_path: Path) -> None:
    model = model_of(case)
    read = read_openvino(save(model, tmp_path / "m.xml"), keeps_state=True)
    verify(read.module)
    inputs = inputs_of(case)
    func = read.module.main
    given = inputs | {name: first.array() for name, first in read.states.items()}
    found = interpret(func, [given[p.name] for p in func.inputs])
    for i, (got, want) in enumerate(zip(found, run(model, inputs), strict=True)):
        check_same(got, want, case, f"{case.title}: result {i}")


@pytest.fixture(scope="module")
def process() -> Iterator[Worker]:
    """The TFLite runtime in a process of its own."""
    with start() as worker:
        yield worker


@pytest.mark.long
@pytest.mark.parametrize("case", CASES, ids=lambda c: c.title)
def test_on_tflite(case: Case, process: Worker, tmp_path: Path) -> None:
    """Compiled, and run by the TFLite runtime."""
    model = model_of(case)
    path = save(model, tmp_path / "m.xml")
    states = read_openvino(path, keeps_state=True).states
    handling = "io" if states else "refuse"
    nhwcc.compile(path, tmp_path / "m.tflite", verify=False, io_layout="keep", state=handling)
    inputs = inputs_of(case)
    given = inputs | {name: first.array() for name, first in states.items()}
    runner = TfliteRunner(tmp_path / "m.tflite", process)
    found = runner.run({name: given[name] for name in runner.inputs})
    for (name, got), want in zip(found.items(), run(model, inputs), strict=True):
        stored = got.astype(want.dtype) if want.dtype.kind in "iu" else got
        check_same(stored, want, replace(case, slack=max(case.slack, 3e-5)), f"{case.title}: {name}")


def check_same(got: Array, want: Array, case: Case, what: str) -> None:
    """Floats may differ relative to the largest, everything else is equal; what is drawn has the same type."""
    assert got.shape == want.shape, f"{what}: {got.shape} instead of {want.shape}"
    assert got.dtype == want.dtype, f"{what}: {got.dtype} instead of {want.dtype}"
    if case.is_random:
        return
    if got.dtype.kind == "f":
        finite = np.abs(want[np.isfinite(want)])
        largest = float(finite.max()) if finite.size else 1.0
        np.testing.assert_allclose(got, want, rtol=0, atol=case.slack * max(largest, 1e-9), err_msg=what)
    else:
        np.testing.assert_array_equal(got, want, err_msg=what)

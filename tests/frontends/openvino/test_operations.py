"""Every operation in every version: made and run by OpenVINO, read, and run by the meaning of the operations."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from nhwcc.compiler.interpreter import run as interpret
from nhwcc.compiler.types import Array
from nhwcc.compiler.verify import verify
from nhwcc.frontends.openvino import read_openvino

from .building import Case, inputs_of, model_of, run, save
from .cases_basic import ACTIVATIONS, ELEMENTWISE, MOVES
from .cases_more import DETECTION, ENDS, TABLES, TRANSFORMS, UNEVEN
from .cases_recurrent import RECURRENT
from .cases_windows import CONVOLUTIONS, NORMS, POOLS, POSITIONS, PRODUCTS, RESAMPLING, WEIGHTS

pytest.importorskip("openvino")

CASES = [
    *ELEMENTWISE,
    *ACTIVATIONS,
    *MOVES,
    *POSITIONS,
    *CONVOLUTIONS,
    *POOLS,
    *NORMS,
    *RESAMPLING,
    *PRODUCTS,
    *WEIGHTS,
    *RECURRENT,
    *DETECTION,
    *ENDS,
    *TRANSFORMS,
    *TABLES,
    *UNEVEN,
]


@pytest.mark.parametrize("case", CASES, ids=lambda c: c.title)
def test_meaning(case: Case, tmp_path: Path) -> None:
    model = model_of(case)
    read = read_openvino(save(model, tmp_path / "m.xml"))
    verify(read.module)
    inputs = inputs_of(case)
    func = read.module.main
    found = interpret(func, [inputs[p.name] for p in func.inputs])
    for i, (got, want) in enumerate(zip(found, run(model, inputs), strict=True)):
        check_same(got, want, case.slack, f"{case.title}: result {i}")


def check_same(got: Array, want: Array, slack: float, what: str) -> None:
    """Floats may differ relative to the largest, everything else is equal."""
    assert got.shape == want.shape, f"{what}: {got.shape} instead of {want.shape}"
    assert got.dtype == want.dtype, f"{what}: {got.dtype} instead of {want.dtype}"
    if got.dtype.kind == "f":
        finite = np.abs(want[np.isfinite(want)])
        largest = float(finite.max()) if finite.size else 1.0
        np.testing.assert_allclose(got, want, rtol=0, atol=slack * max(largest, 1e-9), err_msg=what)
    else:
        np.testing.assert_array_equal(got, want, err_msg=what)

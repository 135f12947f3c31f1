"""Whether two runs give the same."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from nhwcc.compiler.interpreter import run
from nhwcc.compiler.ir import Func
from nhwcc.compiler.types import Array


def check_same(got: Array, want: Array, slack: float, steps: int, what: str) -> None:
    """Floats may differ relative to the largest, integers by ``steps``."""
    assert got.shape == want.shape, f"{what}: {got.shape} instead of {want.shape}"
    assert got.dtype == want.dtype, f"{what}: {got.dtype} instead of {want.dtype}"
    if got.dtype.kind == "f":
        finite = np.abs(want[np.isfinite(want)])
        largest = float(finite.max()) if finite.size else 1.0
        np.testing.assert_allclose(got, want, rtol=0, atol=slack * max(largest, 1e-9), err_msg=what)
    elif steps:
        apart = np.abs(got.astype(np.int64) - want.astype(np.int64))
        assert apart.max(initial=0) <= steps, f"{what}: {apart.max()} steps apart"
    else:
        np.testing.assert_array_equal(got, want, err_msg=what)


def interpreted(func: Func, inputs: Mapping[str, Array]) -> dict[str, Array]:
    """Run a function by the meaning of its operations; inputs and outputs in the source's order."""
    stored = [inputs[p.name] for p in func.inputs]
    return {p.name: array for p, array in zip(func.outputs, run(func, stored), strict=True)}

"""Comparing what two modules compute."""

from __future__ import annotations

import numpy as np
from nhwcc.compiler.interpreter import random_inputs, run
from nhwcc.compiler.ir import Func, Module
from nhwcc.compiler.types import Array


def compare(module: Module, original: Module, what: str) -> None:
    """Both modules compute the same on random inputs, whatever order theirs are stored in."""
    for name, func in original.funcs.items():
        now = module.funcs[name]
        inputs = random_inputs(func)
        stored = [a if p.perm is None else a.transpose(p.perm) for a, p in zip(inputs, now.inputs, strict=True)]
        for got, want in zip(run(now, stored), expected(func, now, inputs), strict=True):
            if want.dtype == object:
                np.testing.assert_array_equal(got, want, f"@{name} differs after {what}")
                continue
            np.testing.assert_allclose(got, want, rtol=1e-4, atol=1e-5, err_msg=f"@{name} differs after {what}")


def expected(func: Func, now: Func, inputs: list[Array]) -> list[Array]:
    want = run(func, inputs)
    return [a if p.perm is None else a.transpose(p.perm) for a, p in zip(want, now.outputs, strict=True)]

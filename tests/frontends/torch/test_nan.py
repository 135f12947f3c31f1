"""Activation functions of NaN and infinity: comparisons with NaN choose the side that they do in PyTorch."""

# PyTorch's functions are only partly typed
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false
# pyright: reportUnknownLambdaType=false

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from nhwcc.compiler.interpreter import run
from nhwcc.frontends.torch import import_torch
from torch.nn import functional as F  # noqa: N812 -- PyTorch's own convention
from torch_cases import Function, outputs

NUMBERS = torch.tensor([float("nan"), -2, -0.4, 0, 0.4, 2, float("inf"), float("-inf")])

FUNCTIONS: dict[str, Any] = {
    "threshold": lambda x: F.threshold(x, 0.3, 2.0),
    "threshold of integers": lambda x: F.threshold(torch.nan_to_num(x, posinf=5, neginf=-5).long(), 1, 7),
    "hardshrink": F.hardshrink,
    "softshrink": F.softshrink,
    "softshrink by nothing": lambda x: F.softshrink(x, 0.0),
    "softplus": lambda x: F.softplus(x, 1, 3),
    "relu6": F.relu6,
    "hardtanh": F.hardtanh,
    "leaky_relu": F.leaky_relu,
    "elu": F.elu,
    "celu": F.celu,
    "hardsigmoid": F.hardsigmoid,
    "hardswish": F.hardswish,
    "where": lambda x: torch.where(x > 0, x, 0.0),
}


@pytest.mark.parametrize("name", FUNCTIONS)
def test_what_is_no_number(name: str) -> None:
    module = Function(FUNCTIONS[name])
    (want,) = outputs(module, (NUMBERS,))
    (got,) = run(import_torch(module, (NUMBERS,)).main, [NUMBERS.numpy()])
    np.testing.assert_allclose(got, want, rtol=1e-5, atol=1e-6)

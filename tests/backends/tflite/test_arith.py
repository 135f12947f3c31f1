"""Arithmetic in the TFLite runtime."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from .conftest import Check, single

UNARY = ["neg", "abs", "sign", "square", "floor", "ceil", "round", "exp", "sin", "cos", "tan", "atan", "erf"]
UNARY += ["sinh", "cosh", "asinh", "relu", "tanh", "sigmoid", "hard_sigmoid", "hard_swish", "silu", "gelu", "softplus"]
UNARY += ["softsign", "mish", "elu", "selu", "celu", "thresholded_relu", "shrink", "leaky_relu"]


@pytest.mark.parametrize("name", UNARY)
def test_unary(check: Check, name: str) -> None:
    check(single(name, "f32[3,5,7]"))

"""Matrices as such."""

from __future__ import annotations

import torch
from torch_cases import Function, check


def test_inverse() -> None:
    x = torch.randn(2, 3, 3) + 3 * torch.eye(3)
    check(Function(torch.inverse), x)
    check(Function(torch.inverse), x[0])

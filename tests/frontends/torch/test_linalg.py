"""Systems of equations and factors of small matrices."""

# what a lambda takes is a tensor, whose methods are only partly typed
# pyright: reportUnknownLambdaType=false, reportUnknownMemberType=false, reportUnknownArgumentType=false
# pyright: reportUnknownVariableType=false

from __future__ import annotations

from typing import Any

import pytest
import torch
from nhwcc.compiler.diagnostics import CompileError
from nhwcc.frontends.torch import import_torch
from torch import Tensor
from torch_cases import Function, check

import nhwcc

TOLERANCE = 2e-5
"""Elimination loses some digits, in PyTorch too."""

LA: Any = torch.linalg


def regular(*shape: int) -> Tensor:
    """Matrices that are far from singular, and need their rows exchanged: no element of the diagonal is large."""
    size = shape[-1]
    turned = torch.eye(size).roll(1, 0) * 3
    return turned + torch.rand(shape, generator=torch.Generator().manual_seed(0))


def symmetric(*shape: int) -> Tensor:
    x = regular(*shape)
    return x @ x.mT + torch.eye(shape[-1])


FUNCTIONS: dict[str, Any] = {
    "inverse": lambda x: torch.inverse(x),
    "solve": lambda x: LA.solve(x, x[..., :2] + 1),
    "solve for vectors": lambda x: LA.solve(x, x[..., 0] + 1),
    "solve for one vector": lambda x: LA.solve(x[0], x[1, 0]),
    "solve for one right side": lambda x: LA.solve(x, x[0, :, :2]),
    "solve from the right": lambda x: LA.solve(x, x[..., :2, :] + 1, left=False),
    "det": lambda x: torch.det(x),
    "slogdet": lambda x: LA.slogdet(x),
    "logdet": lambda x: torch.logdet(x @ x.mT),
    "lower": lambda x: LA.solve_triangular(x.tril() + 5, x[..., :2] + 1, upper=False),
    "upper": lambda x: LA.solve_triangular(x.triu() + 5, x[..., :2] + 1, upper=True),
    "ones on the diagonal": lambda x: LA.solve_triangular(x, x[..., :2], upper=True, unitriangular=True),
    "triangular from the right": lambda x: LA.solve_triangular(x + 5, x[..., :2, :], upper=False, left=False),
    "triangular_solve": lambda x: torch.triangular_solve(x[..., :2], x + 5, upper=True, transpose=True)[0],
    "tensorinv": lambda x: LA.tensorinv(x[0, :2, :2].reshape(2, 1, 2), 1),
}


@pytest.mark.parametrize("size", [2, 3, 5])
@pytest.mark.parametrize("name", FUNCTIONS)
def test_equations(name: str, size: int) -> None:
    check(Function(FUNCTIONS[name]), regular(2, size, size), tolerance=TOLERANCE)


FACTORS: dict[str, Any] = {
    "cholesky": lambda x: LA.cholesky(x),
    "upper": lambda x: LA.cholesky(x, upper=True),
    "old name": lambda x: torch.cholesky(x),
    "whether there is one": lambda x: LA.cholesky_ex(x * torch.tensor([[[1.0]], [[-1.0]]])).info,
    "solve": lambda x: torch.cholesky_solve(x[..., :2], LA.cholesky(x)),
    "solve by the upper one": lambda x: torch.cholesky_solve(x[..., :2], LA.cholesky(x, upper=True), upper=True),
    "inverse": lambda x: torch.cholesky_inverse(LA.cholesky(x)),
}


@pytest.mark.parametrize("size", [1, 3, 4])
@pytest.mark.parametrize("name", FACTORS)
def test_factors(name: str, size: int) -> None:
    check(Function(FACTORS[name]), symmetric(2, size, size), tolerance=TOLERANCE)


@pytest.mark.parametrize("shape", [(0, 0), (3, 0, 0), (0, 3, 3)])
def test_nothing(shape: tuple[int, ...]) -> None:
    x = torch.zeros(shape)
    check(Function(lambda x: LA.cholesky(x)), x)
    check(Function(lambda x: LA.solve_triangular(x, x, upper=True)), x)
    check(Function(lambda x: LA.solve(x, x)), x)
    check(Function(lambda x: LA.det(x)), x)


def camera(points: Tensor, pose: Tensor) -> Tensor:
    """As in networks that look from several cameras: points in the coordinates of another one."""
    return points @ torch.inverse(pose).mT + torch.linalg.solve(pose, points.mT).mT


def test_in_tflite() -> None:
    """Compiling compares with PyTorch."""
    report = nhwcc.compile(Function(camera), args=(torch.randn(2, 7, 4), regular(2, 4, 4))).report
    assert report.verification is not None
    assert report.verification.ok


def test_large_matrices_are_refused() -> None:
    with pytest.raises(CompileError, match=r"F005.*matrices of 40 rows; at most 32 are written out[\s\S]*outside"):
        import_torch(Function(LA.cholesky), (symmetric(40, 40),))

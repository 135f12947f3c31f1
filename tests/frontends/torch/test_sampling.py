"""Images read at positions that a grid gives, some of them outside, against PyTorch."""

# PyTorch is only partly typed
# pyright: reportUnknownMemberType=false

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
import torch
from nhwcc.compiler.interpreter import run
from torch import Tensor, nn
from torch.export import Dim
from torch.nn import functional as F  # noqa: N812 -- PyTorch's own convention
from torch_cases import import_torch

import nhwcc

MODES = ("bilinear", "nearest", "bicubic")
PADDINGS = ("zeros", "border", "reflection")


class Sampled(nn.Module):
    def __init__(self, mode: str, padding: str, align: bool) -> None:
        super().__init__()
        self.mode, self.padding, self.align = mode, padding, align

    def forward(self, x: Tensor, grid: Tensor) -> Tensor:
        return F.grid_sample(x, grid, self.mode, self.padding, self.align)


def inputs(*sizes: int) -> tuple[Tensor, Tensor]:
    torch.manual_seed(0)
    count = len(sizes)
    return torch.randn(2, 3, *sizes), 3.5 * torch.rand(2, *(5, 6, 4)[:count], count) - 1.75


@pytest.mark.parametrize(("mode", "padding", "align"), [*product(MODES, PADDINGS, (True, False))])
@pytest.mark.parametrize("sizes", [(7, 9), (1, 4)])
def test_images(mode: str, padding: str, align: bool, sizes: tuple[int, int]) -> None:
    """Also where one pixel is all that an axis has."""
    given, network = inputs(*sizes), Sampled(mode, padding, align)
    (got,) = run(import_torch(network, given).main, {"x": given[0].numpy(), "grid": given[1].numpy()})
    np.testing.assert_allclose(got, network(*given).numpy(), atol=2e-5)


@pytest.mark.parametrize(("mode", "padding", "align"), [*product(MODES[:2], PADDINGS, (True, False))])
def test_volumes(mode: str, padding: str, align: bool) -> None:
    given, network = inputs(4, 5, 6), Sampled(mode, padding, align)
    (got,) = run(import_torch(network, given).main, {"x": given[0].numpy(), "grid": given[1].numpy()})
    np.testing.assert_allclose(got, network(*given).numpy(), atol=2e-5)


@pytest.mark.parametrize("padding", PADDINGS)
def test_images_of_any_size_as_tflite(padding: str) -> None:
    sizes = {"x": {2: Dim("h"), 3: Dim("w")}, "grid": None}
    report = nhwcc.compile(Sampled("bilinear", padding, False), args=inputs(7, 9), dynamic_shapes=sizes).report
    assert report.verification is not None and report.verification.ok
    assert all(len(tried) == 3 for tried in report.verification.sizes.values())


def test_a_fixed_size_takes_few_operations() -> None:
    one_image = tuple(tensor[:1] for tensor in inputs(7, 9))
    report = nhwcc.compile(Sampled("bilinear", "zeros", False), args=one_image).report
    assert sum(report.ops_after.values()) <= 62

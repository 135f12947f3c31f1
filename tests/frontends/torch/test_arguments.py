"""Arguments that are not the defaults, on shapes without symmetries, against PyTorch."""

# what a lambda takes is a tensor, whose methods are only partly typed
# pyright: reportUnknownLambdaType=false, reportUnknownMemberType=false, reportUnknownArgumentType=false
# pyright: reportUnknownVariableType=false

from __future__ import annotations

from typing import Any

import pytest
import torch
from nhwcc.frontends.torch.export import export
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812 -- PyTorch's own convention
from torch_cases import Function, check, honest

IMAGE, DEEP, ROWS, CUBE = (1, 2, 7, 9), (2, 6, 3, 5), (3, 5), (3, 3, 3)

LAYERS: list[tuple[nn.Module, tuple[int, ...]]] = [
    (nn.Conv2d(2, 3, (2, 3), stride=(2, 1), padding=(1, 2), dilation=(1, 2)), IMAGE),
    (nn.Conv2d(2, 3, (2, 4), padding="same"), IMAGE),
    (nn.Conv2d(2, 3, (2, 3), padding="same", dilation=(1, 3)), IMAGE),
    (nn.Conv2d(6, 4, (2, 3), groups=2), DEEP),
    (nn.ConvTranspose2d(2, 3, (3, 4), stride=(2, 3), padding=(1, 0), output_padding=(1, 2)), IMAGE),
    (nn.ConvTranspose2d(6, 4, (3, 2), groups=2, dilation=(2, 1)), DEEP),
    (nn.MaxPool2d((3, 2), 2, padding=(1, 0), ceil_mode=True), IMAGE),
    (nn.MaxPool2d((3, 2), dilation=(1, 3)), IMAGE),
    (nn.MaxPool2d((3, 2), 2, padding=1, return_indices=True), IMAGE),
    (nn.AvgPool2d(3, (2, 1), padding=1, count_include_pad=False, ceil_mode=True), IMAGE),
    (nn.AvgPool2d(3, (2, 1), padding=1), IMAGE),
    (nn.AvgPool2d((3, 2), 2, divisor_override=5), IMAGE),
    (nn.AdaptiveAvgPool2d((3, 4)), IMAGE),
    (nn.AdaptiveAvgPool2d((3, 3)), (1, 3, 5, 5)),
    (nn.AdaptiveAvgPool3d((3, 4, 3)), (1, 2, 5, 7, 5)),
    (nn.AdaptiveMaxPool2d((3, 4)), IMAGE),
    (nn.BatchNorm2d(6, eps=0.7), DEEP),
    (nn.BatchNorm2d(6, eps=0.7, track_running_stats=False), DEEP),
    (nn.LayerNorm([3, 5], eps=0.7), DEEP),
    (nn.GroupNorm(3, 6, eps=0.7), DEEP),
    (nn.GroupNorm(2, 6, affine=False), DEEP),
    (nn.InstanceNorm2d(6, eps=0.7, affine=True), DEEP),
    (nn.RMSNorm(5, eps=0.7), DEEP),
    (nn.LocalResponseNorm(4, 0.5, 0.6, 2.0), DEEP),
    (nn.Softshrink(0.3), ROWS),
    (nn.Hardshrink(0.3), ROWS),
    (nn.ELU(0.3), ROWS),
    (nn.CELU(0.3), ROWS),
    (nn.LeakyReLU(0.3), ROWS),
    (nn.Threshold(0.3, 7.0), ROWS),
    (nn.Hardtanh(-0.3, 0.7), ROWS),
    (nn.Softplus(2.0, 0.5), ROWS),
    (nn.GLU(1), DEEP),
    (nn.GELU("tanh"), ROWS),
]
"""Layers, and the shape of what they read."""

FUNCTIONS: list[tuple[str, Any, tuple[tuple[int, ...], ...]]] = [
    ("variance", lambda x: torch.var(x, 1, correction=2), (ROWS,)),
    ("population variance", lambda x: torch.var(x, 1, unbiased=False, keepdim=True), (ROWS,)),
    ("deviation and mean", lambda x: torch.std_mean(x, 0, correction=0), (ROWS,)),
    ("sum that keeps axes", lambda x: torch.sum(x, (0, 2), keepdim=True), (CUBE,)),
    ("sum of the last axis", lambda x: torch.sum(x, -1), (DEEP,)),
    ("smallest magnitude", lambda x: torch.linalg.vector_norm(x, -float("inf"), 1), (ROWS,)),
    ("largest magnitude", lambda x: torch.linalg.vector_norm(x, float("inf"), 1), (ROWS,)),
    ("cubic norm", lambda x: torch.linalg.vector_norm(x, 3, 1), (ROWS,)),
    ("truth of extremes", lambda x: (torch.amin(x > 0, 1), torch.amax(x > 0, 1)), (ROWS,)),
    ("extremes with places", lambda x: (x.max(1), x.min(0, keepdim=True)), (ROWS,)),
    ("places of extremes", lambda x: (x.argmax(0, keepdim=True), x.argmin(1), x.argmax()), (ROWS,)),
    ("axes moved one by one", lambda x: torch.movedim(x, 0, 2), (CUBE,)),
    ("axes moved together", lambda x: torch.movedim(x, (0, 1), (2, 0)), (CUBE,)),
    ("axes in a circle", lambda x: x.permute(1, 2, 0), (CUBE,)),
    ("rolled", lambda x: torch.roll(x, (2, -1), (0, 1)), (ROWS,)),
    ("turned", lambda x: torch.flip(x, (0, 2)), (CUBE,)),
    ("turned by a right angle", lambda x: torch.rot90(x, 1, (1, 2)), (CUBE,)),
    ("repeated", lambda x: x.repeat(2, 1, 3), (ROWS,)),
    ("repeated one by one", lambda x: x.repeat_interleave(3, 1), (ROWS,)),
    ("chunks", lambda x: torch.chunk(x, 2, 1), (ROWS,)),
    ("pieces", lambda x: torch.split(x, [1, 3, 1], 1), (ROWS,)),
    ("diagonals", lambda x: (torch.triu(x, 1), torch.tril(x, -1), torch.diagonal(x, 1)), (ROWS,)),
    ("sum with a factor", lambda x, z: torch.add(x, z, alpha=3), (ROWS, ROWS)),
    ("difference with a factor", lambda x, z: torch.sub(x, z, alpha=3), (ROWS, ROWS)),
    ("difference the other way round", lambda x: 2 - x, (ROWS,)),
    ("quotient cut", lambda x: torch.div(x, 0.3, rounding_mode="trunc"), (ROWS,)),
    ("quotient floored", lambda x: torch.div(x, 0.3, rounding_mode="floor"), (ROWS,)),
    ("remainders", lambda x: (torch.fmod(x, 0.3), torch.remainder(x, 0.3), torch.remainder(x, -0.3)), (ROWS,)),
    ("towards another", lambda x, z: torch.lerp(x, z, 0.3), (ROWS, ROWS)),
    ("product added", lambda x, z: torch.addcmul(x, z, x, value=0.3), (ROWS, ROWS)),
    ("quotient added", lambda x, z: torch.addcdiv(x, z, x, value=0.3), (ROWS, ROWS)),
    ("mask filled", lambda x: x.masked_fill(x > 0, 7.0), (ROWS,)),
    ("choice", lambda x, z: torch.where(x > 0, z, 7.0), (ROWS, ROWS)),
    ("clamped by tensors", lambda x, z: torch.clamp(x, z - 0.1, z + 0.1), (ROWS, ROWS)),
    ("product of matrices", lambda x, z: torch.addmm(x, z, z.mT, beta=0.3, alpha=0.7), ((3, 3), ROWS)),
    ("batches of products", lambda x, z: torch.baddbmm(x, z, x, beta=0.3, alpha=0.7), (CUBE, CUBE)),
    ("running sum", lambda x: (torch.cumsum(x, 1), torch.cumprod(x, 0)), (ROWS,)),
    ("smallest", lambda x: torch.topk(x, 2, 1, largest=False), (ROWS,)),
    ("sorted down", lambda x: torch.sort(x, 0, descending=True), (ROWS,)),
    ("padded at one side", lambda x: F.pad(x, (1, 0, 0, 2), value=1.5), (ROWS,)),
    ("mirrored", lambda x: F.pad(x, (2, 1), mode="reflect"), (ROWS,)),
    ("edge repeated", lambda x: F.pad(x, (2, 1), mode="replicate"), (ROWS,)),
    ("gone around", lambda x: F.pad(x, (2, 1), mode="circular"), (CUBE,)),
    ("softmax of columns", lambda x: (F.softmax(x, 0), F.log_softmax(x, -2)), (ROWS,)),
    ("windows in columns", lambda x: F.unfold(x, (2, 3), dilation=(1, 2), padding=(1, 0), stride=(2, 1)), (IMAGE,)),
    ("blocks", lambda x: (F.pixel_shuffle(x.repeat(1, 4, 1, 1), 2), F.pixel_unshuffle(x[..., :6, :8], 2)), (IMAGE,)),
    ("every second", lambda x: x[:, 1::2, -3:-1], (CUBE,)),
    ("distances", lambda x, z: torch.cdist(x, z, p=1.0), (ROWS, ROWS)),
]


@pytest.mark.parametrize(("layer", "shape"), LAYERS, ids=[str(layer) for layer, _ in LAYERS])
def test_layers(layer: nn.Module, shape: tuple[int, ...]) -> None:
    check(honest(layer), tensor(shape))


@pytest.mark.parametrize(("function", "shapes"), [f[1:] for f in FUNCTIONS], ids=[f[0] for f in FUNCTIONS])
def test_functions(function: Any, shapes: tuple[tuple[int, ...], ...]) -> None:
    check(Function(function), *(tensor(shape, seed) for seed, shape in enumerate(shapes)))


def tensor(shape: tuple[int, ...], seed: int = 0) -> Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


def test_one_tensor_for_two_inputs() -> None:
    """They stay two, although one example stands for both."""
    x, z = torch.randn(ROWS), torch.randn(ROWS)
    model = Function(lambda a, b: a - 2 * b)
    program = export(model, (x, x), None, None).program
    assert torch.equal(program.module()(x, z), model(x, z))

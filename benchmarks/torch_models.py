"""Two trained PyTorch networks, rebuilt so that their published weights load: MobileNetV2 and EfficientNet-Lite0."""

from __future__ import annotations

from pathlib import Path
from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812 -- PyTorch's own convention


class SameConv(nn.Conv2d):
    """A convolution padded as TensorFlow's SAME: for odd totals, one more after the data."""

    def forward(self, input: Tensor) -> Tensor:
        """``[n, c, h, w]`` to ``[n, o, ceil(h / stride), ceil(w / stride)]``."""
        pads: list[int] = []
        for size, kernel, stride in zip(input.shape[:1:-1], self.kernel_size[::-1], self.stride[::-1], strict=True):
            total = max((-(-size // stride) - 1) * stride + kernel - size, 0)
            pads += [total // 2, total - total // 2]
        return super().forward(F.pad(input, pads))


def conv_norm(
    inputs: int, outputs: int, kernel: int, stride: int = 1, groups: int = 1, *, same: bool = False
) -> list[nn.Module]:
    """A convolution without bias, and batch normalisation."""
    if same:
        conv = SameConv(inputs, outputs, kernel, stride, groups=groups, bias=False)
        return [conv, nn.BatchNorm2d(outputs, eps=1e-3)]
    conv = nn.Conv2d(inputs, outputs, kernel, stride, kernel // 2, groups=groups, bias=False)
    return [conv, nn.BatchNorm2d(outputs)]


class InvertedResidual(nn.Module):
    """Expand, filter each channel, project; add the input if the shape stays (https://arxiv.org/abs/1801.04381)."""

    def __init__(self, inputs: int, outputs: int, kernel: int, stride: int, expand: int, *, same: bool) -> None:
        super().__init__()
        hidden = inputs * expand
        layers: list[nn.Module] = []
        if expand != 1:
            layers += [*conv_norm(inputs, hidden, 1, same=same), nn.ReLU6()]
        layers += [*conv_norm(hidden, hidden, kernel, stride, hidden, same=same), nn.ReLU6()]
        self.body = nn.Sequential(*layers, *conv_norm(hidden, outputs, 1, same=same))
        self.residual = stride == 1 and inputs == outputs

    def forward(self, x: Tensor) -> Tensor:
        """``[n, inputs, h, w]`` to ``[n, outputs, h / stride, w / stride]``."""
        return x + self.body(x) if self.residual else self.body(x)


MOBILENET_V2 = (
    (1, 16, 1, 1, 3),
    (6, 24, 2, 2, 3),
    (6, 32, 3, 2, 3),
    (6, 64, 4, 2, 3),
    (6, 96, 3, 1, 3),
    (6, 160, 3, 2, 3),
    (6, 320, 1, 1, 3),
)
EFFICIENTNET_LITE0 = (
    (1, 16, 1, 1, 3),
    (6, 24, 2, 2, 3),
    (6, 40, 2, 2, 5),
    (6, 80, 3, 2, 3),
    (6, 112, 3, 1, 5),
    (6, 192, 4, 2, 5),
    (6, 320, 1, 1, 3),
)
"""Stages: expansion, channels, repeats, stride, kernel."""


class MobileNet(nn.Module):
    """A stem, stages of inverted residuals, a head, 1,000 classes."""

    def __init__(self, stages: tuple[tuple[int, int, int, int, int], ...], *, same: bool) -> None:
        super().__init__()
        layers: list[nn.Module] = [*conv_norm(3, 32, 3, 2, same=same), nn.ReLU6()]
        inputs = 32
        for expand, outputs, repeats, first_stride, kernel in stages:
            for i in range(repeats):
                layers.append(
                    InvertedResidual(inputs, outputs, kernel, first_stride if i == 0 else 1, expand, same=same)
                )
                inputs = outputs
        self.features = nn.Sequential(*layers, *conv_norm(inputs, 1280, 1, same=same), nn.ReLU6())
        self.classifier = nn.Linear(1280, 1000)

    def forward(self, x: Tensor) -> Tensor:
        """``[n, 3, h, w]`` to ``[n, 1000]``."""
        return self.classifier(self.features(x).mean((2, 3)))


def load(network: MobileNet, weights: Path) -> MobileNet:
    """Fill a network with published weights: the same tensors in the same order under other names.

    Raises:
        ValueError: they are not.
    """
    published = cast(dict[str, Tensor], torch.load(weights, map_location="cpu", weights_only=True))
    own = network.state_dict()
    if [t.shape for t in own.values()] != [t.shape for t in published.values()]:
        raise ValueError(f"{weights} does not hold this network")
    network.load_state_dict(dict(zip(own, published.values(), strict=True)))
    return network.eval()


def mobilenet_v2(weights: Path) -> nn.Module:
    """MobileNetV2 as torchvision trained it."""
    return load(MobileNet(MOBILENET_V2, same=False), weights)


def efficientnet_lite0(weights: Path) -> nn.Module:
    """EfficientNet-Lite0 as converted from TensorFlow."""
    return load(MobileNet(EFFICIENTNET_LITE0, same=True), weights)

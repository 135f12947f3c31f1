"""U²-Net-P for PyTorch: the small salient-object network of https://arxiv.org/abs/2005.09007.

An encoder and decoder whose stages are small U-Nets themselves: 1.13 million parameters, an image of 320 x 320 in,
seven saliency maps out, the first one fused from the other six.

>>> sum(p.numel() for p in U2NetP().parameters())
1131181
"""

from __future__ import annotations

from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812 -- PyTorch's own convention


class ConvNormReLU(nn.Sequential):
    """A 3 x 3 convolution that keeps the size, batch normalisation, ReLU."""

    def __init__(self, inputs: int, outputs: int, dilation: int = 1) -> None:
        super().__init__(
            nn.Conv2d(inputs, outputs, 3, padding=dilation, dilation=dilation),
            nn.BatchNorm2d(outputs),
            nn.ReLU(inplace=True),
        )


class ResidualU(nn.Module):
    """A U-Net of ``depth`` levels with a residual connection; ``dilated``, it keeps the size and dilates instead."""

    def __init__(self, inputs: int, middle: int, outputs: int, depth: int, *, dilated: bool = False) -> None:
        super().__init__()
        self.dilated = dilated
        self.entry = ConvNormReLU(inputs, outputs)
        rates = [2**i if dilated else 1 for i in range(depth - 1)]
        self.down = nn.ModuleList(ConvNormReLU(outputs if i == 0 else middle, middle, r) for i, r in enumerate(rates))
        self.bottom = ConvNormReLU(middle, middle, 2 ** (depth - 1) if dilated else 2)
        self.up = nn.ModuleList(
            ConvNormReLU(2 * middle, outputs if i == 0 else middle, r) for i, r in reversed(list(enumerate(rates)))
        )

    def forward(self, x: Tensor) -> Tensor:
        """``[n, inputs, h, w]`` to ``[n, outputs, h, w]``."""
        entry = self.entry(x)
        skips: list[Tensor] = []
        y = entry
        for i, level in enumerate(self.down):
            y = level(y if i == 0 or self.dilated else shrink(y))
            skips.append(y)
        y = self.bottom(y)
        for level in self.up:
            skip = skips.pop()
            y = level(torch.cat((enlarge_to(y, skip), skip), 1))
        return y + entry


class U2NetP(nn.Module):
    """Six encoder stages, five decoder stages, a saliency map from each decoder stage and the last encoder stage."""

    def __init__(self, inputs: int = 3, maps: int = 1) -> None:
        super().__init__()
        kinds = [(7, False), (6, False), (5, False), (4, False), (4, True), (4, True)]
        self.encoder = nn.ModuleList(
            ResidualU(inputs if i == 0 else 64, 16, 64, depth, dilated=dilated)
            for i, (depth, dilated) in enumerate(kinds)
        )
        self.decoder = nn.ModuleList(
            ResidualU(128, 16, 64, depth, dilated=dilated) for depth, dilated in reversed(kinds[:-1])
        )
        self.side = nn.ModuleList(nn.Conv2d(64, maps, 3, padding=1) for _ in kinds)
        self.fuse = nn.Conv2d(len(kinds) * maps, maps, 1)

    def forward(self, x: Tensor) -> tuple[Tensor, ...]:
        """``[n, inputs, h, w]`` to seven maps ``[n, maps, h, w]`` in [0, 1]."""
        encoded: list[Tensor] = []
        y = x
        for i, stage in enumerate(self.encoder):
            y = stage(y if i == 0 else shrink(y))
            encoded.append(y)
        decoded = [encoded.pop()]
        for stage in self.decoder:
            skip = encoded.pop()
            decoded.append(stage(torch.cat((enlarge_to(decoded[-1], skip), skip), 1)))
        maps = [enlarge_to(side(d), x) for side, d in zip(self.side, reversed(decoded), strict=True)]
        fused = self.fuse(torch.cat(maps, 1))
        return tuple(torch.sigmoid(m) for m in (fused, *maps))


def shrink(x: Tensor) -> Tensor:
    """Halve the size, rounded up."""
    return F.max_pool2d(x, 2, stride=2, ceil_mode=True)


def enlarge_to(x: Tensor, like: Tensor) -> Tensor:
    """Interpolate bilinearly to the size of another image."""
    return F.interpolate(x, size=like.shape[2:], mode="bilinear", align_corners=False)


def seeded(seed: int = 0) -> U2NetP:
    """A network in inference mode; random weights let the signal through, normalisations do something."""
    torch.manual_seed(seed)  # pyright: ignore[reportUnknownMemberType]
    network = U2NetP().eval()
    for module in network.modules():
        if isinstance(module, nn.Conv2d):
            nn.init.kaiming_normal_(module.weight, nonlinearity="linear")
        elif isinstance(module, nn.BatchNorm2d):
            nn.init.uniform_(cast(Tensor, module.running_mean), -0.1, 0.1)
            nn.init.uniform_(cast(Tensor, module.running_var), 0.5, 1.5)
            nn.init.uniform_(module.weight, 0.5, 1.5)
            nn.init.uniform_(module.bias, -0.2, 0.2)
    return network

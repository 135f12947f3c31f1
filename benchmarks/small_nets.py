"""Small networks of many kinds in PyTorch, which other converters are given: what they write is read again.

Norms have statistics that matter, so that nothing which is computed vanishes.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812 -- PyTorch's own convention

from benchmarks.torch_nets import honest


def _unit(taken: int, given: int, kernel: int = 3, stride: int = 1, groups: int = 1) -> nn.Sequential:
    """Return a convolution with a norm, without an activation."""
    conv = nn.Conv2d(taken, given, kernel, stride, kernel // 2, groups=groups, bias=False)
    return nn.Sequential(conv, nn.BatchNorm2d(given))


class Squeeze(nn.Module):
    """Channels scaled by what their means say."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.down, self.up = nn.Conv2d(channels, channels // 4, 1), nn.Conv2d(channels // 4, channels, 1)

    def forward(self, x: Tensor) -> Tensor:
        """An image to one of the same size."""
        return x * F.hardsigmoid(self.up(F.relu(self.down(F.adaptive_avg_pool2d(x, 1)))))


class Mobile(nn.Module):
    """Inverted residuals with squeeze-and-excitation, as in MobileNetV3."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = _unit(3, 16, stride=2)
        self.wide, self.deep, self.squeeze, self.narrow = (
            _unit(16, 64, 1),
            _unit(64, 64, 5, groups=64),
            Squeeze(64),
            _unit(64, 16, 1),
        )
        self.down = nn.Sequential(
            _unit(16, 48, 1), nn.Hardswish(), _unit(48, 48, 3, 2, 48), nn.ReLU6(), _unit(48, 24, 1)
        )
        self.head = nn.Linear(24, 10)

    def forward(self, x: Tensor) -> Tensor:
        """Return probabilities for images ``[n, 3, 64, 64]``."""
        x = F.hardswish(self.stem(x))
        x = x + self.narrow(self.squeeze(F.hardswish(self.deep(F.hardswish(self.wide(x))))))
        return self.head(self.down(x).mean((2, 3))).softmax(1)


class Residual(nn.Module):
    """Blocks of ResNet: pooling with paddings, a shortcut that strides, grouped convolutions."""

    def __init__(self) -> None:
        super().__init__()
        self.stem, self.first = _unit(3, 16, 7, 2), nn.Sequential(_unit(16, 16), nn.ReLU(), _unit(16, 16, groups=4))
        self.second, self.shortcut = nn.Sequential(_unit(16, 32, 3, 2), nn.ReLU(), _unit(32, 32)), _unit(16, 32, 1, 2)
        self.head = nn.Linear(32, 10)

    def forward(self, x: Tensor) -> Tensor:
        """Return logits ``[n, 10]`` for images ``[n, 3, 64, 64]``."""
        x = F.max_pool2d(F.relu(self.stem(x)), 3, 2, 1)
        x = F.relu(x + self.first(x))
        x = F.relu(self.shortcut(x) + self.second(x))
        return self.head(F.adaptive_avg_pool2d(x, 1).flatten(1))


class Attention(nn.Module):
    """A block of a transformer: attention and two layers of a perceptron, normed before."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads, self.norm1, self.norm2 = heads, nn.LayerNorm(width), nn.LayerNorm(width)
        self.qkv, self.out = nn.Linear(width, 3 * width), nn.Linear(width, width)
        self.mlp = nn.Sequential(nn.Linear(width, 2 * width), nn.GELU(), nn.Linear(2 * width, width))

    def forward(self, x: Tensor) -> Tensor:
        """Return features ``[n, t, width]`` for features of this shape."""
        n, t, width = x.shape
        q, k, v = self.qkv(self.norm1(x)).reshape(n, t, 3, self.heads, width // self.heads).permute(2, 0, 3, 1, 4)
        scores = (q @ k.transpose(-2, -1)) * (width // self.heads) ** -0.5
        x = x + self.out((scores.softmax(-1) @ v).transpose(1, 2).reshape(n, t, width))
        return x + self.mlp(self.norm2(x))


class Transformer(nn.Module):
    """A small ViT: patches by a convolution, a class token, two blocks."""

    def __init__(self) -> None:
        super().__init__()
        self.patches, self.token = nn.Conv2d(3, 32, 8, 8), nn.Parameter(torch.randn(1, 1, 32))
        self.places = nn.Parameter(torch.randn(1, 17, 32))
        self.blocks, self.norm = nn.Sequential(Attention(32, 4), Attention(32, 4)), nn.LayerNorm(32)
        self.head = nn.Linear(32, 10)

    def forward(self, x: Tensor) -> Tensor:
        """Return logits ``[n, 10]`` for images ``[n, 3, 32, 32]``."""
        x = self.patches(x).flatten(2).transpose(1, 2)
        x = torch.cat([self.token.expand(x.shape[0], -1, -1), x], 1) + self.places
        return self.head(self.norm(self.blocks(x))[:, 0])


class Tagger(nn.Module):
    """Words to tags: an embedding, an LSTM in both directions, a GRU."""

    def __init__(self) -> None:
        super().__init__()
        self.words, self.lstm = nn.Embedding(100, 24), nn.LSTM(24, 16, batch_first=True, bidirectional=True)
        self.gru, self.head = nn.GRU(32, 16, batch_first=True), nn.Linear(16, 8)

    def forward(self, x: Tensor) -> Tensor:
        """Numbers of words ``[n, t]`` to logarithms of probabilities ``[n, t, 8]``."""
        return self.head(self.gru(self.lstm(self.words(x))[0])[0]).log_softmax(-1)


class Segmenter(nn.Module):
    """A U-Net: transposed convolution, resizing, pixel shuffle, concatenations."""

    def __init__(self) -> None:
        super().__init__()
        self.enter, self.down, self.bottom = _unit(3, 16), _unit(16, 32), _unit(32, 32)
        self.up, self.middle, self.out = (
            nn.ConvTranspose2d(32, 16, 2, 2),
            _unit(48, 32),
            nn.Conv2d(48, 12, 3, padding=1),
        )

    def forward(self, x: Tensor) -> Tensor:
        """Return images ``[n, 3, 64, 64]`` for images ``[n, 3, 32, 32]``."""
        high = F.leaky_relu(self.enter(x), 0.1)
        middle = F.elu(self.down(F.max_pool2d(high, 2)))
        low = F.relu(self.bottom(F.avg_pool2d(middle, 2)))
        x = F.relu(self.middle(torch.cat([self.up(low), middle], 1)))
        x = F.interpolate(x, scale_factor=2, mode="bilinear", align_corners=False)
        return torch.sigmoid(F.pixel_shuffle(self.out(torch.cat([x, high], 1)), 2))


class Detector(nn.Module):
    """A head as in YOLO: three scales, SiLU, boxes decoded by points of a grid, scores beside them."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Sequential(_unit(3, 16, 3, 2), nn.SiLU(), _unit(16, 32, 3, 2), nn.SiLU())
        self.low, self.high = _unit(32, 32, 3, 2), _unit(64, 32)
        self.heads = nn.ModuleList(nn.Conv2d(32, 4 + 6, 1) for _ in range(2))

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Return boxes ``[n, p, 4]`` and scores ``[n, p, 6]`` for images ``[n, 3, 64, 64]``."""
        fine = self.stem(x)
        coarse = F.silu(self.low(fine))
        fine = F.silu(self.high(torch.cat([F.interpolate(coarse, scale_factor=2.0), fine], 1)))
        boxes: list[Tensor] = []
        scores: list[Tensor] = []
        for head, features, stride in zip(self.heads, (fine, coarse), (4, 8), strict=True):
            y, size = head(features), features.shape[-1]
            line = torch.arange(size, dtype=torch.float32)
            grid = torch.stack(torch.meshgrid(line, line, indexing="xy"))[None]
            centers = (y[:, :2].sigmoid() * 2 - 0.5 + grid) * stride
            boxes.append(torch.cat([centers, y[:, 2:4].exp() * stride], 1).flatten(2).transpose(1, 2))
            scores.append(y[:, 4:].flatten(2).transpose(1, 2).sigmoid())
        return torch.cat(boxes, 1), torch.cat(scores, 1)


NETS: dict[str, tuple[Callable[[], nn.Module], tuple[int, ...]]] = {
    "mobile": (Mobile, (1, 3, 64, 64)),
    "residual": (Residual, (1, 3, 64, 64)),
    "transformer": (Transformer, (1, 3, 32, 32)),
    "tagger": (Tagger, (1, 12)),
    "segmenter": (Segmenter, (1, 3, 32, 32)),
    "detector": (Detector, (1, 3, 64, 64)),
}
"""The networks, and the shapes of their inputs."""


def build(name: str) -> tuple[nn.Module, list[Tensor]]:
    """Make a network, and samples of its input."""
    torch.random.manual_seed(0)  # pyright: ignore[reportUnknownMemberType]
    make, shape = NETS[name]
    module = honest(make())
    if name == "tagger":
        return module, [torch.randint(0, 100, shape) for _ in range(8)]
    return module, [torch.randn(shape) for _ in range(8)]

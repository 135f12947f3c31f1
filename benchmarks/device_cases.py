"""Small modules in PyTorch, of one or two operations each, whose forms devices refuse or compute wrong.

Windows, paddings, groups, deconvolutions, resizes, norms, activations, shuffles, reductions, positions: each with odd
sizes, several images and channels that are no multiples of four.
"""

# PyTorch's functions, and arrays of runtimes, are partly untyped
# pyright: reportUnknownMemberType=false, reportUnknownArgumentType=false, reportUnknownVariableType=false
# pyright: reportUnknownLambdaType=false

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812 -- PyTorch's own convention

from benchmarks.torch_nets import honest


class Function(nn.Module):
    """A function of tensors as a module without parameters."""

    def __init__(self, function: Callable[..., Any]) -> None:
        super().__init__()
        self.function = function

    def forward(self, *args: Tensor) -> Any:
        """Call the function on the inputs; a tuple of tensors becomes several outputs."""
        return self.function(*args)


Case = tuple[Callable[[], nn.Module], tuple[tuple[int, ...], ...]]
"""How a module is made, and the shapes of its inputs."""

IMAGE, PAIR, ODD, LINE, VOLUME = (1, 3, 12, 12), (2, 8, 9, 7), (1, 6, 7, 5), (1, 6, 15), (1, 3, 5, 6, 7)


def _of(function: Callable[..., Any], *shapes: tuple[int, ...]) -> Case:
    return partial(Function, function), shapes


def _chain(*parts: Callable[[], nn.Module], shape: tuple[int, ...] = IMAGE) -> Case:
    return (lambda: nn.Sequential(*(part() for part in parts))), (shape,)


def cases() -> dict[str, Case]:
    """Return by name how each module is made, and the shapes of its inputs."""
    return dict(
        (*_pools(), *_convolutions(), *_paddings(), *_resizes(), *_norms(), *_activations(), *_moves(), *_others())
    )


def build(name: str) -> tuple[nn.Module, list[tuple[int, ...]]]:
    """Make a module, and say which shapes its inputs have."""
    torch.random.manual_seed(0)  # pyright: ignore[reportUnknownMemberType]
    make, shapes = cases()[name]
    return honest(make()), list(shapes)


def _pools() -> Iterator[tuple[str, Case]]:
    means: dict[str, dict[str, Any]] = {
        "3": {"kernel_size": 3},
        "3 by 1": {"kernel_size": 3, "stride": 1},
        "padded": {"kernel_size": 3, "stride": 2, "padding": 1},
        "padded, own count": {"kernel_size": 3, "stride": 2, "padding": 1, "count_include_pad": False},
        "up": {"kernel_size": 3, "stride": 2, "ceil_mode": True},
        "padded up": {"kernel_size": 3, "stride": 2, "padding": 1, "ceil_mode": True},
        "padded up, own count": {
            "kernel_size": (3, 2),
            "stride": (2, 2),
            "padding": (1, 0),
            "ceil_mode": True,
            "count_include_pad": False,
        },
        "divisor": {"kernel_size": 2, "divisor_override": 3},
        "oblong": {"kernel_size": (1, 5), "stride": (1, 2), "padding": (0, 2)},
    }
    for name, given in means.items():
        yield f"AvgPool2d {name}", ((lambda g=given: nn.AvgPool2d(**g)), (IMAGE,))
        yield f"AvgPool2d {name}, pair", ((lambda g=given: nn.AvgPool2d(**g)), (PAIR,))
    largest: dict[str, dict[str, Any]] = {
        "2": {"kernel_size": 2},
        "padded": {"kernel_size": 3, "stride": 2, "padding": 1},
        "up": {"kernel_size": 3, "stride": 2, "ceil_mode": True},
        "padded up": {"kernel_size": 3, "stride": 2, "padding": 1, "ceil_mode": True},
        "dilated": {"kernel_size": 3, "stride": 1, "dilation": 2},
        "dilated padded": {"kernel_size": 3, "stride": 2, "dilation": 2, "padding": 1},
    }
    for name, given in largest.items():
        yield f"MaxPool2d {name}", ((lambda g=given: nn.MaxPool2d(**g)), (IMAGE,))
        yield f"MaxPool2d {name}, pair", ((lambda g=given: nn.MaxPool2d(**g)), (PAIR,))
    yield "MaxPool2d after zeros", _chain(lambda: nn.ZeroPad2d(1), lambda: nn.MaxPool2d(3, 2))
    yield "MaxPool2d with positions", _of(lambda x: F.max_pool2d(x, 2, return_indices=True), IMAGE)
    yield "LPPool2d", ((lambda: nn.LPPool2d(2, 3)), (IMAGE,))
    yield "AvgPool1d", ((lambda: nn.AvgPool1d(3, 2, 1)), (LINE,))
    yield "MaxPool1d", ((lambda: nn.MaxPool1d(3, 2, 1)), (LINE,))
    yield "AvgPool3d", ((lambda: nn.AvgPool3d(2, padding=1)), (VOLUME,))
    yield "MaxPool3d", ((lambda: nn.MaxPool3d(2)), (VOLUME,))
    for size in (1, 3, (2, 5)):
        yield f"AdaptiveAvgPool2d {size}", ((lambda s=size: nn.AdaptiveAvgPool2d(s)), (PAIR,))
        yield f"AdaptiveMaxPool2d {size}", ((lambda s=size: nn.AdaptiveMaxPool2d(s)), (PAIR,))


def _convolutions() -> Iterator[tuple[str, Case]]:
    convs: dict[str, tuple[tuple[Any, ...], dict[str, Any], tuple[int, ...]]] = {
        "3": ((3, 5, 3), {}, IMAGE),
        "padded": ((3, 5, 3), {"padding": 1}, IMAGE),
        "by 2": ((3, 5, 3, 2), {"padding": 1}, IMAGE),
        "by 3, pair": ((8, 5, 3, 3), {"padding": 1}, PAIR),
        "by 4": ((3, 5, 4, 4), {}, IMAGE),
        "oblong": ((6, 4, (1, 5)), {"padding": (0, 2)}, ODD),
        "dilated": ((3, 5, 3), {"dilation": 2, "padding": 2}, IMAGE),
        "dilated one way": ((6, 4, 3), {"dilation": (2, 1), "padding": (2, 1)}, ODD),
        "dilated by 2": ((3, 4, 3, 2), {"dilation": 2, "padding": 1}, IMAGE),
        "without bias": ((3, 5, 3), {"bias": False}, IMAGE),
        "groups 2": ((6, 4, 3), {"groups": 2}, ODD),
        "groups 3": ((6, 9, 3), {"groups": 3, "padding": 1}, ODD),
        "groups of 4": ((8, 8, 3), {"groups": 2}, PAIR),
        "groups of 4 to 3": ((8, 6, 3), {"groups": 2}, PAIR),
        "depthwise": ((6, 6, 3), {"groups": 6, "padding": 1}, ODD),
        "depthwise times 2": ((6, 12, 3), {"groups": 6, "padding": 1}, ODD),
        "depthwise times 3 by 2": ((6, 18, 3, 2), {"groups": 6}, ODD),
        "depthwise dilated": ((6, 6, 3), {"groups": 6, "dilation": 2, "padding": 2}, ODD),
        "depthwise oblong strides": ((6, 6, 3, (2, 1)), {"groups": 6, "padding": 1}, ODD),
        "reflected": ((6, 5, 3), {"padding": 1, "padding_mode": "reflect"}, ODD),
        "replicated": ((6, 5, 3), {"padding": 1, "padding_mode": "replicate"}, ODD),
        "circular": ((6, 5, 3), {"padding": 1, "padding_mode": "circular"}, ODD),
    }
    for name, (sizes, given, shape) in convs.items():
        yield f"Conv2d {name}", ((lambda s=sizes, g=given: nn.Conv2d(*s, **g)), (shape,))
    yield "Conv2d uneven", _chain(lambda: nn.ZeroPad2d((0, 1, 0, 1)), lambda: nn.Conv2d(3, 5, 3, 2))
    yield "Conv2d after ones", _chain(lambda: nn.ConstantPad2d(1, 1.5), lambda: nn.Conv2d(3, 5, 3))
    yield "Conv2d depthwise after ones", _chain(lambda: nn.ConstantPad2d(1, 1.5), lambda: nn.Conv2d(3, 3, 3, groups=3))
    yield "Conv2d computed", _of(F.conv2d, (1, 4, 8, 8), (6, 4, 3, 3))
    yield "Conv2d and tanh", _chain(lambda: nn.Conv2d(3, 5, 3), nn.Tanh)
    yield "Conv2d and relu6", _chain(lambda: nn.Conv2d(3, 5, 3), nn.ReLU6)
    yield "Conv1d", ((lambda: nn.Conv1d(6, 5, 3, 2, 1)), (LINE,))
    yield "Conv1d dilated groups", ((lambda: nn.Conv1d(6, 6, 3, dilation=4, groups=3, padding=4)), (LINE,))
    yield "Conv3d", ((lambda: nn.Conv3d(3, 4, 3, padding=1)), (VOLUME,))
    transposed: dict[str, tuple[tuple[Any, ...], dict[str, Any]]] = {
        "2 by 2": ((6, 4, 2, 2), {}),
        "3 by 1": ((6, 4, 3), {"padding": 1}),
        "3 by 2": ((6, 4, 3, 2), {}),
        "3 by 2, padded": ((6, 4, 3, 2), {"padding": 1}),
        "3 by 2, whole": ((6, 4, 3, 2), {"padding": 1, "output_padding": 1}),
        "4 by 2": ((6, 4, 4, 2), {"padding": 1}),
        "3 by 3": ((6, 4, 3, 3), {}),
        "5 by 3": ((6, 4, 5, 3), {"padding": 1}),
        "4 by 4": ((6, 4, 4, 4), {}),
        "2 by 3": ((6, 4, 2, 3), {}),
        "oblong": ((6, 4, (3, 2), (2, 1)), {}),
        "groups": ((6, 6, 3, 2), {"groups": 2, "padding": 1}),
        "depthwise": ((6, 6, 4, 2), {"groups": 6, "padding": 1}),
        "dilated": ((6, 4, 3, 2), {"dilation": 2}),
        "without bias": ((6, 4, 3, 2), {"bias": False}),
    }
    for name, (sizes, given) in transposed.items():
        yield f"ConvTranspose2d {name}", ((lambda s=sizes, g=given: nn.ConvTranspose2d(*s, **g)), (ODD,))
    yield "ConvTranspose2d pair", ((lambda: nn.ConvTranspose2d(8, 5, 3, 2, 1)), (PAIR,))
    yield "ConvTranspose2d relu", _chain(lambda: nn.ConvTranspose2d(3, 5, 3, 2, 1), nn.ReLU)
    yield "ConvTranspose1d", ((lambda: nn.ConvTranspose1d(6, 5, 4, 2, 1)), (LINE,))
    yield "ConvTranspose3d", ((lambda: nn.ConvTranspose3d(3, 4, 2, 2)), (VOLUME,))


def _paddings() -> Iterator[tuple[str, Case]]:
    yield "ZeroPad2d", ((lambda: nn.ZeroPad2d((1, 2, 0, 3))), (IMAGE,))
    yield "ConstantPad2d", ((lambda: nn.ConstantPad2d((1, 2, 0, 3), -2.5)), (PAIR,))
    yield "ReflectionPad2d", ((lambda: nn.ReflectionPad2d((2, 1, 3, 2))), (IMAGE,))
    yield "ReplicationPad2d", ((lambda: nn.ReplicationPad2d((2, 1, 3, 2))), (PAIR,))
    yield "CircularPad2d", ((lambda: nn.CircularPad2d(2)), (ODD,))
    yield "pad cut", _of(lambda x: F.pad(x, (-1, 2, 1, -2)), IMAGE)
    yield "pad channels", _of(lambda x: F.pad(x, (0, 0, 0, 0, 1, 2)), IMAGE)
    yield "pad batch", _of(lambda x: F.pad(x, (0, 0, 0, 0, 0, 0, 1, 0)), IMAGE)
    yield "pad table", _of(lambda x: F.pad(x, (1, 2), value=0.5), (5, 6))
    yield "pad line", ((lambda: nn.ReflectionPad1d(3)), (LINE,))
    yield "pad volume", ((lambda: nn.ConstantPad3d(1, 0.5)), (VOLUME,))


def _resizes() -> Iterator[tuple[str, Case]]:
    for mode in ("nearest", "bilinear", "bicubic", "area", "nearest-exact"):
        for factor in (2, 3, 4, 1.5, 0.5, (2, 3)):
            yield f"{mode} {factor}", _of(lambda x, m=mode, f=factor: F.interpolate(x, scale_factor=f, mode=m), ODD)
    for mode in ("bilinear", "bicubic"):
        for size in ((13, 9), (14, 10), (7, 11), (3, 2), (1, 1)):
            function = partial(F.interpolate, size=size, mode=mode, align_corners=True)
            yield f"{mode} {size} corners", _of(function, ODD)
    yield "bilinear pair", _of(lambda x: F.interpolate(x, scale_factor=2, mode="bilinear"), PAIR)
    yield "bilinear smoothed", _of(lambda x: F.interpolate(x, size=(5, 4), mode="bilinear", antialias=True), PAIR)
    yield "linear line", _of(lambda x: F.interpolate(x, scale_factor=2, mode="linear"), LINE)
    yield "nearest line", _of(lambda x: F.interpolate(x, scale_factor=3), LINE)
    yield "nearest volume", _of(lambda x: F.interpolate(x, scale_factor=2), VOLUME)


def _norms() -> Iterator[tuple[str, Case]]:
    yield "BatchNorm2d", ((lambda: nn.BatchNorm2d(6)), (ODD,))
    yield "BatchNorm1d", ((lambda: nn.BatchNorm1d(6)), ((3, 6),))
    yield "LayerNorm", ((lambda: nn.LayerNorm(10)), ((2, 5, 10),))
    yield "LayerNorm image", ((lambda: nn.LayerNorm([6, 7, 5])), (ODD,))
    yield "GroupNorm", ((lambda: nn.GroupNorm(3, 6)), (ODD,))
    yield "GroupNorm pair", ((lambda: nn.GroupNorm(2, 8)), (PAIR,))
    yield "InstanceNorm2d", ((lambda: nn.InstanceNorm2d(8, affine=True)), (PAIR,))
    yield "InstanceNorm1d", ((lambda: nn.InstanceNorm1d(6)), (LINE,))
    yield "RMSNorm", ((lambda: nn.RMSNorm(10)), ((2, 5, 10),))
    yield "LocalResponseNorm", ((lambda: nn.LocalResponseNorm(3)), (ODD,))
    yield "normalize", _of(F.normalize, ODD)
    yield "normalize last", _of(partial(F.normalize, dim=-1), (3, 7))
    yield "cosine_similarity", _of(F.cosine_similarity, (3, 7), (3, 7))


def _activations() -> Iterator[tuple[str, Case]]:
    plain = "ReLU ReLU6 LeakyReLU ELU SELU CELU GELU SiLU Mish Hardswish Hardsigmoid Hardtanh Sigmoid Tanh Softplus"
    for name in f"{plain} Softsign LogSigmoid Tanhshrink Softshrink Hardshrink GLU".split():
        shape = PAIR if name == "GLU" else ODD
        yield name, ((lambda n=name: getattr(nn, n)(*([1] if n == "GLU" else []))), (shape,))
    yield "GELU tanh", ((lambda: nn.GELU("tanh")), (PAIR,))
    yield "PReLU", ((lambda: nn.PReLU(6)), (ODD,))
    yield "PReLU single", ((nn.PReLU), ((3, 7),))
    yield "Threshold", ((lambda: nn.Threshold(0.1, -2.0)), (ODD,))
    for axis in (0, 1, 2, 3):
        yield f"softmax {axis}", _of(partial(torch.softmax, dim=axis), PAIR)
    for axis in (1, 3):
        yield f"log_softmax {axis}", _of(partial(torch.log_softmax, dim=axis), PAIR)
    yield "softmax line", _of(partial(torch.softmax, dim=1), LINE)
    yield "softmin table", _of(partial(F.softmin, dim=0), (5, 6))
    for name in ("abs", "neg", "exp", "sin", "cos", "floor", "ceil", "round", "sign", "square", "erf", "tan", "atan"):
        yield name, _of(getattr(torch, name), ODD)
    for name in ("sqrt", "log", "rsqrt", "reciprocal", "log1p", "log2"):
        yield name, _of(lambda x, n=name: getattr(torch, n)(x.abs() + 0.5), ODD)
    yield "pow", _of(lambda x: x.abs() ** 1.7, ODD)
    yield "cube", _of(lambda x: x**3, ODD)
    yield "clamp", _of(lambda x: x.clamp(-0.5, 0.7), ODD)


def _moves() -> Iterator[tuple[str, Case]]:
    yield "PixelShuffle", ((lambda: nn.PixelShuffle(2)), (PAIR,))
    yield "PixelShuffle 3", ((lambda: nn.PixelShuffle(3)), ((1, 9, 4, 5),))
    yield "PixelShuffle after Conv2d", _chain(lambda: nn.Conv2d(3, 12, 3), lambda: nn.PixelShuffle(2))
    yield "PixelUnshuffle", ((lambda: nn.PixelUnshuffle(2)), (IMAGE,))
    yield "ChannelShuffle", ((lambda: nn.ChannelShuffle(3)), (ODD,))
    yield "ChannelShuffle pair", ((lambda: nn.ChannelShuffle(2)), (PAIR,))
    yield "windows", _of(lambda x: x.reshape(1, 3, 3, 4, 3, 4).permute(0, 2, 4, 3, 5, 1).reshape(9, 16, 3), IMAGE)
    for order in ((0, 2, 3, 1), (0, 3, 1, 2), (1, 0, 2, 3), (3, 2, 1, 0)):
        yield f"permute {order}", _of(lambda x, o=order: x.permute(*o) * 2, PAIR)
    yield "flatten", _of(lambda x: x.flatten(1), PAIR)
    yield "reshape", _of(lambda x: x.reshape(2, 4, 18, 7), PAIR)
    for axis in (0, 1, 2, 3):
        yield f"flip {axis}", _of(partial(torch.flip, dims=(axis,)), PAIR)
        yield f"roll {axis}", _of(partial(torch.roll, shifts=2, dims=axis), PAIR)
        yield f"cat {axis}", _of(lambda x, y, a=axis: torch.cat([x, y, x], a), PAIR, PAIR)
        yield f"split {axis}", _of(lambda x, a=axis: torch.split(x, 3, a)[0] * 2, PAIR)
        yield f"select {axis}", _of(lambda x, a=axis: x.select(a, 1), PAIR)
    yield "cat uneven", _of(lambda x, y: torch.cat([x, y], 1), (1, 3, 5, 5), (1, 6, 5, 5))
    yield "stack", _of(lambda x, y: torch.stack([x, y], 1), (2, 3, 5), (2, 3, 5))
    yield "chunk and add", _of(lambda x: sum(x.chunk(3, 1)), ODD)
    yield "slice", _of(lambda x: x[:, 1:5, ::2, 1:], ODD)
    yield "slice from the end", _of(lambda x: x[:, -3:, :-1], ODD)
    yield "repeat", _of(lambda x: x.repeat(1, 2, 1, 3), ODD)
    yield "expand", _of(lambda x: x.expand(2, 3, 5) + 1, (2, 1, 5))
    yield "repeat_interleave", _of(lambda x: x.repeat_interleave(2, 2), ODD)
    yield "unfold", _of(lambda x: F.unfold(x, 3, padding=1), ODD)
    yield "fold", _of(lambda x: F.fold(x, (6, 6), 2, stride=2), (1, 12, 9))
    yield "tril", _of(torch.tril, (1, 2, 5, 5))
    yield "patches", _of(lambda x: x.unfold(2, 4, 4).unfold(3, 4, 4), IMAGE)


def _others() -> Iterator[tuple[str, Case]]:
    for axes in ((0,), (1,), (2,), (3,), (2, 3), (1, 2), (0, 3), (1, 2, 3)):
        for name in ("mean", "sum", "amax", "amin"):
            yield f"{name} {axes}", _of(lambda x, n=name, a=axes: getattr(torch, n)(x, dim=a), PAIR)
    for axis in (0, 1, 3):
        yield f"prod {axis}", _of(partial(torch.prod, dim=axis), PAIR)
        yield f"argmax {axis}", _of(lambda x, a=axis: x.argmax(a), PAIR)
        yield f"argmin {axis}", _of(lambda x, a=axis: x.argmin(a), PAIR)
        yield f"cumsum {axis}", _of(partial(torch.cumsum, dim=axis), PAIR)
        yield f"std {axis}", _of(partial(torch.std, dim=axis), PAIR)
        yield f"logsumexp {axis}", _of(partial(torch.logsumexp, dim=axis), PAIR)
        yield f"norm {axis}", _of(partial(torch.linalg.vector_norm, dim=axis), PAIR)
    yield "topk", _of(lambda x: x.topk(3, -1), (2, 9))
    yield "max and position", _of(lambda x: x.max(1), (2, 9))
    yield "Linear", ((lambda: nn.Linear(7, 5)), ((3, 7),))
    yield "Linear in 3 axes", ((lambda: nn.Linear(7, 5)), ((2, 3, 7),))
    yield "Linear in 4 axes", ((lambda: nn.Linear(5, 6)), ((*PAIR[:3], 5),))
    yield "Bilinear", ((lambda: nn.Bilinear(4, 5, 3)), ((2, 4), (2, 5)))
    yield "matmul", _of(torch.matmul, (2, 3, 4), (2, 4, 5))
    yield "matmul broadcast", _of(torch.matmul, (2, 3, 4), (4, 5))
    yield "matmul of itself", _of(lambda x: x @ x.transpose(1, 2), (2, 5, 4))
    yield "matmul from the left", (lambda: _Left(), ((2, 6, 4),))
    yield "einsum", _of(lambda x, y: torch.einsum("bhqd,bhkd->bhqk", x, y), (1, 2, 5, 4), (1, 2, 6, 4))
    yield "attention", _of(F.scaled_dot_product_attention, *[(1, 2, 5, 4)] * 3)
    yield "attention causal", _of(partial(F.scaled_dot_product_attention, is_causal=True), *[(1, 2, 5, 4)] * 3)
    yield "MultiheadAttention", ((lambda: _SelfAttention(8, 2)), ((1, 5, 8),))
    for left, right in (
        ((1, 6, 7, 5), (1, 6, 1, 1)),
        ((1, 6, 7, 5), (5,)),
        ((2, 3, 1), (1, 3, 4)),
        ((3, 1), (2, 1, 4)),
    ):
        for name in ("add", "sub", "mul", "div", "maximum", "minimum"):
            yield f"{name} {left} {right}", _of(getattr(torch, name), left, right)
    yield "add constants", (lambda: _Shifted((3, 1)), ((2, 3, 4),))
    yield "add channels", (lambda: _Shifted((6, 1, 1)), (ODD,))
    yield "double", _of(lambda x: x + x, ODD)
    yield "where", _of(lambda x, y: torch.where(x > 0, x, y), ODD, ODD)
    yield "where single", _of(lambda x: torch.where(x > 0, x, -1.5), ODD)
    yield "where broadcast", _of(lambda x, y: torch.where(x > 0, y, x), (1, 6, 1, 1), ODD)
    yield "masked_fill", _of(lambda x, y: x.masked_fill(y < 0, -9.0), (2, 5, 5), (2, 1, 5))
    yield "gather rows", _of(lambda x: x[:, [2, 0, 1]], PAIR)
    yield "Embedding", ((lambda: _Looked(10, 6)), ((1, 7),))
    yield "fmod", _of(lambda x: torch.fmod(x, 0.7), ODD)
    yield "remainder", _of(lambda x: torch.remainder(x, 0.7), ODD)
    yield "LSTM", ((lambda: _First(nn.LSTM(5, 6, batch_first=True))), ((1, 4, 5),))
    yield "GRU both ways", ((lambda: _First(nn.GRU(5, 6, batch_first=True, bidirectional=True))), ((2, 3, 5),))
    yield "grid_sample", _of(partial(F.grid_sample, align_corners=False), ODD, (1, 4, 3, 2))


class _First(nn.Module):
    """The sequence that a recurrent layer returns, without its states."""

    def __init__(self, layer: nn.Module) -> None:
        super().__init__()
        self.layer = layer

    def forward(self, x: Tensor) -> Tensor:
        return self.layer(x)[0]


class _Left(nn.Module):
    """A constant matrix before several others."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.randn(5, 6))

    def forward(self, x: Tensor) -> Tensor:
        return self.weight @ x


class _SelfAttention(nn.Module):
    """``nn.MultiheadAttention`` whose query, key and value are one sequence, without its weights."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.layer = nn.MultiheadAttention(width, heads, batch_first=True)

    def forward(self, x: Tensor) -> Tensor:
        return self.layer(x, x, x, need_weights=False)[0]


class _Shifted(nn.Module):
    """The sum of data and a random constant, whose shape broadcasts."""

    def __init__(self, shape: tuple[int, ...]) -> None:
        super().__init__()
        self.shift = nn.Parameter(torch.randn(shape))

    def forward(self, x: Tensor) -> Tensor:
        return x + self.shift


class _Looked(nn.Module):
    """Rows of a table at positions that data say."""

    def __init__(self, count: int, width: int) -> None:
        super().__init__()
        self.table = nn.Embedding(count, width)

    def forward(self, x: Tensor) -> Tensor:
        return self.table((x.abs() * 3).clamp(max=9).to(torch.int32))

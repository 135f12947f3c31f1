"""Random networks as PyTorch modules."""

# ruff: noqa: D102 -- methods are called like the kinds of steps, which say what they are

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from .network import Network, Size, Step


class TorchNetwork(nn.Module):
    """Runs the steps of a network; methods are called like their kinds."""

    def __init__(self, network: Network, seed: int) -> None:
        super().__init__()
        generator = torch.Generator().manual_seed(seed)
        self.network = network
        self.tensors: list[Tensor] = []
        self.layers = nn.ModuleList()
        for step in network.steps:
            self.layers.append(_layer(step))
        for parameter in self.parameters():
            parameter.data = torch.randn(parameter.shape, generator=generator) * 0.5

    def run(self, given: Sequence[Tensor]) -> tuple[Tensor, ...]:
        """Run all steps."""
        self.tensors = list(given)
        for step, layer in zip(self.network.steps, self.layers, strict=True):
            method: Callable[..., Tensor] = getattr(self, f"do_{step.kind}")
            operands = [self.tensors[v] for v in step.operands]
            more = {} if isinstance(layer, nn.Identity) else {"layer": layer}
            self.tensors.append(method(*operands, **step.given, **more))
        return tuple(self.tensors[v] for v in self.network.outputs)

    def sizes(self, sizes: Sequence[Size]) -> list[Any]:
        """Return sizes as PyTorch has them."""
        out: list[Any] = []
        for size in sizes:
            value: Any = size.factor
            for v, axis in size.reads:
                value = value * self.tensors[v].shape[axis]
            out.append(value // size.divisor if size.divisor != 1 else value)
        return out

    def do_unary(self, x: Tensor, *, function: str) -> Tensor:
        return getattr(torch, function)(x)

    def do_binary(self, x: Tensor, y: Tensor, *, function: str) -> Tensor:
        return getattr(torch, function)(x, y)

    def do_affine(self, x: Tensor, *, size: int, layer: Any) -> Tensor:
        return x * layer.weight[0] + layer.weight[1]

    def do_transpose(self, x: Tensor, *, perm: tuple[int, ...]) -> Tensor:
        return x.permute(perm)

    def do_reshape(self, x: Tensor, *, target: tuple[Size, ...]) -> Tensor:
        return x.reshape(self.sizes(target))

    def do_unsqueeze(self, x: Tensor, *, axis: int) -> Tensor:
        return x.unsqueeze(axis)

    def do_squeeze(self, x: Tensor, *, axis: int) -> Tensor:
        return x.squeeze(axis)

    def do_conv(self, x: Tensor, *, layer: nn.Module, **_: int) -> Tensor:
        return layer(x)

    def do_pool(self, x: Tensor, *, kernel: int, stride: int, mean: bool) -> Tensor:
        return (functional.avg_pool2d if mean else functional.max_pool2d)(x, kernel, stride)

    def do_upsample(self, x: Tensor) -> Tensor:
        return functional.interpolate(x, scale_factor=2, mode="nearest")

    def do_resize_like(self, x: Tensor, y: Tensor) -> Tensor:
        return functional.interpolate(x, size=y.shape[2:], mode="bilinear")

    def do_halve(self, x: Tensor, *, axis: int) -> Tensor:
        return x.narrow(axis, 0, x.shape[axis] // 2)

    def do_crop(self, x: Tensor, *, axis: int, low: int, high: int) -> Tensor:
        return x[(slice(None),) * axis + (slice(low, -high if high else None),)]

    def do_every_second(self, x: Tensor, *, axis: int, first: int) -> Tensor:
        return x[(slice(None),) * axis + (slice(first, None, 2),)]

    def do_concat(self, x: Tensor, y: Tensor, *, axis: int) -> Tensor:
        return torch.cat([x, y], axis)

    def do_linear(self, x: Tensor, *, layer: nn.Module, **_: int) -> Tensor:
        return layer(x)

    def do_scores(self, x: Tensor, y: Tensor) -> Tensor:
        return x @ y.transpose(-1, -2)

    def do_softmax(self, x: Tensor, *, axis: int) -> Tensor:
        return x.softmax(axis)

    def do_reduce(self, x: Tensor, *, function: str, axis: int, keep: bool) -> Tensor:
        if function == "max":
            return x.amax(axis, keepdim=keep)
        return getattr(x, function)(axis, keepdim=keep)

    def do_expand(self, x: Tensor, *, target: tuple[Size, ...]) -> Tensor:
        return x.expand(self.sizes(target))

    def do_tile(self, x: Tensor, *, axis: int, rank: int) -> Tensor:
        return x.repeat([2 if i == axis else 1 for i in range(rank)])

    def do_positions(self, x: Tensor, *, floats: bool) -> Tensor:
        return x + torch.arange(x.shape[-1], dtype=torch.float32 if floats else torch.int64)

    def do_pad_to_multiple(self, x: Tensor, *, axis: int, unit: int, rank: int) -> Tensor:
        lack = (x.shape[axis] + unit - 1) // unit * unit - x.shape[axis]
        return functional.pad(x, [0, 0] * (rank - axis - 1) + [0, lack])

    def do_norm(self, x: Tensor, *, layer: nn.Module, **_: int) -> Tensor:
        return layer(x)

    def do_recurrent(self, x: Tensor, *, layer: nn.Module, **_: int) -> Tensor:
        return layer(x)[0]

    def do_cumsum(self, x: Tensor, *, axis: int) -> Tensor:
        return x.cumsum(axis)

    def do_flip(self, x: Tensor, *, axis: int) -> Tensor:
        return x.flip(axis)

    def do_pyramid(self, x: Tensor) -> Tensor:
        return x + functional.interpolate(functional.avg_pool2d(x, 2), scale_factor=2, mode="nearest")

    def do_rescale(self, x: Tensor, *, ratio: float) -> Tensor:
        return functional.interpolate(x, scale_factor=ratio, mode="bilinear")

    def do_fix_length(self, x: Tensor, *, axis: int, size: int, rank: int) -> Tensor:
        return functional.pad(x, [0, 0] * (rank - axis - 1) + [0, size - x.shape[axis]])

    def do_tail(self, x: Tensor, *, axis: int, back: int) -> Tensor:
        return x[(slice(None),) * axis + (slice(x.shape[axis] // 2 - back, None),)]

    def do_swap_halves(self, x: Tensor, *, axis: int) -> Tensor:
        return torch.cat(x.chunk(2, axis)[::-1], axis)

    def do_causal(self, x: Tensor) -> Tensor:
        return x.tril()

    def do_shuffle(self, x: Tensor) -> Tensor:
        return functional.pixel_shuffle(x, 2)

    def do_roll(self, x: Tensor, *, axis: int) -> Tensor:
        return x.roll(-(x.shape[axis] // 2), axis)

    def do_stateful(self, x: Tensor, *, size: int, batch: Size, layer: nn.Module) -> Tensor:
        return layer(x, x.new_zeros(1, *self.sizes([batch]), 3))[0]


class OneInput(TorchNetwork):
    """Called with one tensor."""

    def forward(self, x: Tensor) -> tuple[Tensor, ...]:
        """Compute the results of the recorded steps."""
        return self.run([x])


class TwoInputs(TorchNetwork):
    """Called with two."""

    def forward(self, x: Tensor, z: Tensor) -> tuple[Tensor, ...]:
        """Compute the results of the recorded steps."""
        return self.run([x, z])


def _layer(step: Step) -> nn.Module:
    """Return the layer with the weights of a step."""
    given: Any = step.given
    match step.kind:
        case "affine":
            return nn.Linear(given["size"], 2, bias=False)
        case "linear":
            return nn.Linear(given["size"], given["out"])
        case "norm":
            return nn.LayerNorm(given["size"])
        case "recurrent" | "stateful":
            return nn.GRU(given["size"], 3)
        case "conv":
            layer: Any = nn.Conv1d if given["rank"] == 1 else nn.Conv2d
            return layer(*given["weights"][::-1], given["kernel"], given["stride"], given["pad"])
        case _:
            return nn.Identity()


def torch_module(network: Network, seed: int) -> TorchNetwork:
    """Return a network as a module."""
    return (OneInput if len(network.inputs) == 1 else TwoInputs)(network, seed).eval()

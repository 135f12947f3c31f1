"""PyTorch modules that change themselves: refused, or with their states as inputs and outputs."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from nhwcc.compiler.types import Array
from torch import Tensor, nn

import nhwcc
from nhwcc import CompileError
from nhwcc.artifact import Artifact


class Stream(nn.Module):
    """A convolution in time that goes on where the last call ended, and counts its calls."""

    count: Tensor
    tail: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("count", torch.zeros((), dtype=torch.int64))
        self.register_buffer("tail", torch.zeros(1, 3, 2))
        self.conv = nn.Conv1d(3, 4, 3)

    def forward(self, x: Tensor) -> Tensor:
        self.count += 1
        whole = torch.cat([self.tail, x], -1)
        self.tail.copy_(whole[..., -2:])
        return self.conv(whole) * self.count


class Assigned(nn.Module):
    """A state that is replaced by assignment."""

    hidden: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("hidden", torch.zeros(2, 4))
        self.step = nn.Linear(4, 4)

    def forward(self, x: Tensor) -> Tensor:
        self.hidden = torch.tanh(self.step(x) + self.hidden)
        return self.hidden * 2


class Ring(nn.Module):
    """A cache that is written at a position that moves on."""

    cache: Tensor
    at: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("cache", torch.zeros(1, 8, 4))
        self.register_buffer("at", torch.zeros(1, dtype=torch.int64))

    def forward(self, x: Tensor) -> Tensor:
        self.cache.index_copy_(1, self.at, x)
        self.at.add_(1)
        return self.cache.sum(1)


def follow(network: nn.Module, artifact: Artifact, shape: tuple[int, ...], states: dict[str, str]) -> None:
    """Call both three times in a row; ``states`` says which buffer an input is."""
    buffers = dict(network.named_buffers())
    kept: dict[str, Array] = {name: buffers[buffer].numpy().copy() for name, buffer in states.items()}
    name = artifact.report.inputs[0].name
    for _ in range(3):
        x = torch.randn(shape)
        with torch.no_grad():
            want = network(x)
        found = artifact(**{name: x.numpy()}, **kept)
        np.testing.assert_allclose(found["output"], want.numpy(), atol=1e-5)
        kept = {name: found[name] for name in states}
        for name_of, buffer in states.items():
            now = dict(network.named_buffers())[buffer]
            np.testing.assert_allclose(kept[name_of], now.numpy(), atol=1e-5)


@pytest.mark.parametrize(
    ("network", "shape", "states"),
    [
        (Stream(), (1, 3, 5), {"count": "count", "tail": "tail"}),
        (Ring(), (1, 1, 4), {"cache": "cache", "at": "at"}),
        (Assigned(), (2, 4), {"hidden": "hidden"}),
        (nn.Sequential(Assigned(), nn.ReLU()), (2, 4), {"0_hidden": "0.hidden"}),
    ],
)
def test_states_go_in_and_out(network: nn.Module, shape: tuple[int, ...], states: dict[str, str]) -> None:
    before = {name: b.clone() for name, b in network.named_buffers()}
    artifact = nhwcc.compile(network.eval(), args=(torch.randn(shape),), state="io", io_layout="keep")
    assert [p.name for p in artifact.report.inputs[1:]] == list(states)
    assert [p.name for p in artifact.report.outputs] == ["output", *states]
    for name, b in network.named_buffers():
        assert torch.equal(b, before[name]), "compiling changed the module"
    follow(network, artifact, shape, states)


def test_a_state_lies_in_the_file_as_it_comes_out() -> None:
    artifact = nhwcc.compile(Stream().eval(), args=(torch.randn(1, 3, 5),), state="io")
    ports = {p.name: p.layout for p in artifact.report.inputs}
    assert ports["tail"] == {p.name: p.layout for p in artifact.report.outputs}["tail"]


def test_a_program_has_states_too() -> None:
    program: Any = torch.export.export(Stream().eval(), (torch.randn(1, 3, 5),))
    for given in (program, program.run_decompositions()):
        names = [p.name for p in nhwcc.compile(given, state="io").report.inputs]
        assert names == ["x", "count", "tail"]


def test_states_are_refused_with_the_way_out() -> None:
    with pytest.raises(CompileError, match=r'count, tail(.|\n)*state="io"') as caught:
        nhwcc.compile(Stream().eval(), args=(torch.randn(1, 3, 5),))
    assert "eval()" not in str(caught.value)
    with pytest.raises(CompileError, match=r"F031(.|\n)*running_mean(.|\n)*Call .eval\(\)"):
        nhwcc.compile(nn.Sequential(nn.BatchNorm1d(3)), args=(torch.randn(2, 3, 5),))


class Overwriting(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        x.add_(1)
        return x * 2


def test_an_overwritten_input_is_warned_of_or_comes_out() -> None:
    artifact = nhwcc.compile(Overwriting(), args=(torch.randn(2, 3),))
    assert any("overwrites x" in r.text for r in artifact.report.remarks)
    artifact = nhwcc.compile(Overwriting(), args=(torch.randn(2, 3),), state="io")
    x = np.arange(6, dtype=np.float32).reshape(2, 3)
    found = artifact(x)
    np.testing.assert_array_equal(found["x"], x + 1)
    np.testing.assert_array_equal(found["output"], 2 * x + 2)

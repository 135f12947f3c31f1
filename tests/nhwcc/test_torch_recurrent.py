"""Recurrent layers of PyTorch as TFLite: every form, three calls in a row."""

# PyTorch's modules are only partly typed
# pyright: reportUnknownMemberType=false

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from nhwcc.compiler.diagnostics import CompileError
from torch import Tensor, nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence
from torch.utils import _pytree as pytree

import nhwcc

STEPS, BATCH, FEATURES, HIDDEN = 5, 2, 3, 4

OPTIONS: list[dict[str, Any]] = [
    {},
    {"bidirectional": True, "batch_first": True, "num_layers": 2},
    {"bias": False, "num_layers": 2, "dropout": 0.5},
]


class Packed(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.GRU(FEATURES, HIDDEN)

    def forward(self, x: Tensor, lengths: Tensor) -> Tensor:
        packed = pack_padded_sequence(x, lengths, enforce_sorted=False)
        return pad_packed_sequence(self.layer(packed)[0], total_length=STEPS)[0]


def follow(network: nn.Module, form: Any) -> None:
    artifact = nhwcc.compile(network, args=(torch.randn(BATCH, STEPS, FEATURES),), rnn=form, verify=False)
    names = [p.name for p in artifact.report.outputs]
    for _ in range(3):
        x = torch.randn(BATCH, STEPS, FEATURES)
        with torch.no_grad():
            wanted = pytree.tree_leaves(network(x))
        found = artifact(x.numpy())
        for name, want in zip(names, wanted, strict=True):
            np.testing.assert_allclose(found[name], want.numpy(), atol=2e-6)


@pytest.mark.parametrize("form", ["unroll", "while", "fused"])
@pytest.mark.parametrize("options", OPTIONS, ids=["plain", "both directions", "no bias"])
@pytest.mark.parametrize("make", [nn.LSTM, nn.GRU, nn.RNN])
def test_layers(make: Any, options: dict[str, Any], form: str) -> None:
    torch.manual_seed(0)
    follow(make(FEATURES, HIDDEN, **options).eval(), form)


@pytest.mark.parametrize("form", ["unroll", "while", "fused"])
def test_what_one_kind_alone_has(form: str) -> None:
    torch.manual_seed(0)
    follow(nn.LSTM(FEATURES, HIDDEN, proj_size=2, num_layers=2, bidirectional=True).eval(), form)
    follow(nn.RNN(FEATURES, HIDDEN, nonlinearity="relu").eval(), form)


def test_what_pytorch_refuses_is_refused() -> None:
    with pytest.raises(CompileError, match=r"R018(.|\n)*sequence length to be larger than 0"):
        nhwcc.compile(nn.LSTM(FEATURES, HIDDEN).eval(), args=(torch.randn(0, BATCH, FEATURES),))


def test_packed_sequences_are_refused() -> None:
    with pytest.raises(CompileError, match="F030"):
        nhwcc.compile(Packed().eval(), args=(torch.randn(STEPS, BATCH, FEATURES), torch.tensor([5, 3])))

"""Recurrent layers and cells against PyTorch, in the interpreter."""

# PyTorch's modules are only partly typed
# pyright: reportUnknownMemberType=false

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest
import torch
from nhwcc.compiler.diagnostics import CompileError
from nhwcc.compiler.ir import Module
from nhwcc.frontends.torch import import_torch
from torch import Tensor, nn
from torch.export import Dim
from torch.nn.utils.rnn import pack_padded_sequence
from torch_cases import check

STEPS, BATCH, FEATURES, HIDDEN = 5, 2, 3, 4


def kinds(module: Module) -> Counter[str]:
    return Counter(op.spec.name for op in module.walk())


LAYERS: dict[str, tuple[Any, dict[str, Any], int]] = {
    "lstm": (nn.LSTM, {}, 1),
    "lstm, two layers, both directions": (nn.LSTM, {"num_layers": 2, "bidirectional": True, "batch_first": True}, 4),
    "lstm without bias": (nn.LSTM, {"bias": False}, 1),
    "projected lstm": (nn.LSTM, {"proj_size": 2, "num_layers": 2, "bidirectional": True}, 4),
    "lstm without projected bias": (nn.LSTM, {"proj_size": 2, "bias": False}, 1),
    "gru": (nn.GRU, {}, 1),
    "gru, two layers, both directions": (nn.GRU, {"num_layers": 2, "bidirectional": True, "dropout": 0.5}, 4),
    "gru without bias": (nn.GRU, {"bias": False, "batch_first": True}, 1),
    "rnn": (nn.RNN, {"num_layers": 3}, 3),
    "rnn with relu": (nn.RNN, {"nonlinearity": "relu", "bidirectional": True, "bias": False}, 2),
}


@pytest.mark.parametrize("name", LAYERS)
def test_layer(name: str) -> None:
    make, options, count = LAYERS[name]
    torch.manual_seed(0)
    layer = make(FEATURES, HIDDEN, **options).eval()
    x = torch.randn(BATCH, STEPS, FEATURES) if options.get("batch_first") else torch.randn(STEPS, BATCH, FEATURES)
    module = check(layer, x)
    assert kinds(module)[make.__name__.lower()] == count


@pytest.mark.parametrize("make", [nn.LSTM, nn.GRU, nn.RNN])
def test_initial_states(make: Any) -> None:
    torch.manual_seed(0)
    layer = make(FEATURES, HIDDEN, num_layers=2).eval()
    h, c = torch.randn(2, BATCH, HIDDEN), torch.randn(2, BATCH, HIDDEN)
    check(layer, torch.randn(STEPS, BATCH, FEATURES), (h, c) if make is nn.LSTM else h)


@pytest.mark.parametrize("make", [nn.LSTMCell, nn.GRUCell, nn.RNNCell])
@pytest.mark.parametrize("bias", [True, False])
def test_cell(make: Any, bias: bool) -> None:
    torch.manual_seed(0)
    state = torch.randn(BATCH, HIDDEN)
    check(
        make(FEATURES, HIDDEN, bias).eval(),
        torch.randn(BATCH, FEATURES),
        (state, state) if make is nn.LSTMCell else state,
    )


class Tagger(nn.Module):
    """A layer among others, one of which PyTorch has to write anew."""

    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.LSTM(FEATURES, HIDDEN, batch_first=True, bidirectional=True)
        self.out = nn.Linear(2 * HIDDEN, 3)

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = self.out(self.layer(x)[0])
        special: Any = torch.special
        return special.entr(y.sigmoid())


def test_open_sizes_and_neighbours_without_handlers() -> None:
    torch.manual_seed(0)
    shapes = {"x": {0: Dim("batch"), 1: Dim("time")}}
    module = check(Tagger().eval(), torch.randn(BATCH, STEPS, FEATURES), dynamic_shapes=shapes)
    assert kinds(module)["lstm"] == 2
    assert str(module.main.args[0].type) == "f32[batch,time,3]"


def test_dropout_in_training_is_refused() -> None:
    layer = nn.LSTM(FEATURES, HIDDEN, num_layers=2, dropout=0.5).train()
    with pytest.raises(CompileError, match="drops out"):
        import_torch(layer, (torch.randn(STEPS, BATCH, FEATURES),))


class Packed(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.GRU(FEATURES, HIDDEN)

    def forward(self, x: Tensor, batch_sizes: Tensor, h: Tensor) -> Tensor:
        weights = list(self.layer.parameters())
        aten: Any = torch.ops.aten
        return aten.gru.data(x, batch_sizes, h, weights, True, 1, 0.0, False, False)[1]


def test_packed_sequences_are_refused() -> None:
    packed = pack_padded_sequence(torch.randn(STEPS, BATCH, FEATURES), torch.tensor([5, 3]))
    with pytest.raises(CompileError, match="padded tensor"):
        import_torch(Packed().eval(), (packed.data, packed.batch_sizes, torch.zeros(1, BATCH, HIDDEN)))


def test_export_leaves_pytorch_as_it_was() -> None:
    operator: Any = torch.ops.aten.gru.input
    before = dict(operator.py_kernels)
    import_torch(nn.GRU(FEATURES, HIDDEN).eval(), (torch.randn(STEPS, BATCH, FEATURES),))
    assert operator.py_kernels == before

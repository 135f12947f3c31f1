"""Operators that draw: what runs draws anew, from the distribution that PyTorch draws from."""

# what a lambda takes is a tensor, whose methods are only partly typed
# pyright: reportUnknownLambdaType=false, reportUnknownMemberType=false, reportUnknownArgumentType=false
# pyright: reportUnknownVariableType=false

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from nhwcc.compiler.interpreter import run
from nhwcc.compiler.ir import Module
from nhwcc.compiler.types import Array
from nhwcc.compiler.verify import verify
from nhwcc.frontends.torch import import_torch, to_array
from torch import Tensor
from torch_cases import Function

import nhwcc

COUNT = 20_000


def imported(function: Any, *args: Tensor) -> Module:
    module = import_torch(Function(function), args)
    verify(module)
    return module


def drawn(function: Any, *args: Tensor) -> tuple[Array, Array]:
    """What two runs give."""
    main = imported(function, *args).main
    given = [to_array(a) for a in args]
    return run(main, given)[0], run(main, given)[0]


FUNCTIONS: dict[str, Callable[[Tensor], Tensor]] = {
    "rand": lambda x: torch.rand(COUNT) + x,
    "rand_like": lambda x: torch.rand_like(x),
    "uniform_": lambda x: torch.empty_like(x).uniform_(-3, 5),
    "randn": lambda x: torch.randn(COUNT) + x,
    "randn_like": lambda x: torch.randn_like(x),
    "normal_": lambda x: torch.empty_like(x).normal_(2, 0.5),
    "normal of tensors": lambda x: torch.normal(x + 4, x + 2),
    "normal of a mean": lambda x: torch.normal(x + 4, 2.0),
    "normal of numbers": lambda x: torch.normal(4.0, 2.0, (COUNT,)) + x,
    "randint": lambda x: torch.randint(7, (COUNT,)) + x,
    "randint from": lambda x: torch.randint(-4, 3, (COUNT,)) + x,
    "randint_like": lambda x: torch.randint_like(x, 3, 9),
    "bernoulli": lambda x: torch.bernoulli(x + 0.3),
    "bernoulli_": lambda x: torch.empty_like(x).bernoulli_(0.8),
    "exponential_": lambda x: torch.empty_like(x).exponential_(2),
}


@pytest.mark.parametrize("name", FUNCTIONS)
def test_distributions(name: str) -> None:
    """Of so many numbers the mean and the quantiles are near those of what PyTorch draws, which run to run differ."""
    x = torch.zeros(COUNT)
    first, second = drawn(FUNCTIONS[name], x)
    assert not np.array_equal(first, second)
    torch.manual_seed(0)
    want = to_array(FUNCTIONS[name](x))
    assert first.dtype == want.dtype
    assert first.shape == want.shape
    scale = float(want.std())
    assert abs(float(first.mean()) - float(want.mean())) < 0.05 * scale
    for share in (0.1, 0.45, 0.9):
        near = np.quantile(want, [share - 0.02, share + 0.02])
        assert near[0] <= np.quantile(first, share) <= near[1]


def test_integers_fill_their_range() -> None:
    first, _ = drawn(lambda x: torch.randint_like(x, -2, 3, dtype=torch.int32), torch.zeros(500))
    assert first.dtype == np.int32
    assert set(first.tolist()) == {-2, -1, 0, 1, 2}


def test_orders() -> None:
    first, second = drawn(lambda x: torch.randperm(50) + x, torch.zeros(50, dtype=torch.int64))
    assert sorted(first.tolist()) == list(range(50))
    assert first.tolist() != second.tolist()


@pytest.mark.parametrize("replacement", [True, False])
def test_choices_follow_the_weights(replacement: bool) -> None:
    weights = torch.tensor([0.0, 1.0, 3.0, 4.0]).repeat(4000, 1)
    first, _ = drawn(lambda w: torch.multinomial(w, 2, replacement), weights)
    assert first.shape == (4000, 2)
    counts = np.bincount(first[:, 0], minlength=4) / 4000
    np.testing.assert_allclose(counts, [0, 1 / 8, 3 / 8, 1 / 2], atol=0.04)
    repeated = (first[:, 0] == first[:, 1]).mean()
    assert repeated > 0.3 if replacement else repeated == 0


def test_one_row_of_choices() -> None:
    first, _ = drawn(lambda w: torch.multinomial(w, 1), torch.tensor([0.0, 0.0, 2.0]))
    assert first.tolist() == [2]


def sample(mean: Tensor) -> tuple[Tensor, Tensor]:
    """As in a variational autoencoder, what is drawn around a mean; and choices."""
    return mean + torch.randn_like(mean) * 0.5, torch.multinomial(torch.softmax(mean[:1], -1), 3, True)


def test_a_sampling_network_draws_in_tflite() -> None:
    artifact = nhwcc.compile(Function(sample), args=(torch.full((50, 80), 3.0),), verify=False)
    first, second = (artifact(np.full((50, 80), 3, np.float32)) for _ in range(2))
    around, choices = first["output_0"], first["output_1"]
    assert not np.array_equal(around, second["output_0"])
    assert abs(float(around.mean()) - 3) < 0.05
    assert abs(float(around.std()) - 0.5) < 0.05
    assert choices.shape == (1, 3)
    assert ((choices >= 0) & (choices < 80)).all()

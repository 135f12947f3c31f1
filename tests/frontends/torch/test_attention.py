"""Attention and its masks."""

# what a lambda takes is a tensor, whose methods are only partly typed
# pyright: reportUnknownLambdaType=false, reportUnknownMemberType=false, reportUnknownArgumentType=false
# pyright: reportUnknownVariableType=false

from __future__ import annotations

import math

import torch
from nhwcc.passes.cse import Cse
from torch import Tensor
from torch.export import Dim
from torch.nn import functional as F  # noqa: N812 -- PyTorch's own convention
from torch_cases import Function, check


def test_attention_with_masks() -> None:
    q, k, v = (torch.randn(2, 3, 5, 4) for _ in range(3))
    check(Function(F.scaled_dot_product_attention), q, k, v)
    check(Function(lambda q, k, v: F.scaled_dot_product_attention(q, k, v, is_causal=True)), q, k, v)
    mask = torch.rand(5, 5) < 0.7
    mask[:, 0] = True
    check(Function(lambda q, k, v: F.scaled_dot_product_attention(q, k, v, attn_mask=mask)), q, k, v)


def test_a_query_without_keys_gets_zeros() -> None:
    q, k, v = (torch.randn(1, 2, 4, 4) for _ in range(3))
    mask = torch.rand(4, 4) < 0.5
    mask[1] = False
    check(Function(lambda q, k, v, m: F.scaled_dot_product_attention(q, k, v, attn_mask=m)), q, k, v, mask)


def test_masks_of_infinities_are_masks() -> None:
    q, k, v = (torch.randn(1, 2, 4, 4) for _ in range(3))
    mask = torch.zeros(1, 1, 4, 4).masked_fill(torch.rand(4, 4) < 0.5, -math.inf)
    mask[:, :, 1], mask[:, :, 2, :3] = -math.inf, -math.inf
    check(Function(lambda q, k, v, m: F.scaled_dot_product_attention(q, k, v, attn_mask=m)), q, k, v, mask)
    check(Function(lambda q, k, v: F.scaled_dot_product_attention(q, k, v, attn_mask=mask)), q, k, v)
    softmax = Function(lambda q, k, v, m: torch.softmax(q @ k.mT + m, -1) @ v)
    check(softmax, q, k, v, mask)  # without protection, rows without keys are NaN
    check(softmax, q, k, v, mask.clamp(min=torch.finfo().min))


def test_masks_that_hide_nothing_cost_nothing() -> None:
    q, k, v = (torch.randn(2, 3, 5, 4) for _ in range(3))

    def attend(q: Tensor, k: Tensor, v: Tensor) -> Tensor:
        mask = torch.ones(1, 1, 5, 5, dtype=torch.bool).expand(q.shape[0], -1, -1, -1)
        return F.scaled_dot_product_attention(q, k, v, attn_mask=mask)

    n = Dim("n", min=2)
    imported = check(Function(attend), q, k, v, dynamic_shapes=(({0: n},) * 3,))
    assert not {"select", "add", "broadcast_to"} & {op.spec.name for op in imported.walk()}


def test_layers_share_a_mask() -> None:
    q, k, v = (torch.randn(2, 3, 5, 4) for _ in range(3))

    def attend(q: Tensor, k: Tensor, v: Tensor, kept: Tensor) -> Tensor:
        mask = kept[:, None, None, :].expand(-1, 1, 5, -1)
        once = F.scaled_dot_product_attention(q, k, v, attn_mask=mask)
        return F.scaled_dot_product_attention(once, k, v, attn_mask=mask)

    imported = check(Function(attend), q, k, v, torch.rand(2, 5) < 0.5)
    Cse().run(imported)
    names = [op.spec.name for op in imported.walk()]
    assert (names.count("select"), names.count("reduce")) == (1, 1)

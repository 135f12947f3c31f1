"""Operators of torch.library: refused by name, or carried with everything that their kernels are told."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from nhwcc.compiler.diagnostics import CompileError
from nhwcc.compiler.ops.custom import Custom
from nhwcc.frontends.torch import export, read
from torch import Tensor, nn

LIBRARY: Any = torch.library.Library("nhwcc_test", "DEF")
LIBRARY.define(
    "spread(Tensor x, SymInt[] axes, Tensor[] others, float alpha=0.5, Tensor? bias=None) -> (Tensor, Tensor)"
)
LIBRARY.define("twice(Tensor x) -> Tensor")
LIBRARY.define("scale(Tensor x, SymInt by) -> Tensor")
LIBRARY.define("grow(Tensor(a!) x) -> ()")


def spread(
    x: Tensor, axes: list[int], others: list[Tensor], alpha: float = 0.5, bias: Tensor | None = None
) -> tuple[Tensor, Tensor]:
    return x * alpha, x.sum(axes)


def scale(x: Tensor, by: int = 2) -> Tensor:
    return x * by


def grow(x: Tensor) -> None:
    x.add_(1)


for name, function in (("spread", spread), ("twice", scale), ("scale", scale), ("grow", grow)):
    LIBRARY.impl(name, function, "CompositeExplicitAutograd")
ops: Any = torch.ops.nhwcc_test


class Spread(nn.Module):
    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        a, b = ops.spread(x.relu(), [2, 3], others=[x, x])
        return a.neg(), ops.twice(b)


class Grow(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        y = x.relu()
        ops.grow(y)
        return y


class Scale(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return ops.scale(x, x.shape[0])


IMAGE = torch.zeros(2, 3, 4, 4)


def custom_ops(model: nn.Module, **options: Any) -> list[Custom]:
    module = read(export(model, (IMAGE,), None, options.pop("shapes", None)), **options)
    return [op for op in module.walk() if isinstance(op, Custom)]


def test_refused_by_name() -> None:
    with pytest.raises(CompileError) as caught:
        custom_ops(Spread())
    assert [d.code for d in caught.value.diagnostics] == ["F001", "F001"]
    assert "nhwcc_test::spread.default" in str(caught.value) and "--allow-custom-ops" in str(caught.value)


def test_carried() -> None:
    first, second = custom_ops(Spread(), allow_custom_ops=True)
    assert first.code == "nhwcc_test.spread" and second.code == "nhwcc_test.twice"
    assert first.options == {"axes": [2, 3], "others": 2, "alpha": 0.5} and second.options == {}
    assert [None if v is None else str(v.type) for v in first.inputs] == ["f32[2,3,4,4]"] * 3 + [None]
    assert [str(r.type) for r in first.results] == ["f32[2,3,4,4]", "f32[2,3]"]
    assert second.inputs == first.results[1:] and str(second.result.type) == "f32[2,3]"


def test_open_sizes_stay_open() -> None:
    (first, _) = custom_ops(Spread(), shapes=({0: torch.export.Dim("batch")},), allow_custom_ops=True)
    assert [str(r.type) for r in first.results] == ["f32[batch,3,4,4]", "f32[batch,3]"]


@pytest.mark.parametrize(
    ("model", "code", "text"),
    [
        (Grow(), "F005", "overwrites tensors"),
        (Scale(), "F004", "the argument 'by' of nhwcc_test.scale is the size d"),
    ],
)
def test_what_can_not_be_carried(model: nn.Module, code: str, text: str) -> None:
    shapes = ({0: torch.export.Dim("d")},) if code == "F004" else None
    with pytest.raises(CompileError) as caught:
        custom_ops(model, shapes=shapes, allow_custom_ops=True)
    assert [d.code for d in caught.value.diagnostics] == [code] and text in str(caught.value)

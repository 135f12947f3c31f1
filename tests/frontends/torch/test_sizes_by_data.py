"""Sizes and positions that are elements of tensors: modules against their files, at several values."""

# torch is untyped in parts
# pyright: reportUnknownLambdaType=false, reportUnknownMemberType=false, reportUnknownArgumentType=false
# pyright: reportUnknownVariableType=false

from __future__ import annotations

import importlib
from collections.abc import Sequence
from typing import Any

import pytest
import torch
from local import LocalWorker
from nhwcc.compiler.diagnostics import CompileError
from torch import Tensor, nn
from torch_cases import Function, close, outputs

import nhwcc

LIBRARY: Any = torch.library
CHECK: Any = getattr(torch, "_check")  # noqa: B009 -- how PyTorch's own documentation spells it
LOOP: Any = importlib.import_module("torch._higher_order_ops").while_loop


@pytest.fixture(autouse=True)
def local_runtime(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("nhwcc.runners.tflite.start", LocalWorker)


def within(number: Any, least: int, most: int) -> Any:
    """Return the number of a tensor, with what PyTorch has to be told of it."""
    found = number.item()
    CHECK(found >= least)
    CHECK(found <= most)
    return found


def crop(x: Tensor, box: Tensor) -> Tensor:
    top, left, bottom, right = (within(box[i], 0, 8) for i in range(4))
    CHECK(bottom - top >= 1)
    CHECK(right - left >= 1)
    return x[:, :, top:bottom, left:right]


def beam_step(x: Tensor, cache: Tensor, position: Tensor) -> tuple[Tensor, Tensor]:
    place = within(position, 0, 15)
    cache = torch.slice_scatter(cache, x, 1, place, place + 1)
    return cache, (cache[:, : place + 1] * x).sum(1)


def by_lengths(x: Tensor, lengths: Tensor) -> tuple[Tensor, Tensor]:
    longest = within(lengths.max(), 1, 12)
    x = x[:, :longest]
    mask = torch.arange(longest)[None] < lengths[:, None]
    return (x * mask).sum(1), x


def made_of(x: Tensor, count: Tensor) -> tuple[Tensor, ...]:
    n = within(count, 1, 4)
    grown = (x.repeat(n, 1), x.expand(n, 12), nn.functional.pad(x, (0, n)))
    return torch.ones(n, 3), torch.arange(1, n + 1), *grown, *x.topk(n), torch.eye(4)[:n], x[:, n:], x.narrow(1, n, 2)


def reshaped(x: Tensor, count: Tensor) -> Tensor:
    n = within(count, 1, 12)
    CHECK(12 % n == 0)
    return x.reshape(n, 12 // n)


def looped(x: Tensor, count: Tensor) -> Any:
    def goes_on(i: Tensor, total: Tensor) -> Tensor:
        return i < count

    def body(i: Tensor, total: Tensor) -> tuple[Tensor, Tensor]:
        return i + 1, total + torch.narrow(x, 1, within(i, 0, 11), 1)[:, 0]

    return LOOP(goes_on, body, (torch.zeros((), dtype=torch.int64), torch.zeros(1)))


def counted(i: Tensor, weights: Tensor) -> tuple[Tensor, ...]:
    return torch.bincount(i), torch.bincount(i, minlength=6), torch.bincount(i, weights)


def repeated(x: Tensor, often: Tensor) -> tuple[Tensor, Tensor]:
    return torch.repeat_interleave(x, often, dim=0), torch.repeat_interleave(often)


def rolled(x: Tensor, count: Tensor) -> tuple[Tensor, Tensor]:
    n = within(count, 1, 11)
    before, behind = x.split([n, 12 - n], 1)
    return torch.cat([behind, before], 1), x.roll(n, 1)


def shifted(x: Tensor) -> tuple[Tensor, ...]:
    return x >> 2, x << 1, 3 << x, torch.bitwise_right_shift(100, x), x << x


X = torch.arange(12.0).reshape(1, 12)
ROWS = torch.arange(48.0).reshape(4, 12)


def numbers(*values: Any) -> list[Tensor]:
    return [torch.tensor(v) for v in values]


CASES: dict[str, tuple[Any, list[tuple[Tensor, ...]]]] = {
    "select": (lambda x, i: (x[i], x[:, i]), [(ROWS, i) for i in numbers(3, 0, -1, -4)]),
    "crop": (crop, [(torch.randn(1, 2, 8, 8), b) for b in numbers([1, 2, 5, 7], [0, 0, 8, 8], [3, 4, 4, 6])]),
    "beam step": (beam_step, [(torch.randn(1, 1, 8), torch.randn(1, 16, 8), p) for p in numbers(3, 0, 15)]),
    "lengths": (by_lengths, [(torch.randn(3, 12), n) for n in numbers([3, 5, 2], [1, 1, 1], [12, 5, 2])]),
    "one number everywhere": (made_of, [(X, n) for n in numbers(3, 1, 4)]),
    "reshape": (reshaped, [(X, n) for n in numbers(3, 12, 1)]),
    "loop": (looped, [(X, n) for n in numbers(3, 0, 12)]),
    "bincount": (counted, [(i, torch.rand(4)) for i in numbers([1, 2, 2, 5], [0, 0, 0, 0], [3, 2, 1, 9])]),
    "repeat": (repeated, [(torch.rand(3, 2), n) for n in numbers([1, 2, 3], [0, 5, 1], [4, 0, 0])]),
    "roll": (rolled, [(X, n) for n in numbers(3, 11, 1)]),
    "shifts": (shifted, [(torch.arange(7),)]),
}


def agrees(module: nn.Module, feeds: Sequence[tuple[Tensor, ...]], **options: Any) -> None:
    artifact = nhwcc.compile(module, args=feeds[0], io_layout="keep", verify=False, **options)
    names = [port.name for port in artifact.report.inputs]
    for feed in feeds:
        got = artifact(**dict(zip(names, (t.numpy() for t in feed), strict=True)))
        for want, found in zip(outputs(module, feed), got.values(), strict=True):
            close(want, found)


@pytest.mark.parametrize("name", CASES)
def test_runs_as_in_pytorch(name: str) -> None:
    function, feeds = CASES[name]
    agrees(Function(function).eval(), feeds)


def test_numbers_that_are_no_integers_are_refused() -> None:
    with pytest.raises(CompileError) as caught:
        nhwcc.compile(Function(lambda x: x * x.sum().item()), args=(X,), verify=False)
    assert "F004" in {d.code for d in caught.value.diagnostics}


def nms(boxes: Tensor, scores: Tensor, overlap: float) -> Tensor:
    """As the kernel of torchvision, which is not installed here."""
    low, high = boxes[:, :2], boxes[:, 2:]
    common = (torch.minimum(high[:, None], high) - torch.maximum(low[:, None], low)).clamp(min=0).prod(-1)
    area = (high - low).prod(-1)
    ratio = common / (area[:, None] + area - common)
    kept: list[int] = []
    for box in scores.argsort(descending=True, stable=True).tolist():
        if not any(ratio[box, other] > overlap for other in kept):
            kept.append(box)
    return torch.tensor(kept, dtype=torch.int64)


@pytest.fixture
def torchvision() -> Any:
    """Declare the operator, as the package does when it is imported."""
    library = LIBRARY.Library("torchvision", "FRAGMENT")
    library.define("nms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
    library.impl("nms", nms, "CPU")

    def fake(dets: Tensor, scores: Tensor, iou_threshold: float) -> Tensor:
        return dets.new_empty(LIBRARY.get_ctx().new_dynamic_size(), dtype=torch.int64)

    LIBRARY.register_fake("torchvision::nms", fake, lib=library)
    yield torch.ops.torchvision.nms
    getattr(library, "_destroy")()  # noqa: B009


def boxes_and_scores(seed: int) -> tuple[Tensor, Tensor]:
    """Boxes, of which some are empty and some have exchanged corners."""
    generator = torch.Generator().manual_seed(seed)
    low = torch.rand(20, 2, generator=generator)
    boxes = torch.cat([low, low + 0.3], 1)
    boxes[3, 2:] = boxes[3, :2]
    boxes[7] = boxes[7].roll(2)
    return boxes, torch.rand(20, generator=generator) - 0.3


def test_selected_boxes(torchvision: Any) -> None:
    def found(boxes: Tensor, scores: Tensor) -> tuple[Tensor, Tensor]:
        kept = torchvision(boxes, scores, 0.4)
        good = scores > 0
        boxes_of_good = boxes[good]
        return boxes[kept], boxes_of_good[torchvision(boxes_of_good, scores[good], 0.4)]

    agrees(Function(found).eval(), [boxes_and_scores(seed) for seed in range(3)])

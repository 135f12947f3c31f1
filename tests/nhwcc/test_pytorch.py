"""PyTorch modules and files through the whole of nhwcc."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.export import Dim
from torch_cases import honest

import nhwcc
from nhwcc import CompileError


class Net(nn.Module):
    def __init__(self, width: int = 4) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, width, 3, padding=1)
        self.norm = nn.BatchNorm2d(width)

    def forward(self, image: Tensor, gain: Tensor | None = None) -> dict[str, Tensor]:
        y = torch.relu(self.norm(self.conv(image)))
        return {"map": y if gain is None else y * gain, "mean": y.mean((2, 3))}


def test_a_module_becomes_an_artifact_that_runs() -> None:
    net, image = honest(Net()), torch.randn(1, 3, 8, 6)
    artifact = nhwcc.compile(net, args=(image,))
    assert artifact.report.verification is not None and "PyTorch" in artifact.report.verification.reference
    assert artifact.report.transposes_after == 0
    got = artifact(image.permute(0, 2, 3, 1).contiguous().numpy())
    np.testing.assert_allclose(got["mean"], net(image)["mean"].detach().numpy(), atol=1e-6)


def test_keyword_arguments_come_in_the_modules_order() -> None:
    given = {"gain": torch.randn(4, 1, 1), "image": torch.randn(1, 3, 8, 6)}
    artifact = nhwcc.compile(honest(Net()), kwargs=given, io_layout="keep")
    assert [p.name for p in artifact.report.inputs] == ["image", "gain"]


def test_shapes_make_inputs_and_leave_sizes_open() -> None:
    net = honest(Net())
    artifact = nhwcc.compile(net, shapes={"image": ("n", 3, "h", 6)}, io_layout="keep")
    for n, h in ((1, 4), (2, 9), (3, 16)):
        image = torch.randn(n, 3, h, 6)
        np.testing.assert_allclose(artifact(image.numpy())["map"], net(image)["map"].detach().numpy(), atol=1e-5)


def test_sizes_stay_in_the_range_that_was_exported() -> None:
    image = torch.randn(2, 3, 8, 6)
    open_sizes = {"image": {0: Dim("n"), 2: Dim("h", min=6, max=48)}}
    artifact = nhwcc.compile(honest(Net()), kwargs={"image": image}, dynamic_shapes=open_sizes)
    assert artifact.report.verification is not None
    sizes = artifact.report.verification.sizes
    assert sizes["n"] == [1, 2, 3] and len(set(sizes["h"])) == 3 and max(sizes["h"]) <= 48


class Tagged(nn.Module):
    """Nested outputs, from indices."""

    def __init__(self) -> None:
        super().__init__()
        self.words, self.tags = nn.Embedding(10, 4), nn.Linear(4, 3)

    def forward(self, ids: Tensor, mask: Tensor | None = None) -> dict[str, object]:
        scores = self.tags(self.words(ids))
        if mask is not None:
            scores = torch.where(mask[..., None], scores, 0.0)
        return {"scores": scores, "more": {"first": scores[:, 0], "means": [scores.mean(1), scores.mean(2)]}}


def test_shapes_state_element_types() -> None:
    artifact = nhwcc.compile(honest(Tagged()), shapes={"ids": "i64:n,length", "mask": "bool[n,length]"})
    assert [p.type for p in artifact.report.inputs] == ["i64[n,length]", "bool[n,length]"]
    assert [p.name for p in artifact.report.outputs] == ["scores", "more_first", "more_means_0", "more_means_1"]


def test_indices_without_an_element_type() -> None:
    with pytest.raises(CompileError, match="say --shape ids=i64:1,16"):
        nhwcc.compile(honest(Tagged()), shapes={"ids": (1, 16)})


def test_names_are_those_of_the_user() -> None:
    image = torch.randn(1, 3, 8, 6)
    artifact = nhwcc.compile(honest(Net()), args=(image,), input_names=["x"], output_names=["a", "b"])
    assert [p.name for p in artifact.report.outputs] == ["a", "b"]


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({}, "needs image, but no shape is given"),
        ({"shapes": {"imag": (1, 3, 8, 6)}}, "did you mean 'image'"),
        ({"args": (torch.randn(1, 3, 8, 6),), "outputs": ["relus"]}, "did you mean 'relu'"),
        ({"args": (torch.randn(1, 5, 8, 6),)}, "F030"),
        ({"shapes": {"image": "i9:1,3,8,6"}}, "'i9' in 'i9:1,3,8,6' is not an element type"),
        ({"shapes": {"image": "1,,8"}}, "leaves out a size"),
        ({"shapes": {"image": "i4:1,3,8,6"}}, "PyTorch has no tensors of i4"),
    ],
)
def test_bad_requests(options: dict[str, object], says: str) -> None:
    with pytest.raises(CompileError, match=says):
        nhwcc.compile(Net().eval(), **options)  # pyright: ignore[reportArgumentType]


def test_a_program_has_its_own_inputs() -> None:
    program = torch.export.export(honest(Net()), (torch.randn(1, 3, 8, 6),))
    assert nhwcc.compile(program).report.verification is not None
    with pytest.raises(CompileError, match="F019"):
        nhwcc.compile(program, shapes={"image": (1, 3, 4, 4)})


class TestSizesByFormula:
    """Sizes of a module's inputs that are formulas: those that PyTorch can leave open, and those that it can't."""

    def test_multiples(self) -> None:
        shapes = {"image": (1, 3, "2*h", "2*w+1")}
        artifact = nhwcc.compile(honest(Net()), shapes=shapes, io_layout="keep", verify=False)
        assert [p.type for p in artifact.report.inputs] == ["f32[1,3,2*h,2*w+1]"]

    @pytest.mark.parametrize("size", ["h//2", "h*w", "-h", "2-h", "h*h"])
    def test_what_pytorch_can_not_leave_open(self, size: str) -> None:
        with pytest.raises(CompileError, match="can't leave the size") as caught:
            nhwcc.compile(honest(Net()), shapes={"image": (1, 3, size, 8)})
        assert [d.code for d in caught.value.diagnostics] == ["F019"]


@pytest.mark.parametrize("made", ["trace", "script"])
def test_shapes_of_a_script(made: str) -> None:
    """Python knows no signature of a script's method: PyTorch tells its parameters."""
    net: Any = nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU()).eval()
    jit: Any = torch.jit
    script = jit.trace(net, torch.zeros(1, 3, 8, 8)) if made == "trace" else jit.script(net)
    artifact = nhwcc.compile(script, shapes={"input": (1, 3, 8, 8)}, verify=False)
    assert [p.type for p in artifact.report.inputs] == ["f32[1,8,8,3]"]

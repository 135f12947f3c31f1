"""Modules with open sizes, compiled without verification and run at several sizes beside PyTorch."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import torch
from nhwcc.frontends.torch import import_torch
from torch import Tensor, nn
from torch.export import Dim, ExportedProgram
from torch.nn import functional
from torch_cases import Function

import nhwcc


def agrees(run: Callable[..., Tensor], shape: tuple[int | str, ...], *sizes: tuple[int, ...]) -> nhwcc.Artifact:
    """Compile a function of one tensor with a shape that has names; compare at sizes."""

    class Net(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            return run(x)

    artifact = nhwcc.compile(Net(), shapes={"x": shape}, io_layout="keep", verify=False)
    generator = torch.Generator().manual_seed(0)
    for size in sizes:
        x = torch.randn(size, generator=generator)
        (got,) = artifact(x=x.numpy()).values()
        want = run(x).numpy()
        assert got.shape == want.shape, size
        np.testing.assert_allclose(got, want, rtol=0, atol=1e-4 * float(np.abs(want).max()), err_msg=str(size))
    return artifact


@pytest.mark.parametrize("mode", ["nearest", "bilinear"])
@pytest.mark.parametrize("ratio", [0.5, 1.5])
def test_resizing_by_fractions(mode: str, ratio: float) -> None:
    def run(x: Tensor) -> Tensor:
        return functional.interpolate(x, scale_factor=ratio, mode=mode)

    agrees(run, (1, 2, "2*h", "2*w"), (1, 2, 8, 6), (1, 2, 12, 22))


def test_windows_of_an_open_number() -> None:
    def run(x: Tensor) -> Tensor:
        return x.unfold(1, 4, 3) * 2

    agrees(run, (2, "n"), (2, 5), (2, 16), (2, 31))


def test_spectra_of_an_open_length() -> None:
    def run(x: Tensor) -> Tensor:
        return torch.view_as_real(torch.stft(x, 16, 4, window=torch.hann_window(16), return_complex=True))

    agrees(run, (1, "n"), (1, 40), (1, 64), (1, 99))


def test_padding_to_a_multiple() -> None:
    """For multiples PyTorch pads by nothing, which it takes for all: it must be shown another size."""

    def run(x: Tensor) -> Tensor:
        return functional.pad(x, (0, (x.shape[1] + 5) // 6 * 6 - x.shape[1])) + 1

    agrees(run, (2, "6*n+1"), (2, 7), (2, 13))


def test_what_pytorch_leaves_open_in_part_is_said() -> None:
    def run(x: Tensor) -> Tensor:
        return torch.cat([x.narrow(1, 0, x.shape[1] // 2), x], 1)

    artifact = agrees(run, (2, "w"), (2, 4), (2, 10))
    (said,) = artifact.report.warnings
    assert "PyTorch leaves sizes open only so far: 2*_w for w" in said


def test_the_least_of_a_multiple_is_said() -> None:
    """A begin that would be negative for small sizes: these are none for which the program holds."""

    def run(x: Tensor) -> Tensor:
        return x[:, x.shape[1] // 2 - 3 :].reshape(x.shape[0], -1).sigmoid()

    artifact = agrees(run, (2, "w"), (2, 8), (2, 14), (2, 6))
    (found,) = (r for r in artifact.report.remarks if "leaves sizes open" in r.text)
    assert "2*_w from 6 for w" in found.text
    assert found.facts["w from"] == 3


def test_sizes_alone_are_no_reason_to_write_a_program_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    """What computes a size has no handler, and needs none: PyTorch has worked out what it is."""

    written: list[ExportedProgram] = []

    def count(program: ExportedProgram, *_args: object) -> ExportedProgram:
        written.append(program)
        return program

    def run(x: Tensor) -> Tensor:
        return x.reshape(x.shape[0], x.shape[1] // 2 * 2, -1) + x.shape[0]

    monkeypatch.setattr(ExportedProgram, "run_decompositions", count)
    module = import_torch(Function(run), (torch.randn(3, 4, 5),), dynamic_shapes=(({0: Dim("b", min=2)},),))
    assert not written
    assert str(module.main.returns[0].type) == "f32[b,4,5]"

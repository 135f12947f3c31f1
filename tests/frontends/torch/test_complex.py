"""Complex numbers and Fourier transforms: what a network makes of them in between, its ends being real."""

# what a lambda takes is a tensor, whose methods are only partly typed
# pyright: reportUnknownLambdaType=false, reportUnknownMemberType=false, reportUnknownArgumentType=false
# pyright: reportUnknownVariableType=false

from __future__ import annotations

from typing import Any

import pytest
import torch
from nhwcc.compiler.diagnostics import CompileError
from nhwcc.frontends.torch import import_torch
from torch import Tensor, nn
from torch.export import Dim
from torch_cases import Function, check

import nhwcc

TOLERANCE = 5e-6
"""Of transforms: PyTorch adds up in another order."""


def joined(x: Tensor) -> Tensor:
    return torch.view_as_real(x.resolve_conj())


def pair(x: Tensor) -> Tensor:
    """Complex numbers out of real ones."""
    return torch.view_as_complex(x.reshape(*x.shape[:-1], -1, 2))


ARITHMETIC: dict[str, Any] = {
    "complex": lambda x: joined(torch.complex(x, x[:1] + 1)),
    "polar": lambda x: joined(torch.polar(x.abs(), x)),
    "add": lambda x: joined(pair(x) + x[:, :4] + 2j - 1),
    "alpha": lambda x: joined(torch.add(pair(x), pair(x).conj(), alpha=3)),
    "sub": lambda x: joined(x[:, :4] - pair(x) - 1j),
    "mul": lambda x: joined(pair(x) * pair(x.flip(1)) * (1 - 2j)),
    "mul by real": lambda x: joined(x[:, :4] * pair(x) * 3),
    "div": lambda x: joined(pair(x) / pair(x.flip(1)) / (1 - 2j) / x[:, 4:]),
    "real by complex": lambda x: joined(x[:, :4] / pair(x)),
    "reciprocal": lambda x: joined(pair(x).reciprocal() + 1 / pair(x)),
    "exp, log": lambda x: joined(torch.exp(1j * x) + torch.exp(pair(x)).repeat(1, 2).log()),
    "abs, angle": lambda x: (pair(x).abs(), pair(x).angle(), pair(x).conj().angle()),
    "real, imag": lambda x: pair(x).real * pair(x).conj().imag,
    "neg, square": lambda x: joined(-pair(x).square()),
    "matmul": lambda x: joined((pair(x) @ pair(x).mT) @ pair(x)[:, :3]),
    "moved": lambda x: joined(pair(x).T.reshape(2, 6).flip(0)[:, 1:].unsqueeze(1).expand(2, 3, 5).sum(0)),
    "joined": lambda x: joined(torch.cat([pair(x), x[:, :2].to(torch.complex64), pair(x)[:, :1]], 1)),
    "chosen": lambda x: joined(torch.where(x[:, :4] > 0, pair(x), pair(x).conj())),
    "chosen or real": lambda x: joined(torch.where(x[:, :4] > 0, pair(x), x[:, 4:])),
    "padded": lambda x: joined(nn.functional.pad(pair(x), (1, 2), value=3.0)),
    "split": lambda x: [joined(v) for v in pair(x).split(2, 1)],
    "put": lambda x: joined(torch.slice_scatter(pair(x), pair(x)[:, :1] * 2j, 1, 2, 3)),
}


@pytest.mark.parametrize("name", ARITHMETIC)
def test_arithmetic(name: str) -> None:
    check(Function(ARITHMETIC[name]), torch.randn(3, 8))


class Rotary(nn.Module):
    """Positions as angles, by a complex table that the model holds."""

    def __init__(self) -> None:
        super().__init__()
        angles = torch.outer(torch.arange(16.0), 1 / 100 ** (torch.arange(4) / 4))
        self.register_buffer("table", torch.polar(torch.ones(16, 4), angles))

    def forward(self, x: Tensor) -> Tensor:
        table: Any = self.table
        turned = pair(x) * table[: x.shape[1]]
        return torch.view_as_real(turned).flatten(2).to(x.dtype)


def test_a_table_of_rotations() -> None:
    check(Rotary(), torch.randn(2, 16, 8))
    check(Rotary(), torch.randn(2, 5, 8), dynamic_shapes=({1: Dim("length", max=16)},))


NORMS = ("backward", "ortho", "forward")

TRANSFORMS: dict[str, Any] = {
    "fft": lambda x, norm: joined(torch.fft.fft(x, norm=norm)),
    "ifft": lambda x, norm: joined(torch.fft.ifft(x, norm=norm)),
    "rfft": lambda x, norm: joined(torch.fft.rfft(x, dim=1, norm=norm)),
    "shorter": lambda x, norm: joined(torch.fft.rfft(x, 5, norm=norm)),
    "longer": lambda x, norm: joined(torch.fft.rfft(x, 15, norm=norm)),
    "irfft": lambda x, norm: torch.fft.irfft(pair(x), norm=norm),
    "odd irfft": lambda x, norm: torch.fft.irfft(pair(x), 7, norm=norm),
    "hfft": lambda x, norm: torch.fft.hfft(pair(x), norm=norm),
    "one row": lambda x, norm: torch.fft.hfft(
        torch.view_as_complex(torch.fft.rfft(x[0, 0]).abs()[:6].reshape(3, 2)), norm=norm
    ),
    "fft2": lambda x, norm: torch.fft.fft2(x, norm=norm).real,
    "ifft2": lambda x, norm: joined(torch.fft.ifft2(pair(x), norm=norm)),
    "rfft2": lambda x, norm: joined(torch.fft.rfft2(x, norm=norm)),
    "irfft2": lambda x, norm: torch.fft.irfft2(pair(x), norm=norm),
    "shifted": lambda x, norm: torch.fft.fftshift(torch.fft.fftn(x, norm=norm)).abs(),
}


@pytest.mark.parametrize("norm", NORMS)
@pytest.mark.parametrize("name", TRANSFORMS)
def test_transforms(name: str, norm: str) -> None:
    check(Function(lambda x: TRANSFORMS[name](x, norm)), torch.randn(2, 6, 12), tolerance=TOLERANCE)


def spectrum(x: Tensor, **options: Any) -> Tensor:
    return torch.stft(x, 32, return_complex=True, **options)


FRAMES: dict[str, dict[str, Any]] = {
    "plain": {"hop_length": 8, "window": torch.hann_window(32)},
    "odd hop": {"hop_length": 7, "window": torch.hamming_window(32)},
    "short window": {"hop_length": 6, "win_length": 20, "window": torch.hann_window(20) + 0.1},
    "no window": {"hop_length": 16, "normalized": True},
    "not centred": {"hop_length": 8, "window": torch.hann_window(32) + 0.1, "center": False},
}


@pytest.mark.parametrize("name", FRAMES)
def test_frames_of_a_signal_and_back(name: str) -> None:
    options = FRAMES[name]
    x = torch.randn(2, 200)
    check(Function(lambda x: spectrum(x, **options).abs()), x, tolerance=TOLERANCE)
    parts = torch.view_as_real(spectrum(x, **options))

    def back(parts: Tensor, length: int | None = None) -> Tensor:
        return torch.istft(torch.view_as_complex(parts), 32, length=length, **options)

    check(Function(back), parts, tolerance=TOLERANCE)
    check(Function(lambda v: back(v, 150)), parts, tolerance=TOLERANCE)
    check(Function(lambda v: back(v[0], 150)), parts, tolerance=TOLERANCE)


def masked(x: Tensor) -> Tensor:
    """As in separating sources: frames, a factor for each number, and back."""
    window = torch.hann_window(32)
    found = spectrum(x, hop_length=8, window=window)
    return torch.istft(found * torch.sigmoid(found.abs()), 32, 8, window=window)


def test_in_tflite() -> None:
    """Compiling compares with PyTorch."""
    report = nhwcc.compile(Function(masked), args=(torch.randn(2, 160),)).report
    assert report.verification is not None
    assert report.verification.ok
    assert nhwcc.compile(Rotary(), args=(torch.randn(2, 16, 8),)).report.verification is not None


@pytest.mark.parametrize(
    ("function", "message"),
    [
        (lambda x: torch.complex(x, x), r"F003.*an output has complex elements[\s\S]*view_as_real"),
        (lambda x: pair(x).tanh().real, r"F005.*tanh.* computes with complex numbers[\s\S]*view_as_real"),
        (lambda x: torch.fft.rfft(x.repeat(1, 4000)).abs(), r"F005.*takes a matrix[\s\S]*torch.stft"),
    ],
)
def test_what_is_refused(function: Any, message: str) -> None:
    with pytest.raises(CompileError, match=message):
        import_torch(Function(function), (torch.randn(3, 8),))


def test_complex_inputs_are_refused() -> None:
    with pytest.raises(CompileError, match=r"F003.*the input args_0 has complex elements[\s\S]*view_as_complex"):
        import_torch(Function(lambda x: x.abs()), (torch.randn(3, 8, dtype=torch.complex64),))

"""Quantized graphs of PyTorch: scales and integers come through to the file."""

# PyTorch's operators of other libraries have no types
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false
# pyright: reportUnknownLambdaType=false

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import torch.ao.quantization.fx._decomposed as _registers  # noqa: F401  # pyright: ignore[reportUnusedImport]
from ai_edge_litert.interpreter import Interpreter
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812 -- PyTorch's own convention
from torch_cases import Function, check

import nhwcc

Q: Any = torch.ops.quantized_decomposed
I8: Any = (-128, 127, torch.int8)


def step(x: Tensor, scale: float = 0.03, zero: int = 3) -> Tensor:
    """To integers and back."""
    return Q.dequantize_per_tensor(Q.quantize_per_tensor(x, scale, zero, *I8), scale, zero, *I8)


class Quantized(nn.Module):
    """What a quantizer leaves of a convolution and a layer: integer weights, and steps between."""

    def __init__(self) -> None:
        super().__init__()
        self.filters = nn.Buffer(torch.randint(-127, 128, (8, 3, 3, 3), dtype=torch.int8))
        self.rows = nn.Buffer(torch.randint(-127, 128, (5, 8), dtype=torch.int8))
        self.scales = nn.Buffer(torch.rand(8) * 0.01 + 0.001)
        self.zeros = nn.Buffer(torch.zeros(8, dtype=torch.int64))
        self.bias = nn.Parameter(torch.randn(8))

    def forward(self, x: Tensor) -> Tensor:
        filters = Q.dequantize_per_channel(self.filters, self.scales, self.zeros, 0, -127, 127, torch.int8)
        rows = Q.dequantize_per_tensor(self.rows, 0.004, 0, *I8)
        y = step(torch.relu(F.conv2d(step(x), filters, self.bias, padding=1)), 0.05, -128)
        return F.linear(step(y.mean((2, 3)), 0.02, -10), rows)


def test_scales_and_integers_are_in_the_file(tmp_path: Path) -> None:
    network, x = Quantized(), torch.randn(2, 3, 8, 6)
    artifact = nhwcc.compile(network, tmp_path / "q.tflite", args=(x,), io_layout="keep")
    counts = artifact.report.ops_after
    assert (counts["QUANTIZE"], counts["DEQUANTIZE"], counts["FULLY_CONNECTED"]) == (1, 2, 1)
    interpreter = Interpreter(str(tmp_path / "q.tflite"))
    stated = [(d["dtype"], d["quantization_parameters"]) for d in interpreter.get_tensor_details()]
    assert {t for t, q in stated if len(q["scales"])} == {np.int8, np.int32}
    integers = {tuple(np.round(q["scales"], 6)): (q["zero_points"], t) for t, q in stated if t is np.int8}
    assert integers[tuple(np.round(network.scales.numpy(), 6))][0].tolist() == [0] * 8
    assert {s[0]: z[0].item() for s, (z, _) in integers.items() if len(s) == 1} == pytest.approx(
        {np.float32(0.03): 3, np.float32(0.05): -128, np.float32(0.02): -10, np.float32(0.004): 0}
    )
    for _ in range(3):
        x = torch.randn(2, 3, 8, 6)
        with torch.no_grad():
            want = network(x).numpy()
        np.testing.assert_allclose(artifact(x.numpy())["output"], want, atol=0.02 * np.abs(want).max())


def test_the_tolerance_is_that_of_the_integers() -> None:
    report = nhwcc.compile(Quantized(), args=(torch.randn(1, 3, 8, 6),)).report
    assert report.verification is not None and report.verification.tolerance == 4 / 256


SCALES, ZEROS = torch.tensor([0.1, 0.02, 0.003]), torch.tensor([3, -100, 0])
HALVES = torch.tensor([[-1.5, -0.5, 0.5], [1.5, 2.5, 500.0], [-500.0, 0.1, 3.49]])


def to_channels(x: Tensor) -> Tensor:
    return Q.quantize_per_channel(x, SCALES, ZEROS, 1, *I8)


def from_channels(x: Tensor) -> Tensor:
    return Q.dequantize_per_channel(x, SCALES, None, 1, *I8)


def of_data(x: Tensor) -> Tensor:
    scale = x.abs().amax() / 127
    whole = Q.quantize_per_tensor(x, scale, torch.tensor(0), -127, 127, torch.int8)
    return Q.dequantize_per_tensor(whole, scale, torch.tensor(0), -127, 127, torch.int8)


def otherwise(x: Tensor) -> Tensor:
    whole = Q.quantize_per_tensor(x, 1.0, 0, *I8)
    return Q.dequantize_per_tensor(whole, 0.5, 1, *I8) + Q.dequantize_per_tensor(whole, 1.0, 0, *I8)


@pytest.mark.parametrize(
    "function",
    [
        lambda x: Q.quantize_per_tensor(x, 1.0, 0, *I8),
        lambda x: Q.quantize_per_tensor(x, 1.0, 128, 0, 255, torch.uint8),
        lambda x: Q.quantize_per_tensor(x, 0.5, 0, -7, 7, torch.int8),
        lambda x: step(x).transpose(0, 1),
        lambda x: Q.dequantize_per_tensor(Q.quantize_per_tensor(x, 0.5, 2, *I8).T.reshape(9), 0.5, 2, *I8),
        to_channels,
        lambda x: from_channels(to_channels(x)),
        of_data,
        otherwise,
    ],
)
def test_numbers(function: Any) -> None:
    check(Function(function), HALVES)
    artifact = nhwcc.compile(Function(function), args=(HALVES,), io_layout="keep", data=HALVES.numpy())
    np.testing.assert_array_equal(artifact(HALVES.numpy())["output"], function(HALVES).numpy())

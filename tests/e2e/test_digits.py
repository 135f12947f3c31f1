"""A network that has learned something tells as much apart when it computes with integers."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from nhwcc.compiler.options import QuantizationMode

import nhwcc
from benchmarks.digits import SEEN, accuracy, digits, trained
from benchmarks.post_training import outputs

PICTURES, LABELS = digits()


@pytest.fixture(scope="module")
def network() -> torch.nn.Module:
    return trained(PICTURES[:SEEN], LABELS[:SEEN], epochs=9)


@pytest.mark.parametrize(("mode", "points"), [("int8", 0.3), ("int16x8", 0.1)])
def test_as_many_are_told_apart(
    network: torch.nn.Module, mode: QuantizationMode, points: float, tmp_path: Path
) -> None:
    example, data = torch.zeros(1, 1, 8, 8), PICTURES[:256, None]
    given, integers = tmp_path / "floats.tflite", tmp_path / "integers.tflite"
    nhwcc.compile(network, output=given, args=(example,), io_layout="keep")
    nhwcc.compile(network, output=integers, args=(example,), io_layout="keep", quantize=mode, data=data)
    held = [{"x": picture[None]} for picture in PICTURES[SEEN:]]
    before, after = (accuracy(outputs(file, held), LABELS[SEEN:]) for file in (given, integers))
    assert before > 80 and after >= before - points

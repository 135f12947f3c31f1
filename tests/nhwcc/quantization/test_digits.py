"""A small network that has learned handwritten digits tells as many apart in integers, on digits that it never saw."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from nhwcc.backends.tflite.runtime import TfliteModel
from nhwcc.compiler.types import Array
from sklearn import datasets  # pyright: ignore[reportMissingTypeStubs]

import nhwcc
from benchmarks.digits import SEEN, accuracy, trained

LIBRARY: Any = datasets


@pytest.fixture(scope="module")
def digits() -> tuple[Array, Array]:
    found = LIBRARY.load_digits()
    return (found.images[:, None] / 16).astype(np.float32), np.asarray(found.target)


@pytest.fixture(scope="module")
def floats(digits: tuple[Array, Array], tmp_path_factory: pytest.TempPathFactory) -> Path:
    pictures, labels = digits
    import torch as library

    torch: Any = library
    net, path = trained(pictures[:SEEN], labels[:SEEN]), tmp_path_factory.mktemp("digits") / "digits.onnx"
    torch.onnx.export(net, (torch.zeros(1, 1, 8, 8),), str(path), dynamo=False)
    return path


def right(file: Path, digits: tuple[Array, Array]) -> float:
    """How many of a hundred digits a file tells apart that nobody has seen."""
    net = TfliteModel(file)
    (name,) = net.inputs
    shape = net.inputs[name].shape
    outputs = [net.run({name: x.reshape(shape)}) for x in digits[0][SEEN:]]
    return accuracy(outputs, digits[1][SEEN:])


@pytest.mark.parametrize(("mode", "points"), [("int8", 0.3), ("int16x8", 0.1)])
def test_digits(mode: Any, points: float, digits: tuple[Array, Array], floats: Path, tmp_path: Path) -> None:
    nhwcc.compile(floats, output=tmp_path / "floats.tflite", verify=False)
    want = right(tmp_path / "floats.tflite", digits)
    data = {"input.1": digits[0][:48, None]}
    nhwcc.compile(floats, output=tmp_path / "q.tflite", verify=False, quantize=mode, data=data)
    assert want > 90 and right(tmp_path / "q.tflite", digits) > want - points

"""nhwcc compile --module."""

from __future__ import annotations

import zipfile
from pathlib import Path

import pytest
import torch
from torch import nn

from .conftest import Call


def test_a_class_with_weights(call: Call, tmp_path: Path) -> None:
    (tmp_path / "some_nets.py").write_text(
        "from torch import nn\n"
        "class Net(nn.Sequential):\n"
        "    def __init__(self, width):\n"
        "        super().__init__(nn.Conv2d(3, width, 3), nn.ReLU())\n"
    )
    torch.save(nn.Sequential(nn.Conv2d(3, 5, 3), nn.ReLU()).state_dict(), tmp_path / "w.pth")
    flags = [
        "--module",
        "some_nets:Net",
        "--python-path",
        tmp_path,
        "--args",
        "width=5",
        "--weights",
        tmp_path / "w.pth",
    ]
    names = ["--shape", "input=1,3,9,9", "--input-names", "image", "--output-names", "map"]
    result = call("compile", *flags, *names, "-o", tmp_path / "o.tflite")
    assert result.exit_code == 0, result.output
    assert "image f32[1,9,9,3]" in result.output and "map f32[1,7,7,5]" in result.output and "PyTorch" in result.output
    assert call("compile", "-o", tmp_path / "o.tflite").exit_code == 2


def test_without_pytorch(call: Call, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def nothing(_name: str) -> None:
        return None

    monkeypatch.setattr("nhwcc.named.find_spec", nothing)
    with zipfile.ZipFile(tmp_path / "m.pt2", "w") as archive:
        archive.writestr("m/archive_format", "pt2")
    for given in (["--module", "net:Net", "--shape", "x=1,3,4,4"], [tmp_path / "m.pt2"]):
        result = call("compile", *given, "-o", tmp_path / "o.tflite")
        assert result.exit_code == 1 and "error[R017]" in result.stderr and "nhwcc[torch]" in result.stderr

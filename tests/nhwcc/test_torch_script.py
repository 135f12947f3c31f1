"""TorchScript is read, converted and run in a process of its own, which it may end."""

from __future__ import annotations

import zipfile
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from nhwcc.compiler.diagnostics import CompileError
from nhwcc.compiler.printer import print_module
from torch import nn

import nhwcc
from nhwcc.cut import Cut
from nhwcc.shapes import read_shapes
from nhwcc.sources import source_of
from nhwcc.sources.call import Call
from nhwcc.sources.torch import TorchSource
from nhwcc.sources.torch_script import ScriptSource, is_script

SHAPES = {"input": (1, 3, 8, 8)}


@pytest.fixture(scope="module")
def script(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("script") / "traced.pt"
    net = nn.Sequential(nn.Conv2d(3, 600, 3, padding=1), nn.ReLU()).eval()
    jit: Any = torch.jit
    jit.trace(net, torch.zeros(1, 3, 8, 8)).save(str(path))
    return path


def nested(script: Path, path: Path, depth: int) -> Path:
    """Write a script in which a result stands in parentheses."""
    with zipfile.ZipFile(script) as old, zipfile.ZipFile(path, "w") as new:
        for name in old.namelist():
            content = old.read(name)
            if name.endswith(".py"):
                head, word, result = content.decode().rpartition("return ")
                content = f"{head}{word}{'(' * depth}{result.strip()}{')' * depth}\n".encode()
            new.writestr(name, content)
    return path


def test_what_comes_from_there_is_what_would_come_from_here(script: Path) -> None:
    cut, rng = Cut(read_shapes(SHAPES)), np.random.default_rng(0)
    there, here = source_of(script), TorchSource(script, Call())
    assert isinstance(there, ScriptSource) and there.title == str(script)
    imported = there.load(cut)
    assert print_module(imported, locations=True) == print_module(here.load(cut), locations=True)
    assert there.files(imported) == [script]
    types = {port.name: arg.type for port, arg in zip(imported.main.inputs, imported.main.args, strict=True)}
    outputs = [port.name for port in imported.main.outputs]
    inputs = {"input": rng.standard_normal((1, 3, 8, 8)).astype(np.float32)}
    with ExitStack() as stack:
        ours, theirs = there.runner(cut, types, outputs, stack), here.runner(cut, types, outputs, stack)
        assert (ours.title, ours.inputs, ours.outputs) == (theirs.title, theirs.inputs, theirs.outputs)
        assert (ours.run(inputs)["output"] == theirs.run(inputs)["output"]).all()
        assert ours.run_otherwise(inputs) is not None and ours.first(inputs) == {}
        assert [t.name for t in ours.trace(inputs)] == [t.name for t in theirs.trace(inputs)]


def test_what_ends_the_process_is_an_error(script: Path, tmp_path: Path) -> None:
    path = nested(script, tmp_path / "deep.pt", 100_000)
    with pytest.raises(CompileError, match="PyTorch ended its process") as caught:
        nhwcc.compile(path, tmp_path / "deep.tflite", shapes=SHAPES)
    assert [d.code for d in caught.value.diagnostics] == ["R019"]
    assert [p.name for p in tmp_path.iterdir()] == ["deep.pt"]


def test_scripts_are_told_from_other_archives(script: Path, tmp_path: Path) -> None:
    torch.save(nn.Linear(2, 2).state_dict(), tmp_path / "weights.pt")
    assert is_script(script) and not is_script(tmp_path / "weights.pt")

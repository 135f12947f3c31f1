"""Modules by name, and files of PyTorch."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch
from nhwcc.compiler.diagnostics import CompileError
from nhwcc.frontends.torch import ModuleSpec, open_program
from torch import nn

SOURCE = """
from torch import nn
class Net(nn.Module):
    def __init__(self, width, layers=1):
        super().__init__()
        self.body = nn.Sequential(*[nn.Linear(width, width) for _ in range(layers)])
    def forward(self, x):
        return self.body(x)
def make():
    return Net(3, 2)
NUMBER = 7
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "tiny_networks.py").write_text(SOURCE)
    return tmp_path


def spec(
    folder: Path, name: str = "Net", arguments: str = "", weights: Path | None = None, **given: bool
) -> ModuleSpec:
    return ModuleSpec(f"tiny_networks:{name}", arguments, weights, (folder,), **given)


def test_a_class_with_arguments(folder: Path) -> None:
    made = spec(folder, arguments="4, layers=2").load()
    assert len(made.state_dict()) == 4
    assert not made.training


def test_a_function_and_a_file(folder: Path) -> None:
    assert len(spec(folder, "make").load().state_dict()) == 4
    assert len(ModuleSpec(f"{folder / 'tiny_networks.py'}:make").load().state_dict()) == 4


@pytest.mark.parametrize("form", ["plain", "nested", "parallel"])
def test_weights_wherever_they_are_in_a_checkpoint(folder: Path, form: str) -> None:
    weights = spec(folder, "make").load().state_dict()
    parallel = {f"module.{name}": tensor for name, tensor in weights.items()}
    nested = {"state_dict": weights, "epoch": 3}
    torch.save({"plain": weights, "nested": nested, "parallel": parallel}[form], folder / "w.pth")
    made = spec(folder, "make", weights=folder / "w.pth").load()
    assert all(torch.equal(v, weights[k]) for k, v in made.state_dict().items())


@pytest.mark.parametrize(
    ("name", "arguments", "code", "says"),
    [
        ("Nett", "", "F036", "did you mean 'Net'"),
        ("Net", "", "F036", "width"),
        ("Net", "__import__('os')", "F036", "not arguments"),
        ("Net", "1) + (2", "F036", "not arguments"),
        ("NUMBER", "", "F036", "not a torch.nn.Module"),
    ],
)
def test_modules_that_cannot_be_made(folder: Path, name: str, arguments: str, code: str, says: str) -> None:
    with pytest.raises(CompileError, match=says) as caught:
        spec(folder, name, arguments).load()
    assert caught.value.diagnostics[0].code == code


def test_weights_of_another_network(folder: Path) -> None:
    torch.save(nn.Linear(3, 3).state_dict(), folder / "w.pth")
    with pytest.raises(CompileError, match=r"F037.*lacks body.0.weight.*has besides weight"):
        spec(folder, "make", weights=folder / "w.pth").load()


class Evil:
    def __reduce__(self) -> tuple[object, tuple[str]]:
        return (print, ("code ran",))


def test_pickled_code_is_not_run(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    torch.save({"a": Evil()}, folder / "w.pth")
    with pytest.raises(CompileError, match=r"F038.*\n.*--unsafe-load"):
        spec(folder, "make", weights=folder / "w.pth").load()
    with pytest.raises(CompileError, match="F038"):
        open_program(folder / "w.pth")
    assert capsys.readouterr().out == ""


def test_files_of_networks(folder: Path) -> None:
    net, x = nn.Linear(3, 2).eval(), torch.randn(1, 3)
    torch.export.save(torch.export.export(net, (x,)), folder / "a.pt2")
    torch.jit.save(torch.jit.trace(net, x), folder / "b.pt")  # pyright: ignore[reportUnknownMemberType]
    torch.save(net, folder / "c.pt")
    assert isinstance(open_program(folder / "a.pt2"), torch.export.ExportedProgram)
    assert isinstance(open_program(folder / "b.pt"), nn.Module)
    assert isinstance(open_program(folder / "c.pt", unsafe=True), nn.Module)


def test_weights_are_no_network(folder: Path) -> None:
    torch.save(nn.Linear(3, 2).state_dict(), folder / "w.pth")
    with pytest.raises(CompileError, match=r"F035.*\n.*--module"):
        open_program(folder / "w.pth")


def test_damaged_and_missing_files(folder: Path) -> None:
    (folder / "short.pt").write_bytes(b"PK\x03\x04 not a zip")
    with pytest.raises(CompileError, match="R010"):
        open_program(folder / "short.pt")
    with pytest.raises(CompileError, match="R010"):
        spec(folder, "make", weights=folder / "none.pth").load()


@pytest.mark.parametrize("kind", ["program.pt2", "script.pt", "weights.pth"])
@pytest.mark.parametrize("kept", [60, 0.5, 0.99])
def test_truncated_files(tmp_path: Path, kind: str, kept: float) -> None:
    network, path = nn.Linear(3, 4).eval(), tmp_path / kind
    if kind == "program.pt2":
        torch.export.save(torch.export.export(network, (torch.randn(2, 3),)), path)
    elif kind == "script.pt":
        jit: Any = torch.jit
        jit.trace(network, torch.randn(2, 3)).save(str(path))
    else:
        torch.save(network.state_dict(), path)
    whole = path.read_bytes()
    path.write_bytes(whole[: int(kept if kept > 1 else kept * len(whole))])
    with pytest.raises(CompileError, match=r"R010(.|\n)*get it again"):
        open_program(path)


def test_a_program_of_quantized_operators_is_read_without_their_library(tmp_path: Path) -> None:
    code = """
import sys, torch, torch.ao.quantization.fx._decomposed
class Steps(torch.nn.Module):
    def forward(self, x):
        return torch.ops.quantized_decomposed.quantize_per_tensor(x, 0.1, 3, -128, 127, torch.int8)
torch.export.save(torch.export.export(Steps(), (torch.randn(2, 3),)), sys.argv[1])
"""
    path = tmp_path / "steps.pt2"
    subprocess.run([sys.executable, "-c", code, str(path)], check=True, capture_output=True)
    read = (
        f"from pathlib import Path; from nhwcc.frontends.torch import open_program; open_program(Path({str(path)!r}))"
    )
    subprocess.run([sys.executable, "-c", read], check=True, capture_output=True)

"""Real architectures as packages of Core ML: operations, transposes, size, cost; and what their programs mean.

    python -m benchmarks.coreml_files [NAME ...]

Weights are random.  Numbers are those of the tests' interpreter of MIL's descriptions, beside PyTorch's: there is no
Core ML but on Apple's systems.
"""

from __future__ import annotations

import importlib
import os
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn
from torch.utils import _pytree as pytree

from benchmarks import torch_transformers
from benchmarks.measure import proven, scratch, table
from benchmarks.torch_nets import Recurrent, honest
from examples.u2netp import seeded
from nhwcc import CompileError, CompileOptions
from nhwcc.driver import compile_model

sys.path.append(str(Path(__file__).parents[1] / "tests" / "support"))

HEAD = ("network", "ops", "transposes", "relative error", "package", "weights", "FP16", "CPU s")

NAMES = ("MobileNetV2", "ResNet-18", "U²-Net-P", "LSTM", "BERT", "ViT", "GPT-2 step")


@dataclass
class Subject:
    """A network, its inputs, and which of their sizes stay open."""

    network: nn.Module
    inputs: dict[str, Any]
    sizes: dict[str, Any] = field(default_factory=lambda: dict[str, Any]())


def subject(name: str) -> Subject:
    """Make a network by its name."""
    transformers: Any = importlib.import_module("transformers")
    image = {"pixel_values": torch.randn(1, 3, 224, 224)}
    match name:
        case "MobileNetV2":
            return Subject(transformers.MobileNetV2Model(transformers.MobileNetV2Config()), image)
        case "ResNet-18":
            config = transformers.ResNetConfig(
                layer_type="basic", depths=[2, 2, 2, 2], hidden_sizes=[64, 128, 256, 512], embedding_size=64
            )
            return Subject(transformers.ResNetModel(config), image)
        case "U²-Net-P":
            return Subject(seeded(), {"x": torch.rand(1, 3, 160, 160)})
        case "LSTM":
            return Subject(Recurrent(), {"x": torch.randn(1, 50, 64)})
        case _:
            found = torch_transformers.subject(name)
            return Subject(found.network, found.inputs(*torch_transformers.EXPORTED), found.open_sizes)


def spent() -> float:
    """Return the processor seconds of this process, and of those that it started and that ended."""
    used = os.times()
    return used.user + used.system + used.children_user + used.children_system


def row(name: str) -> list[str]:
    """Write a package twice, and run the program of the first one."""
    from mil_interpreter import MilFileRunner

    torch.random.manual_seed(0)  # pyright: ignore[reportUnknownMemberType]
    given, folder = subject(name), scratch()
    network = honest(given.network).eval()
    options: dict[str, Any] = {"kwargs": given.inputs, "dynamic_shapes": given.sizes or None, "verify": False}
    begun = spent()
    try:
        report = compile_model(network, CompileOptions(output=folder / "m.mlpackage", **options)).report
        seconds = spent() - begun
        halves = compile_model(network, CompileOptions(output=folder / "h.mlpackage", data_type="FP16", **options))
    except CompileError as bad:
        return [name, f"{bad.diagnostics[0].code}: {bad.diagnostics[0].message.splitlines()[0]}", *[""] * 6]
    arrays = [np.asarray(t) for t in pytree.tree_leaves(given.inputs)]
    with MilFileRunner(folder / "m.mlpackage") as runner, torch.no_grad():
        found = runner.run({port.name: a for port, a in zip(report.inputs, arrays, strict=True)})
        wanted = [np.asarray(t) for t in pytree.tree_leaves(network(**given.inputs)) if isinstance(t, torch.Tensor)]
    worst = max(float(np.abs(w - g).max() / np.abs(w).max()) for w, g in zip(wanted, found.values(), strict=True))
    is_proven = report.layout_proof is not None and report.layout_proof.is_proven
    weights = sum(p.nbytes for p in network.parameters())
    return [
        name,
        str(sum(report.ops_after.values())),
        proven(report.transposes_after, is_proven),
        f"{worst:.1e}",
        *(f"{size / 1e6:,.1f} MB" for size in (report.bytes, weights, halves.report.bytes)),
        f"{seconds:.1f}",
    ]


def main() -> None:
    """Print the table."""
    print(table(HEAD, []))
    for name in sys.argv[1:] or NAMES:
        print(f"| {' | '.join(row(name))} |", flush=True)


if __name__ == "__main__":
    main()

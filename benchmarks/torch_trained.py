"""Trained PyTorch networks to TFLite, without flags: operations, Transposes, error against PyTorch.

python -m benchmarks.torch_trained [NAME ...]
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

import torch
from torch import Tensor, nn

import nhwcc
from benchmarks.measure import megabytes, table
from benchmarks.torch_models import efficientnet_lite0, mobilenet_v2
from benchmarks.trained_nets import Crepe, OutputNet, ProposalNet, RefineNet, VoiceEncoder
from examples.trained import fetch
from examples.u2netp import seeded


def filled(module: nn.Module, weights: Path) -> nn.Module:
    """Load published weights; what a training run stored beside them is left out."""
    stored = cast(dict[str, Any], torch.load(weights, map_location="cpu", weights_only=True))
    state = cast(dict[str, Tensor], stored.get("model_state", stored))
    module.load_state_dict({name: state[name] for name in module.state_dict()})
    return module.eval()


NETWORKS: dict[str, tuple[Callable[[], nn.Module], tuple[int, ...]]] = {
    "mtcnn_pnet": (lambda: filled(ProposalNet(), fetch("mtcnn_pnet")), (1, 3, 120, 160)),
    "mtcnn_rnet": (lambda: filled(RefineNet(), fetch("mtcnn_rnet")), (4, 3, 24, 24)),
    "mtcnn_onet": (lambda: filled(OutputNet(), fetch("mtcnn_onet")), (4, 3, 48, 48)),
    "mobilenet_v2": (lambda: mobilenet_v2(fetch("mobilenet_v2")), (1, 3, 224, 224)),
    "efficientnet_lite0": (lambda: efficientnet_lite0(fetch("efficientnet_lite0")), (1, 3, 224, 224)),
    "crepe_tiny": (lambda: filled(Crepe(), fetch("crepe_tiny")), (4, 1024)),
    "voice_encoder": (lambda: filled(VoiceEncoder(), fetch("voice_encoder")), (1, 160, 40)),
    "u2netp (seeded)": (seeded, (1, 3, 320, 320)),
}
"""How each network is made, and its input."""


def row(name: str) -> list[str]:
    """Compile a network, compare it with PyTorch."""
    make, shape = NETWORKS[name]
    torch.random.manual_seed(0)  # pyright: ignore[reportUnknownMemberType]
    report = nhwcc.compile(make(), args=(torch.rand(shape),)).report
    assert report.verification is not None
    compared = [o.difference for o in report.verification.outputs]
    return [
        name,
        "x".join(map(str, shape)),
        str(sum(report.ops_after.values())),
        str(report.transposes_after),
        f"{max(d.error for d in compared):.1e}",
        f"{max(d.relative for d in compared):.1e}",
        megabytes(report.bytes or 0),
    ]


def main() -> None:
    """Print the table."""
    head = ("network", "input", "ops", "TRANSPOSE", "largest error", "relative", "file")
    print(table(head, [row(name) for name in sys.argv[1:] or NETWORKS]))


if __name__ == "__main__":
    main()

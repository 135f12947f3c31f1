"""Architectures of torchvision and timm, straight from PyTorch, with random weights whose norms matter.

    python -m benchmarks.torch_zoo [NAME ...] [--before MODULE]

Names of timm begin with ``timm/``.  ``--before`` imports a module first, such as one that makes a CUDA build of
torchvision importable beside a CPU build of torch.
"""

from __future__ import annotations

import argparse
import gc
import importlib
import resource
import time
import warnings
from typing import Any

import torch
from torch import nn

import nhwcc
from nhwcc import CompileError

TORCHVISION = {
    "resnet50": 224,
    "mobilenet_v3_large": 224,
    "shufflenet_v2_x1_0": 224,
    "densenet121": 224,
    "swin_t": 224,
    "maxvit_t": 224,
    "deeplabv3_resnet50": 128,
    "fcn_resnet50": 128,
    "lraspp_mobilenet_v3_large": 128,
    "r3d_18": 112,
}
"""Names and sizes of images."""

TIMM = [
    "mobilenetv3_small_100",
    "efficientnet_b0",
    "convnext_atto",
    "vit_tiny_patch16_224",
    "swin_tiny_patch4_window7_224",
    "mobilevit_s",
    "mobilevitv2_050",
    "levit_128s",
    "edgenext_xx_small",
    "ghostnet_100",
    "repvit_m0_9",
    "hgnetv2_b0",
    "poolformer_s12",
    "mixer_s32_224",
    "maxvit_nano_rw_256",
    "gmlp_s16_224",
    "resmlp_12_224",
    "cait_xxs24_224",
    "xcit_nano_12_p16_224",
    "coat_tiny",
    "pvt_v2_b0",
    "twins_pcpvt_small",
    "crossvit_tiny_240",
    "tinynet_e",
    "fbnetc_100",
    "rexnet_100",
    "regnetx_002",
    "res2net50_26w_4s",
    "dla34",
    "hrnet_w18_small",
    "cspdarknet53",
    "nfnet_f0",
    "efficientformer_l1",
    "fastvit_t8",
    "inception_next_tiny",
    "mobileone_s0",
    "mobilenetv4_conv_small",
    "starnet_s1",
    "davit_tiny",
    "tiny_vit_5m_224",
]
"""Forty architectures."""


def honest(module: nn.Module) -> nn.Module:
    """Give norms parameters and statistics that matter, and weights that are all alike other ones."""
    generator: Any = torch.Generator().manual_seed(0)
    with torch.no_grad():
        for part in module.modules():
            if "Norm" in type(part).__name__:
                for name, tensor in (*part.named_parameters(recurse=False), *part.named_buffers(recurse=False)):
                    if tensor.is_floating_point():
                        low = 0.5 if name.endswith(("weight", "var")) else -0.5
                        tensor.uniform_(low, low + 1, generator=generator)
        for tensor in module.parameters():
            if tensor.numel() > 1 and float(tensor.float().std()) < 1e-3:
                tensor.uniform_(-0.5, 0.5, generator=generator)
    return module.eval()


def build(name: str) -> tuple[nn.Module, tuple[int, ...]]:
    """Make an architecture and say which input it takes."""
    if name.startswith("timm/"):
        timm: Any = importlib.import_module("timm")
        module = timm.create_model(name.removeprefix("timm/"), pretrained=False)
        return module, (1, *module.default_cfg["input_size"])
    torchvision: Any = importlib.import_module("torchvision")
    size = TORCHVISION[name]
    options = {"weights_backbone": None} if size == 128 else {}
    module = torchvision.models.get_model(name, weights=None, **options)
    return module, (1, 3, 16, size, size) if name == "r3d_18" else (1, 3, size, size)


def measure(name: str) -> str:
    """Compile one, and return its row."""
    torch.random.manual_seed(0)  # pyright: ignore[reportUnknownMemberType]
    module, shape = build(name)
    example = torch.randn(shape)
    start = time.process_time()
    try:
        report = nhwcc.compile(honest(module), args=(example,)).report
    except CompileError as bad:
        return f"| {name} | {bad.diagnostics[0].code}: {bad.diagnostics[0].message.splitlines()[0]} | | | | | |"
    assert report.verification is not None
    error = max(o.difference.relative for o in report.verification.outputs)
    counts = report.ops_after
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    cells = (name, sum(counts.values()), report.transposes_after, counts.get("RESHAPE", 0), f"{error:.1e}")
    return f"| {' | '.join(map(str, cells))} | {time.process_time() - start:.1f} | {peak} |"


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", default=[*TORCHVISION, *(f"timm/{n}" for n in TIMM)])
    parser.add_argument("--before")
    options = parser.parse_args()
    warnings.simplefilter("ignore")
    if options.before:
        importlib.import_module(options.before)
    print("| model | ops | Transposes | Reshapes | error | CPU s | peak MB so far |\n|---|---|---|---|---|---|---|")
    for name in options.names:
        print(measure(name), flush=True)
        gc.collect()


if __name__ == "__main__":
    main()

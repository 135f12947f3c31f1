"""Architectures of torchvision and timm with random weights whose norms matter, and what their inputs are."""

from __future__ import annotations

import importlib
from typing import Any

import torch
from torch import Tensor, nn

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
    "raft_small": 128,
    "ssdlite320_mobilenet_v3_large": 320,
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
    "hiera_tiny_224",
    "convnext_tiny",
]
"""Those of timm."""


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


class DetectionHeads(nn.Module):
    """Backbone and heads of a detector: what comes before boxes are decoded and sorted out."""

    def __init__(self, detector: Any) -> None:
        super().__init__()
        self.backbone = detector.backbone
        self.head = detector.head

    def forward(self, x: Tensor) -> dict[str, Tensor]:
        """An image to logits and offsets of all boxes."""
        return self.head(list(self.backbone(x).values()))


class Recurrent(nn.Module):
    """Two LSTM layers in both directions over 50 steps, and a linear layer."""

    def __init__(self) -> None:
        super().__init__()
        self.lstm = nn.LSTM(64, 128, num_layers=2, batch_first=True, bidirectional=True)
        self.head = nn.Linear(256, 10)

    def forward(self, x: Tensor) -> Tensor:
        """``[n, t, 64]`` to ``[n, t, 10]``."""
        return self.head(self.lstm(x)[0])


def build(name: str) -> tuple[nn.Module, list[tuple[int, ...]]]:
    """Make an architecture and say which inputs it takes."""
    if name == "lstm":
        return Recurrent(), [(1, 50, 64)]
    if name.startswith("timm/"):
        timm: Any = importlib.import_module("timm")
        module = timm.create_model(name.removeprefix("timm/"), pretrained=False)
        return module, [(1, *module.default_cfg["input_size"])]
    torchvision: Any = importlib.import_module("torchvision")
    size = TORCHVISION[name]
    segments = any(word in name for word in ("deeplab", "fcn", "lraspp", "ssdlite"))
    options = {"weights_backbone": None} if segments else {}
    module = torchvision.models.get_model(name, weights=None, **options)
    shape = (1, 3, 16, size, size) if name == "r3d_18" else (1, 3, size, size)
    if name.startswith("ssdlite"):
        return DetectionHeads(module), [shape]
    return module, [shape, shape] if name.startswith("raft") else [shape]

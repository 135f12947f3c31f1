"""Networks as people export them to ONNX: transformers, segmentation, detection; random weights, open sizes.

torchvision's and segmentation-models-pytorch's need these packages beside PyTorch.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, nn


@dataclass(frozen=True)
class Case:
    """A network with example inputs by name, and the names of its inputs' open sizes by axis."""

    module: nn.Module
    inputs: Mapping[str, Tensor]
    open: Mapping[str, Mapping[int, str]] = field(default_factory=lambda: dict[str, Mapping[int, str]]())


class Text(nn.Module):
    """A language network called with ids and a mask."""

    def __init__(self, network: nn.Module, *fields: str) -> None:
        super().__init__()
        self.network = network
        self.fields = fields

    def forward(self, input_ids: Tensor, attention_mask: Tensor) -> tuple[Tensor, ...]:
        """``i64[batch, sequence]`` twice to the chosen tensors."""
        found = self.network(input_ids=input_ids, attention_mask=attention_mask)
        return tuple(found[name] for name in self.fields)


class Images(nn.Module):
    """A network called with images."""

    def __init__(self, network: nn.Module, *fields: str) -> None:
        super().__init__()
        self.network = network
        self.fields = fields

    def forward(self, pixel_values: Tensor) -> tuple[Tensor, ...]:
        """``f32[batch, 3, height, width]`` to the chosen tensors."""
        found = self.network(pixel_values)
        return tuple(found[name] for name in self.fields) if self.fields else found


def transformers(name: str, **config: Any) -> nn.Module:
    """Make a network of the transformers package with random weights and a small configuration."""
    package: Any = importlib.import_module("transformers")
    kind, settings = getattr(package, f"{name}Model"), getattr(package, f"{name}Config")
    return kind(settings(**config))


SMALL = {
    "hidden_size": 64, "num_hidden_layers": 2, "num_attention_heads": 4, "intermediate_size": 128, "vocab_size": 500,
}  # fmt: skip
IDS = {0: "batch", 1: "sequence"}


def text(network: nn.Module, *fields: str, length: int = 12, vocabulary: int = 500) -> Case:
    """Give a language network two sentences, the second one shorter."""
    ids = torch.randint(3, vocabulary, (2, length))
    mask = torch.ones_like(ids)
    mask[1, length - 4 :] = 0
    inputs = {"input_ids": ids, "attention_mask": mask}
    return Case(Text(network, *fields), inputs, dict.fromkeys(inputs, IDS))


def bert() -> Case:
    """BERT: encoder and pooler."""
    return text(transformers("Bert", **SMALL), "last_hidden_state", "pooler_output")


def distilbert() -> Case:
    """DistilBERT."""
    config = {"dim": 64, "n_layers": 2, "n_heads": 4, "hidden_dim": 128, "vocab_size": 500}
    return text(transformers("DistilBert", **config), "last_hidden_state")


def roberta() -> Case:
    """RoBERTa: positions are counted from the ids."""
    return text(transformers("Roberta", **SMALL), "last_hidden_state")


def gpt2() -> Case:
    """GPT-2 without a cache: a causal mask."""
    config = {"n_embd": 64, "n_layer": 2, "n_head": 4, "vocab_size": 500, "use_cache": False}
    return text(transformers("GPT2", **config), "last_hidden_state")


def llama() -> Case:
    """Llama without a cache: rotary positions, grouped queries."""
    config = {**SMALL, "num_key_value_heads": 2, "use_cache": False}
    return text(transformers("Llama", **config), "last_hidden_state")


def t5_encoder() -> Case:
    """T5's encoder: relative positions."""
    package: Any = importlib.import_module("transformers")
    config = package.T5Config(d_model=64, d_kv=16, d_ff=128, num_layers=2, num_heads=4, vocab_size=500)
    return text(package.T5EncoderModel(config), "last_hidden_state")


def vit() -> Case:
    """A vision transformer."""
    config = {k: v for k, v in SMALL.items() if k != "vocab_size"}
    network = transformers("ViT", **config, image_size=64, patch_size=16)
    return Case(
        Images(network, "last_hidden_state", "pooler_output"),
        {"pixel_values": torch.randn(2, 3, 64, 64)},
        {"pixel_values": {0: "batch"}},
    )


def whisper_encoder() -> Case:
    """Whisper's encoder of mel spectrograms."""
    package: Any = importlib.import_module("transformers")
    config = package.WhisperConfig(
        d_model=64, encoder_layers=2, encoder_attention_heads=4, encoder_ffn_dim=128, max_source_positions=100,
        num_mel_bins=80, vocab_size=500, decoder_layers=1, decoder_attention_heads=4, decoder_ffn_dim=128,
        pad_token_id=0, bos_token_id=1, eos_token_id=2, decoder_start_token_id=1,
    )  # fmt: skip
    network = package.WhisperModel(config).encoder
    return Case(
        Images(network, "last_hidden_state"),
        {"pixel_values": torch.randn(2, 80, 200)},
        {"pixel_values": {0: "batch"}},
    )


class Clip(nn.Module):
    """Images and texts to the similarity of each with each."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, input_ids: Tensor, attention_mask: Tensor, pixel_values: Tensor) -> tuple[Tensor, ...]:
        """``i64[texts, sequence]`` twice and ``f32[images, 3, h, w]`` to logits and embeddings."""
        found = self.network(input_ids=input_ids, attention_mask=attention_mask, pixel_values=pixel_values)
        return found.logits_per_image, found.text_embeds, found.image_embeds


def clip() -> Case:
    """CLIP: both towers."""
    small = {k: v for k, v in SMALL.items() if k != "vocab_size"}
    package: Any = importlib.import_module("transformers")
    config = package.CLIPConfig(
        text_config={**small, "vocab_size": 500, "max_position_embeddings": 32, "eos_token_id": 499},
        vision_config={**small, "image_size": 64, "patch_size": 16},
        projection_dim=32,
    )
    ids = torch.randint(3, 490, (2, 12))
    ids[:, -1] = 499
    texts = {0: "texts", 1: "sequence"}
    return Case(
        Clip(package.CLIPModel(config)),
        {"input_ids": ids, "attention_mask": torch.ones_like(ids), "pixel_values": torch.randn(3, 3, 64, 64)},
        {"input_ids": texts, "attention_mask": texts, "pixel_values": {0: "images"}},
    )


def torchvision(name: str, **options: Any) -> nn.Module:
    """Make a network of torchvision with random weights."""
    package: Any = importlib.import_module("torchvision")
    return package.models.get_model(name, weights=None, weights_backbone=None, **options)


IMAGES = {0: "batch", 2: "height", 3: "width"}


def images(network: nn.Module, *fields: str, size: Sequence[int] = (96, 128), batch: int = 2) -> Case:
    """Give a network images whose sizes stay open."""
    return Case(Images(network, *fields), {"pixel_values": torch.randn(batch, 3, *size)}, {"pixel_values": IMAGES})


def deeplabv3() -> Case:
    """DeepLabV3: dilated pyramid, resizing to the input."""
    return images(torchvision("deeplabv3_mobilenet_v3_large"), "out")


def fcn() -> Case:
    """FCN."""
    return images(torchvision("fcn_resnet50"), "out")


def lraspp() -> Case:
    """LR-ASPP."""
    return images(torchvision("lraspp_mobilenet_v3_large"), "out")


def smp_unet() -> Case:
    """U-Net on a ResNet."""
    package: Any = importlib.import_module("segmentation_models_pytorch")
    return images(package.Unet("resnet18", encoder_weights=None, classes=3))


def smp_fpn() -> Case:
    """A feature pyramid on MobileNetV2: group norms."""
    package: Any = importlib.import_module("segmentation_models_pytorch")
    return images(package.FPN("mobilenet_v2", encoder_weights=None, classes=3))


def smp_pspnet() -> Case:
    """PSPNet: pools to fixed sizes."""
    package: Any = importlib.import_module("segmentation_models_pytorch")
    return images(package.PSPNet("resnet18", encoder_weights=None, classes=3))


def smp_segformer() -> Case:
    """SegFormer."""
    package: Any = importlib.import_module("segmentation_models_pytorch")
    return images(package.Segformer("mit_b0", encoder_weights=None, classes=3), size=(96, 128))


class Heads(nn.Module):
    """A detector up to what comes before the choice of boxes."""

    def __init__(self, detector: Any) -> None:
        super().__init__()
        self.backbone, self.head = detector.backbone, detector.head

    def forward(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """``f32[batch, 3, height, width]`` to scores and boxes of all anchors."""
        found = self.head(list(self.backbone(images).values()))
        return found["cls_logits"], found["bbox_regression"]


class Proposals(nn.Module):
    """A two-stage detector's backbone and its network of proposals."""

    def __init__(self, detector: Any) -> None:
        super().__init__()
        self.backbone, self.head = detector.backbone, detector.rpn.head

    def forward(self, images: Tensor) -> tuple[Tensor, ...]:
        """``f32[batch, 3, height, width]`` to scores and boxes of each level."""
        scores, boxes = self.head(list(self.backbone(images).values()))
        return (*scores, *boxes)


def ssdlite() -> Case:
    """SSDlite's backbone and heads."""
    return images(Heads(torchvision("ssdlite320_mobilenet_v3_large", num_classes=11)), size=(320, 320))


def retinanet() -> Case:
    """RetinaNet's backbone and heads."""
    return images(Heads(torchvision("retinanet_resnet50_fpn", num_classes=11)))


def fasterrcnn() -> Case:
    """Faster R-CNN's backbone and proposals."""
    return images(Proposals(torchvision("fasterrcnn_mobilenet_v3_large_fpn", num_classes=11)))


CASES: dict[str, Callable[[], Case]] = {
    "bert": bert,
    "distilbert": distilbert,
    "roberta": roberta,
    "gpt2": gpt2,
    "llama": llama,
    "t5_encoder": t5_encoder,
    "vit": vit,
    "whisper_encoder": whisper_encoder,
    "clip": clip,
    "deeplabv3": deeplabv3,
    "fcn": fcn,
    "lraspp": lraspp,
    "smp_unet": smp_unet,
    "smp_fpn": smp_fpn,
    "smp_pspnet": smp_pspnet,
    "smp_segformer": smp_segformer,
    "ssdlite": ssdlite,
    "retinanet": retinanet,
    "fasterrcnn": fasterrcnn,
}
"""All networks by name."""

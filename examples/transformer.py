"""Small networks of the transformers package, with random weights: ``--module transformer.py:encoder --args "'bert'"``.

Weights of trained ones come from ``AutoModel.from_pretrained``; what compiles does not depend on them.
"""

# transformers has no types
# pyright: reportUnknownMemberType=false

from __future__ import annotations

from typing import Any, cast

from torch import Tensor, nn
from transformers import AutoConfig, AutoModel

SMALL = {"hidden_size": 64, "num_hidden_layers": 2, "num_attention_heads": 4, "intermediate_size": 128}
WORDS = {"vocab_size": 1000, "max_position_embeddings": 128, "use_cache": False}
IMAGES = {"image_size": 64, "patch_size": 16}


class Hidden(nn.Module):
    """A network of which only the last layer's features are wanted."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network


class Encoder(Hidden):
    """Features of tokens: i64[batch, length] to f32[batch, length, features]."""

    def forward(self, input_ids: Tensor) -> Tensor:
        """Return the last hidden states of the network."""
        return self.network(input_ids=input_ids).last_hidden_state


class Vision(Hidden):
    """Features of patches: f32[batch, 3, height, width] to f32[batch, patches, features]."""

    def forward(self, pixel_values: Tensor) -> Tensor:
        """Return the last hidden states of the network."""
        return self.network(pixel_values=pixel_values).last_hidden_state


def encoder(kind: str, **sizes: Any) -> nn.Module:
    """Make a network on tokens of a kind that ``AutoConfig`` knows, such as ``bert`` or ``llama``."""
    return Encoder(_make(kind, SMALL | WORDS | sizes))


def vision(kind: str, **sizes: Any) -> nn.Module:
    """Make a network on images of a kind that ``AutoConfig`` knows, such as ``vit``."""
    return Vision(_make(kind, SMALL | IMAGES | sizes))


def _make(kind: str, sizes: dict[str, Any]) -> nn.Module:
    network = cast(nn.Module, AutoModel.from_config(AutoConfig.for_model(kind, **sizes)))
    return network.eval()

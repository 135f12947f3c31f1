"""Transformers straight from PyTorch, with open batch and length: what they become, and how far off at three sizes.

    python -m benchmarks.torch_transformers [NAME ...] [--before MODULE]

Networks of the ``transformers`` package with random weights, two layers of 32 features in four heads.  ``--before``
imports a module first, such as one that makes a CUDA build of torchvision importable beside a CPU build of torch.
"""

from __future__ import annotations

import argparse
import importlib
import subprocess
import sys
import time
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.export import Dim
from torch.utils import _pytree as pytree

import nhwcc
from benchmarks.torch_zoo import honest

SIZES = ((1, 5), (2, 16), (5, 33))
"""Batch and length."""

EXPORTED = (3, 7)
"""Batch and length of the inputs that are exported."""

BATCH, LENGTH = Dim("batch", min=2, max=64), Dim("length", min=2, max=64)
SMALL = {"hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 4, "intermediate_size": 64}
WORDS = {"vocab_size": 99, "max_position_embeddings": 64}
IMAGES = {"image_size": 32, "patch_size": 8}


@dataclass(frozen=True)
class Subject:
    """A network, its inputs for a batch and a length, and which of their sizes stay open."""

    network: nn.Module
    inputs: Callable[[int, int], dict[str, Any]]
    open_sizes: dict[str, Any]


class Step(nn.Module):
    """A language model's step with the keys and values of the words before."""

    def __init__(self, model: nn.Module, cache: Callable[[], Any]) -> None:
        super().__init__()
        self.model = model
        self.cache = cache

    def forward(self, input_ids: Tensor, past: list[tuple[Tensor, Tensor]], attention_mask: Tensor) -> dict[str, Any]:
        """Return what may come next, and what is to be kept."""
        cache = self.cache()
        for i, (keys, values) in enumerate(past):
            cache.update(keys, values, i)
        found: Any = self.model(
            input_ids=input_ids, past_key_values=cache, attention_mask=attention_mask, use_cache=True
        )
        return {"logits": found.logits, "past": [(layer.keys, layer.values) for layer in found.past_key_values.layers]}


def words(batch: int, length: int) -> dict[str, Any]:
    """Return words, of which the first text hides the second half."""
    mask = torch.ones(batch, length, dtype=torch.int64)
    mask[0, length // 2 :] = 0
    return {"input_ids": torch.randint(0, 99, (batch, length)), "attention_mask": mask}


def picture(batch: int, _: int) -> dict[str, Any]:
    """Return images."""
    return {"pixel_values": torch.randn(batch, 3, 32, 32)}


def sound(batch: int, _: int) -> dict[str, Any]:
    """Return spectra."""
    return {"input_features": torch.randn(batch, 16, 60)}


def step(batch: int, length: int) -> dict[str, Any]:
    """Return one word per text, and keys and values of those before."""
    past = [(torch.randn(batch, 4, length, 8), torch.randn(batch, 4, length, 8)) for _ in range(2)]
    mask = torch.ones(batch, length + 1, dtype=torch.int64)
    return {"input_ids": torch.randint(0, 99, (batch, 1)), "past": past, "attention_mask": mask}


def subject(name: str) -> Subject:
    """Make a network by its name."""
    package: Any = importlib.import_module("transformers")
    texts = {"input_ids": {0: BATCH, 1: LENGTH}, "attention_mask": {0: BATCH, 1: LENGTH}}
    images = {"pixel_values": {0: BATCH}}

    def of(kind: str, config: str = "", **options: Any) -> nn.Module:
        return getattr(package, kind)(getattr(package, config or kind.removesuffix("Model") + "Config")(**options))

    match name:
        case "BERT":
            return Subject(of("BertModel", **SMALL, **WORDS), words, texts)
        case "DistilBERT":
            network = of("DistilBertModel", dim=32, n_layers=2, n_heads=4, hidden_dim=64, **WORDS)
            return Subject(network, words, texts)
        case "ViT":
            return Subject(of("ViTModel", **SMALL, **IMAGES), picture, images)
        case "CLIP text":
            return Subject(of("CLIPTextModel", **SMALL, **WORDS, bos_token_id=0, eos_token_id=98), words, texts)
        case "CLIP image":
            return Subject(of("CLIPVisionModel", **SMALL, **IMAGES), picture, images)
        case "Whisper encoder":
            sizes = {f"{part}_{what}": n for part in ("encoder", "decoder") for what, n in _LAYERS.items()}
            network: Any = of("WhisperModel", d_model=32, num_mel_bins=16, max_source_positions=30, **sizes)
            return Subject(network.encoder, sound, {"input_features": {0: BATCH}})
        case "T5 encoder":
            sizes = {"d_model": 32, "d_kv": 8, "d_ff": 64, "num_layers": 2, "num_heads": 4}
            return Subject(of("T5EncoderModel", "T5Config", vocab_size=99, **sizes), words, texts)
        case "GPT-2 step":
            network = of("GPT2LMHeadModel", "GPT2Config", vocab_size=99, n_positions=64, n_embd=32, n_layer=2, n_head=4)
            kept = {0: BATCH, 2: LENGTH}
            past = [(kept, kept), (kept, kept)]
            shapes = {"input_ids": {0: BATCH}, "past": past, "attention_mask": {0: BATCH, 1: LENGTH + 1}}
            return Subject(Step(network, package.DynamicCache), step, shapes)
        case _:
            raise SystemExit(f"there is no {name}; there are {', '.join(NAMES)}")


_LAYERS = {"layers": 2, "attention_heads": 4, "ffn_dim": 64}
NAMES = ("BERT", "DistilBERT", "ViT", "CLIP text", "CLIP image", "Whisper encoder", "T5 encoder", "GPT-2 step")


def measure(name: str) -> str:
    """Compile one, run it at all sizes, and return its row."""
    torch.random.manual_seed(0)  # pyright: ignore[reportUnknownMemberType]
    given = subject(name)
    network = honest(given.network)
    start = time.process_time()
    artifact = nhwcc.compile(
        network, kwargs=given.inputs(*EXPORTED), dynamic_shapes=given.open_sizes, io_layout="keep", verify=False
    )
    seconds, report = time.process_time() - start, artifact.report
    worst = 0.0
    for batch, length in SIZES:
        inputs = given.inputs(batch, length)
        with torch.no_grad():
            want: list[Any] = [v for v in pytree.tree_leaves(network(**inputs)) if v is not None]
        arrays: list[Any] = [t.numpy() for t in pytree.tree_leaves(inputs)]
        found = artifact(**{port.name: a for port, a in zip(report.inputs, arrays, strict=True)})
        for tensor, got in zip(want, found.values(), strict=True):
            wanted = tensor.numpy()
            worst = max(worst, float(np.abs(wanted - got).max() / np.abs(wanted).max()))
    counts, peak = report.ops_after, report.peak_memory // 10**6
    cells = (name, sum(counts.values()), report.transposes_after, counts.get("RESHAPE", 0), f"{worst:.1e}")
    return f"| {' | '.join(map(str, cells))} | {seconds:.1f} | {peak} MB |"


def main() -> None:
    """Print the table; every network is measured in a process of its own."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", default=list(NAMES))
    parser.add_argument("--before")
    parser.add_argument("--row", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    warnings.simplefilter("ignore")
    if options.row:
        if options.before:
            importlib.import_module(options.before)
        print(measure(*options.names), flush=True)
        return
    print(
        "| network | ops | Transposes | Reshapes | error | CPU s | peak |\n| --- | --- | --- | --- | --- | --- | --- |"
    )
    before = ["--before", options.before] if options.before else []
    for name in options.names:
        command = [sys.executable, "-m", "benchmarks.torch_transformers", name, "--row", *before]
        subprocess.run(command, check=True, stderr=subprocess.DEVNULL)


if __name__ == "__main__":
    main()

"""Objects that hold tensors as arguments and results: their tensors become inputs and outputs."""

# PyTorch's functions are only partly typed
# pyright: reportUnknownMemberType=false

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module
from typing import Any

import numpy as np
import pytest
import torch
from nhwcc.compiler.types import Array
from nhwcc.frontends.torch import import_torch
from torch import Tensor, nn
from torch.export import Dim
from torch.utils import _pytree as pytree

import nhwcc


class Layer:
    """Keys that grow."""

    def __init__(self) -> None:
        self.keys: Tensor | None = None
        self.calls = 0

    def update(self, keys: Tensor) -> Tensor:
        self.keys = keys if self.keys is None else torch.cat([self.keys, keys], 1)
        self.calls += 1
        return self.keys


class Cache:
    """A list of layers, and what is no tensor."""

    def __init__(self, *keys: Tensor) -> None:
        self.layers = [Layer(), Layer()]
        self.name = "cache"
        for layer, k in zip(self.layers, keys, strict=False):
            layer.update(k)


class Step(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.keys = nn.Linear(4, 4)

    def forward(self, x: Tensor, past: Cache) -> dict[str, Any]:
        for layer in past.layers:
            x = layer.update(self.keys(x)).mean(1, keepdim=True) + x
        return {"y": x, "past": past}


def test_a_cache_goes_in_and_out_and_grows() -> None:
    torch.manual_seed(0)
    past = Dim("past", min=2, max=64)
    given = Cache(torch.randn(1, 3, 4), torch.randn(1, 3, 4))
    kept = given.layers[0].keys
    network = Step().eval()
    artifact = nhwcc.compile(
        network, args=(torch.randn(1, 1, 4), given), dynamic_shapes={"x": None, "past": {1: past}}, io_layout="keep"
    )
    names = ["past_layers_0_keys", "past_layers_1_keys"]
    assert [p.name for p in artifact.report.inputs] == ["x", *names]
    assert [p.name for p in artifact.report.outputs] == ["y", *names]
    assert artifact.report.inputs[1].type == "f32[1,past,4]"
    assert given.layers[0].keys is kept and given.layers[0].calls == 1, "compiling changed the cache"
    states: dict[str, Array] = {n: layer.keys.numpy() for n, layer in zip(names, given.layers, strict=True)}  # pyright: ignore[reportOptionalMemberAccess]
    for _ in range(4):
        x = torch.randn(1, 1, 4)
        with torch.no_grad():
            want = network(x, given)["y"]
        states = artifact(x.numpy(), **states)
        np.testing.assert_allclose(states.pop("y"), want.numpy(), atol=1e-5)


def test_an_empty_cache_comes_out_full() -> None:
    given = Cache()
    module = import_torch(Step().eval(), (torch.randn(1, 2, 4), given))
    assert [p.name for p in module.main.inputs] == ["x"]
    assert [p.name for p in module.main.outputs] == ["y", "past_layers_0_keys", "past_layers_1_keys"]
    assert given.layers[0].keys is None


class Ring(nn.Module):
    """Writes into a cache that it gives back."""

    def forward(self, x: Tensor, past: Cache) -> dict[str, Any]:
        for layer in past.layers:
            assert layer.keys is not None
            layer.keys[:, :1] = x
        return {"y": x * 2, "past": past}


class Known:
    def __init__(self, keys: Tensor) -> None:
        self.keys = keys


class Mean(nn.Module):
    def forward(self, x: Tensor, past: Known) -> Tensor:
        return x + past.keys.mean(1, keepdim=True)


def test_classes_that_pytorch_knows_by_others_are_left_to_them() -> None:
    """What they call a part is its name, and sizes are said as PyTorch takes them."""

    def parts(known: Known) -> Any:
        key: Any = pytree.MappingKey
        return [(key("k"), known.keys)], None

    def whole(values: Any, _: Any) -> Known:
        return Known(*values)

    pytree.register_pytree_node(
        Known, lambda known: ([known.keys], None), whole, serialized_type_name="Known", flatten_with_keys_fn=parts
    )
    given = (torch.randn(1, 2, 4), Known(torch.randn(1, 3, 4)))
    module = import_torch(Mean(), given, dynamic_shapes={"x": None, "past": [{1: Dim("past")}]})
    assert [p.name for p in module.main.inputs] == ["x", "past_k"]
    assert str(module.main.args[1].type) == "f32[1,past,4]"


@pytest.mark.parametrize("state", ["refuse", "io"])
def test_what_is_overwritten_and_returned_is_one_output(state: Any) -> None:
    given = Cache(torch.randn(1, 3, 4), torch.randn(1, 3, 4))
    report = nhwcc.compile(Ring(), args=(torch.randn(1, 1, 4), given), state=state).report
    assert [p.name for p in report.outputs] == ["y", "past_layers_0_keys", "past_layers_1_keys"]
    assert not any("overwrites" in r.text for r in report.remarks)


@dataclass
class Pair:
    left: Tensor
    right: list[Tensor]


class Sum(nn.Module):
    def forward(self, pair: Pair) -> Tensor:
        return pair.left + pair.right[0]


def test_any_object_will_do() -> None:
    pair = Pair(torch.randn(2, 3), [torch.randn(2, 3)])
    batch = Dim("batch")
    module = import_torch(Sum(), (pair,), dynamic_shapes={"pair": {0: batch}})
    assert [(p.name, str(a.type)) for p, a in zip(module.main.inputs, module.main.args, strict=True)] == [
        ("pair_left", "f32[batch,3]"),
        ("pair_right_0", "f32[batch,3]"),
    ]


@pytest.fixture(scope="module")
def transformers() -> Any:
    """The library, which takes seconds to load."""
    return import_module("transformers")


def gpt2(library: Any) -> Any:
    torch.manual_seed(0)
    sizes = {"n_layer": 2, "n_head": 2, "n_embd": 16, "n_positions": 32, "vocab_size": 50}
    return library.GPT2LMHeadModel(library.GPT2Config(**sizes, bos_token_id=0, eos_token_id=0)).eval()


def test_words_one_by_one(transformers: Any) -> None:
    """One file reads the beginning, another one goes on word by word; both caches are dynamic."""
    network, prompt = gpt2(transformers), torch.tensor([[7, 8, 9]])
    cache = transformers.DynamicCache()
    theirs = network(prompt, past_key_values=cache)
    begin = nhwcc.compile(network, kwargs={"input_ids": prompt}, io_layout="keep")
    given = transformers.DynamicCache([(layer.keys, layer.values) for layer in cache.layers])
    step = nhwcc.compile(
        network,
        kwargs={"input_ids": prompt[:, :1], "past_key_values": given},
        dynamic_shapes={"input_ids": None, "past_key_values": {2: Dim("past", min=1, max=30)}},
        io_layout="keep",
    )
    ours = begin(prompt.numpy())
    for _ in range(5):
        logits = ours.pop("logits")
        np.testing.assert_allclose(logits, theirs.logits.detach().numpy(), atol=1e-6)
        word = torch.tensor([[int(logits[0, -1].argmax())]])
        ours = step(word.numpy(), **ours)
        theirs = network(word, past_key_values=cache)


def test_a_static_cache(transformers: Any) -> None:
    network = gpt2(transformers)
    given, theirs = (transformers.StaticCache(config=network.config, max_cache_len=8) for _ in range(2))
    for cache in (given, theirs):
        cache.early_initialization(1, 2, 8, torch.float32, torch.device("cpu"))
    kwargs = {"input_ids": torch.tensor([[3]]), "past_key_values": given}
    artifact = nhwcc.compile(network, kwargs=kwargs, io_layout="keep")
    states = {p.name: np.zeros(1) for p in artifact.report.inputs[1:]}
    for i, layer in enumerate(given.layers):
        for part in ("keys", "values", "cumulative_length"):
            states[f"past_key_values_layers_{i}_{part}"] = getattr(layer, part).numpy()
    for word in (3, 1, 4, 1):
        with torch.no_grad():
            want = network(torch.tensor([[word]]), past_key_values=theirs).logits
        states = artifact(np.asarray([[word]]), **states)
        np.testing.assert_allclose(states.pop("logits"), want.numpy(), atol=1e-6)


@pytest.mark.parametrize("crossed", [True, False])
def test_a_cache_of_caches(transformers: Any, crossed: bool) -> None:
    sizes = {f"{part}_{what}": 2 for part in ("encoder", "decoder") for what in ("layers", "attention_heads")}
    sizes |= {"d_model": 16, "vocab_size": 50, "max_position_embeddings": 32, "encoder_ffn_dim": 16}
    network = transformers.BartForConditionalGeneration(transformers.BartConfig(**sizes, decoder_ffn_dim=16)).eval()
    own, cross = transformers.DynamicCache(), transformers.DynamicCache()
    for i in range(2):
        own.update(torch.randn(1, 2, 3, 8), torch.randn(1, 2, 3, 8), i)
        if crossed:
            cross.update(torch.randn(1, 2, 6, 8), torch.randn(1, 2, 6, 8), i)
    seen = import_module("transformers.modeling_outputs").BaseModelOutput(torch.randn(1, 6, 16))
    cache = transformers.EncoderDecoderCache(own, cross)
    kwargs = {"decoder_input_ids": torch.tensor([[3]]), "encoder_outputs": seen, "past_key_values": cache}
    report = nhwcc.compile(network, kwargs=kwargs).report
    names = [p.name for p in report.inputs]
    assert "past_key_values_self_attention_cache_layers_1_keys" in names
    assert ("past_key_values_cross_attention_cache_layers_1_keys" in names) == crossed

"""Channels that are made alike: the network computes what it did, and integers tell small channels apart, too."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from nhwcc.compiler.clone import clone_module
from nhwcc.compiler.fold import constant
from nhwcc.compiler.interpreter import run
from nhwcc.compiler.ir import Module
from nhwcc.compiler.ops.window import Conv
from nhwcc.compiler.types import Array
from nhwcc.passes.quantization.channel_factors import ChannelFactors
from nhwcc.passes.quantization.equalize import LARGEST_FACTOR, equalize
from nhwcc.passes.quantization.names import value_names
from nhwcc.passes.quantization.quantize import Recipe
from onnx import NodeProto, helper

from tests.passes.quantization.networks import calibrated, decibels, network, quantized, samples

RNG = np.random.default_rng(0)
UNEVEN = np.array([10.0, 1.0, 0.5, 3.0])
"""How large the channels of a convolution's result are beside each other."""


def node(kind: str, inputs: str, output: str, **attributes: Any) -> NodeProto:
    return helper.make_node(kind, inputs.split(), [output], **attributes)


def filters(outputs: int, inputs: int, kernel: int = 1, uneven: Array | None = None) -> Array:
    made = RNG.standard_normal((outputs, inputs, kernel, kernel))
    return (made if uneven is None else made * uneven[:, None, None, None]).astype(np.float32)


A = node("Conv", "x a ab", "p")
WEIGHTS = {"a": filters(4, 3, uneven=UNEVEN), "ab": (RNG.standard_normal(4) * UNEVEN).astype(np.float32)}
LAST = {"z": (filters(2, 4) / UNEVEN[None, :, None, None]).astype(np.float32)}
"""A filter for which all channels count alike."""

CASES: dict[str, tuple[list[NodeProto], dict[str, Array]]] = {
    "relu": ([A, node("Relu", "p", "q"), node("Conv", "q z", "y")], LAST),
    "depthwise": (
        [A, node("Relu", "p", "q"), node("Conv", "q d", "r", group=4, pads=[1, 1, 1, 1]), node("Conv", "r z", "y")],
        {"d": filters(4, 1, 3), **LAST},
    ),
    "groups": (
        [A, node("Relu", "p", "q"), node("Conv", "q g", "r", group=2), node("Conv", "r z", "y")],
        {"g": filters(4, 2), **LAST},
    ),
    "residual": (
        [A, node("Conv", "p s", "r"), node("Add", "p r", "t"), node("Relu", "t", "q"), node("Conv", "q z", "y")],
        {"s": filters(4, 4, uneven=UNEVEN), **LAST},
    ),
    "pool": (
        [
            *(A, node("MaxPool", "p", "q", kernel_shape=[2, 2], strides=[2, 2])),
            *(node("AveragePool", "q", "r", kernel_shape=[2, 2]), node("Conv", "r z", "y")),
        ],
        LAST,
    ),
    "mean": (
        [A, node("GlobalAveragePool", "p", "q"), node("Flatten", "q", "r"), node("Gemm", "r w", "y", transB=1)],
        {"w": RNG.standard_normal((3, 4)).astype(np.float32)},
    ),
    "flatten": (
        [A, node("Relu", "p", "q"), node("Flatten", "q", "r"), node("Gemm", "r w", "y", transB=1)],
        {"w": RNG.standard_normal((3, 4 * 64)).astype(np.float32)},
    ),
    "concat": (
        [
            *(A, node("Relu", "p", "o"), node("MaxPool", "x", "m", kernel_shape=[1, 1]), node("Conv", "m b", "r")),
            *(node("Relu", "r", "s"), node("Concat", "o s", "q", axis=1), node("Conv", "q z", "y")),
        ],
        {"b": filters(3, 3, uneven=UNEVEN[[0, 3, 1]]), "z": filters(2, 7)},
    ),
    "leaky": ([A, node("LeakyRelu", "p", "q", alpha=0.1), node("Conv", "q z", "y")], LAST),
    "product": (
        [
            *(A, node("Conv", "x s", "r"), node("Relu", "r", "o"), node("Mul", "p o", "q")),
            *(node("Relu", "q", "t"), node("Conv", "t z", "y")),
        ],
        {"s": filters(4, 3, uneven=UNEVEN[::-1]), **LAST},
    ),
    "gate": (
        [
            *(A, node("GlobalAveragePool", "p", "m"), node("Conv", "m s", "n"), node("Sigmoid", "n", "o")),
            *(node("Mul", "p o", "q"), node("Conv", "q z", "y")),
        ],
        {"s": filters(4, 4), **LAST},
    ),
}


def equalized(module: Module, runs: list[list[Array]], strength: float = 1.0) -> tuple[Module, int]:
    copy = clone_module(module)
    return copy, equalize(copy.main, calibrated(module, runs), strength)


def case(name: str) -> Module:
    nodes, weights = CASES[name]
    return network(nodes, (1, 3, 8, 8), {**WEIGHTS, **weights})


@pytest.mark.parametrize("name", CASES)
def test_the_network_stays_what_it_is(name: str) -> None:
    module = case(name)
    runs = samples(module)
    copy, count = equalized(module, runs)
    assert count
    for inputs in runs:
        for want, got in zip(run(module.main, inputs), run(copy.main, inputs), strict=True):
            np.testing.assert_allclose(got, want, rtol=1e-4, atol=1e-5 * np.abs(want).max())


@pytest.mark.parametrize("name", sorted(CASES.keys() - {"gate", "product"}))
def test_channels_get_one_range(name: str) -> None:
    """Channels that can have a factor are as large as the largest of their tensor, in one of those they stand in."""
    module = case(name)
    runs = samples(module)
    copy, _ = equalized(module, runs)
    found, seen = ChannelFactors.of(copy.main), calibrated(copy, runs)
    largest: dict[int, float] = {}
    for value, title in value_names(copy.main).items():
        highs = np.maximum(seen[title].highs, 0) - np.minimum(seen[title].lows, 0)
        for number, share in zip(found.numbers(value), highs / highs.max(), strict=True):
            largest[int(number)] = max(largest.get(int(number), 0.0), float(share))
    free = [share for number, share in largest.items() if number not in found.fixed]
    assert free and min(free) > 0.99


@pytest.mark.parametrize("name", ["relu", "depthwise", "residual", "groups"])
def test_integers_lose_less(name: str) -> None:
    module = case(name)
    runs = samples(module, 16)
    copy, _ = equalized(module, runs)
    losses: list[float] = []
    for network_in_floats in (module, copy):
        made, _ = quantized(network_in_floats, Recipe("int8", calibrated(network_in_floats, runs)))
        got, want = (np.stack([run(m.main, inputs)[0] for inputs in runs]) for m in (made, module))
        losses.append(decibels(want, got))
    assert losses[1] > losses[0] + 1


def test_outputs_and_inputs_keep_their_numbers() -> None:
    module = network([A], (1, 3, 8, 8), WEIGHTS, "p")
    assert equalized(module, samples(module))[1] == 0


def test_other_functions_need_their_numbers() -> None:
    """What is computed between is no factor's way through: tanh, a product with itself, a sum with a constant."""
    for other in (
        [node("Tanh", "p", "q")],
        [node("Mul", "p p", "q")],
        [node("Add", "p c", "q")],
        [node("Softmax", "p", "q", axis=1)],
        [node("Clip", "p lo hi", "q")],
    ):
        weights: dict[str, Array] = {**WEIGHTS, **LAST, "c": np.ones((1, 4, 8, 8), np.float32)}
        weights |= {"lo": np.asarray(-1, np.float32), "hi": np.asarray(1, np.float32)}
        module = network([A, *other, node("Conv", "q z", "y")], (1, 3, 8, 8), weights)
        assert equalized(module, samples(module))[1] == 0, other


def test_bounds_of_activations_are_kept_away_from() -> None:
    """Below ReLU6's bound the network stays what it is on all that was seen."""
    small: dict[str, Array] = {**WEIGHTS, "a": WEIGHTS["a"] * np.float32(0.05), "ab": WEIGHTS["ab"] * np.float32(0.05)}
    relu6 = {"lo": np.asarray(0, np.float32), "hi": np.asarray(6, np.float32)}
    module = network(
        [A, node("Clip", "p lo hi", "q"), node("Conv", "q z", "y")], (1, 3, 8, 8), {**small, **LAST, **relu6}
    )
    runs = samples(module)
    copy, count = equalized(module, runs)
    assert count
    for inputs in runs:
        np.testing.assert_allclose(run(copy.main, inputs)[0], run(module.main, inputs)[0], rtol=1e-4, atol=1e-4)


def test_channels_stay_below_the_bound_on_larger_inputs() -> None:
    """Where the largest channel is clipped already, small ones would be raised to the bound itself."""
    uneven = {**WEIGHTS, "a": WEIGHTS["a"] * np.array([3, 0.3, 0.3, 0.05], np.float32)[:, None, None, None]}
    relu6 = {"lo": np.asarray(0, np.float32), "hi": np.asarray(6, np.float32)}
    module = network(
        [A, node("Clip", "p lo hi", "q"), node("Conv", "q z", "y")],
        (1, 3, 8, 8),
        {**uneven, "ab": np.zeros(4, np.float32), **LAST, **relu6},
    )
    runs = samples(module)
    copy, count = equalized(module, runs)
    assert count
    for (x,) in runs:
        want, got = (run(m.main, [1.2 * x])[0] for m in (module, copy))
        np.testing.assert_allclose(got, want, rtol=1e-4, atol=1e-4)


def test_dead_channels_get_a_bounded_factor() -> None:
    dead: dict[str, Array] = {**WEIGHTS, "a": WEIGHTS["a"] * np.array([1, 1, 1e-9, 1], np.float32)[:, None, None, None]}
    dead["ab"] = WEIGHTS["ab"] * np.array([1, 1, 0, 1], np.float32)
    module = network([A, node("Relu", "p", "q"), node("Conv", "q z", "y")], (1, 3, 8, 8), {**dead, **LAST})
    copy, _ = equalized(module, samples(module))
    weights = [next(constant(op.w) for op in m.main.ops if isinstance(op, Conv)) for m in (module, copy)]
    first = [np.abs(w.array()).reshape(4, -1).max(1) for w in weights if w is not None]
    assert (first[1] / first[0]).max() <= LARGEST_FACTOR * 1.001


def test_a_share_of_the_way() -> None:
    module = case("relu")
    runs = samples(module)
    copy, _ = equalized(module, runs, 0.5)
    whole, half = (calibrated(m, runs) for m in (module, copy))
    name = value_names(module.main)[next(op.result for op in module.main.ops if isinstance(op, Conv))]
    ranges = [np.maximum(seen[name].highs, 0) - np.minimum(seen[name].lows, 0) for seen in (whole, half)]
    shares = [r / r.max() for r in ranges]
    np.testing.assert_allclose(shares[1], np.sqrt(shares[0]), rtol=0.05)

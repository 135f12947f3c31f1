"""Weights that are rounded together: sums lose less, by what is known of the numbers that they are multiplied with."""

from __future__ import annotations

from itertools import product
from pathlib import Path

import numpy as np
import pytest
from nhwcc.compiler.diagnostics import CompileError
from nhwcc.compiler.interpreter import run
from nhwcc.compiler.ir import Op
from nhwcc.compiler.ops.linear import Linear
from nhwcc.compiler.ops.window import Conv
from nhwcc.compiler.parser import parse_module
from nhwcc.compiler.scales import block_scales, round_weight, spread_scales, weight_scales
from nhwcc.compiler.types import Array, DType
from nhwcc.compiler.weights import Weight
from nhwcc.passes.quantization.rounding import Factors, Products, load, round_together, save
from nhwcc.passes.quantization.weights import Rounded

RNG = np.random.default_rng(0)


def only(text: str, kind: type[Op]) -> Op:
    (found,) = (op for op in parse_module(text).walk() if isinstance(op, kind))
    return found


def conv(x: str, w: str, y: str, attributes: str) -> str:
    return f"""func @main(%x: f32[{x}], %w: f32[{w}]) -> (f32[{y}]) {{
      %y = conv(%x, %w, none) {{{attributes}, channels_last = true}} : f32[{y}]
      return(%y)
    }}"""


WINDOWS = [
    ("2,7,6,4", "5,3,2,4", "2,4,5,5", "strides = [2, 1], dilations = [1, 1], pads = [[1, 1], [0, 0]]"),
    ("1,9,3", "2,3,3", "1,7,2", "strides = [1], dilations = [2], pads = [[1, 1]]"),
    ("1,5,5,6", "6,3,3,1", "1,5,5,6", "strides = [1, 1], dilations = [1, 1], pads = [[1, 1], [1, 1]], groups = 6"),
    ("1,5,4,6", "4,2,2,3", "1,4,3,4", "strides = [1, 1], dilations = [1, 1], pads = [[0, 0], [0, 0]], groups = 2"),
]


@pytest.mark.parametrize(("x", "w", "y", "attributes"), WINDOWS)
def test_what_is_drawn_gives_the_sums(x: str, w: str, y: str, attributes: str) -> None:
    """Drawn numbers times weights are the convolution's own sums, all of them, in any order."""
    text = conv(x, w, y, attributes)
    shapes = [tuple(map(int, s.split(","))) for s in (x, w, y)]
    data, weight = (RNG.standard_normal(s).astype(np.float32) for s in shapes[:2])
    (want,) = run(parse_module(text).main, [data, weight])
    factors = Factors.of(only(text, Conv))
    assert factors is not None
    rows = factors.draw(data, 10_000, RNG)
    found = np.matmul(rows, weight.reshape(factors.groups, -1, rows.shape[2]).transpose(0, 2, 1))
    wide = found.transpose(1, 0, 2).reshape(len(want.reshape(-1, want.shape[-1])), -1)
    np.testing.assert_allclose(np.sort(wide, 0), np.sort(want.reshape(-1, want.shape[-1]), 0), rtol=1e-4, atol=1e-4)
    assert factors.draw(data, 3, RNG).shape == (factors.groups, 3, rows.shape[2])


def test_what_is_not_seen() -> None:
    """Channels in front, and products along other axes, are left to the nearest integers."""
    text = """func @main(%x: f32[4,3], %w: f32[2,4]) -> (f32[2,3]) {
      %y = linear(%x, %w, none) {axis = 0} : f32[2,3]
      return(%y)
    }"""
    assert Factors.of(only(text, Linear)) is None
    first = conv("1,3,5,5", "2,3,1,1", "1,2,5,5", "strides = [1, 1], dilations = [1, 1], pads = [[0, 0], [0, 0]]")
    assert Factors.of(only(first.replace("channels_last = true", "channels_last = false"), Conv)) is None


def alike(count: int, size: int) -> Array:
    """Return rows of numbers that depend on each other, as neighbours in pictures do."""
    common = RNG.standard_normal((count, size // 4))
    return (common @ RNG.standard_normal((size // 4, size)) + 0.1 * RNG.standard_normal((count, size)) + 3).astype(
        np.float32
    )


@pytest.mark.parametrize("bits", [4, 8])
def test_sums_lose_less(bits: int) -> None:
    """On rows that were not seen, besides the mean, which the bias makes up for."""
    rows = alike(4000, 64)
    weight = RNG.standard_normal((16, 64)).astype(np.float32)
    scales = weight_scales(weight, bits)
    products = Products(Factors(), weight, scales, bits)
    for part in np.split(rows[:3000], 3):
        products.see(part, 1000, RNG)
    losses: list[float] = []
    for integers in (products.rounded(), round_weight(weight, scales, bits)):
        assert integers.dtype == np.int8 and np.abs(integers.astype(int)).max() <= 2 ** (bits - 1) - 1
        lost = rows[3000:] @ (weight - integers * scales[:, None]).T
        losses.append(float(lost.var(0).mean()))
    assert losses[0] < 0.3 * losses[1]


def test_a_channel_of_a_group_makes_up_for_its_own() -> None:
    """Each group has factors of its own: nine of each channel in a depthwise convolution."""
    x = alike(36, 36).reshape(1, 36, 36, 1) * np.array([1.0, 5.0, 0.1], np.float32)
    weight = RNG.standard_normal((3, 3, 3, 1)).astype(np.float32)
    scales = weight_scales(weight, 4)
    factors = Factors((3, 3), (1, 1), (1, 1), ((0, 0), (0, 0)), 3)
    products = Products(factors, weight, scales, 4)
    products.see(x, 10_000, RNG)
    rows = factors.draw(x, 10_000, RNG)
    for channel, integers in enumerate(products.rounded()):
        losses = [
            (rows[channel] @ (weight[channel] - scales[channel] * found).ravel()).var()
            for found in (integers, round_weight(weight, scales, 4)[channel])
        ]
        assert losses[0] <= losses[1] * 1.0001


def test_blocks_are_rounded_by_their_own_scales() -> None:
    """Weights of one row in blocks of scales that differ fivefold: each uses all of its integers."""
    x = RNG.standard_normal((200, 64)) @ RNG.standard_normal((64, 64))
    weight = RNG.standard_normal((5, 64)).astype(np.float32)
    weight[:, 32:] *= 0.2
    scales = block_scales(weight, 4, 32)
    products = Products(Factors(), weight, scales, 4)
    products.see(x, 10_000, RNG)
    integers = products.rounded()
    assert (np.abs(integers).max(1) <= 8).all() and (np.abs(integers[:, 32:]).max(1) >= 5).all()
    losses = [
        (x @ (weight - found * spread_scales(scales, weight.shape)).T).var(0).mean()
        for found in (integers, round_weight(weight, scales, 4))
    ]
    assert losses[0] < losses[1]


def test_two_weights_at_their_best() -> None:
    """Beside all ways to round: two weights of one sum, where the error of the first can be made up for entirely."""
    weight, scales = np.array([[[0.4, 0.4]]]), np.ones((1, 1, 2))
    covariance = np.array([[[1.0, 0.99], [0.99, 1.0]]])
    found = round_together(weight, scales, covariance, (-7, 7))
    ways = [np.array(way) for way in product(range(-2, 3), repeat=2)]
    losses = [float((weight[0, 0] - w) @ covariance[0] @ (weight[0, 0] - w)) for w in ways]
    assert found[0, 0].tolist() in [
        w.tolist() for w, loss in zip(ways, losses, strict=True) if loss < min(losses) + 1e-9
    ]
    assert found.sum() == 1  # each alone would become 0


def test_numbers_that_never_vary() -> None:
    """Dead channels, and one sample alone, leave the nearest integers, and no division by zero."""
    weight = RNG.standard_normal((3, 5)).astype(np.float32)
    scales = weight_scales(weight, 8)
    products = Products(Factors(), weight, scales, 8)
    products.see(np.zeros((2, 5), np.float32), 10, RNG)
    assert (products.rounded() == round_weight(weight, scales, 8)).all()


def rounded(rows: Array, weight: Array) -> Array:
    products = Products(Factors(), weight, weight_scales(weight, 8), 8)
    products.see(rows, len(rows), np.random.default_rng(1))
    return products.rounded()


def test_infinite_numbers_are_left_out() -> None:
    """Masks hold such numbers."""
    rows, weight = alike(1000, 16), RNG.standard_normal((4, 16)).astype(np.float32)
    rows[::50, 3], rows[::70, 5] = -np.inf, np.nan
    assert (rounded(rows, weight) == rounded(np.where(np.isfinite(rows), rows, 0), weight)).all()


def test_numbers_far_from_zero() -> None:
    """What varies counts, not how far from zero it is."""
    rows, weight = alike(1000, 16).astype(np.float64), RNG.standard_normal((4, 16)).astype(np.float32)
    assert (rounded(rows + 1e9, weight) == rounded(rows, weight)).mean() > 0.9
    assert (rounded(rows, weight) != round_weight(weight, weight_scales(weight, 8), 8)).any()


def test_integers_are_taken_for_their_own_scales_only() -> None:
    weight = Weight.of(np.array([[1.0, -0.5]], np.float32))
    rounded = Rounded.of(weight).with_integers(np.array([[127, -63]], np.int8))
    assert rounded.integers is not None and rounded.error()[0, 1] != Rounded.of(weight).error()[0, 1]
    assert rounded.with_room_for(np.array([1e9], np.float32), 1e-3, DType.I8).integers is None
    assert Rounded.of(weight, bits=4).with_integers(np.array([[127, -63]], np.int8)).integers is None
    assert Rounded.of(weight).with_integers(np.zeros((2, 1), np.int8)).integers is None


def test_files(tmp_path: Path) -> None:
    path = tmp_path / "rounded.npz"
    made = {"a/b": np.ones((2, 3), np.int8), "file": np.zeros(4, np.int8), "": np.ones(1, np.int8)}
    save(made, path)
    found = load(path)
    assert found.keys() == made.keys() and all((found[k] == made[k]).all() for k in made)
    (tmp_path / "other.npz").write_bytes(b"PK\3\4 nothing")
    for name in ("other.npz", "absent.npz"):
        with pytest.raises(CompileError) as caught:
            load(tmp_path / name)
        assert caught.value.diagnostics[0].code == "R010"


@pytest.mark.parametrize(("bits", "least"), [(4, 0.9), (8, 1.0)])
def test_few_bits_leave_out_what_is_rare(bits: int, least: float) -> None:
    """A scale for the largest of many weights leaves others four bits only to be zero."""
    weight = RNG.laplace(size=(8, 256)).astype(np.float32)
    whole = np.abs(weight).max(1) / (2 ** (bits - 1) - 1)
    scales = weight_scales(weight, bits)
    losses = [((weight - round_weight(weight, s, bits) * s[:, None]) ** 2).sum(1) for s in (scales, whole)]
    assert (losses[0] <= losses[1]).all() and losses[0].sum() <= least * losses[1].sum()
    assert np.array_equal(scales, whole.astype(np.float32)) == (bits == 8)
    assert weight_scales(np.zeros((2, 3), np.float32), bits).min() > 0

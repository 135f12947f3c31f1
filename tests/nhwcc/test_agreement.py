"""Agreement of results part by part, with what both sides are from themselves allowed for."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from nhwcc.compiler.types import Array

from nhwcc.agreement import UNIT, Limits, agree, distance

RNG = np.random.default_rng(3)
WHOLE = RNG.standard_normal((1, 6, 64)).astype(np.float32)


def moved(array: Array, channel: int, amount: float) -> Array:
    out = array.copy()
    out[:, channel] += np.float32(amount)
    return out


class TestParts:
    def test_a_small_channel_is_held_to_its_own_scale(self) -> None:
        want = WHOLE * np.asarray([1e4, 1, 1, 1, 1, 1e-2], np.float32).reshape(1, 6, 1)
        assert agree(want, want, Limits()).proven
        found = agree(want, moved(want, 5, 1e-3), Limits())
        assert found.status == "differs" and found.relative < 1e-7 and "in slice 5 of axis 1" in found.note

    def test_what_varies_counts_not_what_is_there_anyway(self) -> None:
        want = WHOLE * np.float32(1e-2) + np.asarray([0, 0, 0, 100, 0, 0], np.float32).reshape(1, 6, 1)
        assert not agree(want, moved(want, 3, 1e-3), Limits()).ok, "a hundred-thousandth of the largest"

    def test_values_of_each_magnitude(self) -> None:
        want = np.concatenate([RNG.uniform(100, 600, 40), RNG.uniform(1e-4, 9e-4, 60)]).astype(np.float32)
        got = np.concatenate([want[:40], want[40:][::-1]])
        found = agree(want, got, Limits())
        assert found.status == "differs" and "values of about 1e-4" in found.note

    def test_what_no_sum_with_the_largest_resolves_is_not_looked_at(self) -> None:
        want = np.concatenate([RNG.uniform(100, 600, 40), RNG.uniform(1e-7, 9e-7, 60)]).astype(np.float32)
        assert agree(want, np.concatenate([want[:40], want[40:][::-1]]), Limits()).ok

    def test_a_floor_for_narrow_types(self) -> None:
        got = moved(WHOLE, 2, 2e-3)
        assert not agree(WHOLE, got, Limits()).ok
        assert agree(WHOLE, got, Limits(1e-4, floor=1e-2)).ok

    def test_one_step_of_the_integers_behind(self) -> None:
        """A step may be more than the usual share of the largest value, where few of the integers are used."""
        want = np.round(WHOLE * 8).astype(np.float32)
        some = np.where(RNG.random(want.shape) < 0.1, RNG.choice([-1, 1], want.shape), 0).astype(np.float32)
        limits = Limits(1.6e-2, floor=1.6e-2, step=1.0)
        assert not agree(want, want + some, Limits(1.6e-2, floor=1.6e-2)).ok
        assert agree(want, want + some, limits).proven
        for wrong in (want + 2 * some, want + 1, want + some / 2, want * np.float32(1.05)):
            assert not agree(want, wrong, limits).ok
        found = agree(np.minimum(np.abs(want), 1), np.minimum(np.abs(want), 1) + some, limits)
        assert found.ok and not found.proven, "what varies by less than a step says nothing"

    def test_few_elements_are_held_to_the_largest(self) -> None:
        want = np.asarray([100.0, 100.001], np.float32)
        assert agree(want, want + np.float32(5e-3), Limits()).ok, "their spread is chance"


class TestNoise:
    def test_no_closer_than_to_themselves(self) -> None:
        got, noise = moved(WHOLE, 2, 1e-3), np.full(WHOLE.shape, 5e-4)
        assert agree(WHOLE, got, Limits(), noise).ok
        assert not agree(WHOLE, got, Limits(), noise / 100).ok

    def test_rounding_inside_that_no_input_shows(self) -> None:
        """A score that hardly varies, and does not move with the last bits of inputs, still has its own rounding."""
        noise, scores = np.zeros(WHOLE.shape), np.float32(0.8) + WHOLE * np.float32(1e-3)
        got = scores + np.float32(1.3e-6)
        assert not agree(scores, got, Limits()).ok, "before anything is known of noise"
        assert agree(scores, got, Limits(), noise).proven
        assert not agree(scores, got + np.float32(1e-5), Limits(), noise).ok
        assert not agree(scores, scores[..., ::-1], Limits(), noise).ok
        flat = np.float32(0.8) + WHOLE * np.float32(4e-6)
        found = agree(flat, flat[..., ::-1], Limits(), noise)
        assert not found.proven, "reversed, in what varies no more than rounding"
        assert not agree(scores.astype(np.float64), got.astype(np.float64), Limits(), noise).ok

    def test_one_element_at_an_edge_excuses_itself_and_nothing_else(self) -> None:
        noise = np.zeros(WHOLE.shape)
        noise[0, 0, 0] = 1.0
        edge = WHOLE.copy()
        edge[0, 0, 0] += 3
        assert agree(WHOLE, edge, Limits(), noise).proven
        assert not agree(WHOLE, moved(edge, 4, 0.5), Limits(), noise).ok

    def test_chaos_proves_nothing(self) -> None:
        other = RNG.standard_normal(WHOLE.shape).astype(np.float32)
        found = agree(WHOLE, other, Limits(), np.abs(RNG.standard_normal(WHOLE.shape)) + 0.5)
        assert found.status == "not proven" and "from themselves" in found.note

    def test_functions_between_0_and_1_are_exact_to_the_last_bit_of_1(self) -> None:
        want = np.abs(WHOLE) * np.float32(1e-4)
        got = want + np.float32(UNIT / 2)
        assert not agree(want, got, Limits()).ok, "unless both sides were asked"
        assert agree(want, got, Limits(), np.zeros(want.shape)).proven
        tiny = want * np.float32(1e-3)
        assert agree(tiny, tiny + np.float32(UNIT / 2), Limits(), np.zeros(want.shape)).status == "not proven"

    def test_an_arg_max_that_rounding_tips(self) -> None:
        want = np.arange(100)
        got = np.where(want == 7, 8, want)
        assert not agree(want, got, Limits()).ok
        assert agree(want, got, Limits(), (want == 7).astype(float)).proven
        assert agree(want, want[::-1], Limits(), np.ones(100)).status == "not proven"


class TestProof:
    @pytest.mark.parametrize("dtype", [np.float32, np.int64, np.bool_])
    def test_a_constant(self, dtype: Any) -> None:
        assert agree(np.ones(4, dtype), np.ones(4, dtype), Limits()).status == "not proven"
        assert agree(np.ones(1, dtype), np.ones(1, dtype), Limits()).proven, "one element is all there is"

    def test_most_channels_are_dead(self) -> None:
        want = WHOLE.copy()
        want[:, :4] = 0
        assert "4 of 6 slices along axis 1 hold one value each" in agree(want, want, Limits()).note
        want = WHOLE.copy()
        want[:, :3] = 0
        assert agree(want, want, Limits()).proven

    def test_background_is_not_dead(self) -> None:
        want = np.zeros((1, 2, 32, 32), np.float32)
        want[:, :, 3:9, 4:9] = RNG.standard_normal((1, 2, 6, 5))
        assert agree(want, want, Limits()).proven
        want[:, 0] = 0
        assert agree(want, want, Limits()).proven, "half of the channels"
        channels = np.concatenate([want, np.zeros_like(want)], 1)
        assert "3 of 4 slices along axis 1" in agree(channels, channels, Limits()).note

    def test_infinities(self) -> None:
        want = WHOLE.copy()
        want[0, 0, 0] = np.inf
        assert agree(want, want, Limits()).note == "1 of 384 are NaN or infinite, on both sides"
        assert not agree(want, WHOLE, Limits()).ok
        nothing = np.full(4, np.nan, np.float32)
        assert agree(nothing, nothing, Limits()).status == "not proven"

    def test_complex_numbers(self) -> None:
        z = (WHOLE + 1j * WHOLE[..., ::-1]).astype(np.complex64)
        assert agree(z, z, Limits()).proven and not agree(z, z.conj(), Limits()).ok


def test_distance() -> None:
    a, b = np.asarray([1.0, np.inf, np.nan], np.float32), np.asarray([1.5, np.inf, 1], np.float32)
    assert distance(a, b).tolist() == [0.5, 0, 0]
    assert distance(np.asarray([1, 2]), np.asarray([1, 9])).tolist() == [0, 1]


def test_a_tolerance_of_the_users_is_kept_to() -> None:
    got, noise = moved(WHOLE, 2, 1e-3), np.full(WHOLE.shape, 5e-4)
    assert agree(WHOLE, got, Limits(1e-6), noise).ok
    assert not agree(WHOLE, got, Limits(1e-6, strict=True), noise).ok

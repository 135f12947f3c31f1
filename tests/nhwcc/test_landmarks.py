"""Inputs come near the limits of a network, which shaking leaves alone."""

from __future__ import annotations

import numpy as np
from nhwcc.compiler.parser import parse_module

from nhwcc.domains import domains
from nhwcc.feeds import Feeding, feeds, large_feeds
from nhwcc.landmarks import Landmarks, landmarks
from nhwcc.runners.reference import ReferenceRunner
from nhwcc.shaking import Shaken

LIMITED = parse_module("""func @main(%x: f32[8,64]) -> (f32[8,64]) {
  %k = const() {value = dense<300.0> : f32[]} : f32[]
  %huge = const() {value = dense<65504.0> : f32[]} : f32[]
  %a = clip(%x) {min = -0.5, max = inf} : f32[8,64]
  %b = min(%a, %k) : f32[8,64]
  %y = min(%b, %huge) : f32[8,64]
  return(%y)
}""")


def test_limits_are_found_but_for_guards() -> None:
    assert landmarks(LIMITED.main) == Landmarks((-0.5, 300.0))


def test_inputs_reach_them() -> None:
    """Beyond, exactly, next to them; and some are zero, or equal to their neighbours."""
    types, feeding = ReferenceRunner(LIMITED).inputs, Feeding(domains=domains(LIMITED.main))
    first = next(feeds(types, feeding))
    usual, feed = first.inputs["x"], next(large_feeds(types, first, feeding))
    large = feed.inputs["x"]
    assert (feed.scale, feed.limits) == (600.0, {-0.5, 300.0}) and np.abs(usual).max() < 6
    assert np.abs(large).max() > 300
    for value in (0.0, -0.5, 300.0):
        assert (large == value).any()
    assert ((large > 300) & (large < 301)).any() and (large[:, 1:] == large[:, :-1]).any()


def test_what_is_tiny_stays() -> None:
    tiny = np.full((4, 64), 1e-3, np.float32)
    assert (Landmarks((1.0,)).sprinkle(tiny, np.random.default_rng(0)) == tiny).all()


def test_shaking_keeps_what_is_exact() -> None:
    """Zeros, limits, and which elements are equal; all others move by their last bit."""
    given = np.asarray([0.0, 6.0, 1.5, 1.5, -2.25, 7.0, 7.0] * 20, np.float32)
    runner = ReferenceRunner(parse_module("func @main(%x: f32[140]) -> (f32[140]) {\nreturn(%x)\n}"))
    (name,) = runner.outputs
    shaken = Shaken(runner, {"x": given}, {name: given}, {6.0})
    shaken.shake()
    moved = shaken.moved[name].reshape(20, 7)
    assert (moved[:, :2] == 0).all() and (moved[:, 2:] > 0).all()
    assert (moved[:, 2] == moved[:, 3]).all() and (moved <= np.spacing(np.float32(7))).all()


def test_who_has_one_order_only_is_shaken_once_more() -> None:
    given = np.asarray([1.5, 2.5], np.float32)
    runner = ReferenceRunner(parse_module("func @main(%x: f32[2]) -> (f32[2]) {\nreturn(%x)\n}"))
    (name,) = runner.outputs
    shaken = Shaken(runner, {"x": given}, {name: given})
    shaken.reorder()
    assert (shaken.moved[name] > 0).all()

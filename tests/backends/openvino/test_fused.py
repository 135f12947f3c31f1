"""Several operations that are one layer: what is recognised, and what is not."""

from __future__ import annotations

import pytest

from .conftest import Check

SHUFFLE = """
func @main(%x: f32[2,6,4,3]) -> (f32[2,6,4,3]) {
  %a = reshape(%x) {shape = [2, GROUPS, 4, 3]} : f32[2,GROUPS,4,3]
  %b = transpose(%a) {perm = [0, 2, 1, 3, 4]} : f32[2,OTHERS,4,3]
  %y = reshape(%b) {shape = [2, 6, 4, 3]} : f32[2,6,4,3]
  return(%y)
}
"""


@pytest.mark.parametrize(("groups", "others"), [("2,3", "3,2"), ("3,2", "2,3")])
def test_exchanged_channels(check: Check, groups: str, others: str) -> None:
    text = SHUFFLE.replace("GROUPS", groups).replace("OTHERS", others)
    assert dict(check(text).operators) == {"ShuffleChannels": 1}


def test_other_axes_are_not_exchanged_channels(check: Check) -> None:
    text = SHUFFLE.replace("GROUPS", "2,3").replace("[0, 2, 1, 3, 4]", "[0, 3, 2, 1, 4]").replace("OTHERS,4", "4,3,2")
    assert dict(check(text).operators) == {"Reshape": 2, "Transpose": 1}


ATTENTION = """
func @main(%q: f32[2,4,5,8], %k: f32[2,4,KEY], %v: f32[2,4,VALUE], %m: f32[2,1,1,6]) -> (f32[2,4,5,7]) {
  %c = const() {value = dense<FACTOR> : f32[]} : f32[]
  %p = matmul(%q, %k) {FLAGS} : f32[2,4,5,6]
  %s = SCALE : f32[2,4,5,6]
  %t = MASK : f32[2,4,5,6]
  %w = softmax(%t) {axis = 3} : f32[2,4,5,6]
  %y = matmul(%w, %v) {VFLAGS} : f32[2,4,5,7]
  return(%y)
}
"""


@pytest.mark.parametrize(
    ("key", "flags", "value", "vflags", "scale", "mask"),
    [
        ("6,8", "transpose_b = true", "6,7", "", "mul(%p, %c)", "add(%s, %m)"),
        ("8,6", "", "7,6", "transpose_b = true", "div(%p, %c)", "add(%m, %s)"),
        ("6,8", "transpose_b = true", "6,7", "", "mul(%c, %p)", "mul(%c, %s)"),
    ],
)
def test_attention(check: Check, key: str, flags: str, value: str, vflags: str, scale: str, mask: str) -> None:
    text = ATTENTION
    parts = {"KEY": key, "VFLAGS": vflags, "FLAGS": flags, "VALUE": value, "SCALE": scale, "MASK": mask}
    for word, part in {**parts, "FACTOR": "0.5"}.items():
        text = text.replace(word, part)
    done = check(text, tolerance=3e-5)
    assert done.operators["ScaledDotProductAttention"] == 1
    assert "SoftMax" not in done.operators


def test_weights_that_are_read_elsewhere_are_computed(check: Check) -> None:
    text = """
func @main(%q: f32[2,5,8], %k: f32[2,6,8], %v: f32[2,6,7]) -> (f32[2,5,7], f32[2,5,6]) {
  %p = matmul(%q, %k) {transpose_b = true} : f32[2,5,6]
  %w = softmax(%p) {axis = 2} : f32[2,5,6]
  %y = matmul(%w, %v) : f32[2,5,7]
  return(%y, %w)
}
"""
    assert dict(check(text, tolerance=3e-5).operators) == {"MatMul": 2, "SoftMax": 1}


def test_values_before_weights(check: Check) -> None:
    text = """
func @main(%q: f32[2,5,8], %k: f32[2,6,8], %v: f32[2,7,6]) -> (f32[2,7,5]) {
  %p = matmul(%q, %k) {transpose_b = true} : f32[2,5,6]
  %w = softmax(%p) {axis = 2} : f32[2,5,6]
  %y = matmul(%v, %w) {transpose_b = true} : f32[2,7,5]
  return(%y)
}
"""
    assert dict(check(text, tolerance=3e-5).operators) == {"ScaledDotProductAttention": 1, "Transpose": 2}

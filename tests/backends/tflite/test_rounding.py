"""Numbers that kernels round as they multiply them: what moves them comes before."""

from __future__ import annotations

import pytest
from nhwcc.backends.common import legalize as _legalize  # noqa: F401  # pyright: ignore[reportUnusedImport] -- registers it
from nhwcc.compiler.parser import parse_module
from nhwcc.compiler.pipeline import Pipeline, parse_pipeline
from nhwcc.compiler.verify import verify

MOVED = """
func @main(%x: f32[SHAPE]) -> (f32[3,2]) {
  %q = const() {value = dense<[[1, 2, 3, 4], [5, 6, 7, 8]]> : i8[2,4]} : i8[2,4]
  %s = const() {value = dense<0.5> : f32[]} : f32[]
  %z = const() {value = dense<0> : i32[]} : i32[]
  %w = dequantize(%q, %s, %z) : f32[2,4]
  %r = round_dynamic(%x) {dims = DIMS} : f32[SHAPE]
  %m = MOVE : f32[3,4]
  %y = linear(%m, %w, none) : f32[3,2]
  return(%y)
}
"""


@pytest.mark.parametrize(
    ("shape", "dims", "move", "want"),
    [
        ("3,4,1", [1], "reshape(%r) {shape = [3, 4]}", ["reshape", "round_dynamic", "linear"]),
        ("4,3", [0], "transpose(%r) {perm = [1, 0]}", ["transpose", "round_dynamic", "linear"]),
    ],
)
def test_moves_come_before(shape: str, dims: list[int], move: str, want: list[str]) -> None:
    module = parse_module(MOVED.replace("SHAPE", shape).replace("DIMS", str(dims)).replace("MOVE", move))
    Pipeline(parse_pipeline("legalize,dce")).run(module)
    verify(module)
    others = ("const", "return", "dequantize")
    assert [op.spec.name for op in module.main.ops if op.spec.name not in others] == want


def test_ranges_that_a_move_tears_apart_stay() -> None:
    """One range for two columns is none of a row: the rounding is computed."""
    text = MOVED.replace("SHAPE", "2,6").replace("DIMS", "[1]").replace("MOVE", "reshape(%r) {shape = [3, 4]}")
    module = parse_module(text)
    Pipeline(parse_pipeline("legalize,dce")).run(module)
    verify(module)
    assert "round_dynamic" not in [op.spec.name for op in module.main.ops]

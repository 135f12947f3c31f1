"""How much one step is of outputs that are made of integers."""

from __future__ import annotations

import pytest
from nhwcc.compiler.parser import parse_module

from nhwcc.precision import output_steps

TEXT = """
func @main(%x: TYPE[4,2]) -> (f32[2,4], f32[4,2]) {
  %s = const() {value = dense<0.5> : f32[]} : f32[]
  %z = const() {value = dense<3> : i32[]} : i32[]
  %f = dequantize(%x, %s, %z) : f32[4,2]
  %y = transpose(%f) {perm = [1, 0]} : f32[2,4]
  %r = relu(%f) : f32[4,2]
  return(%y, %r)
}
"""


@pytest.mark.parametrize(("dtype", "known"), [("i8", 1), ("u8", 1), ("i16", 0)])
def test_what_moves_integers_keeps_their_step(dtype: str, known: int) -> None:
    module = parse_module(TEXT.replace("TYPE", dtype))
    for port, name in zip(module.main.outputs, "yz", strict=True):
        port.name = name
    assert output_steps(module) == dict.fromkeys("y"[:known], 0.5)

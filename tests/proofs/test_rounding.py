"""Integers of rewrites that round again may be as many steps away as the rewrite declares, and no more."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from nhwcc.compiler.ops.arith import Add
from nhwcc.compiler.ops.core import Const
from nhwcc.compiler.ops.quantize import Quantize
from nhwcc.compiler.parser import parse_module
from nhwcc.compiler.rewrite import Pattern, Rewriter, pattern
from nhwcc.compiler.weights import Weight

from .drafts import build
from .firings import Findings, validate
from .rewrites import all_rewrites
from .rounding import Rounded
from .seeds import WRITTEN, drafts_of_files

KEY = "legalize/round-twice"


def pattern_of(key: str) -> Pattern:
    (found,) = (r.pattern for r in all_rewrites() if r.key == key)
    return found


@pytest.mark.parametrize(("steps", "is_right"), [(0, False), (1, True)])
def test_only_what_is_declared_may_round_otherwise(steps: int, is_right: bool) -> None:
    findings = Findings()
    for body in drafts_of_files(WRITTEN[1:]):
        validate(build(body), replace(pattern_of(KEY), steps=steps), findings)
    assert findings.firings[KEY] == 2
    assert (len(findings.validated[KEY]), len(findings.alarms[KEY])) == ((2, 0) if is_right else (0, 2))


def test_the_rewrites_that_round_otherwise() -> None:
    assert [r.key for r in all_rewrites() if r.pattern.steps] == [KEY]


@pytest.mark.parametrize("steps", [1, 2])
def test_steps_are_counted_where_the_rewrite_is(steps: int) -> None:
    """Whatever the module makes of the integers."""

    @pattern(Quantize)
    def move(op: Quantize, rw: Rewriter) -> None:
        """Some steps are added."""
        shift = rw.insert(Const(Weight.of(np.asarray(0.5 * steps, np.float32))))
        rw.replace(Quantize(rw.emit(Add(op.x, shift.result)), op.scale, op.zero, op.dtype))

    module = parse_module(
        """func @main(%x: f32[3]) -> (f32[3]) {
  %s = const() {value = dense<0.5> : f32[]} : f32[]
  %z = const() {value = dense<0> : i32[]} : i32[]
  %q = quantize(%x, %s, %z) {dtype = "i8"} : i8[3]
  %d = dequantize(%q, %s, %z) : f32[3]
  %y = exp(%d) : f32[3]
  return(%y)
}"""
    )
    inputs = [np.asarray([-1.0, 0.0, 2.2], np.float32)]
    known = Rounded.of(module, inputs, [replace(move, steps=1)])
    first = next(op for op in module.walk() if isinstance(op, Quantize))
    move.apply(first, Rewriter(first, module.main.body))
    module.main.body.erase(first)
    assert known.steps_apart(module, inputs) == steps
    assert Rounded.of(module, inputs, [move]).steps_apart(module, inputs) == np.inf, "no integers are taken down"

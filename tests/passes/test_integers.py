"""Integers that are computed in floats: what is exact there, and which conversions that saves."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from nhwcc.compiler.diagnostics import collect_remarks
from nhwcc.compiler.fold import constant
from nhwcc.compiler.interpreter import run
from nhwcc.compiler.ir import Func, Module, Port, Region, Value
from nhwcc.compiler.ops.arith import Cast
from nhwcc.compiler.ops.core import Const, Return
from nhwcc.compiler.ops.integer import MatMulInteger
from nhwcc.compiler.pipeline import Pipeline, parse_pipeline
from nhwcc.compiler.types import DType, parse_type
from nhwcc.compiler.weights import Weight

from tests.support.written import legalized

CHAINS = {
    "clipped to what the integers have": (
        [
            "%a = round(%x) : f32[6]",
            "%b = clip(%a) {min = 0.0, max = 255.0} : f32[6]",
            '%c = cast(%b) {to = "u8"} : u8[6]',
        ],
        0,
    ),
    "clipped, then rounded": (
        [
            "%a = clip(%x) {min = 0.0, max = 255.0} : f32[6]",
            "%b = round(%a) : f32[6]",
            '%c = cast(%b) {to = "u8"} : u8[6]',
        ],
        0,
    ),
    "sums of two": (
        [
            *("%a = round(%x) : f32[6]", "%b = floor(%y) : f32[6]", '%i = cast(%a) {to = "i32"} : i32[6]'),
            *('%j = cast(%b) {to = "i32"} : i32[6]', "%c = add(%i, %j) : i32[6]"),
        ],
        0,
    ),
    "cut off": (['%c = cast(%x) {to = "i32"} : i32[6]'], 2),
    "not clipped": (["%a = round(%x) : f32[6]", '%c = cast(%a) {to = "i8"} : i8[6]'], 2),
    "clipped between other numbers than whole ones": (
        [
            "%a = round(%x) : f32[6]",
            "%b = clip(%a) {min = 0.5, max = 9.0} : f32[6]",
            '%c = cast(%b) {to = "u8"} : u8[6]',
        ],
        2,
    ),
    "sums of what is cut off": (
        [
            *("%b = floor(%y) : f32[6]", '%i = cast(%x) {to = "i32"} : i32[6]'),
            *('%j = cast(%b) {to = "i32"} : i32[6]', "%c = add(%i, %j) : i32[6]"),
        ],
        3,
    ),
    "sums of eight bits": (
        [
            *("%a = clip(%x) {min = 0.0, max = 255.0} : f32[6]", "%b = round(%a) : f32[6]"),
            *('%i = cast(%b) {to = "u8"} : u8[6]', "%c = add(%i, %i) : u8[6]"),
        ],
        4,
    ),
}
"""How integers are made of numbers, and the conversions that are left when they become numbers again."""


@pytest.mark.parametrize("case", CHAINS)
def test_conversions_of_whole_numbers(case: str) -> None:
    chain, left = CHAINS[case]
    lines = "\n".join(chain)
    text = f"""
func @main(%x: f32[6], %y: f32[6]) -> (f32[6], f32[6]) {{
{lines}
%r = cast(%c) {{to = "f32"}} : f32[6]
%z = neg(%r) : f32[6]
return(%z, %y)
}}"""
    numbers = {"x": np.asarray([0.2, 2.5, -3.5, 7.9, 100.5, 127.0]), "y": np.asarray([0.2, -2.5, 8.5, 1e3, -7, 0])}
    done = legalized(text, "legalize{target=openvino}", sizes=[{}], inputs=numbers, passes=None)
    assert Counter(op.spec.name for op in done.module.main.ops)["cast"] == left
    for arrays, want in zip(done.runs, done.wanted, strict=True):
        for got, expected in zip(run(done.module.main, arrays), want, strict=True):
            np.testing.assert_array_equal(got, expected)


@pytest.mark.parametrize(("weight", "warnings"), [(3, 0), (127, 1)])
def test_sums_beyond_what_floats_count_are_told_of(weight: int, warnings: int) -> None:
    """Of 1,000 products with numbers of 8 bits; smaller sums are exact, so that nothing need be said."""
    text = f"""
func @main(%a: u8[2,1000], %p: u8[]) -> (i32[2,1]) {{
  %w = const() {{value = dense<{[[weight]] * 1000}> : i8[1000,1]}} : i8[1000,1]
  %z = const() {{value = dense<0> : i8[]}} : i8[]
  %y = matmul_integer(%a, %w, %p, %z) : i32[2,1]
  return(%y)
}}"""
    with collect_remarks() as found:
        done = legalized(text, "legalize{target=openvino}", sizes=[{}], inputs=None, passes=None)
    assert sum("2^24" in r.text for r in found) == warnings
    for arrays, want in zip(done.runs, done.wanted, strict=True):
        np.testing.assert_array_equal(run(done.module.main, arrays)[0], want[0])


@pytest.mark.parametrize(("rows", "is_stored_so"), [(1 << 18, False), ((1 << 18) + 1, True)])
def test_large_weights_stay_small(rows: int, is_stored_so: bool) -> None:
    """What would be more than a megabyte of floats stays integers in the file."""
    x, zero = Value(parse_type(f"u8[1,{rows}]")), Value(parse_type("u8[]"))
    region = Region([x, zero])
    weight = region.insert(Const(Weight.of(np.ones((rows, 1), np.int8)))).result
    none = region.insert(Const(Weight.of(np.asarray(0, np.int8)))).result
    product = region.insert(MatMulInteger(x, weight, zero, none))
    region.insert(Return(product.results))
    module = Module(Func("main", region, [Port("x"), Port("zero")], [Port("y")]))
    Pipeline(parse_pipeline("legalize{target=openvino}")).run(module)
    casts = [op for op in module.main.ops if isinstance(op, Cast) and constant(op.x) is not None]
    assert [op.x.type.dtype for op in casts] == ([DType.I8] if is_stored_so else [])

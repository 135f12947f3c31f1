"""What is said to hold no negative numbers holds none, whatever the data: claims about single operations."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
from nhwcc.compiler.interpreter import run
from nhwcc.compiler.parser import parse_module
from nhwcc.compiler.value_ranges import fits_i32, nonnegative

NUMBERS = np.asarray([-7, -3, -2, -1, 0, 1, 2, 5], np.int32)
PAIRS = np.asarray([(a, b) for a, b in product(NUMBERS, NUMBERS) if b], np.int32)
"""All signs of two operands; none is divided by zero."""

SOURCES = ("%x", "%z", "%p", "%q")
"""Operands of any sign, and their absolute values."""

BINARY = [
    f"{op}({a}, {b}){attributes} : i32[n]"
    for op, attributes in [
        *((op, "") for op in ("add", "sub", "mul", "max", "min", "div", "floor_div", "mod")),
        ("mod", " {truncated = true}"),
    ]
    for a, b in product(SOURCES, SOURCES)
]
UNARY = [
    *(f"{op}({a}) : i32[n]" for op in ("neg", "abs", "square", "relu") for a in SOURCES),
    *(f"clip({a}) {{min = {low}.0, max = 4.0}} : i32[n]" for low in (-3, -1, 0, 1) for a in SOURCES),
    *(f'cast({a}) {{to = "{to}"}} : {to}[n]' for to in ("i8", "i64", "f32") for a in SOURCES),
    *(
        f'reduce({a}) {{kind = "{kind}", dims = [0], keepdims = true}} : i32[1]'
        for kind in ("sum", "max", "min", "prod", "mean")
        for a in SOURCES
    ),
    *(f"arg_{kind}({a}) {{axis = 0, keepdims = true}} : i64[1]" for kind in ("max", "min") for a in SOURCES),
    *(f"gather(%p, {a}) {{axis = 0}} : i32[n]" for a in ("%zeros",)),
    *(f"gather(%x, {a}) {{axis = 0}} : i32[n]" for a in ("%zeros",)),
]
CHOSEN = [
    f"select(%less{bound}, {a}, {b}) : i32[n]"
    for bound in ("_minus", "_zero", "_one", "_z")
    for a, b in product(SOURCES, SOURCES)
]


def text(expression: str) -> str:
    result = expression.rpartition(" : ")[2]
    body = f"""
    func @main(%x: i32[n], %z: i32[n]) -> ({result}) {{
      %minus = const() {{value = dense<-1> : i32[]}} : i32[]
      %zero = const() {{value = dense<0> : i32[]}} : i32[]
      %one = const() {{value = dense<1> : i32[]}} : i32[]
      %p = abs(%x) : i32[n]
      %q = abs(%z) : i32[n]
      %zeros = mul(%x, %zero) : i32[n]
      %less_minus = less(%x, %minus) : bool[n]
      %less_zero = less(%x, %zero) : bool[n]
      %less_one = less(%x, %one) : bool[n]
      %less_z = less(%x, %z) : bool[n]
      %y = {expression}
      return(%y)
    }}"""
    return body.replace("[n]", f"[{len(PAIRS)}]")


@pytest.mark.parametrize("expression", [*BINARY, *UNARY, *CHOSEN])
def test_claims_are_true(expression: str) -> None:
    func = parse_module(text(expression)).main
    (y,) = func.returns
    (found,) = run(func, [PAIRS[:, 0].copy(), PAIRS[:, 1].copy()])
    assert not nonnegative(y) or found.min() >= 0


@pytest.mark.parametrize(
    "expression",
    [
        "max(%x, %p) : i32[n]",
        "mul(%p, %q) : i32[n]",
        "mod(%x, %q) : i32[n]",
        "abs(%x) : i32[n]",
        "clip(%x) {min = 0.0, max = 4.0} : i32[n]",
        'reduce(%p) {kind = "sum", dims = [0], keepdims = true} : i32[1]',
        "select(%less_zero, %p, %x) : i32[n]",
        "arg_max(%x) {axis = 0, keepdims = true} : i64[1]",
    ],
)
def test_what_is_known(expression: str) -> None:
    assert nonnegative(parse_module(text(expression)).main.returns[0])


@pytest.mark.parametrize(
    ("dtype", "fits"), [("i8", True), ("u8", True), ("u16", True), ("i32", True), ("u32", False), ("i64", False)]
)
def test_what_fits_32_bits(dtype: str, fits: bool) -> None:
    """Unsigned integers of 32 bits reach twice as far as signed ones."""
    text = f'func @main(%x: {dtype}[2]) -> (i64[2]) {{\n  %y = cast(%x) {{to = "i64"}} : i64[2]\n  return(%y)\n}}\n'
    func = parse_module(text).main
    assert fits_i32(func.args[0]) is fits and fits_i32(func.returns[0]) is fits

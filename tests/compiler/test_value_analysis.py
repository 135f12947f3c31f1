"""Shape arithmetic: chains as exporters write them, followed by numbers and by names."""

from __future__ import annotations

import numpy as np
import pytest
from nhwcc.compiler.dims import Dim, symbol
from nhwcc.compiler.ir import Value
from nhwcc.compiler.parser import parse_module
from nhwcc.compiler.value_analysis import MAX_ELEMENTS, Known

N, H, W = symbol("n"), symbol("h"), symbol("w")

CONSTANTS = """
%zero = const() {value = dense<0> : i64[]} : i64[]
%one = const() {value = dense<[1]> : i64[1]} : i64[1]
%two = const() {value = dense<2> : i64[]} : i64[]
%minus = const() {value = dense<[-1]> : i64[1]} : i64[1]
%half = const() {value = dense<0.5> : f32[]} : f32[]
"""


def value(statements: str, arguments: str = "%x: f32[n,3,h,w]") -> Value:
    """The last value that the statements define."""
    lines = [*CONSTANTS.strip().splitlines(), *statements.strip().splitlines()]
    text = "\n".join([f"func @main({arguments}) -> () {{", *lines, "return()", "}"])
    ops = list(parse_module(text).main.ops)
    return ops[-2].results[0]


def dims(statements: str, arguments: str = "%x: f32[n,3,h,w]") -> tuple[Dim, ...] | None:
    return Known().dims(value(statements, arguments))


SHAPE = "%s = shape_of(%x) {dims = [0, 1, 2, 3]} : i64[4]\n"


@pytest.mark.parametrize(
    ("statements", "want"),
    [
        ("", (N, 3, H, W)),
        ("%y = gather(%s, %two) {axis = 0} : i64[]", (H,)),
        ("%i = const() {value = dense<[3, 0]> : i64[2]} : i64[2]\n%y = gather(%s, %i) {axis = 0} : i64[2]", (W, N)),
        ("%y = slice(%s) {starts = [2], sizes = [2], steps = [1]} : i64[2]", (H, W)),
        ("%y = slice(%s) {starts = [3], sizes = [4], steps = [-1]} : i64[4]", (W, H, 3, N)),
        ("%y = concat(%s, %minus) {axis = 0} : i64[5]", (N, 3, H, W, -1)),
        ("%y = add(%s, %two) : i64[4]", (N + 2, 5, H + 2, W + 2)),
        ("%y = sub(%s, %one) : i64[4]", (N - 1, 2, H - 1, W - 1)),
        ("%y = mul(%s, %s) : i64[4]", (N * N, 9, H * H, W * W)),
        ("%y = div(%s, %two) : i64[4]", (N // 2, 1, H // 2, W // 2)),
        ("%y = floor_div(%s, %two) : i64[4]", (N // 2, 1, H // 2, W // 2)),
        ("%y = mod(%s, %two) : i64[4]", (N % 2, 1, H % 2, W % 2)),
        ("%y = reshape(%s) {shape = [2, 2]} : i64[2,2]", (N, 3, H, W)),
        ("%r = reshape(%s) {shape = [2, 2]} : i64[2,2]\n%y = transpose(%r) {perm = [1, 0]} : i64[2,2]", (N, H, 3, W)),
        ("%y, %z = split(%s) {axis = 0, sizes = [3, 1]} : i64[3], i64[1]", (N, 3, H)),
        ("%y = tile(%s) {repeats = [2]} : i64[8]", (N, 3, H, W, N, 3, H, W)),
        ("%y = range(%zero, %two) {size = 3} : i64[3]", (0, 2, 4)),
        ('%y = cast(%s) {to = "i32"} : i32[4]', (N, 3, H, W)),
    ],
)
def test_operations(statements: str, want: tuple[Dim, ...]) -> None:
    assert dims(SHAPE + statements) == want


def test_resizing_by_half_as_pytorch_exports_it() -> None:
    """Cast to float, multiply, round down, cast back."""
    chain = SHAPE + (
        '%f = cast(%s) {to = "f32"} : f32[4]\n%m = mul(%f, %half) : f32[4]\n'
        '%d = floor(%m) : f32[4]\n%y = cast(%d) {to = "i64"} : i64[4]'
    )
    assert dims(chain) == (N // 2, 1, H // 2, W // 2)


def test_a_selection_by_a_known_condition() -> None:
    """``Expand`` is exported as where(shape == -1, ones, shape)."""
    chain = """%t = const() {value = dense<[-1, 4]> : i64[2]} : i64[2]
%ones = const() {value = dense<[1, 1]> : i64[2]} : i64[2]
%c = const() {value = dense<[true, false]> : bool[2]} : bool[2]
%y = select(%c, %ones, %t) : i64[2]"""
    assert dims(chain) == (1, 4)


def test_the_shape_of_static_data_is_a_number_array() -> None:
    found = Known()(value(SHAPE, "%x: f32[2,3,4,5]"))
    assert found is not None and found.dtype == np.int64 and found.tolist() == [2, 3, 4, 5]


@pytest.mark.parametrize(
    "statements",
    [
        "%y = neg(%x) : i64[2]",
        "%z = const() {value = dense<0> : i64[]} : i64[]\n%y = floor_div(%x, %z) : i64[2]",
        SHAPE.replace("%x", "%u") + "%y = gather(%s, %x) {axis = 0} : i64[2]",
    ],
    ids=["data", "data through arithmetic", "an index that is data"],
)
def test_what_is_not_known(statements: str) -> None:
    assert dims(statements, "%x: i64[2], %u: f32[n,3,h,w]") is None


def test_dividing_a_size_by_zero_is_not_known() -> None:
    assert dims(SHAPE + "%y = div(%s, %zero) : i64[4]") is None


def test_large_tensors_are_no_shapes() -> None:
    count = MAX_ELEMENTS + 1
    text = f"""func @main() -> () {{
%a = const() {{value = dense<1> : i64[]}} : i64[]
%y = broadcast_to(%a) {{shape = [{count}]}} : i64[{count}]
return()
}}"""
    (_, broadcast, _) = parse_module(text).main.ops
    assert Known()(broadcast.results[0]) is None


def test_a_chain_of_thousands() -> None:
    """Answered without recursion."""
    lines = [SHAPE.strip(), *(f"%v{i} = add(%{f'v{i - 1}' if i else 's'}, %two) : i64[4]" for i in range(3000))]
    assert dims("\n".join(lines)) == (N + 6000, 6003, H + 6000, W + 6000)


def test_floats_are_no_dimensions() -> None:
    assert dims("%y = neg(%half) : f32[]") is None
    assert Known()(value("%y = ceil(%half) : f32[]")) is not None


def test_one_dimension() -> None:
    known = Known()
    assert known.dim(value(SHAPE + "%y = gather(%s, %two) {axis = 0} : i64[]")) == H
    assert known.dim(value(SHAPE)) is None
    assert known.dim(None) is None

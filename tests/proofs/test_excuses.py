"""What is no fault of a rewrite is told apart from what is."""

from __future__ import annotations

import numpy as np
import pytest
from nhwcc.compiler.diagnostics import Remark
from nhwcc.compiler.ir import Module
from nhwcc.compiler.parser import parse_module
from nhwcc.compiler.types import Array

from .equivalence import outputs
from .excuses import is_defined, is_excused

pytestmark = pytest.mark.filterwarnings("ignore::RuntimeWarning")
"""Numbers overflow on purpose."""


def module(arguments: str, result: str, *statements: str) -> Module:
    lines = "\n".join(statements)
    return parse_module(f"func @main({arguments}) -> ({result}) {{\n{lines}\nreturn(%y)\n}}")


def excused(m: Module, inputs: list[Array], got: Array, *warnings: str) -> bool:
    return is_excused(m, inputs, [got], [Remark("warning", "legalize", text) for text in warnings])


CANCELS = module(
    "%a: f32[3], %b: f32[3]",
    "f32[3]",
    "%c = sub(%a, %b) : f32[3]",
    "%d = mul(%c, %c) : f32[3]",
    "%y = log(%d) : f32[3]",
)


def test_rounding_that_the_module_amplifies() -> None:
    a = np.asarray([1.0, 2.0, 3.0], np.float32)
    inputs = [a, a * np.float32(1 + 3e-6)]
    (want,) = outputs(CANCELS, inputs)
    assert excused(CANCELS, inputs, want * np.float32(1.005))
    assert not excused(CANCELS, inputs, want * np.float32(1.2))
    assert not excused(CANCELS, [a, -a], want * np.float32(1.005))


def test_of_tangents_of_large_numbers_nothing_is_known() -> None:
    m = module("%x: f32[1]", "f32[1]", "%y = tan(%x) : f32[1]")
    for n in range(16):
        x = np.asarray([4e9 + 4096 * n], np.float32)
        (other,) = outputs(m, [np.nextafter(x, np.float32(5e9))])
        assert excused(m, [x], other) and not excused(m, [x], np.asarray([1e9], np.float32))
    near = np.asarray([0.5], np.float32)
    assert not excused(m, [near], outputs(m, [near])[0] + np.float32(0.01))


def test_rounding_decides_which_integer_it_is() -> None:
    m = module("%x: f32[2]", "i32[2]", '%y = cast(%x) {to = "i32"} : i32[2]')
    inputs = [np.asarray([2.0, 2.5], np.float32)]
    assert excused(m, inputs, np.asarray([1, 2], np.int32))
    assert not excused(m, inputs, np.asarray([2, 3], np.int32))


@pytest.mark.parametrize("statement", ['cast(%d) {to = "bool"}', "equal(%c, %a)", "not_equal(%c, %a)"])
def test_rounding_decides_whether_numbers_are_the_same(statement: str) -> None:
    lines = "%s = add(%a, %b) : f32[2]", "%c = sub(%s, %b) : f32[2]", "%d = sub(%c, %a) : f32[2]"
    m = module("%a: f32[2], %b: f32[2]", "bool[2]", *lines, f"%y = {statement} : bool[2]")
    inputs = [np.asarray([0.1, 2.0], np.float32), np.asarray([0.3, -1.0], np.float32)]
    (want,) = outputs(m, inputs)
    assert excused(m, inputs, ~want)
    exact = module("%a: f32[2]", "bool[2]", '%y = cast(%a) {to = "bool"} : bool[2]')
    assert not excused(exact, [np.asarray([1e-9, 0.0], np.float32)], np.asarray([False, False]))


def test_squares_that_16_bits_round_on_the_way() -> None:
    lines = "%n = local_response_norm(%x) {size = 1, alpha = 1.0, beta = 0.5, bias = 0.0, axis = 1} : f16[1,1,1,1]"
    m = module("%x: f16[1,1,1,1]", "f16[1,1,1,1]", lines, "%y = reciprocal(%n) : f16[1,1,1,1]")
    inputs = [np.full((1, 1, 1, 1), 5e-4, np.float16)]
    (want,) = outputs(m, inputs)
    exact = np.ones((1, 1, 1, 1), np.float16)
    assert abs(want.item() - 1) > 0.02
    assert excused(m, inputs, exact) and not excused(m, inputs, exact * np.float16(1.1))
    same = module("%x: f32[1,1,1,1]", "f32[1,1,1,1]", lines.replace("f16", "f32"), "%y = reciprocal(%n) : f32[1,1,1,1]")
    assert not excused(same, [inputs[0].astype(np.float32)], np.full((1, 1, 1, 1), 1.1, np.float32))


def test_what_is_made_of_infinities() -> None:
    m = module("%x: f32[2]", "f32[2]", "%z = exp(%x) : f32[2]", "%y = clip(%z) {min = 0.0, max = 6.0} : f32[2]")
    large, small = (np.asarray([x, 0.0], np.float32) for x in (1000.0, 1.0))
    assert excused(m, [large], np.asarray([np.nan, 1.0], np.float32))
    assert not excused(m, [large], np.asarray([np.nan, 2.0], np.float32))
    assert not excused(m, [large], np.asarray([0.0, 1.0], np.float32))
    assert not excused(m, [small], np.asarray([np.nan, 1.0], np.float32))


def test_numbers_beyond_what_a_warning_says() -> None:
    m = module("%x: i64[2]", "i64[2]", "%y = mul(%x, %x) : i64[2]")
    said = "mul of i64 is computed in i32: numbers beyond 2^31 would be cut"
    wrong = np.asarray([0, 0])
    assert excused(m, [np.asarray([1 << 20, 1])], wrong, said)
    assert not excused(m, [np.asarray([1 << 10, 1])], wrong, said)
    assert not excused(m, [np.asarray([1 << 20, 1])], wrong)


def test_numbers_that_a_fused_activation_cuts() -> None:
    m = module("%x: u32[1], %z: u32[1]", "u32[1]", '%y = sub(%x, %z) {activation = "relu6"} : u32[1]')
    said, wrong = "min of i64 is computed in i32: numbers beyond 2^31 would be cut", np.asarray([9], np.uint32)
    small, large = np.asarray([1], np.uint32), np.asarray([2], np.uint32)
    assert excused(m, [small, large], wrong, said)
    assert not excused(m, [large, small], wrong, said)


@pytest.mark.parametrize(
    ("arguments", "statement", "inputs", "defined"),
    [
        (
            "%x: f32[3], %i: i32[2,1], %u: f32[2]",
            "scatter_nd(%x, %i, %u) : f32[3]",
            [[0, 0, 0], [[1], [-2]], [1, 2]],
            False,
        ),
        (
            "%x: f32[3], %i: i32[2,1], %u: f32[2]",
            "scatter_nd(%x, %i, %u) : f32[3]",
            [[0, 0, 0], [[1], [-1]], [1, 2]],
            True,
        ),
        (
            "%x: f32[3], %i: i32[2], %u: f32[2]",
            "scatter(%x, %i, %u) {axis = 0} : f32[3]",
            [[0, 0, 0], [1, 1], [1, 2]],
            False,
        ),
        ("%x: f32[2]", 'cast(%x) {to = "u8"} : u8[2]', [[255.5, 0]], True),
        ("%x: f32[2]", 'cast(%x) {to = "u8"} : u8[2]', [[256, 0]], False),
        ("%x: f32[2]", 'cast(%x) {to = "u8"} : u8[2]', [[-0.5, np.nan]], False),
        ("%x: i32[2], %e: f32[2]", "pow(%x, %e) : i32[2]", [[0, 2], [-1, 2]], False),
        ("%x: i32[2], %e: f32[2]", "pow(%x, %e) : i32[2]", [[1, 2], [-1, 2]], True),
        ("%x: i32[2], %n: i32[2]", "shift_left(%x, %n) : i32[2]", [[1, 1], [0, 32]], False),
        ("%x: i32[2], %n: i32[2]", "shift_right(%x, %n) : i32[2]", [[1, 1], [0, 31]], True),
        ("%x: u8[2], %s: f32[], %z: i32[]", "dequantize(%x, %s, %z) : f32[2]", [[1, 1], 0.5, 256], False),
    ],
)
def test_what_operations_leave_open(arguments: str, statement: str, inputs: list[object], defined: bool) -> None:
    m = module(arguments, statement.rpartition(" : ")[2], f"%y = {statement}")
    given = [np.asarray(x, a.type.dtype.numpy) for x, a in zip(inputs, m.main.args, strict=True)]
    assert is_defined(m, given) is defined

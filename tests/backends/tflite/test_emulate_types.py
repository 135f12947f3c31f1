"""Types that the runtime lacks, carried in others: the same numbers, rounded where the source rounds."""

from __future__ import annotations

import numpy as np
import pytest
from nhwcc.backends.common.carriers import CARRIERS
from nhwcc.backends.common.legalize import Legalize
from nhwcc.compiler.diagnostics import CompileError, collect_remarks
from nhwcc.compiler.interpreter import run
from nhwcc.compiler.parser import parse_module
from nhwcc.compiler.types import DType

from .conftest import Check, single

SMALL = [0.0, -0.0, 1e-9, 2.0**-9, 3e-3, -0.2, 0.25, 0.3, 0.75, 2.5, 3.5, -5.0, 7.0, 17.0, 100.0, 240.0, 248.0, 449.0]
LARGE = [464.0, -465.0, 57344.0, 61439.0, 61440.0, -1e30, np.inf, -np.inf, np.nan]
FLOATS = [d for d, carrier in CARRIERS.items() if carrier is DType.F32 and d is not DType.BF16]
INTS = [d for d, carrier in CARRIERS.items() if carrier is not DType.F32]


def numbers(count: int = 300) -> list[float]:
    """Special numbers, and many of all sizes: both halfway between neighbours and beside."""
    rng = np.random.default_rng(0)
    some = np.ldexp(rng.integers(-255, 256, count) / 128, rng.integers(-18, 18, count))
    return [*SMALL, *LARGE, *some.astype(np.float32).tolist()]


@pytest.mark.parametrize("dtype", FLOATS)
def test_rounding_to_floats_of_few_bits(check: Check, dtype: DType) -> None:
    given = np.abs(numbers()) if dtype is DType.F8E8M0 else np.asarray(numbers())
    through(check, dtype, "f32", given)


@pytest.mark.parametrize("rounding", ["nearest", "up", "down"])
def test_powers_of_two(check: Check, rounding: str) -> None:
    given = np.asarray([1e-40, 1e-38, 2.0**-126, 3.0, 5.0, 6.0, 1e30, 1.7e38, 3e38, np.inf, np.nan])
    if rounding != "nearest":
        given = np.append(given, [0.0, -1.0, 5.9e-39, 7e-39])
    through(check, DType.F8E8M0, "f32", given, f", rounding = {rounding!r}")


@pytest.mark.parametrize("dtype", INTS)
@pytest.mark.parametrize("source", ["f32", "i64", "u8"])
def test_cutting_to_integers_of_few_bits(check: Check, dtype: DType, source: str) -> None:
    given = np.arange(-40, 40) * (1.7 if source == "f32" else 1)
    through(check, dtype, source, np.abs(given) if source == "u8" else given)


def through(check: Check, dtype: DType, source: str, given: object, more: str = "") -> None:
    """Convert there and back."""
    count = np.size(np.asarray(given))
    text = f"""
    func @main(%x: {source}[{count}]) -> ({source}[{count}] {{name = "y"}}) {{
      %few = cast(%x) {{to = '{dtype}'{more.replace("'", '"')}}} : {dtype}[{count}]
      %y = cast(%few) {{to = '{source}'}} : {source}[{count}]
      return(%y)
    }}""".replace("'", '"')
    out = check(text, inputs={"x": given}, tolerance=0)
    assert any(f"of {dtype} {be} {CARRIERS[dtype]}" in text for text in out.warnings for be in ("is", "are"))


def test_clamped_numbers_are_not_wrapped(check: Check) -> None:
    """Fake quantization costs no more than its clamp."""
    text = """
    func @main(%x: f32[4]) -> (f32[4] {name = "y"}) {
      %clamped = clip(%x) {min = -8.0, max = 7.0} : f32[4]
      %few = cast(%clamped) {to = "i4"} : i4[4]
      %y = cast(%few) {to = "f32"} : f32[4]
      return(%y)
    }"""
    assert check(text, inputs={"x": [-9, 3.5, 7.5, -1]}).builtins == {"MAXIMUM": 1, "MINIMUM": 1, "CAST": 2}


@pytest.mark.parametrize("dtype", CARRIERS)
def test_weights_and_moves(check: Check, dtype: DType) -> None:
    text = f"""
    func @main(%x: f32[2,3]) -> (f32[2,3] {{name = "y"}}) {{
      %w = const() {{value = dense<[[1.0, 2.0], [1.0, 1.0], [2.0, 1.0]]> : f32[3,2]}} : f32[3,2]
      %few = cast(%w) {{to = "{dtype}"}} : {dtype}[3,2]
      %turned = transpose(%few) {{perm = [1, 0]}} : {dtype}[2,3]
      %plain = cast(%turned) {{to = "f32"}} : f32[2,3]
      %y = mul(%x, %plain) : f32[2,3]
      return(%y)
    }}"""
    check(text, passes="fold-constants,legalize")


def test_ports_change_their_type_and_say_so() -> None:
    module = single("add", "bf16[2]", "bf16[2]")
    with collect_remarks() as remarks:
        Legalize().run(module)
    assert [v.type.dtype for v in (*module.main.args, *module.main.returns)] == ["f32"] * 3
    texts = [r.text for r in remarks if r.kind == "warning"]
    assert "the input x1 is f32 in the file, which has all numbers of bf16" in texts
    (got,) = run(module.main, [np.asarray([1, 2], np.float32), np.asarray([3, 4], np.float32)])
    np.testing.assert_array_equal(got, [4, 6])


def test_through_a_branch(check: Check) -> None:
    text = """
    func @main(%c: bool[], %x: f32[2]) -> (f32[2] {name = "y"}) {
      %few = cast(%x) {to = "u4"} : u4[2]
      %chosen = if(%c) do () {
        return(%few)
      } do () {
        %turned = reverse(%few) {dims = [0]} : u4[2]
        return(%turned)
      } : u4[2]
      %y = cast(%chosen) {to = "f32"} : f32[2]
      return(%y)
    }"""
    for c in (False, True):
        check(text, inputs={"c": c, "x": [3, 14]})


@pytest.mark.parametrize(("name", "dtypes"), [("add", ("i4", "i4")), ("abs", ("f8e5m2",))])
def test_arithmetic_of_few_bits_is_refused(name: str, dtypes: tuple[str, ...]) -> None:
    with pytest.raises(CompileError, match=r"B001.*it computes in"):
        Legalize().run(single(name, *(f"{d}[2]" for d in dtypes)))


def test_the_text_form_reads_every_type() -> None:
    for dtype in CARRIERS:
        assert parse_module(f'func @main(%x: {dtype}[2]) -> ({dtype}[2] {{name = "y"}}) {{ return(%x) }}')

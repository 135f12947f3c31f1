"""Branches and loops as subgraphs, nested, with values and sizes of the graph around them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from .conftest import Check
from .files import written

BRANCHES = """
func @main(%flag: bool[], %x: f32[2,3], %y: f32[3]) -> (f32[2,3] {name = "a"}, f32[3] {name = "b"}) {
  %twice = add(%x, %x) : f32[2,3]
  %a, %b = if(%flag) do () {
    %s = mul(%twice, %y) : f32[2,3]
    return(%s, %y)
  } do () {
    %c = const() {value = dense<[1.0, 2.0, 3.0]> : f32[3]} : f32[3]
    %d = sub(%x, %c) : f32[2,3]
    return(%d, %c)
  } : f32[2,3], f32[3]
  return(%a, %b)
}"""

NESTED = """
func @main(%p: bool[], %q: bool[1], %x: f32[4]) -> (f32[4] {name = "y"}) {
  %n = neg(%x) : f32[4]
  %y = if(%p) do () {
    %i = if(%q) do () {
      %t = sin(%n) : f32[4]
      return(%t)
    } do () {
      return(%n)
    } : f32[4]
    %j = add(%i, %x) : f32[4]
    return(%j)
  } do () {
    return(%x)
  } : f32[4]
  return(%y)
}"""

REPEATED = """
func @main(%p: bool[], %q: bool[], %x: f32[4]) -> (f32[4] {name = "a"}, f32[4] {name = "b"}) {
  %a, %b = if(%p) do () {
    %i, %j = if(%q) do () {
      %t = sin(%x) : f32[4]
      return(%t, %t)
    } do () {
      return(%x, %x)
    } : f32[4], f32[4]
    return(%i, %j)
  } do () {
    %n = neg(%x) : f32[4]
    return(%n, %n)
  } : f32[4], f32[4]
  return(%a, %b)
}"""

LOOP = """
func @main(%n: i32[], %x: f32[2,3], %k: f32[3]) -> (i32[] {name = "count"}, f32[2,3] {name = "y"}) {
  %zero = const() {value = dense<0> : i32[]} : i32[]
  %scale = mul(%k, %k) : f32[3]
  %count, %y = while(%zero, %x) do (%i: i32[], %v: f32[2,3]) {
    %c = less(%i, %n) : bool[]
    return(%c)
  } do (%i: i32[], %v: f32[2,3]) {
    %one = const() {value = dense<1> : i32[]} : i32[]
    %j = add(%i, %one) : i32[]
    %w = mul(%v, %scale) : f32[2,3]
    return(%j, %w)
  } : i32[], f32[2,3]
  return(%count, %y)
}"""

LOOP_OF_LOOPS = """
func @main(%n: i64[], %x: f32[t,3]) -> (i64[] {name = "count"}, f32[t,3] {name = "y"}) {
  %zero = const() {value = dense<0> : i64[]} : i64[]
  %one = const() {value = dense<1> : i64[]} : i64[]
  %count, %y = while(%zero, %x) do (%i: i64[], %v: f32[t,3]) {
    %c = less(%i, %n) : bool[]
    return(%c)
  } do (%i: i64[], %v: f32[t,3]) {
    %j = add(%i, %one) : i64[]
    %m, %w = while(%zero, %v) do (%k: i64[], %u: f32[t,3]) {
      %d = less_equal(%k, %i) : bool[]
      return(%d)
    } do (%k: i64[], %u: f32[t,3]) {
      %l = add(%k, %one) : i64[]
      %even = const() {value = dense<2> : i64[]} : i64[]
      %rest = mod(%k, %even) : i64[]
      %is_even = equal(%rest, %zero) : bool[]
      %s = if(%is_even) do () {
        %mean = reduce(%x) {kind = "mean", dims = [0], keepdims = true} : f32[1,3]
        %wide = broadcast_to(%mean) {shape = ['t', 3]} : f32[t,3]
        %sum = add(%u, %wide) : f32[t,3]
        return(%sum)
      } do () {
        %turned = reverse(%u) {dims = [0]} : f32[t,3]
        return(%turned)
      } : f32[t,3]
      return(%l, %s)
    } : i64[], f32[t,3]
    return(%j, %w)
  } : i64[], f32[t,3]
  return(%count, %y)
}"""


@pytest.mark.parametrize("flag", [True, False])
def test_a_branch_is_taken(check: Check, flag: bool) -> None:
    assert check(BRANCHES, inputs={"flag": flag}).builtins["IF"] == 1


@pytest.mark.parametrize(("p", "q"), [(True, True), (True, False), (False, True)])
def test_branches_in_branches(check: Check, p: bool, q: bool) -> None:
    assert check(NESTED, inputs={"p": p, "q": [q]}).builtins["IF"] == 2


@pytest.mark.parametrize(("p", "q"), [(True, True), (True, False), (False, True)])
def test_one_value_twice_in_branches_of_branches(check: Check, p: bool, q: bool) -> None:
    """The runtime moves what a branch gives, which then is there only once."""
    check(REPEATED, inputs={"p": p, "q": q})


@pytest.mark.parametrize("n", [0, 1, 5])
def test_a_loop_runs_as_often_as_asked(check: Check, n: int) -> None:
    assert check(LOOP, inputs={"n": n}).builtins["WHILE"] == 1


@pytest.mark.parametrize("n", [0, 3])
def test_loops_in_loops_of_unknown_sizes(check: Check, n: int) -> None:
    out = check(LOOP_OF_LOOPS, inputs={"n": n}, sizes=[{"t": 1}, {"t": 2}, {"t": 5}])
    assert out.builtins["WHILE"] == 2 and out.builtins["IF"] == 1


@pytest.mark.parametrize("dtype", ["f16", "f64"])
def test_loops_over_widened_types(check: Check, dtype: str) -> None:
    check(LOOP.replace("f32", dtype), inputs={"n": 3}, tolerance=5e-3)


EXCHANGE = """
func @main(%n: i32[], %x: TYPE, %y: TYPE) -> (TYPE {name = "a"}, TYPE {name = "b"}, TYPE {name = "c"}) {
  %zero = const() {value = dense<0> : i32[]} : i32[]
  %count, %a, %b, %c = while(%zero, %x, %y, %y) do (%i: i32[], %u: TYPE, %v: TYPE, %w: TYPE) {
    %more = less(%i, %n) : bool[]
    return(%more)
  } do (%i: i32[], %u: TYPE, %v: TYPE, %w: TYPE) {
    %one = const() {value = dense<1> : i32[]} : i32[]
    %j = add(%i, %one) : i32[]
    %s = add(%u, %x) : TYPE
    return(%j, %v, %u, %s)
  } : i32[], TYPE, TYPE, TYPE
  return(%a, %b, %c)
}"""


@pytest.mark.parametrize("type", ["f32[]", "f32[2]", "f32[t,n]"])
@pytest.mark.parametrize("n", [0, 1, 2, 5])
def test_values_that_change_places(check: Check, type: str, n: int) -> None:
    """The runtime writes a loop's results over its inputs one after the other."""
    check(EXCHANGE.replace("TYPE", type), inputs={"n": n}, sizes=[{"t": 2, "n": 3}, {"t": 4, "n": 1}])


def test_the_same_value_at_several_places(check: Check) -> None:
    text = EXCHANGE.replace("TYPE", "f32[3]").replace("return(%j, %v, %u, %s)", "return(%j, %s, %s, %x)")
    check(text, inputs={"n": 3})


def test_what_a_file_holds(tmp_path: Path) -> None:
    summary = written(LOOP, tmp_path / "m.tflite")
    main, condition, body = summary.subgraphs
    (loop,) = [o for o in main.operators if o.name == "WHILE"]
    assert len(loop.inputs) == len(loop.outputs) == len(condition.inputs) == len(body.inputs) == len(body.outputs) == 4
    assert [o.name for o in condition.operators] == ["LESS"] and len(condition.outputs) == 1
    assert [o.name for o in body.operators] == ["ADD", "MUL"]


def test_loops_run_anew_each_time(check: Check) -> None:
    """No state stays from one run to the next."""
    check(LOOP, inputs={"n": 4}, sizes=[{}, {}, {}])


def test_branches_with_layouts(check: Check) -> None:
    """Layouts stop at the border of a region."""
    text = """
    func @main(%flag: bool[], %x: f32[1,3,5,4], %w: f32[2,3,3,3]) -> (f32[1,2,3,2] {name = "y"}) {
      %y = if(%flag) do () {
        %a = conv(%x, %w, none) {strides = [1, 1], dilations = [1, 1], pads = [[0, 0], [0, 0]]} : f32[1,2,3,2]
        return(%a)
      } do () {
        %b = slice(%x) {starts = [0, 0, 0, 0], sizes = [1, 2, 3, 2], steps = [1, 1, 1, 1]} : f32[1,2,3,2]
        return(%b)
      } : f32[1,2,3,2]
      return(%y)
    }"""
    from nhwcc.backends.tflite import PIPELINE

    for flag in (True, False):
        check(text, inputs={"flag": np.asarray(flag)}, passes=PIPELINE)

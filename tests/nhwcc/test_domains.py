"""What integers inputs may hold, as the operations say that they reach."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest
from nhwcc.compiler.diagnostics import CompileError
from nhwcc.compiler.ir import Module
from nhwcc.compiler.parser import parse_module
from nhwcc.compiler.types import Array, TensorType
from onnx import TensorProto
from onnx_models import model, node

import nhwcc
from nhwcc.domains import Domain, constants, domains
from nhwcc.drawing import DRAWS
from nhwcc.feeds import Feeding, feeds, large_feeds
from nhwcc.runners.reference import ReferenceRunner
from nhwcc.size_domains import SizeDomain


def module(body: str, arguments: str = "%i: i64[3]", result: str = "f32[3,4]") -> Module:
    return parse_module(f"func @main({arguments}, %t: f32[9,4]) -> ({result}) {{\n{body}\n}}")


def picking(before: str, name: str, *, wraps: bool = False) -> Module:
    how = f"axis = 0, wraps = {str(wraps).lower()}"
    return module(f"{before}\n%y = gather(%t, {name}) {{{how}}} : f32[3,4]\nreturn(%y)")


def drawn(made: Module, number: int = 0, runs: int = 40) -> np.ndarray:
    known = domains(made.main)
    types = ReferenceRunner(made).inputs
    given = (list(feeds(types, Feeding(None, seed, known)))[number] for seed in range(runs))
    return np.concatenate([feed.inputs["i"].ravel() for feed in given])


def test_positions_reach_the_whole_axis() -> None:
    found = drawn(picking("", "%i"))
    assert found.min() == 0 and found.max() == 8


def test_positions_from_the_end_only_where_they_may_be() -> None:
    wrapping = picking("", "%i", wraps=True)
    assert drawn(wrapping).min() == -9 and drawn(wrapping, 1).min() == 0


@pytest.mark.parametrize(
    ("before", "low", "high"),
    [
        ("%j = reshape(%i) {shape = [3]} : i64[3]", 0, 8),
        ('%j = cast(%i) {to = "i32"} : i32[3]', 0, 8),
        ("%k = const() {value = dense<2> : i64[]} : i64[]\n%j = add(%i, %k) : i64[3]", -2, 6),
        ("%j = concat(%i) {axis = 0} : i64[3]", 0, 8),
    ],
)
def test_behind_what_hands_positions_on(before: str, low: int, high: int) -> None:
    found = drawn(picking(before, "%j"))
    assert (found.min(), found.max()) == (low, high)


def test_positions_that_are_written_are_distinct() -> None:
    made = module("%y = scatter(%t, %i, %u) {axis = 0} : f32[9,4]\nreturn(%y)", "%i: i64[3], %u: f32[3,4]", "f32[9,4]")
    types = ReferenceRunner(made).inputs
    for seed in range(20):
        assert len(set(next(feeds(types, Feeding(None, seed, domains(made.main)))).inputs["i"].tolist())) == 3


def test_positions_in_several_axes_and_along_one_are_distinct() -> None:
    made = parse_module("""
func @main(%x: f32[3,4], %i: i64[10,2], %u: f32[10], %e: i64[3,4], %v: f32[3,4]) -> (f32[3,4], f32[3,4]) {
  %y = scatter_nd(%x, %i, %u) : f32[3,4]
  %z = scatter_elements(%x, %e, %v) {axis = 0} : f32[3,4]
  return(%y, %z)
}""")
    known, types = domains(made.main), ReferenceRunner(made).inputs
    for seed in range(20):
        inputs = next(feeds(types, Feeding(None, seed, known))).inputs
        assert len({tuple(row) for row in inputs["i"].tolist()}) == 10 and inputs["i"].max(0).tolist() == [2, 3]
        assert all(sorted(column) == [0, 1, 2] for column in inputs["e"].T.tolist())


def test_coordinates_that_are_put_together_later() -> None:
    made = parse_module("""
func @main(%x: f32[3,9], %i: i64[6]) -> (f32[3]) {
  %j = reshape(%i) {shape = [3, 2]} : i64[3,2]
  %y = gather_nd(%x, %j) {wraps = false} : f32[3]
  return(%y)
}""")
    assert drawn(made).max() == 2


def test_nothing_is_divided_by_zero() -> None:
    made = parse_module(
        "func @main(%x: i64[50], %i: i64[50]) -> (i64[50]) {\n%y = floor_div(%x, %i) : i64[50]\nreturn(%y)\n}"
    )
    assert 0 not in drawn(made)


def test_narrow_integers_are_drawn_from_all() -> None:
    made = parse_module('func @main(%i: u8[64]) -> (f32[64]) {\n%y = cast(%i) {to = "f32"} : f32[64]\nreturn(%y)\n}')
    assert drawn(made, runs=1).max() == 255 and drawn(made, runs=1).min() == 0
    assert drawn(made, len(DRAWS) - 1, 1).max() == 1, "masks are tried last"


def test_outputs_that_depend_on_nothing() -> None:
    made = parse_module("""
func @main(%x: f32[2]) -> (f32[2] {name = "a"}, f32[2] {name = "b"}, f32[2] {name = "c"}) {
  %k = const() {value = dense<[1.0, 1.0]> : f32[2]} : f32[2]
  %n = neg(%k) : f32[2]
  %r = random_uniform() {shape = [2]} : f32[2]
  %y = add(%x, %k) : f32[2]
  return(%n, %y, %r)
}""")
    assert constants(made.main) == {"a"}


@pytest.mark.parametrize(
    ("body", "high"),
    [
        ('%y = cast(%i) {to = "f32"} : f32[9]', 99),
        ("%y = less(%i, %k) : bool[9]", 99),
        ("%y = add(%i, %k) : i64[9]", 99),
        ("%y = pow(%i, %k) : i64[9]", 3),
    ],
)
def test_large_integers_are_drawn_only_of_numbers(body: str, high: int) -> None:
    """Others may be exponents, or sizes."""
    result = body.rpartition(" : ")[2]
    made = parse_module(f"func @main(%i: i64[9], %k: i64[9]) -> ({result}) {{\n{body}\nreturn(%y)\n}}")
    known, types = domains(made.main), ReferenceRunner(made).inputs
    found = [runs_of(types, Feeding(None, seed, known)) for seed in range(40)]
    assert high - 3 <= max(int(array.max()) for array in found) <= high


def runs_of(types: Mapping[str, TensorType], feeding: Feeding) -> Array:
    """The integers of a run with large numbers."""
    return next(large_feeds(types, next(feeds(types, feeding)), feeding)).inputs["i"]


def test_ends_and_shifts() -> None:
    made = parse_module("""
func @main(%x: f32[2,5], %i: i64[2], %n: i8[4], %s: i8[4]) -> (f32[2,5], i8[4]) {
  %y = reverse_sequence(%x, %i) {axis = 1, batch = 0} : f32[2,5]
  %z = shift_left(%n, %s) : i8[4]
  return(%y, %z)
}""")
    found = drawn(made)
    assert (found.min(), found.max()) == (0, 5)
    known = domains(made.main)["s"]
    assert isinstance(known, Domain) and known.sizes == (8,)


def sized(body: str, arguments: str, result: str) -> Module:
    return parse_module(f"func @main({arguments}) -> ({result}) {{\n{body}\nreturn(%y)\n}}")


SLICED = "%y = slice(%x) {starts = ['u0'], sizes = ['u1'], steps = [1]} : f32[u1]"


def test_sizes_keep_their_bounds() -> None:
    made = sized(
        f"bind_sizes(%i) {{sizes = ['u0', 'u1'], most = [3, 9]}}\n{SLICED}", "%x: f32[12], %i: i64[2]", "f32[u1]"
    )
    rows = drawn(made).reshape(-1, 2)
    assert rows.min(0).tolist() == [1, 1] and rows.max(0).tolist() == [3, 6]


def test_positions_that_are_clamped() -> None:
    """What is behind the end, or before the begin, tells less: ends are drawn behind starts."""
    made = sized(
        """
  %z = const() {value = dense<0> : i64[]} : i64[]
  %d = sub(%e, %i) : i64[]
  %n = max(%d, %z) : i64[]
  %a = reshape(%i) {shape = [1]} : i64[1]
  %b = reshape(%n) {shape = [1]} : i64[1]
  %j = concat(%a, %b) {axis = 0} : i64[2]
  bind_sizes(%j) {sizes = ['u0', 'u1'], most = [12, 12]}
"""
        + SLICED,
        "%x: f32[12], %i: i64[], %e: i64[]",
        "f32[u1]",
    )
    known = domains(made.main)
    types = ReferenceRunner(made).inputs
    given = [next(feeds(types, Feeding(None, seed, known))).inputs for seed in range(40)]
    assert all(0 <= feed["i"] < feed["e"] <= 12 for feed in given)
    assert len({int(feed["e"] - feed["i"]) for feed in given}) > 5


@pytest.mark.parametrize(
    "cut",
    [
        "%a, %b = split(%i) {axis = 0, sizes = [1, 2]} : i64[1], i64[2]",
        """
%a = slice(%i) {starts = [0], sizes = [1], steps = [1]} : i64[1]
%b = slice(%i) {starts = [1], sizes = [2], steps = [1]} : i64[2]""",
    ],
)
def test_pieces_of_a_tensor_are_followed(cut: str) -> None:
    made = sized(
        f"{cut}\nbind_sizes(%b) {{sizes = ['u0', 'u1'], most = [3, 9]}}\n{SLICED}",
        "%x: f32[12], %i: i64[3]",
        "f32[u1]",
    )
    known = domains(made.main)["i"]
    assert isinstance(known, SizeDomain) and known.bounds == {1: (0, 3), 2: (0, 6)}


def test_sizes_of_a_reshape_multiply_to_its_elements() -> None:
    made = sized(
        "bind_sizes(%i) {sizes = ['u0', 'u1']}\n%y = reshape(%x) {shape = ['u0', 'u1']} : f32[u0,u1]",
        "%x: f32[12], %i: i64[2]",
        "f32[u0,u1]",
    )
    rows = drawn(made).reshape(-1, 2)
    assert (rows.prod(1) == 12).all() and len(np.unique(rows, axis=0)) > 3


def test_who_can_not_have_sizes_from_data_is_told_where_they_come_from(tmp_path: Path) -> None:
    padded = model([node("Pad", "x p", "y")], {"x": (2, 3), "p": (4,)}, ["y"])
    padded.graph.input[1].type.tensor_type.elem_type = TensorProto.INT64
    with pytest.raises(CompileError, match="make the input 'p' a constant of the model") as caught:
        nhwcc.compile(padded, tmp_path / "x.keras", verify=False)
    assert {(d.code, d.inputs) for d in caught.value.diagnostics} == {("B001", ("p",))}

"""Joined outputs: what they are joined from, the same numbers in pieces, and integers in which a part would be lost."""

from __future__ import annotations

import numpy as np
import pytest
from nhwcc.compiler.clone import clone_module
from nhwcc.compiler.diagnostics import CompileError
from nhwcc.compiler.interpreter import run
from nhwcc.compiler.ir import Module
from nhwcc.compiler.ops.shape import Concat, Slice
from nhwcc.compiler.parser import parse_module
from nhwcc.compiler.scales import Range
from nhwcc.compiler.types import Array, DType
from nhwcc.passes.quantization.joins import alike, blocks, ratio, slabs, spans_by_axis
from nhwcc.passes.quantization.quantize import Recipe
from nhwcc.passes.quantization.split import split_outputs

from nhwcc.quantization.parts import Parts, different_parts, joined_outputs

from .networks import calibrated, quantized, samples

DETECTOR = """
func @main(%x: f32[1,6,6,4], %c: f32[1,6,6,2]) -> (f32[1,6,36] {name = "boxes"}, f32[1,6,6,4] {name = "raw"}) {
  %k = const() {value = dense<300.0> : f32[]} : f32[]
  %big = mul(%x, %k) : f32[1,6,6,4]
  %s = sigmoid(%c) : f32[1,6,6,2]
  %j = concat(%big, %s) {axis = 3} : f32[1,6,6,6]
  %t = transpose(%j) {perm = [0, 3, 1, 2]} : f32[1,6,6,6]
  %y = reshape(%t) {shape = [1, 6, 36]} : f32[1,6,36]
  %raw = relu(%x) : f32[1,6,6,4]
  return(%y, %raw)
}
"""
"""Boxes beside scores, and an output of one part."""

GRIDS = """
func @main(%a: f32[1,8,2], %b: f32[1,8,3], %c: f32[1,2,2], %d: f32[1,2,3]) -> (f32[1,10,5] {name = "y"}) {
  %k = const() {value = dense<100.0> : f32[]} : f32[]
  %p = mul(%a, %k) : f32[1,8,2]
  %q = mul(%c, %k) : f32[1,2,2]
  %r = relu(%b) : f32[1,8,3]
  %s = relu(%d) : f32[1,2,3]
  %g = concat(%p, %r) {axis = 2} : f32[1,8,5]
  %h = concat(%q, %s) {axis = 2} : f32[1,2,5]
  %y = concat(%g, %h) {axis = 1} : f32[1,10,5]
  return(%y)
}
"""
"""Two grids, each of which joins two parts: those that differ lie along another axis than the last concatenation's."""


OPEN = """
func @main(%a: f32[n,2], %b: f32[m,2]) -> (f32[m+n,2] {name = "y"}) {
  %y = concat(%a, %b) {axis = 0} : f32[m+n,2]
  return(%y)
}
"""


def parsed(text: str) -> Module:
    return parse_module(text)


def outputs(module: Module, given: list[list[Array]]) -> list[dict[str, Array]]:
    names = [port.name for port in module.main.outputs]
    return [dict(zip(names, run(module.main, sample), strict=True)) for sample in given]


@pytest.mark.parametrize(
    ("text", "name", "spans"), [(DETECTOR, "boxes", [(0, 4), (4, 6)]), (GRIDS, "y", [(0, 2), (2, 5)])]
)
class TestPieces:
    def test_are_found_where_ranges_differ(self, text: str, name: str, spans: list[tuple[int, int]]) -> None:
        module = parsed(text)
        found = joined_outputs(module.main, outputs(module, samples(module)))
        assert list(found) == [name] and [s.span for s in found[name]] == spans and ratio(found[name]) > 50

    def test_have_the_same_numbers(self, text: str, name: str, spans: list[tuple[int, int]]) -> None:
        module, given = parsed(text), samples(parsed(text))
        want = outputs(module, given)
        pieces = joined_outputs(module.main, want)
        copy = clone_module(module)
        made = split_outputs(copy.main, pieces)
        assert made == {name: [f"{name}_{i}" for i in range(len(spans))]}
        got = outputs(copy, given)
        axis = pieces[name][0].axis
        for a, b in zip(want, got, strict=True):
            assert np.array_equal(a[name], np.concatenate([b[n] for n in made[name]], axis))
            assert all(np.array_equal(a[other], b[other]) for other in a if other != name)

    def test_nothing_is_joined_to_be_cut(self, text: str, name: str, spans: list[tuple[int, int]]) -> None:
        module = parsed(text)
        pieces = joined_outputs(module.main, outputs(module, samples(module)))
        split_outputs(module.main, pieces)
        kinds = [type(op) for op in module.walk()]
        assert Slice not in kinds and kinds.count(Concat) == (0 if name == "boxes" else len(spans))

    def test_each_is_measured(self, text: str, name: str, spans: list[tuple[int, int]]) -> None:
        module = parsed(text)
        found = outputs(module, samples(module))
        parts = different_parts(module.main, found)
        cut = parts.cut(found[0])
        axis = parts.of_output[name][0].axis
        words = [f"{name}[{':, ' * axis}{a}:{b}]" for a, b in spans]
        assert set(words) <= set(cut) and name not in cut
        assert sum(cut[w].size for w in words) == found[0][name].size

    def test_integers_of_the_whole_are_refused(self, text: str, name: str, spans: list[tuple[int, int]]) -> None:
        module = parsed(text)
        seen = calibrated(module, samples(module))
        words = ".*".join(str(b) for _, b in reversed(spans))
        with pytest.raises(CompileError, match=f"Q005.*{name}.*{words}.*digits"):
            quantized(module, Recipe("int8", seen, io_dtypes={name: DType.I8}))


def test_axes_of_the_source() -> None:
    """An output that lies otherwise in the file is cut along the source's axis."""
    module = parsed(DETECTOR.replace('{name = "boxes"}', '{name = "boxes", perm = [0, 2, 1]}'))
    given = samples(module)
    want = [{"boxes": a["boxes"].transpose(0, 2, 1), "raw": a["raw"]} for a in outputs(module, given)]
    pieces = joined_outputs(module.main, want)
    assert [(s.axis, s.span) for s in pieces["boxes"]] == [(2, (0, 4)), (2, (4, 6))]
    split_outputs(module.main, pieces)
    assert [v.type.shape for v in module.main.returns] == [(1, 4, 36), (1, 2, 36), (1, 6, 6, 4)]
    assert module.main.outputs[0].perm == module.main.outputs[1].perm == (0, 2, 1)


def test_a_reshape_that_mixes_parts() -> None:
    module = parsed(DETECTOR.replace("[1, 6, 36]", "[1, 4, 54]").replace("f32[1,6,36]", "f32[1,4,54]"))
    (found, _) = (blocks(v) for v in module.main.returns)
    assert len(found) == 1 and not spans_by_axis(found)


def test_open_sizes() -> None:
    """How many samples there are may be open, how large parts are may not."""
    module = parsed(DETECTOR.replace("[1, ", "['n', ").replace("[1,", "[n,"))
    given = [[np.ones((3, 6, 6, 4), np.float32), np.ones((3, 6, 6, 2), np.float32)]]
    want = outputs(module, given)
    pieces = joined_outputs(module.main, want)
    split_outputs(module.main, pieces)
    got = outputs(module, given)
    assert np.array_equal(want[0]["boxes"], np.concatenate([got[0]["boxes_0"], got[0]["boxes_1"]], 1))
    (found,) = (blocks(v) for v in parsed(OPEN).main.returns)
    assert not spans_by_axis(found)


def test_neighbours_that_are_alike() -> None:
    widths = (1.0, 2.0, 100.0, 80.0, 1.5)
    found = slabs({1: [(i, i + 1) for i in range(5)]}, lambda _, span: Range(0.0, widths[span[0]]))
    assert [s.span for s in alike(found, 4.0)] == [(0, 2), (2, 4), (4, 5)]
    assert Parts({"y": alike(found, 200.0)}).cut({"y": np.zeros((2, 5))}).keys() == {"y[:, 0:5]"}


def test_parts_that_are_alike_are_told_apart_where_recipes_are_compared() -> None:
    """The report measures them as one output, but what scores lose is not hidden by boxes."""
    module = parsed(DETECTOR.replace("300.0", "0.3"))
    parts = different_parts(module.main, outputs(module, samples(module)))
    assert "boxes" not in parts.of_output and [s.span for s in parts.joined["boxes"]] == [(0, 4), (4, 6)]


def test_ranges_that_are_alike_may_be_integers() -> None:
    module = parsed(DETECTOR.replace("300.0", "0.3"))
    made, _ = quantized(module, Recipe("int8", calibrated(module, samples(module)), io_dtypes={"boxes": DType.I8}))
    assert made.main.returns[0].type.dtype is DType.I8

"""Drawings: what is shown, in which colours, as Graphviz text and as SVG."""

from __future__ import annotations

from xml.etree import ElementTree as ET

import graphviz
import pytest
from models import CONV, answering
from nhwcc.compiler.opdef import OPS
from nhwcc.compiler.parser import parse_module

from nhwcc.graphs import render
from nhwcc.graphs.dot import to_dot
from nhwcc.graphs.draw import to_svg
from nhwcc.graphs.layers import LAYER, lay_out, layers_of
from nhwcc.graphs.map import to_map
from nhwcc.graphs.view import CATEGORIES, FAMILIES, Box, Graph, category, view_module
from nhwcc.sources import load

SVG = "{http://www.w3.org/2000/svg}"


def example() -> Graph:
    return view_module(load(CONV.encode()), "example <&>")


def chain(length: int) -> Graph:
    """Blocks with a short way around each, and a long one around all."""
    graph = Graph("long")
    first = last = graph.add(Box("input x", "f32[1]", "interface"))
    for i in range(length):
        new = graph.add(Box("op", f"f32[{i}]", "transpose" if i % 10 == 0 else "elementwise"))
        graph.arrows.append((last, new, "f32[1]"))
        if i % 3 == 0 and i:
            graph.arrows.append((max(last - 2, 0), new, "f32[1]"))
        last = new
    graph.arrows.append((first, last, "f32[1]"))
    return graph


class TestView:
    def test_operations_without_constants(self) -> None:
        graph = example()
        titles = [box.title for box in graph.boxes]
        assert "const" not in titles and titles[0] == "input image" and titles[-2:] == ["output map", "output scores"]
        edges = {(titles[a], titles[b]) for a, b, _ in graph.arrows}
        assert {("input image", "conv"), ("conv", "relu"), ("relu", "output map"), ("reduce", "output scores")} <= edges
        assert all(a < b for a, b, _ in graph.arrows), "what is read stands before its readers"

    def test_tooltips_say_everything(self) -> None:
        conv = next(box for box in example().boxes if box.title == "conv")
        assert "strides = [2, 2]" in conv.tooltip and 'node "conv"' in conv.tooltip and conv.detail == "f32[1,4,4,3]"

    def test_regions_belong_to_their_operation(self) -> None:
        text = """func @main(%c: bool[], %x: f32[2], %z: f32[2]) -> (f32[2]) {
          %y = if(%c) do () { %n = neg(%x) : f32[2] return(%n) } do () { return(%z) } : f32[2]
          return(%y)
        }"""
        graph = view_module(parse_module(text), "t")
        assert [b.title for b in graph.boxes] == ["input c", "input x", "input z", "if", "output "]
        assert {(a, b) for a, b, _ in graph.arrows} == {(0, 3), (1, 3), (2, 3), (3, 4)}

    def test_only_transposes_are_red(self) -> None:
        kinds = {name: category(op) for name, op in OPS.items()}
        assert [name for name, kind in kinds.items() if kind == "transpose"] == ["transpose"]
        assert kinds["conv"] == "product" and kinds["relu"] == "elementwise" and kinds["reshape"] == "movement"
        assert set(FAMILIES.values()) < set(CATEGORIES)

    def test_the_legend_has_what_occurs(self) -> None:
        assert [c.title for c in chain(3).categories()] == ["transpose", "elementwise", "input, output"]


class TestDot:
    def test_text(self) -> None:
        lines = to_dot(example()).splitlines()
        assert lines[0] == 'digraph "example <&>" {' and lines[-1] == "}"
        assert sum("->" in line for line in lines) == len(example().arrows)
        assert any('label="conv\\nf32[1,4,4,3]"' in line for line in lines)


class TestSvg:
    def test_it_is_well_formed_and_shows_all(self) -> None:
        graph = example()
        root = ET.fromstring(to_svg(graph))
        groups = root.findall(f"{SVG}g")
        assert len(groups) == len(graph.boxes)
        assert [g.findtext(f"{SVG}text") for g in groups] == [box.title for box in graph.boxes]
        assert len(root.findall(f"{SVG}path")) == len(graph.arrows)
        assert "example <&>" in [t.text for t in root.findall(f"{SVG}text")]

    def test_boxes_do_not_overlap(self) -> None:
        root = ET.fromstring(to_svg(chain(120)))
        rects = [r for g in root.findall(f"{SVG}g") for r in g.findall(f"{SVG}rect")]
        boxes = [tuple(float(r.attrib[k]) for k in ("x", "y", "width", "height")) for r in rects]
        for i, (x, y, w, h) in enumerate(boxes):
            for x2, y2, w2, h2 in boxes[:i]:
                assert x + w <= x2 or x2 + w2 <= x or y + h <= y2 or y2 + h2 <= y

    def test_everything_lies_in_view(self) -> None:
        root = ET.fromstring(to_svg(chain(50)))
        left, top, width, height = map(float, root.attrib["viewBox"].split())
        for rect in root.iter(f"{SVG}rect"):
            assert left <= float(rect.attrib["x"]) <= left + width
            assert top <= float(rect.attrib["y"]) <= top + height

    def test_long_texts_are_shortened(self) -> None:
        graph = Graph("t", [Box("a" * 200, "b" * 200, "other", "the whole of it")])
        text = to_svg(graph)
        assert "a" * 60 not in text and "the whole of it" in text and "…" in text

    def test_nothing(self) -> None:
        ET.fromstring(to_svg(Graph("empty")))


class TestLayout:
    def test_arrows_go_down_and_bend_between_boxes(self) -> None:
        graph = chain(30)
        arrows = [(a, b) for a, b, _ in graph.arrows]
        places, routes = lay_out([60.0] * len(graph.boxes), arrows)
        for (a, b), route in zip(arrows, routes, strict=True):
            assert route[0] == places[a] and route[-1] == places[b]
            assert [p.y for p in route] == [places[a].y + LAYER * i for i in range(len(route))]
            for bend in route[1:-1]:
                assert all(abs(bend.x - p.x) >= 30 for p in places if p.y == bend.y)

    def test_crossings_are_taken_away(self) -> None:
        places, _ = lay_out([10.0] * 6, [(0, 4), (0, 5), (1, 3), (2, 3), (2, 4)])
        order = sorted((0, 1, 2), key=lambda n: places[n].x), sorted((3, 4, 5), key=lambda n: places[n].x)
        assert order in (([1, 2, 0], [3, 4, 5]), ([0, 2, 1], [5, 4, 3]))

    def test_inputs_stand_above_their_readers(self) -> None:
        assert layers_of(5, [(0, 1), (1, 2), (2, 4), (3, 4)]) == [0, 1, 2, 2, 3]

    def test_circles_and_single_boxes(self) -> None:
        places, routes = lay_out([10.0] * 4, [(0, 1), (1, 2), (2, 0)])
        assert len(places) == 4 and routes[2][0] == places[2] and routes[2][-1] == places[0]


class TestRendering:
    def test_graphviz_where_it_is_installed(self, monkeypatch: pytest.MonkeyPatch) -> None:
        seen: list[tuple[str, str]] = []

        def pipe(source: graphviz.Source, **given: object) -> str:
            seen.append((source.source, source.engine))
            return "<svg/>"

        monkeypatch.setattr(render, "has_graphviz", answering(value=True))
        monkeypatch.setattr("graphviz.Source.pipe", pipe)
        assert render.render(example()) == "<svg/>" and seen == [(to_dot(example()), "dot")]
        assert render.render(chain(1000)) != "<svg/>", "it would take minutes"

    def test_a_layout_of_our_own_where_it_is_not_or_fails(self, monkeypatch: pytest.MonkeyPatch) -> None:
        def pipe(source: graphviz.Source, **given: object) -> str:
            raise graphviz.CalledProcessError(1, ["dot"])

        monkeypatch.setattr("graphviz.Source.pipe", pipe)
        for is_there in (True, False):
            monkeypatch.setattr(render, "has_graphviz", answering(value=is_there))
            assert render.render(example()) == to_svg(example())


class TestMap:
    def networks(self) -> tuple[Graph, Graph]:
        """One with a transpose and a value that is kept, one without."""
        small, large = chain(8), chain(40)
        large.arrows.append((1, 30, "f32[1]"))
        return large, small

    def test_every_operation_is_shown(self) -> None:
        large, small = self.networks()
        drawing = ET.fromstring(to_map([large, small], ["a < b", "c"]))
        texts = [e.text for e in drawing.iter() if e.tag.endswith("text")]
        assert "a < b" in texts and "c" in texts and "transpose" in texts
        shown = [e for e in drawing.iter() if e.tag.endswith("rect") and len(e)]
        red = [e for e in shown if e.get("fill") == CATEGORIES["transpose"].strong]
        assert len(shown) == len(large.boxes) + len(small.boxes)
        assert len(red) == sum(b.category == "transpose" for g in (large, small) for b in g.boxes)

    def test_only_values_that_are_kept_have_an_arc(self) -> None:
        large, _ = self.networks()
        drawing = ET.fromstring(to_map([large], [""]))
        assert len([e for e in drawing.iter() if e.tag.endswith("path") and len(e)]) == 2

    def test_levels_are_sizes_wherever_channels_lie(self) -> None:
        graph = Graph("t")
        for shape in ((1, 64, 20, 20), (1, 20, 20, 64), (1, 3, 40, 40), ()):
            graph.add(Box("op", "", "product", shape=shape))
        drawing = ET.fromstring(to_map([graph], [""]))
        heights = [float(e.get("y", "")) for e in drawing.iter() if e.tag.endswith("rect") and len(e)]
        assert heights[0] == heights[1] > heights[2] and heights[3] > heights[0]

"""What stands around the layers of a network: names, layouts, sizes, networks inside of layers, refusals."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from nhwcc.backends.registry import find_target
from nhwcc.compiler.diagnostics import CompileError, collect_remarks
from nhwcc.compiler.parser import parse_module
from nhwcc.compiler.pipeline import Pipeline, parse_pipeline
from nhwcc.formats.openvino.model import Layer, Network
from nhwcc.formats.openvino.reader import read_contents

from nhwcc.runners.openvino_file import OpenvinoFile, OpenvinoFileRunner
from tests.passes.random_graphs import random_module

from .conftest import Check


def names_of(network: Network) -> list[str]:
    return [layer.name for layer in network.layers.values()]


def only(network: Network, type: str) -> Layer:
    (layer,) = network.of_type(type)
    return layer


CONV = """
func @main(%image: f32[batch,3,h,w] {axes = "NCHW"}, %w: f32[4,3,3,3], %b: f32[4])
    -> (f32[batch,4,((h-1)//2)+1,((w-1)//2)+1] {name = "found,here", axes = "NCHW"}) {
  %y = conv(%image, %w, %b) {strides = [2, 2], dilations = [1, 1], pads = [[1, 1], [1, 1]], activation = "relu6"}
       : f32[batch,4,((h-1)//2)+1,((w-1)//2)+1]
  return(%y)
}
"""


def test_inputs_and_outputs_keep_names_layouts_and_open_sizes(check: Check) -> None:
    done = check(CONV, sizes=[{"batch": 1, "h": 5, "w": 7}, {"batch": 2, "h": 8, "w": 4}])
    assert dict(done.operators) == {"Convolution": 1, "Reshape": 1, "Add": 1, "Clamp": 1}
    image = done.network.of_type("Parameter")[0]
    assert image.name == "image"
    assert image.data == {"shape": "?,3,?,?", "element_type": "f32"}
    assert image.outputs[0].names == ("image",)
    assert image.outputs[0].dims == (-1, 3, -1, -1)
    assert image.outputs[0].info["layout"]["layout"] == "[N,C,H,W]"
    result = only(done.network, "Result")
    assert result.output_names == ("found,here",)
    assert result.inputs[0].info["layout"]["layout"] == "[N,C,H,W]"
    assert only(done.network, "Clamp").outputs[0].names == ("found,here",)


def test_names_of_sizes_and_layouts_are_in_the_metadata(check: Check) -> None:
    done = check(CONV, sizes=[{"batch": 1, "h": 5, "w": 7}])
    said = json.loads(read_contents(done.path).metadata["nhwcc/layout"])
    assert said["inputs"]["image"]["shape"] == ["batch", 3, "h", "w"]
    with OpenvinoFileRunner(done.path) as runner:
        assert str(runner.inputs["image"]) == "f32[batch,3,h,w]"
        assert runner.outputs == ("found,here",)
    assert done.reread is not None
    assert str(done.reread.main.args[0].type) == "f32[batch,3,h,w]"


def test_another_layout_is_stated(tmp_path: Path) -> None:
    module = parse_module(CONV.replace("%w: f32[4,3,3,3], %b: f32[4]", "%w: f32[4,3,3,3]").replace(", %b)", ", none)"))
    target = find_target("openvino")
    Pipeline(parse_pipeline(target.pipeline.replace("io-layout=keep", "io-layout=nhwc"))).run(module)
    emitted = target.emit(module, tmp_path / "model.xml")
    image = read_contents(emitted.path).network.of_type("Parameter")[0]
    assert image.outputs[0].info["layout"]["layout"] == "[N,H,W,C]"
    x, w = np.ones((1, 3, 5, 7), np.float32), np.ones((4, 3, 3, 3), np.float32)
    with OpenvinoFileRunner(emitted.path) as runner:
        found = runner.run({"image": x, "w": w})["found,here"]
    assert found.shape == (1, 4, 3, 4)
    assert OpenvinoFile(emitted.path).run({"image": x.transpose(0, 2, 3, 1), "w": w.transpose(0, 2, 3, 1)})


PASSED_ON = """
func @main(%x: f32[2], %y: f32[2]) -> (f32[2], f32[2], f32[2], f32[2], f32[2] {name = "x"}) {
  %c = const() {value = dense<[1.0, 2.0]> : f32[2]} : f32[2]
  %z = add(%x, %y) : f32[2]
  return(%x, %c, %z, %z, %y)
}
"""


def test_outputs_that_are_inputs_constants_or_twice_the_same(check: Check) -> None:
    done = check(PASSED_ON, reread=False)
    assert dict(done.operators) == {"Add": 1}
    results = [layer.output_names for layer in done.network.of_type("Result")]
    assert results == [("y0",), ("y1",), ("y2",), ("y3",), ("x_1",)], "no two tensors have one name"
    assert len(set(names_of(done.network))) == len(done.network.layers)


@pytest.mark.parametrize(
    ("shape", "operators"),
    [
        ("b*h*w", {"Reshape"}),
        ("b, h*w", {"Reshape"}),
        ("b, 1, h, w", {"Unsqueeze"}),
        ("h*w, b", {"Reshape", "ShapeOf", "Gather", "Multiply", "Concat"}),
        ("2, b*h*w//2", {"Reshape"}),
    ],
)
def test_reshapes_compute_no_size_that_need_not_be(check: Check, shape: str, operators: set[str]) -> None:
    stated = ", ".join(d if d.isdigit() else f"'{d}'" for d in shape.split(", "))
    text = f"""
func @main(%x: f32[b,h,w]) -> (f32[{shape}]) {{
  %y = reshape(%x) {{shape = [{stated}]}} : f32[{shape}]
  return(%y)
}}
"""
    sizes = [{"b": 2, "h": 3, "w": 5}, *([{"b": 1, "h": 4, "w": 2}] if "//2" not in shape else [])]
    assert set(check(text, sizes=sizes).operators) == operators


def test_sizes_are_rounded_down_also_where_numbers_are_negative(check: Check) -> None:
    done = check(
        """
func @main(%x: f32[h], %z: f32[w]) -> (f32[((h-w)//2)+4]) {
  %zero = const() {value = dense<0.0> : f32[]} : f32[]
  %y = broadcast_to(%zero) {shape = ['((h-w)//2)+4']} : f32[((h-w)//2)+4]
  return(%y)
}
""",
        sizes=[{"h": n, "w": 7} for n in (2, 3, 8, 9)],
        reread=False,
    )
    assert done.operators["FloorMod"] == 1


BRANCHES = """
func @main(%yes: bool[], %x: f32[n,3]) -> (f32[n,3], f32[n,3]) {
  %two = const() {value = dense<2.0> : f32[]} : f32[]
  %a, %b = if(%yes) do () {
    %p = mul(%x, %two) : f32[n,3]
    return(%p, %p)
  } do () {
    %z = broadcast_to(%two) {shape = ['n', 3]} : f32[n,3]
    return(%x, %z)
  } : f32[n,3], f32[n,3]
  return(%a, %b)
}
"""


@pytest.mark.parametrize("yes", [True, False])
def test_branches_get_what_they_read_by_parameters(check: Check, yes: bool) -> None:
    done = check(BRANCHES, inputs={"yes": yes}, sizes=[{"n": 2}, {"n": 5}])
    bodies = only(done.network, "If").bodies
    assert [len(body.network.of_type("Parameter")) for body in bodies.values()] == [1, 2], "the other one reads a size"
    assert [len(body.inputs) for body in bodies.values()] == [1, 2]


LOOP = """
func @main(%n: i32[], %x: f32[b,3], %y: f32[b,3]) -> (i32[], f32[b,3], f32[b,3]) {
  %zero = const() {value = dense<0> : i32[]} : i32[]
  %one = const() {value = dense<1> : i32[]} : i32[]
  %m, %p, %q = while(%n, %x, %y) do (%i: i32[], %u: f32[b,3], %v: f32[b,3]) {
    %more = greater(%i, %zero) : bool[]
    return(%more)
  } do (%j: i32[], %s: f32[b,3], %t: f32[b,3]) {
    %next = sub(%j, %one) : i32[]
    %sum = add(%s, %y) : f32[b,3]
    return(%next, %t, %sum)
  } : i32[], f32[b,3], f32[b,3]
  return(%m, %p, %q)
}
"""


@pytest.mark.parametrize("count", [0, 1, 4])
def test_loops_ask_before_the_first_iteration(check: Check, count: int) -> None:
    done = check(LOOP, inputs={"n": count}, sizes=[{"b": 2}])
    body = only(done.network, "Loop").bodies["body"]
    assert len(body.back) == 3
    assert [link.purpose for link in body.outputs] == ["", "", "", "execution_condition"]


GROWING = """
func @main(%n: i32[], %go: bool[], %x: f32[b,3]) -> (bool[], f32[u9,3]) {
  %one = const() {value = dense<1> : i32[]} : i32[]
  %zero = const() {value = dense<0> : i32[]} : i32[]
  %m, %h, %p = while(%n, %go, %x) {sizes = ['u9']} do (%i: i32[], %on: bool[], %u: f32[u1,3]) {
    %more = greater(%i, %zero) : bool[]
    %both = logical_and(%more, %on) : bool[]
    return(%both)
  } do (%j: i32[], %still: bool[], %s: f32[u1,3]) {
    %next = sub(%j, %one) : i32[]
    %sum = reduce(%s) {kind = "sum", dims = [0]} : f32[1,3]
    %longer = concat(%s, %sum) {axis = 0} : f32[u1+1,3]
    return(%next, %still, %longer)
  } : i32[], bool[], f32[u9,3]
  return(%h, %p)
}
"""


@pytest.mark.parametrize("count", [0, 1, 4])
def test_loops_that_change_sizes_and_keep_others(check: Check, count: int) -> None:
    """A result that is the body's own parameter is copied: the runtime crashes else where sizes are open."""
    done = check(GROWING, inputs={"n": count, "go": True}, sizes=[{"b": 2}])
    layers = only(done.network, "Loop").bodies["body"].network.layers.values()
    assert [layer.type for layer in layers].count("Convert") == 1


def test_tensors_of_nothing_are_constants(check: Check) -> None:
    text = """
func @main(%x: f32[2]) -> (f32[0,2], f32[2]) {
  %e = slice(%x) {starts = [0], sizes = [0], steps = [1]} : f32[0]
  %r = reshape(%e) {shape = [0, 2]} : f32[0,2]
  %d = mul(%r, %r) : f32[0,2]
  %s = reduce(%d) {kind = "sum", dims = [0], keepdims = false} : f32[2]
  return(%d, %s)
}
"""
    assert not check(text, reread=False).operators


REFUSED = {
    "no elements of string": """func @main() -> (string[2]) {
  %c = const() {value = dense<["a", "b"]> : string[2]} : string[2]
  return(%c)
}""",
    "computes f64 in f32": "func @main(%x: f64[2]) -> (f64[2]) {\n  %y = neg(%x) : f64[2]\n  return(%y)\n}",
    "no elements of c64": "func @main(%x: c64[2]) -> (c64[2]) {\n  return(%x)\n}",
    "bit_cast": 'func @main(%x: f32[2]) -> (i32[2]) {\n  %y = bit_cast(%x) {to = "i32"} : i32[2]\n  return(%y)\n}',
}


@pytest.mark.parametrize("said", REFUSED)
def test_what_is_not_there_is_refused(said: str) -> None:
    with pytest.raises(CompileError) as caught:
        Pipeline(parse_pipeline("legalize{target=openvino}")).run(parse_module(REFUSED[said]))
    (found, *_) = caught.value.diagnostics
    assert found.code == "B001"
    assert said in found.message
    assert found.help


def test_constants_beyond_32_bits_are_warned_of() -> None:
    text = """
func @main(%x: i64[1]) -> (i64[1]) {
  %c = const() {value = dense<[4294967296]> : i64[1]} : i64[1]
  %y = add(%x, %c) : i64[1]
  return(%y)
}
"""
    with collect_remarks() as remarks:
        Pipeline(parse_pipeline("legalize{target=openvino}")).run(parse_module(text))
    assert any("can't hold a constant" in r.text for r in remarks if r.kind == "warning")


@pytest.mark.parametrize("seed", range(6))
def test_random_graphs(check: Check, seed: int) -> None:
    check(random_module(seed), passes=find_target("openvino").pipeline, tolerance=1e-4, floor=1e-2)

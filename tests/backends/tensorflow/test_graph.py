"""What stands around the operators of a file: names, functions, sizes, layouts, what TensorFlow makes of a folder."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from nhwcc.backends.registry import find_target
from nhwcc.compiler.diagnostics import CompileError
from nhwcc.compiler.parser import parse_module
from nhwcc.compiler.pipeline import Pipeline, parse_pipeline
from nhwcc.formats.tensorflow.model import Graph, Node
from nhwcc.formats.tensorflow.saved_model import read_contents
from nhwcc.frontends.tensorflow import import_tensorflow

from nhwcc.runners.tensorflow_file import InterpretedFile
from tests.passes.random_graphs import random_module

from .conftest import Check

PIPELINE = find_target("saved_model").pipeline


def graph_of(path: Path) -> Graph:
    return read_contents(path).graph


def node(graph: Graph, operator: str) -> Node:
    (found,) = [n for n in graph.nodes if n.op == operator]
    return found


CONV = """
func @main(%image: f32[batch,3,h,w], %w: f32[4,3,3,3], %b: f32[4]) -> (f32[batch,4,((h-1)//2)+1,((w-1)//2)+1]) {
  %y = conv(%image, %w, %b) {strides = [2, 2], dilations = [1, 1], pads = [[1, 1], [1, 1]], activation = "relu6"}
       : f32[batch,4,((h-1)//2)+1,((w-1)//2)+1]
  return(%y)
}
"""

IMAGES = [{"batch": 1, "h": 5, "w": 7}, {"batch": 2, "h": 8, "w": 4}]


def test_open_sizes_and_channels_last(check: Check) -> None:
    done = check(CONV, sizes=IMAGES, passes=PIPELINE)
    contents = read_contents(done.path)
    (signature,) = contents.signatures
    assert signature.key == "serving_default"
    assert contents.tags == ("serve",)
    assert {name: port.dims for name, port in signature.inputs.items()} == {
        "image": (None, None, None, 3),
        "w": (4, 3, 3, 3),
        "b": (4,),
    }
    assert {name: port.dims for name, port in signature.outputs.items()} == {"y0": (None, None, None, 4)}
    assert done.operators["Transpose"] == 1, "that of the filter, which is computed"


def test_the_interface_is_read_again(check: Check) -> None:
    done = check(CONV, sizes=IMAGES, passes=PIPELINE)
    again = import_tensorflow(done.path).main
    assert [p.name for p in again.inputs] == ["image", "w", "b"]
    assert again.inputs[0].perm == (0, 2, 3, 1)
    assert str(again.inputs[0].source_type(again.args[0].type)) == "f32[batch,3,h,w]"


SIZES = [{"b": 2, "h": 3, "w": 5}, {"b": 1, "h": 4, "w": 2}]


@pytest.mark.parametrize(
    ("shape", "operators"),
    [
        ("b*h*w", {"Reshape"}),
        ("b, h*w", {"Reshape", "Shape", "Slice", "Mul", "ConcatV2"}),
        ("b, 1, h, w", {"ExpandDims"}),
        ("2, b*h*w//2", {"Reshape"}),
    ],
)
def test_sizes_are_computed_only_where_they_must_be(check: Check, shape: str, operators: set[str]) -> None:
    stated = ", ".join(d if d.isdigit() else f"'{d}'" for d in shape.split(", "))
    text = f"""
func @main(%x: f32[b,h,w]) -> (f32[{shape}]) {{
  %y = reshape(%x) {{shape = [{stated}]}} : f32[{shape}]
  return(%y)
}}
"""
    assert set(check(text, sizes=SIZES if "//2" not in shape else SIZES[1:]).operators) == operators


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
def test_branches_read_what_is_around_them(check: Check, yes: bool) -> None:
    done = check(BRANCHES, inputs={"yes": yes}, sizes=[{"n": 2}, {"n": 5}])
    assert done.operators["StatelessIf"] == 1
    functions = graph_of(done.path).functions.values()
    assert len({(f.types, tuple(f.outputs.values())) for f in functions}) == 1, "they take and give the same"


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
def test_loops_carry_what_they_read(check: Check, count: int) -> None:
    done = check(LOOP, inputs={"n": count}, sizes=[{"b": 2}])
    assert done.operators["StatelessWhile"] == 1


NESTED = """
func @main(%n: i32[], %x: f32[b,3], %big: f32[b,3]) -> (i32[], f32[b,3]) {
  %one = const() {value = dense<1> : i32[]} : i32[]
  %zero = const() {value = dense<0> : i32[]} : i32[]
  %m, %y = while(%n, %x) do (%i: i32[], %u: f32[b,3]) {
    %more = greater(%i, %zero) : bool[]
    return(%more)
  } do (%j: i32[], %s: f32[b,3]) {
    %next = sub(%j, %one) : i32[]
    %even = equal(%j, %one) : bool[]
    %t = if(%even) do () {
      %o = broadcast_to(%s) {shape = ['b', 3]} : f32[b,3]
      return(%o)
    } do () {
      %p = add(%s, %big) : f32[b,3]
      return(%p)
    } : f32[b,3]
    return(%next, %t)
  } : i32[], f32[b,3]
  return(%m, %y)
}
"""


def test_functions_in_functions(check: Check) -> None:
    done = check(NESTED, inputs={"n": 3}, sizes=[{"b": 2}])
    assert len(graph_of(done.path).functions) == 4


def recurrent(kind: str, gates: int, steps: str, lengths: str) -> str:
    states = "f32[2,3], f32[2,3]" if kind == "lstm" else "f32[2,3]"
    more = {"lstm": ", none, none", "gru": ", none", "rnn": ""}[kind]
    results = "%y, %h, %c" if kind == "lstm" else "%y, %h"
    given = f"%x, %w, %r, %b, {lengths}, none{', none' if kind == 'lstm' else ''}{more}"
    return f"""
func @main(%x: f32[{steps},2,4], %w: f32[{gates * 3},4], %r: f32[{gates * 3},3], %b: f32[{gates * 3}], %n: i32[2])
    -> (f32[{steps},2,3], {states}) {{
  {results} = {kind}({given}) : f32[{steps},2,3], {states}
  return({results})
}}
"""


@pytest.mark.parametrize("lengths", ["none", "%n"])
@pytest.mark.parametrize("steps", ["3", "50", "t"])
@pytest.mark.parametrize(("kind", "gates"), [("lstm", 4), ("gru", 3), ("rnn", 1)])
def test_recurrent_layers(check: Check, kind: str, gates: int, steps: str, lengths: str) -> None:
    """A few steps one after the other, more of them as a loop, also where their number is open."""
    sizes: list[dict[str, int]] = [{"t": 5}, {"t": 70}] if steps == "t" else [{}]
    done = check(recurrent(kind, gates, steps, lengths), sizes=sizes, inputs={"n": [3, 2]})
    assert ("StatelessWhile" in done.operators) == (steps != "3")


PASSED_ON = """
func @main(%x: f32[2], %y: f32[2]) -> (f32[2], f32[2], f32[2], f32[2]) {
  %c = const() {value = dense<[1.0, 2.0]> : f32[2]} : f32[2]
  %z = add(%x, %y) : f32[2]
  return(%x, %c, %z, %z)
}
"""


def test_outputs_that_are_inputs_constants_or_twice_the_same(check: Check) -> None:
    assert dict(check(PASSED_ON).operators) == {"AddV2": 1, "Identity": 4}


NAMES = """
func @main(%a: f32[2] {name = "input:0"}, %b: f32[2] {name = "äöü x"}, %c: f32[2] {name = "A/b.c"})
    -> (f32[2] {name = "Identity:0"}, f32[2] {name = "a/B.C"}) {
  %y = add(%a, %b) : f32[2]
  %z = add(%y, %c) : f32[2]
  return(%y, %z)
}
"""


def test_signatures_have_the_source_s_names(check: Check) -> None:
    """Nodes can't be called anything; signatures can."""
    done = check(NAMES)
    contents = read_contents(done.path)
    assert set(contents.signatures[0].inputs) == {"input:0", "äöü x", "A/b.c"}
    names = [n.name for n in contents.graph.nodes]
    assert len({n.lower() for n in names}) == len(names)
    assert "input_0" in names and "A/b.c" in names


STATE = """
func @main(%state: f32[2], %x: f32[2]) -> (f32[2] {name = "state"}, f32[2] {name = "y"}) {
  %s = add(%state, %x) : f32[2]
  %y = neg(%x) : f32[2]
  return(%s, %y)
}
"""


def test_a_state_comes_out_under_the_name_of_its_input(check: Check) -> None:
    check(STATE)


@pytest.mark.parametrize("seed", range(20))
def test_random_graphs(check: Check, seed: int) -> None:
    check(random_module(seed), passes=PIPELINE, tolerance=1e-4, floor=1e-2)


def test_what_nobody_knows_is_refused(tmp_path: Path) -> None:
    text = """
func @main(%x: f32[1,3]) -> (f32[1,4]) {
  %y = custom(%x) {code = "com.acme.Spread", types = ["f32[1,4]"]} : f32[1,4]
  return(%y)
}
"""
    with pytest.raises(CompileError, match=r"B001.*TensorFlow can't run custom"):
        Pipeline(parse_pipeline("legalize{target=saved_model}")).run(parse_module(text))


def compiled(text: str, path: Path, target: str) -> Path:
    module = parse_module(text)
    Pipeline(parse_pipeline(f"legalize{{target={target}}}")).run(module)
    return find_target(target).emit(module, path).path


@pytest.mark.parametrize("target", ["saved_model", "tensorflow"])
def test_the_same_module_gives_the_same_bytes(tmp_path: Path, target: str) -> None:
    files = [compiled(LOOP, tmp_path / name, target) for name in "ab"]
    first, second = (f / "saved_model.pb" if f.is_dir() else f for f in files)
    assert first.read_bytes() == second.read_bytes()


def test_a_graph_has_the_interface_too(tmp_path: Path) -> None:
    """Without TensorFlow, the reference interpreter runs what is read of a file."""
    runner = InterpretedFile(compiled(STATE, tmp_path / "m.pb", "tensorflow"))
    assert list(runner.inputs) == ["state", "x"]
    assert runner.outputs == ("state", "y")
    one, two = np.ones(2, np.float32), np.full(2, 2, np.float32)
    assert runner.run({"state": one, "x": two})["state"].tolist() == [3, 3]


LOADED = """
func @main(%image: f32[n,3] {name = "the image"}, %k: i64[n])
    -> (f32[n,3] {name = "scores"}, i64[n] {name = "double"}) {
  %s = softmax(%image) {axis = 1} : f32[n,3]
  %t = add(%k, %k) : i64[n]
  return(%s, %t)
}
"""


def test_tensorflow_loads_the_folder(tmp_path: Path) -> None:
    """By the function that applications call, with the source's names."""
    tf: Any = pytest.importorskip("tensorflow", reason="TensorFlow loads the folder")
    loaded = tf.saved_model.load(str(compiled(LOADED, tmp_path / "m", "saved_model")))
    call = loaded.signatures["serving_default"]
    x, k = np.random.default_rng(0).random((4, 3), np.float32), np.arange(4)
    found = call(**{"the image": tf.constant(x), "k": tf.constant(k)})
    np.testing.assert_allclose(found["scores"].numpy(), np.exp(x) / np.exp(x).sum(1, keepdims=True), rtol=1e-5)
    np.testing.assert_array_equal(found["double"].numpy(), 2 * k)


FUSED = """
func @main(%x: f32[4,32]) -> (f32[4,16]) {
  %w = const() {value = dense<WEIGHTS> : f32[16,32]} : f32[16,32]
  %b = const() {value = dense<BIAS> : f32[16]} : f32[16]
  %factor = const() {value = dense<0.995> : f32[]} : f32[]
  %h = linear(%x, %w, %b) : f32[4,16]
  %a = FUNCTION : f32[4,16]
  %y = mul(%a, %factor) : f32[4,16]
  return(%y)
}
"""


@pytest.mark.parametrize(
    "function",
    [
        "gelu(%h)",
        "gelu(%h) {approximate = true}",
        "hard_swish(%h)",
        "silu(%h)",
        "mish(%h)",
        "layer_norm(%h, none, %b) {dims = [1]}",
        "rms_norm(%h, %b) {dims = [1]}",
    ],
)
def test_factors_are_not_lost_when_tensorflow_fuses(check: Check, function: str) -> None:
    """It takes a function times a factor near one for the function itself."""
    rng = np.random.default_rng(0)
    weights, bias = (rng.normal(size=shape).tolist() for shape in ((16, 32), (16,)))
    text = FUSED.replace("WEIGHTS", str(weights)).replace("BIAS", str(bias))
    check(text.replace("FUNCTION", function))
    check(text.replace("FUNCTION", function), passes=PIPELINE)


def test_about_a_sixth_is_not_a_sixth(check: Check) -> None:
    rng = np.random.default_rng(0)
    text = """
func @main(%x: f32[1,8,8,4]) -> (f32[1,8,8,8]) {
  %w = const() {value = dense<WEIGHTS> : f32[8,3,3,4]} : f32[8,3,3,4]
  %b = const() {value = dense<BIAS> : f32[8]} : f32[8]
  %three = const() {value = dense<3.0> : f32[]} : f32[]
  %factor = const() {value = dense<0.16> : f32[]} : f32[]
  %h = conv(%x, %w, %b) {strides = [1, 1], dilations = [1, 1], pads = [[1, 1], [1, 1]], channels_last = true}
       : f32[1,8,8,8]
  %t = add(%h, %three) : f32[1,8,8,8]
  %r = clip(%t) {min = 0.0, max = 6.0} : f32[1,8,8,8]
  %p = mul(%r, %factor) : f32[1,8,8,8]
  %y = mul(%h, %p) : f32[1,8,8,8]
  return(%y)
}
"""
    weights, bias = (rng.normal(size=shape).tolist() for shape in ((8, 3, 3, 4), (8,)))
    check(text.replace("WEIGHTS", str(weights)).replace("BIAS", str(bias)))


def test_quotients_of_sizes_are_rounded_down(check: Check) -> None:
    text = """
func @main(%x: f32[h]) -> (f32[(h//2),2]) {
  %one = const() {value = dense<1.5> : f32[]} : f32[]
  %y = broadcast_to(%one) {shape = ['h//2', 2]} : f32[(h//2),2]
  return(%y)
}
"""
    assert "FloorDiv" in check(text, sizes=[{"h": 7}, {"h": 4}]).operators


@pytest.mark.parametrize("mode", ["reflect", "symmetric"])
def test_mirrored_with_or_without_the_edge(check: Check, mode: str) -> None:
    pad = f'pad(%x) {{low = [0, 2], high = [0, 1], mode = "{mode}"}}'
    check(f"func @main(%x: f32[2,4]) -> (f32[2,7]) {{\n  %y = {pad} : f32[2,7]\n  return(%y)\n}}")


def test_several_filters_for_each_channel(check: Check) -> None:
    text = """
func @main(%x: f32[1,3,3,2]) -> (f32[1,3,3,4]) {
  %w = const() {value = dense<[[[[1.0]]], [[[2.0]]], [[[-3.0]]], [[[0.5]]]]> : f32[4,1,1,1]} : f32[4,1,1,1]
  %y = conv(%x, %w, none) {strides = [1, 1], dilations = [1, 1], pads = [[0, 0], [0, 0]], groups = 2,
    channels_last = true} : f32[1,3,3,4]
  return(%y)
}
"""
    assert check(text).operators == {"DepthwiseConv2dNative": 1}

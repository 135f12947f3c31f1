"""What stands around the operators of a file: names, types, sizes, graphs inside of nodes, layouts, opsets."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from nhwcc.backends.onnx.standard import OLDEST, newest
from nhwcc.backends.registry import find_target
from nhwcc.compiler.diagnostics import CompileError
from nhwcc.compiler.parser import parse_module
from nhwcc.compiler.pipeline import Pipeline, parse_pipeline
from nhwcc.formats.layout import KEY
from onnx import GraphProto, ModelProto

from nhwcc.runners.onnx_file import OnnxFileRunner
from tests.passes.random_graphs import random_module

from .conftest import Check, checked_model


def sizes_of(value: Any) -> list[int | str]:
    return [d.dim_param or d.dim_value for d in value.type.tensor_type.shape.dim]


def attribute(model: ModelProto, operator: str, name: str) -> Any:
    (node,) = [n for n in model.graph.node if n.op_type == operator]
    return next(a for a in node.attribute if a.name == name)


CONV = """
func @main(%image: f32[batch,3,h,w], %w: f32[4,3,3,3], %b: f32[4]) -> (f32[batch,4,((h-1)//2)+1,((w-1)//2)+1]) {
  %y = conv(%image, %w, %b) {strides = [2, 2], dilations = [1, 1], pads = [[1, 1], [1, 1]], activation = "relu6"}
       : f32[batch,4,((h-1)//2)+1,((w-1)//2)+1]
  return(%y)
}
"""


def test_named_sizes_are_shared_by_inputs_and_outputs(check: Check) -> None:
    done = check(CONV, sizes=[{"batch": 1, "h": 5, "w": 7}, {"batch": 2, "h": 8, "w": 4}])
    assert sizes_of(done.model.graph.input[0]) == ["batch", 3, "h", "w"]
    assert sizes_of(done.model.graph.output[0]) == ["batch", 4, "((h+1)//2)", "((w+1)//2)"]
    assert dict(done.operators) == {"Conv": 1, "Clip": 1}
    assert done.opset == OLDEST
    assert done.model.ir_version == 6


SIZES = [{"b": 2, "h": 3, "w": 5}, {"b": 1, "h": 4, "w": 2}]


@pytest.mark.parametrize(
    ("shape", "operators"),
    [
        ("b*h*w", {"Reshape"}),
        ("b, h*w", {"Reshape"}),
        ("b, 1, h, w", {"Unsqueeze"}),
        ("h*w, b", {"Reshape", "Shape", "Gather", "Mul", "Concat"}),
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
    sizes = SIZES if "//2" not in shape else [{"b": 2, "h": 3, "w": 5}]
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
    )
    assert done.operators["Mod"] == 1


def test_slices_name_only_the_axes_that_are_cut(check: Check) -> None:
    done = check(
        """
func @main(%x: f32[n,6,m]) -> (f32[n,3,m-2]) {
  %y = slice(%x) {starts = [0, 5, 1], sizes = ['n', 3, 'm-2'], steps = [1, -2, 1]} : f32[n,3,m-2]
  return(%y)
}
""",
        sizes=[{"n": 2, "m": 4}, {"n": 1, "m": 3}],
    )
    assert dict(done.operators) == {"Slice": 1}


def test_products_of_integers_are_no_gemm(check: Check) -> None:
    """The standard has it, onnxruntime has not."""
    done = check(
        """
func @main(%x: i32[n,3], %w: i32[4,3]) -> (i32[n,4], i32[n,4]) {
  %c = const() {value = dense<[[1, 2, 3], [4, 5, 6], [7, 8, 9], [1, 1, 1]]> : i32[4,3]} : i32[4,3]
  %y = linear(%x, %c) : i32[n,4]
  %z = matmul(%x, %w) {transpose_b = true} : i32[n,4]
  return(%y, %z)
}
""",
        sizes=[{"n": 2}],
    )
    assert done.operators["MatMul"] == 2


def test_slices_backwards_that_may_be_empty(check: Check) -> None:
    """Neither a begin before the axis nor an end beyond what is there wraps around to the axis' end."""
    check(
        """
func @main(%x: f32[2,n]) -> (f32[2,max(n-2,0)], f32[2,n//2], f32[2,(n+2)//3]) {
  %y = slice(%x) {starts = [0, 'max(n-2,0)-1'], sizes = [2, 'max(n-2,0)'], steps = [1, -1]} : f32[2,max(n-2,0)]
  %z = slice(%x) {starts = [0, 'n-1'], sizes = [2, 'n//2'], steps = [1, -2]} : f32[2,n//2]
  %w = slice(%x) {starts = [0, 'n-1'], sizes = [2, '(n+2)//3'], steps = [1, -3]} : f32[2,(n+2)//3]
  return(%y, %z, %w)
}
""",
        sizes=[{"n": n} for n in (1, 2, 3, 5, 6)],
    )


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
@pytest.mark.parametrize("opset", [OLDEST, 17, None])
def test_branches_read_what_is_around_them(check: Check, yes: bool, opset: int | None) -> None:
    done = check(BRANCHES, inputs={"yes": yes}, sizes=[{"n": 2}, {"n": 5}], opset=opset)
    assert done.operators["If"] == 1
    for name in ("then_branch", "else_branch"):
        inner = attribute(done.model, "If", name).g
        assert not inner.initializer, "constants stand in the main graph"
        assert len({o.name for o in inner.output}) == 2


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
    assert done.operators["Loop"] == 1
    assert done.operators["Greater"] == 2


def all_names(graph: GraphProto) -> Iterator[str]:
    yield from (i.name for i in graph.input)
    for node in graph.node:
        yield from filter(None, node.output)
        for a in node.attribute:
            yield from all_names(a.g)


def test_names_are_kept_and_unique(check: Check) -> None:
    done = check(LOOP, inputs={"n": 2}, sizes=[{"b": 1}])
    names = list(all_names(done.model.graph))
    assert len(set(names)) == len(names)
    assert [i.name for i in done.model.graph.input] == ["n", "x", "y"]


PASSED_ON = """
func @main(%x: f32[2], %y: f32[2]) -> (f32[2], f32[2], f32[2], f32[2]) {
  %c = const() {value = dense<[1.0, 2.0]> : f32[2]} : f32[2]
  %z = add(%x, %y) : f32[2]
  return(%x, %c, %z, %z)
}
"""


def test_outputs_that_are_inputs_constants_or_twice_the_same(check: Check) -> None:
    done = check(PASSED_ON)
    assert dict(done.operators) == {"Add": 1, "Identity": 3}


@pytest.mark.parametrize("opset", [OLDEST, 13, 18, newest()])
def test_axes_are_attributes_before_they_are_inputs(check: Check, opset: int) -> None:
    text = """
func @main(%x: f32[2,3,4]) -> (f32[2,4], f32[2,3], f32[2,1,4], f32[2,2,4]) {
  %a = reduce(%x) {kind = "mean", dims = [1], keepdims = false} : f32[2,4]
  %b = reduce(%x) {kind = "sum", dims = [2], keepdims = false} : f32[2,3]
  %p, %q = split(%x) {axis = 1, sizes = [1, 2]} : f32[2,1,4], f32[2,2,4]
  return(%a, %b, %p, %q)
}
"""
    done = check(text, opset=opset)
    assert done.opset == OLDEST, "no opset is higher than it must be"


def test_an_opset_that_is_too_low_is_refused_with_the_one_that_would_do(check: Check) -> None:
    with pytest.raises(CompileError) as caught:
        check(
            "func @main(%x: i32[2], %y: i32[2]) -> (i32[2]) {\n  %z = bitwise_and(%x, %y) : i32[2]\n  return(%z)\n}",
            opset=17,
        )
    (found,) = caught.value.diagnostics
    assert found.code == "B001"
    assert "ONNX of opset 17 can't run bitwise_and" in found.message
    assert "--opset 18 would do" in found.message


@pytest.mark.parametrize("opset", [OLDEST - 1, newest() + 1])
def test_an_opset_that_can_not_be_written_is_refused(opset: int) -> None:
    with pytest.raises(CompileError) as caught:
        find_target("onnx", opset)
    assert caught.value.diagnostics[0].code == "L012"


def test_a_target_without_versions_is_not_asked_for_one() -> None:
    with pytest.raises(CompileError) as caught:
        find_target("tflite", 3)
    assert caught.value.diagnostics[0].code == "L012"


WHOLE = {
    "gelu(%x) : f32[2,3]": ("Gelu", 20),
    "mish(%x) : f32[2,3]": ("Mish", 18),
    "hard_swish(%x) : f32[2,3]": ("HardSwish", 14),
    "silu(%x) : f32[2,3]": ("Swish", 24),
    "layer_norm(%x, none, none) {dims = [1]} : f32[2,3]": ("LayerNormalization", 17),
    "rms_norm(%x, none) {dims = [1]} : f32[2,3]": ("RMSNormalization", 23),
    "softmax(%x) {axis = 0} : f32[2,3]": ("Softmax", 13),
    "cum_prod(%x) {axis = 1} : f32[2,3]": ("CumProd", 26),
}


@pytest.mark.parametrize("call", WHOLE)
def test_operations_are_whole_in_the_lowest_opset_that_has_them(check: Check, call: str) -> None:
    operator, since = WHOLE[call]
    text = f"func @main(%x: f32[2,3]) -> (f32[2,3]) {{\n  %y = {call}\n  return(%y)\n}}"
    done = check(text)
    assert dict(done.operators) == {operator: 1}
    assert done.opset == since
    lower = check(text, opset=since - 1)
    assert lower.opset < since
    assert done.operators != lower.operators or operator == "Softmax"


LAST = """
func @main(%x: f32[1,5,6,3]) -> (f32[1,5,6,4]) {
  %w = const() {value = dense<[[[[1.0, 2.0, 0.5]]], [[[0.0, 1.0, 3.0]]], [[[1.0, 1.0, 2.0]]], [[[2.0, 0.0, 1.0]]]]>
       : f32[4,1,1,3]} : f32[4,1,1,3]
  %b = const() {value = dense<[1.0, 2.0, 3.0, 4.0]> : f32[4]} : f32[4]
  %y = conv(%x, %w, %b) {strides = [1, 1], dilations = [1, 1], pads = [[0, 0], [0, 0]], channels_last = true}
       : f32[1,5,6,4]
  %z = relu(%y) : f32[1,5,6,4]
  return(%z)
}
"""


def test_layouts_of_inputs_and_outputs_are_what_is_asked_for(check: Check) -> None:
    kept = check(LAST, passes=find_target("onnx").pipeline)
    assert kept.operators["Transpose"] == 2
    free = check(LAST, passes=find_target("onnx").pipeline.replace("io-layout=keep", "io-layout=free"))
    assert free.operators["Transpose"] == 0
    said = json.loads({p.key: p.value for p in free.model.metadata_props}[KEY])
    assert said["inputs"]["x"]["perm"] == [0, 3, 1, 2]
    x = np.random.default_rng(0).random((1, 5, 6, 3), np.float32)
    with OnnxFileRunner(free.path) as runner, OnnxFileRunner(kept.path) as other:
        assert runner.inputs["x"].shape == (1, 5, 6, 3)
        (name,) = runner.outputs
        got, want = (r.run({"x": x})[name] for r in (runner, other))
    np.testing.assert_allclose(got, want, rtol=1e-5)


@pytest.mark.parametrize("seed", range(30))
def test_random_graphs(check: Check, seed: int) -> None:
    check(random_module(seed), passes=find_target("onnx").pipeline, tolerance=1e-4, floor=1e-2)


CUSTOM = """
func @main(%x: f32[1,3], %k: i32[2]) -> (f32[1,4], i64[4]) {
  %y, %n = custom(%x, none, %k) {code = "com.acme.Spread", types = ["f32[1,4]", "i64[4]"],
      options = {alpha = 0.5, mode = "wide", axes = [2, 3], table = dense<[1.0, 2.0]> : f32[2]}} : f32[1,4], i64[4]
  return(%y, %n)
}
"""


def test_what_nobody_knows_stays_what_it_was(tmp_path: Path) -> None:
    from nhwcc.frontends.onnx import import_onnx

    module = parse_module(CUSTOM)
    emitted = find_target("onnx").emit(module, tmp_path / "model.onnx")
    assert emitted.custom_ops == ("com.acme.Spread",)
    again = import_onnx(emitted.path, allow_custom_ops=True)
    old, new = (next(op for op in m.walk() if op.spec.name == "custom") for m in (module, again))
    assert new.attributes["code"] == old.attributes["code"]
    assert new.attributes["types"] == old.attributes["types"]
    assert dict(new.attributes["options"]) == dict(old.attributes["options"])


def test_the_same_module_gives_the_same_bytes(tmp_path: Path) -> None:
    files: list[bytes] = []
    for name in ("a.onnx", "b.onnx"):
        module = parse_module(LOOP)
        Pipeline(parse_pipeline("legalize{target=onnx}")).run(module)
        files.append(find_target("onnx").emit(module, tmp_path / name).path.read_bytes())
    assert files[0] == files[1]


STATE = """
func @main(%state: f32[2], %x: f32[2]) -> (f32[2] {name = "state"}, f32[2] {name = "y"}) {
  %s = add(%state, %x) : f32[2]
  %y = neg(%x) : f32[2]
  return(%s, %y)
}
"""


def test_a_state_comes_out_under_the_name_of_its_input(tmp_path: Path) -> None:
    """In a file of ONNX no two tensors have one name; who runs it finds the output under its own."""
    emitted = find_target("onnx").emit(parse_module(STATE), tmp_path / "model.onnx")
    assert [o.name for o in checked_model(emitted.path).graph.output] == ["state_1", "y"]
    one, two = np.ones(2, np.float32), np.full(2, 2, np.float32)
    with OnnxFileRunner(emitted.path) as runner:
        assert runner.outputs == ("state", "y")
        assert runner.run({"state": one, "x": two})["state"].tolist() == [3, 3]

"""Several networks in one file, each called by a key."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from nhwcc.backends.tflite.graph import build
from nhwcc.compiler.diagnostics import CompileError
from nhwcc.compiler.interpreter import run as evaluate
from nhwcc.compiler.ir import Func, Module, Op, Port, Region, Value
from nhwcc.compiler.ops.activation import Relu
from nhwcc.compiler.ops.core import Const, Return
from nhwcc.compiler.ops.linear import MatMul
from nhwcc.compiler.ops.reduce import Reduce
from nhwcc.compiler.ops.window import Conv
from nhwcc.compiler.parser import parse_module, parse_type
from nhwcc.compiler.types import Array
from nhwcc.compiler.weights import Weight
from nhwcc.formats.tflite.entry import begin_with
from nhwcc.formats.tflite.reader import inspect
from nhwcc.formats.tflite.writer import write

import nhwcc
from nhwcc.cli import cli
from nhwcc.runners.tflite import TfliteRunner

LARGE = np.random.default_rng(0).normal(size=(96, 256)).astype(np.float32)
"""A weight of 98 kB."""

LOOP = """\
func @main(%count: i32[], %x: f32[2,3]) -> (i32[], f32[2,3]) {
  %one = const() {value = dense<1> : i32[]} : i32[]
  %limit = const() {value = dense<LIMIT> : i32[]} : i32[]
  %n, %y = while(%count, %x) do (%i: i32[], %v: f32[2,3]) {
    %more = less(%i, %limit) : bool[]
    return(%more)
  } do (%j: i32[], %w: f32[2,3]) {
    %next = add(%j, %one) : i32[]
    %double = add(%w, %w) : f32[2,3]
    return(%next, %double)
  } : i32[], f32[2,3]
  return(%n, %y)
}
"""


def network(argument: str, *ops: Callable[[Region, Value], Op], name: str = "x") -> Module:
    """A chain of operations on one input."""
    value = Value(parse_type(argument), name=name)
    region = Region([value])
    for make in ops:
        value = region.insert(make(region, value)).results[0]
    region.insert(Return((value,)))
    return Module(Func("main", region, [Port(name)], [Port("y")]))


def product(weight: Array) -> Module:
    """A product with a weight."""

    def times(region: Region, x: Value) -> Op:
        return MatMul(x, region.insert(Const(Weight.of(np.ascontiguousarray(weight)))).results[0])

    return network(f"f32[batch,{len(weight)}]", times)


def encoder(argument: str) -> Module:
    """A convolution over the last two axes and their mean."""
    filters = np.random.default_rng(2).normal(size=(96, 4, 3, 3)).astype(np.float32)

    def conv(region: Region, x: Value) -> Op:
        return Conv(x, region.insert(Const(Weight.of(filters))).results[0], None, (1, 1), (1, 1), ((1, 1), (1, 1)))

    return network(argument, conv, lambda _, y: Reduce(y, "mean", (2, 3), keepdims=False))


def loop(limit: int) -> Module:
    """A network that doubles until it has counted to a limit."""
    return parse_module(LOOP.replace("LIMIT", str(limit)))


def test_each_is_called_by_its_key(tmp_path: Path) -> None:
    parts = {"wide": product(LARGE), "again": product(LARGE), "back": product(LARGE.T)}
    made = nhwcc.compile_signatures(parts, tmp_path / "m.tflite")
    assert [(a.signature, a.report.signature, a.report.verdict) for a in made] == [(k, k, "ok") for k in parts]
    x = np.random.default_rng(1).normal(size=(3, 96)).astype(np.float32)
    (wide,), (again,) = made[0](x).values(), made[1](x).values()
    (back,) = made[2](wide).values()
    np.testing.assert_allclose(wide, x @ LARGE, rtol=1e-4, atol=1e-4)
    np.testing.assert_array_equal(wide, again)
    np.testing.assert_allclose(back, wide @ LARGE.T, rtol=1e-4, atol=1e-3)


def test_shared_weights_are_stored_once(tmp_path: Path) -> None:
    parts = {"wide": product(LARGE), "again": product(LARGE)}
    first, second = nhwcc.compile_signatures(parts, tmp_path / "m.tflite", verify=False)
    assert first.report.bytes == second.report.bytes < 1.1 * LARGE.nbytes


def test_those_of_a_saved_model_are_called_in_this_process(tmp_path: Path) -> None:
    """It gets TensorFlow whole: only workers go without Keras. Weights that are shared are stored once."""
    pytest.importorskip("tensorflow", reason="TensorFlow runs the folder")
    parts = {"wide": product(LARGE), "again": product(LARGE)}
    made = nhwcc.compile_signatures(parts, f"{tmp_path}/sm/", verify=False)
    x = np.random.default_rng(1).normal(size=(3, 96)).astype(np.float32)
    np.testing.assert_allclose(next(iter(made[1](x).values())), x @ LARGE, rtol=1e-4, atol=1e-3)
    assert made[0].report.bytes < 1.1 * LARGE.nbytes
    assert "TF_USE_LEGACY_KERAS" not in os.environ


def test_layouts_are_stated_of_each(tmp_path: Path) -> None:
    """The second one takes its channels last, says so, and is verified and read with these."""
    first, second = product(LARGE.T), encoder("f32[1,4,8,6]")
    made = nhwcc.compile_signatures({"back": first, "encode": second}, tmp_path / "m.tflite")
    assert [a.report.inputs[0].layout for a in made] == ["", "NHWC"]
    again = nhwcc.compile(tmp_path / "m.tflite", tmp_path / "n.onnx", signature="encode", io_layout="keep")
    x = np.random.default_rng(1).normal(size=(1, 4, 8, 6)).astype(np.float32)
    (want,) = evaluate(second.main, [x])
    np.testing.assert_allclose(again(x)["y"], want, rtol=1e-4, atol=1e-4)


def test_loops_keep_their_subgraphs(tmp_path: Path) -> None:
    """A signature that is not the first one is read, run and verified, alone and beside the other."""
    file = tmp_path / "m.tflite"
    made = nhwcc.compile_signatures({"short": loop(2), "long": loop(4)}, file)
    count, x = np.asarray(0, np.int32), np.ones((2, 3), np.float32)
    assert [float(next(v for v in a(count, x).values() if v.ndim).max()) for a in made] == [4.0, 16.0]
    nhwcc.compile(file, tmp_path / "n.onnx", signature="long")  # which compares it with the file
    begin_with(file, "long", tmp_path / "long.tflite")
    assert [s.key for s in inspect(tmp_path / "long.tflite").signatures] == ["long"]
    with TfliteRunner(file, signature="long") as runner:
        found = runner.run(dict(zip(runner.inputs, (count, x), strict=True)))
    assert max(float(v.max()) for v in found.values()) == 16.0


def test_the_first_signature_may_be_of_another_subgraph(tmp_path: Path) -> None:
    """Who wrote a file may list its signatures in another order than its subgraphs."""
    functions = {"short": loop(2).main, "long": loop(4).main}
    made = build(functions)
    made.signatures.reverse()
    write(made, tmp_path / "m.tflite")
    with TfliteRunner(tmp_path / "m.tflite") as runner:
        found = runner.run(
            dict(zip(runner.inputs, (np.asarray(0, np.int32), np.ones((2, 3), np.float32)), strict=True))
        )
    assert max(float(v.max()) for v in found.values()) == 16.0
    assert run(f"bench {tmp_path}/m.tflite --rounds 1 --seconds 0.05", tmp_path)[0] == 0


def test_a_target_with_one_network_says_so(tmp_path: Path) -> None:
    for name in ("m.onnx", "m.pb", "m.xml", "m.keras"):
        with pytest.raises(CompileError, match="hold one network") as caught:
            nhwcc.compile_signatures({"a": loop(2)}, tmp_path / name)
        assert [d.code for d in caught.value.diagnostics] == ["L007"]
    assert not list(tmp_path.iterdir())


def test_one_that_fails_leaves_the_old_file(tmp_path: Path) -> None:
    (tmp_path / "m.tflite").write_bytes(b"old")
    with pytest.raises(CompileError):
        nhwcc.compile_signatures({"a": loop(2), "b": (loop(2), {"shapes": {"none": (1,)}})}, tmp_path / "m.tflite")
    assert (tmp_path / "m.tflite").read_bytes() == b"old"
    assert [p.name for p in tmp_path.iterdir()] == ["m.tflite"]


def run(line: str, folder: Path) -> tuple[int, str]:
    """Run a command in a folder; return its exit code and what it printed."""
    done = CliRunner().invoke(cli, [word.replace("DIR", str(folder)) for word in line.split()], prog_name="nhwcc")
    return done.exit_code, done.output


def test_command_line(tmp_path: Path) -> None:
    nhwcc.compile_signatures({"wide": product(LARGE), "back": product(LARGE.T)}, tmp_path / "two.tflite", verify=False)
    code, text = run("compile DIR/two.tflite -o DIR/all.tflite --signature all --json", tmp_path)
    found = json.loads(text)
    assert code == 0, text
    assert [r["signature"] for r in (found["report"], *found["more"])] == ["wide", "back"]
    code, text = run("inspect DIR/all.tflite", tmp_path)
    assert "wide(x) -> " in text
    assert "back(x) -> " in text
    for signature in ("wide", "back"):
        code, text = run(f"verify DIR/two.tflite DIR/all.tflite --signature {signature}", tmp_path)
        assert code == 0, text
    assert run("compile DIR/two.tflite -o DIR/o.tflite --signature wide --signature none", tmp_path)[0] == 1
    assert run("compile DIR/two.tflite -o DIR/o.onnx --signature all", tmp_path)[0] == 1
    for flag in ("--certificate DIR/c.json", "--model-explorer DIR/m", "--report DIR/r.html", "-o DIR/p.tflite"):
        code, text = run(f"compile DIR/two.tflite -o DIR/o.tflite --signature all {flag}", tmp_path)
        assert code == 2, text
    assert run("verify DIR/two.tflite DIR/all.tflite --signature wide --on tflm", tmp_path)[0] == 1
    assert run("check DIR/two.tflite --target tflite --signature wide --signature back", tmp_path)[0] == 2
    assert not (tmp_path / "o.tflite").exists()


def test_shapes_go_where_the_input_is(tmp_path: Path) -> None:
    """A shape is for the signatures that have an input of the name."""
    first = network("f32[n,4]", lambda _, a: Relu(a), name="a")
    nhwcc.compile_signatures({"first": first, "wide": product(LARGE)}, tmp_path / "two.tflite", verify=False)
    code, text = run("compile DIR/two.tflite -o DIR/m.tflite --signature all --shape a=7,4", tmp_path)
    assert code == 0, text
    own, other = inspect(tmp_path / "m.tflite").subgraphs
    assert own.tensors[own.inputs[0]].shape == (7, 4)
    assert other.tensors[other.inputs[0]].shape == (-1, 96)

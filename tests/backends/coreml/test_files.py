"""Packages of Core ML: what is in the folder, what it says, and what becomes of them where there is no Core ML."""

from __future__ import annotations

import json
import platform
from importlib import util
from pathlib import Path

import numpy as np
import pytest
from mil_interpreter import MilFileRunner
from nhwcc.backends.registry import find_target, target_of_file
from nhwcc.compiler.diagnostics import CompileError
from nhwcc.compiler.parser import parse_module
from nhwcc.formats.coreml.install import is_installed

import nhwcc
from nhwcc.runners.coreml_file import CoremlFile, ports_of
from nhwcc.runners.worker import Worker
from tests.support.written import constant_text

from .conftest import Check

RNG = np.random.default_rng(0)


def net() -> str:
    return f"""func @main(%image: f32[batch,3,8,6] {{name = "in/0:x"}}) -> (f32[batch,4] {{name = "scores"}}) {{
  %w = {constant_text(4, 3, 3, 3)}
  %b = {constant_text(4)}
  %c = conv(%image, %w, %b) {{strides = [1, 1], dilations = [1, 1], pads = [[1, 1], [1, 1]]}} : f32[batch,4,8,6]
  %y = relu(%c) : f32[batch,4,8,6]
  %m = reduce(%y) {{kind = "mean", dims = [2, 3], keepdims = false}} : f32[batch,4]
  return(%m)
}}"""


needs_coremltools = pytest.mark.skipif(
    not is_installed(), reason="coremltools writes the packages: pip install 'nhwcc[coreml]'"
)


@needs_coremltools
def test_a_package_is_written_and_what_was_not_compared_is_said(tmp_path: Path) -> None:
    """By a process of its own; an earlier package is replaced as a whole."""
    path = tmp_path / "m.mlpackage"
    path.mkdir()
    (path / "Manifest.json").write_text("{}")
    (path / "earlier").write_text("")
    done = nhwcc.compile(parse_module(net()), path)
    assert {p.name for p in path.iterdir()} == {"Manifest.json", "Data"} and [*tmp_path.iterdir()] == [path]
    files, folders = ({p.stat().st_mode for p in path.rglob("*") if p.is_dir() is d} for d in (False, True))
    assert len(files) == len(folders) == 1 and path.stat().st_mode in folders
    if platform.system() != "Darwin":
        assert done.report.verification is None and "on Apple's systems only" in done.report.not_verified
        with pytest.raises(CompileError, match="R028"):
            CoremlFile(path).run({"in/0:x": np.zeros((1, 3, 8, 6), np.float32)})
    assert done.report.ops_after == {"conv": 1, "relu": 1, "reduce_mean": 1}
    with pytest.raises(CompileError, match="R015"):
        nhwcc.compile(path, tmp_path / "back.onnx")


@needs_coremltools
def test_what_lies_in_a_folder_is_not_lost(tmp_path: Path) -> None:
    (tmp_path / "m.mlpackage").mkdir()
    (tmp_path / "m.mlpackage" / "mine").write_text("")
    with pytest.raises(CompileError, match="R012"):
        nhwcc.compile(parse_module(net()), tmp_path / "m.mlpackage")
    with pytest.raises(CompileError, match="L007"):
        nhwcc.compile(parse_module(net()), tmp_path / "m.model", target="coreml")


def test_names_types_and_layouts_are_told(check: Check) -> None:
    """Numbers without axes have one, truth values and small integers are of 32 bits, and names have few letters."""
    done = check("""func @main(%a: f32[] {name = "in/0:x"}, %n: i64[], %t: bool[2], %s: i8[2]) -> (
        f32[] {name = "in/0:x"}, i64[] {name = "é"}, bool[2] {name = "1"}, bool[] {name = "any"}, i8[2]) {
      %y = neg(%a) : f32[]
      %m = abs(%n) : i64[]
      %o = logical_not(%t) : bool[2]
      %e = reduce(%t) {kind = "any", dims = [0], keepdims = false} : bool[]
      %z = add(%s, %s) : i8[2]
      return(%y, %m, %o, %e, %z)
    }""")
    said = json.loads(done.runner.said("said"))
    assert [p["name"] for p in said["outputs"]] == ["in/0:x", "é", "1", "any", "y4"]
    names = [p["tensor"] for side in said.values() for p in side]
    assert len(set(names)) == len(names) and all(name.isascii() and name.isidentifier() for name in names)
    described: str = done.runner.said("description")
    assert described.count("dataType: INT32") == 7 and described.count("dataType: FLOAT32") == 2


def test_names_that_coremltools_makes_itself(check: Check) -> None:
    """Results of an operation are numbered behind its name, and so are its constants."""
    done = check("""func @main(%x: f32[2,4]) -> (f32[2,2] {name = "t_0"}, i32[2,2], f32[2,4] {name = "y1_begin_0"}) {
      %t, %u = top_k(%x) {k = 2, axis = 1, dtype = "i32"} : f32[2,2], i32[2,2]
      %t_1 = neg(%x) : f32[2,4]
      %y1 = slice(%t_1) {starts = [0, 2], sizes = [2, 2], steps = [1, 1]} : f32[2,2]
      %s = add(%t, %y1) : f32[2,2]
      %p = mul(%t_1, %x) : f32[2,4]
      return(%s, %u, %p)
    }""")
    said = json.loads(done.runner.said("said"))
    assert [p["tensor"] for p in said["outputs"]] == ["t_0", "y1", "y1_begin_0"]


def test_open_sizes(check: Check) -> None:
    """Shapes of two open sizes are computed, and what an input may be begins where its sizes do."""
    done = check(
        """func @main(%x: f32[b,l,6], %k: f32[2*b,3]) -> (
        f32[b,l,2,3], f32[3*b,l,2], f32[b,3,l], i64[2], i32[l], f32[l+2]) {
      %r = reshape(%x) {shape = ['b', 'l', 2, 3]} : f32[b,l,2,3]
      %t = transpose(%r) {perm = [0, 3, 1, 2]} : f32[b,3,l,2]
      %m = reshape(%t) {shape = ['3*b', 'l', 2]} : f32[3*b,l,2]
      %v = const() {value = dense<[[1.0], [2.0], [3.0]]> : f32[3,1]} : f32[3,1]
      %w = broadcast_to(%v) {shape = ['b', 3, 'l']} : f32[b,3,l]
      %s = shape_of(%x) {dims = [1, 0]} : i64[2]
      %o = const() {value = dense<5> : i32[]} : i32[]
      %q = const() {value = dense<-2> : i32[]} : i32[]
      %n = range(%o, %q) {size = 'l'} : i32[l]
      %z = const() {value = dense<1.5> : f32[1]} : f32[1]
      %e = broadcast_to(%z) {shape = ['l+2']} : f32[l+2]
      return(%r, %m, %w, %s, %n, %e)
    }""",
        sizes=({"b": 2, "l": 5}, {"b": 3, "l": 1}),
    )
    assert "lowerBound: 2" in done.runner.said("description")


def test_shared_weights_are_stored_once(check: Check) -> None:
    done = check(f"""func @main(%x: f32[2,64]) -> (f32[2,64]) {{
      %w = {constant_text(64, 64)}
      %y = linear(%x, %w) : f32[2,64]
      %z = linear(%y, %w) : f32[2,64]
      return(%z)
    }}""")
    size = sum(p.stat().st_size for p in done.path.rglob("*") if p.is_file())
    assert 64 * 64 * 4 < size < 1.5 * 64 * 64 * 4


def test_halves(check: Check, coreml_process: Worker, tmp_path: Path) -> None:
    """Weights take half the room, and inputs and outputs stay as they are."""
    text = f"""func @main(%x: f32[2,64]) -> (f32[2,64]) {{
      %w = {constant_text(64, 64)}
      %y = linear(%x, %w) : f32[2,64]
      return(%y)
    }}"""
    whole, x = check(text), RNG.standard_normal((2, 64)).astype(np.float32)
    wanted = whole.runner.run({"x": x})["y0"]
    emitted = find_target("coreml").storing("FP16").emit(whole.module, tmp_path / "h.mlpackage")  # pyright: ignore[reportOptionalCall]
    assert emitted.bytes < 0.7 * sum(p.stat().st_size for p in whole.path.rglob("*") if p.is_file())
    found = MilFileRunner(emitted.path, coreml_process).run({"x": x})["y0"]
    assert found.dtype == np.float32 and 0 < np.abs(found - wanted).max() < 1e-2 * np.abs(wanted).max()


@pytest.mark.parametrize("reverse", ["true", "false"])
def test_recurrent_layers(check: Check, reverse: str) -> None:
    """Either way, the batch first, over an open number of steps."""
    done = check(
        f"""func @main(%x: f32[2,t,3]) -> (f32[2,t,2], f32[2,2], f32[2,2], f32[2,t,2]) {{
      %w = {constant_text(8, 3)}
      %r = {constant_text(8, 2)}
      %b = {constant_text(8)}
      %y, %h, %c = lstm(%x, %w, %r, %b) {{batch_first = true, reverse = {reverse}}} : f32[2,t,2], f32[2,2], f32[2,2]
      %v = {constant_text(6, 3)}
      %s = {constant_text(6, 2)}
      %d = {constant_text(6)}
      %z, %g = gru(%x, %v, %s, %d) {{batch_first = true, reset_after = true,
        reverse = {reverse}}} : f32[2,t,2], f32[2,2]
      return(%y, %h, %c, %z)
    }}""",
        sizes=({"t": 4}, {"t": 1}),
    )
    assert done.calls["lstm"] == done.calls["gru"] == 1


@pytest.mark.parametrize(("big", "count"), [(True, 3), (False, 2), (True, 0)])
def test_loops_and_branches(check: Check, big: bool, count: int) -> None:
    """What is around them is visible in them; what they return is computed there, constants and the outside, too."""
    text = """func @main(%x: f32[2,3], %n: i32[], %big: bool[1], %b: f32[k,3]) -> (
        f32[2,3], i32[], f32[2,3], f32[k,3]) {
      %one = const() {value = dense<1> : i32[]} : i32[]
      %zero = const() {value = dense<0> : i32[]} : i32[]
      %y, %m, %z = while(%x, %zero, %x) do (%v: f32[2,3], %i: i32[], %w: f32[2,3]) {
        %more = less(%i, %n) : bool[]
        return(%more)
      } do (%a: f32[2,3], %j: i32[], %c: f32[2,3]) {
        %next = add(%j, %one) : i32[]
        %s = if(%big) do () {
          %d = mul(%a, %x) : f32[2,3]
          return(%d)
        } do () {
          return(%x)
        } : f32[2,3]
        return(%s, %next, %c)
      } : f32[2,3], i32[], f32[2,3]
      %e = if(%big) do () {
        %sizes = shape_of(%b) {dims = [0], dtype = "i32"} : i32[1]
        %rows = reshape(%sizes) {shape = []} : i32[]
        %f = cast(%rows) {to = "f32"} : f32[]
        %g = mul(%b, %f) : f32[k,3]
        return(%g)
      } do () {
        return(%b)
      } : f32[k,3]
      return(%y, %m, %z, %e)
    }"""
    done = check(text, sizes=({"k": 2},), inputs={"big": np.asarray([big]), "n": np.asarray(count, np.int32)})
    assert done.calls["while_loop"] == 1 and done.calls["cond"] == 2


def test_loops_carry_known_sizes(check: Check) -> None:
    """Also where coremltools itself does not know them: of every other position from a computed one on."""
    done = check(
        """func @main(%x: f32[6], %n: i32[]) -> (f32[2], i32[]) {
      %one = const() {value = dense<1> : i32[]} : i32[]
      %zero = const() {value = dense<0> : i32[]} : i32[]
      %two = const() {value = dense<[0.0, 0.0]> : f32[2]} : f32[2]
      %y, %m = while(%two, %zero) do (%v: f32[2], %i: i32[]) {
        %more = less(%i, %n) : bool[]
        return(%more)
      } do (%a: f32[2], %j: i32[]) {
        %p = reshape(%j) {shape = [1]} : i32[1]
        bind_sizes(%p) {sizes = ['u0'], least = [0], most = [2]}
        %s = slice(%x) {starts = ['u0'], sizes = [2], steps = [2]} : f32[2]
        %next = add(%j, %one) : i32[]
        return(%s, %next)
      } : f32[2], i32[]
      %q = reshape(%n) {shape = [1]} : i32[1]
      bind_sizes(%q) {sizes = ['u1'], least = [0], most = [3]}
      %t = slice(%x) {starts = ['u1'], sizes = [2], steps = [1]} : f32[2]
      %sum = add(%y, %t) : f32[2]
      return(%sum, %m)
    }""",
        inputs={"n": np.asarray(2, np.int32)},
    )
    assert done.calls["slice_by_index"] and done.calls["slice_by_size"]


def test_layers_that_mil_lacks_are_loops(check: Check) -> None:
    done = check(f"""func @main(%x: f32[30,2,3]) -> (f32[30,2,2], f32[2,2]) {{
      %w = {constant_text(2, 3)}
      %r = {constant_text(2, 2)}
      %y, %h = rnn(%x, %w, %r, none) : f32[30,2,2], f32[2,2]
      return(%y, %h)
    }}""")
    assert done.calls["while_loop"]


@pytest.mark.parametrize(
    ("given", "type", "operation", "code"),
    [
        ("%x: f32[1,1,1,1,1,2]", "f32[1,1,1,1,1,2]", "neg(%x)", "B001"),
        ("%x: f32[0,2]", "f32[0,2]", "neg(%x)", "B003"),
        ("%x: c64[2]", "c64[2]", "neg(%x)", "B00"),
        ("%x: i32[2]", "f32[2]", 'bit_cast(%x) {to = "f32"}', "B001"),
    ],
)
def test_what_core_ml_has_not_is_refused_by_name(
    check: Check, given: str, type: str, operation: str, code: str
) -> None:
    with pytest.raises(CompileError, match=code):
        check(f"func @main({given}) -> ({type}) {{\n  %y = {operation} : {type}\n  return(%y)\n}}")


def test_integers_beyond_32_bits(check: Check) -> None:
    with pytest.raises(CompileError, match="B003"):
        check("""func @main(%x: i64[1]) -> (i64[1]) {
      %k = const() {value = dense<[5000000000]> : i64[1]} : i64[1]
      %y = add(%x, %k) : i64[1]
      return(%y)
    }""")


@pytest.mark.parametrize("said", ["[]", '{"inputs": [{}], "outputs": []}', "[" * 10000, "\\xff", ""])
def test_damaged_words_about_layouts_are_refused(said: str) -> None:
    with pytest.raises(CompileError, match="R010"):
        ports_of(said, Path("m.mlpackage"))


def test_without_coremltools(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def find_spec(name: str) -> object:
        return None if name == "coremltools" else util.find_spec(name)

    monkeypatch.setattr("nhwcc.formats.coreml.install.find_spec", find_spec)
    with pytest.raises(CompileError, match="R017") as caught:
        nhwcc.compile(parse_module(net()), tmp_path / "m.mlpackage", verify=False)
    assert caught.value.diagnostics[0].help == "pip install 'nhwcc[coreml]'"


def test_targets_by_name() -> None:
    assert [target_of_file(f"m{s}") for s in (".mlpackage", ".mlpackage/", "/model.mlpackage/")] == ["coreml"] * 3
    assert find_target("coreml").artifact == "folder"

"""Files of Keras: what stock Keras makes of them, in either format."""

# Keras has no types
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false

from __future__ import annotations

import errno
import json
import os
import tempfile
import zipfile
from importlib import util
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from nhwcc.backends.registry import find_target, target_of_file
from nhwcc.compiler.diagnostics import CompileError
from nhwcc.compiler.parser import parse_module
from nhwcc.compiler.pipeline import Pipeline, parse_pipeline
from nhwcc.formats.keras.interface import ENTRY

import nhwcc
from nhwcc.runners.keras_file import KerasFile, ports_of

from .conftest import Check


def filled(value: float, *shape: int) -> str:
    """Return the text of a constant."""
    dims = ",".join(map(str, shape))
    return f"const() {{value = dense<{json.dumps(np.full(shape, value).tolist())}> : f32[{dims}]}} : f32[{dims}]"


NET = f"""func @main(%image: f32[batch,3,8,6]) -> (f32[batch,4] {{name = "scores"}}) {{
  %w = {filled(0.5, 4, 3, 3, 3)}
  %b = {filled(2, 4)}
  %c = conv(%image, %w, %b) {{strides = [1, 1], dilations = [1, 1], pads = [[1, 1], [1, 1]]}} : f32[batch,4,8,6]
  %y = relu(%c) : f32[batch,4,8,6]
  %m = reduce(%y) {{kind = "mean", dims = [2, 3], keepdims = false}} : f32[batch,4]
  %v = {filled(0.25, 4, 4)}
  %s = linear(%m, %v) : f32[batch,4]
  return(%s)
}}"""


@pytest.fixture
def keras(keras_process: object) -> Any:
    import keras

    return keras


@pytest.mark.parametrize("suffix", [".keras", ".h5"])
def test_stock_keras_loads_and_trains(keras: Any, tmp_path: Path, suffix: str) -> None:
    done = nhwcc.compile(parse_module(NET), tmp_path / f"m{suffix}")
    assert done.report.verification is not None and done.report.verification.ok
    model = keras.saving.load_model(done.path, compile=False)
    assert model.input_shape == (None, 8, 6, 3) and model.output_shape == (None, 4)
    assert [tensor.name for tensor in model.inputs] == ["image"] and model.output_names == ["scores"]
    assert {type(layer).__name__ for layer in model.layers} >= {"Conv2D", "GlobalAveragePooling2D", "Dense"}
    before = [np.array(w) for w in model.get_weights()]
    model.compile(optimizer="sgd", loss="mse")
    model.fit(np.ones((2, 8, 6, 3), np.float32), np.zeros((2, 4), np.float32), verbose=0)
    after = model.get_weights()
    assert all(not np.array_equal(a, b) for a, b in zip(before, after, strict=True))


def test_the_file_runs_in_this_process_as_it_lies(keras: Any, tmp_path: Path) -> None:
    del keras
    done = nhwcc.compile(parse_module(NET), tmp_path / "m.keras", verify=False)
    image = np.random.default_rng(0).normal(size=(2, 8, 6, 3)).astype(np.float32)
    assert done(image)["scores"].shape == (2, 4)
    with pytest.raises(CompileError, match="R002"):
        KerasFile(done.path).run({})


@pytest.mark.parametrize("suffix", [".keras", ".h5"])
def test_a_written_file_is_compared_with_the_source(keras: Any, tmp_path: Path, suffix: str) -> None:
    """Layouts and sizes are those that the file states."""
    del keras
    (tmp_path / "m.ir").write_text(NET)
    done = nhwcc.compile(tmp_path / "m.ir", tmp_path / f"m{suffix}", verify=False, shapes={"batch": 2})
    found = nhwcc.verify(tmp_path / "m.ir", done.path)
    assert found.ok and found.numbers.proven and set(found.numbers.sizes["batch"]) == {2}


@pytest.mark.parametrize("said", [b"", b"[]", b'{"inputs": [{}], "outputs": []}', b"[" * 10000, b"\xff"])
def test_damaged_words_about_layouts_are_refused(tmp_path: Path, said: bytes) -> None:
    with zipfile.ZipFile(tmp_path / "m.keras", "w") as archive:
        archive.writestr(ENTRY, said)
    with pytest.raises(CompileError, match="R010"):
        ports_of(tmp_path / "m.keras")


def test_a_file_of_somebody_else(keras: Any, tmp_path: Path) -> None:
    path = tmp_path / "own.keras"
    keras.Sequential([keras.Input((3,)), keras.layers.Dense(2)]).save(path)
    with pytest.raises(CompileError, match="R010"):
        ports_of(path)


def test_names_and_layouts_are_told(check: Check) -> None:
    done = check("""func @main(%a: f32[2,3] {name = "in/0:x"}) -> (f32[2,3] {name = "in/0:x"}, f32[3,2] {name = "é"}) {
      %y = relu(%a) : f32[2,3]
      %z = transpose(%a) {perm = [1, 0]} : f32[3,2]
      return(%y, %z)
    }""")
    ports = ports_of(done.path)
    assert [p.name for p in ports.inputs] == ["in/0:x"] and [p.name for p in ports.outputs] == ["in/0:x", "é"]
    with zipfile.ZipFile(done.path) as archive:
        layers = json.loads(archive.read("config.json"))["config"]["layers"]
    names = [layer["name"] for layer in layers]
    assert len(names) == len(set(names)) and all("/" not in name for name in names)


def test_without_an_output(tmp_path: Path) -> None:
    with pytest.raises(CompileError, match="needs an output"):
        nhwcc.compile(b"func @main(%x: f32[2]) -> () {\n  return()\n}", tmp_path / "m.keras", verify=False)


@pytest.mark.parametrize(
    ("a", "b"),
    [
        ("3,4,4", "1,4,1"),
        ("1,4,1", "3,4,4"),
        ("4,4", "4,1"),
        ("2,3", "1,1,3"),
        ("2,4,5", "4,1"),
        ("2,4,5", "5"),
        ("4,1", "1,4"),
        ("2,3,4,4", "2,1,4,4"),
        ("b,l,4", "1,l,1"),
        ("b,l,l", "b,1,1"),
    ],
)
def test_no_operand_is_taken_for_a_bias(check: Check, a: str, b: str) -> None:
    """Keras adds a vector along the last axis, or axis 1, if the length fits; also of sizes that are equal at last."""
    shape = np.broadcast_shapes(*([{"b": 2, "l": 4}.get(d) or int(d) for d in s.split(",")] for s in (a, b)))
    result = a if "b" in a else ",".join(map(str, shape))
    text = f"""func @main(%a: f32[{a}], %b: f32[{b}]) -> (f32[{result}]) {{
      %y = add(%a, %b) : f32[{result}]
      return(%y)
    }}"""
    check(text, sizes=({"b": 4, "l": 4}, {"b": 2, "l": 4}, {"b": 1, "l": 4}))


def test_open_sizes_without_computed_shapes(check: Check) -> None:
    """Functions of Keras take no sizes that are computed; also those of which two are open."""
    check(
        """func @main(%x: f32[b,l,6]) -> (f32[b,l,2,3], f32[3*b,l,2], f32[b,3,l], i64[2], i32[l], f32[l+2]) {
      %r = reshape(%x) {shape = ['b', 'l', 2, 3]} : f32[b,l,2,3]
      %t = transpose(%r) {perm = [0, 3, 1, 2]} : f32[b,3,l,2]
      %m = reshape(%t) {shape = ['3*b', 'l', 2]} : f32[3*b,l,2]
      %k = const() {value = dense<[[1.0], [2.0], [3.0]]> : f32[3,1]} : f32[3,1]
      %w = broadcast_to(%k) {shape = ['b', 3, 'l']} : f32[b,3,l]
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


def test_states_that_are_zeros_need_no_size(check: Check) -> None:
    done = check(
        f"""func @main(%x: f32[t,b,3]) -> (f32[t,b,2], f32[b,2], f32[b,2]) {{
      %w = {filled(0.5, 8, 3)}
      %r = {filled(0.25, 8, 2)}
      %z = {filled(0, 1, 1)}
      %s = broadcast_to(%z) {{shape = ['b', 2]}} : f32[b,2]
      %y, %h, %c = lstm(%x, %w, %r, none, none, %s, %s, none, none) {{reverse = true}} : f32[t,b,2], f32[b,2], f32[b,2]
      return(%y, %h, %c)
    }}""",
        sizes=({"t": 4, "b": 2},),
    )
    assert done.calls["LSTM"] == 1 and "Embedding" not in done.calls


def test_shared_weights_are_stored_once(check: Check) -> None:
    done = check(f"""func @main(%x: f32[2,64]) -> (f32[2,64]) {{
      %w = {filled(0.125, 64, 64)}
      %y = linear(%x, %w) : f32[2,64]
      %z = linear(%y, %w) : f32[2,64]
      return(%z)
    }}""")
    assert done.path.stat().st_size < 2 * 64 * 64 * 4


def test_hdf5_holds_layers_only(check: Check) -> None:
    with pytest.raises(CompileError, match=r"but keras\.ops\.sin, which \.keras files hold") as caught:
        check("func @main(%x: f32[2]) -> (f32[2]) {\n  %y = sin(%x) : f32[2]\n  return(%y)\n}", target="h5")
    assert [d.code for d in caught.value.diagnostics] == ["B001"]


@pytest.mark.parametrize(
    ("given", "type", "operation"),
    [
        ("%x: i32[2,3]", "i32[2,3]", "shrink(%x) {threshold = 1.5, bias = 0.5}"),
        ("%x: bool[3], %z: bool[3]", "bool[3]", "logical_xor(%x, %z)"),
        ("%c: bool[3], %x: i8[3], %z: i8[3]", "i8[3]", "select(%c, %x, %z)"),
        ("%x: f32[2,3]", "bool[2]", 'reduce(%x) {kind = "any", dims = [1], keepdims = false}'),
        ("%x: i64[3], %v: bool[2]", "bool[3,5]", "one_hot(%x, %v) {depth = 5, axis = 1}"),
    ],
)
def test_what_conversions_do_not_help_is_refused_by_name(given: str, type: str, operation: str) -> None:
    text = f"func @main({given}) -> ({type}) {{\n  %y = {operation} : {type}\n  return(%y)\n}}"
    with pytest.raises(CompileError) as caught:
        Pipeline(parse_pipeline("legalize{target=h5}")).run(parse_module(text))
    assert [d.code for d in caught.value.diagnostics][:1] == ["B001"]


def test_without_an_input(check: Check) -> None:
    with pytest.raises(CompileError, match="B001"):
        check("func @main() -> (f32[]) {\n  %k = const() {value = dense<1.0> : f32[]} : f32[]\n  return(%k)\n}")


RELU = "func @main(%x: f32[2,4]) -> (f32[2,4]) {\n%y = relu(%x) : f32[2,4]\nreturn(%y)\n}"


def test_a_full_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> None:
    """Keras writes into a temporary folder first, which it leaves where it can't."""
    pytest.importorskip("keras")
    places: list[Path] = []

    def full(*_: object, **__: object) -> None:
        places.append(Path(tempfile.mkdtemp()))
        os.write(2, b"chatter")
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("keras.Model.save", full)
    with pytest.raises(CompileError, match="can't write"):
        nhwcc.compile(RELU.encode(), tmp_path / "x.keras", verify=False)
    assert places and not places[0].exists() and not list(tmp_path.iterdir())
    assert "chatter" not in capfd.readouterr().err


def test_without_keras(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def find_spec(name: str) -> object:
        return None if name == "keras" else util.find_spec(name)

    monkeypatch.setattr("nhwcc.formats.keras.build.find_spec", find_spec)
    with pytest.raises(CompileError, match="R017") as caught:
        nhwcc.compile(parse_module(NET), tmp_path / "m.keras", verify=False)
    assert caught.value.diagnostics[0].help == "pip install 'nhwcc[tensorflow]'"


def test_targets_by_name() -> None:
    assert [target_of_file(f"m{s}") for s in (".keras", ".h5", ".hdf5")] == ["keras", "h5", "h5"]
    assert find_target("h5").suffix == ".h5"

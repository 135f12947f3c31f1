"""nhwcc reduce: what is left is small, shows the same fault, and tells nothing else."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest
from models import SMALL, write
from nhwcc.compiler.interpreter import random_inputs, run
from nhwcc.compiler.ir import Func, Module, Port, Region
from nhwcc.compiler.ops.core import Const, Return
from nhwcc.compiler.parser import parse_module, read_module
from nhwcc.compiler.pipeline import PASSES
from nhwcc.compiler.printer import print_module
from nhwcc.compiler.weights import Weight

from benchmarks.reduction import network
from nhwcc.reduction.anonymous import renamed, seeded, weights_of
from nhwcc.reduction.parts import bypassed, part_of, steps, with_outputs
from nhwcc.reduction.search import smallest, windows

from .conftest import Call, as_json

DIAMOND = """func @main(%x: f32[3], %y: f32[3]) -> (f32[3], f32[3]) {
  %k = const() {value = dense<[1.0, 2.0, 3.0]> : f32[3]} : f32[3]
  %a = tanh(%x) : f32[3]
  %b = mul(%a, %k) : f32[3]
  %c = sin(%a) : f32[3]
  %d = add(%b, %c) : f32[3]
  %e = sub(%d, %y) : f32[3]
  return(%e, %c)
}"""
SECRET = "layers"
"""What the names of the networks begin with."""


def read_ints_and_floats() -> Module:
    """A network with 100 integers, 100 floats, and a few."""
    rng = np.random.default_rng(0)
    body = Region([])
    arrays = [rng.integers(-3, 3, 100, np.int8), 5 * rng.normal(size=100).astype(np.float32), np.zeros(4, np.float32)]
    values = [body.insert(Const(Weight.of(array))).result for array in arrays]
    body.insert(Return(tuple(values)))
    return Module(Func("main", body, [], [Port(f"y{number}") for number in range(3)]))


def kinds(module: Module) -> list[str]:
    return [op.spec.name for op in steps(module.main)]


class TestParts:
    def test_what_is_read_is_an_input_and_what_others_read_an_output(self) -> None:
        module = parse_module(DIAMOND)
        part = part_of(module, {1, 3})
        assert kinds(part) == ["mul", "add"] and [v.name for v in part.main.args] == ["a", "c"]
        assert [v.name for v in part.main.returns] == ["d"]
        a, c = random_inputs(part.main)
        np.testing.assert_allclose(run(part.main, [a, c])[0], a * np.asarray([1, 2, 3], np.float32) + c)
        assert kinds(module) == ["tanh", "mul", "sin", "add", "sub"], "the whole stays as it was"

    def test_inputs_have_names_of_their_own(self) -> None:
        part = part_of(parse_module(DIAMOND), {0, 4})
        names = [port.name for port in part.main.inputs]
        assert kinds(part) == ["tanh", "sub"] and len(set(names)) == 3 and {"x", "y"} < set(names)

    def test_operands_take_the_place_of_results(self) -> None:
        module = parse_module(DIAMOND)
        short = bypassed(module, 1, 0)
        assert short is not None and kinds(short) == ["tanh", "sin", "add", "sub"]
        assert (
            bypassed(
                parse_module(
                    "func @f(%x: f32[2]) -> (f32[2,1]) { %y = reshape(%x) {shape = [2, 1]} : f32[2,1] return(%y) }"
                ),
                0,
                0,
            )
            is None
        )

    def test_outputs_and_what_only_they_need(self) -> None:
        part = with_outputs(parse_module(DIAMOND), {1})
        assert kinds(part) == ["tanh", "sin"] and [p.name for p in part.main.inputs] == ["x"]

    def test_regions_read_what_becomes_an_input(self) -> None:
        text = """func @main(%c: bool[], %x: f32[2]) -> (f32[2]) {
          %n = neg(%x) : f32[2]
          %y = if(%c) do () { %s = sin(%n) : f32[2] return(%s) } do () { return(%x) } : f32[2]
          return(%y)
        }"""
        part = part_of(parse_module(text), {1})
        assert kinds(part) == ["if"] and {v.name for v in part.main.args} == {"c", "n", "x"}
        assert kinds(part_of(parse_module(text), {0})) == ["neg"]


class TestSecrets:
    def test_weights_become_others_of_the_same_size(self) -> None:
        module = read_ints_and_floats()
        assert weights_of(module) == [0, 1]
        other = seeded(module, weights_of(module))
        old, new = ([op.value.array() for op in m.main.ops if isinstance(op, Const)] for m in (module, other))
        assert [a.dtype for a in old] == [a.dtype for a in new] and not (old[0] == new[0]).all()
        assert new[0].min() >= -3 and new[0].max() <= 3 and abs(float(new[1].std()) / 5 - 1) < 0.3
        assert (old[2] == new[2]).all(), "a parameter"

    def test_no_name_is_left(self) -> None:
        named = print_module(renamed(parse_module(DIAMOND)), locations=True)
        assert not re.search(r"%[a-eky]\b", named) and "%x0" in named and "%w0" in named


class TestSearch:
    @pytest.mark.parametrize("needed", [{0}, {99}, {3, 50}, {1, 2, 3}, set(range(0, 100, 9))])
    def test_all_that_is_needed_is_left(self, needed: set[int]) -> None:
        tried: list[int] = []

        def holds(rest: object) -> bool:
            assert isinstance(rest, list)
            tried.append(len(rest))  # pyright: ignore[reportUnknownArgumentType]
            return needed <= set(rest)  # pyright: ignore[reportUnknownArgumentType]

        assert smallest(range(100), holds) == sorted(needed)
        assert len(tried) < 60 * len(needed)

    def test_windows_stay_inside(self) -> None:
        for place in (0, 5, 99):
            found = list(windows(100, [place]))
            assert found and all(place in w and w.start >= 0 and w.stop <= 100 for w in found)
        assert not list(windows(100, [])) and not list(windows(2, [0]))


RAISES = """
from nhwcc.compiler.ops.core import Const
from nhwcc.compiler.pipeline import Pass, register

@register("test-planted")
class Planted(Pass):
    '''A fault.'''
    def run(self, module):
        weights = [op.value.array() for op in module.main.ops if isinstance(op, Const)]
        assert not any((array > 50).any() for array in weights), "too large 61.5"
"""


class TestReduce:
    def rules(self, folder: Path) -> Path:
        return write(folder / "wrong.rules", "rule wrong: mul(%x, sigmoid(%y)) => mul(%x, %y)")

    @pytest.fixture
    def model(self, tmp_path: Path) -> Path:
        (tmp_path / "model.onnx").write_bytes(network(60, 0).SerializeToString())
        return tmp_path / "model.onnx"

    def test_wrong_numbers(self, call: Call, model: Path, tmp_path: Path) -> None:
        out = tmp_path / "small.ir"
        report = as_json(call("reduce", model, "-o", out, "--rules", self.rules(tmp_path), "--json"))["report"]
        module = read_module(out)
        assert kinds(module) == ["sigmoid", "mul"] and report["kind"] == "R020" and not report["has_own_weights"]
        assert report["before"] >= 60 and report["after"] == 2 and SECRET not in out.read_text()
        again = call("compile", out, "-o", tmp_path / "o.tflite", "--rules", self.rules(tmp_path))
        assert again.exit_code == 3

    def test_a_defect_that_needs_a_weight(self, call: Call, tmp_path: Path) -> None:
        proto = network(40, 1)
        weight = proto.graph.initializer[4]
        weight.raw_data = np.full(len(weight.raw_data) // 4, 61.5, np.float32).tobytes()
        (tmp_path / "model.onnx").write_bytes(proto.SerializeToString())
        load, out = write(tmp_path / "planted.py", RAISES), tmp_path / "small.ir"
        try:
            done = call("reduce", tmp_path / "model.onnx", "-o", out, "--load", load, "--passes", "test-planted")
        finally:
            PASSES.pop("test-planted", None)
        assert done.exit_code == 0 and "L010" in done.stdout and "some weights are the model's own" in done.stdout
        assert len(kinds(read_module(out))) == 1 and SECRET not in out.read_text()

    def test_a_command(self, call: Call, model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.chdir(tmp_path)
        done = call("reduce", model, "--while", "grep -q softmax {} && grep -q concat {}")
        assert done.exit_code == 0 and "exit code 0" in done.stdout
        assert sorted(kinds(read_module(tmp_path / "model-reduced.ir"))) == ["concat", "softmax"]

    def test_a_command_about_onnx(self, call: Call, model: Path, tmp_path: Path) -> None:
        out = tmp_path / "small.onnx"
        assert call("reduce", model, "-o", out, "-q", "--while", "grep -q Softmax").exit_code == 0
        assert SECRET.encode() not in out.read_bytes() and b"Softmax" in out.read_bytes()
        assert call("compile", out, "-o", tmp_path / "o.tflite").exit_code == 0

    def test_no_fault(self, call: Call, small: Path, tmp_path: Path) -> None:
        done = call("reduce", small, "-o", tmp_path / "out.ir")
        assert done.exit_code == 1 and "error[R026]" in done.stderr and not (tmp_path / "out.ir").exists()

    @pytest.mark.parametrize(("output", "code"), [("m.ir", "R016"), ("o.tflite", "L007"), ("none/o.ir", "R012")])
    def test_wrong_outputs(self, output: str, code: str, call: Call, tmp_path: Path) -> None:
        done = call("reduce", write(tmp_path / "m.ir", SMALL), "-o", tmp_path / output)
        assert done.exit_code == 1 and f"error[{code}" in done.stderr

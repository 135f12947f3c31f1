"""Instruments around passes: printing, dumping, verifying, checking numbers."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from models import CONV
from nhwcc.compiler.diagnostics import CompileError
from nhwcc.compiler.ir import Module
from nhwcc.compiler.ops.arith import Neg
from nhwcc.compiler.parser import read_module
from nhwcc.compiler.pipeline import PASSES, Pass, register
from nhwcc.compiler.printer import print_module
from nhwcc.compiler.rewrite import rewrite
from nhwcc.compiler.rules import parse_rules
from nhwcc.compiler.types import parse_type
from nhwcc.passes.propagate_layout import PropagateLayout

from nhwcc.check_each import CheckEach
from nhwcc.dumps import DumpGraph, DumpIr
from nhwcc.instruments import Instrument, PrintIr, Stage, VerifyEach, Watch, run_passes
from nhwcc.runners.reference import ReferenceRunner
from nhwcc.sources import load
from nhwcc.verification import Settings, VerificationError

TEXT = """func @main(%x: f32[2,3]) -> (f32[2,3] {name = "out"}) {
  %a = exp(%x) : f32[2,3] loc("first")
  %b = relu(%a) : f32[2,3] loc("second")
  %y = abs(%b) : f32[2,3] loc("third")
  return(%y)
}
"""


@pytest.fixture(autouse=True)
def passes() -> Iterator[None]:
    """Two passes for these tests: a right one, and one with a wrong rule."""

    @register("test-right")
    class Right(Pass):  # pyright: ignore[reportUnusedClass]
        """Drop the absolute value of what is positive."""

        def run(self, module: Module) -> None:
            """Rewrite."""
            rewrite(module, parse_rules("rule drop-abs: abs(relu(%x)) => relu(%x)"))

    @register("test-wrong")
    class Wrong(Pass):  # pyright: ignore[reportUnusedClass]
        """Take every relu for a tangent."""

        def run(self, module: Module) -> None:
            """Rewrite."""
            rewrite(module, parse_rules("rule relu-is-tanh: relu(%x) => tanh(%x)"))

    yield
    del PASSES["test-right"], PASSES["test-wrong"]


def run(*names: str, instruments: list[Instrument]) -> tuple[Module, list[Stage]]:
    module = load(TEXT.encode())
    return module, run_passes(module, [PASSES[name]() for name in names], instruments)


class TestRunning:
    def test_stages_know_what_their_pass_did(self) -> None:
        _, (first, second) = run("test-right", "test-right", instruments=[])
        assert (first.number, first.name, first.fired()) == (1, "test-right", {"drop-abs": 1})
        assert second.fired() == {} and first.seconds > 0

    def test_instruments_are_not_timed(self) -> None:
        class Slow(Instrument):
            def before(self, stage: Stage) -> None:
                np.linalg.svd(np.ones((300, 300)))

        _, (stage,) = run("test-right", instruments=[Slow()])
        assert stage.seconds < 0.05

    def test_watching(self) -> None:
        told: list[str] = []
        run("test-right", "test-wrong", instruments=[Watch(told.append)])
        assert told == ["pass 1: test-right", "pass 2: test-wrong"]


class TestPrinting:
    def test_before_and_after(self) -> None:
        written: list[str] = []
        run("test-right", instruments=[PrintIr(written.append, before=["test-right"], after=["test-right"])])
        before, after = written
        assert before.startswith("// IR before pass 1, test-right\nfunc @main") and "abs(" in before
        assert after.startswith("// IR after pass 1, test-right\nfunc @main") and "abs(" not in after
        assert 'loc("second" with' in after

    def test_every_pass(self) -> None:
        written: list[str] = []
        run("test-right", "test-wrong", instruments=[PrintIr(written.append, every=True)])
        assert len(written) == 2

    @pytest.mark.parametrize(
        ("name", "message", "help"),
        [
            ("test-rigth", "does not exist", "did you mean 'test-right'?"),
            ("propagate-layout", "is not in the pipeline", "it has test-right"),
        ],
    )
    def test_passes_that_will_not_run(self, name: str, message: str, help: str) -> None:
        with pytest.raises(CompileError, match=message) as caught:
            run("test-right", instruments=[PrintIr(print, after=[name])])
        assert caught.value.diagnostics[0].code == "L002" and caught.value.diagnostics[0].help == help


class TestVerifying:
    def test_the_pass_that_breaks_the_ir_is_named(self) -> None:
        class Breaking(Pass):
            name = "test-breaking"

            def run(self, module: Module) -> None:
                next(op for op in module.walk() if op.results).results[0].type = parse_type("f16[2,3]")

        with pytest.raises(CompileError) as caught:
            run_passes(load(TEXT.encode()), [PASSES["test-right"](), Breaking()], [VerifyEach()])
        first = caught.value.diagnostics[0]
        assert first.code == "V005" and "not well-formed after pass 2, test-breaking" in first.notes[-1]

    def test_what_is_imported_is_verified_too(self) -> None:
        module = load(TEXT.encode())
        module.main.inputs.clear()
        with pytest.raises(CompileError, match="after the import"):
            run_passes(module, [], [VerifyEach()])


class TestChecking:
    def test_right_passes(self) -> None:
        module, _ = run("test-right", "test-right", instruments=[CheckEach(Settings())])
        assert [op.spec.name for op in module.walk()] == ["exp", "relu", "return"]

    def test_a_wrong_rule_is_found_with_its_pass_and_operation(self) -> None:
        with pytest.raises(VerificationError) as caught:
            run("test-right", "test-wrong", instruments=[CheckEach(Settings())])
        (bad,) = caught.value.diagnostics
        assert bad.code == "R021" and bad.message.startswith("pass 2, test-wrong, changes out: max error")
        assert bad.notes[0] == "rules that fired in it: relu-is-tanh (1)"
        assert bad.notes[1].startswith('the first value to change is "y", computed by tanh')

    def test_the_users_data(self) -> None:
        """With exp(x) almost 0, tanh can't be told from relu."""
        data = np.full((2, 3), -20, np.float32) - np.arange(6, dtype=np.float32).reshape(2, 3)
        run("test-wrong", instruments=[CheckEach(Settings(data=data))])

    def test_layouts_may_change(self) -> None:
        module = load(CONV.encode())
        run_passes(module, [PropagateLayout(io_layout="nhwc")], [CheckEach(Settings())])
        assert module.main.inputs[0].perm is not None

    def test_a_pass_that_returns_something_else(self) -> None:
        class Negating(Pass):
            name = "test-negating"

            def run(self, module: Module) -> None:
                body = module.main.body
                new = body.insert(Neg(body.returns[0]), before=body.terminator)
                body.terminator.set_operand(0, new.results[0])

        with pytest.raises(VerificationError) as caught:
            run_passes(load(TEXT.encode()), [Negating()], [CheckEach(Settings())])
        notes = caught.value.diagnostics[0].notes
        assert notes == [
            "no rule fired in it",
            "no value inside that has the same name before and after departs",
        ]


class TestDumping:
    def test_one_text_per_pass_each_readable(self, tmp_path: Path) -> None:
        module, _ = run("test-right", "test-wrong", instruments=[DumpIr(tmp_path / "new" / "dump")])
        files = sorted(p.name for p in (tmp_path / "new" / "dump").iterdir())
        assert files == ["00-import.ir", "01-test-right.ir", "02-test-wrong.ir"]
        assert print_module(read_module(tmp_path / "new/dump/00-import.ir"), locations=True) == TEXT
        last = read_module(tmp_path / "new/dump/02-test-wrong.ir")
        assert print_module(last, locations=True) == print_module(module, locations=True)

    def test_weights_once_where_they_appear_first(self, tmp_path: Path) -> None:
        from nhwcc.compiler.fold import fold
        from nhwcc.compiler.ops.core import Const

        class Folding(Pass):
            name = "test-folding"

            def run(self, module: Module) -> None:
                body = module.main.body
                for op in body.ops:
                    for result, weight in zip(op.results, fold(op) or (), strict=False):
                        result.replace_all_uses_with(body.insert(Const(weight), before=op).results[0])

        tiled = """  %v = tile(%w) {repeats = [1, 1, 2, 3]} : f32[4,3,2,3]
  %c = conv(%image, %v, none) """
        module = load(
            CONV.replace("  %c = conv(%image, %w, none) ", tiled)
            .replace("[[0, 0], [0, 0]]", "[[0, 1], [1, 1]]")
            .encode()
        )
        image = {"image": np.random.default_rng(0).random((1, 3, 8, 6), np.float32)}
        want = ReferenceRunner(module).run(image)
        run_passes(module, [Folding(), PASSES["test-right"]()], [DumpIr(tmp_path)])
        files = sorted(p.name for p in tmp_path.iterdir())
        assert files == ["00-import.ir", "01-test-folding.ir", "01-test-folding.ir.safetensors", "02-test-right.ir"]
        assert 'weights "01-test-folding.ir.safetensors"' in (tmp_path / "02-test-right.ir").read_text()
        for name in files:
            if name.endswith(".ir"):
                got = ReferenceRunner(read_module(tmp_path / name)).run(image)
                np.testing.assert_allclose(got["scores"], want["scores"], rtol=1e-6)

    def test_a_folder_that_can_not_be_made(self, tmp_path: Path) -> None:
        (tmp_path / "file").touch()
        with pytest.raises(CompileError) as caught:
            run("test-right", instruments=[DumpIr(tmp_path / "file")])
        assert caught.value.diagnostics[0].code == "R012"

    def test_drawings(self, tmp_path: Path) -> None:
        run("test-right", instruments=[DumpGraph(tmp_path)])
        files = {p.name for p in tmp_path.iterdir()}
        assert files == {"00-import.dot", "00-import.svg", "01-test-right.dot", "01-test-right.svg"}

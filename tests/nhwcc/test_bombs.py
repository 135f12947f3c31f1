"""Models that ask for too much end in an error with a code, in little memory and time; what is usual passes."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import format_bombs  # noqa: F401  # pyright: ignore[reportUnusedImport] -- declares more
import numpy as np
import pytest
from bombs import BOMBS, MEMORY, RELU, compiled, ints
from click.testing import CliRunner
from nhwcc.compiler.budget import Budget
from nhwcc.compiler.diagnostics import CompileError
from nhwcc.compiler.fold import fold
from nhwcc.compiler.ir import Region
from nhwcc.compiler.ops.core import Const
from nhwcc.compiler.ops.shape import Concat
from nhwcc.compiler.weights import Weight, growth
from onnx_models import codes, model, node

import nhwcc
from nhwcc.cli import cli


def set_off(*names: str) -> dict[str, dict[str, Any]]:
    """Run bombs in a process whose memory is limited; return what came of each."""
    command = [sys.executable, "-m", "format_bombs", *names]
    folder = Path(sys.modules["bombs"].__file__ or "").parent
    ran = subprocess.run(command, check=False, capture_output=True, text=True, cwd=folder)
    assert ran.returncode == 0, ran.stderr
    return {found["name"]: found for found in map(json.loads, ran.stdout.splitlines())}


@pytest.fixture(scope="module")
def outcomes() -> dict[str, dict[str, Any]]:
    return set_off(*(b.name for b in BOMBS if not b.is_long))


def check(code: str, found: dict[str, Any]) -> None:
    assert found["code"] == code, found["said"]
    assert found["peak"] < MEMORY + (1 << 29), "beside what libraries take"


@pytest.mark.skipif(sys.platform != "linux", reason="memory is limited and measured by Linux's means")
class TestBombs:
    @pytest.mark.parametrize("name", [b.name for b in BOMBS if not b.is_long])
    def test_each(self, name: str, outcomes: dict[str, dict[str, Any]]) -> None:
        check(next(b.code for b in BOMBS if b.name == name), outcomes[name])

    @pytest.mark.long
    @pytest.mark.parametrize("name", [b.name for b in BOMBS if b.is_long])
    def test_each_that_takes_longer(self, name: str) -> None:
        check(next(b.code for b in BOMBS if b.name == name), set_off(name)[name])

    def test_names_are_unique(self) -> None:
        assert len({b.name for b in BOMBS}) == len(BOMBS)


class TestLimits:
    """A limit that is lowered refuses, one that is raised allows; messages say which option that is."""

    LARGE = model([node("Expand", "x s", "y")], {"x": (1,)}, ["y"], {"s": ints(1 << 18)})
    CONSTANT = model(
        [node("ConstantOfShape", "s", "c"), node("Add", "x c", "y")], {"x": (1,)}, ["y"], {"s": ints(1000)}
    )

    def test_memory(self, tmp_path: Path) -> None:
        with pytest.raises(CompileError, match="--max-memory") as caught:
            compiled(tmp_path, self.LARGE, budget=Budget(memory=1 << 19))
        assert codes(caught.value) == ["M001"]
        compiled(tmp_path, self.LARGE, budget=Budget(memory=1 << 22))

    def test_growth(self, tmp_path: Path) -> None:
        with pytest.raises(CompileError, match="--max-growth") as caught:
            compiled(tmp_path, self.CONSTANT, budget=Budget(growth=1000))
        assert codes(caught.value) == ["M002"]
        compiled(tmp_path, self.CONSTANT, budget=Budget(growth=1 << 14))

    def test_from_the_shell(self, tmp_path: Path) -> None:
        path = tmp_path / "model.onnx"
        path.write_bytes(self.LARGE.SerializeToString())
        command = ["compile", str(path), "-o", str(tmp_path / "model.tflite"), "--max-memory"]
        refused = CliRunner().invoke(cli, [*command, "512KB"])
        assert refused.exit_code == 1 and "error[M001]" in refused.stderr
        assert 'node "the Expand"' in refused.stderr and "--max-memory raises it" in refused.stderr
        assert CliRunner().invoke(cli, [*command, "1GB"]).exit_code == 0
        wrong = CliRunner().invoke(cli, [*command, "much"])
        assert wrong.exit_code == 2 and "write 512MB or 16GB" in wrong.stderr

    def test_load_has_the_same(self, tmp_path: Path) -> None:
        with pytest.raises(CompileError) as caught:
            nhwcc.load(self.LARGE, budget=Budget(memory=1 << 19))
        assert codes(caught.value) == ["M001"]

    def test_nothing_stays_behind(self) -> None:
        with pytest.raises(CompileError):
            nhwcc.load(self.LARGE, budget=Budget(memory=1 << 19))
        assert nhwcc.load(self.LARGE) is not None


class TestDoublings:
    """A constant that is read twice counts once, so that doublings do not pass for as much as they are made of."""

    def test_folding_ends(self) -> None:
        region = Region()
        value = region.insert(Const(Weight.of(np.ones(16, np.float32), is_stored=True))).result
        count = 0
        while True:
            op = Concat((value, value), 0)
            weights = fold(op, max_bytes=1 << 20)
            if weights is None:
                break
            value = region.insert(Const(weights[0])).result
            count += 1
        assert value.type.size == (1 << 20) // 4 and count == 14

    def test_so_it_does_without_a_limit(self) -> None:
        weight = Weight.of(np.ones(1 << 20, np.float32))
        region = Region()
        value = region.insert(Const(weight)).result
        op = Concat((value,) * 200, 0)
        assert fold(op) is None, "800 MB that the source does not hold"
        stored = region.insert(Const(Weight.of(np.ones(1 << 23, np.float32), is_stored=True))).result
        assert fold(Concat((stored,) * 20, 0)) is not None, "of 32 MB in the source, 640 MB are allowed"

    def test_growth_counts_the_source_once(self) -> None:
        stored = Weight.of(np.ones(1 << 16, np.float32), is_stored=True)
        turned = [stored.derive(stored.type, np.negative) for _ in range(40)]
        assert growth([stored]) == 0
        assert growth(turned) == (40 - 16) * stored.nbytes
        assert growth([Weight.splat(0, stored.type.dtype, (1 << 16,))]) == stored.nbytes

    def test_branches_that_meet_are_computed_once(self) -> None:
        calls: list[int] = []

        def add(a: Any, b: Any) -> Any:
            calls.append(1)
            return a + b

        def half(a: Any) -> Any:
            return a / 2

        weight = Weight.of(np.ones(1 << 15, np.float32))
        for _ in range(2000):
            left, right = (weight.derive(weight.type, half) for _ in range(2))
            weight = left.derive(weight.type, add, right)
        assert (weight.array() == 1).all() and len(calls) == 2000, "neither 2**2000 times nor by recursion"


def test_what_is_usual_passes(tmp_path: Path) -> None:
    np.savez_compressed(tmp_path / "d.npz", x=np.zeros(1 << 20, np.float32))
    compiled(tmp_path, RELU, data=tmp_path / "d.npz")
    np.save(tmp_path / "d.npy", np.ones((2, 3), np.float32).T)
    compiled(tmp_path, model([node("Relu", "x", "y")], {"x": (3, 2)}, ["y"]), data=tmp_path / "d.npy")

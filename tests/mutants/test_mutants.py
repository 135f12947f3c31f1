"""The mutants fit the sources, and the machinery that judges them can tell."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from .catalogue import ROOT, Mutant, Network, read
from .networks import VERIFIED, compiled
from .page import page
from .run import Outcome, judge
from .workspace import Ended, Workspace

SMALL = Network(onnx="g (float[2,3] x) => (float[] y) { y = Relu(x) }")
MUTANT = Mutant(
    name="operands-swapped",
    file="compiler/dims.py",
    old="return -((-a) // b)",
    new="return a // b",
    breaks="floor for truncation",
    tests=("tests/compiler/test_dims.py",),
    network=SMALL,
)


@pytest.mark.parametrize("mutant", read(), ids=lambda m: m.name)
def test_mutants_fit_the_sources(mutant: Mutant) -> None:
    assert not mutant.problems()


def test_there_are_as_many_as_promised() -> None:
    beyond_rules = [m for m in read() if not m.file.endswith(".rules")]
    assert len(beyond_rules) >= 60
    assert len({m.area for m in beyond_rules}) > 10


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"old": "gone"}, "stands 0 times"),
        ({"old": "return"}, "not once"),
        ({"file": "compiler/gone.py"}, "no source"),
        ({"file": "tests/conftest.py"}, "no source"),
        ({"tests": ("tests/gone.py",)}, "there is no tests/gone.py"),
        ({"tests": ()}, "names no tests"),
        ({"new": MUTANT.old}, "changes nothing"),
        ({"network": Network()}, "needs a network"),
    ],
)
def test_stale_mutants_are_noticed(change: dict[str, object], complaint: str) -> None:
    assert not MUTANT.problems()
    (problem,) = replace(MUTANT, **change).problems()  # pyright: ignore[reportArgumentType]
    assert complaint in problem


def test_names_are_unique(tmp_path: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / f"{name}.toml").write_text(
            '[same]\nfile = ""\nold = ""\nnew = ""\nbreaks = ""\ntests = []\nnetwork = {}'
        )
    with pytest.raises(ValueError, match="same"):
        read(tmp_path)


def test_the_copy_is_what_runs_in_it(tmp_path: Path) -> None:
    workspace = Workspace(tmp_path / "copy")
    path = workspace.root / MUTANT.file
    with workspace.mutated(MUTANT):
        assert "return a // b" in path.read_text()
        command = [sys.executable, "-c", "from nhwcc.compiler.dims import ceil_div; print(ceil_div(7, 2))"]
        env = os.environ | {"PYTHONPATH": str(workspace.root)}
        done = subprocess.run(command, capture_output=True, text=True, env=env, cwd=workspace.root, check=True)
        assert done.stdout == "3\n"
    assert path.read_bytes() == (ROOT / MUTANT.file).read_bytes()


class Told(Workspace):
    """Says how everything ends instead of running it."""

    def __init__(self, folder: Path, code: int | None, verdict: str) -> None:
        self.root = folder
        self.answers = {
            "pytest": Ended(code, "FAILED tests/a.py::test_b - AssertionError"),
            "networks": Ended(0, f"{MUTANT.name}: {verdict}\n"),
        }
        (folder / "compiler").mkdir()
        (folder / MUTANT.file).write_text(MUTANT.old)

    def run(self, program: str, arguments: object, seconds: float) -> Ended:
        return self.answers[program]


@pytest.mark.parametrize(("code", "killed"), [(0, False), (1, True), (2, True), (None, True)])
@pytest.mark.parametrize(("verdict", "refused"), [(VERIFIED, False), ("refused R020", True), ("broken KeyError", True)])
def test_verdicts(tmp_path: Path, code: int | None, killed: bool, verdict: str, refused: bool) -> None:
    outcome = judge(MUTANT, Told(tmp_path, code, verdict))
    assert (outcome.killed, outcome.refused, outcome.compile) == (killed, refused, verdict)


def test_no_tests_are_no_verdict(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError, match="ended with 5"):
        judge(MUTANT, Told(tmp_path, 5, VERIFIED))


def test_networks_are_compiled() -> None:
    assert compiled(SMALL) == VERIFIED
    assert compiled(Network(onnx="g (float[2,3] x) => (float[] y) { y = Gone(x) }")).startswith("refused F001")


def test_the_page_has_totals_and_reasons() -> None:
    same = replace(MUTANT, name="same", equivalent="nobody can tell")
    made = page([MUTANT, same], {n: Outcome(n, "", n != "same", "", n != "same", "", 0) for n in (MUTANT.name, "same")})
    assert "| all | 1 | 1 (100 %) | 1 (100 %) |" in made
    assert "survives the tests: nobody can tell" in made

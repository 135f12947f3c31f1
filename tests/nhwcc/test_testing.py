"""Cases of a user's own pass and rules, in a folder of their own."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from nhwcc.compiler.diagnostics import CompileError
from nhwcc.compiler.pipeline import PASSES

from nhwcc.testing import Case, read_cases

PASS = '''
from nhwcc.compiler.ops.activation import Relu
from nhwcc.compiler.ops.arith import Abs
from nhwcc.compiler.pipeline import Pass, register
from nhwcc.compiler.rewrite import pattern, rewrite

@pattern(Relu)
def twice(op, rw):
    rw.require(isinstance(op.x.owner, Relu), "there is one")
    rw.replace(Relu(op.x.owner.x))

@register("test-merge-relus")
class Merge(Pass):
    """Merge."""
    def run(self, module):
        rewrite(module, [twice])
'''
BEFORE = """func @main(%x: f32[4]) -> (f32[4]) {
  %a = relu(%x) : f32[4]
  %b = relu(%a) : f32[4]
  return(%b)
}
"""
AFTER = BEFORE.replace("  %a = relu(%x) : f32[4]\n", "").replace("(%a)", "(%x)")
HEAD = "// two are one\n// load: my_pass.py\n// passes: test-merge-relus,dce\n"


def write_case(folder: Path, text: str, name: str = "case.ir") -> Case:
    (folder / "my_pass.py").write_text(PASS)
    (folder / name).write_text(text)
    return read_cases(folder / name)[0]


@pytest.fixture(autouse=True)
def forgetting() -> Iterator[None]:
    yield
    PASSES.pop("test-merge-relus", None)


def test_a_pass_that_does_what_it_should(tmp_path: Path) -> None:
    case = write_case(tmp_path, f"{HEAD}{BEFORE}// becomes\n{AFTER}")
    assert case.name == "two are one"
    case.check()


def test_rules(tmp_path: Path) -> None:
    (tmp_path / "my.rules").write_text("rule twice: relu(relu(%x)) => relu(%x)\nrule no: neg(relu(%x)) => neg(%x)\n")
    write_case(tmp_path, f"// rules: my.rules\n{BEFORE}// becomes\n{AFTER}").check()


def test_what_it_becomes_is_compared(tmp_path: Path) -> None:
    with pytest.raises(AssertionError, match=r"it becomes[^}]*relu\(%x\)[^}]*}\s*which should be"):
        write_case(tmp_path, f"// passes: dce,cse\n{BEFORE}// becomes\n{AFTER}").check()


def test_numbers_are_compared_whatever_is_expected(tmp_path: Path) -> None:
    (tmp_path / "my.rules").write_text("rule wrong: relu(relu(%x)) => abs(%x)\n")
    case = write_case(tmp_path, f"// rules: my.rules\n{BEFORE}// becomes\n{AFTER.replace('relu', 'abs')}")
    for step in (case.check, case.blessed):
        with pytest.raises(AssertionError, match="differs after"):
            step()


def test_what_is_expected_must_come(tmp_path: Path) -> None:
    missed = "// passes: dce\n// expect-missed: merge: there is one\n"
    with pytest.raises(AssertionError, match="is not among what nearly fired"):
        write_case(tmp_path, f"{missed}{BEFORE}// becomes\n{BEFORE}").check()
    with pytest.raises(AssertionError, match="B001 is expected"):
        write_case(tmp_path, f"// passes: dce\n// expect-error: B001\n{BEFORE}").check()


def test_a_case_without_a_pipeline(tmp_path: Path) -> None:
    with pytest.raises(AssertionError, match=r"case '0' lacks a line '// passes: PIPELINE'"):
        write_case(tmp_path, f"{BEFORE}// becomes\n{AFTER}").check()


def test_files_that_are_missing(tmp_path: Path) -> None:
    with pytest.raises(CompileError, match="R010"):
        write_case(tmp_path, f"// load: none.py\n// passes: dce\n{BEFORE}// becomes\n{AFTER}").check()


def test_with_pytest(tmp_path: Path) -> None:
    """Cases fail with what they become, and pass once that was accepted."""
    write_case(tmp_path, f"{HEAD}{BEFORE}// becomes\n{BEFORE}// -----\n{HEAD.replace('two', 'again two')}{BEFORE}")
    command = [sys.executable, "-m", "pytest", "-q", "-p", "nhwcc.testing.plugin", "-p", "no:cacheprovider", "case.ir"]
    for more, expected in (([], "2 failed"), (["--bless"], "2 passed"), ([], "2 passed")):
        done = subprocess.run([*command, *more], cwd=tmp_path, capture_output=True, text=True, check=False)
        assert expected in done.stdout, done.stdout + done.stderr
    texts = [case.text for case in read_cases(tmp_path / "case.ir")]
    assert [text.partition("// becomes\n")[2].strip() for text in texts] == [AFTER.strip()] * 2

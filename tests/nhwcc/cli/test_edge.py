"""The edge: exit codes, messages, interruptions, completion; in real processes where it matters."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from nhwcc.compiler.diagnostics import Location, at

from nhwcc.cli.progress import Progress

from .conftest import Call, as_json, environment, process

HEAVY = (
    "numpy",
    "onnx",
    "onnxruntime",
    "torch",
    "tensorflow",
    "openvino",
    "scipy",
    "sympy",
    "ai_edge_litert",
    "graphviz",
)


def python(code: str) -> subprocess.CompletedProcess[str]:
    """Run some lines in a process of their own."""
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=environment(), check=False)


class TestImports:
    @pytest.mark.parametrize(
        "code",
        [
            "import nhwcc; nhwcc.CompileError, nhwcc.compile, nhwcc.CompileOptions",
            "import nhwcc.cli",
            "from nhwcc.cli import cli; cli(['--help'], standalone_mode=False)",
            "from nhwcc.cli import cli; cli(['compile', '--help'], standalone_mode=False)",
            "from nhwcc.cli import cli; cli(['explain', 'T001'], standalone_mode=False)",
        ],
    )
    def test_nothing_heavy_is_loaded(self, code: str) -> None:
        done = python(f"{code}\nimport sys\nloaded = {HEAVY!r} & sys.modules.keys()\nassert not loaded, loaded")
        assert done.returncode == 0, done.stderr

    def test_compiling_loads_no_framework(self, small: Path, tmp_path: Path) -> None:
        compile_ = f"import nhwcc, sys; nhwcc.compile({str(small)!r}, {str(tmp_path / 'o.tflite')!r})"
        frameworks = "{'torch', 'tensorflow', 'onnx', 'sympy', 'graphviz'}"
        done = python(f"{compile_}\nloaded = {frameworks} & sys.modules.keys()\nassert not loaded, loaded")
        assert done.returncode == 0, done.stderr


SLOW = """
import time
from pathlib import Path
from nhwcc.compiler.diagnostics import Location, at
from nhwcc.compiler.pipeline import Pass, register

@register("test-slow")
class Slow(Pass):
    '''Sleep.'''

    def run(self, module):
        Path("STARTED").touch()
        time.sleep(60)
"""


class TestExitCodes:
    def test_0(self, small: Path, tmp_path: Path) -> None:
        done = process("compile", small, "-o", tmp_path / "o.tflite")
        assert done.returncode == 0 and "error" not in done.stderr and "\x1b" not in done.stdout + done.stderr

    def test_1(self, tmp_path: Path) -> None:
        done = process("compile", tmp_path / "none.onnx", "-o", tmp_path / "o.tflite")
        assert done.returncode == 1 and done.stdout == "" and done.stderr.startswith("error[R010]: ")

    def test_2(self) -> None:
        done = process("compile", "--outptu", "x")
        assert done.returncode == 2 and "--output" in done.stderr

    @pytest.mark.usefixtures("heard")
    def test_130(self, small: Path, tmp_path: Path) -> None:
        """Interrupted in the middle of a pass: nothing is left behind."""
        slow = tmp_path / "slow.py"
        slow.write_text(SLOW.replace("STARTED", str(tmp_path / "started")))
        args = ["compile", str(small), "-o", str(tmp_path / "o.tflite"), "--load", str(slow), "--passes", "test-slow"]
        command = [sys.executable, "-m", "nhwcc", *args]
        running = subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env=environment())
        deadline = time.monotonic() + 30
        while not (tmp_path / "started").exists() and time.monotonic() < deadline:
            time.sleep(0.05)
        running.send_signal(signal.SIGINT)
        _, said = running.communicate(timeout=30)
        assert running.returncode == 130 and said.endswith("interrupted\n") and "Traceback" not in said
        assert not (tmp_path / "o.tflite").exists() and not list(tmp_path.glob(".nhwcc*"))

    def test_they_are_documented(self, call: Call) -> None:
        assert "3 numbers" in " ".join(call("--help").stdout.split())


class TestCommands:
    def test_unknown_commands_are_suggested(self, call: Call) -> None:
        result = call("comiple")
        assert result.exit_code == 2 and "did you mean 'compile'?" in result.stderr

    def test_version_and_help(self, call: Call) -> None:
        assert call("--version").stdout.startswith("nhwcc, version ")
        assert call("-h").exit_code == 0 and call("inspect", "-h").exit_code == 0

    def test_commands_stand_in_the_order_of_use(self, call: Call) -> None:
        listed = re.findall(r"^  (\w+)  ", call("--help").stdout.partition("Commands:")[2], re.MULTILINE)
        assert listed == [
            "compile", "inspect", "verify", "check", "calibrate", "bench", "reduce", "zoo", "opt", "passes", "explain",
            "doctor",
        ]  # fmt: skip


class TestDefects:
    @pytest.fixture
    def broken(self, monkeypatch: pytest.MonkeyPatch) -> None:
        def fail(*args: object, **options: object) -> None:
            bad = ZeroDivisionError("by nobody foreseen")
            bad.add_note("while running pass x")
            raise bad

        monkeypatch.setattr("nhwcc.inspection.inspect", fail)

    def test_the_message(self, broken: None, call: Call, small: Path) -> None:
        result = call("inspect", small)
        assert result.exit_code == 1 and "Traceback" not in result.stderr
        assert "error[I000]: ZeroDivisionError: by nobody foreseen" in result.stderr
        assert "= note: while running pass x" in result.stderr and "please report it" in result.stderr

    def test_with_a_backtrace(self, broken: None, call: Call, small: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        assert "Traceback" in call("inspect", small, "--backtrace").stderr
        monkeypatch.setenv("NHWCC_BACKTRACE", "1")
        assert "Traceback" in call("inspect", small).stderr

    def test_as_json(self, broken: None, call: Call, small: Path) -> None:
        answer = as_json(call("inspect", small, "--json"))
        assert answer["diagnostics"][0]["code"] == "I000"

    @pytest.mark.parametrize(
        ("raised", "code"),
        [
            (MemoryError("Unable to allocate 4.00 EiB"), "error[R024]: Unable to allocate 4.00 EiB"),
            (RecursionError("maximum recursion depth exceeded"), "error[M005]: the model is nested too deeply"),
        ],
    )
    def test_what_python_runs_out_of_is_no_defect(
        self, raised: Exception, code: str, call: Call, small: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """The place is named where a size was not meant."""

        def fail(*_: object, **__: object) -> None:
            with at(Location("the place", "m.onnx")):
                raise raised

        monkeypatch.setattr("nhwcc.inspection.inspect", fail)
        result = call("inspect", small)
        assert result.exit_code == 1 and code in result.stderr
        assert 'at m.onnx: node "the place"' in result.stderr

    def test_backtraces_of_diagnosed_errors(self, call: Call, tmp_path: Path) -> None:
        result = call("inspect", tmp_path / "none.onnx", "--backtrace")
        assert "Traceback" in result.stderr and "error[R010]" in result.stderr


class TestColours:
    def test_on_a_terminal(self, tmp_path: Path) -> None:
        import pty

        command = [sys.executable, "-m", "nhwcc", "compile", str(tmp_path / "none.onnx"), "-o", str(tmp_path / "o")]
        for extra, coloured in ({}, True), ({"NO_COLOR": "1"}, False):
            ours, theirs = pty.openpty()
            env = environment(TERM="xterm", **extra)
            env.pop("NO_COLOR", None) if coloured else None
            done = subprocess.run(command, stdout=theirs, stderr=theirs, env=env, check=False)
            os.close(theirs)
            said = os.read(ours, 10_000).decode()
            os.close(ours)
            assert done.returncode == 1 and "R010" in said and ("\x1b[31m" in said) == coloured


class TestProgress:
    def test_what_is_quick_is_not_shown(self, capsys: pytest.CaptureFixture[str]) -> None:
        with Progress(shown=True) as progress:
            progress("one")
            progress("two")
        assert capsys.readouterr() == ("", "")

    def test_plain_lines_for_what_takes_long(
        self, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        clock = iter([0.0, 0.0, 0.0, 2.5, 2.5, 2.6, 2.6])
        monkeypatch.setattr("time.perf_counter", lambda: next(clock))
        with Progress(shown=True) as progress:
            progress("slow")
            progress("fast")
        assert capsys.readouterr().err == "slow: 2.5 s\n"

    def test_silence(self, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("nhwcc.cli.progress.PATIENCE", 0.0)
        with Progress(shown=False) as progress:
            progress("slow")
        assert capsys.readouterr() == ("", "")

    def test_a_spinner_on_a_terminal(self, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
        monkeypatch.setattr("nhwcc.cli.progress.PATIENCE", 0.0)
        monkeypatch.setattr("sys.stderr.isatty", lambda: True)
        with Progress(shown=True) as progress:
            progress("one")
            deadline = time.monotonic() + 20
            while progress._status is None and time.monotonic() < deadline:  # pyright: ignore[reportPrivateUsage]
                time.sleep(0.02)
            progress("two")
            assert progress._status is not None  # pyright: ignore[reportPrivateUsage]


class TestCompletion:
    def complete(self, words: str) -> list[str]:
        number = str(len(words.split(" ")) - 1)
        done = process(_NHWCC_COMPLETE="bash_complete", COMP_WORDS=words, COMP_CWORD=number)
        return [line.partition(",")[2] for line in done.stdout.splitlines()]

    def test_commands_options_passes_and_codes(self) -> None:
        assert self.complete("nhwcc com") == ["compile"]
        assert "--io-layout" in self.complete("nhwcc compile --io")
        assert "propagate-layout" in self.complete("nhwcc compile m -o x --disable-pass prop")
        assert "propagate-layout" in self.complete("nhwcc passes prop")
        assert self.complete("nhwcc explain t00") == ["T001", "T002", "T003"]

    def test_the_script(self) -> None:
        assert "_nhwcc_completion" in process(_NHWCC_COMPLETE="bash_source").stdout

"""Targets and sources that users bring: by files, and by entry points of what is installed."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from importlib.metadata import EntryPoint, EntryPoints
from pathlib import Path

import pytest
from click.testing import CliRunner
from models import SMALL, write
from nhwcc.backends import registry
from nhwcc.compiler import plugins
from nhwcc.compiler.diagnostics import CompileError

import nhwcc
from nhwcc import file_formats
from nhwcc.cli import cli
from nhwcc.file_formats import Format, register_format

EXAMPLES = Path(__file__).parents[2] / "examples"
TARGET, SOURCE = EXAMPLES / "numpy_target.py", EXAMPLES / "dense_source.py"

DENSE = '{"layers": [{"weights": [[1, 2], [3, 4]], "activation": "relu"}, {"weights": [[1, -1]], "bias": [0.5]}]}'

Plug = Callable[..., None]


@pytest.fixture(autouse=True)
def registries(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Forget afterwards what was brought, and which entry points were asked."""
    monkeypatch.setattr(registry, "TARGETS", dict(registry.TARGETS))
    monkeypatch.setattr(file_formats, "FORMATS", list(file_formats.FORMATS))
    monkeypatch.setattr(plugins, "_LOADED", set[Path]())
    monkeypatch.setattr(plugins, "_DISCOVERED", set[str]())
    yield
    for name in [n for n in sys.modules if n.startswith(plugins.PREFIX)]:
        del sys.modules[name]


@pytest.fixture
def plug(monkeypatch: pytest.MonkeyPatch) -> Plug:
    """Pretend that distributions are installed that declare modules under entry point groups."""

    def install(**values: str) -> None:
        found = EntryPoints(
            EntryPoint(group=f"nhwcc.{group}", name="mine", value=value) for group, value in values.items()
        )
        select: Callable[..., EntryPoints] = found.select
        monkeypatch.setattr(plugins, "entry_points", select)
        monkeypatch.setattr(sys, "path", [str(EXAMPLES), *sys.path])

    return install


@pytest.fixture
def dense(tmp_path: Path) -> Path:
    return write(tmp_path / "net.dense", DENSE)


def test_files_that_are_loaded(dense: Path, tmp_path: Path) -> None:
    """A network goes from one to the other, with open sizes, and is compared."""
    done = nhwcc.compile(dense, tmp_path / "net.py", load=[TARGET, SOURCE])
    assert done.report.target == "numpy" and done.report.verification is not None and done.report.verification.ok
    assert done.report.ops_after == {"linear": 2, "relu": 1}
    assert sorted(p.name for p in tmp_path.iterdir()) == ["net.dense", "net.py", "net.py.npz"]


@pytest.mark.parametrize("command", ["compile {} -o {}.tflite", "inspect {}", "opt {}", "verify {} {}"])
def test_every_command_takes_them(command: str, dense: Path) -> None:
    done = CliRunner().invoke(cli, [*command.replace("{}", str(dense)).split(), "--load", str(SOURCE)])
    assert done.exit_code == 0, done.output


def test_a_target_by_its_name_alone(dense: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    words = ["compile", str(dense), "--target", "numpy", "--load", str(TARGET), "--load", str(SOURCE)]
    assert CliRunner().invoke(cli, words).exit_code == 0
    assert (tmp_path / "net.py").exists()


def test_what_is_installed(dense: Path, tmp_path: Path, plug: Plug) -> None:
    plug(targets="numpy_target", sources="dense_source")
    done = nhwcc.compile(dense, tmp_path / "net.py")
    assert done.report.target == "numpy" and done.report.verification is not None and done.report.verification.ok


def test_what_is_installed_is_asked_only_where_nothing_else_fits(tmp_path: Path, plug: Plug) -> None:
    plug(targets="there_is_no_such_module", sources="there_is_no_such_module")
    assert nhwcc.compile(write(tmp_path / "m.ir", SMALL), tmp_path / "m.tflite").report.target == "tflite"
    with pytest.raises(CompileError) as caught:
        registry.find_target("numpy")
    told = caught.value.diagnostics[0]
    assert told.code == "L010" and "the plug-in there_is_no_such_module of " in told.message
    assert "ModuleNotFoundError" in told.message


def test_a_name_is_taken_once(dense: Path) -> None:
    plugins.load_file(TARGET)
    target = registry.find_target("numpy")
    with pytest.raises(TypeError, match="the target 'numpy'"):
        registry.register_target(target)
    with pytest.raises(TypeError, match="the target 'onnx'"):
        registry.register_target(target, (".onnx",))
    with pytest.raises(TypeError, match="known already"):
        register_format(file_formats.named("onnx"))
    with pytest.raises(TypeError, match="needs a source"):
        register_format(Format("new", "something new", (".new",), lambda content: False))


@pytest.mark.parametrize(
    ("text", "code", "said"),
    [
        (DENSE.replace("relu", "rely"), "F001", "unknown activation 'rely'"),
        (DENSE.replace("[1, -1]", "[1, -1, 2]"), "T001", 'node "layer 1"'),
        (DENSE.replace("]}]}", ""), "R010", "these are not dense layers"),
        (DENSE.replace("1, 2", "1, [2]"), "R010", "these are not dense layers"),
    ],
)
def test_what_the_example_refuses(text: str, code: str, said: str, tmp_path: Path) -> None:
    path = write(tmp_path / "net.dense", text)
    with pytest.raises(CompileError) as caught:
        nhwcc.compile(path, load=[SOURCE])
    assert caught.value.diagnostics[0].code == code and said in str(caught.value)


def test_what_the_target_lacks(tmp_path: Path) -> None:
    text = """func @main(%x: f32[2,2]) -> (f32[]) {
      %y = det(%x) : f32[]
      return(%y)
    }"""
    with pytest.raises(CompileError) as caught:
        nhwcc.compile(write(tmp_path / "m.ir", text), tmp_path / "m.py", load=[TARGET])
    assert "NumPy can't run" in str(caught.value) and not (tmp_path / "m.py").exists()

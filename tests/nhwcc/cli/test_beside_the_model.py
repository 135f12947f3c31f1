"""What lies beside a model is neither run nor in the way: modules with the names of those that nhwcc needs."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from models import SMALL, write
from nhwcc.compiler.diagnostics import CompileError
from nhwcc.frontends.torch import ModuleSpec
from torch import nn

from nhwcc.runners import vela
from nhwcc.runners.worker import Worker
from nhwcc.zoo.manifest import Task
from nhwcc.zoo.task import run_task

OURS = (
    "nhwcc numpy onnx click rich lark sympy scipy flatbuffers ml_dtypes ai_edge_litert torch onnxruntime google "
    "safetensors transformers sitecustomize usercustomize"
)
"""What nhwcc and its libraries import."""

STARTED = "import runpy, sys; print(*sys.modules)"
"""Shows what ``python -m`` imports before it looks for what it was told to run."""


@pytest.fixture
def evil(tmp_path: Path) -> Path:
    """A folder with a model, and a module of every name that raises and leaves a trace."""
    folder = tmp_path / "evil"
    folder.mkdir()
    trace = f"open({str(tmp_path / 'ran')!r}, 'a').write(__name__ + ' ')\nraise SystemExit(77)\n"
    for name in {*sys.stdlib_module_names, *OURS.split()}:
        (folder / f"{name}.py").write_text(trace)
    write(folder / "m.ir", SMALL)
    return folder


def clean_environment() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}


def compiled(command: list[str], folder: Path) -> None:
    """Compile with verification, which another process does, and look for traces."""
    done = subprocess.run(
        [*command, "compile", "m.ir", "-o", "m.tflite"],
        cwd=folder,
        env=clean_environment(),
        capture_output=True,
        text=True,
        check=False,
    )
    ran = folder.parent / "ran"
    assert not ran.exists(), ran.read_text()
    assert done.returncode == 0, done.stderr
    assert (folder / "m.tflite").exists()


def test_the_command(evil: Path) -> None:
    compiled([sys.executable, "-P", "-c", "from nhwcc.cli import main; main()"], evil)


def test_the_module(evil: Path) -> None:
    """But for what Python itself imports from the current folder when it is told to run a module."""
    started = subprocess.run([sys.executable, "-P", "-c", STARTED], capture_output=True, text=True, check=True)
    for name in {"nhwcc", "runpy", *started.stdout.split()}:
        (evil / f"{name}.py").unlink(missing_ok=True)
    assert (evil / "json.py").exists() and (evil / "random.py").exists() and (evil / "numpy.py").exists()
    compiled([sys.executable, "-m", "nhwcc"], evil)


def test_an_interpreter_that_looks_there(evil: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The worker does not, wherever its parent looks."""
    monkeypatch.chdir(evil)
    monkeypatch.setattr(sys, "path", ["", str(evil), *sys.path])
    with Worker("json", "random", "numpy") as worker:
        worker.make("fractions", "Fraction", 3)
        assert worker.call("numerator") == 3
    assert not (evil.parent / "ran").exists()


def test_a_task_of_a_zoo(evil: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(evil)
    monkeypatch.delenv("PYTHONPATH", raising=False)
    assert run_task(Task("m", "tflite", (str(evil / "m.ir"), "--target", "tflite")), "k").status == "ok"
    assert not (evil.parent / "ran").exists()


def test_the_compiler_of_a_device(evil: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Vela is looked for where packages are installed, not beside the model."""
    for part in ("ethosu", "ethosu/vela"):
        (evil / part).mkdir()
        (evil / part / "__init__.py").write_text(f"open({str(evil.parent / 'ran')!r}, 'a').write('vela')")
    monkeypatch.chdir(evil)
    monkeypatch.setitem(sys.modules, "ethosu", sys)
    monkeypatch.setattr(vela, "find_spec", sys.modules.get)
    with pytest.raises(CompileError):
        vela.run_vela(evil / "m.ir", "ethos-u55")
    assert not (evil.parent / "ran").exists()


NETWORK = """
import colorsys
from torch import nn
import beside
assert colorsys.__file__.startswith({stdlib!r})
class Net(nn.Linear):
    def __init__(self):
        super().__init__(3, beside.WIDTH)
"""


@pytest.mark.parametrize("name", ["types.py:Net", "json.py:Net", "torch.py:Net", "own.net:Net", "own_net:Net"])
def test_modules_of_users(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    """They find what lies beside them, behind Python's own modules; and none of these is replaced."""
    place = name.partition(":")[0]
    path = tmp_path / (place if place.endswith(".py") else place.replace(".", "/") + ".py")
    path.parent.mkdir(exist_ok=True)
    path.write_text(NETWORK.format(stdlib=str(Path(os.__file__).parent)))
    (tmp_path / "beside.py").write_text("WIDTH = 5")
    (tmp_path / "colorsys.py").write_text("raise SystemExit(77)")
    monkeypatch.chdir(tmp_path)
    for module in ("beside", "own", "own.net", "own_net", "colorsys"):
        monkeypatch.delitem(sys.modules, module, raising=False)
    before, modules = list(sys.path), {n: sys.modules[n] for n in ("types", "json", "torch")}
    made = ModuleSpec(name).load()
    assert isinstance(made, nn.Linear) and made.out_features == 5
    assert sys.path == before
    assert all(sys.modules[n] is module for n, module in modules.items())


def test_a_module_that_is_installed_under_the_same_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The one in the current folder is meant."""
    other = tmp_path / "installed"
    other.mkdir()
    (other / "some_models.py").write_text("raise SystemExit(77)")
    (tmp_path / "some_models.py").write_text("from torch import nn\nNet = nn.Identity")
    monkeypatch.setattr(sys, "path", [str(other), *sys.path])
    monkeypatch.delitem(sys.modules, "some_models", raising=False)
    monkeypatch.chdir(tmp_path)
    assert isinstance(ModuleSpec("some_models:Net").load(), torch.nn.Identity)


def test_a_module_that_fails_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "broken_net.py").write_text("import nothing_of_this_name")
    monkeypatch.chdir(tmp_path)
    for name in ("broken_net:Net", "broken_net.py:Net"):
        with pytest.raises(CompileError, match=r"F036.*nothing_of_this_name"):
            ModuleSpec(name).load()
    assert not any("broken_net" in name for name in sys.modules)

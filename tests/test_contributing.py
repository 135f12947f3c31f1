"""The changes that CONTRIBUTING.md shows apply, and do what it says."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from onnx import TensorProto, helper, numpy_helper

ROOT = Path(__file__).parents[1]
TREES = ("compiler", "formats", "passes", "frontends", "backends")

Run = Callable[..., str]


def diffs() -> list[str]:
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    return re.findall(r"^```diff\n(.*?)^```", text, re.MULTILINE | re.DOTALL)


@pytest.fixture(scope="module")
def changed(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """A copy of the code with all changes; runs its command line and returns all output.

    A change that the code has already must also go away again.
    """
    folder = tmp_path_factory.mktemp("changed")
    ignore = shutil.ignore_patterns("__pycache__")
    for tree in ("nhwcc", *TREES):
        shutil.copytree(ROOT / tree, folder / tree, ignore=ignore)

    def apply(diff: str, *options: str) -> subprocess.CompletedProcess[str]:
        command = ["git", "apply", *options]
        return subprocess.run(command, input=diff, text=True, cwd=folder, capture_output=True, check=False)

    for diff in diffs():
        apply(diff, "--reverse")
        done = apply(diff)
        assert done.returncode == 0, f"{diff}\n{done.stderr}"
    for tree in TREES:
        (folder / "nhwcc" / tree).symlink_to(folder / tree)

    def run(*arguments: object) -> str:
        env = os.environ | {"PYTHONPATH": os.pathsep.join([str(folder), *sys.path])}
        command = [sys.executable, "-m", "nhwcc", *map(str, arguments)]
        done = subprocess.run(command, text=True, capture_output=True, env=env, check=False, cwd=folder)
        assert done.returncode == 0, done.stderr
        return done.stdout + done.stderr

    return run


def test_there_is_one_of_each_kind() -> None:
    assert len(diffs()) == 4
    assert all(sum(line.startswith("+") for line in diff.splitlines()) <= 20 for diff in diffs())


def test_operation_and_rule(changed: Run, tmp_path: Path) -> None:
    (tmp_path / "m.ir").write_text(
        "func @main(%x: f32[2,3]) -> (f32[2,3]) {\n  %y = log2(%x) : f32[2,3]\n  return(%y)\n}\n"
    )
    said = changed("compile", tmp_path / "m.ir", "-o", tmp_path / "m.tflite", "--explain")
    assert "1 x log2" in said and " ok" in said


def test_onnx_operator(changed: Run, tmp_path: Path) -> None:
    node = helper.make_node("ExpandDims", ["x", "axis"], ["y"], domain="com.microsoft")
    x, y = (helper.make_tensor_value_info(n, TensorProto.FLOAT, s) for n, s in (("x", [2, 3]), ("y", [2, 3, 1])))
    opsets = [helper.make_opsetid("", 20), helper.make_opsetid("com.microsoft", 1)]
    axis = numpy_helper.from_array(np.asarray(-1, np.int32), "axis")
    graph = helper.make_graph([node], "g", [x], [y], [axis])
    model = helper.make_model(graph, opset_imports=opsets, ir_version=9)
    (tmp_path / "m.onnx").write_bytes(model.SerializeToString())
    said = changed("compile", tmp_path / "m.onnx", "-o", tmp_path / "m.tflite")
    assert "against onnxruntime" in said and " ok" in said


def test_pass(changed: Run, tmp_path: Path) -> None:
    assert "count: int = 3" in changed("passes", "find-hot-spots")
    text = "func @main(%a: f32[2,3], %b: f32[3,4]) -> (f32[2,4]) {\n  %y = matmul(%a, %b) : f32[2,4]\n  return(%y)\n}\n"
    (tmp_path / "m.ir").write_text(text)
    assert "matmul does 24 multiply" in changed("opt", tmp_path / "m.ir", "--passes", "find-hot-spots", "--explain")

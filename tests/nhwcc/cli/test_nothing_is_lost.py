"""Whatever happens to a compilation: the old output or the whole new one is there, and nothing else."""

from __future__ import annotations

import os
import resource
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from models import onnx_model
from onnx import TensorProto, helper, numpy_helper

from .conftest import Call, environment

COMMAND = [sys.executable, "-P", "-c", "from nhwcc.cli import main; main()"]
OLD = b"the old file"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with a model and an older output, beside one for temporary files."""
    (tmp_path / "work").mkdir()
    (tmp_path / "temporary").mkdir()
    (tmp_path / "work" / "m.onnx").write_bytes(onnx_model().SerializeToString())
    (tmp_path / "work" / "m.tflite").write_bytes(OLD)
    return tmp_path / "work"


def started(folder: Path, *flags: object) -> subprocess.Popen[bytes]:
    command = [*COMMAND, "compile", "m.onnx", "-o", "m.tflite", *map(str, flags)]
    env = environment(TMPDIR=str(folder.parent / "temporary"))
    return subprocess.Popen(command, cwd=folder, env=env, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)


def left(folder: Path) -> list[str]:
    """What lies in the folders besides the model and its output."""
    found = [p.name for place in (folder, folder.parent / "temporary") for p in place.iterdir()]
    return sorted(set(found) - {"m.onnx", "m.tflite", ".ses"})  # the last one is onnxruntime's


def whole(folder: Path) -> bytes:
    """Compile once more, undisturbed; return what must come out, and check that nothing else is there."""
    with started(folder) as process:
        _, said = process.communicate()
    assert process.returncode == 0, said
    assert left(folder) == []
    return (folder / "m.tflite").read_bytes()


@pytest.mark.parametrize("moments", [3, pytest.param(20, marks=pytest.mark.long)])
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_ended_at_any_moment(folder: Path, number: signal.Signals, moments: int) -> None:
    begin = time.monotonic()
    new = whole(folder)
    duration = time.monotonic() - begin
    for moment in range(moments):
        (folder / "m.tflite").write_bytes(OLD)
        with started(folder) as process:
            time.sleep(duration * (moment + 1) / (moments + 1))
            process.send_signal(number)
            process.communicate()
        assert (folder / "m.tflite").read_bytes() in (OLD, new)
        if number is signal.SIGTERM and process.returncode != -number:  # not before it could hear
            assert process.returncode in (0, 128 + number) and left(folder) == []
    assert whole(folder) == new


@pytest.mark.parametrize("count", [3, pytest.param(10, marks=pytest.mark.long)])
def test_many_at_once(folder: Path, count: int) -> None:
    new = whole(folder)
    processes = [started(folder) for _ in range(count)]
    for process in processes:
        _, said = process.communicate()
        assert process.returncode == 0, said
    assert (folder / "m.tflite").read_bytes() == new and left(folder) == []


SMALL_DISK = 20 << 20


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[tuple[Path, Callable[[], None]]]:
    """A small disk, and what a process has to do at its start: where none can be mounted, limit the size of files."""
    place = tmp_path / "disk"
    place.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", f"size={SMALL_DISK}", "tmpfs", str(place)]
    if os.geteuid() == 0 and subprocess.run(command, capture_output=True, check=False).returncode == 0:
        yield place, lambda: None
        subprocess.run(["umount", str(place)], check=True)
    else:
        yield place, lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (SMALL_DISK, SMALL_DISK))


def test_a_small_disk(tmp_path: Path, disk: tuple[Path, Callable[[], None]]) -> None:
    """24 MB of weights do not fit: as a file, a text, a dump."""
    place, prepare = disk
    weights = numpy_helper.from_array(np.random.default_rng(0).standard_normal((6 << 10, 1 << 10), np.float32), "w")
    graph = helper.make_graph(
        [helper.make_node("MatMul", ["x", "w"], ["y"])],
        "large",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, 6 << 10])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, [1, 1 << 10])],
        [weights],
    )
    model = tmp_path / "m.onnx"
    model.write_bytes(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)]).SerializeToString())
    for name in ("m.tflite", "m.ir", "m.ir.safetensors"):
        (place / name).write_bytes(OLD)
    elsewhere = tmp_path / "o.tflite"
    for arguments in (
        ["compile", model, "-o", place / "m.tflite"],
        ["opt", model, "-o", place / "m.ir"],
        ["compile", model, "-o", elsewhere, "--dump-ir", place],
    ):
        command = [*COMMAND, *map(str, arguments)]
        done = subprocess.run(
            command, capture_output=True, text=True, env=environment(), preexec_fn=prepare, check=False
        )
        assert done.returncode == 1 and "error[R012]: can't write" in done.stderr, done.stderr
        assert {p.name for p in place.iterdir()} == {"m.tflite", "m.ir", "m.ir.safetensors"}
        assert all(p.read_bytes() == OLD for p in place.iterdir())
    assert not elsewhere.exists()


class TestSideFiles:
    @pytest.fixture
    def text(self, tmp_path: Path) -> Path:
        """A model whose weights don't fit into a text."""
        w = numpy_helper.from_array(np.arange(40, dtype=np.float32), "w")
        x, y = (helper.make_tensor_value_info(n, TensorProto.FLOAT, [40]) for n in "xy")
        graph = helper.make_graph([helper.make_node("Add", ["x", "w"], ["y"])], "g", [x], [y], [w])
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)])
        (tmp_path / "m.onnx").write_bytes(model.SerializeToString())
        return tmp_path / "m.onnx"

    def test_weights_of_others_stay(self, call: Call, text: Path, tmp_path: Path) -> None:
        (tmp_path / "model.safetensors").write_bytes(OLD)
        assert call("opt", text, "-o", tmp_path / "model.ir").exit_code == 0
        assert call("opt", text, "-o", tmp_path / "model.v2.ir").exit_code == 0
        assert (tmp_path / "model.safetensors").read_bytes() == OLD
        sides = {p.name for p in tmp_path.glob("*.safetensors")}
        assert sides >= {"model.safetensors", "model.ir.safetensors", "model.v2.ir.safetensors"}
        for name in ("model.ir", "model.v2.ir"):
            assert call("opt", tmp_path / name).exit_code == 0

    def test_a_text_that_reads_what_would_be_written(self, call: Call, text: Path, tmp_path: Path) -> None:
        assert call("opt", text, "-o", tmp_path / "a.ir").exit_code == 0
        before = (tmp_path / "a.ir.safetensors").read_bytes()
        (tmp_path / "b.ir").write_text((tmp_path / "a.ir").read_text())
        result = call("opt", tmp_path / "b.ir", "-o", tmp_path / "a.ir")
        assert result.exit_code == 1 and "R016" in result.stderr and "a.ir.safetensors" in result.stderr
        assert (tmp_path / "a.ir.safetensors").read_bytes() == before

    def test_both_or_none(self, call: Call, text: Path, tmp_path: Path) -> None:
        assert call("opt", text, "-o", tmp_path / "a.ir").exit_code == 0
        before = (tmp_path / "a.ir.safetensors").read_bytes()
        (tmp_path / "a.ir").unlink()
        (tmp_path / "a.ir").mkdir()
        result = call("opt", text, "-o", tmp_path / "a.ir")
        assert result.exit_code in (1, 2) and (tmp_path / "a.ir.safetensors").read_bytes() == before

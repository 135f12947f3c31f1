"""nhwcc zoo: what runs, what is known already, what is worse than before, and what dies alone."""

from __future__ import annotations

import re
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result
from models import CONV, SMALL, write
from nhwcc.compiler.diagnostics import CompileError

from nhwcc.zoo.manifest import Expected, Task, read_manifest, select
from nhwcc.zoo.page import zoo_page
from nhwcc.zoo.results import Cache, key_of
from nhwcc.zoo.results import Result as ZooResult
from nhwcc.zoo.run import Row, _row  # pyright: ignore[reportPrivateUsage]
from nhwcc.zoo.task import run_task

from .conftest import Call, as_json

ROOT = Path(__file__).parents[3]
LIST = """
[defaults]
targets = ["tflite"]

[[models]]
name = "conv"
path = "conv.ir"
expect = { transposes = 0, error = 1e-4 }

[[models]]
name = "small"
path = "small.ir"
options = ["--io-layout", "keep"]
expect = { operations = 0 }

[[models]]
name = "killer"
module = "killer.py:Net"
shapes = { x = "1,2" }
expect = { status = "died" }
"""
KILLER = "import os, signal\nos.kill(os.getppid(), signal.SIGKILL)\nclass Net: pass\n"
"""Ends the worker that runs its process."""


@pytest.fixture
def manifest(tmp_path: Path) -> Path:
    write(tmp_path / "conv.ir", CONV)
    write(tmp_path / "small.ir", SMALL)
    write(tmp_path / "killer.py", KILLER)
    return write(tmp_path / "zoo.toml", LIST)


def results_of(done: Result) -> dict[str, dict[str, Any]]:
    return {r["name"]: r for r in as_json(done)["report"]["results"]}


def test_a_run_and_another_one(
    call: Call,
    manifest: Path,
    tmp_path: Path,
    tmp_path_factory: pytest.TempPathFactory,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A worker that dies loses one model; what is known is not compiled again, and no temporary file is left."""
    temporary = tmp_path_factory.mktemp("temporary")
    monkeypatch.setenv("TMPDIR", str(temporary))
    monkeypatch.setattr(tempfile, "tempdir", None)
    args = ("zoo", "run", manifest, "--page", tmp_path / "zoo.html", "--json")
    done = call(*args)
    found = results_of(done)
    assert {name: r["status"] for name, r in found.items()} == {"conv": "ok", "small": "ok", "killer": "died"}
    assert done.exit_code == 1 and not found["conv"]["missed"] and not found["killer"]["missed"]
    assert found["small"]["missed"].startswith("operations ")
    assert not any(r["is_cached"] for r in found.values()) and all(r["change"] == "new" for r in found.values())
    assert "3 results: 2 ok, 1 died" in (tmp_path / "zoo.html").read_text()
    again = results_of(call(*args, "--only", "conv", "--only", "small"))
    assert set(again) == {"conv", "small"} and all(r["is_cached"] and not r["change"] for r in again.values())
    table = call("zoo", "run", manifest, "--only", "conv").stdout
    assert table.startswith("conv → tflite  ok ") and "0 transposes" in table
    assert call("zoo", "run", manifest, "--only", "conv", "-q").stdout.strip() == ""
    assert not [p for p in temporary.iterdir() if "dask" in p.name]


class TestTasks:
    def task(self, folder: Path, text: str = SMALL, **given: object) -> Task:
        path = write(folder / "m.ir", text)
        return replace(Task("m", "tflite", (str(path), "--target", "tflite"), (path,)), **given)  # pyright: ignore[reportArgumentType]

    def test_refused_and_out_of_time_and_of_memory(self, tmp_path: Path) -> None:
        refused = run_task(self.task(tmp_path, "func"), "k")
        assert refused.status == "failed" and refused.message.startswith("P001") and refused.misses(self.task(tmp_path))
        late = run_task(self.task(tmp_path, seconds=0.01), "k")
        assert late.status == "out of time" and "0.01 s" in late.message
        short = run_task(self.task(tmp_path, memory=1 << 20), "k")
        assert short.status in ("died", "failed"), "Python itself needs more"

    def test_a_device(self, tmp_path: Path) -> None:
        """Only its name chooses it: its files are called like TFLite's."""
        words = (str(write(tmp_path / "m.ir", SMALL)), "--target", "tflite-gpu")
        assert run_task(Task("m", "tflite-gpu", words), "k").status == "ok"

    def test_keys(self, tmp_path: Path) -> None:
        first = key_of(self.task(tmp_path))
        assert first == key_of(self.task(tmp_path))
        assert first != key_of(self.task(tmp_path, SMALL + "\n")), "the file is another one"
        assert first != key_of(self.task(tmp_path, target="onnx"))
        net = Task("m", "tflite", ("--module", f"{write(tmp_path / 'net.py', '')}:Net", "--target", "tflite"))
        assert key_of(net) != key_of(replace(net, words=(net.words[0], f"{net.words[1]}2", *net.words[2:])))
        module = Task("m", "tflite", ("--module", "torch.nn:Conv2d", "--target", "tflite"))
        assert key_of(module) != key_of(replace(module, words=("--module", "onnx:Conv2d", "--target", "tflite")))

    def test_expectations(self, tmp_path: Path) -> None:
        good = ZooResult("m", "tflite", "ok", operations=5, transposes=1, bytes=100, error=1e-6)
        assert not good.misses(self.task(tmp_path))
        bounds = self.task(tmp_path, expected=Expected(operations=5, transposes=0, error=1e-7))
        assert good.misses(bounds) == "transposes 1 > 0, error 1e-06 > 1e-07"
        assert good.misses(self.task(tmp_path, expected=Expected(status="failed"))) == "failed is expected"
        assert not replace(good, status="failed").misses(self.task(tmp_path, expected=Expected(status="failed")))

    @pytest.mark.parametrize(
        ("change", "said"),
        [
            ({}, ""),
            ({"transposes": 2}, "worse: transposes 1 → 2"),
            ({"bytes": 200}, "worse: bytes 100 → 200"),
            ({"bytes": 101}, ""),
            ({"error": 1e-3}, "worse: error 1.0e-06 → 1.0e-03"),
            ({"error": 9e-6}, ""),
            ({"operations": 4}, "better: operations 5 → 4"),
            ({"status": "differs"}, "worse: it is ok → differs"),
        ],
    )
    def test_regressions(self, change: dict[str, object], said: str, tmp_path: Path) -> None:
        old = ZooResult("m", "tflite", "ok", operations=5, transposes=1, bytes=100, error=1e-6)
        new = replace(old, **change)  # pyright: ignore[reportArgumentType]
        row = _row(self.task(tmp_path), new, old)
        assert row.change == said and row.is_worse == said.startswith("worse")

    def test_a_damaged_cache(self, tmp_path: Path) -> None:
        cache = Cache(tmp_path)
        cache.keep(ZooResult("m", "tflite", "ok", key="k"))
        assert cache.find("k") == ZooResult("m", "tflite", "ok", key="k", is_cached=True)
        write(tmp_path / "results" / "k.json", "[{")
        assert cache.find("k") is None and cache.find("j") is None
        write(tmp_path / "file", "")
        with pytest.raises(CompileError, match="R012"):
            Cache(tmp_path / "file")

    def test_history(self, tmp_path: Path) -> None:
        cache, task = Cache(tmp_path / "cache"), self.task(tmp_path)
        for status in ("ok", "differs", "ok"):
            cache.finish([ZooResult("m", "tflite", status)])
        row = Row(task, ZooResult("m", "tflite", "ok", message="<b>"), "", "", is_worse=False)
        page = zoo_page([row], cache.runs(), "zoo")
        assert page.count("■") == 3 and "&lt;b&gt;" in page


class TestManifest:
    @pytest.mark.parametrize(
        ("text", "code", "said"),
        [
            ("[[models]", "L014", "Expected"),
            ("", "L014", "lists no models"),
            ('[[models]]\npath = "m.ir"', "L014", "without a name"),
            ('[[models]]\nname = "m"', "L014", "either a path or a module"),
            ('[[models]]\nname = "m"\npath = "m.ir"\ntarget = "onnx"', "L014", "did you mean 'targets'?"),
            ('[[models]]\nname = "m"\npath = "m.ir"\ntargets = "onnx"', "L014", "targets of m can't be 'onnx'"),
            ('[[models]]\nname = "m"\npath = "m.ir"\ntargets = ["onx"]', "L008", "did you mean 'onnx'?"),
            ('[[models]]\nname = "m"\npath = "m.ir"\nmemory = "much"', "L014", "memory of m"),
            (
                '[[models]]\nname = "m"\npath = "m.ir"\nexpect = { error = 1, eror = 2 }',
                "L014",
                "did you mean 'error'?",
            ),
            ('[[models]]\nname = "m"\npath = "m.ir"\n' * 2, "L014", "listed twice"),
        ],
    )
    def test_what_can_not_be(self, text: str, code: str, said: str, tmp_path: Path) -> None:
        with pytest.raises(CompileError) as caught:
            read_manifest(write(tmp_path / "zoo.toml", text))
        assert caught.value.diagnostics[0].code == code and said in str(caught.value)

    def test_no_such_file_and_no_such_model(self, tmp_path: Path, manifest: Path) -> None:
        with pytest.raises(CompileError, match="R010"):
            read_manifest(tmp_path / "none.toml")
        with pytest.raises(CompileError, match="no model is called like"):
            select(read_manifest(manifest), ["resnet"])

    def test_files_lie_beside_the_list(self, manifest: Path) -> None:
        conv, *_, killer = read_manifest(manifest)
        assert conv.words == (str(manifest.with_name("conv.ir")), "--target", "tflite")
        assert conv.files == (manifest.with_name("conv.ir"),) and killer.words[1].endswith("killer.py:Net")

    def test_the_one_of_the_docs(self, tmp_path: Path) -> None:
        (text,) = re.findall(
            r'^```toml title="zoo.toml"\n(.*?)^```', (ROOT / "docs" / "zoo.md").read_text(), re.MULTILINE | re.DOTALL
        )
        write(tmp_path / "model.onnx", "")
        titles = [task.title for task in read_manifest(write(tmp_path / "zoo.toml", text))]
        assert titles == ["detector → tflite", "detector → onnx", "layer → tflite"]

    def test_the_one_to_begin_with(self) -> None:
        tasks = read_manifest(ROOT / "examples" / "zoo.toml")
        assert len({task.name for task in tasks}) >= 70 and {task.target for task in tasks} == {"tflite", "onnx"}


def test_no_scheduler(call: Call, manifest: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("nhwcc.zoo.cluster.PATIENCE", 0.2)
    done = call("zoo", "run", manifest, "--scheduler", "tcp://127.0.0.1:9", "--json")
    assert done.exit_code == 1 and as_json(done)["diagnostics"][0]["code"] == "R027"

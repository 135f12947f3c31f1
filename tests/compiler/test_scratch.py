"""Folders for what is not finished."""

from __future__ import annotations

import gc
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest
from nhwcc.compiler import scratch
from nhwcc.compiler.scratch import HIDDEN, PLAIN, Scratch

HOLD = """
import sys, time
from pathlib import Path
from nhwcc.compiler.scratch import Scratch
held = Scratch(Path(sys.argv[1]))
(held.path / "half").write_text("x")
print(held.path, flush=True)
time.sleep(60)
"""


@pytest.fixture(autouse=True)
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep to a folder for temporary files that is ours alone."""
    (tmp_path / "temporary").mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "temporary"))


def test_it_vanishes(tmp_path: Path) -> None:
    with Scratch() as first:
        (first.path / "file").write_text("x")
        assert first.path.parent == tmp_path / "temporary"
    second = Scratch(tmp_path / "out")
    path = second.path
    assert path.parent == tmp_path and path.stat().st_mode & 0o777 == 0o700
    del second
    gc.collect()
    assert not first.path.exists() and not path.exists()


def holder(beside: Path) -> tuple[subprocess.Popen[str], Path]:
    command = [sys.executable, "-c", HOLD, str(beside)]
    env = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=env)
    assert process.stdout is not None
    return process, Path(process.stdout.readline().strip())


def test_what_a_killed_process_left_is_removed_by_the_next(tmp_path: Path) -> None:
    process, left = holder(tmp_path / "out")
    with process:
        with Scratch(tmp_path / "out"):
            assert (left / "half").exists(), "it lives"
        process.send_signal(signal.SIGKILL)
        process.wait()
    assert left.exists()
    with Scratch(tmp_path / "other"):
        assert not left.exists()


def test_what_is_not_ours_stays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "precious").mkdir()
    (tmp_path / "precious" / "file").write_text("x")
    (tmp_path / f"{HIDDEN}link").symlink_to(tmp_path / "precious")
    (tmp_path / f"{HIDDEN}file").write_text("x")
    (tmp_path / f"{PLAIN}elsewhere").mkdir()
    with Scratch(tmp_path / "out"):
        pass
    assert (tmp_path / "precious" / "file").exists() and (tmp_path / f"{HIDDEN}link").is_symlink()
    assert (tmp_path / f"{HIDDEN}file").exists() and (tmp_path / f"{PLAIN}elsewhere").exists()
    (tmp_path / f"{HIDDEN}theirs").mkdir()
    monkeypatch.setattr(os, "geteuid", lambda: 12345)
    with Scratch(tmp_path / "out"):
        assert (tmp_path / f"{HIDDEN}theirs").exists()


def test_where_there_are_no_locks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody knows who lives, so that nothing is removed but one's own."""

    def refuse(*_: object) -> None:
        raise OSError

    monkeypatch.setattr(scratch.fcntl, "flock", refuse)
    first = Scratch(tmp_path / "out")
    with Scratch(tmp_path / "out") as second:
        assert first.path.exists() and second.path.exists()
    first.close()
    assert not first.path.exists() and not second.path.exists()


def test_a_folder_that_is_swept_while_it_is_made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[Path] = []
    make = tempfile.mkdtemp

    def slow(**given: object) -> str:
        made.append(Path(make(prefix=str(given["prefix"]), dir=tmp_path)))
        if len(made) == 1:
            made[0].rmdir()
        return str(made[-1])

    monkeypatch.setattr(tempfile, "mkdtemp", slow)
    with Scratch(tmp_path / "out") as found:
        assert len(made) == 2 and found.path == made[1] and found.path.is_dir()


def test_an_interruption_while_it_is_removed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    given, whole = Scratch(), shutil.rmtree
    (given.path / "file").touch()

    def interrupted(*_: object, **__: bool) -> None:
        monkeypatch.setattr(shutil, "rmtree", whole)
        raise KeyboardInterrupt

    monkeypatch.setattr(shutil, "rmtree", interrupted)
    with pytest.raises(KeyboardInterrupt):
        given.close()
    assert not given.path.exists()

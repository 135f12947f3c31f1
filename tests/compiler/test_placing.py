"""What is finished comes to its place whole, whenever the process ends, and whoever else writes there."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from nhwcc.compiler.placing import OLD, PROOF, WHOLE, WRITING, place
from nhwcc.compiler.scratch import HIDDEN, Scratch

ENDING = """
import os, sys
from pathlib import Path
from nhwcc.compiler import placing
from nhwcc.compiler.scratch import Scratch

target, kind, moment, number = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
signals = __import__("signal")
signals.signal(signals.SIGTERM, lambda *_: sys.exit(143))
calls = 0

def ending(move):
    def moved(self, where):
        global calls
        if calls == moment:
            os.kill(os.getpid(), number)
        calls += 1
        return move(self, where)
    return moved

with Scratch(target) as scratch:
    drafts = scratch.path / placing.WRITING
    drafts.mkdir()
    if kind == "folder":
        (drafts / target.name).mkdir()
        (drafts / target.name / "new").write_text("new")
    else:
        (drafts / target.name).write_text("new")
        (drafts / f"{target.name}.data").write_text("new")
    for name in ("rename", "replace"):
        setattr(Path, name, ending(getattr(Path, name)))
    placing.place(drafts, target)
"""


def ended(target: Path, kind: str, moment: int, number: int) -> int:
    env = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    command = [sys.executable, "-c", ENDING, str(target), kind, str(moment), str(int(number))]
    return subprocess.run(command, env=env, check=False).returncode


def old_output(target: Path, kind: str) -> None:
    if kind == "folder":
        target.mkdir()
        (target / "old").write_text("old")
    else:
        target.write_text("old")
        target.with_name(f"{target.name}.data").write_text("old")


def content(target: Path, kind: str) -> list[str]:
    files = target.iterdir() if kind == "folder" else (target, target.with_name(f"{target.name}.data"))
    return [file.read_text() for file in files]


@pytest.mark.parametrize("kind", ["folder", "pair"])
@pytest.mark.parametrize("moment", [0, 1, 2])
def test_a_killed_process_leaves_what_the_next_finishes(tmp_path: Path, kind: str, moment: int) -> None:
    target = tmp_path / "out"
    old_output(target, kind)
    assert ended(target, kind, moment, signal.SIGKILL) == -signal.SIGKILL
    with Scratch(target):
        pass
    assert set(content(target, kind)) == {"old" if moment == 0 else "new"}
    assert len(list(tmp_path.iterdir())) == (1 if kind == "folder" else 2)


@pytest.mark.parametrize("kind", ["folder", "pair"])
def test_a_process_that_is_asked_to_end_finishes_first(tmp_path: Path, kind: str) -> None:
    target = tmp_path / "out"
    old_output(target, kind)
    assert ended(target, kind, 1, signal.SIGTERM) == 143
    assert set(content(target, kind)) == {"new"}
    assert len(list(tmp_path.iterdir())) == (1 if kind == "folder" else 2)


def test_what_somebody_wrote_since_stays(tmp_path: Path) -> None:
    target = tmp_path / "out"
    old_output(target, "pair")
    ended(target, "pair", 2, signal.SIGKILL)
    target.write_text("newer")
    with Scratch(target):
        pass
    assert target.read_text() == "newer"


@pytest.mark.parametrize("name", [WHOLE, OLD])
def test_links_are_not_followed(tmp_path: Path, name: str) -> None:
    (tmp_path / "precious").mkdir()
    (tmp_path / "precious" / "file").write_text("x")
    left = tmp_path / f"{HIDDEN}planted"
    (left / WHOLE).mkdir(parents=True)
    (left / WHOLE).rename(left / "elsewhere") if name == WHOLE else (left / WHOLE / "out").mkdir()
    (left / name).symlink_to(tmp_path / "precious")
    with Scratch(tmp_path / "out"):
        pass
    assert [p.name for p in tmp_path.rglob("*")] == ["precious", "file"]


@pytest.mark.parametrize("proof", [None, "", "0" * 64])
def test_a_folder_that_came_with_other_files_replaces_nothing(tmp_path: Path, proof: str | None) -> None:
    """An archive may hold what looks like the folder of a killed process, with newer files in it."""
    mine = tmp_path / "weights.bin"
    mine.write_text("mine")
    os.utime(mine, (1, 1))
    left = tmp_path / f"{HIDDEN}planted"
    (left / WHOLE).mkdir(parents=True)
    (left / WHOLE / mine.name).write_text("theirs")
    if proof is not None:
        (left / PROOF).write_text(proof)
    with Scratch(tmp_path / "out"):
        pass
    assert mine.read_text() == "mine" and list(tmp_path.iterdir()) == [mine]


def test_a_proof_is_that_of_one_folder(tmp_path: Path) -> None:
    target = tmp_path / "out"
    old_output(target, "pair")
    ended(target, "pair", 2, signal.SIGKILL)
    (left,) = (p for p in tmp_path.iterdir() if p.name.startswith(HIDDEN))
    copy = tmp_path / f"{HIDDEN}copy"
    shutil.copytree(left, copy)
    shutil.rmtree(left)
    with Scratch(target):
        pass
    assert target.read_text() == "old"


def drafted(target: Path, text: str) -> tuple[Scratch, Path]:
    scratch = Scratch(target)
    drafts = scratch.path / WRITING
    (drafts / target.name).mkdir(parents=True)
    (drafts / target.name / "a").write_text(text)
    return scratch, drafts


def test_many_at_once(tmp_path: Path) -> None:
    """A folder is replaced in two steps, between which nobody else comes."""
    target = tmp_path / "out"
    made = [drafted(target, str(i)) for i in range(40)]
    failed: list[BaseException] = []

    def put(drafts: Path) -> None:
        try:
            place(drafts, target)
        except OSError as bad:
            failed.append(bad)

    threads = [threading.Thread(target=put, args=(drafts,)) for _, drafts in made]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failed and [p.name for p in target.iterdir()] == ["a"]


class TestPermissions:
    def test_of_folders(self, tmp_path: Path) -> None:
        target = tmp_path / "out"
        target.mkdir()
        (target / "a").write_text("old")
        (target / "a").chmod(0o600)
        target.chmod(0o700)
        scratch, drafts = drafted(target, "new")
        (drafts / "out" / "b").write_text("new")
        place(drafts, target)
        scratch.close()
        modes = {path.name: path.stat().st_mode & 0o777 for path in (target, *target.iterdir())}
        assert (modes["out"], modes["a"]) == (0o700, 0o600) and (target / "a").read_text() == "new"

    def test_of_files_that_come_to_lie_beside(self, tmp_path: Path) -> None:
        """Who may not read the network may not read weights that were in it before."""
        target = tmp_path / "net.onnx"
        target.write_text("old")
        target.chmod(0o600)
        with Scratch(target) as scratch:
            drafts = scratch.path / WRITING
            drafts.mkdir()
            for name in ("net.onnx", "net.onnx.data"):
                (drafts / name).write_text("new")
            place(drafts, target)
        assert [p.stat().st_mode & 0o777 for p in tmp_path.iterdir()] == [0o600, 0o600]

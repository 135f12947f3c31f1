"""Files appear whole or not at all, and never in the place of the model."""

from __future__ import annotations

import os
import resource
import subprocess
import sys
from pathlib import Path

import pytest
from models import answering
from nhwcc.compiler.diagnostics import CompileError

from nhwcc.files import check_not_beside, check_not_source, check_writable, replacing, save_text, scratch


def code(caught: pytest.ExceptionInfo[CompileError]) -> str:
    return caught.value.diagnostics[0].code


def everything(folder: Path) -> list[str]:
    return sorted(p.name for p in folder.rglob("*"))


def test_whole(tmp_path: Path) -> None:
    target = tmp_path / "out.txt"
    with replacing(target) as draft:
        draft.write_text("new")
        assert not target.exists() and draft.name == "out.txt"
    assert target.read_text() == "new" and everything(tmp_path) == ["out.txt"]


def test_not_at_all(tmp_path: Path) -> None:
    target = tmp_path / "out.txt"
    target.write_text("old")

    def fail() -> None:
        with replacing(target) as draft:
            draft.write_text("half of the")
            raise KeyError

    with pytest.raises(KeyError):
        fail()
    assert target.read_text() == "old" and everything(tmp_path) == ["out.txt"]


def test_ordinary_permissions(tmp_path: Path) -> None:
    save_text(tmp_path / "a", "x")
    (tmp_path / "b").write_text("x")
    assert (tmp_path / "a").stat().st_mode == (tmp_path / "b").stat().st_mode


def test_a_link_stays_a_link(tmp_path: Path) -> None:
    (tmp_path / "there").mkdir()
    real, link = tmp_path / "there" / "real", tmp_path / "link"
    real.write_text("old")
    link.symlink_to(real)
    save_text(link, "new")
    assert link.is_symlink() and real.read_text() == "new"


def test_who_may_read_it_stays(tmp_path: Path) -> None:
    for mode in (0o600, 0o640, 0o755):
        (tmp_path / "a").write_text("old")
        (tmp_path / "a").chmod(mode)
        save_text(tmp_path / "a", "new")
        assert (tmp_path / "a").stat().st_mode & 0o777 == mode and (tmp_path / "a").read_text() == "new"


def test_long_names(tmp_path: Path) -> None:
    save_text(tmp_path / ("n" * 255), "x")
    assert everything(tmp_path) == ["n" * 255]
    for name in ("n" * 256, "ä" * 128, "n/" * 2500 + "n"):
        with pytest.raises(CompileError, match=r"can't write(.|\n)*(too long|no folder)") as caught:
            save_text(tmp_path / name, "x")
        assert code(caught) == "R012"
    assert everything(tmp_path) == ["n" * 255]


def test_names_that_are_none(tmp_path: Path) -> None:
    (tmp_path / "loop").symlink_to("loop")
    (tmp_path / "a").symlink_to("b")
    (tmp_path / "b").symlink_to("a")
    for name in ("x\0y", "loop", "a", "loop/x"):
        with pytest.raises(CompileError) as caught:
            save_text(tmp_path / name, "x")
        assert code(caught) == "R012"
    assert everything(tmp_path) == ["a", "b", "loop"]


def test_a_link_to_nothing(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to("there")
    save_text(tmp_path / "link", "new")
    assert (tmp_path / "link").is_symlink() and (tmp_path / "there").read_text() == "new"


def test_a_missing_folder(tmp_path: Path) -> None:
    with pytest.raises(CompileError, match="there is no folder") as caught:
        save_text(tmp_path / "none" / "out", "x")
    assert code(caught) == "R012" and everything(tmp_path) == []


def test_a_folder_is_no_file(tmp_path: Path) -> None:
    with pytest.raises(CompileError, match="it is a folder") as caught:
        check_writable(tmp_path)
    assert code(caught) == "R012"


def test_devices_are_left_alone() -> None:
    with pytest.raises(CompileError, match="is not a file"):
        check_writable(Path(os.devnull))


def test_a_folder_that_is_read_only(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Asked of the system, since the superuser may write anywhere."""
    monkeypatch.setattr(os, "access", answering(value=False))
    with pytest.raises(CompileError, match="read-only") as caught:
        save_text(tmp_path / "out", "x")
    assert code(caught) == "R012" and everything(tmp_path) == []


FULL = """
import resource, sys
from pathlib import Path
from nhwcc.compiler.diagnostics import CompileError
from nhwcc.files import replacing
resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))
try:
    with replacing(Path(sys.argv[1])) as draft:
        draft.write_bytes(bytes(2000))
except CompileError as bad:
    sys.stdout.write(bad.diagnostics[0].code)
"""


def test_a_full_disk(tmp_path: Path) -> None:
    """A limit on the size of files fails in the middle of writing, as a full disk does."""
    assert resource.RLIMIT_FSIZE
    target = tmp_path / "out"
    target.write_text("old")
    env = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run(
        [sys.executable, "-c", FULL, str(target)], capture_output=True, text=True, env=env, check=False
    )
    assert done.stdout == "R012", done.stderr
    assert target.read_text() == "old" and everything(tmp_path) == ["out"]


class TestSources:
    def test_the_file_itself(self, tmp_path: Path) -> None:
        model = tmp_path / "m.onnx"
        model.write_text("x")
        for other in (model, tmp_path / "." / "m.onnx", tmp_path / "no" / ".." / "m.onnx"):
            (tmp_path / "no").mkdir(exist_ok=True)
            with pytest.raises(CompileError) as caught:
                check_not_source(other, [model])
            assert code(caught) == "R016"

    def test_links(self, tmp_path: Path) -> None:
        model = tmp_path / "m.onnx"
        model.write_text("x")
        soft, hard = tmp_path / "soft", tmp_path / "hard"
        soft.symlink_to(model)
        hard.hardlink_to(model)
        for link in (soft, hard):
            with pytest.raises(CompileError):
                check_not_source(link, [model])
            with pytest.raises(CompileError):
                check_not_source(model, [link])

    def test_other_files(self, tmp_path: Path) -> None:
        (tmp_path / "m.onnx").write_text("x")
        (tmp_path / "old.tflite").write_text("x")
        check_not_source(tmp_path / "old.tflite", [tmp_path / "m.onnx"])
        check_not_source(tmp_path / "new.tflite", [tmp_path / "m.onnx"])


class TestFolders:
    """A folder as output appears whole, and takes the place of an old one whole."""

    def test_a_new_one(self, tmp_path: Path) -> None:
        with replacing(tmp_path / "saved", folder=True) as draft:
            draft.mkdir()
            (draft / "a").write_text("new")
        assert [p.name for p in tmp_path.iterdir()] == ["saved"] and (tmp_path / "saved/a").read_text() == "new"

    def test_one_that_was_there(self, tmp_path: Path) -> None:
        old = tmp_path / "saved"
        old.mkdir()
        (old / "stale").write_text("old")
        with replacing(old, folder=True) as draft:
            draft.mkdir()
            (draft / "a").write_text("new")
        assert [p.name for p in old.iterdir()] == ["a"] and [p.name for p in tmp_path.iterdir()] == ["saved"]

    def test_what_fails_changes_nothing(self, tmp_path: Path) -> None:
        old = tmp_path / "saved"
        old.mkdir()
        (old / "stale").write_text("old")
        with pytest.raises(CompileError, match="exists"), replacing(old, folder=True) as draft:
            draft.mkdir(exist_ok=(draft.mkdir() is not None))
        assert (old / "stale").read_text() == "old" and [p.name for p in tmp_path.iterdir()] == ["saved"]

    def test_a_file_in_its_place(self, tmp_path: Path) -> None:
        (tmp_path / "saved").write_text("mine")
        with (
            pytest.raises(CompileError, match="it is a file, but a folder"),
            replacing(tmp_path / "saved", folder=True),
        ):
            pass


def test_files_beside_come_along(tmp_path: Path) -> None:
    """The file itself is replaced last: whoever reads it finds the others."""
    with replacing(tmp_path / "net.onnx") as draft:
        draft.write_text("net")
        draft.with_name("net.onnx.data").write_text("weights")
    assert sorted(p.name for p in tmp_path.iterdir()) == ["net.onnx", "net.onnx.data"]


def test_what_lies_in_a_temporary_folder_is_replaced_there() -> None:
    with scratch() as folder:
        for text in ("old", "new"):
            save_text(folder.path / "out", text)
        assert (folder.path / "out").read_text() == "new"


def test_weights_of_the_model_are_no_side_file(tmp_path: Path) -> None:
    """An output's own weights may come to lie where the model's are."""
    check_not_beside(tmp_path / "a.onnx", [tmp_path / "b.onnx", tmp_path / "b.onnx.data"])
    with pytest.raises(CompileError) as caught:
        check_not_beside(tmp_path / "a.onnx", [tmp_path / "b.onnx", tmp_path / "a.onnx.data"])
    assert code(caught) == "R016"

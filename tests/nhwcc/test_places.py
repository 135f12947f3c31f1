"""Where rules of a file are applied."""

from __future__ import annotations

from pathlib import Path

import pytest
from models import write
from nhwcc.compiler.diagnostics import CompileError

from nhwcc.options import CompileOptions
from nhwcc.pipelines import build_pipeline, register_passes
from nhwcc.places import Place, read_place


def names(*rules: str, pipeline: str = "cse,dce,cse") -> list[str]:
    register_passes()
    return [p.name for p in build_pipeline(CompileOptions(rules=rules), pipeline)]


@pytest.fixture
def rules(tmp_path: Path) -> Path:
    return write(tmp_path / "my.rules", "rule twice: add(%x, %x) => mul(%x, 2)")


def test_before_all_passes_or_around_every_one_of_a_name(rules: Path) -> None:
    assert names(f"{rules}") == ["apply-rules", "cse", "dce", "cse"]
    assert names(f"before:dce={rules}") == ["cse", "apply-rules", "dce", "cse"]
    assert names(f"after:cse={rules}") == ["cse", "apply-rules", "dce", "cse", "apply-rules"]
    assert names(f"{rules}", f"before:cse={rules}", f"after:cse={rules}", pipeline="cse") == [
        "apply-rules", "apply-rules", "cse", "apply-rules",
    ]  # fmt: skip


def test_a_pass_that_is_not_there(rules: Path) -> None:
    with pytest.raises(CompileError) as caught:
        names(f"after:csee={rules}")
    told = caught.value.diagnostics[0]
    assert told.code == "L002" and told.help == "did you mean 'cse'?"


def test_a_file_that_is_called_like_a_place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("after:cse=my.rules").touch()
    assert read_place("after:cse=my.rules") == Place(Path("after:cse=my.rules"))
    assert read_place("after:cse=other.rules") == Place(Path("other.rules"), "after", "cse")
    assert read_place(Path("x.rules")) == Place(Path("x.rules"))

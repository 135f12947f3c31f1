"""Where rules of a file are applied."""

from __future__ import annotations

from pathlib import Path
from typing import Any

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


def around(
    pipeline: str | None = None, before: dict[str, str] | None = None, after: dict[str, str] | None = None
) -> list[str]:
    register_passes()
    options = CompileOptions(passes=pipeline, before=before, after=after)
    return [p.name for p in build_pipeline(options, "cse,dce,cse")]


def test_pipelines_around_passes() -> None:
    assert around(before={"dce": "fold-constants"}) == ["cse", "fold-constants", "dce", "cse"]
    assert around(after={"cse": "dce,fold-constants"}) == [
        "cse", "dce", "fold-constants", "dce", "cse", "dce", "fold-constants",
    ]  # fmt: skip
    assert around(before={"dce": "fold-constants"}, after={"fold-constants": "cse"}) == [
        "cse", "fold-constants", "cse", "dce", "cse",
    ]  # fmt: skip


def test_rules_around_a_pass_that_was_added(rules: Path) -> None:
    register_passes()
    options = CompileOptions(before={"dce": "fold-constants"}, rules=[f"after:fold-constants={rules}"])
    assert [p.name for p in build_pipeline(options, "dce")] == ["fold-constants", "apply-rules", "dce"]


def test_the_targets_own_pipeline_in_another() -> None:
    assert around("fold-constants,default") == ["fold-constants", "cse", "dce", "cse"]
    assert around("default,default,dce")[-2:] == ["cse", "dce"]
    assert around("") == []


@pytest.mark.parametrize("given", [{"before": {"dcee": "cse"}}, {"after": {"dce": "csee"}}])
def test_names_that_are_not_there(given: dict[str, Any]) -> None:
    with pytest.raises(CompileError) as caught:
        around(**given)
    told = caught.value.diagnostics[0]
    assert told.code == "L002" and told.help is not None and told.help.startswith("did you mean")

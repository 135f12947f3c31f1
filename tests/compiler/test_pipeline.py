"""Pipelines: the language, its mistakes, hooks, files of passes."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import pytest
from nhwcc.compiler.diagnostics import CompileError, Diagnostic
from nhwcc.compiler.ir import Module
from nhwcc.compiler.pipeline import PASSES, Pass, Pipeline, parse_pipeline, register
from nhwcc.compiler.plugins import load_file


@register("test-options")
class Options(Pass):
    """A pass with an option of every kind."""

    size: int
    rate: float = 0.5
    is_on: bool = False
    mode: Literal["fast", "small"] = "fast"
    text: str = ""

    def run(self, module: Module) -> None:
        """Do nothing."""


@register("test-failing")
class Failing(Pass):
    """A pass that fails."""

    def run(self, module: Module) -> None:
        """Fail."""
        raise ValueError("as asked")


def parse(text: str) -> list[str]:
    return [str(p) for p in parse_pipeline(text)]


def problem(text: str) -> Diagnostic:
    with pytest.raises(CompileError) as caught:
        parse_pipeline(text)
    return caught.value.diagnostics[0]


def test_options_of_every_kind() -> None:
    (only,) = parse_pipeline("test-options{size=3,rate=1e-2,is-on,mode=small,text=a/b}")
    assert only == Options(size=3, rate=0.01, is_on=True, mode="small", text="a/b")


def test_what_a_pipeline_prints_as_is_read_again() -> None:
    text = "test-options{size=3,is-on=true,text=a=b;c},test-failing,test-options{size=-1,mode=small}"
    assert ",".join(parse(text)) == text


@pytest.mark.parametrize("text", ["", "   ", "test-failing", " test-failing , test-failing", "test-failing{}"])
def test_spaces_and_emptiness(text: str) -> None:
    assert parse(text) == ["test-failing"] * text.count("failing")


def test_defaults_are_not_printed() -> None:
    assert str(Options(size=1, rate=0.5, is_on=False)) == "test-options{size=1}"


@pytest.mark.parametrize("text", ["a b", "Upper", "test-failing;test-failing", "test-failing{", "{}", ",", "a,,b"])
def test_malformed(text: str) -> None:
    bad = problem(text.replace("a", "test-failing", 1) if text.startswith("a") else text)
    assert bad.code == "L001" and bad.excerpt is not None and bad.excerpt.endswith("^")


def test_a_comma_at_the_end_is_harmless() -> None:
    assert parse("test-failing,") == parse("test-failing, ") == ["test-failing"]


def test_unknown_pass() -> None:
    bad = problem("test-failing, test-optoins{size=1}")
    assert bad.code == "L002" and bad.help == "did you mean 'test-options'?"
    assert bad.excerpt == "test-failing, test-optoins{size=1}\n              ^^^^^^^^^^^^"


def test_unknown_pass_like_no_other() -> None:
    assert problem("zzz").help == "nhwcc passes lists them"


def test_unknown_option() -> None:
    bad = problem("test-options{sise=1}")
    assert bad.code == "L003" and bad.help is not None and "size, rate, is-on, mode, text" in bad.help


@pytest.mark.parametrize("text", ["size=x", "size=", "size=1,rate=fast", "size=1,is-on=maybe", "size=1,mode=slow"])
def test_bad_values(text: str) -> None:
    assert problem(f"test-options{{{text}}}").code == "L004"


def test_missing_values() -> None:
    bad = problem("test-options")
    assert bad.code == "L004" and "needs a value for size" in bad.message


def test_hooks_see_every_pass_with_its_number() -> None:
    seen: list[tuple[str, int, str]] = []
    Pipeline(
        parse_pipeline("test-options{size=1},test-options{size=2}"),
        before=[lambda n, p, m: seen.append(("before", n, str(p)))],
        after=[lambda n, p, m: seen.append(("after", n, str(p)))],
    ).run(Module())
    first, second = "test-options{size=1}", "test-options{size=2}"
    assert seen == [("before", 1, first), ("after", 1, first), ("before", 2, second), ("after", 2, second)]


def test_an_error_names_the_guilty_pass() -> None:
    with pytest.raises(ValueError, match="as asked") as caught:
        Pipeline(parse_pipeline("test-options{size=1},test-failing")).run(Module())
    assert caught.value.__notes__ == ["while running pass test-failing (number 2 of test-options,test-failing)"]


def test_a_pass_needs_a_docstring() -> None:
    class Silent(Pass):
        def run(self, module: Module) -> None:
            """Do nothing."""

    Silent.__doc__ = None
    with pytest.raises(TypeError, match="needs a docstring"):
        register("test-silent")(Silent)


def test_a_name_is_taken_once() -> None:
    with pytest.raises(TypeError, match="registered twice"):

        @register("test-failing")
        class Another(Pass):  # pyright: ignore[reportUnusedClass]
            """Another pass."""

            def run(self, module: Module) -> None:
                """Do nothing."""


class TestFiles:
    def test_a_file_brings_passes(self, tmp_path: Path) -> None:
        path = tmp_path / "mine.py"
        path.write_text(
            "from nhwcc.compiler.pipeline import Pass, register\n"
            "@register('test-from-file')\n"
            "class Mine(Pass):\n"
            "    '''Mine.'''\n"
            "    def run(self, module): pass\n"
        )
        load_file(path)
        load_file(path.parent / "." / path.name)  # once is enough: the name is taken
        try:
            assert parse("test-from-file") == ["test-from-file"]
        finally:
            del PASSES["test-from-file"]

    def test_a_file_that_is_not_there(self, tmp_path: Path) -> None:
        with pytest.raises(CompileError) as caught:
            load_file(tmp_path / "none.py")
        assert caught.value.diagnostics[0].code == "R010"

    def test_a_file_that_fails(self, tmp_path: Path) -> None:
        path = tmp_path / "broken.py"
        path.write_text("import no_such_module_at_all\n")
        with pytest.raises(CompileError) as caught:
            load_file(path)
        bad = caught.value.diagnostics[0]
        assert bad.code == "L010" and "ModuleNotFoundError" in bad.message and f"{path}:1" in bad.message

    def test_a_file_that_is_no_python(self, tmp_path: Path) -> None:
        path = tmp_path / "pass.txt"
        path.write_text("x = 1")
        with pytest.raises(CompileError) as caught:
            load_file(path)
        assert caught.value.diagnostics[0].code == "R010"

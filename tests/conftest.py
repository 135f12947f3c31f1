"""Collects ``*.ir`` files: every case states a pipeline, IR before and IR after."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import cast

import pytest
from comparing import compare
from firing import Firing
from nhwcc.compiler import ops as _ops  # noqa: F401  # pyright: ignore[reportUnusedImport]
from nhwcc.compiler.diagnostics import CompileError, Remark, collect_remarks
from nhwcc.compiler.ir import Module
from nhwcc.compiler.parser import parse_module
from nhwcc.compiler.pipeline import Pipeline, discover, parse_pipeline
from nhwcc.compiler.printer import print_module
from nhwcc.compiler.verify import verify

discover("nhwcc.passes")

SEPARATOR = "// -----\n"


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--bless", action="store_true", help="rewrite expected IR")
    parser.addoption("--rewrites", action="store_true", help="say which rewrites never fired")


def pytest_configure(config: pytest.Config) -> None:
    if config.getoption("--rewrites"):
        config.pluginmanager.register(Firing())


def pytest_collect_file(file_path: Path, parent: pytest.Collector) -> pytest.Collector | None:
    if file_path.suffix != ".ir":
        return None
    return cast(pytest.Collector, CaseFile.from_parent(parent, path=file_path))  # pyright: ignore[reportUnknownMemberType]


class CaseFile(pytest.File):
    """A file of cases, separated by ``// -----``."""

    def collect(self) -> Iterator[pytest.Item]:
        for number, text in enumerate(self.path.read_text().split(SEPARATOR)):
            title = re.search(r"^// (?!passes:|becomes|expect-)(.+)$", text, re.MULTILINE)
            name = title[1] if title else str(number)
            yield cast(pytest.Item, Case.from_parent(self, name=name, text=text))  # pyright: ignore[reportUnknownMemberType]


class Case(pytest.Item):
    """Runs the pipeline, compares structure, and compares results on random inputs.

    ``// expect-error: CODE`` says that the pipeline fails, ``// expect-missed: RULE: REASON`` that a rule nearly fired.
    """

    def __init__(self, *, text: str, **kwargs: object) -> None:
        super().__init__(**kwargs)  # pyright: ignore[reportArgumentType, reportUnknownMemberType]
        self.text = text

    def runtest(self) -> None:
        before, _, after = self.text.partition("// becomes\n")
        module, original = parse_module(before, self.path.name), parse_module(before, self.path.name)
        (pipeline,) = re.findall(r"^// passes: (.*)$", before, re.MULTILINE)
        errors: list[str] = re.findall(r"^// expect-error: (.*)$", before, re.MULTILINE)
        with collect_remarks() as remarks:
            if errors:
                with pytest.raises(CompileError) as caught:
                    self.transform(module, pipeline)
                assert [d.code for d in caught.value.diagnostics] == errors
                return
            self.transform(module, pipeline)
        self.check_missed(before, remarks)
        compare(module, original, self.name)
        if self.config.getoption("--bless"):
            blessed = f"{before}// becomes\n{print_module(module)}"
            self.path.write_text(self.path.read_text().replace(self.text.rstrip("\n") + "\n", blessed))
            return
        assert print_module(module) == print_module(parse_module(after, self.path.name))

    @staticmethod
    def transform(module: Module, pipeline: str) -> None:
        verify(module)
        Pipeline(parse_pipeline(pipeline), after=[lambda _n, _p, m: verify(m)]).run(module)

    @staticmethod
    def check_missed(text: str, remarks: list[Remark]) -> None:
        missed = [f"{r.by}: {r.text}" for r in remarks if r.kind == "missed"]
        for expected in re.findall(r"^// expect-missed: (.*)$", text, re.MULTILINE):
            assert expected in missed

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], style: object = None) -> str:
        return f"{self.name}: {excinfo.value}"

    def reportinfo(self) -> tuple[Path, int, str]:
        return self.path, 0, self.name

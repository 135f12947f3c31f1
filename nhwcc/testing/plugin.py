"""A plugin of pytest (``-p nhwcc.testing.plugin``): cases of ``.ir`` files are tests; ``--bless`` rewrites them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import cast

import pytest

from nhwcc.testing.cases import Case, read_cases


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the option ``--bless`` to pytest's command line."""
    parser.addoption("--bless", action="store_true", help="write what the IR becomes into .ir files, if numbers agree")


def pytest_collect_file(file_path: Path, parent: pytest.Collector) -> pytest.Collector | None:
    """Collect a file ``*.ir``; pytest calls this for every file."""
    if file_path.suffix != ".ir":
        return None
    return cast(pytest.Collector, CaseFile.from_parent(parent, path=file_path))  # pyright: ignore[reportUnknownMemberType]


class CaseFile(pytest.File):
    """A file ``*.ir`` as pytest sees it: a collection of cases."""

    def collect(self) -> Iterator[pytest.Item]:
        """Yield one test per case, named by the case's title."""
        for case in read_cases(self.path):
            item = CaseItem.from_parent(self, name=case.name, case=case)  # pyright: ignore[reportUnknownMemberType]
            yield cast(pytest.Item, item)


class CaseItem(pytest.Item):
    """One case as a test: the IR before, a pipeline, the IR after."""

    def __init__(self, *, case: Case, **kwargs: object) -> None:
        super().__init__(**kwargs)  # pyright: ignore[reportArgumentType, reportUnknownMemberType]
        self.case = case

    def runtest(self) -> None:
        """Run it, or take what it becomes for right."""
        if not self.config.getoption("--bless"):
            self.case.check()
            return
        new, text = self.case.blessed(), self.path.read_text(encoding="utf-8")
        self.path.write_text(text.replace(self.case.text.rstrip("\n") + "\n", new), encoding="utf-8")

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], style: object = None) -> str:
        """Return what is wrong with the case, without a Python traceback."""
        return f"{self.name}: {excinfo.value}"

    def reportinfo(self) -> tuple[Path, int, str]:
        """Return the file, the line and the title of the case, for pytest's report."""
        return self.path, 0, self.name

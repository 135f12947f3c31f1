"""A plugin of pytest (``-p nhwcc.testing.plugin``): cases of ``.ir`` files are tests; ``--bless`` rewrites them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import cast

import pytest

from nhwcc.testing.cases import Case, read_cases


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add ``--bless``."""
    parser.addoption("--bless", action="store_true", help="write what the IR becomes into .ir files, if numbers agree")


def pytest_collect_file(file_path: Path, parent: pytest.Collector) -> pytest.Collector | None:
    """Collect the cases of ``.ir`` files."""
    if file_path.suffix != ".ir":
        return None
    return cast(pytest.Collector, CaseFile.from_parent(parent, path=file_path))  # pyright: ignore[reportUnknownMemberType]


class CaseFile(pytest.File):
    """A file of cases."""

    def collect(self) -> Iterator[pytest.Item]:
        """Make a test of each."""
        for case in read_cases(self.path):
            item = CaseItem.from_parent(self, name=case.name, case=case)  # pyright: ignore[reportUnknownMemberType]
            yield cast(pytest.Item, item)


class CaseItem(pytest.Item):
    """A case as a test."""

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
        """Say what is wrong without a traceback."""
        return f"{self.name}: {excinfo.value}"

    def reportinfo(self) -> tuple[Path, int, str]:
        """Say where it stands."""
        return self.path, 0, self.name

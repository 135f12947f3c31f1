"""Modules from the project's own tests: every test runs up to its first rewriting, and leaves its module there.

A plug-in of pytest: ``python -m pytest -p tests.proofs.harvest --harvest FILE tests/backends``.
"""

from __future__ import annotations

import pickle
import subprocess
import sys
from collections.abc import Generator, Sequence
from contextlib import suppress
from pathlib import Path

import pytest
from nhwcc.compiler.ir import Module
from nhwcc.compiler.rewrite import Pattern, watch_rewriting

from .drafts import Body, TooLarge, draft

ROOT = Path(__file__).parents[2]
SOURCES = ("tests/backends",)
"""Those whose tests come to rewriting at once; what others write as text is read from them."""


class _Taken(BaseException):
    """Ends a test; no ``except Exception`` stops it."""


class _Taker:
    """Keeps the module that is about to be rewritten."""

    def __init__(self, drafts: dict[int, Body]) -> None:
        self.drafts = drafts

    def begin(self, module: Module, patterns: Sequence[Pattern]) -> None:
        try:
            taken = draft(module)
        except TooLarge:
            raise _Taken from None
        self.drafts.setdefault(taken.fingerprint(), taken)
        raise _Taken

    def fired(self, module: Module, pattern: Pattern) -> None:
        raise AssertionError("nothing is rewritten")


DRAFTS: dict[int, Body] = {}


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--harvest", type=Path, help="where to write the modules of all tests")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call() -> Generator[None, None, None]:
    with watch_rewriting(_Taker(DRAFTS)), suppress(_Taken):
        yield


def pytest_sessionfinish(session: pytest.Session) -> None:
    path = session.config.getoption("--harvest")
    assert isinstance(path, Path)
    path.write_bytes(pickle.dumps(list(DRAFTS.values())))


class Harvest:
    """Runs the tests in a process of its own, since they register operations and passes that belong to them.

    It is started at once; what comes next need not wait for it.
    """

    def __init__(self, folder: Path) -> None:
        self.path, self.said = folder / "drafts.pickle", folder / "tests.txt"
        options = ["-p", "tests.proofs.harvest", "-p", "no:cacheprovider", "-p", "no:xdist", "--harvest", self.path]
        with self.said.open("w", encoding="utf-8") as output:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "pytest", *options, *SOURCES], cwd=ROOT, stdout=output, stderr=output
            )

    def drafts(self) -> list[Body]:
        """Wait for the end, and return the modules.

        Raises:
            RuntimeError: the tests could not be run.
        """
        self.process.wait()
        if not self.path.exists():
            raise RuntimeError(f"no modules were taken from the tests:\n{self.said.read_text()[-4000:]}")
        return pickle.loads(self.path.read_bytes())

"""Collects ``*.ir`` files: every case states a pipeline, IR before and IR after."""

from __future__ import annotations

import pytest
from firing import Firing
from nhwcc.compiler import ops as _ops  # noqa: F401  # pyright: ignore[reportUnusedImport]
from nhwcc.compiler.pipeline import discover

discover("nhwcc.passes")

pytest_plugins = ["nhwcc.testing.plugin"]


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--rewrites", action="store_true", help="say which rewrites never fired")


def pytest_configure(config: pytest.Config) -> None:
    if config.getoption("--rewrites"):
        config.pluginmanager.register(Firing())

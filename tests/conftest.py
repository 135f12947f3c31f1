"""Collects ``*.ir`` files: a pipeline, IR before and IR after; numbers are the same in any order of tests."""

from __future__ import annotations

import gc
from zlib import crc32

import numpy as np
import pytest
from firing import Firing
from kept_workers import KeptWorkers
from nhwcc.compiler import ops as _ops  # noqa: F401  # pyright: ignore[reportUnusedImport]
from nhwcc.compiler.pipeline import discover

discover("nhwcc.passes")

pytest_plugins = ["nhwcc.testing.plugin"]


@pytest.fixture(autouse=True)
def same_numbers(request: pytest.FixtureRequest) -> None:
    """Let the generator ``RNG`` of a module draw the same numbers in a test whichever tests ran before it."""
    shared: object = vars(request.node.module).get("RNG") if isinstance(request.node, pytest.Function) else None
    if isinstance(shared, np.random.Generator):
        shared.bit_generator.state = np.random.default_rng(crc32(request.node.name.encode())).bit_generator.state


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--rewrites", action="store_true", help="say which rewrites never fired")


def pytest_collection_finish() -> None:
    """Let the collector of garbage look no more at what stays: tens of thousands of tests."""
    gc.collect()
    gc.freeze()


def pytest_configure(config: pytest.Config) -> None:
    config.pluginmanager.register(KeptWorkers())
    if config.getoption("--rewrites"):
        config.pluginmanager.register(Firing())

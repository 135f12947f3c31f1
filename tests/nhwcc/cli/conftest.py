"""What the tests of the command line share."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from models import CONV, SMALL, write

from nhwcc.cli import cli

Call = Callable[..., Result]


@pytest.fixture
def call() -> Call:
    """Run the command line in this process."""

    def run(*args: object) -> Result:
        result = CliRunner().invoke(cli, [str(a) for a in args], prog_name="nhwcc")
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception  # the edge let something through
        return result

    return run


@pytest.fixture
def small(tmp_path: Path) -> Path:
    """A file of IR with two elementwise operations."""
    return write(tmp_path / "small.ir", SMALL)


@pytest.fixture
def conv(tmp_path: Path) -> Path:
    """A file of IR with a convolution, two outputs."""
    return write(tmp_path / "conv.ir", CONV)


def as_json(result: Result) -> dict[str, Any]:
    """Parse standard output, all of it."""
    return json.loads(result.stdout)


def environment(**more: str) -> dict[str, str]:
    """The environment of a process that finds what this one finds."""
    return os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)} | more


def process(*args: object, **env: str) -> subprocess.CompletedProcess[str]:
    """Run the command line in a process of its own."""
    command = [sys.executable, "-m", "nhwcc", *map(str, args)]
    return subprocess.run(command, capture_output=True, text=True, env=environment(**env), check=False)


@pytest.fixture
def heard() -> Iterator[None]:
    """Let processes hear an interrupt that the tests start in the background, where it would be ignored."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)

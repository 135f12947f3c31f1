"""The TFLite runtime in a process of its own, for all tests."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest
from nhwcc.compiler.types import Array

from nhwcc.runners.tflite import RUNTIME, start
from nhwcc.runners.worker import Worker

Runtime = Callable[..., dict[str, Array]]


@pytest.fixture(scope="session")
def process() -> Iterator[Worker]:
    with start() as worker:
        yield worker


@pytest.fixture
def runtime(process: Worker) -> Runtime:
    """Run a file on inputs by name."""

    def go(path: Path, inputs: Mapping[str, Array], *, delegate: bool = True) -> dict[str, Array]:
        process.make(*RUNTIME, path, delegate=delegate)
        return process.call("run", dict(inputs))

    return go

"""What the tests of the product share."""

from __future__ import annotations

import pytest
from local import LocalWorker


@pytest.fixture(autouse=True)
def local_runtime(monkeypatch: pytest.MonkeyPatch) -> None:
    """Run files in this process; test_worker.py and those that start processes do without."""
    monkeypatch.setattr("nhwcc.runners.tflite.start", LocalWorker)

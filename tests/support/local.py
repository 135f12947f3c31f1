"""A worker without a process: what most tests of the product run files with, since a process takes its time."""

from __future__ import annotations

from importlib import import_module
from typing import Any, Self


class LocalWorker:
    """Has the interface of :class:`nhwcc.runners.worker.Worker`."""

    def __init__(self) -> None:
        self._made: Any = None

    def make(self, module: str, name: str, *args: object, **kwargs: object) -> None:
        self._made = getattr(import_module(module), name)(*args, **kwargs)

    def call(self, method: str, *args: object) -> Any:
        found = getattr(self._made, method)
        return found(*args) if callable(found) else found

    def close(self) -> None:
        self._made = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

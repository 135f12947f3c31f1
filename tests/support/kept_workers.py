"""Processes of runtimes that outlive a test: the next test that wants one is spared the seconds in which it starts.

Importing TensorFlow or Keras takes longer than what most tests then do with it.  A process is used again where it would
have been started in the same environment; it is given the working directory of the test.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
from nhwcc.compiler.diagnostics import CompileError
from nhwcc.compiler.processes import search_path

from nhwcc.runners.libraries import KERAS, TENSORFLOW
from nhwcc.runners.worker import Worker

KEPT = (TENSORFLOW, KERAS, "openvino", "onnxruntime", "ai_edge_litert.interpreter")
"""What a process must get ready first to be kept: the libraries that take long."""

USES = 40
"""After so many runners a process ends: what libraries never free does not add up."""

MOST = 4
"""So many idle processes are kept."""

VOLATILE = frozenset({"PYTEST_CURRENT_TEST"})
"""Variables of the environment in which tests always differ."""

Key = tuple[object, ...]


class KeptWorkers:
    """A plugin of pytest under which :class:`Worker` takes and gives back processes."""

    def __init__(self) -> None:
        self._idle: list[tuple[Key, dict[str, Any]]] = []
        self._patch = pytest.MonkeyPatch()
        self._start, self._end = Worker.__init__, Worker.close
        self._temporary = os.environ.get("TMPDIR")

    def pytest_sessionstart(self) -> None:
        """Let workers take what is idle."""

        def start(worker: Worker, *warm: str, runtime: str = "the runtime") -> None:
            self.take(worker, warm, runtime)

        def close(worker: Worker) -> None:
            self.give_back(worker)

        self._patch.setattr(Worker, "__init__", start)
        self._patch.setattr(Worker, "close", close)

    def pytest_sessionfinish(self) -> None:
        """End the processes that are left."""
        self._patch.undo()
        for _, parts in self._idle:
            _of(parts).close()
        self._idle.clear()

    def take(self, worker: Worker, warm: tuple[str, ...], runtime: str) -> None:
        """Make ``worker`` one with a process that has imported what ``warm`` says, an idle one if there is any."""
        key = (warm, *search_path(), *sorted((k, v) for k, v in os.environ.items() if k not in VOLATILE))
        for found in [each for each in self._idle if each[0] == key]:
            self._idle.remove(found)
            vars(worker).update(found[1], _runtime=runtime)
            if found[1]["_process"].poll() is None:
                worker.make("os", "chdir", str(Path.cwd()))
                return
            self._end(worker)
        self._start(worker, *warm, runtime=runtime)
        vars(worker).update(_key=key, _uses=0, _is_kept=bool(set(warm) & set(KEPT)))

    def give_back(self, worker: Worker) -> None:
        """Keep the process of ``worker`` if it is well and temporary files are where they usually are, else end it."""
        parts: dict[str, Any] = dict(vars(worker))
        if not parts:
            return  # it was given back before
        usual = os.environ.get("TMPDIR") == self._temporary
        if not (parts["_is_kept"] and usual and parts["_uses"] < USES and self._forgets(worker)):
            self._end(worker)
            return
        vars(worker).clear()
        self._idle.append((parts["_key"], parts | {"_uses": parts["_uses"] + 1}))
        if len(self._idle) > MOST:
            self._end(_of(self._idle.pop(0)[1]))

    def _forgets(self, worker: Worker) -> bool:
        """Whether the process is well; what it ran is freed."""
        try:
            worker.make("builtins", "object")
        except CompileError:
            return False
        return True


def _of(parts: dict[str, Any]) -> Worker:
    worker = Worker.__new__(Worker)
    vars(worker).update(parts)
    return worker

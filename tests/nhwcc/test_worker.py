"""Workers: another process that may die without harm."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from importlib.util import find_spec

import numpy as np
import pytest
from nhwcc.compiler.diagnostics import CompileError, Diagnostic

from nhwcc.runners.libraries import KERAS, TENSORFLOW
from nhwcc.runners.worker import Worker


@pytest.fixture
def worker() -> Iterator[Worker]:
    with Worker() as worker:
        worker.make("actors", "Actor", "me", loud=True)
        yield worker


def problem(worker: Worker, method: str) -> Diagnostic:
    with pytest.raises(CompileError) as caught:
        worker.call(method)
    return caught.value.diagnostics[0]


def test_methods_and_attributes(worker: Worker) -> None:
    assert worker.call("name") == "me"
    large = np.arange(1_000_000, dtype=np.float32)
    assert (worker.call("double", large) == large * 2).all()


def test_errors_come_back_as_they_are(worker: Worker) -> None:
    bad = problem(worker, "fail")
    assert (bad.code, bad.message, bad.help) == ("R013", "refused", "try again")
    assert worker.call("name") == "me", "and the process goes on"


def test_a_process_that_is_killed(worker: Worker) -> None:
    bad = problem(worker, "die")
    assert bad.code == "R019" and "SIGABRT" in bad.message
    assert bad.excerpt is not None and "kernel: assertion failed" in bad.excerpt
    assert problem(worker, "name").code == "R019", "it stays dead"


def test_a_process_that_ends(worker: Worker) -> None:
    assert "exit code 7" in problem(worker, "leave").message


def test_a_defect_shows_what_it_said(worker: Worker) -> None:
    bad = problem(worker, "stumble")
    assert bad.code == "R019" and bad.excerpt is not None and "KeyError" in bad.excerpt


def test_closing_twice_and_after_death(worker: Worker) -> None:
    problem(worker, "leave")
    worker.close()


def test_what_a_runtime_starts_is_not_waited_for() -> None:
    with Worker() as worker:
        worker.make("actors", "Actor", "me", loud=True)
        child: int = worker.call("leave_a_child", 60)
        worker.close()
    os.kill(child, signal.SIGKILL)  # which fails if it has ended: closing waited for it


def test_modules_are_imported_while_we_do_something_else() -> None:
    with Worker("actors") as worker:
        worker.make("actors", "Actor", "warm")
        assert worker.call("name") == "warm"


@pytest.mark.parametrize(("how", "missing"), [(TENSORFLOW, "keras"), (KERAS, "sklearn")])
def test_libraries_come_without_what_is_not_used(how: str, missing: str) -> None:
    library = how.partition(":")[2].removeprefix("load_")
    if find_spec(library) is None:
        pytest.skip(f"{library} is not installed")
    with Worker(how) as worker:
        worker.make("actors", "Actor", "me")
        assert [worker.call("has_imported", name) for name in (library, missing)] == [True, False]

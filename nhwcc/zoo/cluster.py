"""Running tasks on Dask: processes of this machine, or the workers of a cluster; a worker that dies loses one model."""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Generator, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import import_module
from importlib.util import find_spec
from typing import Any, TypeAlias
from uuid import uuid4

from nhwcc.compiler.diagnostics import error
from nhwcc.files import scratch
from nhwcc.zoo.manifest import Task
from nhwcc.zoo.results import Result
from nhwcc.zoo.task import run_task

ALLOWED = "distributed.scheduler.allowed-failures"
"""Dask's setting of how many workers a task may end."""

PATIENCE = 10.0
"""Seconds in which a scheduler must answer."""


@dataclass(frozen=True)
class Machines:
    """Where tasks run: so many processes here, or a cluster's scheduler; how often one is retried whose worker died."""

    workers: int = 1
    scheduler: str | None = None
    retries: int = 1


Given: TypeAlias = tuple[Task, str]
"""A task and its key."""


def run_tasks(tasks: Sequence[Given], machines: Machines) -> Iterator[Result]:
    """Run tasks, each with its key, and yield what became of them as they end.

    Raises:
        CompileError: R017, Dask is not installed; R027, the scheduler does not answer.
    """
    if not tasks:
        return
    if find_spec("distributed") is None:
        raise error("R017", "a zoo runs on Dask", help="pip install 'nhwcc[zoo]'")
    with _client(machines) as client:
        suspects: list[Given] = []
        for given, future in _in_turns(client, tasks):
            if future.exception() is None:
                yield future.result()
            else:
                suspects.append(given)
        for given in suspects:
            yield _alone(client, given, machines.retries)


def _in_turns(client: Any, tasks: Sequence[Given]) -> Iterator[tuple[Given, Any]]:
    """Submit as many tasks as there are workers, and others as these end: what waits at a worker dies with it."""
    distributed: Any = import_module("distributed")
    rest, futures = deque(tasks), dict[Any, Given]()
    running: Any = distributed.as_completed()

    def submit() -> None:
        given = rest.popleft()
        future = _submit(client, given)
        futures[future] = given
        running.add(future)

    for _ in range(min(len(rest), max(sum(client.nthreads().values()), 1))):
        submit()
    for future in running:
        yield futures.pop(future), future
        if rest:
            submit()


def _alone(client: Any, given: Given, tries: int) -> Result:
    """Run a task again that was on a worker that died, while nothing else runs: then it is known which one it was."""
    bad: BaseException | None = None
    for _ in range(tries):
        future = _submit(client, given)
        bad = future.exception()
        if bad is None:
            return future.result()
    task, key = given
    text = f"{type(bad).__name__}: the worker that ran it died"
    return Result(task.name, task.target, "died", text, key=key)


def _submit(client: Any, given: Given) -> Any:
    task, key = given
    return client.submit(run_task, task, key, key=f"{task.title}-{uuid4()}")


@contextmanager
def _client(machines: Machines) -> Generator[Any, None, None]:
    """Connect to a scheduler, or start one with workers on this machine."""
    distributed: Any = import_module("distributed")
    settings: Any = import_module("dask.config").set
    if machines.scheduler is not None:
        with settings({ALLOWED: 0}):
            try:
                client = distributed.Client(machines.scheduler, timeout=PATIENCE)
            except OSError as bad:
                raise error("R027", f"no scheduler answers at {machines.scheduler}: {bad}") from bad
            with client:
                yield client
        return
    here: dict[str, Any] = {"processes": True, "threads_per_worker": 1, "dashboard_address": None}
    here |= {"n_workers": machines.workers, "silence_logs": logging.CRITICAL}
    with (
        scratch() as folder,
        settings({ALLOWED: 0, "temporary-directory": str(folder.path)}),
        distributed.LocalCluster(**here) as cluster,
        distributed.Client(cluster) as client,
    ):
        yield client

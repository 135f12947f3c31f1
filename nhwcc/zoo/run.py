"""A run of a zoo: what is known is taken from the cache, the rest runs; then it is compared with the last run."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from nhwcc.zoo.cluster import Machines, run_tasks
from nhwcc.zoo.manifest import Task
from nhwcc.zoo.results import Cache, Result, key_of

RANKS = {"ok": 0, "not proven": 1, "failed": 2, "out of time": 2, "died": 2, "differs": 3}
"""What is worse is larger."""

GROWTH = 1.02
"""How many times as many bytes, and operations, count as more."""

FURTHER = 10.0
"""How many times the error counts as a larger one, if it is above what rounding makes."""

ROUNDING = 1e-5
"""Errors below this are no change, however much they differ."""


@dataclass(frozen=True)
class Row:
    """A result beside what was expected, and beside the last run's."""

    task: Task
    result: Result
    missed: str
    change: str
    is_worse: bool


def run_zoo(tasks: Sequence[Task], cache: Cache, machines: Machines, tell: Callable[[str], None]) -> list[Row]:
    """Run all tasks and return their results in the list's order.

    Raises:
        CompileError: R017 and R027, Dask is missing, or does not answer.
    """
    before = {result.title: result for run in cache.runs() for result in run}
    keys = {task.title: key_of(task) for task in tasks}
    found = {title: known for title, key in keys.items() if (known := cache.find(key)) is not None}
    missing = [(task, keys[task.title]) for task in tasks if task.title not in found]
    for result in run_tasks(missing, machines):
        cache.keep(result)
        found[result.title] = result
        tell(f"{len(found)} of {len(tasks)}: {result.title} {result.status}")
    rows = [_row(task, found[task.title], before.get(task.title)) for task in tasks]
    cache.finish([row.result for row in rows])
    return rows


def _row(task: Task, result: Result, before: Result | None) -> Row:
    if before is None:
        return Row(task, result, result.misses(task), "new", is_worse=False)
    worse = [f"worse: {what} {old} → {new}" for what, old, new in _worse(before, result)]
    better = [f"better: {what} {old} → {new}" for what, new, old in _worse(result, before)]
    return Row(task, result, result.misses(task), "; ".join([*worse, *better]), bool(worse))


def _worse(old: Result, new: Result) -> Iterator[tuple[str, object, object]]:
    """Yield in what a result is worse than another one: what it is, before and now."""
    if RANKS[new.status] != RANKS[old.status]:
        if RANKS[new.status] > RANKS[old.status]:
            yield "it is", old.status, new.status
        return
    if new.transposes > old.transposes:
        yield "transposes", old.transposes, new.transposes
    for name, a, b in (("operations", old.operations, new.operations), ("bytes", old.bytes, new.bytes)):
        if b > a * GROWTH:
            yield name, f"{a:,}", f"{b:,}"
    if (new.error or 0) > max((old.error or 0) * FURTHER, ROUNDING):
        yield "error", f"{old.error or 0:.1e}", f"{new.error or 0:.1e}"

"""Running a task: a process of its own, with limits, that compiles and verifies; any worker can do it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from typing import Any

from nhwcc.backends.registry import suffix_of
from nhwcc.files import scratch
from nhwcc.zoo.manifest import Task
from nhwcc.zoo.results import Result, Status

STATUS: dict[int, Status] = {0: "ok", 3: "differs", 4: "not proven"}
"""What exit codes say; all others say that it failed."""


def run_task(task: Task, key: str) -> Result:
    """Compile a model as a task says and return what became of it."""
    with scratch() as folder:
        return _run(task, key, f"{folder.path / 'model'}{suffix_of(task.target) or '/'}")


def _run(task: Task, key: str, output: str) -> Result:
    """Run the command that writes the file ``output``, and read what it says."""
    begun = time.perf_counter()
    command = [sys.executable, "-P", "-m", "nhwcc", "compile", *task.words, "-o", output, "--json"]
    process = subprocess.Popen(  # noqa: S603
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, stdin=subprocess.DEVNULL, start_new_session=True
    )
    _limit(process.pid, task.memory)
    try:
        said, complained = process.communicate(timeout=task.seconds)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.communicate()
        return Result(task.name, task.target, "out of time", f"more than {task.seconds:g} s", key=key)
    seconds = time.perf_counter() - begun
    if process.returncode < 0 or not said:
        text = complained.decode(errors="replace").strip().rpartition("\n")[2]
        return Result(task.name, task.target, "died", text or f"signal {-process.returncode}", seconds=seconds, key=key)
    return _result(task, key, process.returncode, json.loads(said), seconds)


def _limit(process: int, memory: int) -> None:
    """Limit what a process may allocate, where the system can."""
    if sys.platform == "linux":
        import resource

        resource.prlimit(process, resource.RLIMIT_DATA, (memory, memory))


def _result(task: Task, key: str, code: int, said: dict[str, Any], seconds: float) -> Result:
    """Read what a command said."""
    found, told = said["report"], said["diagnostics"]
    message = f"{told[0]['code']}: {told[0]['message']}" if told else ""
    status = STATUS.get(code, "failed")
    if found is None:
        return Result(task.name, task.target, status, message, seconds=seconds, key=key)
    outputs: list[dict[str, Any]] = found["verification"]["outputs"] if found["verification"] else []
    errors: list[float | None] = [o["difference"]["relative"] for o in outputs]
    return Result(
        task.name,
        task.target,
        status,
        message or found["not_verified"],
        sum(found["ops_after"].values()),
        found["transposes_after"],
        found["bytes"],
        max((e for e in errors if e is not None), default=None),
        seconds,
        found["peak_memory"] or 0,
        key,
    )

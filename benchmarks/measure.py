"""Running commands and saying what they cost: processor seconds and peak memory of the whole tree of processes."""

from __future__ import annotations

import atexit
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Cost:
    """What a command took; ``peak`` is the largest resident size of any one of its processes, in bytes."""

    cpu: float
    wall: float
    peak: int
    code: int
    output: str


def run(command: Sequence[str | Path]) -> Cost:
    """Run a command to its end, with bytecode caches as an installed program has them."""
    env = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
    start = time.perf_counter()
    with tempfile.TemporaryFile() as said:
        process = subprocess.Popen([str(c) for c in command], stdout=said, stderr=subprocess.STDOUT, env=env)
        _, status, usage = os.wait4(process.pid, 0)
        wall = time.perf_counter() - start
        said.seek(0)
        text = said.read().decode("utf-8", "replace")
    peak = usage.ru_maxrss * (1 if sys.platform == "darwin" else 1024)
    return Cost(usage.ru_utime + usage.ru_stime, wall, peak, os.waitstatus_to_exitcode(status), text)


def least(command: Sequence[str | Path], times: int) -> Cost:
    """Run a command several times and return the run that took the least processor time: noise only ever adds.

    Raises:
        RuntimeError: it failed.
    """
    runs = [run(command) for _ in range(times)]
    for r in runs:
        if r.code:
            raise RuntimeError(f"{' '.join(map(str, command))} ended with {r.code}:\n{r.output[-2000:]}")
    return min(runs, key=lambda r: r.cpu)


def nhwcc(*arguments: str | Path) -> list[str | Path]:
    """Return the command line that runs our compiler."""
    return [sys.executable, "-m", "nhwcc", *arguments]


def scratch() -> Path:
    """Return an empty folder on this disk that goes when Python ends."""
    Path("out").mkdir(exist_ok=True)
    folder = Path(tempfile.mkdtemp(prefix="benchmark-", dir="out"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder


def table(head: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """Return a Markdown table."""
    lines = [head, ["---"] * len(head), *([str(c) for c in row] for row in rows)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def megabytes(size: float) -> str:
    """Return a size in words."""
    return f"{size / 1e6:,.0f} MB"


def proven(transposes: int, is_proven: bool) -> str:
    """Say how many Transposes a file has, and where these are not proven to be the least."""
    return str(transposes) if is_proven else f"{transposes}, not proven"

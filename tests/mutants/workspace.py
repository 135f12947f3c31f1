"""Copies of the sources and tests in which a fault can be put, and processes that run in them."""

from __future__ import annotations

import itertools
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from .catalogue import ROOT, TREES, Mutant

COPIED = (*TREES, "benchmarks", "docs", "examples", "tests", "pyproject.toml", "README.md", "CONTRIBUTING.md")


@dataclass(frozen=True)
class Ended:
    """How a process ended; ``code`` is None if it took longer than it may."""

    code: int | None
    output: str


class Workspace:
    """A copy of the project in which ``nhwcc`` is that copy, for processes started here and those that they start.

    Links below ``nhwcc`` stand for what setuptools maps there; they come before an editable installation.
    """

    _times = itertools.count(1)

    def __init__(self, folder: Path) -> None:
        self.root = folder
        self._server: subprocess.Popen[str] | None = None
        for name in COPIED:
            source = ROOT / name
            if source.is_dir():
                shutil.copytree(source, folder / name)
            else:
                folder.mkdir(parents=True, exist_ok=True)
                shutil.copy2(source, folder / name)
        for tree in TREES:
            if tree != "nhwcc":
                (folder / "nhwcc" / tree).symlink_to(Path("..") / tree, target_is_directory=True)

    @contextmanager
    def mutated(self, mutant: Mutant) -> Generator[None]:
        """Put the fault in, and take it out again.

        Every text gets a time of its own, since Python finds compiled modules by the second and the size.
        """
        path = self.root / mutant.file
        before, times = path.read_bytes(), path.stat()
        path.write_text(mutant.apply(self.root), encoding="utf-8")
        later = int(times.st_mtime) + 10 * next(self._times)
        os.utime(path, (later, later))
        try:
            yield
        finally:
            path.write_bytes(before)
            os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))

    def run(self, program: str, arguments: Sequence[str], seconds: float) -> Ended:
        """Run ``pytest`` or ``networks`` in the copy, up to a time limit, and end whatever it has started then.

        Raises:
            RuntimeError: the server of this workspace has ended.
        """
        server = self._server or self._start()
        assert server.stdin is not None and server.stdout is not None
        server.stdin.write(json.dumps([seconds, program, *arguments]) + "\n")
        server.stdin.flush()
        answer = server.stdout.readline()
        if not answer:
            raise RuntimeError(f"the processes in {self.root} can't be started any more")
        return Ended(*json.loads(answer))

    def _start(self) -> subprocess.Popen[str]:
        single = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"), "1")
        self._server = subprocess.Popen(
            [sys.executable, "-m", "tests.mutants.server"],
            cwd=self.root,
            env=os.environ | {"PYTHONPATH": str(self.root)} | single,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        return self._server

    def close(self) -> None:
        """End the server."""
        if self._server is not None:
            self._server.communicate()
            self._server = None

"""Faults: how a network shows one, and whether another network shows the same."""

from __future__ import annotations

import re
import shlex
import subprocess
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol

from nhwcc.compiler.diagnostics import CompileError
from nhwcc.compiler.ir import Module
from nhwcc.driver import compile_model
from nhwcc.files import scratch
from nhwcc.options import CompileOptions
from nhwcc.reduction.writing import write_module
from nhwcc.verification import VerificationError

PATIENCE = 600.0
"""Seconds that a command may take."""


@dataclass(frozen=True)
class Seen:
    """What a network shows: the same ``kind`` is the same fault; ``near`` are names of what is close to it."""

    kind: str
    near: tuple[str, ...] = ()


class Fault(Protocol):
    """Something that can be wrong with a network."""

    def see(self, module: Module) -> Seen:
        """Say what a network shows; the kind is empty if nothing is wrong with it."""
        ...


@dataclass(frozen=True)
class Compiling:
    """Compiling the network fails, or gives a file that computes something else."""

    options: CompileOptions

    def see(self, module: Module) -> Seen:
        """Compile it; whatever goes wrong is what it shows, defects included."""
        options = replace(self.options, output=None)
        with ThreadPoolExecutor(1) as pool:
            bad = pool.submit(copy_context().run, compile_model, module, options).exception()
        if bad is None:
            return Seen("")
        if not isinstance(bad, CompileError):
            return Seen(f"{type(bad).__name__}: {_without_details(str(bad))}")
        first = bad.diagnostics[0]
        nodes = [n for d in bad.diagnostics if d.location for n in (d.location.node, *d.location.via)]
        if isinstance(bad, VerificationError):
            nodes += [bad.departed] if bad.departed else []
            return Seen(first.code, tuple(nodes))
        return Seen(f"{first.code} {_operation(first.excerpt) or _without_details(first.message)}", tuple(nodes))


@dataclass(frozen=True)
class Command:
    """A command ends as it does for the whole network; ``{}`` in it stands for the file."""

    command: str
    suffix: str

    def see(self, module: Module) -> Seen:
        """Write the network, run the command, and take its exit code for what it shows."""
        with scratch() as folder:
            path = folder.path / f"model{self.suffix}"
            try:
                write_module(module, path)
            except CompileError:
                return Seen("")
            return Seen(f"exit code {self._run(path)}")

    def _run(self, path: Path) -> int | str:
        quoted = shlex.quote(str(path))
        command = self.command.replace("{}", quoted) if "{}" in self.command else f"{self.command} {quoted}"
        try:
            return subprocess.run(command, shell=True, capture_output=True, timeout=PATIENCE, check=False).returncode  # noqa: S602 -- the user's own command
        except subprocess.TimeoutExpired:
            return "none in time"


def _without_details(text: str) -> str:
    """Leave out what differs between networks: numbers and names."""
    return re.sub(r"\"[^\"]*\"|'[^']*'|%\S+|-?\d[\d.e+-]*", "_", text)


def _operation(excerpt: str | None) -> str:
    """Return the name of the operation that a message is about."""
    found = re.search(r"(?:= |^)(\w+)\(", excerpt or "")
    return found[1] if found else ""

"""Which rewrites fire: ``pytest --rewrites`` names those that never did; :func:`counting` is for single tests."""

from __future__ import annotations

from collections import Counter
from collections.abc import Generator, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from pkgutil import walk_packages
from typing import Any, TypeAlias

import pytest
from nhwcc.backends.registry import TARGETS, find_target
from nhwcc.compiler.ir import Module
from nhwcc.compiler.rewrite import Pattern, watch_rewriting
from nhwcc.compiler.rules import load_rules

Key: TypeAlias = str
"""A rewrite's name and the operations it starts at: some share a name."""


def key(p: Pattern) -> Key:
    """Say which rewrite it is, the same in every process."""
    roots = [cls.spec.name if hasattr(cls, "spec") else "any" for cls in p.roots]
    return f"{p.name} ({', '.join(roots[:2])}{', ...' if len(roots) > 2 else ''})"


def of_passes() -> set[Key]:
    """All rewrites that the target-independent passes apply: rule files, and patterns in modules."""
    package = import_module("nhwcc.passes")
    files = [file for file in Path(package.__path__[0]).rglob("*.rules") if file.parent.name != "lowerings"]
    found = {key(p) for file in files for p in load_rules(file)}
    for module in walk_packages(package.__path__, "nhwcc.passes."):
        found |= {key(p) for p in vars(import_module(module.name)).values() if isinstance(p, Pattern)}
    return found


def of_targets() -> set[Key]:
    """All lowerings of all targets."""
    return {key(p) for name in TARGETS for p in find_target(name).patterns()}


@dataclass
class _Counter:
    """Counts by name what fires."""

    counts: Counter[Key] = field(default_factory=lambda: Counter[Key]())

    def begin(self, module: Module, patterns: Sequence[Pattern]) -> None:
        """Nothing has fired yet."""

    def fired(self, module: Module, pattern: Pattern) -> None:
        self.counts[key(pattern)] += 1


@contextmanager
def counting() -> Generator[Counter[Key]]:
    """Count what fires inside this block."""
    counter = _Counter()
    with watch_rewriting(counter):
        yield counter.counts


class Firing:
    """The plugin behind ``--rewrites``; sums up what the workers of xdist counted."""

    def __init__(self) -> None:
        self.fired: Counter[Key] = Counter()

    @pytest.hookimpl(hookwrapper=True)
    def pytest_runtestloop(self, session: pytest.Session) -> Iterator[None]:
        """Count during all tests."""
        with counting() as fired:
            yield
        self.fired += fired
        output: dict[str, Any] | None = getattr(session.config, "workeroutput", None)
        if output is not None:
            output["rewrites"] = dict(self.fired)

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: Any) -> None:
        """Add what a worker counted."""
        self.fired += Counter(getattr(node, "workeroutput", {}).get("rewrites", {}))

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """Name what never fired."""
        known = of_passes() | of_targets()
        never = sorted(known - self.fired.keys())
        terminalreporter.section("rewrites")
        terminalreporter.line(f"{len(known) - len(never)} of {len(known)} fired; never: {'; '.join(never) or 'none'}")

"""Prints docs/mutants.md from what a run has measured."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from .catalogue import Mutant

HEAD = """# Mutants

Printed by `make mutants`, which puts {count} small faults into a copy of the sources, one at a time. The tests have to
fail (at least 95 %), and compiling a small network with the fault has to end in an error, by its own verification
against the source's runtime (at least 85 %). The faults are declared in `tests/mutants/*.toml`; one whose text no
longer stands in the sources is an error. Equivalent ones change nothing that anybody could see, and don't count.
"""


class Judged(Protocol):
    """What became of a mutant."""

    @property
    def killed(self) -> bool: ...
    @property
    def refused(self) -> bool: ...
    @property
    def compile(self) -> str: ...


def page(mutants: list[Mutant], outcomes: Mapping[str, Judged]) -> str:
    """Totals by area, survivors with their reasons, and every mutant."""
    measured = [m for m in mutants if m.name in outcomes]
    lines = [HEAD.format(count=len(measured)), "| area | mutants | killed by tests | refused by compile |"]
    lines += ["| --- | ---: | ---: | ---: |"]
    for area in sorted({m.area for m in measured}):
        lines.append(_row(f"`{area}`", [m for m in measured if m.area == area], outcomes))
    lines.append(_row("all", measured, outcomes))
    lines += ["", "## What is not refused, or survives", ""]
    lines += ["| mutant | breaks | why |", "| --- | --- | --- |"]
    for m in measured:
        o = outcomes[m.name]
        if not o.killed:
            lines.append(f"| `{m.name}` | {m.breaks} | survives the tests: {m.equivalent or 'no reason is known'} |")
        elif not o.refused:
            lines.append(f"| `{m.name}` | {m.breaks} | compiles: {m.verified or 'no reason is known'} |")
    lines += ["", "## All", "", "| mutant | file | breaks | tests | compile |", "| --- | --- | --- | --- | --- |"]
    for m in measured:
        o = outcomes[m.name]
        lines.append(f"| `{m.name}` | `{m.file}` | {m.breaks} | {'killed' if o.killed else 'survives'} | {o.compile} |")
    return "\n".join(lines) + "\n"


def _row(name: str, mutants: list[Mutant], outcomes: Mapping[str, Judged]) -> str:
    real = [m for m in mutants if not m.equivalent]
    killed, refused = (sum(getattr(outcomes[m.name], what) for m in real) for what in ("killed", "refused"))
    return f"| {name} | {len(real)} | {_share(killed, len(real))} | {_share(refused, len(real))} |"


def _share(part: int, whole: int) -> str:
    return f"{part} ({100 * part / whole:.0f} %)" if whole else "0"

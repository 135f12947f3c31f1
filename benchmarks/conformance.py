"""Runs ONNX's conformance suite and writes docs/onnx-conformance.md and the list of cases that pass.

Of backends that are not run, the page keeps what it said.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path

from nhwcc.onnx_backend.conformance import BACKENDS, Judge, Outcome

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "onnx-conformance.md"
FEW = 6
"""So many cases are named, more are counted."""

PASSING = ROOT / "tests" / "nhwcc" / "onnx_backend"


def main() -> int:
    """Run; 1 if there are wrong numbers or crashes."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--backend", choices=BACKENDS, action="append", help="by default all")
    parser.add_argument("--only", default="", help="cases whose name contains this; nothing is written then")
    args = parser.parse_args()
    found: dict[str, list[Outcome]] = {}
    for backend in args.backend or BACKENDS:
        start = time.perf_counter()
        found[backend] = run(backend, args.only)
        summary = ", ".join(f"{count} {status}" for status, count in counts(found[backend]).items())
        print(f"{backend}: {summary} in {time.perf_counter() - start:.0f} s", flush=True)
        for outcome in found[backend]:
            if outcome.status in ("wrong", "crash", "failed") or (args.only and outcome.status != "pass"):
                print(f"  {outcome.status} {outcome.case}: {' '.join(outcome.codes)} {outcome.message}")
    if not args.only:
        for backend, outcomes in found.items():
            write_passing(backend, outcomes)
        known = read_page(PAGE.read_text(encoding="utf-8")) if PAGE.exists() else {}
        columns = {name: Column.of(found[name]) if name in found else known.get(name) for name in BACKENDS}
        PAGE.write_text(page({k: c for k, c in columns.items() if c is not None}), encoding="utf-8")
    return int(any(o.status in ("wrong", "crash") for outcomes in found.values() for o in outcomes))


def run(backend: str, only: str) -> list[Outcome]:
    """Run the cases of one backend."""
    with Judge(backend) as judge:
        cases = [name for name in judge.names() if only in name]
        outcomes: list[Outcome] = []
        for outcome in judge.run(cases):
            outcomes.append(outcome)
            if sys.stderr.isatty():
                print(f"\r{len(outcomes)} of {len(cases)}", end="", file=sys.stderr)
    return outcomes


def counts(outcomes: Iterable[Outcome]) -> Counter[str]:
    """Count outcomes by status."""
    return Counter(o.status for o in outcomes)


def write_passing(backend: str, outcomes: Iterable[Outcome]) -> None:
    """Write the names of the cases that pass."""
    names = sorted(o.case for o in outcomes if o.status == "pass")
    (PASSING / f"{backend}.passing").write_text("\n".join(names) + "\n", encoding="utf-8")


@dataclass
class Column:
    """What the page says of one backend: notes, counts of operators and models, and cells by operator."""

    notes: dict[str, str] = field(default_factory=lambda: dict[str, str]())
    totals: dict[str, str] = field(default_factory=lambda: dict[str, str]())
    cells: dict[str, str] = field(default_factory=lambda: dict[str, str]())
    cases: dict[str, int] = field(default_factory=lambda: dict[str, int]())

    @staticmethod
    def of(outcomes: Sequence[Outcome]) -> Column:
        """Count what came of all cases."""
        made = Column({title: _listed(outcomes, holds) for title, holds in NOTES.items()})
        for kind, part in (
            ("operators", [o for o in outcomes if not o.is_model]),
            ("models", [o for o in outcomes if o.is_model]),
        ):
            count = counts(part)
            cells = [count[s] for s in ("pass", "refused", "failed", "wrong", "crash")]
            made.totals[kind] = f"{' | '.join(map(str, cells))} | {len(part)}"
        groups: dict[str, list[Outcome]] = defaultdict(list)
        for outcome in outcomes:
            groups[outcome.operator].append(outcome)
        for operator, part in groups.items():
            made.cells[operator] = " | ".join(_cells(part))
            made.cases[operator] = len(part)
        return made


NOTES: dict[str, Callable[[Outcome], bool]] = {
    "compiled for values": lambda o: bool(o.compiled_in),
    "within a rounding step": lambda o: bool(o.message),
    "random": lambda o: o.is_random,
}
"""What is said of passed cases, by the words of the page."""


def page(columns: Mapping[str, Column]) -> str:
    """Return the page."""
    lines = [
        "# ONNX conformance",
        "",
        f"Printed by `make conformance` from the cases of onnx {version('onnx')}: the reference interpreter on the",
        f"imported IR, the compiled file in the TFLite runtime (ai-edge-litert {version('ai-edge-litert')}), the file",
        f"written as ONNX in onnxruntime {version('onnxruntime')} (in onnx's reference where that lacks a kernel, or",
        f"numpy a type), as a SavedModel in TensorFlow {version('tensorflow-cpu')}, as IR in OpenVINO",
        f"{version('openvino')}, and as a Keras file in Keras {version('keras')}.",
        "",
        "Of the cases that pass, some are *compiled for values*: what a model needs to know about its inputs while it",
        "is compiled, such as the target of a Reshape, is taken from the case's inputs. Numbers are compared as the",
        "suite does; where that fails, one *rounding step* of the largest expected number is allowed, since some",
        "expected zeros are noise. Of *random* numbers, which every runtime draws for itself, only shapes and element",
        "types are compared.",
        "",
        f"| backend | {' | '.join(NOTES)} |",
        f"|---|{'---|' * len(NOTES)}",
        *(f"| {name} | {' | '.join(column.notes[title] for title in NOTES)} |" for name, column in columns.items()),
        "",
        "| | passed | refused with a code | refused by the runtime | wrong numbers | crashed | of |",
        "|---|---:|---:|---:|---:|---:|---:|",
        *(f"| {kind}, {name} | {total} |" for name, column in columns.items() for kind, total in column.totals.items()),
        "",
        "## By operator",
        "",
        "The last operator of each case's model, with the codes of its refusals.",
        "",
        f"| operator | cases | {' | '.join(f'{name} | refusals' for name in columns)} |",
        "|---|---:|" + "---:|---|" * len(columns),
    ]
    return "\n".join([*lines, *rows(columns)]) + "\n"


def rows(columns: Mapping[str, Column]) -> list[str]:
    """Return one row per operator."""
    out: list[str] = []
    for operator in sorted({name for column in columns.values() for name in column.cells}):
        total = max(column.cases.get(operator, 0) for column in columns.values())
        cells = (column.cells.get(operator, "0 | ") for column in columns.values())
        out.append(f"| {operator} | {total} | {' | '.join(cells)} |")
    return out


def read_page(text: str) -> dict[str, Column]:
    """Return what a page says of each backend."""
    tables = [[_split(line) for line in block.splitlines()] for block in text.split("\n\n") if block.startswith("|")]
    columns: dict[str, Column] = defaultdict(Column)
    if len(tables) < 3:
        return columns
    notes, totals, operators = tables
    for name, *cells in notes[2:]:
        columns[name].notes = dict(zip(NOTES, cells, strict=True))
    for title, *cells in totals[2:]:
        kind, name = title.split(", ")
        columns[name].totals[kind] = " | ".join(cells)
    for operator, total, *cells in operators[2:]:
        for i, name in enumerate(operators[0][2::2]):
            columns[name].cells[operator] = f"{cells[2 * i]} | {cells[2 * i + 1]}"
            columns[name].cases[operator] = int(total)
    return columns


def _split(line: str) -> list[str]:
    return [cell.strip() for cell in line.strip("|").split("|")]


def _listed(outcomes: Sequence[Outcome], holds: Callable[[Outcome], bool]) -> str:
    """Say of how many passed cases something holds, and of which if they are few."""
    names = [o.case.partition("/")[2] for o in outcomes if o.status == "pass" and holds(o)]
    few = f" ({', '.join(names)})" if 0 < len(names) <= FEW else ""
    return f"{len(names)}{few}"


def _cells(outcomes: Sequence[Outcome]) -> list[str]:
    refusals = Counter(" ".join(o.codes) or o.status for o in outcomes if o.status != "pass")
    return [str(counts(outcomes)["pass"]), ", ".join(f"{code} ({n})" for code, n in sorted(refusals.items()))]


if __name__ == "__main__":
    sys.exit(main())

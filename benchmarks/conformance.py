"""Runs ONNX's conformance suite and writes docs/onnx-conformance.md and the list of cases that pass."""

from __future__ import annotations

import argparse
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence
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
        if len(found) == len(BACKENDS):
            PAGE.write_text(page(found), encoding="utf-8")
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


def page(found: dict[str, list[Outcome]]) -> str:
    """Return the page."""
    lines = [
        "# ONNX conformance",
        "",
        f"Printed by `make conformance` from the cases of onnx {version('onnx')}: the reference interpreter on the",
        f"imported IR, the compiled file in the TFLite runtime (ai-edge-litert {version('ai-edge-litert')}), and the",
        f"file written as ONNX in onnxruntime {version('onnxruntime')}, or in onnx's reference where that lacks a",
        "kernel, or numpy a type.",
        "What a model needs to know about its inputs while it is compiled, such as the target of a Reshape, is taken",
        f"from the case's inputs: {_listed(found, lambda o: bool(o.compiled_in))}.",
        "Numbers are compared as the suite does. Where that fails, one rounding step of the largest expected number is",
        f"allowed, since some expected zeros are noise: {_listed(found, lambda o: bool(o.message))}.",
        "Of random numbers, which every runtime draws for itself, only shapes and element types are compared:",
        f"{_listed(found, lambda o: o.is_random)}.",
        "",
        "| | passed | refused with a code | refused by the runtime | wrong numbers | crashed | of |",
        "|---|---:|---:|---:|---:|---:|---:|",
    ]
    for backend, outcomes in found.items():
        for title, part in (
            ("operators", [o for o in outcomes if not o.is_model]),
            ("models", [o for o in outcomes if o.is_model]),
        ):
            count = counts(part)
            cells = [count[s] for s in ("pass", "refused", "failed", "wrong", "crash")]
            lines.append(f"| {title}, {backend} | {' | '.join(map(str, cells))} | {len(part)} |")
    lines += ["", "## By operator", "", "The last operator of each case's model, with the codes of its refusals.", ""]
    header = " | ".join(f"{name} | refusals" for name in found)
    lines += [f"| operator | cases | {header} |", "|---|---:|" + "---:|---|" * len(found)]
    return "\n".join([*lines, *rows(found)]) + "\n"


def _listed(found: dict[str, list[Outcome]], holds: Callable[[Outcome], bool]) -> str:
    """Say for each backend of how many passed cases something holds, and of which if they are few."""
    parts: list[str] = []
    for backend, outcomes in found.items():
        names = [o.case.partition("/")[2] for o in outcomes if o.status == "pass" and holds(o)]
        few = f" ({', '.join(names)})" if 0 < len(names) <= FEW else ""
        parts.append(f"{len(names)} passed cases in {backend}{few}")
    return "; ".join(parts)


def rows(found: dict[str, list[Outcome]]) -> list[str]:
    """Return one row per operator."""
    names = {o.case: o.operator for outcomes in found.values() for o in outcomes if o.operator != "?"}
    groups: dict[str, dict[str, list[Outcome]]] = defaultdict(lambda: defaultdict(list))
    for backend, outcomes in found.items():
        for o in outcomes:
            groups[names.get(o.case, "?")][backend].append(o)
    out: list[str] = []
    for operator in sorted(groups):
        cells = [cell for backend in found for cell in _cells(groups[operator][backend])]
        total = max(len(part) for part in groups[operator].values())
        out.append(f"| {operator} | {total} | {' | '.join(cells)} |")
    return out


def _cells(outcomes: Sequence[Outcome]) -> list[str]:
    refusals = Counter(" ".join(o.codes) or o.status for o in outcomes if o.status != "pass")
    return [str(counts(outcomes)["pass"]), ", ".join(f"{code} ({n})" for code, n in sorted(refusals.items()))]


if __name__ == "__main__":
    sys.exit(main())

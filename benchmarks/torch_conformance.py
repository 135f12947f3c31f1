"""Runs PyTorch's samples of its operators and writes docs/torch-conformance.md.

It also writes the lists of operators whose first samples are right.

    python -m benchmarks.torch_conformance [--only NAME ...] [--resume] [--retry] [--jobs 2] [--kept FILE]

What was found is kept in .cache/torch-conformance.jsonl while it runs; --resume goes on from there, and --retry runs
again what was not right. With --only nothing else is written.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from importlib.metadata import version
from pathlib import Path
from queue import Empty, SimpleQueue

from benchmarks.opinfo import BAD, LIMIT, Judge, Row, Tally

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "torch-conformance.md"
KEPT = ROOT / ".cache" / "torch-conformance.jsonl"
PASSING = ROOT / "tests" / "frontends" / "torch" / "conformance"
STAGES = {"interpreter": "the reference interpreter", "tflite": "TFLite"}


def main() -> int:
    """Run; 1 if there are wrong numbers, failures or crashes."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", nargs="*", default=[], help="operators by name")
    parser.add_argument("--samples", type=int, default=LIMIT, help="per operator and element type")
    parser.add_argument("--resume", action="store_true", help="leave out what the last run has found")
    parser.add_argument("--retry", action="store_true", help="leave out what was right in the last run")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--kept", type=Path, default=KEPT, help="where rows are kept while it runs")
    args = parser.parse_args()
    start = time.perf_counter()
    with Judge() as first:
        names = first.names()
        chosen = [n for n in names if not args.only or n in args.only or n.partition(" ")[0] in args.only]
        known = _read(args.kept) if args.resume or args.retry else {}
        if args.retry:
            known = {name: row for name, row in known.items() if row.ir.verdict == row.tflite.verdict == "right"}
        if not args.only:
            args.kept.unlink(missing_ok=True)
            for row in known.values():
                _keep(row, args.kept)
        todo = [n for n in chosen if n not in known]
        for row in _run(todo, first, args.samples, args.jobs):
            known[row.operator] = row
            _tell(row)
            if not args.only:
                _keep(row, args.kept)
    rows = [known[n] for n in chosen]
    print(f"{summary(rows)} in {time.perf_counter() - start:.0f} s")
    if not args.only:
        PAGE.write_text(page(rows, args.samples), encoding="utf-8")
        write_passing(rows)
    return int(any(t.verdict in BAD for row in rows for t in (row.ir, row.tflite)))


def _run(names: Sequence[str], first: Judge, limit: int, jobs: int) -> Iterator[Row]:
    """Run operators in several processes; yield what comes of them as it comes."""
    todo: SimpleQueue[str] = SimpleQueue()
    done: SimpleQueue[Row] = SimpleQueue()
    for name in names:
        todo.put(name)

    def work(judge: Judge) -> None:
        with judge, suppress(Empty):
            while True:
                for row in judge.run([todo.get_nowait()], limit):
                    done.put(row)

    with ThreadPoolExecutor(jobs) as pool:
        working = [pool.submit(work, judge) for judge in (first, *(Judge() for _ in range(jobs - 1)))]
        try:
            for _ in names:
                while done.empty() and not all(w.done() for w in working):
                    time.sleep(0.05)
                if done.empty():
                    break
                yield done.get()
        finally:
            with suppress(Empty):
                while True:
                    todo.get_nowait()
    for worker in working:
        worker.result()


def _read(kept: Path) -> dict[str, Row]:
    lines = kept.read_text(encoding="utf-8").splitlines() if kept.exists() else []
    rows = [Row.of_json(json.loads(line)) for line in lines]
    return {row.operator: row for row in rows}


def _keep(row: Row, kept: Path) -> None:
    kept.parent.mkdir(exist_ok=True)
    with kept.open("a", encoding="utf-8") as file:
        file.write(json.dumps(row.as_json()) + "\n")


def _tell(row: Row) -> None:
    why = " ".join((row.ir.why or row.tflite.why).split())
    print(f"{row.operator}: {_cell(row.ir)} | {_cell(row.tflite)} | {why}", flush=True)


def summary(rows: Sequence[Row]) -> str:
    """Say how many operators came out how."""
    parts: list[str] = []
    for stage, tallies in (("IR", [r.ir for r in rows]), ("TFLite", [r.tflite for r in rows])):
        count = Counter(t.verdict for t in tallies)
        parts.append(f"{stage}: " + ", ".join(f"{count[v]} {v}" for v in ("right", "refused", *BAD)))
    return "; ".join(parts)


def write_passing(rows: Sequence[Row]) -> None:
    """Write the names of the operators whose first samples are right at each stage."""
    for stage, names in (
        ("interpreter", [r.operator for r in rows if r.ir.first_verdict == "right"]),
        ("tflite", [r.operator for r in rows if r.tflite.first_verdict == "right"]),
    ):
        (PASSING / f"{stage}.passing").write_text("\n".join(sorted(names)) + "\n", encoding="utf-8")


def page(rows: Sequence[Row], limit: int) -> str:
    """Return the page."""
    compared = [r for r in rows if r.ir.verdict != "no samples"]
    rest = [r.operator for r in rows if r.ir.verdict == "no samples"]
    lines = [
        "# PyTorch's operators",
        "",
        f"Printed by `make conformance` from the operator samples (OpInfo) of torch {version('torch')}: up to {limit}",
        "of f32 and as many of i64, at equal distances from the first to the last one that PyTorch has. They are",
        "exported, imported and run by the reference interpreter, then compiled and run in the TFLite runtime",
        f"(ai-edge-litert {version('ai-edge-litert')}). An operator is right if samples of it are right and all others",
        "are refused with a code. A failure is a file that the runtime does not take.",
        "",
        "| | right | refused | wrong numbers | failed | crashed | of |",
        "|---|---:|---:|---:|---:|---:|---:|",
    ]
    for stage, tallies in zip(STAGES.values(), ([r.ir for r in compared], [r.tflite for r in compared]), strict=True):
        count = Counter(t.verdict for t in tallies)
        cells = [count[s] for s in ("right", "refused", "wrong", "failed", "crash")]
        lines.append(f"| {stage} | {' | '.join(map(str, cells))} | {sum(cells)} |")
    lines += ["", "## By operator", "", "The number of right samples and the codes of the other ones, then the first"]
    lines += ["thing in the way.", "", "| operator | IR | | TFLite | | |", "|---|---:|---|---:|---|---|"]
    for row in compared:
        why = " ".join((row.ir.why or row.tflite.why).replace("|", "/").split())
        lines.append(f"| {row.operator} | {_columns(row.ir)} | {_columns(row.tflite)} | {why[:160]} |")
    lines += ["", "## Not compared", "", "No real tensors in these element types, random, or not on a processor:"]
    return "\n".join([*lines, f"{', '.join(rest)}."]) + "\n"


def _columns(tally: Tally) -> str:
    rest = tally.codes + Counter({s: n for s, n in tally.counts.items() if s in ("wrong", "crash")})
    return f"{tally.counts['right']} | {', '.join(f'{code} ({n})' for code, n in sorted(rest.items()))}"


def _cell(tally: Tally) -> str:
    rest = ", ".join(f"{n} {status}" for status, n in tally.counts.items() if status != "right")
    return f"{tally.verdict} ({tally.counts['right']}{'; ' + rest if rest else ''})"


if __name__ == "__main__":
    sys.exit(main())

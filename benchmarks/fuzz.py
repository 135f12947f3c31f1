"""Damaged files of every format: whatever is wrong with a file, nhwcc says so with a code.

python -m benchmarks.fuzz --count 10000                    # cases 0 to 9999; a case's number is its seed
python -m benchmarks.fuzz --start 4711 --count 1 --keep    # one of them again; its folder stays
python -m benchmarks.fuzz --kind openvino --count 500 --place out/fuzz-openvino  # of one format

Files are damaged in terms of their formats: fields of messages, tokens of texts, members of archives.  Every case is
a command line in a process of its own, which may take 60 s and 4 GB.  Findings stay in out/fuzz/findings, each with
its files and its command.  An interrupted run goes on where it was: what came of every case is kept in
out/fuzz/results.jsonl, and a case that is there is run again with --again only.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from random import Random
from typing import Any

from benchmarks.fuzzing.isolated import Ended, Job, prepare, run_all
from benchmarks.fuzzing.kinds import KINDS, Kind
from benchmarks.measure import table

WRITTEN = (0, 4)
"""Exit codes with which a file is there: 4 says that its agreement with the source proves nothing."""

COLUMNS = ("refused", "done", "crash", "internal error", "refused too late", "over 60 s", "over 4 GB", "files left")
FINDINGS = COLUMNS[2:]
TOO_LATE = {"F033", "R003", "R013", "R018", "R019", "R020", "R021"}
"""Codes that blame nhwcc, or by which a runtime refuses what nhwcc has taken: findings, unless the file is to blame."""
EXCUSED = {
    "tflite": {"R013", "R019"},  # a damaged file is run, in a process that may end
    "script": {"R019"},  # so is a script, when it is read
    "onnx": {"R018", "R003"},  # onnxruntime may refuse what we take; sizes may depend on data
    "external data": {"R018", "R020"},  # damaged weights are huge, too
    "openvino's weights": {"R018", "R020"},
    "ir": {"R003"},
    "npz": {"R020"},  # damaged numbers are huge, or none
    "op library": {"R003"},  # what it declares may contradict itself when it runs
    **{kind: {"R018"} for kind in ("openvino", "graph", "saved model", "variables", "keras", "h5")},
}
"""Codes that are as they should be for files of a kind."""


@dataclass(frozen=True)
class Result:
    """What came of a case, in one of :data:`COLUMNS`."""

    case: int
    kind: str
    verdict: str
    codes: tuple[str, ...]
    message: str
    seconds: float


def make_case(case: int, seeds: Path, place: Path, kinds: Iterable[Kind]) -> Job:
    """Write the files of a case into a folder of its own."""
    rng = Random(case)
    there = [kind for kind in kinds if kind.paths(seeds)]
    kind = rng.choices(there, [k.share for k in there])[0]
    folder = (place / f"{case}").resolve()
    shutil.rmtree(folder, ignore_errors=True)
    (folder / "tmp").mkdir(parents=True)
    file = kind.place(rng, seeds, folder)
    return Job(case, kind.name, folder, tuple(file if part == "{file}" else part for part in rng.choice(kind.commands)))


def judge(ended: Ended, before: set[str]) -> Result:
    """Say what came of a case."""
    codes, message = _diagnosed(ended)
    left = _files(ended.job.folder) - before
    if ended.code in WRITTEN or ended.job.kind == "zoo":  # which keeps what it knows of networks that are refused
        left = {name for name in left if not name.startswith("out")}
    is_internal = any(c[0] == "I" for c in codes) or (ended.code not in WRITTEN and not codes)
    if ended.code is None:
        verdict = "over 60 s"
    elif ended.code < 0 or "Fatal Python error" in ended.complained:
        verdict = "crash"
    elif "R024" in codes:
        verdict = "over 4 GB"
    elif is_internal or "Traceback (most recent call last)" in ended.complained:
        verdict, message = "internal error", message or ended.complained[-300:]
    elif TOO_LATE.intersection(codes) - EXCUSED.get(ended.job.kind, set()):
        verdict = "refused too late"
    elif left:
        verdict, message = "files left", ", ".join(sorted(left))
    else:
        verdict = "done" if ended.code in WRITTEN else "refused"
    return Result(ended.job.case, ended.job.kind, verdict, codes, message, ended.seconds)


def _files(folder: Path) -> set[str]:
    """Return what is in a folder but for the caches of Python and PyTorch."""
    there = (p.relative_to(folder) for p in folder.rglob("*"))
    return {str(p) for p in there if not any(part.startswith(("__pycache__", "torchinductor")) for part in p.parts)}


def _diagnosed(ended: Ended) -> tuple[tuple[str, ...], str]:
    """Return the codes that a command reported, and its first message."""
    try:
        found: Any = json.loads(ended.printed)
    except ValueError:
        return (), ended.complained.strip()[-300:]
    told: list[dict[str, str]] = found.get("diagnostics", [])
    report: object = found.get("report")
    several = isinstance(report, dict) and "results" in report  # a list of networks, each with its own
    results: list[dict[str, str]] = found["report"]["results"] if several else []
    errors = [(d["code"], d["message"]) for d in told if d["severity"] == "error"]
    for result in results:
        code, _, message = result["message"].partition(": ")
        errors += [(code, message)] if result["status"] == "failed" else []
    return tuple(code for code, _ in errors), errors[0][1] if errors else ""


def fuzz(
    cases: Iterable[int],
    seeds: Path,
    place: Path,
    *,
    workers: int = 1,
    keep: bool = False,
    kinds: Iterable[Kind] = KINDS,
) -> Iterator[Result]:
    """Run cases of some kinds and yield what came of each; folders of findings stay."""
    chosen = tuple(kinds)
    before: dict[int, set[str]] = {}

    def jobs() -> Iterator[Job]:
        for case in cases:
            job = make_case(case, seeds, place, chosen)
            before[case] = _files(job.folder)
            yield job

    for ended in run_all(jobs(), workers):
        case = ended.job.case
        result = judge(ended, before.pop(case))
        if result.verdict in FINDINGS or keep:
            _keep(ended, result, place.parent / "findings")
        shutil.rmtree(ended.job.folder, ignore_errors=True)
        for suffix in (".out", ".err"):
            ended.job.folder.with_suffix(suffix).unlink(missing_ok=True)
        yield result


def _keep(ended: Ended, result: Result, place: Path) -> None:
    """Move a case's folder where findings are, with its command and what it said."""
    target = place / f"{result.case}"
    shutil.rmtree(target, ignore_errors=True)
    shutil.copytree(ended.job.folder, target)
    said = f"{result}\n\n{ended.printed}\n{ended.complained}"
    (target / "command.txt").write_text(f"nhwcc {' '.join(ended.job.arguments)}\n\n{said}", "utf-8", "replace")


def read_results(log: Path) -> dict[int, Result]:
    """Return what came of earlier cases, the last time that each was run."""
    if not log.exists():
        return {}
    found = (Result(**json.loads(line)) for line in log.read_text("utf-8").splitlines())
    return {result.case: result for result in found}


def summary(results: Iterable[Result]) -> str:
    """Return the table: a row for every kind of file, a column for what can come of a case."""
    tally: dict[str, Counter[str]] = {}
    for result in results:
        tally.setdefault(result.kind, Counter())[result.verdict] += 1
    names = [k.name for k in KINDS if k.name in tally]
    rows = [[n, tally[n].total(), *(tally[n][c] for c in COLUMNS)] for n in names]
    whole = sum(tally.values(), Counter[str]())
    return table(["files", "cases", *COLUMNS], [*rows, ["all", whole.total(), *(whole[c] for c in COLUMNS)]])


def main() -> int:
    """Run the cases that were asked for; 1 if there is a finding."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--start", type=int, default=0)
    parser.add_argument("--count", type=int, default=100)
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--place", type=Path, default=Path("out/fuzz"), help="where seeds, cases and findings lie")
    parser.add_argument("--again", action="store_true", help="run cases again that were run before")
    parser.add_argument("--small", action="store_true", help="few seeds, none of PyTorch and TensorFlow")
    parser.add_argument("--keep", action="store_true", help="keep the folders of all cases")
    parser.add_argument("--kind", action="append", choices=[kind.name for kind in KINDS], help="damage files of a kind")
    given = parser.parse_args()
    kinds = [kind for kind in KINDS if not given.kind or kind.name in given.kind]
    seeds = given.place / ("small" if given.small else "seeds")
    if not (seeds / "complete").exists():
        command = [sys.executable, "-m", "benchmarks.fuzzing.seeds", str(seeds), *(["--small"] if given.small else [])]
        subprocess.run(command, check=True)
    prepare(whole=not given.small)
    cases = range(given.start, given.start + given.count)
    log = given.place / "results.jsonl"
    known = {} if given.again else read_results(log)
    results = [known[case] for case in cases if case in known]
    fresh = [case for case in cases if case not in known]
    with log.open("a", encoding="utf-8") as file:
        for result in fuzz(fresh, seeds, given.place / "cases", workers=given.workers, keep=given.keep, kinds=kinds):
            results.append(result)
            print(json.dumps(asdict(result)), file=file, flush=True)
            if result.verdict in FINDINGS:
                codes = ",".join(result.codes)
                print(f"{result.case} {result.kind} {result.verdict} {codes} {result.message[:150]!r}", flush=True)
    print(summary(results))
    codes = Counter(code for result in results for code in set(result.codes))
    print(f"\nslowest: {max(r.seconds for r in results):.1f} s; codes: {dict(sorted(codes.items()))}")
    return int(any(r.verdict in FINDINGS for r in results))


if __name__ == "__main__":
    sys.exit(main())

"""Applies every mutant to a copy of the sources: do the tests fail, and does ``nhwcc.compile`` refuse by itself?

``python -m tests.mutants.run [NAME...]``: mutants whose names contain one of the words, or all. What came out is kept
in ``out/mutants.json``; ``--resume`` leaves out what is settled there. ``--page`` writes
``docs/mutants.md``.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path
from queue import Queue

from .catalogue import ROOT, Mutant, read
from .networks import VERIFIED
from .page import page
from .workspace import Ended, Workspace

KEPT = ROOT / "out" / "mutants.json"
PYTEST = ("-x", "-p", "no:cacheprovider", "-p", "no:xdist", "--tb=line")
TESTS_SECONDS, COMPILE_SECONDS, BASELINE_SECONDS = 300.0, 120.0, 1800.0
FAILED, NO_TESTS = (1, 2), 5


@dataclass(frozen=True)
class Outcome:
    """What became of a mutant: by which test it was killed, how compiling its network ended, and how long both took.

    ``declared`` is the fingerprint of the declaration.
    """

    name: str
    declared: str
    killed: bool
    tests: str
    refused: bool
    compile: str
    seconds: float


def judge(mutant: Mutant, workspace: Workspace, known: Outcome | None = None) -> Outcome:
    """Run tests and compiler with the fault, or what of them has not said all that can be said before."""
    start = time.perf_counter()
    killed, tests = (known.killed, known.tests) if known else (False, "")
    verdict = known.compile if known else VERIFIED
    with workspace.mutated(mutant):
        if not killed:
            killed, tests = _tested(workspace.run("pytest", [*PYTEST, *mutant.tests], TESTS_SECONDS))
        if verdict == VERIFIED:
            verdict = _verdict(mutant.name, workspace.run("networks", [mutant.name], COMPILE_SECONDS))
    seconds = round(time.perf_counter() - start, 1)
    return Outcome(mutant.name, mutant.fingerprint, killed, tests, verdict != VERIFIED, verdict, seconds)


def _tested(ended: Ended) -> tuple[bool, str]:
    """Whether tests failed, and which one first.

    Raises:
        RuntimeError: none was run.
    """
    if ended.code is None:
        return True, f"more than {TESTS_SECONDS:.0f} s"
    if ended.code not in (0, *FAILED):
        raise RuntimeError(f"pytest ended with {ended.code}\n{ended.output}")
    failed = [line for line in ended.output.splitlines() if line.startswith(("FAILED ", "ERROR "))]
    return ended.code in FAILED, failed[0].split(" - ")[0].split(" ", 1)[1] if failed else ""


def _verdict(name: str, ended: Ended) -> str:
    if ended.code is None:
        return f"broken: more than {COMPILE_SECONDS:.0f} s"
    said = [line for line in ended.output.splitlines() if line.startswith(f"{name}: ")]
    return said[-1].removeprefix(f"{name}: ") if said else f"broken: exit code {ended.code}"


def check_baseline(mutants: list[Mutant], workspaces: list[Workspace]) -> list[str]:
    """Without a fault all tests must pass and all networks compile; say which don't."""
    tests = sorted({t for m in mutants for t in m.tests})
    names = [m.name for m in mutants]
    with ThreadPoolExecutor(2) as pool:
        tested = pool.submit(workspaces[0].run, "pytest", [*PYTEST, *_outermost(tests)], BASELINE_SECONDS)
        compiled = pool.submit(workspaces[-1].run, "networks", names, BASELINE_SECONDS)
    problems = [] if tested.result().code == 0 else [f"tests fail without a fault:\n{tested.result().output}"]
    verdicts = {name: _verdict(name, compiled.result()) for name in names}
    wrong = [f"the network of {n} is {v} without a fault" for n, v in verdicts.items() if v != VERIFIED]
    return problems + (wrong and [*wrong, compiled.result().output])


def _outermost(tests: list[str]) -> list[str]:
    """Without those that others include, which pytest would run twice."""
    return [t for t in tests if not any(t != o and t.startswith((f"{o}::", f"{o}/", f"{o}[")) for o in tests)]


def run(
    mutants: list[Mutant], workspaces: list[Workspace], before: Mapping[str, Outcome], tell: Callable[[Outcome], None]
) -> list[Outcome]:
    """Judge all, one per workspace at a time."""
    free: Queue[Workspace] = Queue()
    for workspace in workspaces:
        free.put(workspace)

    def one(mutant: Mutant) -> Outcome:
        workspace = free.get()
        try:
            outcome = judge(mutant, workspace, before.get(mutant.name))
        finally:
            free.put(workspace)
        tell(outcome)
        return outcome

    with ThreadPoolExecutor(len(workspaces)) as pool:
        return list(pool.map(one, mutants))


def load(mutants: Iterable[Mutant]) -> dict[str, Outcome]:
    """What is known from earlier runs of mutants that are declared as they were then."""
    kept = [Outcome(**o) for o in json.loads(KEPT.read_text())] if KEPT.exists() else []
    declared = {m.name: m.fingerprint for m in mutants}
    return {o.name: o for o in kept if declared.get(o.name) == o.declared}


def save(outcomes: Iterable[Outcome]) -> None:
    KEPT.parent.mkdir(exist_ok=True)
    KEPT.write_text(json.dumps([asdict(o) for o in outcomes], indent=1))


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", metavar="NAME")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--resume", action="store_true", help="leave out what is settled")
    parser.add_argument("--no-baseline", action="store_true", help="believe that tests pass and networks compile")
    parser.add_argument("--check", action="store_true", help="only compare the mutants with the sources")
    parser.add_argument("--page", action="store_true", help="write docs/mutants.md")
    return parser.parse_args()


def main() -> int:
    given = arguments()
    everything = read()
    if problems := [p for m in everything for p in m.problems()]:
        print("\n".join(problems))
        return 2
    mutants = [m for m in everything if not given.names or any(n in m.name for n in given.names)]
    known = load(everything)
    if given.resume:
        mutants = [m for m in mutants if not _is_settled(m, known.get(m.name))]
    if not given.check and mutants and (code := measure(mutants, known, given)):
        return code
    outcomes = [known[m.name] for m in everything if m.name in known]
    if given.page:
        (ROOT / "docs" / "mutants.md").write_text(page(everything, known), encoding="utf-8")
    survived = [m for m in everything if m.name in known and not known[m.name].killed and not m.equivalent]
    print(f"{sum(o.killed for o in outcomes)} of {len(outcomes)} killed by tests,", end=" ")
    print(f"{sum(o.refused for o in outcomes)} refused by compile, {len(survived)} survived without a reason")
    return 1 if survived else 0


def _is_settled(mutant: Mutant, known: Outcome | None) -> bool:
    """Whether nothing is left to find out: it is killed, and refused unless that is known not to be."""
    return known is not None and known.killed and (known.refused or bool(mutant.verified))


def measure(mutants: list[Mutant], known: dict[str, Outcome], given: argparse.Namespace) -> int:
    """Run mutants, keeping what comes out in ``known`` and in a file; return 2 if the tests fail without them."""

    def tell(outcome: Outcome) -> None:
        known[outcome.name] = outcome
        save(list(known.values()))
        word = "killed  " if outcome.killed else "SURVIVED"
        print(f"{outcome.name:44} {word} {outcome.compile:24} {outcome.seconds:6.1f} s  {outcome.tests}", flush=True)

    with tempfile.TemporaryDirectory(prefix="nhwcc-mutants-") as folder:
        workspaces = [Workspace(Path(folder) / str(i)) for i in range(given.workers)]
        try:
            if not given.no_baseline and (problems := check_baseline(mutants, workspaces)):
                print("\n".join(problems))
                return 2
            run(mutants, workspaces, dict(known) if given.resume else {}, tell)
        finally:
            for workspace in workspaces:
                workspace.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())

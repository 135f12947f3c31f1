"""Proves or validates every rewrite, and writes what was found: ``python -m tests.proofs``.

Ends with 1 if a rewrite is wrong, lacks a proof that rules must have, or was validated too rarely.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
import warnings
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from . import index_maps, mutants
from .drafts import Body
from .exploring import Explorer, Sources, merge
from .firings import Findings, validate
from .harvest import Harvest
from .parallel import parallel
from .results import Entry, Results
from .rewrites import Rewrite, all_rewrites, rules
from .seeds import declared_drafts, distinct, drafts_of, pipelines, random_graphs, random_operations, written_drafts
from .verdicts import Verdict, judge

ENOUGH = 200
"""Modules in which a rewrite that nothing proves is to be validated."""

SHARES = (0.4, 0.2, 0.4)
"""Of the time for mutants: what is still seen too rarely after a part has the next one to itself."""

SHARDS = 16
ROUNDS = {"operations": 24, "graphs": 600, "seeds": 4}
"""How many random cases of every operation and random graphs are validated; and cases that are mutated."""


@dataclass
class Run:
    """One run of everything."""

    workers: int
    seconds: float
    seed: int = 0
    alarms: list[str] = field(default_factory=lambda: list[str]())
    started: float = field(default_factory=time.monotonic)

    printed: int = 0

    def say(self, text: str) -> None:
        """Print with the time that has passed, that of all processes, and what has been doubted since."""
        used = os.times()
        processors = used.user + used.system + used.children_user + used.children_system
        print(f"[{time.monotonic() - self.started:4.0f} s, {processors:4.0f} s of processors] {text}", flush=True)
        for alarm in self.alarms[self.printed :]:
            print(f"#### {alarm}", flush=True)
        self.printed = len(self.alarms)

    def rules(self) -> dict[str, Verdict]:
        """Judge all rules."""
        verdicts = parallel(_judge, range(len(rules())), self.workers)
        found = {rewrite.key: verdict for rewrite, verdict in zip(rules(), verdicts, strict=True)}
        for key, verdict in found.items():
            if verdict.wrong is not None:
                self.alarms.append(f"{key}, found by {verdict.found_by}: {verdict.wrong[0]}\n{verdict.wrong[1]}")
            elif not verdict.is_accepted:
                self.alarms.append(f"{key}: no proof; {verdict.proof.outcome}: {verdict.proof.reason}")
        count = Counter(verdict.basis for verdict in found.values())
        self.say(f"{len(found)} rules: {', '.join(f'{n} by {basis}' for basis, n in count.items())}")
        return found

    def moves(self) -> dict[str, dict[str, int]]:
        """Compare index maps; of every rewrite, how often it fired in which family."""
        pieces = [(name, first) for name in index_maps.FAMILIES for first in range(SHARDS)]
        fired: dict[str, dict[str, int]] = {}
        for (name, _), found in zip(pieces, parallel(_family, pieces, self.workers), strict=True):
            for key, count in found.fired.items():
                families = fired.setdefault(key, {})
                families[name] = families.get(name, 0) + count
            self.alarms += [f"{key}, index maps: {why}\n{text}" for key, (why, text) in found.wrong.items()]
        total = sum(sum(families.values()) for families in fired.values())
        self.say(f"{total} firings in chains of moves")
        return fired

    def firings(self, proven: set[str], harvest: Harvest) -> Findings:
        """Validate firings until every rewrite has been seen often enough, or nothing new is found."""
        findings = Findings()
        for part in parallel(_random, range(SHARDS), self.workers, self.seed):
            findings.add(part)
        self.say(f"{findings.firings.total()} firings in random operations and graphs")
        drafts = _drafts(self.seed, harvest.drafts())
        self.say(f"{len(drafts)} modules to start from")
        explorer = Explorer(drafts, pipelines(), ENOUGH, self.seed)
        sources: Sources = {}
        for part, fired in parallel(_first, range(SHARDS), self.workers, explorer):
            findings.add(part)
            merge(sources, fired)
        self.say(f"{findings.firings.total()} firings with these modules")
        for share in SHARES:
            open_ = [r.key for r in all_rewrites() if r.key not in proven and r.key in sources]
            few = [key for key in open_ if len(findings.validated[key]) < ENOUGH]
            few.sort(key=lambda key: len(findings.validated[key]))
            chunks = [chunk for chunk in (few[shard::SHARDS] for shard in range(SHARDS)) if chunk]
            seconds = share * self.seconds / max(len(chunks), 1)
            for part, fired in parallel(_deepen, chunks, self.workers, explorer, sources, findings, seconds):
                findings.add(part)
                merge(sources, fired)
            self.say(f"{findings.firings.total()} firings with mutants of what stood around {len(few)} rewrites")
        self._doubt(findings, proven)
        self.say(f"{len(all_rewrites())} rewrites")
        return findings

    def _doubt(self, findings: Findings, proven: set[str]) -> None:
        """Take down what was wrong, and what was seen too rarely."""
        for rewrite in all_rewrites():
            count = len(findings.validated[rewrite.key])
            if rewrite.key not in proven and not rewrite.draws and count < ENOUGH:
                self.alarms.append(f"{rewrite.key} was validated in {count} modules only")
        for key, alarms in sorted(findings.alarms.items()):
            self.alarms += [f"{key}, in {a.passes}: {a.why}\n{a.before}\nbecame\n{a.after}" for a in alarms[:2]]

    def mutants(self) -> dict[str, int]:
        """Let the prover judge faulty rules."""
        chosen = mutants.all_mutants()
        fates = parallel(_fate, range(len(chosen)), self.workers, chosen)
        for (key, mutant), (what, how) in zip(chosen, fates, strict=True):
            if what == "survived":
                self.alarms.append(f"a mutant of {key} survived, {mutant.kind}, found by {how}: {mutant.rule}")
        count = Counter(what for what, _ in fates)
        self.say(f"{len(chosen)} mutants of rules: {dict(count)}")
        return dict(sorted(count.items()))


def _judge(number: int) -> Verdict:
    rule = rules()[number].rule
    assert rule is not None
    return judge(rule)


def _family(piece: tuple[str, int]) -> index_maps.Checked:
    return index_maps.check_family(piece[0], every=SHARDS, first=piece[1])


APART = 1_000
"""How far the random cases of one seed are from those of the next."""


def _random(shard: int, seed: int) -> Findings:
    findings, first = Findings(), APART * seed
    for case in random_operations(range(first + shard, first + ROUNDS["operations"], SHARDS)):
        validate(case.module, case.passes, findings, case.inputs)
    for case in random_graphs(range(first + shard, first + ROUNDS["graphs"], SHARDS)):
        validate(case.module, case.passes, findings)
    return findings


def _drafts(seed: int, harvested: Sequence[Body]) -> list[Body]:
    """All modules to start from: written ones, random ones, and those of the tests."""
    first = APART * seed
    seeds = [*random_operations(range(first, first + ROUNDS["seeds"])), *random_graphs(range(first, first + 40))]
    return distinct([*written_drafts(), *declared_drafts(), *harvested, *drafts_of(seeds)])


def _first(shard: int, explorer: Explorer) -> tuple[Findings, Sources]:
    return explorer.first(range(shard, len(explorer.drafts), SHARDS))


def _deepen(
    keys: list[str], explorer: Explorer, sources: Sources, known: Findings, seconds: float
) -> tuple[Findings, Sources]:
    return explorer.deepen(keys, sources, known, seconds)


def _fate(number: int, chosen: Sequence[tuple[str, mutants.Mutant]]) -> tuple[mutants.Fate, str]:
    return mutants.fate(chosen[number][1])


def _entry(rewrite: Rewrite, verdict: Verdict | None, families: dict[str, int], findings: Findings) -> Entry:
    """Put together what is known of a rewrite."""
    modules = len(findings.validated[rewrite.key])
    if rewrite.draws:
        return Entry("draws")
    if verdict is None:
        moves = bool(families) and findings.kinds[rewrite.key] <= index_maps.MOVES
        return Entry("index maps" if moves else "instances", [], families, 0, modules, rewrite.pattern.steps)
    elements = sorted(dtype.value for dtype in verdict.elements)
    return Entry(verdict.basis or "instances", elements, families, verdict.fired, modules)


def main() -> int:
    """Run everything."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--workers", type=int, default=2, help="processes")
    parser.add_argument("--keep", action="store_true", help="do not write the results")
    parser.add_argument(
        "--seconds", type=float, default=400.0, help="of processor time for mutants of modules, in all processes"
    )
    parser.add_argument("--seed", type=int, default=0, help="of random cases and mutants; other ones find others")
    options = parser.parse_args()
    warnings.simplefilter("ignore", RuntimeWarning)
    run = Run(options.workers, options.seconds, options.seed)
    with tempfile.TemporaryDirectory() as folder:
        harvest = Harvest(Path(folder))
        verdicts = run.rules()
        moves = run.moves()
        findings = run.firings(set(verdicts), harvest)
    entries = {r.key: _entry(r, verdicts.get(r.key), moves.get(r.key, {}), findings) for r in all_rewrites()}
    families = {name: family.text for name, family in index_maps.FAMILIES.items()}
    fates: dict[str, int] = {}
    if not options.keep:  # what is known so far: judging the faulty rules takes longest
        Results(dict(sorted(entries.items())), families, fates, findings.firings.total()).save()
    fates = run.mutants()
    if not options.keep:
        Results(dict(sorted(entries.items())), families, fates, findings.firings.total()).save()
    run.say(f"{len(run.alarms)} alarms")
    return 1 if run.alarms else 0


if __name__ == "__main__":
    sys.exit(main())

"""Looks for modules in which rewrites fire: first where they do, then mutants of what stood around them."""

from __future__ import annotations

import random
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from nhwcc.backends.registry import TARGETS
from nhwcc.compiler.clone import clone_module
from nhwcc.compiler.opdef import OPS
from nhwcc.compiler.ops.recurrent import Recurrent

from .drafts import Body, build
from .equivalence import FAULTS
from .firings import Findings, validate
from .mutations import Mutator, seen_values
from .rewrites import all_rewrites, newest

Sources = dict[str, dict[int, Body]]
"""Of every rewrite, what stood around it where it fired, by fingerprints."""

KEPT = 60
"""So many of them, the smallest ones."""

SLICE = 1.0
"""Seconds for one rewrite before the next one has its turn."""


def suitable(passes: Sequence[str], body: Body) -> list[str]:
    """Leave out what differs in the choices of passes only, unless there is something to choose: recurrent layers."""
    recurrent = any(issubclass(OPS[step.kind], Recurrent) for step in body.walk())
    return [p for p in passes if recurrent or "{rnn" not in p]


def merge(sources: Sources, others: Sources) -> None:
    """Take over what was found, as far as it is small."""
    for key, bodies in others.items():
        found = sources.setdefault(key, {}) | bodies
        sources[key] = dict(sorted(found.items(), key=lambda item: (len(list(item[1].walk())), item[0]))[:KEPT])


@dataclass
class Explorer:
    """Mutates what stood around a rewrite, and applies it alone, until it was validated often enough.

    Another ``seed`` gives other mutants.
    """

    drafts: Sequence[Body]
    passes: Sequence[str]
    enough: int
    seed: int = 0

    def first(self, numbers: Iterable[int]) -> tuple[Findings, Sources]:
        """Validate the drafts with these numbers, an eighth in the targets' pipelines, too; say where what fired.

        Which eighth that is does not depend on what other drafts there are.
        """
        findings, sources = Findings(), Sources()
        for number in numbers:
            draft = self.drafts[number]
            passes = suitable(self.passes, draft)
            for text in passes if draft.fingerprint() % 8 == 0 else passes[: -len(TARGETS)]:
                found = validate(build(draft), text, findings, keeps=True)
                merge(sources, {key: {body.fingerprint(): body} for key, body in found.items()})
        return findings, sources

    def deepen(
        self, keys: Sequence[str], sources: Sources, known: Findings, seconds: float
    ) -> tuple[Findings, Sources]:
        """Validate rewrites in mutants, in turns, the rarest first, until all are done or the time is over.

        Mutants in which a rewrite fires are mutated again. As long as the time suffices, the same ones are found again.
        """
        until, seen = time.process_time() + seconds, seen_values(self.drafts)
        mutators = {key: Mutator(random.Random(f"{key} {self.seed}"), seen) for key in keys}
        turns = {key: _Turn(key, list(sources[key].values()), known.validated[key], mutators[key]) for key in keys}
        findings = Findings()
        while turns and time.process_time() < until:
            for key, turn in sorted(turns.items(), key=lambda item: len(item[1].findings.validated[item[0]])):
                turn.work(self.enough, min(until, time.process_time() + SLICE))
                if len(turn.findings.validated[key]) >= self.enough:
                    findings.add(turns.pop(key).findings)
        for turn in turns.values():
            findings.add(turn.findings)
        return findings, {key: {b.fingerprint(): b for b in turn.pool} for key, turn in turns.items()}


class _Turn:
    """One rewrite that is looked for."""

    def __init__(self, key: str, pool: list[Body], known: set[int], mutator: Mutator) -> None:
        self.key, self.pool, self.mutator = key, pool, mutator
        pattern = next(r.pattern for r in all_rewrites() if r.key == key)
        self.patterns = [p for p in (pattern, newest(pattern)) if p is not None]
        self.findings = Findings()
        self.findings.validated[key] |= known

    def work(self, enough: int, until: float) -> None:
        """Try mutants until there are enough, or the time is over."""
        while time.process_time() < until and len(self.findings.validated[self.key]) < enough:
            mutant = self.mutator(self.mutator.rng.choice(self.pool))
            try:
                module = build(mutant)
            except FAULTS:
                self.findings.stopped["the mutant is no module"] += 1
                continue
            if any(self.key in validate(clone_module(module), p, self.findings) for p in self.patterns):
                self.pool.append(mutant)

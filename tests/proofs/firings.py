"""Validates every single firing of every rewrite: the whole module runs before and after, on the same inputs."""

from __future__ import annotations

import random
import signal
import time
import traceback
from collections import Counter, defaultdict
from collections.abc import Generator, Iterable, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from nhwcc.compiler.diagnostics import CompileError
from nhwcc.compiler.interpreter import random_inputs
from nhwcc.compiler.ir import Module
from nhwcc.compiler.opdef import OPS, Draws
from nhwcc.compiler.ops.index import ScatterElements, ScatterNd
from nhwcc.compiler.ops.recurrent import Recurrent
from nhwcc.compiler.pipeline import Pipeline, parse_pipeline
from nhwcc.compiler.printer import print_module
from nhwcc.compiler.rewrite import Pattern, watch_rewriting
from nhwcc.compiler.types import Array
from nhwcc.compiler.verify import verify

from .drafts import Body, TooLarge, build, draft
from .equivalence import FAULTS, difference, is_defined, outputs, tolerance
from .mutations import Mutator
from .rewrites import find

INTERNAL = "ITW"
"""Families of codes that the verified module itself is no reason for: ill-typed operations, endless rewriting."""

MAX_SECONDS = 5.0
"""Of processor time for one module: a mutant of a loop may never end."""

MAX_FIRINGS = 200
"""In one run of a pipeline: what rewrites that often has shown what it does."""


@dataclass(frozen=True)
class Alarm:
    """A rewrite that changed what a module computes: why, the module before all passes, and right after the rewrite."""

    why: str
    passes: str
    before: str
    after: str


@dataclass
class Findings:
    """Of every rewrite, the modules (by their fingerprints) in which it was validated, and alarms."""

    validated: dict[str, set[int]] = field(default_factory=lambda: defaultdict(set))
    firings: Counter[str] = field(default_factory=lambda: Counter[str]())
    alarms: dict[str, list[Alarm]] = field(default_factory=lambda: defaultdict(list))
    kinds: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    stopped: Counter[str] = field(default_factory=lambda: Counter[str]())

    def add(self, other: Findings) -> None:
        """Take over what another run found."""
        for key, modules in other.validated.items():
            self.validated[key] |= modules
        for key, kinds in other.kinds.items():
            self.kinds[key] |= kinds
        self.firings += other.firings
        self.stopped += other.stopped
        for key, alarms in other.alarms.items():
            for alarm in alarms:
                self.blame(key, alarm)

    def blame(self, key: str, alarm: Alarm) -> None:
        """Keep the smallest examples."""
        self.alarms[key] = sorted([*self.alarms[key], alarm], key=lambda a: len(a.before))[:4]


class _TooMany(BaseException):
    """Ends a pipeline whose rewrites have been looked at often enough."""


class _TooLong(BaseException):
    """Ends a pipeline that computes for too long."""


@contextmanager
def _limited(seconds: float) -> Generator[None, None, None]:
    """Limit the processor time that this block takes."""

    def stop(number: int, frame: object) -> None:
        raise _TooLong

    before = signal.signal(signal.SIGVTALRM, stop)
    signal.setitimer(signal.ITIMER_VIRTUAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        signal.signal(signal.SIGVTALRM, before)


@dataclass
class Validator:
    """Watches rewriting, and compares the module's results each time that a pattern fired."""

    module: Module
    inputs: Sequence[Array]
    passes: str
    body: Body
    findings: Findings

    def __post_init__(self) -> None:
        self.fingerprint = self.body.fingerprint()
        self.relative = tolerance(self.module)
        self.want = outputs(self.module, self.inputs)
        self.count = 0
        self.fired_here: set[str] = set()
        self.ops = set(self.module.walk())

    def begin(self, module: Module, patterns: Sequence[Pattern]) -> None:
        """Passes between may have changed the module, too, even the types of its inputs."""
        self.ops = set(module.walk())
        if [a.type.dtype.numpy for a in module.main.args] != [a.dtype for a in self.inputs]:
            pairs = zip(self.inputs, module.main.args, strict=True)
            self.inputs = [array.astype(arg.type.dtype.numpy) for array, arg in pairs]
            self.want = outputs(module, self.inputs)

    def fired(self, module: Module, pattern: Pattern) -> None:
        """Compare.  After an alarm the new results are those that the next rewrite has to keep."""
        rewrite = find(pattern)
        if rewrite is None:
            return
        self.count += 1
        if self.count > MAX_FIRINGS:
            raise _TooMany
        self.findings.firings[rewrite.key] += 1
        ops = set(module.walk())
        self.findings.kinds[rewrite.key] |= {op.spec.name for op in ops ^ self.ops}
        self.ops = ops
        try:
            got = outputs(module, self.inputs)
            why = difference(got, self.want, self.relative)
        except FAULTS as bad:
            self._blame(rewrite.key, f"does not run: {type(bad).__name__}: {bad}", module)
            raise _TooMany from bad
        if why is None:
            self.findings.validated[rewrite.key].add(self.fingerprint)
            self.fired_here.add(rewrite.key)
        else:
            self._blame(rewrite.key, why, module)
            self.want = got

    def alarm(self, why: str, after: str) -> Alarm:
        """Tell what happened to the module as it was."""
        return Alarm(why, self.passes, print_module(build(self.body)), after)

    def _blame(self, key: str, why: str, module: Module) -> None:
        self.findings.blame(key, self.alarm(why, print_module(module)))


def validate(module: Module, passes: str, findings: Findings, inputs: Sequence[Array] | None = None) -> set[str]:
    """Run passes over a module, and return the keys of the rewrites that were validated in it."""
    validator: Validator | None = None
    try:
        with _limited(MAX_SECONDS):
            validator = _prepare(module, passes, findings, inputs)
            if validator is not None:
                with watch_rewriting(validator):
                    Pipeline(parse_pipeline(passes)).run(module)
    except _TooMany:
        findings.stopped["too many firings"] += 1
    except _TooLong:
        findings.stopped["too long"] += 1
    except FAULTS as bad:
        assert validator is not None
        code = bad.diagnostics[0].code if isinstance(bad, CompileError) else ""
        findings.stopped[code or "crash"] += 1
        if code[:1] in ("", *INTERNAL):
            findings.blame(_place(bad), validator.alarm(f"{type(bad).__name__}: {bad}", ""))
    return set() if validator is None else validator.fired_here


def _prepare(module: Module, passes: str, findings: Findings, inputs: Sequence[Array] | None) -> Validator | None:
    """Run the module as it is; None if it is none, can't run, or draws random numbers."""
    try:
        verify(module)
        if any(op.spec.has(Draws) for op in module.walk()):
            return None
        given = random_inputs(module.main) if inputs is None else inputs
        if any(isinstance(op, ScatterNd | ScatterElements) for op in module.walk()) and not is_defined(module, given):
            return None
        return Validator(module, given, passes, draft(module), findings)
    except (*FAULTS, TooLarge):
        findings.stopped["the module does not run"] += 1
        return None


def _place(bad: Exception) -> str:
    """The file and the function that raised an exception; the function that calls it, where that checks something."""
    frames = traceback.extract_tb(bad.__traceback__)
    known = [
        f for f in frames if not f.filename.endswith(("ir.py", "opdef.py", "rewrite.py", "pipeline.py", "operands.py"))
    ]
    last = (known or frames)[-1]
    return f"crash in {'/'.join(Path(last.filename).parts[-3:])}, {last.name}"


Sources = dict[str, list[tuple[int, str]]]
"""Of every rewrite, the numbers of the drafts in which it fired, and in which passes."""


def suitable(passes: Sequence[str], body: Body) -> list[str]:
    """Leave out what differs in the choices of passes only, unless there is something to choose: recurrent layers."""
    recurrent = any(issubclass(OPS[step.kind], Recurrent) for step in body.walk())
    return [p for p in passes if recurrent or "{" not in p]


@dataclass
class Explorer:
    """Mutates the modules in which a rewrite fired, until it was validated often enough."""

    drafts: Sequence[Body]
    passes: Sequence[str]
    enough: int
    attempts: int

    def first(self, numbers: Iterable[int]) -> tuple[Findings, Sources]:
        """Validate the drafts with these numbers, every fourth in the target's pipeline, too; say where what fired."""
        findings, fired = Findings(), defaultdict[str, list[tuple[int, str]]](list)
        for number in numbers:
            passes = suitable(self.passes, self.drafts[number])
            for text in passes if number % 4 == 0 else passes[:-1]:
                for key in validate(build(self.drafts[number]), text, findings):
                    fired[key].append((number, text))
        return findings, fired

    def deepen(self, keys: Sequence[str], sources: Sources, known: Findings, seconds: float) -> Findings:
        """Validate rewrites in mutants of the modules in which they fire, in the shortest pipelines that do.

        The rewrites share the time: one that fires rarely leaves off when its share is over.
        """
        findings, rng = Findings(), random.Random(" ".join(keys))
        for key in keys:
            findings.validated[key] |= known.validated[key]
        mutator = Mutator(rng, self.drafts)
        for key in keys:
            quick = min(passes.count(",") for _, passes in sources[key])
            pool = [(self.drafts[number], passes) for number, passes in sources[key] if passes.count(",") == quick]
            until = time.monotonic() + seconds / len(keys)
            for _ in range(self.attempts):
                if len(findings.validated[key]) >= self.enough or time.monotonic() > until:
                    break
                body, passes = rng.choice(pool)
                mutant = mutator(body)
                try:
                    module = build(mutant)
                except FAULTS:
                    findings.stopped["the mutant is no module"] += 1
                    continue
                if key in validate(module, passes, findings) and len(pool) < 200:
                    pool.append((mutant, passes))
        return findings

"""Validates every single firing of every rewrite: the whole module runs before and after, on the same inputs."""

from __future__ import annotations

import signal
import traceback
from collections import Counter, defaultdict
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from nhwcc.compiler.diagnostics import CompileError, Remark, collect_remarks
from nhwcc.compiler.interpreter import random_inputs
from nhwcc.compiler.ir import Module
from nhwcc.compiler.opdef import Draws
from nhwcc.compiler.pipeline import Pipeline, parse_pipeline
from nhwcc.compiler.printer import print_module
from nhwcc.compiler.rewrite import Pattern, rewrite, watch_rewriting
from nhwcc.compiler.types import Array
from nhwcc.compiler.verify import verify

from .drafts import Body, Snapshot, TooLarge, build, draft
from .equivalence import FAULTS, difference, outputs, tolerance
from .excuses import is_defined, is_excused
from .rewrites import find
from .rounding import Rounded

INTERNAL = "ITW"
"""Families of codes that the verified module itself is no reason for: ill-typed operations, endless rewriting."""

MAX_SECONDS = 1.0
"""Of processor time for one module: a mutant of a loop may never end."""

MAX_FIRINGS = {"pipeline": 200, "alone": 8}
"""In one run: what rewrites that often has shown what it does; alone, some go on for ever."""


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
    """Watches rewriting, and compares the module's results each time that a pattern fired.

    With ``keeps`` it takes down what stood around each rewrite when it fired first.
    """

    module: Module
    inputs: Sequence[Array]
    passes: str
    body: Body
    findings: Findings
    remarks: list[Remark]
    keeps: bool = False
    most: int = MAX_FIRINGS["pipeline"]

    def __post_init__(self) -> None:
        self.fingerprint = self.body.fingerprint()
        self.given, self.said = self.inputs, 0
        self.state: Snapshot | None = None
        self.relative = tolerance(self.module)
        self.want = outputs(self.module, self.inputs)
        self.count = 0
        self.fired_here: dict[str, Body] = {}
        self.ops = set(self.module.walk())
        self.patterns: Sequence[Pattern] = ()
        self.rounded = Rounded({})

    def begin(self, module: Module, patterns: Sequence[Pattern]) -> None:
        """Passes between may have changed the module, too, even the types of its inputs and outputs."""
        self.ops, self.patterns = set(module.walk()), patterns
        given, made = ([v.type.dtype.numpy for v in vs] for vs in (module.main.args, module.main.returns))
        if given != [a.dtype for a in self.inputs] or made != [a.dtype for a in self.want]:
            pairs = zip(self.inputs, module.main.args, strict=True)
            self.inputs = [array.astype(arg.type.dtype.numpy) for array, arg in pairs]
            self.want = outputs(module, self.inputs)
        self._look(module)

    def fired(self, module: Module, pattern: Pattern) -> None:
        """Compare.  After an alarm the new results are those that the next rewrite has to keep."""
        known = find(pattern)
        if known is None:
            return
        self.count += 1
        if self.count > self.most:
            raise _TooMany
        self.findings.firings[known.key] += 1
        ops = set(module.walk())
        self.findings.kinds[known.key] |= {op.spec.name for op in ops ^ self.ops}
        before, state, self.ops = self.ops, self.state, ops
        try:
            got = outputs(module, self.inputs)
            why = difference(got, self.want, self.relative)
            if why is not None and pattern.steps and self.rounded.steps_apart(module, self.inputs) <= pattern.steps:
                why, self.want = None, got
        except FAULTS as bad:
            self._blame(known.key, f"does not run: {type(bad).__name__}: {bad}", module)
            raise _TooMany from bad
        if why is None:
            self.findings.validated[known.key].add(self.fingerprint)
            if known.key not in self.fired_here:
                part = None if state is None else state.around(lambda op: op in before and op not in ops)
                self.fired_here[known.key] = part or (self.body if state is None else state.body)
        else:
            if is_excused(build(self.body), self.given, got, self.remarks[self.said :]):
                self.findings.stopped["not comparable"] += 1
            else:
                self._blame(known.key, why, module)
            self.want = got
        self.said = len(self.remarks)
        self._look(module)

    def _look(self, module: Module) -> None:
        """Keep what stands there before the next rewrite, and what it computes that may be rounded otherwise."""
        self.rounded = Rounded.of(module, self.inputs, self.patterns)
        try:
            self.state = Snapshot.of(module) if self.keeps else None
        except TooLarge:
            self.state = None

    def alarm(self, why: str, after: str) -> Alarm:
        """Tell what happened to the module as it was."""
        return Alarm(why, self.passes, print_module(build(self.body)), after)

    def _blame(self, key: str, why: str, module: Module) -> None:
        self.findings.blame(key, self.alarm(why, print_module(module)))


def validate(
    module: Module,
    passes: str | Pattern,
    findings: Findings,
    inputs: Sequence[Array] | None = None,
    *,
    keeps: bool = False,
) -> dict[str, Body]:
    """Run passes over a module, or apply one pattern alone.

    Return the keys of the rewrites that were validated in it, with ``keeps`` what stood around each.
    """
    validator: Validator | None = None
    try:
        with _limited(MAX_SECONDS), collect_remarks() as remarks:
            name = passes if isinstance(passes, str) else f"{passes.name} alone"
            validator = _prepare(module, name, findings, inputs, remarks)
            if validator is not None:
                validator.keeps = keeps
                validator.most = MAX_FIRINGS["pipeline" if isinstance(passes, str) else "alone"]
                with watch_rewriting(validator):
                    if isinstance(passes, str):
                        Pipeline(parse_pipeline(passes)).run(module)
                    else:
                        rewrite(module, [passes])
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
    return {} if validator is None else validator.fired_here


SEEDS = 4
"""Of random inputs: some may be none for which a module says what comes out."""


def _prepare(
    module: Module, passes: str, findings: Findings, inputs: Sequence[Array] | None, remarks: list[Remark]
) -> Validator | None:
    """Run the module as it is; None if it is none, can't run, draws random numbers or does not say what comes out."""
    try:
        verify(module)
        if any(op.spec.has(Draws) for op in module.walk()):
            return None
        body = draft(module)
    except (*FAULTS, TooLarge):
        findings.stopped["the module is none"] += 1
        return None
    for seed in range(SEEDS):
        try:
            given = random_inputs(module.main, seed=seed) if inputs is None else inputs
            if is_defined(module, given):
                return Validator(module, given, passes, body, findings, remarks)
        except FAULTS:
            continue
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

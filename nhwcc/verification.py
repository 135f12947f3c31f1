"""Verification: two runners on the same inputs, output by output, and where inside they part."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any

import numpy as np

from nhwcc.agreement import Limits, agree
from nhwcc.compiler.diagnostics import CompileError, Diagnostic, counted, error
from nhwcc.compiler.dims import Shape, solve, substitute
from nhwcc.compiler.types import Array, TensorType
from nhwcc.data import Data
from nhwcc.domains import Known
from nhwcc.feeds import Feed, Feeding, runs
from nhwcc.numerics import Difference, Status, compare_unordered
from nhwcc.options import TOLERANCE
from nhwcc.runners import Runner, batches
from nhwcc.shaking import Shaken

TRACED_BYTES = 64 << 20
"""How many bytes of tensors inside are held at a time, from each side."""


class VerificationError(CompileError):
    """Two runners disagree: what was compiled does not compute what the source does.

    ``departed`` is the name of the first tensor inside that differs, if one is known.
    """

    departed: str | None = None


@dataclass(frozen=True)
class Compared:
    """A tensor of both runners by its name; ``kind`` is the operation that computes it in the second.

    ``sizes`` are those of the run with which it came out like this, ``scale`` how many times larger its inputs were
    than usual.
    """

    name: str
    kind: str
    difference: Difference
    sizes: dict[str, int] = field(default_factory=lambda: dict[str, int]())
    scale: float = 1.0


@dataclass(frozen=True, repr=False)
class Verification:
    """What was compared, on what, and how it came out; ``departed`` is the first tensor inside that differs.

    ``inside`` are those up to there, unless all were asked for.
    ``sizes`` are the numbers that each named size had, and ``scales`` how large the inputs were, one for each run.  Of
    an output, the worst run counts; where none departs, one that proves something does.
    """

    reference: str
    candidate: str
    tolerance: float
    data: str
    sizes: dict[str, list[int]]
    outputs: list[Compared]
    inside: list[Compared] = field(default_factory=lambda: list[Compared]())
    departed: Compared | None = None
    scales: list[float] = field(default_factory=lambda: list[float]())

    @property
    def ok(self) -> bool:
        """Whether all outputs agree within the tolerance, whatever that proves."""
        return all(o.difference.ok for o in self.outputs)

    @property
    def proven(self) -> bool:
        """Whether all outputs agree, and none of them would if something else was computed."""
        return all(o.difference.proven for o in self.outputs)

    @property
    def verdict(self) -> Status:
        """The verdict on all outputs together: the worst of theirs."""
        return "differs" if not self.ok else "ok" if self.proven else "not proven"

    def __repr__(self) -> str:
        worst = max((o.difference.relative for o in self.outputs), default=0.0)
        outputs = counted(len(self.outputs), "output")
        return f"<Verification against {self.reference}: {self.verdict}, {outputs}, error {worst:.2g} of the largest>"

    def _repr_html_(self) -> str:
        from nhwcc.notebook import as_html
        from nhwcc.render import render_verification

        return as_html(lambda style: "\n".join(render_verification(self, style)))

    def unproven(self) -> list[str]:
        """Say of each output that agrees without proving anything why it does not."""
        inside = ""
        if self.departed is not None:
            inside = f'; inside, "{self.departed.name}" is the first to depart: {say(self.departed.difference)}'
        elif self.inside:
            inside = f"; the {counted(len(self.inside), 'tensor')} inside that have the same name agree"
        hollow = (o for o in self.outputs if o.difference.status == "not proven")
        return [f"{o.name}: {o.difference.note}{inside if o.difference.error else ''}" for o in hollow]

    def to_dict(self) -> dict[str, Any]:
        """Return it as plain data, with the verdict."""
        return {**asdict(self), "ok": self.ok and self.proven, "proven": self.proven}

    def problems(self, help: str = "") -> VerificationError:
        """Build the error that says where two runners disagree, and what ``help`` there is."""
        wrong = [o for o in self.outputs if not o.difference.ok]
        texts = (f"{o.name} departs from {self.reference}{_with(o)}: {say(o.difference)}" for o in wrong)
        found = [Diagnostic("error", "R020", text) for text in texts]
        if self.departed is not None:
            name, kind = self.departed.name, self.departed.kind
            found[-1].notes.append(f'first to depart is "{name}", computed by {kind}: {say(self.departed.difference)}')
        elif self.inside:
            found[-1].notes.append(f"none of the {len(self.inside)} tensors inside that have the same name departs")
        found[-1].help = help or None
        bad = VerificationError(*found)
        bad.departed = None if self.departed is None else self.departed.name
        return bad


@dataclass(frozen=True)
class Settings:
    """How to verify: on which data, with which seed, up to which error relative to what varies in a result.

    ``floor`` is the error relative to the largest value that rounding to a narrow type inside of the source costs, 0 if
    there is none.  A ``strict`` tolerance is kept to whatever the source is from itself.  ``domains`` are what is known
    of inputs, ``steps`` how much one step is of outputs that are made of narrow integers, ``constants`` the outputs
    that depend on no input: to be equal is all that they can.  ``sizes`` are named sizes with which alone both sides
    compute the same; those of the user's data are the user's choice.
    """

    tolerance: float = TOLERANCE
    data: Data | None = None
    seed: int = 0
    inside: bool = False
    floor: float = 0.0
    strict: bool = False
    domains: Mapping[str, Known] = field(default_factory=lambda: dict[str, Known]())
    steps: Mapping[str, float] = field(default_factory=lambda: dict[str, float]())
    constants: Collection[str] = ()
    sizes: Mapping[str, int] = field(default_factory=lambda: dict[str, int]())

    @property
    def feeding(self) -> Feeding:
        """Return where inputs come from: the data, or the seed of random ones."""
        return Feeding(self.data, self.seed, self.domains, sizes=self.sizes if self.data is None else {})

    def limits(self, output: str) -> Limits:
        """Return how far an output may differ: tolerance, and steps of coarser types."""
        return Limits(self.tolerance, self.floor, self.strict, self.steps.get(output, 0.0))


def verify(reference: Runner, candidate: Runner, settings: Settings) -> Verification:
    """Run both and compare; look inside if they disagree, or if ``settings.inside`` asks for it.

    Raises:
        CompileError: R022, the two have other inputs or outputs; or what refuses to run.
    """
    names = _pairs(reference, candidate)
    common, feeding = common_sizes(reference.inputs, candidate.inputs, names[0]), settings.feeding
    feeding = replace(feeding, sizes={**feeding.sizes, **common})
    found = _Found()
    inside: list[Compared] = []
    for feed, want in runs(reference, feeding):
        run = _Run(feed, want, {names[0][name]: array for name, array in feed.inputs.items()})
        is_first = not found.tried
        is_wrong = not found.add(feed, want, _compare(reference, candidate, run, names[1], settings))
        if is_wrong or found.is_chaotic() or (settings.inside and is_first):
            compared = compare_inside(reference, candidate, (feed.inputs, run.renamed), settings.tolerance)
            inside = list(compared if settings.inside else _until_departure(compared))
        if is_wrong:
            break
    return Verification(
        reference.title,
        candidate.title,
        settings.tolerance,
        _describe(settings),
        {name: [feed.sizes[name] for feed in found.tried] for name in found.tried[0].sizes},
        found.judged(settings.constants),
        inside,
        next((c for c in inside if not c.difference.ok), None),
        [feed.scale for feed in found.tried],
    )


class _Found:
    """What came out in the runs so far: of each output the one that says most."""

    def __init__(self) -> None:
        self.tried: list[Feed] = []
        self.worst: dict[str, Compared] = {}
        self.last: list[Compared] = []
        self._values: dict[str, set[object]] = {}

    def add(self, feed: Feed, want: Mapping[str, Array], found: list[Compared]) -> bool:
        """Take in a run; say whether all agrees in it."""
        self.tried.append(feed)
        self.last = found
        for compared in found:
            name = compared.name
            self.worst[name] = max(self.worst.get(name, compared), compared, key=_telling)
            self._values.setdefault(name, set()).add(_only_value(want[name]))
        return all(c.difference.ok for c in found)

    def is_chaotic(self) -> bool:
        """Say whether outputs of the last run agree only since noise drowns all that they say."""
        return any(c.difference.status == "not proven" and c.difference.error for c in self.last)

    def judged(self, constants: Collection[str]) -> list[Compared]:
        """Return the verdicts with what single runs can't tell: what never changes, and what can't."""
        found: list[Compared] = []
        for name, compared in self.worst.items():
            difference, values = compared.difference, self._values[name]
            if name in constants and difference.ok and difference.differing == 0:
                difference = replace(difference, status="ok", note="it depends on no input")
            elif difference.status == "not proven" and len(values) > 1 and None not in values:
                difference = replace(difference, status="ok", note="all elements are equal, others in each run")
            elif difference.proven and len(self.tried) > 1 and len(values) == 1 and None not in values:
                difference = replace(difference, status="not proven", note="it is the same whatever the inputs are")
            found.append(replace(compared, difference=difference))
        return found


@dataclass(frozen=True)
class _Run:
    """Inputs, what the reference made of them, and the inputs by the candidate's names."""

    feed: Feed
    want: dict[str, Array]
    renamed: dict[str, Array]


def _compare(
    reference: Runner, candidate: Runner, run: _Run, outputs: Mapping[str, str], settings: Settings
) -> list[Compared]:
    """Compare all outputs; where they differ, allow for what each of the two differs from itself, as far as needed."""
    want, got = run.want, candidate.run(run.renamed)
    if run.feed.scale > 1:
        got = {b: _where_finite(want[a], got[b]) for a, b in outputs.items()}
    found = {a: agree(want[a], got[b], settings.limits(a)) for a, b in outputs.items()}
    ours = Shaken(reference, run.feed.inputs, want, run.feed.limits)
    theirs = Shaken(candidate, run.renamed, got, run.feed.limits)
    for ask in (ours.reorder, theirs.shake, ours.shake, theirs.shake, ours.shake, theirs.reorder):
        if all(difference.ok for difference in found.values()):
            break
        ask()
        noise = {a: _sum(ours.moved[a], theirs.moved[b]) for a, b in outputs.items()}
        found = {a: agree(want[a], got[b], settings.limits(a), noise[a]) for a, b in outputs.items()}
    return [Compared(name, "", difference, run.feed.sizes, run.feed.scale) for name, difference in found.items()]


def _sum(ours: Array, theirs: Array) -> Array | None:
    """Add how far both sides are from themselves; results of different shapes have nothing in common."""
    return ours + theirs if ours.shape == theirs.shape else None


def _only_value(array: Array) -> object:
    """Return the value that all elements have, None if there are several."""
    if not array.size or array.dtype == object or not (array == array.flat[0]).all():
        return None
    return array.flat[0].item()


def _where_finite(want: Array, got: Array) -> Array:
    """Take over what overflows in the reference: with large inputs, other formulas may stay in range longer."""
    if want.shape != got.shape or want.dtype.kind not in "fc":
        return got
    return np.where(np.isfinite(want), got, want.astype(got.dtype))


def noise(runner: Runner, inputs: Mapping[str, Array], results: Mapping[str, Array]) -> dict[str, Array]:
    """Return how far a runner is from its own results, element by element: no other can be closer."""
    shaken = Shaken(runner, inputs, results)
    shaken.shake()
    shaken.reorder()
    return shaken.moved


def compare_inside(
    reference: Runner, candidate: Runner, inputs: tuple[dict[str, Array], dict[str, Array]], tolerance: float
) -> Iterator[Compared]:
    """Compare the tensors inside that have the same name, in the candidate's order, whatever their layout.

    A network's tensors together are many times what it needs to run; so the reference runs again for every few of them.
    """
    for traced in batches(candidate.trace(inputs[1]), lambda t: t.array.nbytes, TRACED_BYTES):
        want = {t.name: t.array for t in reference.trace(inputs[0], {t.name for t in traced})}
        for name, kind, array in ((t.name, t.kind, t.array) for t in traced if t.name in want):
            yield Compared(name, kind, compare_unordered(want[name], array, tolerance))


def _telling(compared: Compared) -> tuple[bool, bool, float]:
    """What is worse is larger; where nothing departs, what proves something."""
    difference = compared.difference
    return not difference.ok, difference.proven, difference.relative


def _with(compared: Compared) -> str:
    """Say with which sizes and inputs it came out like this."""
    sizes = ", ".join(f"{name} = {size}" for name, size in compared.sizes.items())
    large = f"inputs up to {compared.scale:g} times as large as usual" if compared.scale > 1 else ""
    text = " and ".join(filter(None, (sizes, large)))
    return f" with {text}" if text else ""


def _until_departure(compared: Iterator[Compared]) -> Iterator[Compared]:
    for c in compared:
        yield c
        if not c.difference.ok:
            return


def say(difference: Difference) -> str:
    """Return a difference in a few words, with its error and how many elements differ."""
    numbers = f"max error {difference.error:.2g}, {difference.relative:.2g} of the largest value"
    if not difference.size:
        return difference.note
    return f"{numbers} ({difference.note})" if difference.note else numbers


def _pairs(reference: Runner, candidate: Runner) -> tuple[dict[str, str], dict[str, str]]:
    """Which input and output of one is which of the other: by name, or by place where no name fits."""
    return (
        _match("inputs", tuple(reference.inputs), tuple(candidate.inputs)),
        _match("outputs", reference.outputs, candidate.outputs),
    )


def _match(what: str, ours: tuple[str, ...], theirs: tuple[str, ...]) -> dict[str, str]:
    if set(ours) == set(theirs):
        return {name: name for name in ours}
    if len(ours) == len(theirs) and not set(ours) & set(theirs):
        return dict(zip(ours, theirs, strict=True))
    raise error("R022", f"the two have other {what}: {', '.join(ours)} and {', '.join(theirs)}")


def common_sizes(
    ours: Mapping[str, TensorType], theirs: Mapping[str, TensorType], names: Mapping[str, str]
) -> dict[str, int]:
    """Return the numbers that one side's inputs have where those of the other have a named size.

    Raises:
        CompileError: R022, no sizes suit both.
    """
    sizes: dict[str, int] = {}
    for name, other in names.items():
        stated, found = ours[name].shape, theirs[other].shape
        fits = len(stated) == len(found) and all(
            solve(d, n, sizes) for d, n in zip(stated, found, strict=True) if isinstance(n, int)
        )
        if not fits:
            raise _other_sizes(name, substitute(stated, sizes), found)
    return sizes


def _other_sizes(name: str, stated: Shape, found: Shape) -> CompileError:
    """Say that an input has other sizes on both sides, and what can be done if these are the same in another order."""
    text = f"{name} is {list(map(str, stated))} in one and {list(map(str, found))} in the other".replace("'", "")
    is_turned = sorted(map(str, stated)) == sorted(map(str, found))
    help = (
        "these are the same in another order: layouts are known of files that nhwcc wrote; write the other one in "
        "that of the reference: nhwcc compile --io-layout keep"
    )
    return error("R022", text, help=help if is_turned else "compile with --shape, or give both files the same sizes")


def _describe(settings: Settings) -> str:
    return f"random inputs, seed {settings.seed}" if settings.data is None else "the given data"

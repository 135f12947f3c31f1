"""Verification: two runners on the same inputs, output by output, and where inside they part."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

import numpy as np

from nhwcc.compiler.diagnostics import CompileError, Diagnostic, error
from nhwcc.compiler.types import Array
from nhwcc.feeds import Data, Feed, runs
from nhwcc.numerics import Difference, compare, compare_unordered
from nhwcc.options import TOLERANCE
from nhwcc.runners import Runner, batches

TRACED_BYTES = 64 << 20
"""How many bytes of tensors inside are held at a time, from each side."""


class VerificationError(CompileError):
    """Two runners disagree: what was compiled does not compute what the source does."""


@dataclass(frozen=True)
class Compared:
    """A tensor of both runners by its name; ``kind`` is the operation that computes it in the second.

    ``sizes`` are those of the run with which it came out like this.
    """

    name: str
    kind: str
    difference: Difference
    sizes: dict[str, int] = field(default_factory=lambda: dict[str, int]())


@dataclass(frozen=True)
class Verification:
    """What was compared, on what, and how it came out; ``departed`` is the first tensor inside that differs.

    ``inside`` are those up to there, unless all were asked for.
    ``sizes`` are the numbers that each named size had, one for each run; of an output, the worst run counts.
    """

    reference: str
    candidate: str
    tolerance: float
    data: str
    sizes: dict[str, list[int]]
    outputs: list[Compared]
    inside: list[Compared] = field(default_factory=lambda: list[Compared]())
    departed: Compared | None = None

    @property
    def ok(self) -> bool:
        """Whether all outputs agree."""
        return all(o.difference.ok for o in self.outputs)

    def problems(self) -> VerificationError:
        """Build the error that says where two runners disagree."""
        wrong = [o for o in self.outputs if not o.difference.ok]
        texts = (f"{o.name} departs from {self.reference}{_with(o.sizes)}: {say(o.difference)}" for o in wrong)
        found = [Diagnostic("error", "R020", text) for text in texts]
        if self.departed is not None:
            name, kind = self.departed.name, self.departed.kind
            found[-1].notes.append(f'first to depart is "{name}", computed by {kind}: {say(self.departed.difference)}')
        elif self.inside:
            found[-1].notes.append(f"none of the {len(self.inside)} tensors inside that have the same name departs")
        return VerificationError(*found)


@dataclass(frozen=True)
class Settings:
    """How to verify: on which data, with which seed, up to which error relative to the largest value."""

    tolerance: float = TOLERANCE
    data: Data | None = None
    seed: int = 0
    inside: bool = False


def verify(reference: Runner, candidate: Runner, settings: Settings) -> Verification:
    """Run both and compare; look inside if they disagree, or if ``settings.inside`` asks for it.

    Raises:
        CompileError: R022, the two have other inputs or outputs; or what refuses to run.
    """
    names = _pairs(reference, candidate)
    worst: dict[str, Compared] = {}
    inside: list[Compared] = []
    tried: list[dict[str, int]] = []
    for feed, want in runs(reference, settings.data, settings.seed):
        run = _Run(feed, want, {names[0][name]: array for name, array in feed.inputs.items()})
        found = _compare(reference, candidate, run, names[1], settings.tolerance)
        is_first = not tried
        tried.append(feed.sizes)
        worst = {c.name: max(worst.get(c.name, c), c, key=_badness) for c in found}
        is_wrong = not all(c.difference.ok for c in found)
        if is_wrong or (settings.inside and is_first):
            compared = compare_inside(reference, candidate, (feed.inputs, run.renamed), settings.tolerance)
            inside = list(compared if settings.inside else _until_departure(compared))
        if is_wrong:
            break
    return Verification(
        reference.title,
        candidate.title,
        settings.tolerance,
        _describe(settings),
        {name: [sizes[name] for sizes in tried] for name in tried[0]},
        list(worst.values()),
        inside,
        next((c for c in inside if not c.difference.ok), None),
    )


@dataclass(frozen=True)
class _Run:
    """Inputs, what the reference made of them, and the inputs by the candidate's names."""

    feed: Feed
    want: dict[str, Array]
    renamed: dict[str, Array]


def _compare(
    reference: Runner, candidate: Runner, run: _Run, outputs: Mapping[str, str], tolerance: float
) -> list[Compared]:
    """Compare all outputs; where they differ, allow for what each of the two differs from itself."""
    want, got = run.want, candidate.run(run.renamed)
    found = {a: compare(want[a], got[b], tolerance) for a, b in outputs.items()}
    if not all(difference.ok for difference in found.values()):
        ours, theirs = noise(reference, run.feed.inputs, want), noise(candidate, run.renamed, got)
        found = {a: compare(want[a], got[b], tolerance, ours[a] + theirs[b]) for a, b in outputs.items()}
    return [Compared(name, "", difference, run.feed.sizes) for name, difference in found.items()]


def _badness(compared: Compared) -> tuple[bool, float]:
    """What is worse is larger; a comparison that proves nothing counts as exact."""
    return not compared.difference.ok, compared.difference.relative


def _with(sizes: Mapping[str, int]) -> str:
    text = ", ".join(f"{name} = {size}" for name, size in sizes.items())
    return f" with {text}" if text else ""


def noise(runner: Runner, inputs: Mapping[str, Array], results: Mapping[str, Array]) -> dict[str, float]:
    """Return how far a runner is from its own results: no other can be closer.

    It computes in another order, and on inputs that are the same up to their last bit: no sum is more exact than this,
    and a network that amplifies the difference amplifies its own rounding, too.
    """
    rng = np.random.default_rng(0)
    shaken = runner.run({name: _shaken(array, rng) for name, array in inputs.items()})
    again = runner.run_otherwise(inputs) or results
    return {name: max(compare(a, other[name]).error for other in (again, shaken)) for name, a in results.items()}


def _shaken(array: Array, rng: np.random.Generator) -> Array:
    """Change the last bit of each floating-point element, up or down."""
    if array.dtype.kind != "f":
        return array
    return np.nextafter(array, rng.choice(np.asarray([-np.inf, np.inf], array.dtype), array.shape))


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


def _until_departure(compared: Iterator[Compared]) -> Iterator[Compared]:
    for c in compared:
        yield c
        if not c.difference.ok:
            return


def say(difference: Difference) -> str:
    """Return a difference in a few words."""
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


def _describe(settings: Settings) -> str:
    return f"random inputs, seed {settings.seed}" if settings.data is None else "the given data"

"""Verification: two runners on the same inputs, output by output, and where inside they part."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from nhwcc.compiler.diagnostics import CompileError, Diagnostic, error
from nhwcc.compiler.types import Array
from nhwcc.feeds import Data, accepted, feeds
from nhwcc.numerics import Difference, compare, compare_unordered
from nhwcc.options import TOLERANCE
from nhwcc.runners import Runner


class VerificationError(CompileError):
    """Two runners disagree: what was compiled does not compute what the source does."""


@dataclass(frozen=True)
class Compared:
    """A tensor of both runners by its name; ``kind`` is the operation that computes it in the second."""

    name: str
    kind: str
    difference: Difference


@dataclass(frozen=True)
class Verification:
    """What was compared, on what, and how it came out; ``departed`` is the first tensor inside that differs."""

    reference: str
    candidate: str
    tolerance: float
    data: str
    sizes: dict[str, int]
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
        texts = (f"{o.name} departs from {self.reference}: {say(o.difference)}" for o in wrong)
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
    inputs, outputs = _pairs(reference, candidate)
    feed, want = accepted(reference, feeds(reference.inputs, settings.data, settings.seed))
    renamed = {inputs[name]: array for name, array in feed.inputs.items()}
    got = candidate.run(renamed)
    found = [Compared(a, "", compare(want[a], got[b], settings.tolerance)) for a, b in outputs.items()]
    if not all(c.difference.ok for c in found):
        ours, theirs = noise(reference, feed.inputs, want), noise(candidate, renamed, got)
        pairs = ((a, compare(want[a], got[b], settings.tolerance, max(ours[a], theirs[b]))) for a, b in outputs.items())
        found = [Compared(a, "", difference) for a, difference in pairs]
    inside: list[Compared] = []
    if settings.inside or not all(c.difference.ok for c in found):
        inside = list(compare_inside(reference, candidate, (feed.inputs, renamed), settings.tolerance))
    return Verification(
        reference.title,
        candidate.title,
        settings.tolerance,
        _describe(settings),
        feed.sizes,
        found,
        inside,
        next((c for c in inside if not c.difference.ok), None),
    )


def noise(runner: Runner, inputs: Mapping[str, Array], results: Mapping[str, Array]) -> dict[str, float]:
    """Return how far a runner is from its own results when it computes in another order: no other can be closer."""
    again = runner.run_otherwise(inputs) or results
    return {name: compare(array, again[name]).error for name, array in results.items()}


def compare_inside(
    reference: Runner, candidate: Runner, inputs: tuple[dict[str, Array], dict[str, Array]], tolerance: float
) -> Iterator[Compared]:
    """Compare the tensors inside that have the same name, in the candidate's order, whatever their layout."""
    want = {t.name: t.array for t in reference.trace(inputs[0])}
    for traced in candidate.trace(inputs[1]):
        if traced.name in want:
            difference = compare_unordered(want[traced.name], traced.array, tolerance)
            yield Compared(traced.name, traced.kind, difference)


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

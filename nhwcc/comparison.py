"""Comparing two models of any formats: by numbers, and a quantized one that differs in decibels."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass, replace

from nhwcc.compiler.budget import Budget, limited, timed
from nhwcc.compiler.diagnostics import CompileError
from nhwcc.compiler.ir import Func
from nhwcc.compiler.plugins import blaming
from nhwcc.cut import Cut
from nhwcc.domains import domains
from nhwcc.messages import Style, plain
from nhwcc.options import TOLERANCE, CompileOptions, Model
from nhwcc.precision import attainable, output_steps
from nhwcc.quantization.compare import Decibels, compare, quantized
from nhwcc.request import check_options
from nhwcc.runners import Runner
from nhwcc.runners.bounded import Bounded
from nhwcc.sources import Source, source_of
from nhwcc.verification import Settings, Verification, verify


@dataclass(frozen=True)
class Comparison:
    """What was found: ``decibels`` where the second one is quantized and differs."""

    numbers: Verification
    decibels: Decibels | None

    @property
    def ok(self) -> bool:
        """Whether the two agree, or are as near as was asked for."""
        return self.numbers.ok if self.decibels is None else self.decibels.ok

    def render(self, style: Style = plain) -> str:
        """Return the comparison as a line of a report: the output's name, its error, the verdict."""
        from nhwcc.render import render_decibels, render_verification

        if self.decibels is None:
            return "\n".join(render_verification(self.numbers, style, "compared"))
        return "\n".join(render_decibels(self.decibels, self.numbers, style))

    def _repr_html_(self) -> str:
        from nhwcc.notebook import as_html

        return as_html(self.render)


def compare_given(
    reference: Model, candidate: Model, settings: Settings, least: float, budget: Budget | None
) -> Comparison:
    """Read two models and compare them; see :func:`compare_models`."""
    check_options(CompileOptions(tolerance=settings.tolerance, data=settings.data, seed=settings.seed))
    with limited(budget), blaming(), timed():
        return compare_models(source_of(reference), source_of(candidate), settings, least)


def compare_models(reference: Source, candidate: Source, settings: Settings, least: float) -> Comparison:
    """Run both on the same inputs; a quantized candidate may be ``least`` dB away.

    What the reference's own operations say is asked where it matters: which integers its inputs may hold, and how much
    it rounds where the two differ.

    Raises:
        CompileError: R022, the two have other inputs or outputs; or what refuses to run.
    """
    with ExitStack() as stack:
        first, second = reference.open(stack), candidate.open(stack)
        func = _read(reference, first) if _takes_integers(first) or isinstance(first, Bounded) else None
        known = settings if func is None else replace(settings, domains=domains(func))
        found = verify(first, second, known)
        if not found.ok and settings.tolerance == TOLERANCE:
            func = func or _read(reference, first)
            error = 0.0 if func is None else attainable(func)[0]
            if error > TOLERANCE:
                steps = {} if func is None else output_steps(func)
                found = verify(first, second, replace(known, tolerance=error, floor=error, steps=steps))
        is_same = found.ok and all(o.difference.relative <= settings.tolerance for o in found.outputs)
        integers = None if is_same else quantized(second)
        return Comparison(found, None if integers is None else compare(first, integers, settings, least))


def _takes_integers(runner: Runner) -> bool:
    return any(type.dtype.is_int for type in runner.inputs.values())


def _read(source: Source, runner: Runner) -> Func | None:
    """Return what a model computes, as it was read for its runner or else anew; None if it can only be run."""
    if isinstance(runner, Bounded):
        return runner.func
    try:
        return source.load(Cut()).main
    except CompileError:
        return None

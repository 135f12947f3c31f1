"""Checking every pass: the reference interpreter runs what it got and what it left."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from nhwcc.compiler.clone import clone_module
from nhwcc.compiler.diagnostics import Diagnostic, counted
from nhwcc.compiler.ir import Module
from nhwcc.compiler.pipeline import Pass
from nhwcc.compiler.types import Array
from nhwcc.compiler.workload import check_run
from nhwcc.domains import domains
from nhwcc.feeds import Feed, accepted, feeds
from nhwcc.instruments import Instrument, Stage
from nhwcc.numerics import compare
from nhwcc.runners.reference import ReferenceRunner
from nhwcc.verification import Settings, VerificationError, compare_inside, say


class CheckEach(Instrument):
    """Runs the module after every pass on the same inputs; a number that changes is an error that names the pass.

    The first operation that departs is found by comparing with a copy of the module as it was before the pass.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._feed = Feed({}, {})
        self._before = Module()
        self._results: dict[str, Array] = {}
        self._passes = 0
        self._furthest = 0.0

    def summary(self) -> str:
        """Say what was compared, and how far it went apart."""
        outputs = counted(len(self._results), "output")
        passes = counted(self._passes, "pass", "passes")
        return f"{passes}: {outputs} as before, at most {self._furthest:.1e} of the largest value off"

    def start(self, module: Module, passes: Sequence[Pass]) -> None:
        """Run the module as it was imported; its results are the first to compare with."""
        check_run(module.main)
        runner = ReferenceRunner(module)
        candidates = feeds(runner.inputs, replace(self._settings.feeding, domains=domains(module.main)))
        self._feed, self._results = accepted(runner, candidates)

    def before(self, stage: Stage) -> None:
        """Keep a copy of the module, in which to look for the operation that changed."""
        self._before = clone_module(stage.module)

    def after(self, stage: Stage) -> None:
        """Run the module again and compare its outputs with those before the pass."""
        runner = ReferenceRunner(stage.module)
        results = runner.run(self._feed.inputs)
        found: list[Diagnostic] = []
        for name, want in self._results.items():
            difference = compare(want, results[name], self._settings.tolerance)
            self._furthest = max(self._furthest, difference.relative)
            if not difference.ok:
                text = f"pass {stage.number}, {stage.work}, changes {name}: {say(difference)}"
                found.append(Diagnostic("error", "R021", text))
        if found:
            found[-1].notes += self._explain(stage, runner)
            raise VerificationError(*found)
        self._passes += 1
        self._results = results

    def _explain(self, stage: Stage, runner: ReferenceRunner) -> list[str]:
        """Name the rules that fired and the first operation whose value changed."""
        fired = ", ".join(f"{rule} ({count})" for rule, count in stage.fired().items())
        notes = [f"rules that fired in it: {fired}" if fired else "no rule fired in it"]
        inputs = self._feed.inputs
        inside = compare_inside(ReferenceRunner(self._before), runner, (inputs, inputs), self._settings.tolerance)
        first = next((c for c in inside if not c.difference.ok), None)
        if first is None:
            return [*notes, "no value inside that has the same name before and after departs"]
        return [
            *notes,
            f'the first value to change is "{first.name}", computed by {first.kind}: {say(first.difference)}',
        ]

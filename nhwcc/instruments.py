"""Instruments: what may look at the module around each pass; and how passes are run under them."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field

from nhwcc.compiler.diagnostics import CompileError, Remark, among, collect_remarks, error
from nhwcc.compiler.ir import Module
from nhwcc.compiler.pipeline import PASSES, Pass, Pipeline
from nhwcc.compiler.printer import print_module
from nhwcc.compiler.verify import verify


@dataclass
class Stage:
    """A pass at work: its number, the module, and afterwards how long it took and what it remarked."""

    number: int
    work: Pass
    module: Module
    seconds: float = 0.0
    remarks: list[Remark] = field(default_factory=lambda: list[Remark]())

    @property
    def name(self) -> str:
        """The name of the pass, without its options."""
        return self.work.name

    def fired(self) -> Counter[str]:
        """Return how often each rule or pattern fired in the pass, by name."""
        return Counter(r.by for r in self.remarks if r.kind == "fired")


class Instrument:
    """Looks at the module; every method does nothing unless it is overridden."""

    def check(self, passes: Sequence[Pass]) -> None:
        """See the pipeline, before a model is read."""

    def start(self, module: Module, passes: Sequence[Pass]) -> None:
        """Called once, with the module as it was imported, before any pass runs."""

    def before(self, stage: Stage) -> None:
        """Called before each pass; ``stage`` names the pass, and the module must not be changed."""

    def after(self, stage: Stage) -> None:
        """Called after each pass, with what it remarked in ``stage``; raising an error ends the compilation."""

    def summary(self) -> str:
        """Return what is worth saying when all went well."""
        return ""


def run_passes(module: Module, passes: Sequence[Pass], instruments: Sequence[Instrument] = ()) -> list[Stage]:
    """Run passes in order under instruments; return what each did.

    Raises:
        CompileError: what a pass or an instrument finds.
    """
    stages: list[Stage] = []
    start = 0.0
    for instrument in instruments:
        instrument.check(passes)
        instrument.start(module, passes)
    with collect_remarks() as remarks:

        def before(number: int, work: Pass, current: Module) -> None:
            nonlocal start
            stages.append(Stage(number, work, current))
            for instrument in instruments:
                instrument.before(stages[-1])
            remarks.clear()
            start = time.perf_counter()

        def after(*_: object) -> None:
            stages[-1].seconds = time.perf_counter() - start
            stages[-1].remarks = list(remarks)
            for instrument in instruments:
                instrument.after(stages[-1])

        Pipeline(passes, [before], [after]).run(module)
    return stages


class PrintIr(Instrument):
    """Writes the text of the module before or after some passes, or after all; large constants are left out."""

    def __init__(
        self,
        write: Callable[[str], None],
        *,
        before: Collection[str] = (),
        after: Collection[str] = (),
        every: bool = False,
    ) -> None:
        self._write = write
        self._before = before
        self._after = after
        self._every = every

    def check(self, passes: Sequence[Pass]) -> None:
        """Check that the named passes are there to be looked at."""
        names = [p.name for p in passes]
        for name in (*self._before, *self._after):
            if name not in names:
                what = "is not in the pipeline" if name in PASSES else "does not exist"
                raise error("L002", f"pass {name!r} {what}", help=among(name, names))

    def before(self, stage: Stage) -> None:
        """Print if asked for."""
        if stage.name in self._before:
            self._print("before", stage)

    def after(self, stage: Stage) -> None:
        """Print if asked for."""
        if self._every or stage.name in self._after:
            self._print("after", stage)

    def _print(self, when: str, stage: Stage) -> None:
        self._write(f"// IR {when} pass {stage.number}, {stage.work}\n{print_module(stage.module, locations=True)}")


class VerifyEach(Instrument):
    """Runs the verifier on what was imported, and after every pass."""

    def start(self, module: Module, passes: Sequence[Pass]) -> None:
        """Verify what was imported."""
        self._verify(module, "the import")

    def after(self, stage: Stage) -> None:
        """Verify what the pass left."""
        self._verify(stage.module, f"pass {stage.number}, {stage.work}")

    @staticmethod
    def _verify(module: Module, what: str) -> None:
        try:
            verify(module)
        except CompileError as bad:
            bad.diagnostics[0].notes.append(f"the IR is not well-formed after {what}")
            raise


class Watch(Instrument):
    """Calls a function with what happens next; for showing progress."""

    def __init__(self, tell: Callable[[str], None]) -> None:
        self._tell = tell

    def before(self, stage: Stage) -> None:
        """Tell which pass begins."""
        self._tell(f"pass {stage.number}: {stage.name}")

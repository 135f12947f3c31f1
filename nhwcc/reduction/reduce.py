"""Reduces a network step by step; whatever is tried, the fault decides whether it stays."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from nhwcc.compiler.diagnostics import CompileError, error
from nhwcc.compiler.ir import Module
from nhwcc.reduction.anonymous import renamed, seeded, weights_of, with_numbers
from nhwcc.reduction.faults import Fault, Seen
from nhwcc.reduction.parts import bypassed, part_of, steps, with_outputs
from nhwcc.reduction.search import smallest, windows

Tell = Callable[[str], None]
"""Is told how far it has got."""


@dataclass(frozen=True)
class Reduced:
    """What is left: the module, how many operations it had before and has now, what it shows, and what was tried.

    ``has_own_weights`` says that some weights are still the network's own, since the fault vanishes without them.
    """

    module: Module
    before: int
    after: int
    kind: str
    tried: int
    has_own_weights: bool


def reduce_module(module: Module, fault: Fault, tell: Tell) -> Reduced:
    """Reduce a module to the smallest that still shows what it shows.

    Raises:
        CompileError: R026, it shows nothing.
    """
    before = len(steps(module.main))
    tell(f"trying {before} operations")
    seen = fault.see(module)
    if not seen.kind:
        help = "nhwcc reduce takes the options of nhwcc compile; --while COMMAND says when the fault is there"
        raise error("R026", "the network compiles and computes what it should: there is no fault to keep", help=help)
    work = _Reduction(module, fault, seen, tell)
    work.shrink()
    work.hide()
    after = len(steps(work.module.main))
    return Reduced(work.module, before, after, seen.kind, work.tried, work.has_own_weights)


class _Reduction:
    def __init__(self, module: Module, fault: Fault, seen: Seen, tell: Tell) -> None:
        self.module = module
        self.fault = fault
        self.seen = seen
        self.tell = tell
        self.tried = 1
        self.has_own_weights = False

    def keeps(self, make: Callable[[], Module | None]) -> bool:
        """Make a module, and go on with it if it shows the fault."""
        try:
            made = make()
        except CompileError:  # the part has types that can't be
            return False
        if made is None:
            return False
        self.tried += 1
        seen = self.fault.see(made)
        if seen.kind != self.seen.kind:
            return False
        self.module = made
        self.tell(f"{len(steps(made.main))} operations left")
        return True

    def shrink(self) -> None:
        """Cut operations away: first all but some near the place that the fault names, then piece by piece."""
        count = len(steps(self.module.main))
        any(self.keeps(lambda: part_of(self.module, window)) for window in windows(count, self._near()))  # noqa: B023
        before = count + 1
        while (left := len(steps(self.module.main))) < before:
            before = left
            self._leave_out()
            self._bypass()
            self._drop_outputs()

    def _near(self) -> list[int]:
        """Return the numbers of some operations that the fault names."""
        wanted = set(self.seen.near)
        names = (
            {*(r.name for r in op.results), *((op.location.node, *op.location.via) if op.location else ())}
            for op in steps(self.module.main)
        )
        return [number for number, own in enumerate(names) if own & wanted][:3]

    def _leave_out(self) -> None:
        """Leave out operations, by delta debugging: numbers are those of the module that it begins with."""
        whole = self.module

        def holds(kept: Sequence[int]) -> bool:
            return self.keeps(lambda: part_of(whole, set(kept)))

        smallest(range(len(steps(whole.main))), holds)

    def _bypass(self) -> None:
        """Let operands take the place of results."""
        number = len(steps(self.module.main)) - 1
        while number >= 0:
            op = steps(self.module.main)[number]
            any(self.keeps(lambda: bypassed(self.module, number, slot)) for slot in range(len(op.operands)))  # noqa: B023
            number = min(number, len(steps(self.module.main))) - 1

    def _drop_outputs(self) -> None:
        whole = self.module

        def holds(kept: Sequence[int]) -> bool:
            return self.keeps(lambda: with_outputs(whole, set(kept)))

        if len(whole.main.outputs) > 1:
            smallest(range(len(whole.main.outputs)), holds)

    def hide(self) -> None:
        """Take weights, open sizes and names away, as far as the fault stays."""
        self.keeps(lambda: with_numbers(self.module))
        self.has_own_weights = not all([*self._hide_weights()])
        self.keeps(lambda: renamed(self.module))

    def _hide_weights(self) -> Iterator[bool]:
        """Replace all weights at once, else one by one."""
        chosen = weights_of(self.module)
        if chosen and not self.keeps(lambda: seeded(self.module, chosen)):
            yield from (self.keeps(lambda: seeded(self.module, [number])) for number in chosen)  # noqa: B023

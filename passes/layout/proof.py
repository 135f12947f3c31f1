"""What is proven of a file's Transposes: how many the layouts need at least, beside how many there are."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from ...compiler.diagnostics import Remark, counted

ASSIGNMENT = "propagate-layout"
"""The pass that chooses layouts, and proves its choice for each region."""


@dataclass(frozen=True)
class LayoutProof:
    """The Transposes of a file, by what put them there.

    ``chosen`` are those between two layouts, which move ``bytes`` of which at least ``bound`` can't be saved;
    ``lowered`` are those that the target's lowerings added, of which nothing is proven.  ``in_file`` is what was
    counted in the file itself: the proof is about the file only if it has no others.  ``charge`` is what forms count,
    in bytes, that run slower than others but save a transpose: the sum of both is what is least.
    """

    chosen: int
    lowered: int
    bytes: int
    bound: int
    in_file: int
    charge: int = 0

    @staticmethod
    def of(remarks: Iterable[Remark], in_file: int) -> LayoutProof | None:
        """Sum up what passes remarked of all regions; None if layouts were not chosen."""
        found = [r for r in remarks if "transposes" in r.facts]
        chosen = [r.facts for r in found if r.by == ASSIGNMENT]
        if not chosen:
            return None
        lowered = sum(int(r.facts["transposes"]) for r in found if r.by != ASSIGNMENT)
        totals = (sum(int(f[key]) for f in chosen) for key in ("transposes", "bytes", "bound", "charge"))
        transposes, moved, bound, charge = totals
        return LayoutProof(transposes, lowered, moved, bound, in_file, charge)

    @property
    def is_proven(self) -> bool:
        """Whether no assignment of layouts gives a file that transposes fewer bytes."""
        return self.bytes <= self.bound and self.in_file == self.chosen

    def __str__(self) -> str:
        chosen = assignment(self.chosen, self.bytes, self.bound, self.charge)
        if self.in_file == self.chosen:
            return chosen
        text = f"{counted(self.in_file, 'transpose')} in the file: {chosen} between layouts"
        others = self.in_file - self.chosen
        if others < 0:
            return f"{text}, {-others} of them merged"
        return f"{text}; {others} more by lowering, not proven"


def assignment(transposes: int, moved: int, bound: int, charge: int = 0) -> str:
    """Return what is known of the transposes between layouts."""
    gap = f"at most {counted(moved - bound, 'byte')} above the optimum"
    proof = "proven optimal" if moved <= bound else f"not proven, {gap}"
    slower = f", forms that save others count as {counted(charge, 'byte')}" if charge else ""
    return f"{counted(transposes, 'transpose')}, {counted(moved, 'byte')}: {proof}{slower}"

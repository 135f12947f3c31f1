"""What is known of one rule: proven over the reals or right on all elements, and right on all instances."""

from __future__ import annotations

import random
from dataclasses import dataclass, field

from nhwcc.compiler.rules import Rule
from nhwcc.compiler.types import DType

from . import exhaustive, index_maps, instances
from .rewrites import Rewrite
from .theorems import Proof, prove

ROUNDS = 40
"""Instances of every element type."""


@dataclass
class Verdict:
    """What all methods say; ``wrong`` is why a rule is refused and on which module, ``found_by`` the method."""

    proof: Proof
    fired: int = 0
    elements: set[DType] = field(default_factory=lambda: set[DType]())
    families: list[str] = field(default_factory=lambda: list[str]())
    wrong: tuple[str, str] | None = None
    found_by: str = ""

    @property
    def is_accepted(self) -> bool:
        """Whether nothing is wrong, and something is a proof."""
        return self.wrong is None and self.fired > 0 and bool(self.basis)

    @property
    def basis(self) -> str:
        """The strongest statement."""
        if self.proof.outcome == "proven":
            return "reals"
        return "elements" if self.elements else "index maps" if self.families else ""


def judge(rule: Rule, *, until_wrong: bool = False, deeper: int = 1) -> Verdict:
    """Ask every method; ``until_wrong`` stops at the first fault, ``deeper`` takes other, and more, instances."""
    found = instances.check_rule(rule, ROUNDS * deeper, until_wrong=until_wrong, salt="" if deeper == 1 else "deeper")
    verdict = Verdict(Proof("unknown"), found.fired, wrong=found.wrong, found_by="an instance" if found.wrong else "")
    if until_wrong and (found.wrong or not found.fired):
        return verdict
    everything = exhaustive.check_rule(rule, until_wrong=until_wrong)
    verdict.elements = everything.dtypes
    if everything.wrong is not None:
        verdict.wrong, verdict.found_by = everything.wrong, "all elements"
        if until_wrong:
            return verdict
    verdict.proof = prove(rule)
    if verdict.proof.outcome == "refuted" and verdict.wrong is None:
        verdict.wrong, verdict.found_by = (verdict.proof.reason, str(rule)), "z3"
    if verdict.proof.outcome == "unsupported" and not verdict.elements:
        _move(rule, verdict)
    return verdict


def _move(rule: Rule, verdict: Verdict) -> None:
    """Look for the rule's operations among the chains of moves."""
    from nhwcc.compiler.rewrite import Pattern

    alone = Rewrite(rule.name, Pattern(rule.name, (rule.left.op,), rule.apply), rule)
    for name in index_maps.FAMILIES:
        found = index_maps.check_family(name, [alone], every=random.Random(name).choice([7, 11, 13]))
        if found.fired:
            verdict.families.append(name)
        if found.wrong and verdict.wrong is None:
            verdict.wrong, verdict.found_by = found.wrong[rule.name], "index maps"

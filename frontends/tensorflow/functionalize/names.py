"""What the operators of control flow of version 1 are called; those of variables begin with Ref."""

from __future__ import annotations

from ..registry import results_of as results_of_handled

ENTERS = frozenset({"Enter", "RefEnter"})
"""What takes a tensor into the frame of a loop."""

EXITS = frozenset({"Exit", "RefExit"})
"""What takes a tensor out of the frame of a loop."""

NEXT_ITERATIONS = frozenset({"NextIteration", "RefNextIteration"})
"""What takes a tensor into the next iteration of a loop."""

MERGES = frozenset({"Merge", "RefMerge"})
"""What gives the operand that is there: that of the branch taken, or of the iteration before."""

SWITCHES = frozenset({"Switch", "RefSwitch"})
"""What gives an operand at one of two places, as a condition says; the other one is dead."""

SENDS = "_SwitchN"
"""What gives an operand at one of many places, as a number says: what TensorFlow makes of Case for a session."""

COUNT = "num_outs"
"""Its attribute that says at how many."""

CONTROL = ENTERS | EXITS | NEXT_ITERATIONS | MERGES | SWITCHES | {SENDS, "ControlTrigger", "LoopCond"}
"""All of them."""


def results_of(op: str) -> tuple[str, ...]:
    """Return the names of an operator's results, as of those that are imported."""
    if op in SWITCHES:
        return "output_false", "output_true"
    if op == SENDS:
        return ("outputs",)
    return ("output", "value_index") if op in MERGES else results_of_handled(op)

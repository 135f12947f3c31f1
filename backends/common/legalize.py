"""legalize: everything in terms of what a target runs."""

from __future__ import annotations

from ...compiler.diagnostics import CompileError, Remark, remark
from ...compiler.fold import constant
from ...compiler.ir import Module, Op
from ...compiler.ops.shape import Transpose
from ...compiler.options import Strategy
from ...compiler.pipeline import Pass, register
from ...compiler.rewrite import Pattern, erase_dead, rewrite, why_not
from ..registry import find_target
from .target import Target
from .unsupported import legal_reasons, refusals


@register("legalize")
class Legalize(Pass):
    """Rewrite every operation into what the target runs, in the forms that run fastest.

    Works on any IR: what has its channels elsewhere than the target's kernels gets transposes around it, so run
    propagate-layout before.  Numbers stay what they are up to rounding.  Whatever can't be expressed is reported at
    once, with the reason for each kind of operation.

    ``rnn`` says how recurrent layers run: ``unroll`` step by step, ``while`` as a loop, ``fused`` as one kernel where
    there is one, or ``auto``, whatever of these is fastest.  ``opset`` is the newest version of the target's format
    that may be needed, where it has versions; 0 stands for any.  ``partial`` leaves what a device does not run as other
    targets with such files run it: for ``nhwcc check``, which says what that is.
    """

    target: str = "tflite"
    opset: int = 0
    rnn: Strategy = "auto"
    partial: bool = False

    def run(self, module: Module) -> None:
        """Rewrite until nothing changes, then look for what is left."""
        target = find_target(self.target, self.opset or None)
        erase_dead(*module.walk())
        before = _transposes(module)
        problems = target.prepare(target, module, rnn=self.rnn)
        patterns = target.patterns()
        rewrite(module, target.preparations())
        rewrite(module, patterns)
        erase_dead(*module.walk())
        refused = [op for op in module.main.walk() if self._is_left(target, op)]
        problems += refusals(target.title, refused, lambda op: _reasons(target, patterns, op))
        problems += target.unstorable(module.main)
        if problems:
            raise CompileError(*problems)
        _report_transposes(before, _transposes(module))

    def _is_left(self, target: Target, op: Op) -> bool:
        """Say whether an operation runs nowhere, or not on a device that has nothing beside it."""
        must = target.runs_alone and not self.partial
        return not target.is_legal(op) if must else target.is_left(op)


def _reasons(target: Target, patterns: list[Pattern], op: Op) -> list[str]:
    """Why no row fits, then why no lowering does: the last one is the nearest."""
    nearly = [why_not(p, op) for p in patterns if type(op) in p.roots]
    return [*legal_reasons(target.table, op), *(reason for reason in nearly if reason is not None)]


def _transposes(module: Module) -> list[Op]:
    """The transposes of computed values; those of constants are done when the file is written."""
    return [op for op in module.walk() if isinstance(op, Transpose) and constant(op.x) is None]


def _report_transposes(before: list[Op], after: list[Op]) -> None:
    """Say how many transposes lowering added, and for which operations of the source: no layout could save them."""
    added = len(after) - len(before)
    if added:
        new = [op for op in after if op not in before]
        places = ", ".join(dict.fromkeys(f'"{op.location.node}"' for op in new if op.location))
        text = f"{added:+d} transposes by lowering{f' {places}' if places else ''}"
        remark(Remark("note", "legalize", text, facts={"transposes": added}))

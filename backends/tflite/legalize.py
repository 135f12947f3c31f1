"""legalize-tflite: everything in terms of what the runtime has."""

from __future__ import annotations

from collections import Counter

from ...compiler.choices import Strategy
from ...compiler.diagnostics import CompileError, Remark, counted, remark
from ...compiler.fold import constant
from ...compiler.ir import Module, Op
from ...compiler.opdef import Draws
from ...compiler.ops.shape import Transpose
from ...compiler.pipeline import Pass, register
from ...compiler.rewrite import erase_dead, rewrite, why_not
from ...compiler.types import DType
from . import decompose as _decompose  # noqa: F401  # pyright: ignore[reportUnusedImport] -- declares the patterns
from .carriers import carry
from .decompose.dtypes import WIDENED, stays_f64
from .lowering import PATTERNS, PREPARATIONS
from .recurrence import choose_strategies
from .refuse import legal_reasons, refusals
from .storage import not_storable
from .table import is_legal


@register("legalize-tflite")
class LegalizeTflite(Pass):
    """Rewrite every operation into builtins of TFLite, in the forms that run fastest.

    Works on any IR: what has its channels first gets transposes around it, so run propagate-layout before.  Numbers
    stay what they are up to rounding.  Whatever can't be expressed is reported at once, with the reason for each
    kind of operation.

    ``rnn`` says how recurrent layers run: ``unroll`` step by step, ``while`` as a loop, ``fused`` as one kernel where
    there is one, or ``auto``, whatever of these is fastest.
    """

    rnn: Strategy = "auto"

    def run(self, module: Module) -> None:
        """Rewrite until nothing changes, then look for what is left."""
        erase_dead(*module.walk())
        before = _transposes(module)
        problems = carry(module)
        _report_widening(module)
        _report_draws(module)
        choose_strategies(module, self.rnn)
        rewrite(module, PREPARATIONS)
        rewrite(module, PATTERNS)
        erase_dead(*module.walk())
        refused = [op for op in module.main.walk() if not is_legal(op)]
        problems += [*refusals(refused, _reasons), *not_storable(module.main)]
        if problems:
            raise CompileError(*problems)
        _report_transposes(before, _transposes(module))


def _reasons(op: Op) -> list[str]:
    """Why no row fits, then why no decomposition does: the last one is the nearest."""
    nearly = [why_not(p, op) for p in PATTERNS if type(op) in p.roots]
    return [*legal_reasons(op), *(reason for reason in nearly if reason is not None)]


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
        remark(Remark("note", "legalize-tflite", text, facts={"transposes": added}))


def _report_widening(module: Module) -> None:
    """Say once, not for each operation, in which type is computed instead."""
    results = [(r.type.dtype, op) for op in module.walk() for r in op.results]
    found = Counter(dtype for dtype, op in results if dtype in WIDENED and not (dtype is DType.F64 and stays_f64(op)))
    for dtype, count in found.items():
        what = f"{counted(count, 'value')} of {dtype} {'is' if count == 1 else 'are'}"
        text = f"{what} computed in {WIDENED[dtype]}: TFLite has no kernels for {dtype}"
        remark(Remark("warning", "legalize-tflite", text))


def _report_draws(module: Module) -> None:
    """Say that numbers are random: nobody can compare them."""
    count = sum(op.spec.has(Draws) for op in module.walk())
    if count:
        who = "1 operation draws" if count == 1 else f"{count} operations draw"
        text = f"{who} random numbers anew in each call; every runtime draws others (see --no-verify)"
        remark(Remark("warning", "legalize-tflite", text))

"""Rules about elements, on all 65,536 numbers of f16 and on all pairs of 8-bit integers and truth values."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
from nhwcc.compiler.clone import clone_module
from nhwcc.compiler.diagnostics import CompileError
from nhwcc.compiler.interpreter import run
from nhwcc.compiler.ir import Module, Value
from nhwcc.compiler.opdef import Elementwise
from nhwcc.compiler.printer import print_module
from nhwcc.compiler.rewrite import Pattern, rewrite
from nhwcc.compiler.rules import Node, Rule, Term
from nhwcc.compiler.types import Array, DType
from nhwcc.compiler.verify import verify

from .equivalence import FAULTS, evaluate_as
from .instances import Generator, Misfit, is_typed

COUNT = 1 << 16
DTYPES = (DType.F16, DType.F32, DType.I8, DType.U8, DType.BOOL)
FIRINGS, ROUNDS = 4, 40
"""How often a rule is to fire for a type, with other constants and attributes each time, and how often to try."""

EXACT = {DType.F16: 8e-3, DType.F32: 1e-5}
"""Relative, of numbers computed in f64: what rounded literals and the digits of constants leave."""

ROUNDING = {DType.F16: 32 * 2.0**-11, DType.F32: 32 * 2.0**-24}
"""Relative, of numbers computed in their own type: a few roundings."""


@dataclass
class Checked:
    """For which element types a rule fired, and where it is wrong; floating-point ones saw all numbers of f16."""

    dtypes: set[DType] = field(default_factory=lambda: set[DType]())
    wrong: tuple[str, str] | None = None


class _OnAllElements(Generator):
    """Instances whose variables have as many elements as there are numbers, and whose constants are scalars."""

    def __init__(self, rule: Rule, rng: random.Random, dtype: DType) -> None:
        super().__init__(rule, rng, dtype, defaults=True)
        self.shape = (COUNT,)

    def broadcast(self) -> tuple[int, ...]:
        return self.shape

    def constant(self, array: Array) -> Value:
        return super().constant(array.reshape(-1)[0])


def is_elementwise(rule: Rule) -> bool:
    """Whether a rule is about elements."""
    return all(node.op.spec.has(Elementwise) for side in (rule.left, rule.right) for node in _nodes(side))


def _nodes(term: Term) -> Iterator[Node]:
    if isinstance(term, Node):
        yield term
        for inner in term.terms:
            yield from _nodes(inner)


def check_rule(rule: Rule, *, until_wrong: bool = False) -> Checked:
    """Apply a rule to modules over all elements, and compare both sides."""
    found = Checked()
    for dtype in DTYPES if is_elementwise(rule) else ():
        fired = 0
        for number in range(ROUNDS):
            if fired == FIRINGS:
                break
            try:
                module = _OnAllElements(rule, random.Random(f"{rule.name} {number}"), dtype).instance().module
            except (Misfit, CompileError):
                continue
            if not is_typed(module) or not 1 <= len(module.main.args) <= (3 if dtype.is_float else 2):
                continue
            try:
                why = _compare(rule, module, dtype)
            except FAULTS as bad:
                why = f"{type(bad).__name__}: {bad}"
            if why is None:
                continue
            found.dtypes.add(dtype)
            fired += 1
            if why:
                found.wrong = (why, print_module(module))
                if until_wrong:
                    return found
    return found


def _compare(rule: Rule, original: Module, dtype: DType) -> str | None:
    """Say where both sides differ; empty if nowhere, None if the rule does not apply."""
    module = clone_module(original)
    if not rewrite(module, [Pattern(rule.name, (rule.left.op,), rule.apply)]):
        return None
    verify(module)
    bits = np.arange(COUNT, dtype=np.uint16)
    if dtype.is_float:
        numbers = bits.view(np.float16).astype(dtype.numpy)
        return _compare_floats(original, module, [np.roll(numbers, 7919 * i) for i in range(len(original.main.args))])
    parts = [(bits >> (8 * i)).astype(np.uint8) for i in range(len(original.main.args))]
    inputs = [p & 1 == 1 if dtype is DType.BOOL else p.view(dtype.numpy) for p in parts]
    want, got = run(original.main, inputs)[0], run(module.main, inputs)[0]
    return _first(got != want, inputs, (got, want))


def _compare_floats(original: Module, module: Module, inputs: Sequence[Array]) -> str:
    """In f64, where only real differences show; then in their own type, where both sides may round alike.

    Where the original has no finite value on the way, or nearly overflows, there is nothing to agree with.
    """
    dtype = DType.of(inputs[0].dtype)
    truth, counts = _run(original, [a.astype(np.float64) for a in inputs])
    got, _ = _run(module, [a.astype(np.float64) for a in inputs])
    if truth.dtype.kind != "f":
        return _first(got != truth, inputs, (got, truth))
    with np.errstate(all="ignore"):
        size = np.maximum(np.abs(truth), 0.1)
        wrong = counts & ~(np.abs(got - truth) <= EXACT[dtype] * size)
        if wrong.any():
            return _first(wrong, inputs, (got, truth))
        want, counts = _run(original, inputs)
        got, _ = _run(module, inputs)
        lost = np.abs(want.astype(np.float64) - truth)
        wrong = counts & ~(np.abs(got.astype(np.float64) - truth) <= 4 * lost + ROUNDING[dtype] * size)
    return _first(wrong, inputs, (got, want))


def _run(module: Module, inputs: Sequence[Array]) -> tuple[Array, Array]:
    """Evaluate a module in the type of its inputs, whatever its own, and say where nothing comes close to overflow."""
    limit = np.finfo(inputs[0].dtype).max / 4
    counts = np.all([np.isfinite(a) for a in inputs], axis=0)

    def look(result: Array) -> None:
        nonlocal counts
        if result.dtype.kind == "f":
            counts = counts & (np.abs(result) <= limit)

    (result,) = evaluate_as(module, inputs, look)
    return result, counts


def _first(wrong: Array, inputs: Sequence[Array], results: tuple[Array, Array]) -> str:
    """Show the first element that is wrong."""
    if not wrong.any():
        return ""
    at = int(np.argwhere(wrong)[0, 0])
    got, want = results
    given = ", ".join(str(a[at]) for a in inputs)
    return f"{got[at]} instead of {want[at]} for {given} ({int(wrong.sum())} of {COUNT} elements)"

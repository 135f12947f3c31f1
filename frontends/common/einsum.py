"""Sums of products in Einstein's notation, as matrix products of two operands at a time."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from ...compiler.diagnostics import counted
from ...compiler.dims import product
from ...compiler.fold import constant
from ...compiler.ir import Value
from ...compiler.ops.arith import Mul
from ...compiler.ops.linear import MatMul
from ...compiler.ops.reduce import Reduce
from ...compiler.ops.shape import Slice, Transpose
from ..emitter import BaseEmitter


@dataclass(frozen=True)
class Term:
    """A tensor with a letter for each axis; axes after an ellipsis are called ``.0``, ``.1``, ... from the right."""

    value: Value
    letters: tuple[str, ...]


def einsum(emit: BaseEmitter, inputs: tuple[Value, ...], equation: str) -> Value:
    """Contract the operands from left to right.

    Raises:
        CompileError: F002 or T001, the operands don't fit the equation; F004, a diagonal of open size is taken.
    """
    terms, wanted = _parse(emit, equation, inputs)
    terms = [_diagonal(emit, term) for term in terms]
    first, *others = terms
    while others:
        second = others.pop(0)
        kept = {*wanted, *(letter for term in others for letter in term.letters)}
        first = _contract(emit, first, second, kept)
    return _ordered(emit, _sum_out(emit, first, set(wanted)), wanted).value


def _parse(emit: BaseEmitter, equation: str, values: tuple[Value, ...]) -> tuple[list[Term], tuple[str, ...]]:
    """Return the operands with their letters, and the letters of the result."""
    left, arrow, right = "".join(equation.split()).partition("->")
    texts = left.split(",")
    if len(texts) != len(values):
        raise emit.fail(f"has {counted(len(values), 'input')} for {counted(len(texts), 'term')}", code="F002")
    terms = [Term(v, _letters(emit, t, v.type.rank)) for t, v in zip(texts, values, strict=True)]
    counts = Counter(letter for term in terms for letter in term.letters)
    hidden = sorted((n for n in counts if n.startswith(".")), key=lambda n: -int(n[1:]))
    if not arrow:
        return terms, (*hidden, *sorted(n for n, count in counts.items() if count == 1 and not n.startswith(".")))
    wanted = _letters(emit, right, len(right.replace("...", "")) + (len(hidden) if "..." in right else 0))
    if not counts.keys() >= set(wanted) or len(set(wanted)) < len(wanted):
        raise emit.fail(f"can't give the result {right!r} of {left!r}", code="F002")
    return terms, wanted


def _letters(emit: BaseEmitter, text: str, rank: int) -> tuple[str, ...]:
    before, dots, behind = text.partition("...")
    more = rank - len(before) - len(behind)
    stated = before + behind
    if more < 0 or (more and not dots) or (stated and not stated.isalpha()):
        raise emit.fail(f"has the term {text!r} for data of rank {rank}", code="F002")
    return (*before, *(f".{i}" for i in reversed(range(more))), *behind)


def _diagonal(emit: BaseEmitter, term: Term) -> Term:
    """Take the diagonal of axes that have the same letter."""
    twice = next((n for n, count in Counter(term.letters).items() if count > 1), None)
    if twice is None:
        return term
    i, j = [k for k, n in enumerate(term.letters) if n == twice][:2]
    others = [k for k in range(len(term.letters)) if k not in (i, j)]
    x = emit(Transpose(term.value, (*others, i, j)))
    *shape, rows, columns = x.type.shape
    if rows != columns:
        raise emit.fail(f"gives the letter {twice!r} to axes of size {rows} and {columns}", code="T001")
    flat = emit.reshape(x, (*shape, rows * columns))
    steps = (*[1] * len(shape), columns + 1 if isinstance(columns, int) else 1)
    if not isinstance(columns, int):
        raise emit.fail(f"takes a diagonal of {x.type}", code="F004")
    line = emit(Slice(flat, (0,) * len(steps), (*shape, rows), steps))
    return _diagonal(emit, Term(line, (*(term.letters[k] for k in others), twice)))


def _sum_out(emit: BaseEmitter, term: Term, kept: set[str]) -> Term:
    dims = tuple(i for i, n in enumerate(term.letters) if n not in kept)
    if not dims:
        return term
    total = emit(Reduce(term.value, "sum", dims, keepdims=False))
    return Term(total, tuple(n for n in term.letters if n in kept))


def _ordered(emit: BaseEmitter, term: Term, order: tuple[str, ...]) -> Term:
    perm = tuple(term.letters.index(n) for n in order)
    return term if perm == tuple(range(len(perm))) else Term(emit(Transpose(term.value, perm)), order)


def _contract(emit: BaseEmitter, a: Term, b: Term, kept: set[str]) -> Term:
    """Multiply two terms and sum over the letters that nobody needs any more; what is constant comes second."""
    if constant(a.value) is not None and constant(b.value) is None:
        a, b = b, a
    is_weight = constant(b.value) is not None
    a, b = _sum_out(emit, a, kept | set(b.letters)), _sum_out(emit, b, kept | set(a.letters))
    batch = tuple(n for n in a.letters if n in b.letters and n in kept)
    summed = tuple(n for n in a.letters if n in b.letters and n not in kept)
    rows = tuple(n for n in a.letters if n not in b.letters)
    columns = tuple(n for n in b.letters if n not in a.letters)
    x = _ordered(emit, a, (*batch, *rows, *summed)).value
    y = _ordered(emit, b, (*batch, *summed, *columns)).value
    split = len(batch)
    if summed:
        r, c = split + len(rows), split + len(summed)
        xs, ys = x.type.shape, y.type.shape
        apart = is_weight and rows and not batch  # rows that need not be joined leave layouts open
        left = emit.reshape(x, (*(xs[:r] if apart else (*xs[:split], product(xs[split:r]))), product(xs[r:])))
        right = emit.reshape(y, (*ys[:split], product(ys[split:c]), product(ys[c:])))
        flat = emit(MatMul(left, right))
        out = emit.reshape(flat, (*flat.type.shape[:split], *xs[split:r], *ys[c:]))
    else:
        spread = emit.reshape(x, (*x.type.shape, *[1] * len(columns)))
        other = emit.reshape(y, (*y.type.shape[:split], *[1] * len(rows), *y.type.shape[split:]))
        out = emit(Mul(spread, other))
    return Term(out, (*batch, *rows, *columns))

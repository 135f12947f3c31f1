"""sink-transposes: local moves of the transposes that are there."""

from __future__ import annotations

from pathlib import Path

from ..compiler.axes import Axes, Form
from ..compiler.fold import constant
from ..compiler.ir import Module, Op, Value
from ..compiler.ops.linear import MatMul
from ..compiler.ops.shape import Reshape, Transpose, inverse
from ..compiler.pipeline import Pass, register
from ..compiler.rewrite import Rewriter, pattern, rewrite
from ..compiler.rules import load_rules
from .canonicalize import drop_copy
from .layout.realize import renumbered, site_axes
from .layout.sites import FormSite, value_bytes


@pattern(MatMul)
def transposed_operand(op: MatMul, rw: Rewriter) -> None:
    """A matrix product reads its matrices either way round."""
    a, flip_a = _unswapped(op.a)
    b, flip_b = _unswapped(op.b)
    if flip_a or flip_b:
        rw.replace(MatMul(a, b, op.transpose_a != flip_a, op.transpose_b != flip_b))


def _unswapped(x: Value) -> tuple[Value, bool]:
    match x.owner:
        case Transpose(x=y, perm=perm) if perm == (*range(len(perm) - 2), len(perm) - 1, len(perm) - 2):
            return y, True
        case _:
            return x, False


@pattern(Transpose)
def swap_product(op: Transpose, rw: Rewriter) -> None:
    """The transpose of a matrix product is the product of the transposes, the other way round."""
    match op.x.owner:
        case MatMul(a=a, b=b, transpose_a=ta, transpose_b=tb) if _unswapped(op.result)[1]:
            rw.require(op.x.has_one_use, "the product is used elsewhere too")
            rw.replace(MatMul(b, a, not tb, not ta))
        case _:
            return


@pattern(Op)
def sink_below(op: Op, rw: Rewriter) -> None:
    """If all operands are transposed alike, transpose the result instead, where that moves no more bytes.

    For any operation that declares one form which leaves all axes open; attributes that speak of axes are renumbered.
    """
    data = [v for v in op.operands if v is not None and constant(v) is None and v.type.rank]
    found = _open_form(op)
    if found is None or not data or any(not isinstance(v.owner, Transpose) for v in data):
        return
    axes, form = found
    site = FormSite(op, axes, [form])
    sequences = {_letters_below(site, form, slot, v) for slot, v in enumerate(op.operands) if v in data}
    rw.require(len(sequences) == 1, "the operands are transposed differently")
    (sequence,) = sequences
    gained = sum(value_bytes(v) for v in dict.fromkeys(data) if all(_open_form(user) for user in v.users))
    rw.require(sum(value_bytes(r) for r in op.results) <= gained, "it would move more bytes")
    operands = [_below(site, form, slot, v, sequence, rw) for slot, v in enumerate(op.operands)]
    attributes = {**op.attributes, **renumbered(op, site, form, sequence), **form.attributes}
    new = rw.insert(op.spec.build(type(op), operands, attributes, op.regions))
    places = [site_axes(site, form, p, sequence) for p in site.ports if p.is_result]
    rw.replace(*(Transpose(r, inverse(axes)) for r, axes in zip(new.results, places, strict=True)))


def _open_form(op: Op) -> tuple[Axes, Form] | None:
    """The form of an operation that leaves the order of all axes open, if there is one."""
    axes = op.spec.axes_of(op)
    for form in axes.forms if axes is not None else ():
        if axes is not None and all(p is None or p == (...,) for p in (*form.operands, *form.results)):
            return axes, form
    return None


def _letters_below(site: FormSite, form: Form, slot: int, value: Value) -> tuple[str, ...]:
    """The letters of a transposed operand, in the order below the transpose."""
    letters = site.axes.operands[slot]
    assert letters is not None
    assert isinstance(value.owner, Transpose)
    return tuple(form.places.get(letters[i], letters[i]) for i in inverse(value.owner.perm))


def _below(
    site: FormSite, form: Form, slot: int, value: Value | None, sequence: tuple[str, ...], rw: Rewriter
) -> Value | None:
    if value is None or not value.type.rank:
        return value
    if isinstance(value.owner, Transpose):
        return value.owner.x
    letters = site.axes.operands[slot]
    rw.require(letters is not None, "a constant operand has no axes in common")
    assert letters is not None
    letters = tuple(form.places.get(x, x) for x in letters)
    missing = [x for x in sequence if x not in letters]
    shape = (*(1 for _ in missing), *value.type.shape)
    spread = rw.emit(Reshape(value, shape))
    full = (*missing, *letters)
    return rw.emit(Transpose(spread, tuple(full.index(x) for x in sequence)))


@register("sink-transposes")
class SinkTransposes(Pass):
    """Move transposes down through whatever permits it, into constants, matrix products and each other.

    propagate-layout needs no such moves: this pass is for pipelines without it.
    """

    def run(self, module: Module) -> None:
        """Rewrite greedily."""
        rules = [p for p in load_rules(Path(__file__).with_name("canonicalize.rules")) if Transpose in p.roots]
        rewrite(module, [*rules, drop_copy, transposed_operand, swap_product, sink_below])

"""fuse-recurrent-loops: loops that run the cell of a recurrent layer over time, as the layer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ..compiler.dims import Dim, at_least, static
from ..compiler.fold import constant
from ..compiler.ir import Module, Op, Value
from ..compiler.ops.arith import Add
from ..compiler.ops.control import While
from ..compiler.ops.core import Const
from ..compiler.ops.dynamic import DynamicUpdateSlice
from ..compiler.ops.index import Gather
from ..compiler.ops.logic import Less, LogicalAnd
from ..compiler.ops.recurrent import Gru, Lstm, Rnn
from ..compiler.ops.shape import BroadcastTo, Concat, Reshape, ShapeOf
from ..compiler.pipeline import Pass, register
from ..compiler.rewrite import Rewriter, pattern, rewrite
from ..compiler.types import TensorType
from ..compiler.value_analysis import Known
from ..compiler.weights import EAGER_BYTES, Weight
from .cells import Cell, find_cell


@dataclass(frozen=True)
class _Collected:
    """A carried tensor into which every step writes its output: in a row of its own, or all in the only one."""

    item: Value
    is_whole: bool


@pattern(While)
def layer_of_loop(op: While, rw: Rewriter) -> None:
    """A loop over all steps of a sequence whose body is a cell is a layer; what it collects are the layer's outputs."""
    args, following = op.body.args, op.body.returns
    counters = [i for i, v in enumerate(args) if _counts(op.values[i], v, following[i])]
    collected = {i: c for i, v in enumerate(args) if (c := _collects(v, following[i], [args[k] for k in counters]))}
    states = [i for i in range(len(args)) if i not in counters and i not in collected]
    rw.require(bool(counters) and 1 <= len(states) <= 2, "it carries something else than counters, outputs and states")
    x = _step_input(op, [args[i] for i in counters])
    rw.require(x is not None, "it does not read one step after the other")
    assert x is not None
    sequence = x.x
    rw.require(sequence.type.dtype.is_float, "layers compute with floating-point numbers")
    rw.require(sequence.type.rank == 3, "its steps are no matrices")
    is_whole = _runs_for(op, counters, sequence.type.shape[0])
    rw.require(is_whole, "it does not run over the whole sequence")
    for order in (states, states[::-1]):
        cell = find_cell(x.result, [args[i] for i in order], [following[i] for i in order])
        if cell is not None and all(c.item is following[order[0]] for c in collected.values()):
            rw.replace(*_results(op, rw, _Layer(sequence, cell, order, counters, collected)))
            return
    rw.require(False, "its body is not a cell of a recurrent layer")


@dataclass(frozen=True)
class _Layer:
    """What was found: the sequence, its cell, and what each carried value is."""

    sequence: Value
    cell: Cell
    states: Sequence[int]
    counters: Sequence[int]
    collected: dict[int, _Collected]


def _results(op: While, rw: Rewriter, found: _Layer) -> list[Value]:
    """Insert the layer, and return what stands for the results of the loop."""
    first = [op.values[i] for i in found.states]
    outputs, *last = rw.insert(_layer(rw, found.sequence, found.cell, first)).results
    results: list[Value] = []
    for i, value in enumerate(op.values):
        if i in found.counters:
            results.append(_steps(rw, found.sequence, value.type))
        elif i in found.collected:
            whole = found.collected[i].is_whole
            results.append(outputs if whole else rw.emit(Reshape(last[0], value.type.shape)))
        else:
            results.append(last[found.states.index(i)])
    return results


def _layer(rw: Rewriter, x: Value, cell: Cell, first: Sequence[Value]) -> Op:
    """Build the operation of a cell; states that begin with zeros are left out."""
    w, r = rw.emit(Const(cell.w)), rw.emit(Const(cell.r))
    bias = None if cell.bias is None else rw.emit(Const(cell.bias))
    h0, *others = [None if _is_zero(value) else value for value in first]
    if cell.kind == "lstm":
        return Lstm(x, w, r, bias, None, h0, c0=others[0], activations=cell.activations)
    if cell.kind == "rnn":
        return Rnn(x, w, r, bias, None, h0, activations=cell.activations)
    hidden = None if cell.hidden_bias is None else rw.emit(Const(cell.hidden_bias))
    after = cell.reset_after
    return Gru(x, w, r, bias, None, h0, hidden_bias=hidden, activations=cell.activations, reset_after=after)


def _steps(rw: Rewriter, x: Value, type: TensorType) -> Value:
    """Return the number of steps of a sequence as a scalar."""
    count = x.type.shape[0]
    if isinstance(count, int):
        return rw.emit(Const(Weight.of(np.full(static(type.shape), count, type.dtype.numpy))))
    return rw.emit(Reshape(rw.emit(ShapeOf(x, (0,), type.dtype)), type.shape))


def _is_zero(value: Value) -> bool:
    if isinstance(value.owner, BroadcastTo):
        value = value.owner.x
    weight = constant(value)
    is_cheap = weight is not None and (weight.is_splat or weight.nbytes <= EAGER_BYTES)
    return weight is not None and is_cheap and not weight.array().any()


def _counts(start: Value, arg: Value, following: Value) -> bool:
    """Whether a carried scalar counts from zero in ones."""
    weight = constant(start)
    if weight is None or weight.type.size != 1 or not weight.type.dtype.is_int or weight.array().item() != 0:
        return False
    match following.owner:
        case Add(a=a, b=b, activation="none") if arg in (a, b):
            step = constant(b if a is arg else a)
            return step is not None and step.type.size == 1 and step.array().item() == 1
        case _:
            return False


def _collects(arg: Value, following: Value, counters: Sequence[Value]) -> _Collected | None:
    """Return what a step writes into a carried tensor, in the row of a counter or in the only row."""
    match following.owner:
        case DynamicUpdateSlice(x=x, update=update, starts=starts) if x is arg and update.type.shape[:1] == (1,):
            is_row = update.type.shape[1:] == arg.type.shape[1:]
            if not is_row or not isinstance(update.owner, Reshape) or update.owner.x.type.shape != arg.type.shape[1:]:
                return None
            if _is_zero(starts) and arg.type.shape[0] == 1:
                return _Collected(update.owner.x, is_whole=False)
            return _Collected(update.owner.x, is_whole=True) if _is_at(starts, counters) else None
        case _:
            return None


def _is_at(starts: Value, counters: Sequence[Value]) -> bool:
    """Whether positions are a counter's along the first axis, zero along others."""
    match starts.owner:
        case Concat(xs=(first, *others)) if all(_is_zero(v) for v in others):
            return isinstance(first.owner, Reshape) and first.owner.x in counters
        case Reshape(x=x):
            return x in counters
        case _:
            return False


def _runs_for(op: While, counters: Sequence[int], steps: Dim) -> bool:
    """Whether a loop ends when a counter reaches a number of steps, and not before."""
    args, known = [op.condition.args[i] for i in counters], Known()
    bounds: list[Dim | None] = []
    work = [op.condition.returns[0]]
    while work:
        match work.pop().owner:
            case LogicalAnd(a=a, b=b):
                work += [a, b]
            case Less(a=a, b=b) if a in args and b.type.size == 1:
                bounds.append(known.dim(b))
            case _:
                return False
    is_reached = all(bound is not None and at_least(bound, steps) for bound in bounds)
    return is_reached and any(bound == steps for bound in bounds)


def _step_input(op: While, counters: Sequence[Value]) -> Gather | None:
    """Return the only reading of a sequence from outside at the place of a counter."""
    reads = [r for r in op.body.ops if isinstance(r, Gather) and r.axis == 0 and r.indices in counters]
    if len(reads) != 1 or reads[0].x in op.body.args:
        return None
    writer = reads[0].x.owner
    return reads[0] if writer is None or writer.parent is not op.body else None


@register("fuse-recurrent-loops")
class FuseRecurrentLoops(Pass):
    """Recognize recurrent layers in loops over all steps of a sequence, as TensorFlow writes those of Keras."""

    def run(self, module: Module) -> None:
        """Rewrite until nothing matches."""
        rewrite(module, [layer_of_loop])

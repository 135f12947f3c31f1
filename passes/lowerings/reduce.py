"""Lowerings of reductions: kinds without a kernel, axes, empty data."""

from __future__ import annotations

from itertools import groupby

import numpy as np

from ...compiler.dims import Dim
from ...compiler.lowering import Build
from ...compiler.ops import arith
from ...compiler.ops.logic import Equal, NotEqual, Select
from ...compiler.ops.reduce import REDUCTIONS, Reduce
from ...compiler.ops.shape import BroadcastTo
from ...compiler.types import DType
from ...compiler.value_ranges import EXACT_BITS
from .registry import lower, simplify


@lower(Reduce, benefit=3)
def nothing_to_combine(op: Reduce, e: Build) -> None:
    """A reduction of no elements is a constant: 0 for a sum, 1 for a product, NaN for a mean."""
    if any(op.x.type.shape[a] == 0 for a in op.dims):
        found = np.asarray(REDUCTIONS[op.kind](np.zeros(0, op.x.type.dtype.numpy), (0,), False))
        e.replace(e(BroadcastTo, e.constant(found.astype(op.result.type.dtype.numpy)), op.result.type.shape))


@lower(Reduce)
def compose(op: Reduce, e: Build) -> None:
    """Kinds without a kernel by others: norms and sums of squares by sums, with ABS, SQUARE, SQRT and LOG."""
    match op.kind:
        case "l1":
            e.replace(e.clone(op, e(arith.Abs, op.x), kind="sum"))
        case "l2":
            e.replace(e(arith.Sqrt, e.clone(op, e(arith.Square, op.x), kind="sum")))
        case "sum_square":
            e.replace(e.clone(op, e(arith.Square, op.x), kind="sum"))
        case "log_sum":
            e.replace(e(arith.Log, e.clone(op, op.x, kind="sum")))
        case _:
            return


@lower(Reduce)
def log_sum_exp(op: Reduce, e: Build) -> None:
    """Shifted by the maximum, so that nothing overflows; infinite maxima don't shift."""
    if op.kind != "log_sum_exp":
        return
    top = e.clone(op, op.x, kind="max", keepdims=True)
    is_finite = e(Equal, e(arith.Sub, top, top), 0.0)
    shift = e(Select, is_finite, top, e.number(0, op.x.type.dtype))
    total = e(Reduce, e(arith.Exp, e(arith.Sub, op.x, shift)), "sum", op.dims)
    out = e(arith.Add, e(arith.Log, total), shift)
    e.replace(e.reshape(out, op.result.type.shape))


@simplify(Reduce, benefit=2)
def reduce_nothing(op: Reduce, e: Build) -> None:
    """Without axes only the kind's function of single elements is left."""
    if op.dims:
        return
    match op.kind:
        case "sum" | "mean" | "max" | "min" | "prod":
            e.replace(op.x)
        case "any" | "all" if op.x.type.dtype is DType.BOOL:
            e.replace(op.x)
        case _:
            return


@lower(Reduce)
def mean_of_integers(op: Reduce, e: Build) -> None:
    """The sum divided by the number of elements, rounded towards zero."""
    if op.kind != "mean" or not op.x.type.dtype.is_int:
        return
    count = e.product([op.x.type.shape[a] for a in op.dims])
    e.require(isinstance(count, int), "a mean of integers over a number of elements that is not known")
    assert isinstance(count, int)
    dtype = op.x.type.dtype
    if dtype.bits > EXACT_BITS:
        room = dtype.bits - (0 if dtype.value.startswith("u") else 1) - max(count - 1, 0).bit_length()
        e.warn(f"the mean of {dtype} is a sum first: numbers beyond 2^{max(room, 0)} would overflow")
        e.replace(e(arith.Div, e.clone(op, op.x, kind="sum"), count))
    else:  # their sums overflow soon
        total = e.clone(op, e(arith.Cast, op.x, to=DType.I32), kind="sum")
        e.replace(e(arith.Cast, e(arith.Div, total, count), to=dtype))


@lower(Reduce)
def truth(op: Reduce, e: Build) -> None:
    """Whether any or all numbers differ from zero."""
    if op.kind in ("any", "all") and op.x.type.dtype is not DType.BOOL:
        e.replace(e.clone(op, e(NotEqual, op.x, 0)))


@lower(Reduce)
def fold_axes(op: Reduce, e: Build) -> None:
    """More axes than XNNPACK takes: neighbours that are all reduced, or all kept, become one."""
    shape = op.x.type.shape
    if len(shape) <= e.target.limits.rank:
        return
    runs = [list(run) for _, run in groupby(range(len(shape)), lambda a: a in op.dims)]
    e.require(len(runs) <= e.target.limits.rank, "reduced and kept axes that alternate more than six times")
    folded: list[Dim] = [e.product([shape[a] for a in run]) for run in runs]
    dims = tuple(i for i, run in enumerate(runs) if run[0] in op.dims)
    out = e(Reduce, e.reshape(op.x, folded), op.kind, dims, keepdims=False)
    e.replace(e.reshape(out, op.result.type.shape))

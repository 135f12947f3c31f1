"""NaN in inputs: where kernels of the target give numbers in place of it, which maxima and the like do that ignore it.

What a NaN becomes in a maximum is left open by most formats, and their kernels differ, also among themselves. Runs on
numbers can't tell; so a network with such operations runs once more, and what comes out is said, not held against it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from nhwcc.compiler.diagnostics import CompileError, Remark, counted, remark
from nhwcc.compiler.ir import Func, Op
from nhwcc.compiler.ops.arith import Max, Min
from nhwcc.compiler.ops.index import ArgMax, ArgMin, TopK
from nhwcc.compiler.ops.reduce import Reduce
from nhwcc.compiler.ops.window import AveragePool, MaxPool
from nhwcc.compiler.types import Array
from nhwcc.feeds import Feed, Feeding, feeds
from nhwcc.runners import Runner

SHARE = 16
"""One of so many elements of an input becomes NaN."""

NAMED = 3
"""How many operations are named."""


def warn_of_nan(func: Func, runners: tuple[Runner, Runner], sizes: Mapping[str, int], feeding: Feeding) -> None:
    """Remark outputs of a file that are numbers where the source has NaN, or the other way round, and what does that.

    ``runners`` are the source's and the file's, ``sizes`` those of a run that went well. Where the user says what
    inputs are, nothing is tried.
    """
    ops = [op for op in func.walk() if _ignores_nan(op)]
    feed = next(feeds(runners[0].inputs, replace(feeding, sizes=sizes)), None) if ops and feeding.data is None else None
    inputs = None if feed is None else _with_nan(feed)
    if inputs is None:
        return
    reference, candidate = runners
    try:
        want, got = reference.run(inputs), candidate.run(inputs)
        if not any(_departing(array, array, got[name]) for name, array in want.items() if name in got):
            return
        again = reference.run_otherwise(inputs) or want
    except CompileError:
        return  # it takes no NaN
    for name, array in want.items():
        count = _departing(array, again[name], got[name]) if name in got else 0
        if count:
            text = f"where inputs are NaN, {name} departs from {reference.title} in {counted(count, 'element')}"
            remark(Remark("warning", "verify", f"{text}: {_named(ops)}", facts={"nan": count}))


def _ignores_nan(op: Op) -> bool:
    kinds = (Max, Min, ArgMax, ArgMin, TopK, MaxPool, AveragePool)
    is_one = isinstance(op, kinds) or (isinstance(op, Reduce) and op.kind in ("max", "min"))
    return is_one and any(v is not None and v.type.dtype.is_float for v in op.operands)


def _with_nan(feed: Feed) -> dict[str, Array] | None:
    """Return inputs with NaN among the numbers that we drew; None if there are no such numbers."""
    rng = np.random.default_rng(0)
    changed: dict[str, Array] = {}
    for name in sorted(feed.drawn):
        array = feed.inputs[name]
        if array.dtype.kind == "f" and array.size:
            chosen = rng.random(array.shape) < 1 / SHARE
            chosen.flat[rng.integers(array.size)] = True
            changed[name] = np.where(chosen, np.asarray(np.nan, array.dtype), array)
    return feed.inputs | changed if changed else None


def _departing(want: Array, again: Array, got: Array) -> int:
    """Count elements of a file that are NaN where the source has a number, or the reverse; of integers, other ones.

    Where the source contradicts itself in another order of computing, nothing is expected.
    """
    if want.shape != got.shape or want.shape != again.shape:
        return 0
    if want.dtype.kind == "f":
        return int(((np.isnan(want) != np.isnan(got)) & (np.isnan(want) == np.isnan(again))).sum())
    return int(((want != got) & (want == again)).sum())


def _named(ops: list[Op]) -> str:
    """Say which operations these are."""
    places = dict.fromkeys(f"{op.spec.name} at {op.location}" for op in ops)
    more = f" and {len(places) - NAMED} more" if len(places) > NAMED else ""
    return f"kernels may ignore it in {', '.join([*places][:NAMED])}{more}"

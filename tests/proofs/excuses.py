"""Differences that are no fault of a rewrite: what operations leave open, what a warning says, rounding, infinities."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import Any

import numpy as np
from nhwcc.compiler.clone import clone_module
from nhwcc.compiler.diagnostics import Remark
from nhwcc.compiler.dims import is_static, static
from nhwcc.compiler.interpreter import bind_sizes, run
from nhwcc.compiler.ir import Module, Op
from nhwcc.compiler.ops.arith import Cast, Mul, Pow
from nhwcc.compiler.ops.core import Const
from nhwcc.compiler.ops.detection import SelectBoxes
from nhwcc.compiler.ops.index import Scatter, ScatterElements, ScatterNd
from nhwcc.compiler.ops.logic import Equal, NotEqual, ShiftLeft, ShiftRight
from nhwcc.compiler.ops.quantize import Dequantize, Quantize
from nhwcc.compiler.ops.shape import Slice
from nhwcc.compiler.types import Array, DType
from nhwcc.compiler.weights import Weight

from .equivalence import difference, outputs, stays_finite, tolerance

LIMIT = re.compile(r"numbers beyond 2\^(\d+) would")
"""How warnings say from where on a lowering is not exact."""


def is_excused(module: Module, inputs: Sequence[Array], got: Sequence[Array], remarks: Iterable[Remark]) -> bool:
    """Whether a difference from what a module computes is none that a rewrite answers for."""
    warned = [found for r in remarks if r.kind == "warning" for found in LIMIT.findall(r.text)]
    if warned and widest_integer(module, inputs) >= 2 ** min(map(int, warned)):
        return True
    if is_decided_by_rounding(module, inputs):
        return True
    if is_rounded_inside(module, inputs, got):
        return True
    return is_of_infinity(module, inputs, got) or is_amplified(module, inputs, got)


Scatters = ScatterNd | ScatterElements | Scatter


def is_defined(module: Module, inputs: Sequence[Array]) -> bool:
    """Whether operations say what comes out, which some do not for some operands.

    Of two updates of a scatter that go to one place none is the right one, integers can't hold all floats, slices take
    what is there, corners of boxes are in order, bits are not moved by more than there are, and zero points are numbers
    of the type that they are for.
    """
    values = dict(zip(module.main.args, inputs, strict=True))
    defined = True

    def look(op: Op, results: Sequence[Array]) -> None:
        nonlocal defined
        values.update(zip(op.results, results, strict=True))
        given = [None if v is None else values.get(v) for v in op.operands]
        if isinstance(op, Scatters) and op.reduction == "none" and given[1] is not None:
            defined &= not _repeats(op, given[1], given[0])
        elif isinstance(op, Cast | Pow) and op.result.type.dtype.is_int:
            defined &= _is_held(op, given)
        elif isinstance(op, Slice) and given[0] is not None and is_static(op.starts):
            defined &= _is_there(static(op.starts), results[0].shape, op.steps, given[0].shape)
        elif isinstance(op, SelectBoxes) and given[0] is not None:
            defined &= bool((given[0][:, :2] <= given[0][:, 2:]).all())
        elif isinstance(op, ShiftLeft | ShiftRight):
            defined &= _is_in_range(given[1], range(op.a.type.dtype.bits))
        elif isinstance(op, Quantize | Dequantize):
            info = np.iinfo((op.dtype if isinstance(op, Quantize) else op.x.type.dtype).numpy)
            defined &= _is_in_range(given[2], range(int(info.min), int(info.max) + 1))

    run(module.main, inputs, look)
    return defined


def _repeats(op: Scatters, indices: Array, x: Array | None) -> bool:
    """Whether two updates have the same indices; negative ones count from the end."""
    shape = static(op.x.type.shape) if x is None else x.shape
    if isinstance(op, ScatterNd):
        rows = indices.reshape(-1, indices.shape[-1]) % np.maximum(shape[: indices.shape[-1]], 1)
        return len(np.unique(rows, axis=0)) < len(rows)
    axis = op.axis if isinstance(op, ScatterElements) else 0
    places = np.sort(indices % max(shape[op.axis], 1), axis=axis)
    return bool((np.diff(places, axis=axis) == 0).any())


def _is_there(starts: Sequence[int], sizes: Sequence[int], steps: Sequence[int], shape: Sequence[int]) -> bool:
    """Whether a slice takes positions that there are."""
    ends = [start + (n - 1) * step for start, n, step in zip(starts, sizes, steps, strict=True)]
    return 0 in sizes or all(0 <= p < d for places in (starts, ends) for p, d in zip(places, shape, strict=True))


def _is_in_range(array: Array | None, numbers: range) -> bool:
    return array is None or not array.size or (int(array.min()) in numbers and int(array.max()) in numbers)


def _is_held(op: Cast | Pow, given: Sequence[Array | None]) -> bool:
    """Whether the integers of the result hold the floating-point numbers that it is made of."""
    if any(a is None for a in given):
        return True
    arrays = [np.asarray(a) for a in given]
    if not any(DType.of(a.dtype).is_float for a in arrays):
        return True
    wide = [a.astype(np.float64) for a in arrays]
    with np.errstate(all="ignore"):
        made = np.trunc(wide[0] if isinstance(op, Cast) else np.power(wide[0], wide[1]))
        info = np.iinfo(op.result.type.dtype.numpy)
        return bool(((made >= float(info.min)) & (made < float(info.max) + 1)).all())


def widest_integer(module: Module, inputs: Sequence[Array]) -> int:
    """The largest absolute value of all integers that a module computes with, those too that an activation cuts."""
    most = max(map(_largest, inputs), default=0)
    values = dict(zip(module.main.args, inputs, strict=True))

    def look(op: Op, results: Sequence[Array]) -> None:
        nonlocal most
        values.update(zip(op.results, results, strict=True))
        given = [None if v is None else values.get(v) for v in op.operands]
        most = max([most, *map(_largest, (*results, *_before_activation(op, given)))])

    run(module.main, inputs, look)
    return most


def _largest(array: Array) -> int:
    if array.dtype.kind not in "iu" or not array.size:
        return 0
    return max(abs(int(array.min())), abs(int(array.max())))


def _before_activation(op: Op, given: Sequence[Array | None]) -> Sequence[Array]:
    """What an operation with an activation computes before that."""
    attributes = dict(op.attributes)
    if attributes.get("activation", "none") == "none" or op.spec.evaluate is None:
        return ()
    made = op.spec.evaluate(*given, **attributes | {"activation": "none"})
    return made if isinstance(made, tuple) else (np.asarray(made),)


LAST_BITS = {DType.F16: 2.0**-10, DType.BF16: 2.0**-7}
"""Of element types, relative to a number; f64 counts as f32, as which targets may compute it."""


def is_amplified(module: Module, inputs: Sequence[Array], got: Sequence[Array]) -> bool:
    """Whether a difference is rounding that the module amplifies: it changes as much itself if others round.

    As in verification, four times as much is accepted as the last bits of all numbers on the way make out.
    """
    want = outputs(module, inputs)
    spread = [np.zeros(w.shape) for w in want]
    for seed in range(MOST_ROUNDS):
        numbers = np.random.default_rng(seed)
        noisy, moved = _noisy(module, inputs, numbers, 1.0 if seed < ROUNDS else numbers.uniform(0, MANY_BITS))
        for i, (w, other) in enumerate(zip(want, outputs(noisy, moved), strict=True)):
            spread[i] = np.fmax(spread[i], _distance(w, other))
        pairs = zip(want, got, spread, strict=True)
        if seed + 1 >= ROUNDS and all(_is_within(w, g, 4 * _most(w, s)) for w, g, s in pairs):
            return True
        if seed + 1 == ROUNDS and not _is_lost(want, spread):
            return False
    return False


def _most(w: Array, spread: Array) -> Any:
    """How far elements may be off: floating-point numbers all as far as the worst."""
    return spread.max(initial=0) if DType.of(w.dtype).is_float else spread


def _is_lost(want: Sequence[Array], spread: Sequence[Array]) -> bool:
    """Whether last bits decide about some result, as they do about tan(4e9): how far it goes takes longer to see."""
    return any(bool((8 * s > _distance(w, np.zeros_like(w))).any()) for w, s in zip(want, spread, strict=True))


ROUNDS, MOST_ROUNDS = 6, 100
"""How often other last bits are tried, and how often if they decide about everything."""

MANY_BITS = 64.0
"""By so many last bits, and fewer, numbers are moved then: one bit has few values."""


def _noisy(
    module: Module, inputs: Sequence[Array], numbers: np.random.Generator, bits: float = 1.0
) -> tuple[Module, list[Array]]:
    """Return a module, of known sizes, in which every floating-point number is moved by last bits; and its inputs."""
    shapes: dict[str, int] = bind_sizes(module.main.args, inputs)
    noisy = clone_module(module, shapes)
    types = {v.type.dtype for op in noisy.walk() for v in (*op.operands, *op.results) if v is not None}
    step = bits * max((LAST_BITS.get(dtype, 2.0**-23) for dtype in types), default=2.0**-23)
    ops = list(noisy.main.body.ops)
    for op, following in pairwise(ops):
        for result in op.results:
            if result.type.dtype.is_float and is_static(result.type.shape):
                factors = _factors(static(result.type.shape), step, numbers)
                factor = Const(Weight.of(factors.astype(result.type.dtype.numpy)))
                users = list(result.uses)
                noisy.main.body.insert(factor, following)
                product = noisy.main.body.insert(Mul(result, factor.result), following)
                for use in users:
                    use.op.set_operand(use.slot, product.result)
    moved = [
        (a.astype(np.float64) * _factors(a.shape, step, numbers)).astype(a.dtype) if DType.of(a.dtype).is_float else a
        for a in inputs
    ]
    return noisy, moved


def _factors(shape: tuple[int, ...], step: float, numbers: np.random.Generator) -> Array:
    return np.asarray(1 + step * numbers.choice([-1, 1], shape))


def _distance(a: Array, b: Array) -> Array:
    with np.errstate(all="ignore"):
        return np.nan_to_num(np.abs(np.asarray(a, np.complex128) - np.asarray(b, np.complex128)))


def _is_within(w: Array, g: Array, most: Any) -> bool:
    """Whether results are that near wherever there is something to be near to."""
    if w.shape != g.shape:
        return False
    finite = np.isfinite(w.astype(np.complex128))
    with np.errstate(all="ignore"):
        return bool((((_distance(w, g) <= most) & ~np.isnan(g.astype(np.complex128))) | ~finite).all())


def is_decided_by_rounding(module: Module, inputs: Sequence[Array]) -> bool:
    """Whether a module asks if numbers are zero, or equal, of which nothing is left but what was rounded away."""
    left = _gaps(module, inputs)
    if not left:
        return False
    spread = [np.zeros(gap.shape) for gap in left]
    for seed in range(ROUNDS):
        found = _gaps(*_noisy(module, inputs, np.random.default_rng(seed)))
        pairs = zip(spread, left, found, strict=True)
        spread = [np.fmax(most, _distance(gap, other)) for most, gap, other in pairs]
    return any(((gap != 0) & (gap <= 4 * most)).any() for gap, most in zip(left, spread, strict=True))


def _gaps(module: Module, inputs: Sequence[Array]) -> list[Array]:
    """How far floating-point numbers that become truth values are from zero, others from those they are compared with.

    Those in the bodies of loops are left out.
    """
    values = dict(zip(module.main.args, inputs, strict=True))
    gaps: list[Array] = []

    def look(op: Op, results: Sequence[Array]) -> None:
        values.update(zip(op.results, results, strict=True))
        if op.parent is not module.main.body or not isinstance(op, Cast | Equal | NotEqual):
            return
        a, *others = (values[v] for v in op.operands if v is not None)
        if DType.of(a.dtype).is_float and op.result.type.dtype is DType.BOOL:
            gaps.append(_distance(a, others[0] if others else np.zeros((), a.dtype)))

    run(module.main, inputs, look)
    return gaps


WIDER = {DType.F16: np.float32, DType.BF16: np.float32}
"""Floating-point types of few bits, and one with all their numbers and more digits."""


def is_rounded_inside(module: Module, inputs: Sequence[Array], got: Sequence[Array]) -> bool:
    """Whether results are those of operations that compute with more digits than 16 bits have, and round once.

    Others round on the way: squares of small numbers are none in f16.
    """
    values = dict(zip(module.main.args, inputs, strict=True))
    if not any(v.type.dtype in WIDER for op in module.walk() for v in op.results):
        return False
    for op in module.main.ops:
        if op.spec.is_terminator:
            break
        if op.spec.evaluate is None:
            return False
        with np.errstate(all="ignore"):
            made = op.spec.evaluate(*(None if v is None else _widened(values[v]) for v in op.operands), **op.attributes)
        for result, array in zip(op.results, made if isinstance(made, tuple) else (made,), strict=True):
            values[result] = np.asarray(array).astype(result.type.dtype.numpy)
    return difference(got, [values[v] for v in module.main.returns], tolerance(module)) is None


def _widened(array: Array) -> Array:
    wider = WIDER.get(DType.of(array.dtype))
    return array if wider is None else array.astype(wider)


def is_of_infinity(module: Module, inputs: Sequence[Array], got: Sequence[Array]) -> bool:
    """Whether results differ in what is NaN only, and the module computes with infinities: zeros times them are NaN."""
    if stays_finite(module, inputs):
        return False
    want = outputs(module, inputs)
    if [w.shape for w in want] != [g.shape for g in got]:
        return False
    known = [
        w if not DType.of(w.dtype).is_float else np.where(np.isnan(g), g, w) for w, g in zip(want, got, strict=True)
    ]
    pairs = zip(got, known, strict=True)
    return difference([g.astype(k.dtype) for g, k in pairs], known, tolerance(module)) is None

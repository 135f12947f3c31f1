"""Element types that the runtime lacks, carried in one that has all their numbers.

Nothing is lost but the size: 4-bit integers lie in bytes, floats of few bits in f32.  A conversion to such a type
becomes the rounding that it is.  Inputs and outputs change their type likewise, which is said.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, cast

import numpy as np

from ...compiler.diagnostics import Diagnostic, Remark, at, counted, remark
from ...compiler.ir import Func, Module, Op, Value
from ...compiler.lowering import Build
from ...compiler.ops import arith, logic
from ...compiler.ops.activation import Clip
from ...compiler.ops.control import If, While
from ...compiler.ops.core import Const, Return
from ...compiler.ops.quantize import Dequantize
from ...compiler.ops.shape import ShapeOf
from ...compiler.rewrite import Rewriter, erase_dead
from ...compiler.traits import Moves, ops_with
from ...compiler.types import Array, DType
from .carriers import CARRIERS
from .target import Target
from .unsupported import refusals

UNROUNDED = {DType.BF16: DType.F32}
"""Types in which networks compute: their carrier does so instead, and rounds less."""

EXACT = (*ops_with(Moves), Const, Return, If, While, arith.Cast, ShapeOf)
"""What can be done with the others: nothing that would have to be rounded again."""


def carry(
    target: Target,
    module: Module,
    *,
    kept: frozenset[DType] = frozenset(),
    computed: Mapping[DType, DType] = UNROUNDED,
) -> list[Diagnostic]:
    """Replace the types of a whole module, and say so; or return why none is: what computes in a type of few bits.

    Those that are ``kept`` the target has itself; those that are ``computed`` in another type need not hold all
    numbers of it.
    """
    carriers = {dtype: to for dtype, to in {**CARRIERS, **computed}.items() if dtype not in kept}
    found = [v for f in module.funcs.values() for v in _values(f) if v.type.dtype in carriers]
    stuck = [op for op in module.walk() if not _can_carry(op, carriers, computed)]
    if stuck or not found:
        return refusals(target.title, stuck, lambda op: _why(op, target.title, carriers))
    _report(target.title, module, found, carriers)
    for value in found:
        value.type = value.type.with_dtype(carriers[value.type.dtype])
    for op in list(module.walk()):
        if not isinstance(op, Const | arith.Cast):
            op.attributes.update({k: carriers.get(v, v) for k, v in op.attributes.items() if isinstance(v, DType)})
            _convert_what_is_fixed(op)
        elif _names(op) in carriers:
            with at(op.location):
                _carried(op, target, computed)
    return []


def _convert_what_is_fixed(op: Op) -> None:
    """Convert results whose type no attribute says, such as positions that are always of 64 bits."""
    if op.spec.regions or not op.results:
        return
    for result, type in zip(op.results, op.spec.infer(op), strict=True):
        if type.dtype is not result.type.dtype:
            assert op.parent is not None
            uses = result.uses
            converted = arith.Cast(result, to=result.type.dtype)
            result.type = result.type.with_dtype(type.dtype)
            op.parent.insert(converted, op.after)
            for use in uses:
                use.op.set_operand(use.slot, converted.result)


def _values(func: Func) -> list[Value]:
    """All values of a function, those of its regions too."""
    inner = [r for op in func.walk() for r in (*op.results, *(a for region in op.regions for a in region.args))]
    return [*func.args, *inner]


def _names(op: Const | arith.Cast) -> DType:
    return op.to if isinstance(op, arith.Cast) else op.value.type.dtype


def _can_carry(op: Op, carriers: Mapping[DType, DType], computed: Mapping[DType, DType]) -> bool:
    types = {v.type.dtype for v in (*op.operands, *op.results) if v is not None} & carriers.keys()
    if not types or isinstance(op, EXACT) or (isinstance(op, Dequantize) and all(t.is_int for t in types)):
        return True
    return types <= computed.keys() and not isinstance(op, arith.BitCast)


def _why(op: Op, title: str, carriers: Mapping[DType, DType]) -> list[str]:
    dtype = next(v.type.dtype for v in (*op.operands, *op.results) if v is not None and v.type.dtype in carriers)
    return [f"it computes in {dtype} or reads its bits; {title} has no {dtype}, only {carriers[dtype]} in its place"]


def _report(title: str, module: Module, found: list[Value], carriers: Mapping[DType, DType]) -> None:
    """Say for each type how many values are carried, and which inputs and outputs change their type."""
    for dtype, count in Counter(v.type.dtype for v in found).items():
        become = "is" if count == 1 else "are"
        text = f"{counted(count, 'value')} of {dtype} {become} {carriers[dtype]}: {title}'s kernels have no {dtype}"
        remark(Remark("warning", "legalize", text))
    types = {v.type.dtype for v in found}
    func = module.main
    sides = (("input", func.inputs, func.args), ("output", func.outputs, func.returns))
    for side, ports, values in sides:
        for port, value in zip(ports, values, strict=True):
            dtype = value.type.dtype
            if dtype in types:
                text = (
                    f"the {side} {port.name} is {carriers[dtype]} in the file, which {_range(dtype, carriers[dtype])}"
                )
                remark(Remark("warning", "legalize", text))


def _range(dtype: DType, stored: DType) -> str:
    """Say whether a type has all numbers of another one."""
    return f"has all numbers of {dtype}" if stored.holds(dtype) else f"has fewer numbers than {dtype}"


def _carried(op: Const | arith.Cast, target: Target, computed: Mapping[DType, DType]) -> None:
    """Replace a constant, or a conversion, whose own words still speak of the type that is carried."""
    assert op.parent is not None
    e = Build(Rewriter(op, op.parent), target)
    carrier = op.result.type.dtype
    if isinstance(op, Const):
        e.replace(e.constant(op.value.derive(op.result.type, partial(_converted, dtype=carrier))))
    elif op.to in computed:
        e.replace(e(arith.Cast, op.x, to=carrier))
    elif op.to.is_int:
        e.replace(_wrapped(op.x, op.to, e))
    else:
        e.replace((_power_of_two if op.to is DType.F8E8M0 else _rounded)(op, e))
    erase_dead(op)


def _converted(array: Array, *, dtype: DType) -> Array:
    return array.astype(dtype.numpy)


def _is_within(x: Value, low: float, high: float) -> bool:
    """Whether a clamp keeps a value within bounds."""
    return isinstance(x.owner, Clip) and x.owner.min >= low and x.owner.max <= high


def _wrapped(x: Value, to: DType, e: Build) -> Value:
    """Cut towards zero, then keep the low bits."""
    span = 1 << to.bits
    low = 0 if to.value.startswith("u") else -span // 2
    if _is_within(x, low, low + span - 1):
        return e(arith.Cast, x, to=CARRIERS[to])
    whole = e(arith.Cast, x, to=DType.I32)
    wrapped = e(arith.Mod, e(arith.Sub, whole, low), span)
    return e(arith.Cast, e(arith.Add, wrapped, low), to=CARRIERS[to])


@dataclass(frozen=True)
class _Format:
    """What numbers a floating-point type of few bits has, in f32; ``beyond`` is what overflows become, ``nan`` NaN."""

    fraction: int
    step: float
    largest: float
    beyond: float
    nan: float
    has_minus_zero: bool

    @staticmethod
    def of(dtype: DType) -> _Format:
        import ml_dtypes

        info = cast(Any, ml_dtypes).finfo(dtype.numpy)
        special = np.asarray([np.inf, np.nan, -0.0], np.float32).astype(dtype.numpy).astype(np.float32)
        beyond, nan = (abs(float(n)) for n in special[:2])
        step = float(info.smallest_subnormal)
        return _Format(info.nmant, step, float(info.max), beyond, nan, bool(np.signbit(special[2])))


def _rounded(op: arith.Cast, e: Build) -> Value:
    """Round to a multiple of the step between neighbours, which the number's exponent tells."""
    x, to = e(arith.Cast, op.x, to=DType.F32), _Format.of(op.to)
    exponent = e(logic.BitwiseAnd, e(arith.BitCast, x, to=DType.I32), e.number(INFINITE, DType.I32))
    steps = e(arith.Max, e(arith.Sub, exponent, to.fraction << 23), e.number(_bits(to.step), DType.I32))
    step = e(arith.BitCast, steps, to=DType.F32)
    out = e(arith.Mul, e(arith.Round, e(arith.Div, x, step)), step)
    if not _is_within(op.x, -to.largest, to.largest):
        past = e(logic.Greater, e(arith.Abs, out), to.largest)
        ends = (e.number(n, DType.F32) for n in (-to.beyond, to.beyond))
        out = e(logic.Select, past, e(logic.Select, e(logic.Less, out, 0.0), *ends), out)
    if not np.isnan(to.nan):
        out = e(logic.Select, e(logic.Equal, out, out), out, e.number(to.nan, DType.F32))
    return out if to.has_minus_zero else e(logic.Select, e(logic.Equal, out, 0.0), e.number(0.0, DType.F32), out)


def _bits(number: float) -> int:
    return int(np.float32(number).view(np.int32))


INFINITE = _bits(np.inf)
"""The bits of infinity are all those of the exponent."""

NORMAL, SMALLEST = _bits(2.0**-126), _bits(2.0**-127)
"""The bits of the smallest number with a full fraction, and of the smallest power of two that ``f8e8m0`` has."""

UPWARDS = {"nearest": (1 << 22, SMALLEST + (1 << 21) - 1), "up": ((1 << 23) - 1, SMALLEST), "down": (0, NORMAL)}
"""What carries into the exponent where it is added to the bits, and above which bits small numbers become NORMAL."""


def _power_of_two(op: arith.Cast, e: Build) -> Value:
    """Round by the bits alone: XNNPACK takes the smallest powers for zero.

    What is not positive becomes NaN where numbers go to the nearest power, else the smallest one.
    """
    x, (carry, last) = e(arith.Cast, op.x, to=DType.F32), UPWARDS[op.rounding]
    bits = e(arith.Max, e(arith.BitCast, x, to=DType.I32), SMALLEST)
    small = e(logic.Select, e(logic.Greater, bits, last), e.number(NORMAL, DType.I32), e.number(SMALLEST, DType.I32))
    large = e(logic.BitwiseAnd, e(arith.Add, bits, carry), e.number(INFINITE, DType.I32))
    power = e(logic.Select, e(logic.Less, bits, NORMAL), small, large)
    stands = e(logic.Greater, x, 0.0) if op.rounding == "nearest" else e(logic.Equal, x, x)
    fits = e(logic.LogicalAnd, stands, e(logic.Less, power, INFINITE))
    return e(logic.Select, fits, e(arith.BitCast, power, to=DType.F32), e.number(np.nan, DType.F32))

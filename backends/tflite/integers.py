"""Kernels on integers: what a builtin demands of the scales around an operation, and how it is called then.

In the IR such a kernel is *dequantize, operation, quantize*.  The row of the operation says whether the builtin takes
it; what it demands of integers is one more column of that row (:class:`Quantizable`).  The builtin is called as it is
for floats, on the integers that the operands stand for.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from ...compiler.fold import constant
from ...compiler.ir import Op, Value
from ...compiler.ops.quantize import Dequantize, Quantize
from ...compiler.scales import Demands
from ...compiler.types import Array, DType
from ...formats.tflite.model import CustomOptions, Options, Quantization
from ..common.table import Condition, Row
from .calls import Call, Operand, Stored, Unfolded
from .quantization import integers_of, is_consistent, stated

SUM_BITS = {DType.I32: 31, DType.I64: 47}
"""How many bits the magnitude of a sum of products has at most, by the type of the bias."""

LARGEST_FACTOR = 256.0
"""XNNPACK rejects products whose scale is that many times the result's."""


@dataclass(frozen=True)
class Quantizable(Demands):
    """What a builtin demands of integers, and since which version it takes them; ``plain`` are its other types.

    ``version16`` is the one for integers of 16 bits, ``options16`` what its options say of these.  ``rounds`` says
    along which dims one range counts where the builtin rounds what it multiplies by weights of 8 bits, ``blocks``
    whether it then takes weights of 4 bits with a scale for so many of them.
    """

    version: int = 2
    version16: int = 3
    options16: tuple[str, Mapping[str, Any]] | None = None
    plain: str = "f32"
    rounds: Callable[[Any], tuple[int, ...] | None] | None = None
    blocks: Callable[[Any, int], bool] | None = None

    def why_not(self, row: Row[Call], op: Quantize) -> str | None:
        """Return why the builtin of a row can't give the integers of ``op``, None if it can."""
        inner = op.x.owner
        if inner is None or type(inner) is not row.op:
            return f"no {row.op.spec.name} before it"
        if not op.x.has_one_use:
            return "the numbers before it have other readers"
        return row.reason(inner) or next((why for why in self._reasons(inner, op) if why is not None), None)

    def _reasons(self, inner: Op, op: Quantize) -> Iterator[str | None]:
        """Why scales do not fit: each reason is asked for only if there was none before."""
        names = [n for n in inner.spec.operands if getattr(inner, n) is not None]
        yield None if op.dtype in self.types else f"integers of {op.dtype}"
        yield _per_tensor(op, op.dtype)
        for name in names:
            if name == self.weight:
                yield _weight(getattr(inner, name), op.dtype)
            elif name != self.bias:
                yield from (_activation(v, op.dtype) for v in _values(getattr(inner, name)))
        if self.is_nonnegative and any(
            _known(v).zeros[0] > op.dtype.bounds[0] for v in inner.operands if v is not None
        ):
            yield "an operand that may be negative"
        if self.bias in names:
            yield self._bias(inner)
        yield self._result(inner, op)

    def _bias(self, inner: Op) -> str | None:
        bias = constant(getattr(inner, self.bias or ""))
        if bias is None:
            return "a bias that is computed"
        dtype = _bias_type(inner)
        counts = np.abs(bias.array() / self._product_scale(inner))
        largest = (1 << SUM_BITS[dtype]) - 1
        return None if (counts < largest).all() else f"a bias that overflows {SUM_BITS[dtype] + 1} bits"

    def _result(self, inner: Op, op: Quantize) -> str | None:
        own = stated(op)
        assert own is not None
        wanted = self.result_of(op.dtype)
        if wanted is not None and (own.scales[0], own.zeros[0]) != wanted:
            return f"another scale than {wanted[0]:g} and zero point than {wanted[1]} of the result"
        if self.keeps_scale and any(own != _scales(v) for v in inner.operands if v is not None):
            return "the result has another scale than the operand"
        if (self.is_product or self.weight) and (self._product_scale(inner) / own.scales[0]).max() >= LARGEST_FACTOR:
            return f"products of a scale that is {LARGEST_FACTOR:g} times the result's"
        return None

    def _product_scale(self, inner: Op) -> Array:
        """The scale of products, one or one per output."""
        factors = [getattr(inner, n) for n in inner.spec.operands if n != self.bias]
        scales = [np.asarray(_known(v).scales, np.float64) for v in factors if v is not None]
        return scales[0] * scales[1]

    def scale_of_result(self, inner: Op, dtype: DType) -> tuple[float, int] | None:
        """Return the only scale and zero point that the builtin gives, None if it gives any."""
        if not self.keeps_scale:
            return self.result_of(dtype)
        found = next((q for v in inner.operands if v is not None and (q := _scales(v)) is not None), None)
        return None if found is None else (found.scales[0], found.zeros[0])

    def call(self, row: Row[Call], op: Quantize) -> Call:
        """Call the builtin of a row on the integers that its operands stand for."""
        inner = op.x.owner
        assert inner is not None
        given = row.call(inner)
        inputs = tuple(self._stored(inner, v) for v in given.inputs)
        if op.dtype is not DType.I16:
            return Call(inputs, given.options, max(given.version, self.version))
        return Call(inputs, self._options16(given), max(given.version, self.version16))

    def _options16(self, given: Call) -> Options | CustomOptions | None:
        """Return the options for integers of 16 bits."""
        if self.options16 is None:
            return given.options
        table, fields = self.options16
        others: Mapping[str, Any] = given.options.fields if isinstance(given.options, Options) else {}
        return Options(table, {**others, **fields})

    def _stored(self, inner: Op, operand: Operand) -> Operand:
        if isinstance(operand, Unfolded):
            return operand.stored
        if not isinstance(operand, Value):
            return operand
        if self.bias is not None and operand is getattr(inner, self.bias):
            return self._stored_bias(inner, operand)
        assert isinstance(operand.owner, Dequantize)
        return integers_of(operand.owner)

    def _stored_bias(self, inner: Op, bias: Value) -> Stored:
        weight, scale = constant(bias), self._product_scale(inner)
        assert weight is not None
        scales = tuple(map(float, scale.astype(np.float32)))
        dtype = _bias_type(inner)
        counted = weight.derive(weight.type.with_dtype(dtype), partial(_counted, scale=scale, dtype=dtype))
        return Stored(counted, Quantization(scales, (0,) * len(scales)))


def _bias_type(inner: Op) -> DType:
    """The type of integers of a bias: that of the sum of products."""
    x = inner.operands[0]
    assert x is not None and isinstance(x.owner, Dequantize)
    return DType.I64 if x.owner.x.type.dtype is DType.I16 else DType.I32


def _counted(bias: Array, *, scale: Array, dtype: DType) -> Array:
    return np.rint(bias / scale).astype(dtype.numpy)


def _values(operand: Value | tuple[Value, ...]) -> tuple[Value, ...]:
    return operand if isinstance(operand, tuple) else (operand,)


def _scales(value: Value) -> Quantization | None:
    return stated(value.owner) if isinstance(value.owner, Dequantize) else None


def _known(value: Value) -> Quantization:
    found = _scales(value)
    assert found is not None
    return found


def _per_tensor(op: Quantize | Dequantize, dtype: DType) -> str | None:
    integers = op.dtype if isinstance(op, Quantize) else op.x.type.dtype
    if integers is not dtype:
        return f"integers of {integers} beside those of {dtype}"
    if op.scale.type.size != 1 or stated(op) is None or not is_consistent(op):
        return "other than one constant scale for the tensor"
    return None


def _activation(value: Value, dtype: DType) -> str | None:
    if not isinstance(value.owner, Dequantize):
        return "an operand that is not dequantized"
    return _per_tensor(value.owner, dtype)


def _weight(value: Value, dtype: DType) -> str | None:
    writer, found = value.owner, _scales(value)
    if not isinstance(writer, Dequantize) or found is None or constant(writer.x) is None:
        return "a weight that is not a constant of integers"
    if writer.x.type.dtype is not (DType.I8 if dtype is DType.I16 else dtype):
        return f"a weight of {writer.x.type.dtype} beside integers of {dtype}"
    if dtype is not DType.U8 and any(found.zeros):
        return "a weight of i8 with other zero points than 0"
    if dtype is DType.U8 and len(found.scales) > 1:
        return "a weight of u8 with more than one scale"
    if len(found.scales) > 1 and found.axis != 0:
        return "scales of a weight along another axis than its outputs"
    return None if is_consistent(writer) else "a weight that others read with another scale"


def integer_row(row: Row[Call], integers: Quantizable, ranks: range) -> Row[Call]:
    """Return the row of ``quantize`` for a builtin that gives integers; the row of the operation limits its ranks."""
    text = f"{row.op.spec.name.replace('_', ' ')} of dequantized integers before it{_demands(integers)}"
    when = (Condition(text, partial(integers.why_not, row)),)
    dtypes = {"dtype": integers.types}
    call: Callable[[Any], Call] = partial(integers.call, row)
    return Row(Quantize, row.kernel, dtypes, ranks, when, row.source, call)


def _demands(integers: Quantizable) -> str:
    """Say what a builtin demands of scales."""
    if integers.result is not None:
        wide = ", those of i16 with 1/32768" if DType.I16 in integers.types else ""
        return f", with the scale {integers.result[0]:g} and the zero point {integers.result[1]}{wide}"
    if integers.keeps_scale:
        return ", with the operand's scale"
    if integers.weight is not None:
        return ", with one scale, or one per output, of weights; those of i8 have zero points of 0"
    return ""

"""Features: scaling, normalising, replacing, choosing, and numbers for categories."""

from __future__ import annotations

import math

import numpy as np

from .....compiler.diagnostics import counted
from .....compiler.ir import Value
from .....compiler.ops.arith import Cast, Div, Mul, Sub
from .....compiler.ops.index import Gather
from .....compiler.ops.logic import Equal, Greater, IsNan, Select
from .....compiler.ops.reduce import Reduce
from .....compiler.ops.shape import Concat
from .....compiler.types import DType
from ...emitter import Emitter
from ...registry import onnx_op
from .domain import ML, rows


@onnx_op("Scaler", since=1, domain=ML)
def scaler(emit: Emitter, x: Value, *, offset: tuple[float, ...] = (), scale: tuple[float, ...] = ()) -> Value:
    """``(x - offset) * scale``, one of each for all features or for each."""
    data = emit.cast(x, DType.F32)
    for name, numbers in (("offset", offset), ("scale", scale)):
        if len(numbers) not in {1, x.type.shape[-1]}:
            raise emit.fail(f"has {counted(len(numbers), 'number')} in {name!r} for {x.type}", code="F002")
    centred = emit(Sub(data, emit.const(np.asarray(offset, np.float32))))
    return emit(Mul(centred, emit.const(np.asarray(scale, np.float32))))


NORMS = {"MAX": "max", "L1": "l1", "L2": "l2"}
"""What divides a row, as reductions; the largest element counts with its sign."""


@onnx_op("Normalizer", since=1, domain=ML)
def normalizer(emit: Emitter, x: Value, *, norm: str = "MAX") -> Value:
    """Each row divided by its norm; one whose norm is zero stays."""
    if norm not in NORMS:
        raise emit.fail(f"has the norm {norm!r}, none of {', '.join(NORMS)}", code="F002")
    data = emit.cast(x, DType.F32)
    size = emit(Reduce(data, NORMS[norm], (x.type.rank - 1,)))
    zero, one = (emit.const(n, DType.F32) for n in (0, 1))
    return emit(Div(data, emit(Select(emit(Equal(size, zero)), one, size))))


@onnx_op("Binarizer", since=1, domain=ML)
def binarizer(emit: Emitter, x: Value, *, threshold: float = 0.0) -> Value:
    """Binarizer: 1 where an element exceeds the threshold, 0 elsewhere."""
    above = emit(Greater(x, emit.const(threshold, x.type.dtype)))
    return emit(Cast(above, x.type.dtype))


@onnx_op("Imputer", since=1, domain=ML)
def imputer(
    emit: Emitter,
    x: Value,
    *,
    imputed_value_floats: tuple[float, ...] = (),
    imputed_value_int64s: tuple[int, ...] = (),
    replaced_value_float: float = 0.0,
    replaced_value_int64: int = 0,
) -> Value:
    """Another number, one for all features or for each, where data holds the one to be replaced, or NaN."""
    if x.type.dtype.is_float:
        values, replaced = imputed_value_floats, replaced_value_float
    else:
        values, replaced = imputed_value_int64s, replaced_value_int64
    if len(values) not in {1, x.type.shape[-1]}:
        raise emit.fail(f"has {counted(len(values), 'number')} to impute in {x.type}", code="F002")
    if isinstance(replaced, float) and math.isnan(replaced):
        missing = emit(IsNan(x))
    else:
        missing = emit(Equal(x, emit.const(replaced, x.type.dtype)))
    return emit(Select(missing, emit.const(values, x.type.dtype), x))


@onnx_op("OneHotEncoder", since=1, domain=ML)
def one_hot_encoder(
    emit: Emitter,
    x: Value,
    *,
    cats_int64s: tuple[int, ...] = (),
    cats_strings: tuple[str, ...] = (),
    zeros: int = 1,
) -> Value:
    """A new axis with 1 at the category; unknown ones are all zeros."""
    if cats_strings or x.type.dtype is DType.STRING:
        help = "Encode text before the model, in the application."
        raise emit.fail("has strings as categories; TFLite can't compare them", help=help)
    if not zeros:
        help = "Set zeros=1, which gives zeros for them."
        raise emit.fail("refuses unknown categories when it runs (zeros=0), which TFLite can't", help=help)
    whole = emit.cast(x, DType.I64)
    column = emit.reshape(whole, (*x.type.shape, 1))
    return emit(Cast(emit(Equal(column, emit.const(cats_int64s, DType.I64))), DType.F32))


@onnx_op("ArrayFeatureExtractor", since=1, domain=ML)
def array_feature_extractor(emit: Emitter, x: Value, y: Value) -> Value:
    """Elements at positions along the last axis; a vector counts as one row, which may hold strings."""
    if all(d == 1 for d in x.type.shape[:-1]):
        shape = (*x.type.shape[:-1], y.type.size) if x.type.rank > 1 else (1, y.type.size)
        return emit(Gather(emit.reshape(x, x.type.shape[-1:]), emit.reshape(y, shape), 0))
    return emit(Gather(x, emit.reshape(y, (y.type.size,)), x.type.rank - 1))


@onnx_op("FeatureVectorizer", since=1, domain=ML)
def feature_vectorizer(emit: Emitter, *x: Value, inputdimensions: tuple[int, ...] = ()) -> Value:
    """FeatureVectorizer: joins all inputs along the last axis."""
    if len(inputdimensions) != len(x):
        raise emit.fail(f"states {counted(len(inputdimensions), 'size')} for {counted(len(x), 'input')}", code="F002")
    parts: list[Value] = []
    for value, size in zip(x, inputdimensions, strict=True):
        part = rows(emit, value)
        if part.type.shape[1] != size:
            raise emit.fail(f"states the size {size} for {value.type}", code="F002")
        parts.append(part)
    return parts[0] if len(parts) == 1 else emit(Concat(tuple(parts), 1))

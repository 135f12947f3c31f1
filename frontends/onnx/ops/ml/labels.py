"""Class labels: choosing them by position, translating between them, and maps from them to probabilities."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any

import numpy as np

from .....compiler.diagnostics import Remark, counted, remark
from .....compiler.ir import Value
from .....compiler.ops.arith import Cast
from .....compiler.ops.index import ArgMax, Gather
from .....compiler.ops.logic import Equal, IsNan, LogicalOr, Select
from .....compiler.ops.reduce import Reduce
from .....compiler.ops.shape import Concat, Reshape
from .....compiler.types import Array, DType
from .....compiler.weights import Weight
from ...emitter import Emitter
from ...registry import Since, onnx_op
from .domain import ML

Labels = Sequence[int] | Sequence[str]


def class_labels(emit: Emitter, ints: Sequence[int], texts: Sequence[str]) -> Labels:
    """Return the labels that a classifier states.

    Raises:
        CompileError: F002, there are none, or two lists of them.
    """
    if bool(ints) == bool(texts):
        raise emit.fail("states its class labels not once, as integers or as strings", code="F002")
    return ints or texts


def array_of(labels: Labels) -> Array:
    """Return labels as a tensor of i64 or of strings."""
    return np.asarray(labels, object if isinstance(labels[0], str) else np.int64)


def pick(emit: Emitter, labels: Labels, places: Value) -> Value:
    """Return the labels at positions; where each is its own position, no table is needed."""
    if list(labels) == list(range(len(labels))):
        return emit.cast(places, DType.I64)
    return emit(Gather(emit.const(array_of(labels)), places, 0))


def best(emit: Emitter, labels: Labels, scores: Value) -> Value:
    """Return the label of the highest score of every row, the first of equal ones."""
    return pick(emit, labels, emit(ArgMax(scores, 1, keepdims=False)))


def choose(emit: Emitter, condition: Value, yes: int | str, no: int | str) -> Value:
    """Return one label where a condition holds for a row, else the other."""
    labels: Any = [no, yes]
    return pick(emit, labels, emit(Cast(condition, DType.I32)))


@onnx_op("ZipMap", since=1, domain=ML)
def zip_map(
    emit: Emitter, x: Value, *, classlabels_int64s: tuple[int, ...] = (), classlabels_strings: tuple[str, ...] = ()
) -> Value:
    """The probabilities as they are: a map from labels is no tensor."""
    labels = class_labels(emit, classlabels_int64s, classlabels_strings)
    names = ", ".join(map(str, labels[:10])) + (", ..." if len(labels) > 10 else "")
    text = f"ZipMap gives a tensor instead of maps; its columns are the classes {names}"
    remark(Remark("warning", "import-onnx", text))
    return x


@onnx_op("LabelEncoder", since=1, until=1, domain=ML)
def encode_positions(
    emit: Emitter,
    x: Value,
    *,
    classes_strings: tuple[str, ...] = (),
    default_int64: int = -1,
    default_string: str = "_Unused",
) -> Value:
    """From positions to strings; the other direction would have strings as input."""
    keys = np.arange(len(classes_strings), dtype=np.int64)
    return _encode(emit, x, keys, np.asarray(classes_strings, object), np.asarray(default_string, object))


@onnx_op("LabelEncoder", since=2, domain=ML)
def label_encoder(
    emit: Emitter,
    x: Value,
    *,
    default_float: float = -0.0,
    default_int64: int = -1,
    default_string: str = "_Unused",
    default_tensor: Annotated[Weight | None, Since(4)] = None,
    keys_floats: tuple[float, ...] = (),
    keys_int64s: tuple[int, ...] = (),
    keys_strings: tuple[str, ...] = (),
    keys_tensor: Annotated[Weight | None, Since(4)] = None,
    values_floats: tuple[float, ...] = (),
    values_int64s: tuple[int, ...] = (),
    values_strings: tuple[str, ...] = (),
    values_tensor: Annotated[Weight | None, Since(4)] = None,
) -> Value:
    """Each key becomes its value, all else the default."""
    keys = _listed(emit, "keys", keys_floats, keys_int64s, keys_strings, keys_tensor)
    values = _listed(emit, "values", values_floats, values_int64s, values_strings, values_tensor)
    if keys.shape != values.shape:
        raise emit.fail(f"has {keys.size} keys and {counted(values.size, 'value')}", code="F002")
    if default_tensor is not None and default_tensor.type.size != 1:
        raise emit.fail(f"has the default {default_tensor.type} instead of one element", code="F002")
    if default_tensor is not None:
        default = default_tensor.array().reshape(())
    elif values.dtype == object:
        default = np.asarray(default_string, object)
    else:
        default = np.asarray(default_float if values.dtype.kind == "f" else default_int64, values.dtype)
    return _encode(emit, x, keys, values, default)


def _listed(
    emit: Emitter,
    what: str,
    floats: Sequence[float],
    ints: Sequence[int],
    texts: Sequence[str],
    tensor: Weight | None,
) -> Array:
    found = [
        *([np.asarray(floats, np.float32)] if floats else []),
        *([np.asarray(ints, np.int64)] if ints else []),
        *([np.asarray(texts, object)] if texts else []),
        *([tensor.array().reshape(-1)] if tensor is not None else []),
    ]
    if len(found) != 1:
        raise emit.fail(f"states {len(found)} lists of {what} instead of one", code="F002")
    return found[0]


def _encode(emit: Emitter, x: Value, keys: Array, values: Array, default: Array) -> Value:
    """Compare with all keys at once; the first that is equal counts, and after the last one stands the default."""
    if x.type.dtype is DType.STRING or keys.dtype == object:
        raise emit.fail(
            "has strings as keys; TFLite can't compare them", help="Encode text before the model, in the application."
        )
    keys = keys.astype(x.type.dtype.numpy)
    column = emit(Reshape(x, (*x.type.shape, 1)))
    equal = emit(Equal(column, emit.const(keys)))
    if keys.dtype.kind == "f" and np.isnan(keys).any():
        equal = emit(LogicalOr(equal, _both_nan(emit, column, keys)))
    hits = emit(Cast(equal, DType.I32))
    none = emit(Cast(emit(Equal(emit(Reduce(hits, "max", (x.type.rank,))), emit.const(0, DType.I32))), DType.I32))
    place = emit(ArgMax(emit(Concat((hits, none), x.type.rank)), x.type.rank, keepdims=False))
    return emit(Gather(emit.const(np.append(values, default)), place, 0))


def _both_nan(emit: Emitter, column: Value, keys: Array) -> Value:
    nothing = emit.const(False)
    return emit(Select(emit(IsNan(column)), emit.const(np.isnan(keys)), nothing))

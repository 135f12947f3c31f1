"""What all operators of the domain share: its name, how data becomes rows of numbers, how scores are transformed."""

from __future__ import annotations

from .....compiler.ir import Value
from .....compiler.ops.activation import Sigmoid, Softmax
from .....compiler.ops.arith import Abs, Add, Cast, Div, Exp, Log, Mul, Neg, Sqrt, Square, Sub
from .....compiler.ops.logic import Greater, Select
from .....compiler.ops.reduce import Reduce
from .....compiler.types import DType
from ...emitter import Emitter

ML = "ai.onnx.ml"

TRANSFORMS = ("NONE", "LOGISTIC", "SOFTMAX", "SOFTMAX_ZERO", "PROBIT")

ZERO = 1e-7
"""Scores below it count as absent for ``SOFTMAX_ZERO``, as in onnxruntime."""


def rows(emit: Emitter, x: Value, *, keep: tuple[DType, ...] = (DType.F32,)) -> Value:
    """Return data as a matrix of one row per sample, in f32 unless its type is to be kept.

    Raises:
        CompileError: T001, it is no matrix; F005, it holds strings.
    """
    if x.type.dtype is DType.STRING:
        help = "Encode text before the model, and export the numeric part."
        raise emit.fail(f"takes strings ({x.type})", help=help)
    if x.type.rank == 1:
        x = emit.reshape(x, (1, *x.type.shape))
    if x.type.rank != 2:
        raise emit.fail(f"takes a matrix of one row per sample, not {x.type}", code="T001")
    return x if x.type.dtype in keep else emit(Cast(x, DType.F32))


def check_transform(emit: Emitter, name: str) -> None:
    """Refuse a name that is no transform.

    Raises:
        CompileError: F002.
    """
    if name not in TRANSFORMS:
        raise emit.fail(f"has the post_transform {name!r}, none of {', '.join(TRANSFORMS)}", code="F002")


def transform(emit: Emitter, scores: Value, name: str) -> Value:
    """Apply a ``post_transform`` to a matrix of several scores per row.

    Raises:
        CompileError: F002, there is no such transform.
    """
    check_transform(emit, name)
    match name:
        case "LOGISTIC":
            return emit(Sigmoid(scores))
        case "SOFTMAX":
            return emit(Softmax(scores, 1))
        case "SOFTMAX_ZERO":
            return _softmax_of_present(emit, scores)
        case "PROBIT":
            return probit(emit, scores)
        case _:
            return scores


def _softmax_of_present(emit: Emitter, scores: Value) -> Value:
    """Softmax over the scores that are not zero."""
    dtype = scores.type.dtype
    top = emit(Reduce(scores, "max", (1,)))
    present = emit(Greater(emit(Abs(scores)), emit.const(ZERO, dtype)))
    parts = emit(Select(present, emit(Exp(emit(Sub(scores, top)))), emit.const(0, dtype)))
    kept = emit(Select(present, parts, emit(Mul(scores, emit(Exp(emit(Neg(top))))))))
    return emit(Div(kept, emit(Reduce(parts, "sum", (1,)))))


def probit(emit: Emitter, p: Value) -> Value:
    """The normal distribution's quantile as onnxruntime approximates it (Winitzki); NaN outside of 0 to 1."""
    dtype = p.type.dtype

    def const(number: float) -> Value:
        return emit.const(number, dtype)

    x = emit(Sub(emit(Mul(p, const(2))), const(1)))
    log = emit(Log(emit(Mul(emit(Sub(const(1), x)), emit(Add(x, const(1)))))))
    a = emit(Add(emit(Mul(log, const(0.5))), const(2 / (3.14159 * 0.147))))
    root = emit(Sqrt(emit(Sub(emit(Square(a)), emit(Mul(log, const(1 / 0.147)))))))
    size = emit(Mul(emit(Sqrt(emit(Sub(root, a)))), const(1.41421356)))
    return emit(Select(emit(Greater(const(0), x)), emit(Neg(size)), size))

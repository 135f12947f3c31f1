"""Handlers of linear models, for regression and for classification."""

from __future__ import annotations

import numpy as np

from .....compiler.diagnostics import counted
from .....compiler.ir import Value
from .....compiler.ops.activation import Sigmoid
from .....compiler.ops.arith import Neg, Sub
from .....compiler.ops.linear import Linear
from .....compiler.ops.logic import Greater
from .....compiler.ops.shape import Concat
from ...emitter import Emitter
from ...registry import onnx_op
from .domain import ML, check_transform, probit, rows, transform
from .labels import best, choose, class_labels


def _scores(emit: Emitter, x: Value, coefficients: tuple[float, ...], intercepts: tuple[float, ...], n: int) -> Value:
    """One score per row of coefficients."""
    x = rows(emit, x)
    features = x.type.shape[1]
    if n < 1 or len(coefficients) % n or len(coefficients) // n != features or len(intercepts) not in (0, n):
        given = f"{counted(len(coefficients), 'coefficient')} and {counted(len(intercepts), 'intercept')}"
        text = f"has {given} for {counted(n, 'score')} of {x.type}"
        raise emit.fail(text, code="F002")
    weights = emit.const(np.asarray(coefficients, np.float32).reshape(n, -1))
    bias = emit.const(np.asarray(intercepts, np.float32)) if intercepts else None
    return emit(Linear(x, weights, bias))


@onnx_op("LinearRegressor", since=1, domain=ML)
def linear_regressor(
    emit: Emitter,
    x: Value,
    *,
    coefficients: tuple[float, ...] = (),
    intercepts: tuple[float, ...] = (),
    post_transform: str = "NONE",
    targets: int = 1,
) -> Value:
    """One target is transformed by PROBIT only, as onnxruntime has it."""
    scores = _scores(emit, x, coefficients, intercepts, targets)
    return transform(emit, scores, post_transform) if targets > 1 else one_score(emit, scores, post_transform)


def one_score(emit: Emitter, score: Value, post_transform: str) -> Value:
    """Transform the only score of every row: what normalises several leaves it alone.

    Raises:
        CompileError: F002, there is no such transform.
    """
    check_transform(emit, post_transform)
    return probit(emit, score) if post_transform == "PROBIT" else score


@onnx_op("LinearClassifier", since=1, domain=ML)
def linear_classifier(
    emit: Emitter,
    x: Value,
    *,
    classlabels_ints: tuple[int, ...] = (),
    classlabels_strings: tuple[str, ...] = (),
    coefficients: tuple[float, ...],
    intercepts: tuple[float, ...] = (),
    multi_class: int = 0,
    post_transform: str = "NONE",
) -> tuple[Value, ...]:
    """The label of the highest score, and all scores; a single one is that of the second of two classes."""
    labels = class_labels(emit, classlabels_ints, classlabels_strings)
    scores = _scores(emit, x, coefficients, intercepts, len(intercepts) or len(labels))
    if scores.type.shape[1] == len(labels):
        return best(emit, labels, scores), transform(emit, scores, post_transform)
    if scores.type.shape[1] != 1 or len(labels) != 2:
        raise emit.fail(
            f"has {counted(scores.type.shape[1], 'score')} for {counted(len(labels), 'class', 'classes')}", code="F002"
        )
    is_second = emit(Greater(scores, emit.const(0, scores.type.dtype)))
    chosen = choose(emit, emit.reshape(is_second, (scores.type.shape[0],)), labels[1], labels[0])
    return chosen, two_scores(emit, scores, post_transform, positive=True)


def two_scores(emit: Emitter, score: Value, post_transform: str, *, positive: bool) -> Value:
    """Make scores of two classes of the second one's: its complement if they are ``positive``, else its negative.

    Raises:
        CompileError: F002, there is no such transform; F005, one that leaves the first class without a score.
    """
    check_transform(emit, post_transform)
    if post_transform == "PROBIT":
        raise emit.fail("transforms one score of two classes by PROBIT", help="Export both scores.")
    if post_transform == "LOGISTIC":
        return emit(Sigmoid(emit(Concat((emit(Neg(score)), score), 1))))
    other = emit(Sub(emit.const(1, score.type.dtype), score)) if positive else emit(Neg(score))
    return emit(Concat((other, score), 1))

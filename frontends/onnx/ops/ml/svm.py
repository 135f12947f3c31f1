"""Handlers of support vector machines: regression and classification."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations

import numpy as np

from .....compiler.diagnostics import counted
from .....compiler.ir import Value
from .....compiler.ops.activation import Clip, Sigmoid, Tanh
from .....compiler.ops.arith import Add, Cast, Exp, Mul, Pow, Square, SquaredDifference, Sub
from .....compiler.ops.index import ArgMax
from .....compiler.ops.linear import Linear
from .....compiler.ops.logic import Greater, GreaterEqual, LogicalOr, Select
from .....compiler.ops.reduce import Reduce
from .....compiler.types import Array, DType
from ...emitter import Emitter
from ...registry import onnx_op
from .coupling import coupled
from .domain import ML, check_transform, rows, transform
from .labels import Labels, best, class_labels, pick
from .linear import one_score, two_scores

KERNELS = ("LINEAR", "POLY", "RBF", "SIGMOID")

PAIRWISE = 1 << 18
"""Differences to all support vectors are formed up to this many; beyond, distances are computed from products."""

SMALLEST_PROBABILITY = 1e-7
"""Pairwise probabilities stay this far from 0 and 1, as in onnxruntime."""


@dataclass(frozen=True)
class Kernel:
    """A kernel function of a support vector machine, with its parameters."""

    type: str
    gamma: float
    coef0: float
    degree: float

    @staticmethod
    def of(emit: Emitter, type: str, params: tuple[float, ...]) -> Kernel:
        """Read the attributes.

        Raises:
            CompileError: F002, there is no such kernel, or it has another number of parameters.
        """
        if type not in KERNELS or len(params) not in (0, 3):
            raise emit.fail(f"has the kernel {type!r} with parameters {list(params)}", code="F002")
        gamma, coef0, degree = params or (0.0, 0.0, 0.0)
        return Kernel(type, gamma, coef0, degree)

    def __call__(self, emit: Emitter, x: Value, vectors: Array) -> Value:
        """Return the kernel of every row with every vector."""
        if self.type == "RBF":
            return emit(Exp(emit(Mul(_distances(emit, x, vectors), emit.const(np.float32(-self.gamma))))))
        product = emit(Linear(x, emit.const(vectors)))
        if self.type == "LINEAR":
            return product
        scaled = emit(Mul(product, emit.const(np.float32(self.gamma))))
        moved = emit(Add(scaled, emit.const(np.float32(self.coef0))))
        if self.type == "SIGMOID":
            return emit(Tanh(moved))
        return emit(Pow(moved, emit.const(np.float32(self.degree))))


def _distances(emit: Emitter, x: Value, vectors: Array) -> Value:
    """Squared distances; by the formula for products only relative to the vectors' mean, which keeps squares small."""
    if vectors.size <= PAIRWISE:
        wide = emit.reshape(x, (x.type.shape[0], 1, x.type.shape[1]))
        return emit(Reduce(emit(SquaredDifference(wide, emit.const(vectors))), "sum", (2,), keepdims=False))
    mean = vectors.mean(axis=0)
    x, vectors = emit(Sub(x, emit.const(mean))), vectors - mean
    product = emit(Linear(x, emit.const(-2 * vectors), emit.const(np.square(vectors).sum(axis=1))))
    return emit(Add(product, emit(Reduce(emit(Square(x)), "sum", (1,)))))


def _vectors(emit: Emitter, x: Value, flat: tuple[float, ...], count: int) -> Array:
    if len(flat) != count * (x.type.shape[1] if isinstance(x.type.shape[1], int) else -1):
        raise emit.fail(f"has {counted(len(flat), 'number')} for {count} support vectors of {x.type}", code="F002")
    return np.asarray(flat, np.float32).reshape(count, -1)


@onnx_op("SVMRegressor", since=1, domain=ML)
def svm_regressor(
    emit: Emitter,
    x: Value,
    *,
    coefficients: tuple[float, ...] = (),
    kernel_params: tuple[float, ...] = (),
    kernel_type: str = "LINEAR",
    n_supports: int = 0,
    one_class: int = 0,
    post_transform: str = "NONE",
    rho: tuple[float, ...] = (),
    support_vectors: tuple[float, ...] = (),
) -> Value:
    """A sum of kernels; for one class its sign."""
    x = rows(emit, x)
    kernel = Kernel.of(emit, kernel_type, kernel_params)
    near = kernel(emit, x, _vectors(emit, x, support_vectors, n_supports)) if n_supports else x
    if len(coefficients) != near.type.shape[1] or not rho:
        raise emit.fail(
            f"has {counted(len(coefficients), 'coefficient')} and {len(rho)} rho for {near.type}", code="F002"
        )
    weights = np.asarray(coefficients, np.float32).reshape(1, -1)
    score = emit(Linear(near, emit.const(weights), emit.const(np.asarray(rho[:1], np.float32))))
    if one_class:
        positive = emit(Greater(score, emit.const(np.float32(0))))
        return emit(Select(positive, emit.const(np.float32(1)), emit.const(np.float32(-1))))
    return one_score(emit, score, post_transform)


@onnx_op("SVMClassifier", since=1, domain=ML)
def svm_classifier(
    emit: Emitter,
    x: Value,
    *,
    classlabels_ints: tuple[int, ...] = (),
    classlabels_strings: tuple[str, ...] = (),
    coefficients: tuple[float, ...] = (),
    kernel_params: tuple[float, ...] = (),
    kernel_type: str = "LINEAR",
    post_transform: str = "NONE",
    prob_a: tuple[float, ...] = (),
    prob_b: tuple[float, ...] = (),
    rho: tuple[float, ...] = (),
    support_vectors: tuple[float, ...] = (),
    vectors_per_class: tuple[int, ...] = (),
) -> tuple[Value, ...]:
    """One classifier for each pair of classes, which vote; probabilities are coupled."""
    labels = class_labels(emit, classlabels_ints, classlabels_strings)
    x = rows(emit, x)
    check_transform(emit, post_transform)
    if not sum(vectors_per_class):
        return _without_vectors(emit, x, labels, coefficients, rho, post_transform)
    vectors = _vectors(emit, x, support_vectors, sum(vectors_per_class))
    near = Kernel.of(emit, kernel_type, kernel_params)(emit, x, vectors)
    table = _pair_weights(emit, coefficients, vectors_per_class, len(labels))
    pairs = len(table)
    if len(rho) < pairs or len(prob_a) != len(prob_b) or (prob_a and len(prob_a) < pairs):
        text = f"has {len(rho)} rho, {len(prob_a)} prob_a and {len(prob_b)} prob_b for {pairs} pairs of classes"
        raise emit.fail(text, code="F002")
    scores = emit(Linear(near, emit.const(table), emit.const(np.asarray(rho[:pairs], np.float32))))
    chosen = pick(emit, labels, _elected(emit, scores, len(labels)))
    if prob_a:
        factors, offsets = (np.asarray(p[:pairs], np.float32) for p in (prob_a, prob_b))
        shares = _pair_probabilities(emit, scores, factors, offsets)
        return chosen, transform(emit, coupled(emit, shares, len(labels)), post_transform)
    if len(labels) == 2:
        return chosen, two_scores(emit, scores, post_transform, positive=post_transform != "NONE")
    return chosen, transform(emit, scores, post_transform)


def _pair_weights(emit: Emitter, coefficients: tuple[float, ...], counts: tuple[int, ...], classes: int) -> Array:
    """Return one row of weights of all support vectors for each pair of classes.

    A vector has a coefficient against each of the other classes, in their order.
    """
    total = sum(counts)
    if len(counts) != classes or len(coefficients) < (classes - 1) * total:
        numbers = counted(len(counts), "number")
        text = f"has {counted(len(coefficients), 'coefficient')} and {numbers} of vectors for {classes} classes"
        raise emit.fail(text, code="F002")
    given = np.asarray(coefficients[: (classes - 1) * total], np.float32).reshape(classes - 1, total)
    ends = np.cumsum(counts)
    parts = [slice(end - count, end) for end, count in zip(ends, counts, strict=True)]
    table = np.zeros((classes * (classes - 1) // 2, total), np.float32)
    for row, (i, j) in zip(table, combinations(range(classes), 2), strict=True):
        row[parts[i]] = given[j - 1, parts[i]]
        row[parts[j]] = given[i, parts[j]]
    return table


def _elected(emit: Emitter, scores: Value, classes: int) -> Value:
    """Return the position of the class that most pairs vote for."""
    for_first = np.zeros((classes, classes * (classes - 1) // 2), np.float32)
    for_second = np.zeros_like(for_first)
    for pair, (i, j) in enumerate(combinations(range(classes), 2)):
        for_first[i, pair], for_second[j, pair] = 1, 1
    won = emit(Cast(emit(Greater(scores, emit.const(np.float32(0)))), DType.F32))
    votes = emit(Linear(won, emit.const(for_first - for_second), emit.const(for_second.sum(axis=1))))
    return emit(ArgMax(votes, 1, keepdims=False))


def _pair_probabilities(emit: Emitter, scores: Value, factors: Array, offsets: Array) -> Value:
    """How probable the first class of each pair is, by Platt's sigmoid."""
    line = emit(Add(emit(Mul(scores, emit.const(-factors))), emit.const(-offsets)))
    return emit(Clip(emit(Sigmoid(line)), SMALLEST_PROBABILITY, 1 - SMALLEST_PROBABILITY))


def _without_vectors(
    emit: Emitter,
    x: Value,
    labels: Labels,
    coefficients: tuple[float, ...],
    rho: tuple[float, ...],
    post_transform: str,
) -> tuple[Value, ...]:
    """Linear scores, one per class; of two classes any positive score is one for the second, as in onnxruntime."""
    features = x.type.shape[1]
    if not rho or not isinstance(features, int) or len(coefficients) != features * len(labels):
        raise emit.fail(
            f"has {counted(len(coefficients), 'coefficient')} for {len(labels)} classes of {x.type}", code="F002"
        )
    weights = np.asarray(coefficients, np.float32).reshape(len(labels), -1)
    scores = emit(Linear(x, emit.const(weights), emit.const(np.full(len(labels), rho[0], np.float32))))
    if len(labels) != 2:
        return best(emit, labels, scores), transform(emit, scores, post_transform)
    top = emit(Reduce(scores, "max", (1,), keepdims=False))
    if (weights >= 0).all():
        is_second = emit(GreaterEqual(top, emit.const(np.float32(0.5))))
    else:
        is_second = emit(Greater(top, emit.const(np.float32(0))))
    ahead = emit(Cast(emit(ArgMax(scores, 1, keepdims=False)), DType.BOOL))
    place = emit(Cast(emit(LogicalOr(is_second, ahead)), DType.I32))
    return pick(emit, labels, place), transform(emit, scores, post_transform)

"""From sums of leaves' weights to a label and scores, in the cases that onnxruntime tells apart."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from .....compiler.diagnostics import counted
from .....compiler.ir import Value
from .....compiler.ops.arith import Add, Neg
from .....compiler.ops.logic import Greater, Select
from .....compiler.ops.shape import BroadcastTo, Concat, Split
from .....compiler.types import Array
from ...emitter import Emitter
from .domain import transform
from .ensemble import Ensemble
from .labels import Labels, best, choose
from .linear import one_score, two_scores
from .walk import combined


@dataclass(frozen=True)
class Classifier:
    """An ensemble of trees that classifies: a label and scores for each row."""

    ensemble: Ensemble
    labels: Labels
    base: Array
    post_transform: str

    def __call__(self, emit: Emitter, x: Value) -> tuple[Value, Value]:
        """Return labels and scores.

        Raises:
            CompileError: F002, the base values don't fit; F005, a variant that can't be told for all samples.
        """
        count = len(self.labels)
        if self.base.size not in {0, count, 1 if count == 2 else count}:
            raise emit.fail(
                f"has {counted(self.base.size, 'base value')} for {counted(count, 'class', 'classes')}", code="F002"
            )
        if count > 2:
            return self._several(emit, x)
        if count == 2:
            return self._one_of_two(emit, x) if self.ensemble.stated[:, 1].any() else self._first_of_two(emit, x)
        score = _plus(emit, combined(emit, x, self.ensemble, "SUM"), self.base)
        return self._numbered(emit, score), one_score(emit, score, self.post_transform)

    def _several(self, emit: Emitter, x: Value) -> tuple[Value, Value]:
        """A class of which no leaf speaks can't win, even if the others' sums are negative."""
        ensemble = self.ensemble
        is_plain = ensemble.certain.all() or self.base.size or (ensemble.weights[ensemble.stated] > 0).all()
        if is_plain:
            scores = _plus(emit, combined(emit, x, ensemble, "SUM"), self.base)
            return best(emit, self.labels, scores), transform(emit, scores, self.post_transform)
        both = np.concatenate([ensemble.weights, ensemble.stated.astype(ensemble.weights.dtype)], axis=1)
        wide = combined(emit, x, replace(ensemble, weights=both), "SUM")
        scores, counts = emit.all(Split(wide, 1, (len(self.labels),) * 2))
        spoken = emit(Greater(counts, emit.const(0, x.type.dtype)))
        running = emit(Select(spoken, scores, emit.const(-np.inf, x.type.dtype)))
        return best(emit, self.labels, running), transform(emit, scores, self.post_transform)

    def _first_of_two(self, emit: Emitter, x: Value) -> tuple[Value, Value]:
        """All weights are of the first class: its sum is the score of the second one."""
        total = combined(emit, x, self._only(0), "SUM")
        score = _plus(emit, total, self.base[:1])
        label = self._by_sign(emit, score)
        if self.base.size == 2:
            nothing = emit(BroadcastTo(emit.const(0, x.type.dtype), score.type.shape))
            return label, transform(emit, emit(Concat((score, nothing), 1)), self.post_transform)
        return label, two_scores(emit, score, self.post_transform, positive=self._is_positive)

    def _one_of_two(self, emit: Emitter, x: Value) -> tuple[Value, Value]:
        """Weights of the second class, or of both; two base values replace its sum by that of the first."""
        has_first = bool(self.ensemble.stated[:, 0].any())
        if not self.ensemble.certain[1] or (self.base.size and has_first and not self.ensemble.certain[0]):
            raise emit.fail(
                "has two classes, one of which has no weight for some samples",
                help="State a weight of both classes in every leaf.",
            )
        first, second = emit.all(Split(combined(emit, x, self.ensemble, "SUM"), 1, (1, 1)))
        if self.base.size == 2:
            second = _plus(emit, first, self.base[1:])
            first = emit(Neg(second)) if has_first else first
        elif has_first:
            first = _plus(emit, first, self.base)
        label = self._numbered(emit, second) if has_first else self._by_sign(emit, second)
        return label, transform(emit, emit(Concat((first, second), 1)), self.post_transform)

    def _only(self, target: int) -> Ensemble:
        one = slice(target, target + 1)
        return replace(self.ensemble, weights=self.ensemble.weights[:, one], stated=self.ensemble.stated[:, one])

    @property
    def _is_positive(self) -> bool:
        """Whether sums are probabilities rather than distances."""
        return bool((self.ensemble.weights >= 0).all())

    def _by_sign(self, emit: Emitter, score: Value) -> Value:
        """The second label above a half, or above zero if there are negative weights."""
        return self._chosen(emit, score, 0.5 if self._is_positive else 0.0, self.labels)

    def _numbered(self, emit: Emitter, score: Value) -> Value:
        """The second label where the score is positive; of integer labels the numbers 1 and 0 count themselves."""
        if isinstance(self.labels[0], str) and len(self.labels) == 1:
            raise emit.fail("has a single class, whose label is a string", help="State it as a number.")
        return self._chosen(emit, score, 0.0, self.labels if isinstance(self.labels[0], str) else (0, 1))

    def _chosen(self, emit: Emitter, score: Value, bound: float, labels: Labels) -> Value:
        above = emit(Greater(score, emit.const(bound, score.type.dtype)))
        return choose(emit, emit.reshape(above, (score.type.shape[0],)), labels[1], labels[0])


def _plus(emit: Emitter, scores: Value, base: Array) -> Value:
    return emit(Add(scores, emit.const(base, scores.type.dtype))) if base.any() else scores

"""Handlers of ensembles of decision trees: regression and classification."""

from __future__ import annotations

from typing import Annotated

import numpy as np

from .....compiler.ir import Value
from .....compiler.ops.arith import Add
from .....compiler.ops.logic import IsInf, Select
from .....compiler.types import Array, DType
from .....compiler.weights import Weight
from ...emitter import Emitter
from ...registry import Since, onnx_op
from .classes import Classifier
from .domain import ML, TRANSFORMS, check_transform, rows, transform
from .ensemble import Ensemble
from .labels import class_labels
from .linear import one_score
from .reading import AGGREGATES, Form, NodeLists, SplitLists, numbers
from .walk import combined

NUMBERS = (DType.F32, DType.F64)
"""Types in which onnxruntime compares; others become f32."""


@onnx_op("TreeEnsembleRegressor", since=1, domain=ML)
def tree_ensemble_regressor(
    emit: Emitter,
    x: Value,
    *,
    aggregate_function: str = "SUM",
    base_values: tuple[float, ...] = (),
    base_values_as_tensor: Annotated[Weight | None, Since(3)] = None,
    n_targets: int | None = None,
    nodes_falsenodeids: tuple[int, ...] = (),
    nodes_featureids: tuple[int, ...] = (),
    nodes_hitrates: tuple[float, ...] = (),
    nodes_hitrates_as_tensor: Annotated[Weight | None, Since(3)] = None,
    nodes_missing_value_tracks_true: tuple[int, ...] = (),
    nodes_modes: tuple[str, ...] = (),
    nodes_nodeids: tuple[int, ...] = (),
    nodes_treeids: tuple[int, ...] = (),
    nodes_truenodeids: tuple[int, ...] = (),
    nodes_values: tuple[float, ...] = (),
    nodes_values_as_tensor: Annotated[Weight | None, Since(3)] = None,
    post_transform: str = "NONE",
    target_ids: tuple[int, ...] = (),
    target_nodeids: tuple[int, ...] = (),
    target_treeids: tuple[int, ...] = (),
    target_weights: tuple[float, ...] = (),
    target_weights_as_tensor: Annotated[Weight | None, Since(3)] = None,
) -> Value:
    """TreeEnsembleRegressor: the weights of the leaves, combined, plus base values."""
    lists = NodeLists(
        nodes_treeids,
        nodes_nodeids,
        nodes_featureids,
        nodes_modes,
        numbers(emit, nodes_values, nodes_values_as_tensor, "nodes_values"),
        nodes_missing_value_tracks_true,
        nodes_truenodeids,
        nodes_falsenodeids,
        target_treeids,
        target_nodeids,
        target_ids,
        numbers(emit, target_weights, target_weights_as_tensor, "target_weights"),
    )
    data, targets = rows(emit, x, keep=NUMBERS), n_targets or 1
    ensemble = lists.read(emit, Form(targets, aggregate_function, data.type.dtype))
    base = numbers(emit, base_values, base_values_as_tensor, "base_values")
    total = _regression(emit, data, ensemble, aggregate_function, base)
    scores = transform(emit, total, post_transform) if targets > 1 else one_score(emit, total, post_transform)
    return emit.cast(scores, DType.F32)


@onnx_op("TreeEnsemble", since=5, domain=ML)
def tree_ensemble(
    emit: Emitter,
    x: Value,
    *,
    aggregate_function: int = 1,
    leaf_targetids: tuple[int, ...],
    leaf_weights: Weight,
    membership_values: Weight | None = None,
    n_targets: int | None = None,
    nodes_falseleafs: tuple[int, ...],
    nodes_falsenodeids: tuple[int, ...],
    nodes_featureids: tuple[int, ...],
    nodes_hitrates: Weight | None = None,
    nodes_missing_value_tracks_true: tuple[int, ...] = (),
    nodes_modes: Weight,
    nodes_splits: Weight,
    nodes_trueleafs: tuple[int, ...],
    nodes_truenodeids: tuple[int, ...],
    post_transform: int = 0,
    tree_roots: tuple[int, ...],
) -> Value:
    """TreeEnsemble: the weights of the leaves that a row reaches, combined."""
    if not 0 <= aggregate_function < len(AGGREGATES) or not 0 <= post_transform < len(TRANSFORMS):
        text = f"has the aggregate_function {aggregate_function} and the post_transform {post_transform}"
        raise emit.fail(text, code="F002")
    lists = SplitLists(
        nodes_featureids,
        nodes_modes.array().reshape(-1),
        nodes_splits.array().reshape(-1),
        nodes_missing_value_tracks_true,
        nodes_truenodeids,
        nodes_falsenodeids,
        nodes_trueleafs,
        nodes_falseleafs,
        tree_roots,
        np.empty(0, np.float32) if membership_values is None else membership_values.array().reshape(-1),
        leaf_targetids,
        leaf_weights.array().reshape(-1),
    )
    data = rows(emit, x, keep=NUMBERS)
    targets, aggregate = n_targets or 1, AGGREGATES[aggregate_function]
    ensemble = lists.read(emit, Form(targets, aggregate, data.type.dtype))
    total = _regression(emit, data, ensemble, aggregate, np.empty(0, np.float32))
    name = TRANSFORMS[post_transform]
    return transform(emit, total, name) if targets > 1 else one_score(emit, total, name)


def _regression(emit: Emitter, x: Value, ensemble: Ensemble, aggregate: str, base: Array) -> Value:
    if base.size not in (0, ensemble.targets):
        raise emit.fail(f"has {base.size} base values for {ensemble.targets} targets", code="F002")
    total = combined(emit, x, ensemble, aggregate)
    if aggregate in ("MIN", "MAX") and not ensemble.certain.all():
        total = emit(Select(emit(IsInf(total)), emit.const(0, x.type.dtype), total))
    return emit(Add(total, emit.const(base, x.type.dtype))) if base.any() else total


@onnx_op("TreeEnsembleClassifier", since=1, domain=ML)
def tree_ensemble_classifier(
    emit: Emitter,
    x: Value,
    *,
    base_values: tuple[float, ...] = (),
    base_values_as_tensor: Annotated[Weight | None, Since(3)] = None,
    class_ids: tuple[int, ...] = (),
    class_nodeids: tuple[int, ...] = (),
    class_treeids: tuple[int, ...] = (),
    class_weights: tuple[float, ...] = (),
    class_weights_as_tensor: Annotated[Weight | None, Since(3)] = None,
    classlabels_int64s: tuple[int, ...] = (),
    classlabels_strings: tuple[str, ...] = (),
    nodes_falsenodeids: tuple[int, ...] = (),
    nodes_featureids: tuple[int, ...] = (),
    nodes_hitrates: tuple[float, ...] = (),
    nodes_hitrates_as_tensor: Annotated[Weight | None, Since(3)] = None,
    nodes_missing_value_tracks_true: tuple[int, ...] = (),
    nodes_modes: tuple[str, ...] = (),
    nodes_nodeids: tuple[int, ...] = (),
    nodes_treeids: tuple[int, ...] = (),
    nodes_truenodeids: tuple[int, ...] = (),
    nodes_values: tuple[float, ...] = (),
    nodes_values_as_tensor: Annotated[Weight | None, Since(3)] = None,
    post_transform: str = "NONE",
) -> tuple[Value, ...]:
    """The label of the class with the largest sum of weights, and scores of all classes."""
    lists = NodeLists(
        nodes_treeids,
        nodes_nodeids,
        nodes_featureids,
        nodes_modes,
        numbers(emit, nodes_values, nodes_values_as_tensor, "nodes_values"),
        nodes_missing_value_tracks_true,
        nodes_truenodeids,
        nodes_falsenodeids,
        class_treeids,
        class_nodeids,
        class_ids,
        numbers(emit, class_weights, class_weights_as_tensor, "class_weights"),
    )
    check_transform(emit, post_transform)
    labels = class_labels(emit, classlabels_int64s, classlabels_strings)
    data = rows(emit, x, keep=NUMBERS)
    ensemble = lists.read(emit, Form(len(labels), "SUM", data.type.dtype))
    base = numbers(emit, base_values, base_values_as_tensor, "base_values")
    label, scores = Classifier(ensemble, labels, base, post_transform)(emit, data)
    return label, emit.cast(scores, DType.F32)

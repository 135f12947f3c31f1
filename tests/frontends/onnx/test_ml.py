"""Operators of ``ai.onnx.ml`` against onnxruntime, in the interpreter and in TFLite."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pytest
from agreement import agrees, contrib_model, contrib_node
from local import LocalWorker
from nhwcc.compiler.diagnostics import CompileError, collect_remarks
from nhwcc.compiler.types import Array
from onnx import ModelProto, numpy_helper
from onnx_models import codes, imported

import nhwcc

ML = "ai.onnx.ml"
PROBIT = 1e-4
"""What the approximation of the quantile, a small difference of large numbers, leaves of f32's digits."""

TWO = numpy_helper.from_array(np.asarray([1, 2]))
"""A tensor where one element is wanted."""

NUMBERS = np.asarray([-1, -0.5, 0, 0.25, 0.5, 1], np.float32)


@pytest.fixture(autouse=True)
def local_runtime(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("nhwcc.runners.tflite.start", LocalWorker)


def several(
    op: str,
    variants: Sequence[Mapping[str, Any]],
    outputs: int = 1,
    *,
    x: tuple[Any, Sequence[int | str]] = (np.float32, ("n", 4)),
    version: int = 4,
) -> ModelProto:
    """One model with a node for each variant of an operator, all on the same input."""
    nodes, names = list[Any](), list[str]()
    for i, attributes in enumerate(variants):
        own = [f"y{i}_{k}" for k in range(outputs)]
        nodes.append(contrib_node(op, "x", " ".join(own), ML, **attributes))
        names += own
    return contrib_model(nodes, {"x": x}, names, opsets={"": 18, ML: version})


def drawn(seed: int, *shape: int) -> Array:
    return np.random.default_rng(seed).standard_normal(shape).astype(np.float32)


def forest(
    trees: int,
    depth: int,
    *,
    targets: int = 1,
    modes: Sequence[str] = ("BRANCH_LEQ",),
    tracks: bool = False,
    sparse: bool = False,
    prefix: str = "target",
    lowest: float = -1.0,
) -> dict[str, Any]:
    """Random trees over four features, whose thresholds are ``NUMBERS``; ``sparse`` leaves speak of one target."""
    rng = np.random.default_rng(trees * 100 + depth)
    nodes: list[tuple[int, int, int, str, float, int, int, int]] = []
    weights: list[tuple[int, int, int, float]] = []

    def grow(tree: int, id: int, levels: int) -> int:
        """Append a subtree and return the first free id behind it."""
        if levels == 0 or (levels < depth and rng.random() < 0.2):
            nodes.append((tree, id, 0, "LEAF", 0.0, 0, 0, 0))
            own = [tree % targets] if sparse else range(targets)
            weights.extend((tree, id, t, float(np.float32(rng.uniform(lowest, 1)))) for t in own)
            return id + 1
        row = len(nodes)
        nodes.append((tree, id, 0, "", 0.0, 0, 0, 0))
        middle = grow(tree, id + 1, levels - 1)
        end = grow(tree, middle, levels - 1)
        missing = int(tracks and rng.random() < 0.5)
        value = float(rng.choice(NUMBERS))
        nodes[row] = (tree, id, int(rng.integers(4)), str(rng.choice(modes)), value, id + 1, middle, missing)
        return end

    for tree in range(trees):
        grow(tree, 0, depth)
    names = ("treeids", "nodeids", "featureids", "modes", "values", "truenodeids", "falsenodeids")
    out: dict[str, Any] = {"n_targets": targets} if prefix == "target" else {}
    out |= {f"nodes_{n}": list(c) for n, c in zip(names, zip(*nodes, strict=True), strict=False)}
    if tracks:
        out["nodes_missing_value_tracks_true"] = [node[-1] for node in nodes]
    columns = zip(*weights, strict=True)
    return out | {
        f"{prefix}_{n}": list(c) for n, c in zip(("treeids", "nodeids", "ids", "weights"), columns, strict=True)
    }


MODES = ("BRANCH_LEQ", "BRANCH_LT", "BRANCH_GTE", "BRANCH_GT", "BRANCH_EQ", "BRANCH_NEQ")
EDGES = np.random.default_rng(5).choice([*NUMBERS, np.nan, np.inf, -np.inf, 1e-45], (60, 4)).astype(np.float32)
"""Values that equal thresholds, and those that compare unlike others."""


class TestTrees:
    @pytest.mark.parametrize("tracks", [False, True])
    def test_every_condition_on_ties_infinities_and_nan(self, tracks: bool) -> None:
        variants = [forest(4, 3, modes=modes, tracks=tracks) for modes in (*zip(MODES), MODES)]
        agrees(several("TreeEnsembleRegressor", variants), {"x": EDGES}, {"x": EDGES[:1]})

    def test_aggregates_and_base_values(self) -> None:
        variants = [
            {**forest(5, 3, targets=targets, sparse=sparse), "aggregate_function": how} | base
            for how in ("SUM", "AVERAGE", "MIN", "MAX")
            for targets, sparse, base in (
                (1, False, {}),
                (1, False, {"base_values": [0.5]}),
                (3, False, {"base_values": [0.5, -1.0, 2.0]}),
                (3, True, {}),
            )
        ]
        agrees(several("TreeEnsembleRegressor", variants), {"x": drawn(0, 30, 4)})

    def test_transforms(self) -> None:
        variants = [
            {**forest(1, 3, targets=targets, lowest=0.1), "post_transform": name}
            for name in ("NONE", "LOGISTIC", "SOFTMAX", "SOFTMAX_ZERO", "PROBIT")
            for targets in (1, 3)
        ]
        agrees(several("TreeEnsembleRegressor", variants), {"x": drawn(1, 30, 4)}, tolerance=PROBIT)

    @pytest.mark.parametrize("post_transform", ["NONE", "LOGISTIC", "SOFTMAX"])
    def test_two_classes(self, post_transform: str) -> None:
        """Weights of the first, of the second, of both classes; probabilities or not; with base values or without."""
        variants: list[dict[str, Any]] = []
        for lowest in (-1.0, 0.0):
            for only in (0, 1, None):
                trees = forest(3, 3, targets=2, prefix="class", lowest=lowest) | {"classlabels_int64s": [5, 9]}
                kept = [i for i, c in enumerate(trees["class_ids"]) if only in (None, c)]
                trees |= {n: [trees[n][i] for i in kept] for n in trees if n.startswith("class_")}
                variants += [
                    {**trees, "post_transform": post_transform} | ({"base_values": base} if base else {})
                    for base in ([], [0.25], [0.125, 0.5])
                ]
        agrees(several("TreeEnsembleClassifier", variants, 2, version=3), {"x": drawn(2, 40, 4)})

    def test_several_classes(self) -> None:
        variants = [
            {**forest(6, 3, targets=classes, sparse=sparse, prefix="class"), "classlabels_int64s": labels}
            for classes, labels in ((3, [7, 5, 6]), (4, [0, 1, 2, 3]))
            for sparse in (False, True)
        ]
        variants.append({**variants[0], "base_values": [1.0, 0.5, 0.25], "post_transform": "SOFTMAX"})
        agrees(several("TreeEnsembleClassifier", variants, 2, version=3), {"x": drawn(3, 40, 4)}, {"x": drawn(4, 3, 4)})

    def test_a_class_of_which_no_leaf_speaks_does_not_win(self) -> None:
        trees = forest(1, 2, targets=3, prefix="class", lowest=-1.0)
        trees["class_weights"] = [-abs(w) for w in trees["class_weights"]]
        kept = [
            i
            for i, (c, n) in enumerate(zip(*(trees[f"class_{k}"] for k in ("ids", "nodeids")), strict=True))
            if (c + n) % 3 == 0
        ]
        trees |= {n: [trees[n][i] for i in kept] for n in list(trees) if n.startswith("class_")}
        agrees(
            several("TreeEnsembleClassifier", [{**trees, "classlabels_int64s": [4, 5, 6]}], 2, version=3),
            {"x": drawn(5, 30, 4)},
        )

    def test_labels_are_texts(self) -> None:
        variants = [
            {**forest(3, 2, targets=n, prefix="class"), "classlabels_strings": ["cat", "dog", "Gnu ü"][:n]}
            for n in (2, 3)
        ]
        ops = agrees(several("TreeEnsembleClassifier", variants, 2), {"x": drawn(6, 9, 4)}, {"x": drawn(7, 1, 4)})
        assert ops["GATHER"] > 0

    @pytest.mark.parametrize("dtype", [np.int64, np.int32, np.float64])
    def test_other_types(self, dtype: Any) -> None:
        trees = forest(3, 3, targets=2, prefix="class")
        proto = several(
            "TreeEnsembleClassifier", [{**trees, "classlabels_int64s": [0, 1]}], 2, x=(dtype, ("n", 4)), version=3
        )
        agrees(proto, {"x": np.random.default_rng(0).integers(-1, 2, (9, 4)).astype(dtype)})

    def test_trees_of_a_single_leaf(self) -> None:
        agrees(several("TreeEnsembleRegressor", [forest(3, 0)]), {"x": drawn(8, 5, 4)})

    def test_work_grows_with_depth_only(self) -> None:
        proto = several("TreeEnsembleRegressor", [forest(50, 4)])
        assert sum(nhwcc.compile(proto, verify=False).report.ops_after.values()) <= 4 * 7

    @pytest.mark.parametrize("aggregate", range(4))
    def test_version_5_with_sets(self, aggregate: int) -> None:
        def tensor(*numbers: float, dtype: Any = np.float32) -> Any:
            return numpy_helper.from_array(np.asarray(numbers, dtype))

        attributes = {
            "n_targets": 2, "aggregate_function": aggregate, "tree_roots": [0, 2],
            "nodes_modes": tensor(0, 6, 1, 6, dtype=np.uint8), "nodes_splits": tensor(2, 0, 1, 0),
            "nodes_featureids": [0, 1, 2, 3],
            "nodes_truenodeids": [1, 0, 3, 3], "nodes_trueleafs": [0, 1, 0, 1],
            "nodes_falsenodeids": [2, 1, 4, 5], "nodes_falseleafs": [1, 1, 1, 1],
            "leaf_targetids": [0, 1, 0, 1, 0, 1], "leaf_weights": tensor(1, 2, 3.5, -1, 0.5, 0.25),
            "membership_values": tensor(1, 3, 4, 6, 7, np.nan, 2, np.nan),
        }  # fmt: skip
        x = np.random.default_rng(1).integers(0, 8, (60, 4)).astype(np.float32)
        agrees(several("TreeEnsemble", [attributes], version=5), {"x": x})

    @pytest.mark.parametrize(
        ("change", "code"),
        [
            ({"nodes_truenodeids": [0] * 3, "nodes_falsenodeids": [0] * 3}, "F002"),
            ({"nodes_modes": ["BRANCH_ODD", "LEAF", "LEAF"]}, "F002"),
            ({"nodes_truenodeids": [7, 0, 0]}, "F002"),
            ({"nodes_values": [0.5]}, "F002"),
            ({"target_ids": [0, 3]}, "F002"),
            ({"target_nodeids": [1, 5]}, "F002"),
            ({"nodes_featureids": [4, 0, 0]}, "T001"),
            ({"aggregate_function": "MEDIAN"}, "F002"),
            ({"post_transform": "CUBE"}, "F002"),
            ({"base_values": [1.0, 2.0]}, "F002"),
            ({"nodes_modes": ["BRANCH_GTE", "LEAF", "LEAF"], "nodes_values": [-np.inf, 0.0, 0.0]}, "F005"),
        ],
    )
    def test_what_is_refused(self, change: dict[str, Any], code: str) -> None:
        stump = {
            "nodes_treeids": [0, 0, 0], "nodes_nodeids": [0, 1, 2], "nodes_featureids": [0, 0, 0],
            "nodes_modes": ["BRANCH_LEQ", "LEAF", "LEAF"], "nodes_values": [0.5, 0.0, 0.0],
            "nodes_truenodeids": [1, 0, 0], "nodes_falsenodeids": [2, 0, 0],
            "target_treeids": [0, 0], "target_nodeids": [1, 2], "target_ids": [0, 0], "target_weights": [1.0, 2.0],
        }  # fmt: skip
        imported(several("TreeEnsembleRegressor", [stump]))
        refused(several("TreeEnsembleRegressor", [stump | change]), code)


def refused(proto: ModelProto, code: str) -> None:
    with pytest.raises(CompileError) as caught:
        imported(proto)
    assert codes(caught.value) == [code]


TRANSFORMS = ("NONE", "LOGISTIC", "SOFTMAX", "SOFTMAX_ZERO")


def test_linear_regressor() -> None:
    variants = [
        {"coefficients": [0.1, -0.2, 0.3, 0.05][: 4 * n] * n, "targets": n, "post_transform": t} | bias
        for t in (*TRANSFORMS, "PROBIT")
        for n, bias in ((1, {"intercepts": [0.5]}), (1, {}), (2, {"intercepts": [0.4, 0.6]}))
    ]
    agrees(several("LinearRegressor", variants), {"x": drawn(0, 6, 4) / 4}, {"x": drawn(1, 1, 4) / 4}, tolerance=PROBIT)


def test_linear_classifier() -> None:
    weights = [0.1, -0.2, 0.3, 0.05, -1.0, 0.5, 0.25, 0.125, 0.75, -0.5, 1.0, 2.0]
    variants = [
        {"coefficients": weights[: 4 * n], "intercepts": [0.1, -0.2, 0.3][:n], "post_transform": t} | labels
        for t in TRANSFORMS
        for n, labels in (
            (1, {"classlabels_ints": [5, 9]}),
            (2, {"classlabels_ints": [0, 1]}),
            (3, {"classlabels_ints": [7, 5, 6]}),
            (3, {"classlabels_strings": ["a", "bc", ""]}),
        )
    ]
    agrees(several("LinearClassifier", variants, 2), {"x": drawn(0, 7, 4)}, {"x": drawn(1, 1, 4)})


KERNELS = (("LINEAR", [0.0, 0.0, 0.0]), ("POLY", [0.5, 1.0, 3.0]), ("RBF", [0.5, 0.0, 3.0]), ("SIGMOID", [0.3, 0.1, 3]))


def test_svm_regressor() -> None:
    vectors = drawn(9, 5, 4).reshape(-1).tolist()
    variants = [
        {"coefficients": [0.5, -1.0, 0.25, 0.75, -0.5], "support_vectors": vectors, "n_supports": 5, "rho": [0.125],
         "kernel_type": kernel, "kernel_params": params, "one_class": one_class}
        for kernel, params in KERNELS
        for one_class in (0, 1)
    ]  # fmt: skip
    variants.append({"coefficients": [0.5, -1, 0.25, 0.75], "rho": [0.5], "kernel_params": [0.0, 0.0, 0.0]})
    agrees(several("SVMRegressor", variants), {"x": drawn(0, 8, 4)}, {"x": drawn(1, 1, 4)})


TRANSFORMS_OF_SVM = ("NONE", "LOGISTIC", "NONE", "SOFTMAX", "SOFTMAX")


@pytest.mark.parametrize("classes", [2, 3])
@pytest.mark.parametrize("coupled", [False, True])
def test_svm_classifier(classes: int, coupled: bool) -> None:
    pairs = classes * (classes - 1) // 2
    variants = [
        {"coefficients": drawn(3, (classes - 1) * 6).tolist(), "support_vectors": drawn(4, 24).tolist(),
         "vectors_per_class": {2: [2, 4], 3: [1, 3, 2]}[classes], "rho": [0.1, -0.2, 0.05][:pairs],
         "classlabels_ints": [5, 9, 7][:classes], "kernel_type": kernel, "kernel_params": params, "post_transform": t}
        | ({"prob_a": [-1.0, -0.7, -2.0][:pairs], "prob_b": [0.1, 0.2, -0.1][:pairs]} if coupled else {})
        for (kernel, params), t in zip((*KERNELS, KERNELS[2]), TRANSFORMS_OF_SVM, strict=True)
    ]  # fmt: skip
    agrees(several("SVMClassifier", variants, 2), {"x": drawn(0, 12, 4)}, {"x": drawn(1, 1, 4)})


def test_svm_of_many_vectors_computes_distances_from_products() -> None:
    rng = np.random.default_rng(0)
    vectors = (rng.standard_normal((2100, 128)) + 20).astype(np.float32)
    attributes = {
        "coefficients": drawn(1, 2100).tolist(), "support_vectors": vectors.reshape(-1).tolist(), "n_supports": 2100,
        "rho": [0.1], "kernel_type": "RBF", "kernel_params": [0.01, 0.0, 3.0],
    }  # fmt: skip
    proto = several("SVMRegressor", [attributes], x=(np.float32, ("n", 128)))
    ops = agrees(proto, {"x": vectors[:4] + drawn(2, 4, 128)}, tolerance=1e-4)
    assert "SQUARED_DIFFERENCE" not in ops


def test_linear_svm_classifier() -> None:
    variants = [
        {"coefficients": (np.abs(w) if positive else w).tolist(), "rho": [0.1] * n, "kernel_params": [0.0, 0.0, 0.0],
         "classlabels_ints": [5, 9, 7][:n], "post_transform": t}
        for n in (2, 3)
        for w in (drawn(6, n * 4),)
        for positive in (False, True)
        for t in ("NONE", "LOGISTIC")
    ]  # fmt: skip
    agrees(several("SVMClassifier", variants, 2), {"x": drawn(0, 12, 4)})


class TestFeatures:
    def test_scaler(self) -> None:
        variants = [{"offset": [0.5], "scale": [2.0]}, {"offset": [1.0, 2, 3, 4], "scale": [0.1, 0.2, 0.3, 0.4]}]
        agrees(several("Scaler", variants), {"x": drawn(0, 5, 4)})
        agrees(several("Scaler", variants, x=(np.int64, ("n", 4))), {"x": np.arange(8).reshape(2, 4)})

    def test_normalizer(self) -> None:
        x = drawn(0, 5, 4)
        x[2] = 0
        agrees(several("Normalizer", [{"norm": norm} for norm in ("MAX", "L1", "L2")]), {"x": x})

    def test_binarizer_on_ties(self) -> None:
        agrees(several("Binarizer", [{"threshold": 0.5}, {}]), {"x": np.nan_to_num(EDGES)})

    def test_imputer(self) -> None:
        x = np.where(np.isinf(EDGES), 0, EDGES)
        variants = [
            {"imputed_value_floats": [9.0], "replaced_value_float": 0.5},
            {"imputed_value_floats": [1.0, 2.0, 3.0, 4.0], "replaced_value_float": float("nan")},
        ]
        agrees(several("Imputer", variants), {"x": x})
        whole = [{"imputed_value_int64s": [9], "replaced_value_int64": 2}]
        agrees(several("Imputer", whole, x=(np.int64, ("n", 4))), {"x": np.arange(8).reshape(2, 4) % 3})

    @pytest.mark.parametrize("dtype", [np.int64, np.float32])
    def test_one_hot_encoder(self, dtype: Any) -> None:
        proto = several("OneHotEncoder", [{"cats_int64s": [3, 1, 7]}], x=(dtype, ("n", 2)))
        agrees(proto, {"x": np.asarray([[1, 7], [2, 3], [7, 0]], dtype)})

    @pytest.mark.parametrize("shape", [(5,), (3, 5), (2, 3, 5)])
    def test_array_feature_extractor(self, shape: tuple[int, ...]) -> None:
        node = contrib_node("ArrayFeatureExtractor", "x i", "y", ML)
        constants = {"i": np.asarray([[4, 0, 4]])}
        proto = contrib_model([node], {"x": (np.float32, shape)}, ["y"], constants, opsets={"": 18, ML: 1})
        agrees(proto, {"x": drawn(0, *shape)})

    def test_array_feature_extractor_of_labels(self) -> None:
        node = contrib_node("ArrayFeatureExtractor", "labels x", "y", ML)
        constants = {"labels": np.asarray(["no", "yes"], object)}
        proto = contrib_model([node], {"x": (np.int64, ("n",))}, ["y"], constants, opsets={"": 18, ML: 1})
        agrees(proto, {"x": np.asarray([1, 0, 1])})

    def test_feature_vectorizer(self) -> None:
        node = contrib_node("FeatureVectorizer", "a b", "y", ML, inputdimensions=[2, 3])
        inputs = {"a": (np.float32, ("n", 2)), "b": (np.float32, ("n", 3))}
        agrees(contrib_model([node], inputs, ["y"], opsets={"": 18, ML: 1}), {"a": drawn(0, 4, 2), "b": drawn(1, 4, 3)})

    @pytest.mark.parametrize(
        ("op", "attributes", "code"),
        [
            ("OneHotEncoder", {"cats_strings": ["a"]}, "F005"),
            ("OneHotEncoder", {"cats_int64s": [1], "zeros": 0}, "F005"),
            ("Normalizer", {"norm": "L3"}, "F002"),
            ("Scaler", {"offset": [1.0, 2.0], "scale": [1.0]}, "F002"),
            ("LabelEncoder", {"keys_strings": ["a"], "values_int64s": [1]}, "F005"),
            ("LabelEncoder", {"keys_int64s": [1, 2], "values_int64s": [1]}, "F002"),
            ("LabelEncoder", {"keys_int64s": [1], "values_int64s": [1], "default_tensor": TWO}, "F002"),
            ("LinearRegressor", {"coefficients": [1.0]}, "F002"),
            ("SVMRegressor", {"coefficients": [1.0], "kernel_type": "COSINE", "rho": [0.0]}, "F002"),
        ],
    )
    def test_what_is_refused(self, op: str, attributes: dict[str, Any], code: str) -> None:
        refused(several(op, [attributes]), code)


class TestLabels:
    def test_numbers_to_numbers_and_texts(self) -> None:
        whole = [
            {"keys_int64s": [3, 1, 2], "values_int64s": [30, 10, 20], "default_int64": -7},
            {"keys_int64s": [3, 1], "values_floats": [0.5, 1.5], "default_float": 9.0},
            {"keys_int64s": [3, 1], "values_strings": ["three", "one"], "default_string": "other"},
        ]
        x = np.asarray([[1, 2, 3, 4]])
        agrees(several("LabelEncoder", whole[:2], x=(np.int64, ("n", 4))), {"x": x})
        agrees(several("LabelEncoder", whole[2:], x=(np.int64, ("n",))), {"x": x[0]})

    def test_keys_that_are_floats(self) -> None:
        variant = {"keys_floats": [0.5, float("nan"), 1.0], "values_int64s": [1, 2, 3], "default_int64": 0}
        agrees(several("LabelEncoder", [variant]), {"x": EDGES})

    def test_positions_to_texts(self) -> None:
        variant = {"classes_strings": ["a", "b"], "default_string": "?"}
        agrees(several("LabelEncoder", [variant], x=(np.int64, ("n",)), version=1), {"x": np.asarray([1, 0, 5])})

    def test_maps_become_a_tensor_and_are_verified(self) -> None:
        """Columns stay in the order of the classes, although a map sorts them."""
        nodes = [
            contrib_node("LinearClassifier", "x", "label p", ML, coefficients=[1.0, -1.0, 0.5], intercepts=[0.0] * 3,
                         classlabels_ints=[7, 5, 6], post_transform="SOFTMAX"),
            contrib_node("ZipMap", "p", "probabilities", ML, classlabels_int64s=[7, 5, 6]),
        ]  # fmt: skip
        proto = contrib_model(nodes, {"x": (np.float32, ("n", 1))}, ["label", "probabilities"], opsets={"": 18, ML: 1})
        artifact = nhwcc.compile(proto)
        assert artifact.report.verification is not None and artifact.report.verification.ok
        got = artifact(np.ones((2, 1), np.float32))
        np.testing.assert_allclose(got["probabilities"][0], np.exp([1, -1, 0.5]) / np.exp([1, -1, 0.5]).sum(), 1e-5)
        with collect_remarks() as remarks:
            imported(proto)
        assert any("columns are the classes 7, 5, 6" in r.text for r in remarks)

"""scikit-learn's estimators, exported by skl2onnx: how far the compiled files are from scikit-learn itself.

Needs the extra ``sklearn``. Prints a table::

    python -m benchmarks.sklearn_models
"""

# skl2onnx and scikit-learn are untyped
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportMissingImports=false

from __future__ import annotations

import argparse
import warnings
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any
from unittest.mock import patch

import numpy as np
from nhwcc.compiler.diagnostics import CompileError
from nhwcc.compiler.interpreter import run
from nhwcc.compiler.types import Array
from nhwcc.frontends.onnx import import_onnx
from onnx import ModelProto

import nhwcc

BATCHES = (1, 7, 100)
"""Sizes of the open batch on which a compiled file runs."""


@dataclass(frozen=True)
class Case:
    """A fitted estimator with its data."""

    name: str
    estimator: Any
    x: Array


@dataclass(frozen=True)
class Row:
    """What came out: operations of the file, largest errors, and the share of labels that agree."""

    name: str
    operations: int
    kilobytes: float
    interpreter: float
    tflite: float
    onnxruntime: float
    labels: float


def cases(names: Sequence[str]) -> Iterator[Case]:
    """Fit what has one of these in its name, everything if there are none."""
    for name, fit in fits():
        if not names or any(part in name for part in names):
            yield fit()


def fits() -> Iterator[tuple[str, Callable[[], Case]]]:
    """Names, and what fits an estimator."""
    from sklearn import datasets
    from sklearn.preprocessing import StandardScaler

    digits, flowers, diabetes = datasets.load_digits(), datasets.load_iris(), datasets.load_diabetes()
    cancer = datasets.load_breast_cancer()
    for name, make in classifiers().items():
        for title, data in (("3 classes", flowers), ("10 classes", digits), ("2 classes", cancer)):
            x = StandardScaler().fit_transform(data.data).astype(np.float32)
            yield _fit(f"{name}, {title}", make, x, data.target)
    for name, make in regressors().items():
        x = diabetes.data.astype(np.float32)
        yield _fit(name, make, x, diabetes.target)
    for name, make in transformers().items():
        x = flowers.data.astype(np.float32)
        yield _fit(name, make, x)
    names = np.asarray(flowers.target_names)[flowers.target]
    forest = classifiers()["RandomForestClassifier"]
    yield _fit("RandomForestClassifier, labels are texts", forest, flowers.data.astype(np.float32), names)
    yield "OneHotEncoder + LogisticRegression", _categories


def _fit(name: str, make: Callable[[], Any], *data: Array) -> tuple[str, Callable[[], Case]]:
    return name, lambda: Case(name, make().fit(*data), data[0])


def _categories() -> Case:
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import OneHotEncoder

    rng = np.random.default_rng(0)
    x = rng.integers(0, 5, (200, 3))
    y = (x.sum(axis=1) + rng.integers(0, 3, 200)) % 3
    pipeline = make_pipeline(OneHotEncoder(handle_unknown="ignore"), LogisticRegression())
    return Case("OneHotEncoder + LogisticRegression", pipeline.fit(x, y), x)


def classifiers() -> dict[str, Callable[[], Any]]:
    """What gives labels and probabilities."""
    from sklearn import ensemble, linear_model, naive_bayes, neighbors, neural_network, pipeline, svm, tree
    from sklearn.decomposition import PCA
    from sklearn.preprocessing import StandardScaler

    return {
        "LogisticRegression": lambda: linear_model.LogisticRegression(max_iter=500),
        "DecisionTreeClassifier": lambda: tree.DecisionTreeClassifier(random_state=0),
        "RandomForestClassifier": lambda: ensemble.RandomForestClassifier(50, random_state=0),
        "ExtraTreesClassifier": lambda: ensemble.ExtraTreesClassifier(50, random_state=0),
        "GradientBoostingClassifier": lambda: ensemble.GradientBoostingClassifier(n_estimators=20, random_state=0),
        "HistGradientBoostingClassifier": lambda: ensemble.HistGradientBoostingClassifier(max_iter=20, random_state=0),
        "SVC with probabilities": lambda: svm.SVC(probability=True, random_state=0),
        "KNeighborsClassifier": lambda: neighbors.KNeighborsClassifier(5),
        "MLPClassifier": lambda: neural_network.MLPClassifier((32,), max_iter=100, random_state=0),
        "GaussianNB": lambda: naive_bayes.GaussianNB(),
        "StandardScaler + PCA + LogisticRegression": lambda: pipeline.make_pipeline(
            StandardScaler(), PCA(3), linear_model.LogisticRegression(max_iter=500)
        ),
    }


def regressors() -> dict[str, Callable[[], Any]]:
    """What gives numbers."""
    from sklearn import ensemble, linear_model, neighbors, svm, tree

    return {
        "LinearRegression": linear_model.LinearRegression,
        "Ridge": linear_model.Ridge,
        "DecisionTreeRegressor": lambda: tree.DecisionTreeRegressor(random_state=0),
        "RandomForestRegressor": lambda: ensemble.RandomForestRegressor(50, random_state=0),
        "GradientBoostingRegressor": lambda: ensemble.GradientBoostingRegressor(n_estimators=50, random_state=0),
        "HistGradientBoostingRegressor": lambda: ensemble.HistGradientBoostingRegressor(max_iter=50, random_state=0),
        "SVR": lambda: svm.SVR(C=100),
        "KNeighborsRegressor": lambda: neighbors.KNeighborsRegressor(5),
    }


def transformers() -> dict[str, Callable[[], Any]]:
    """What gives features, and clusters."""
    from sklearn import cluster, decomposition, pipeline, preprocessing

    return {
        "StandardScaler + PCA": lambda: pipeline.make_pipeline(preprocessing.StandardScaler(), decomposition.PCA(2)),
        "KMeans": lambda: cluster.KMeans(4, n_init=3, random_state=0),
        "MinMaxScaler": preprocessing.MinMaxScaler,
        "Normalizer": preprocessing.Normalizer,
    }


def exported(case: Case) -> ModelProto:
    """Export with an open batch, as a user would: maps of probabilities stay in the file."""
    from skl2onnx import to_onnx
    from skl2onnx.common import _container

    make = _container.make_node

    def make_node(*args: Any, **attributes: Any) -> Any:
        """Turn truth values into numbers: protobuf takes no others, but skl2onnx 1.20 gives them."""
        plain = {k: [int(b) for b in v] if _is_truth(v) else v for k, v in attributes.items()}
        return make(*args, **plain)

    with patch.object(_container, "make_node", make_node):
        neighbors = "Neighbors" in type(case.estimator).__name__
        options = {id(case.estimator): {"optim": "cdist"}} if neighbors else None  # the default has a loop
        return to_onnx(case.estimator, case.x[:1], target_opset=18, options=options)


def _is_truth(value: Any) -> bool:
    return isinstance(value, list | np.ndarray) and any(isinstance(item, bool | np.bool_) for item in value)


def expected(case: Case) -> list[Array]:
    """What scikit-learn itself says, in the order of the exported outputs."""
    model = case.estimator
    if hasattr(model, "predict_proba"):
        return [model.predict(case.x), model.predict_proba(case.x)]
    if hasattr(model, "cluster_centers_"):
        return [model.predict(case.x), model.transform(case.x)]
    return [model.predict(case.x) if hasattr(model, "predict") else model.transform(case.x)]


def measure(case: Case) -> Row:
    """Compile, run by all runtimes, compare with scikit-learn.

    Raises:
        CompileError: the estimator can't be compiled.
    """
    import onnxruntime

    proto = exported(case)
    wanted = expected(case)
    artifact = nhwcc.compile(proto)
    module = import_onnx(proto)
    (name,) = (port.name for port in module.main.inputs)
    outputs = [port.name for port in module.main.outputs]
    session = onnxruntime.InferenceSession(proto.SerializeToString(), providers=["CPUExecutionProvider"])
    theirs = [_tensor(result) for result in session.run(outputs, {name: case.x})]
    ours = [np.asarray(a) for a in run(module.main, {name: case.x})]
    compiled = [[artifact(**{name: case.x[:n]})[o] for o in outputs] for n in BATCHES]
    errors = [max(_errors(got, [w[: len(got[0])] for w in wanted])) for got in (ours, *compiled, theirs)]
    same = [float(np.mean(g == w[: len(g)])) for g, w in zip(compiled[-1], wanted, strict=True) if w.dtype.kind != "f"]
    operations = sum(artifact.report.ops_after.values())
    size = artifact.report.bytes / 1000
    return Row(case.name, operations, size, errors[0], max(errors[1:-1]), errors[-1], min(same, default=1.0))


def _errors(got: list[Array], want: list[Array]) -> Iterator[float]:
    """Errors of numbers, relative to the largest one."""
    yield 0.0
    for g, w in zip(got, want, strict=True):
        if w.dtype.kind == "f":
            yield float(np.abs(g.reshape(w.shape) - w).max() / np.abs(w).max())


def _tensor(result: Any) -> Array:
    """Maps of onnxruntime as a tensor."""
    return np.asarray([list(row.values()) for row in result]) if isinstance(result, list) else result


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", help="parts of the names of what is measured; everything by default")
    names = parser.parse_args().names
    warnings.simplefilter("ignore")
    print("| estimator | operations | kB | interpreter | TFLite | onnxruntime | labels |")
    print("| --- | --: | --: | --: | --: | --: | --: |")
    for case in cases(names):
        try:
            row = measure(case)
        except CompileError as bad:
            print(f"| {case.name} | {bad.diagnostics[0].code}: {bad.diagnostics[0].message} | | | | | |", flush=True)
        else:
            numbers = f"{row.interpreter:.1e} | {row.tflite:.1e} | {row.onnxruntime:.1e} | {row.labels:.2%}"
            print(f"| {row.name} | {row.operations} | {row.kilobytes:.0f} | {numbers} |", flush=True)


if __name__ == "__main__":
    main()

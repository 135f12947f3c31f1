"""Axes and factors that are data: every operator against onnxruntime, with each value that the file must serve."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import pytest
from agreement import agrees
from local import LocalWorker
from nhwcc.compiler.diagnostics import CompileError
from nhwcc.compiler.types import Array
from onnx import ModelProto, TensorProto, helper, numpy_helper
from onnx_models import codes, imported, node

import nhwcc

ort: Any = onnxruntime  # without types
Feed = Mapping[str, Array]

X = np.random.default_rng(0).uniform(0.5, 2, (2, 3, 4)).astype(np.float32)
IMAGE = np.random.default_rng(1).uniform(-1, 1, (1, 2, 5, 6)).astype(np.float32)
KINDS = ["L1", "L2", "LogSum", "LogSumExp", "Max", "Mean", "Min", "Prod", "Sum", "SumSquare"]


@pytest.fixture(autouse=True)
def local_runtime(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("nhwcc.runners.tflite.start", LocalWorker)


def model(
    nodes: Sequence[Any],
    inputs: Mapping[str, tuple[int | str, ...]],
    constants: Mapping[str, Any] | None = None,
    version: int = 18,
) -> ModelProto:
    """``x``, ``s`` and ``r`` hold floats, other inputs integers; the result is ``y``."""
    for i, made in enumerate(nodes):
        made.name = f"{made.op_type}{i}"
    graph = helper.make_graph(
        nodes,
        "test",
        [
            helper.make_tensor_value_info(n, TensorProto.FLOAT if n in "xsr" else TensorProto.INT64, shape)
            for n, shape in inputs.items()
        ],
        [helper.make_empty_tensor_value_info("y")],
        [numpy_helper.from_array(np.asarray(v), k) for k, v in (constants or {}).items()],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", version)], ir_version=8)


def each(values: Sequence[Any], **others: Array) -> list[Feed]:
    return [{"a": np.asarray(v, np.int64)} | others for v in values]


SQUARED = X[:, :1, :1]
OPEN = ("n", 3, "m")
PAIRS = [[0, 1], [1, 2], [-1, 0], [2, -2]]

CASES: dict[str, tuple[ModelProto, list[Feed]]] = {
    **{
        f"Reduce{kind}, keepdims={keep}": (
            model([node(f"Reduce{kind}", "x a", "y", keepdims=keep)], {"x": (2, 3, 4), "a": (2,)}),
            each(PAIRS, x=X),
        )
        for kind in KINDS
        for keep in (0, 1)
    },
    "sizes are open": (
        model([node("ReduceSum", "x a", "y", keepdims=0)], {"x": OPEN, "a": (1,)}),
        [*each([[0], [1], [-1]], x=X), *each([[0], [2]], x=X[:1, :, :2])],
    ),
    "all axes, in some order": (
        model([node("ReduceMax", "x a", "y", keepdims=0)], {"x": (2, 3, 4), "a": (3,)}),
        each([[0, 1, 2], [-1, 0, 1]], x=X),
    ),
    "what reads the result": (
        model([node("ReduceMean", "x a", "m"), node("Sub", "x m", "y")], {"x": (2, 3, 4), "a": (1,)}),
        each([[0], [1], [2], [-2]], x=X),
    ),
    "Squeeze": (model([node("Squeeze", "x a", "y")], {"x": ("n", 1, 1), "a": (1,)}), each([[1], [-1]], x=SQUARED)),
    "Unsqueeze": (
        model([node("Unsqueeze", "x a", "y")], {"x": (2, 3, "m"), "a": (2,)}),
        each([[0, 1], [1, 4], [-1, 2], [3, -4]], x=X),
    ),
    "CumSum": (
        model([node("CumSum", "x a", "y", exclusive=1, reverse=1)], {"x": OPEN, "a": ()}),
        each([0, 1, 2, -1], x=X),
    ),
    "DFT": (
        model([node("DFT", "x _ a", "y", onesided=1)], {"x": (2, 3, 4, 1), "a": ()}, version=20),
        each([0, 1, 2, -2], x=X[..., None]),
    ),
    "Pad": (
        model([node("Pad", "x p _ a", "y")], {"x": (2, 3, "m"), "a": (2,), "p": (4,)}),
        [{**f, "p": np.asarray(p)} for f in each(PAIRS, x=X) for p in ([1, 2, 0, 3], [0, -1, 1, 1])],
    ),
    "Pad of all axes, in some order": (
        model([node("Pad", "x p _ a", "y")], {"x": (2, 3, 4), "a": (3,)}, {"p": [1, 2, 0, 3, 0, 1]}),
        each([[0, 1, 2], [2, -3, 1]], x=X),
    ),
    "sizes that keep their ratio": (
        model(
            [node("Resize", "x _ _ a", "y", mode="nearest", axes=[2, 3], keep_aspect_ratio_policy="not_larger")],
            {"x": (1, 2, 5, 6), "a": (2,)},
        ),
        each([[7, 9], [10, 7], [3, 9]], x=IMAGE),
    ),
}

RESIZES: dict[str, dict[str, Any]] = {
    "nearest": {"mode": "nearest"},
    "nearest, ceil": {"mode": "nearest", "nearest_mode": "ceil", "coordinate_transformation_mode": "asymmetric"},
    "nearest, up": {"mode": "nearest", "nearest_mode": "round_prefer_ceil"},
    "nearest, down": {"mode": "nearest", "nearest_mode": "floor"},
    "linear": {"mode": "linear"},
    "linear, align_corners": {"mode": "linear", "coordinate_transformation_mode": "align_corners"},
    "linear, pytorch": {"mode": "linear", "coordinate_transformation_mode": "pytorch_half_pixel"},
    "linear, symmetric": {"mode": "linear", "coordinate_transformation_mode": "half_pixel_symmetric"},
    "cubic": {"mode": "cubic"},
    "cubic, of what is inside": {"mode": "cubic", "exclude_outside": 1},
}
FACTORS = [[1, 1, 2, 2], [1, 1, 0.6, 1.7], [1, 1, 1, 0.45], [1, 1, 3, 1]]
CASES.update(
    {
        f"resize, {name}": (
            model([node("Resize", "x _ s", "y", **how)], {"x": (1, 2, "h", 6), "s": (4,)}, version=19),
            [{"x": IMAGE, "s": np.asarray(s, np.float32)} for s in FACTORS],
        )
        for name, how in RESIZES.items()
    }
)
REGIONS = [[0, 0, 0.2, 0.1, 1, 1, 0.7, 0.9], [0, 0, -0.3, 0.5, 1, 1, 1.2, 0.6]]
CASES.update(
    {
        f"resize a region, {mode}": (
            model(
                [
                    node(
                        "Resize",
                        "x r _ a",
                        "y",
                        mode=mode,
                        coordinate_transformation_mode="tf_crop_and_resize",
                        extrapolation_value=7.0,
                    )
                ],
                {"x": (1, 2, 5, 6), "r": (8,), "a": (4,)},
            ),
            [
                {"x": IMAGE, "r": np.asarray(r, np.float32), "a": np.asarray(a)}
                for r in REGIONS
                for a in ([1, 2, 4, 7], [1, 2, 1, 3])
            ],
        )
        for mode in ("nearest", "linear", "cubic")
    }
)


@pytest.mark.parametrize("name", CASES)
def test_runs_as_in_onnxruntime(name: str) -> None:
    proto, feeds = CASES[name]
    agrees(proto, *feeds)


@pytest.mark.parametrize("name", ["ReduceMean, keepdims=0", "Unsqueeze", "DFT", "Pad", "resize, cubic", "CumSum"])
def test_onnx_again(name: str, tmp_path: Path) -> None:
    proto, feeds = CASES[name]
    nhwcc.compile(proto, output=tmp_path / "again.onnx", verify=False)
    first, second = (ort.InferenceSession(m) for m in (proto.SerializeToString(), tmp_path / "again.onnx"))
    for feed in feeds:
        for got, want in zip(second.run(None, dict(feed)), first.run(None, dict(feed)), strict=True):
            np.testing.assert_allclose(got, want, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("op", ["ReduceSum", "Squeeze", "Unsqueeze"])
def test_how_many_axes_has_to_be_known(op: str) -> None:
    proto = model([node(op, "x a", "y")], {"x": (2, 3, 4), "a": ("count",)})
    with pytest.raises(CompileError) as caught:
        imported(proto)
    assert codes(caught.value) == ["F004"]
    (problem,) = caught.value.diagnostics
    assert "as many axes as data says: i64[count]" in problem.message
    assert problem.help is not None
    assert "how many" in problem.help


def test_dropout_as_data_says() -> None:
    """In inference and with a share of zero nothing is dropped; in training what is kept grows."""
    proto = model(
        [node("Cast", "a", "t", to=TensorProto.BOOL), node("Dropout", "x r t", "y")],
        {"x": (1000,), "r": (), "a": ()},
    )
    artifact = nhwcc.compile(proto, verify=False)
    ones = np.ones(1000, np.float32)
    for share, training in ((0.75, 0), (0.0, 1)):
        got = artifact(x=ones, r=np.asarray(share, np.float32), a=np.asarray(training))["y"]
        np.testing.assert_array_equal(got, ones)
    got = artifact(x=ones, r=np.asarray(0.75, np.float32), a=np.asarray(1))["y"]
    assert set(np.unique(got)) == {0.0, 4.0}
    assert 150 < np.count_nonzero(got) < 350

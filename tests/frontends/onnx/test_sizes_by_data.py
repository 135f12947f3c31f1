"""Sizes and positions that are elements of tensors: every operator against onnxruntime, at several values."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
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
from onnx_models import codes, imported, results
from onnx_models import node as nameless

import nhwcc

ort: Any = onnxruntime  # without types
Feed = Mapping[str, Array]

X = np.arange(1, 13, dtype=np.float32).reshape(1, 12)
IMAGE = np.arange(32, dtype=np.float32).reshape(1, 2, 4, 4)


@pytest.fixture(autouse=True)
def local_runtime(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("nhwcc.runners.tflite.start", LocalWorker)


def node(op: str, inputs: str, outputs: str, **attributes: Any) -> Any:
    """A node with a name of its own, as onnxruntime wants it."""
    made = nameless(op, inputs, outputs, **attributes)
    made.name = f"{op} of {outputs}"
    return made


def model(
    nodes: Sequence[Any],
    inputs: Mapping[str, tuple[int | str, ...]],
    outputs: str = "y",
    constants: Mapping[str, Any] | None = None,
) -> ModelProto:
    """``x`` and names that begin with it hold floats, all other inputs integers; constants are integers."""
    graph = helper.make_graph(
        nodes,
        "test",
        [
            helper.make_tensor_value_info(n, TensorProto.FLOAT if n[0] == "x" else TensorProto.INT64, shape)
            for n, shape in inputs.items()
        ],
        [helper.make_empty_tensor_value_info(name) for name in outputs.split()],
        [
            numpy_helper.from_array(np.asarray(v, None if isinstance(v, np.ndarray) else np.int64), k)
            for k, v in (constants or {}).items()
        ],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=8)


def each(name: str, *values: Any, **others: Array) -> list[Feed]:
    """Feeds that differ in one input of integers."""
    return [{name: np.asarray(v, np.int64)} | others for v in values]


CASES: dict[str, tuple[ModelProto, list[Feed]]] = {
    "slice in steps that are data": (
        model(
            [node("Slice", "x b e one t", "y"), node("Slice", "x e b one back", "z"), node("Neg", "t", "back")][::-1],
            {"x": (1, 12), "t": (1,)},
            "y z",
            constants={"one": [1], "b": [1], "e": [-2]},
        ),
        each("t", [1], [4], [30], x=X),
    ),
    "slice in steps of either sign": (
        model(
            [node("Slice", "x b e a t", "y")],
            {"x": (1, 2, 4, 4), "b": (2,), "t": (2,), "e": (2,)},
            constants={"a": [3, 1]},
        ),
        [
            {"x": IMAGE, **{k: np.asarray(v) for k, v in zip("bet", numbers, strict=True)}}
            for numbers in (([1, 0], [4, 2], [2, 1]), ([-1, 5], [-9, -9], [-3, -1]), ([3, 0], [3, 1], [1, 1]))
        ],
    ),
    "slice along axes": (
        model([node("Slice", "x b e a", "y")], {"x": (1, 2, 4, "n"), "a": (2,)}, constants={"b": [1, 0], "e": [3, -1]}),
        each("a", [2, 3], [3, 1], [-1, -2], x=IMAGE),
    ),
    "slice, i to i + 1": (
        model(
            [node("Add", "i one", "e"), node("Slice", "x i e one", "y")],
            {"x": (1, 12), "i": (1,)},
            constants={"one": [1]},
        ),
        each("i", [0], [3], [11], [-3], x=X),
    ),
    "slice, i to i + 4, then what needs its size": (
        model(
            [
                node("Add", "i four", "e"),
                node("Slice", "x i e one", "s"),
                node("Mul", "s s", "m"),
                node("Reshape", "m two", "y"),
            ],
            {"x": (1, 12), "i": (1,)},
            constants={"one": [1], "four": [4], "two": [2, 2]},
        ),
        each("i", [0], [3], [8], [-6], x=X),
    ),
    "slice, start and end": (
        model([node("Slice", "x i e one", "y")], {"x": (1, 12), "i": (1,), "e": (1,)}, constants={"one": [1]}),
        [
            {"x": X, "i": np.array([i]), "e": np.array([e])}
            for i, e in ((3, 7), (0, 12), (-4, -1), (5, 5), (7, 3), (-20, 20), (12, 15), (2, -2), (0, 2**31 - 1))
        ],
    ),
    "slice, start only": (
        model([node("Slice", "x i e one", "y")], {"x": (1, 12), "i": (1,)}, constants={"one": [1], "e": [2**63 - 1]}),
        each("i", [0], [3], [-1], [12], [40], [-40], x=X),
    ),
    "slice, end only": (
        model([node("Slice", "x z e one", "y")], {"x": (1, 12), "e": (1,)}, constants={"one": [1], "z": [2]}),
        each("e", [0], [3], [-1], [12], [40], [-40], x=X),
    ),
    "slice in steps": (
        model([node("Slice", "x i e one s", "y")], {"x": (1, 12), "i": (1,), "e": (1,)}, "y", {"one": [1], "s": [3]}),
        [{"x": X, "i": np.array([i]), "e": np.array([e])} for i, e in ((1, 8), (0, 12), (-4, -1), (5, 5), (9, 3))],
    ),
    "slice backwards": (
        model([node("Slice", "x i e one s", "y")], {"x": (1, 12), "i": (1,), "e": (1,)}, "y", {"one": [1], "s": [-2]}),
        [
            {"x": X, "i": np.array([i]), "e": np.array([e])}
            for i, e in ((8, 1), (11, -20), (-2, 3), (5, 5), (3, 9), (40, 0))
        ],
    ),
    "crop by box": (
        model(
            [node("Slice", "x b e axes", "y")],
            {"x": (1, 2, 4, 4), "b": (2,), "e": (2,)},
            constants={"axes": [2, 3]},
        ),
        [
            {"x": IMAGE, "b": np.array(b), "e": np.array(e)}
            for b, e in (([1, 0], [3, 4]), ([0, 0], [4, 4]), ([2, 3], [3, 4]), ([-3, -2], [-1, 9]))
        ],
    ),
    "slice of open size": (
        model([node("Slice", "x i e one", "y")], {"x": (1, "n"), "i": (1,), "e": (1,)}, constants={"one": [1]}),
        [
            {"x": X[:, :n], "i": np.array([i]), "e": np.array([e])}
            for n, i, e in ((12, 3, 7), (5, 0, 12), (9, -4, -1), (3, 5, 5))
        ],
    ),
    "a part of the sizes that are given": (
        model(
            [node("Slice", "s one three zero", "c"), node("Concat", "two c", "j", axis=0), node("Expand", "x j", "y")],
            {"x": (2, 1, 1), "s": (3,)},
            constants={"zero": [0], "one": [1], "two": [2], "three": [3]},
        ),
        each("s", [7, 2, 3], [1, 4, 5], x=np.asarray([[[1.0]], [[2.0]]], np.float32)),
    ),
    "sizes behind a known one": (
        model(
            [node("Concat", "two s", "j", axis=0), node("Expand", "x j", "y")],
            {"x": (1, 1, 1), "s": (2,)},
            constants={"two": [2]},
        ),
        each("s", [3, 4], [5, 1], x=np.ones((1, 1, 1), np.float32)),
    ),
    "range to n": (
        model([node("Range", "z n o", "y")], {"n": ()}, constants={"z": 0, "o": 1}),
        each("n", 5, 1, 0, -3),
    ),
    "range, all data": (
        model([node("Range", "a n o", "y")], {"a": (), "n": (), "o": ()}),
        [
            {k: np.asarray(v) for k, v in zip("ano", values, strict=True)}
            for values in ((0, 5, 1), (2, 9, 3), (9, 2, -3), (5, 5, 1), (5, 3, 1))
        ],
    ),
    "expand": (
        model([node("Expand", "x s", "y")], {"x": (1, 12), "s": (2,)}),
        each("s", [3, 12], [1, 1], [2, 1], [0, 12], x=X),
    ),
    "expand to more axes": (
        model([node("Expand", "x s", "y")], {"x": (1, 12), "s": (3,)}),
        each("s", [4, 3, 12], [2, 1, 1], x=X),
    ),
    "expand by one number": (
        model(
            [node("Concat", "n t", "s", axis=0), node("Expand", "x s", "y")],
            {"x": (1, 12), "n": (1,)},
            constants={"t": [12]},
        ),
        each("n", [3], [1], [0], x=X),
    ),
    "reshape": (
        model([node("Reshape", "x s", "y")], {"x": (1, 12), "s": (2,)}),
        each("s", [3, 4], [12, 1], [-1, 6], [2, -1], [0, 12], [4, 3], x=X),
    ),
    "reshape to a number and what is left": (
        model(
            [node("Concat", "n t", "s", axis=0), node("Reshape", "x s", "y")],
            {"x": (1, 12), "n": (1,)},
            constants={"t": [-1]},
        ),
        each("n", [3], [12], [1], x=X),
    ),
    "tile": (
        model([node("Tile", "x s", "y")], {"x": (1, 12), "s": (2,)}),
        each("s", [3, 1], [1, 1], [2, 3], [0, 1], x=X),
    ),
    "pad": (
        model([node("Pad", "x s", "y")], {"x": (1, 12), "s": (4,)}),
        each("s", [0, 1, 0, 2], [0, 0, 0, 0], [1, 2, 3, 4], [0, -2, 0, 3], [0, -2, 0, -3], x=X),
    ),
    "pad, reflected": (
        model([node("Pad", "x s", "y", mode="reflect")], {"x": (1, 12), "s": (4,)}),
        each("s", [0, 1, 0, 2], [0, 0, 0, 0], x=X),
    ),
    "pad, edges": (
        model([node("Pad", "x s", "y", mode="edge")], {"x": (1, 12), "s": (4,)}),
        each("s", [0, 1, 0, 2], [0, 0, 0, 0], x=X),
    ),
    "pad a batch to a length": (
        model(
            [
                node("Shape", "x", "sh", start=1, end=2),
                node("Sub", "n sh", "d"),
                node("Concat", "z z z d", "p", axis=0),
                node("Pad", "x p", "y"),
            ],
            {"x": (1, "t"), "n": (1,)},
            constants={"z": [0]},
        ),
        each("n", [12], [15], x=X),
    ),
    "top k": (
        model([node("TopK", "x k", "y z")], {"x": (1, 12), "k": (1,)}, "y z"),
        each("k", [4], [1], [12], x=X),
    ),
    "zeros of a shape": (
        model([node("ConstantOfShape", "s", "y")], {"s": (2,)}),
        each("s", [3, 4], [1, 1], [0, 2]),
    ),
    "one hot": (
        model([node("OneHot", "i d v", "y")], {"i": (3,), "d": (1,)}, constants={"v": np.asarray([0, 1], np.float32)}),
        [{"i": np.array([0, 2, -1]), "d": np.array([d])} for d in (3, 5)],
    ),
    "resize to sizes": (
        model([node("Resize", "x _ _ s", "y", mode="linear")], {"x": (1, 2, 4, 4), "s": (4,)}),
        each("s", [1, 2, 8, 6], [1, 2, 4, 4], [1, 2, 3, 7], x=IMAGE),
    ),
    "resize to the nearest": (
        model(
            [node("Resize", "x _ _ s", "y", coordinate_transformation_mode="asymmetric", nearest_mode="floor")],
            {"x": (1, 2, 4, 4), "s": (4,)},
        ),
        each("s", [1, 2, 8, 6], [1, 2, 4, 4], [1, 2, 3, 7], x=IMAGE),
    ),
    **{
        f"resize to the nearest, {way}, {rounding}": (
            model(
                [node("Resize", "x _ _ s", "y", coordinate_transformation_mode=way, nearest_mode=rounding)],
                {"x": (1, 2, 4, 4), "s": (4,)},
            ),
            each("s", [1, 2, 8, 6], [1, 2, 4, 1], [1, 2, 3, 7], x=IMAGE),
        )
        for way, rounding in (
            ("half_pixel", "round_prefer_floor"),
            ("half_pixel", "ceil"),
            ("align_corners", "floor"),
            ("asymmetric", "round_prefer_ceil"),
        )
    },
    "resize to a shape that is partly known": (
        model(
            [node("Concat", "nc s", "all", axis=0), node("Resize", "x _ _ all", "y", mode="linear")],
            {"x": (1, 2, 4, 4), "s": (2,)},
            constants={"nc": [1, 2]},
        ),
        each("s", [8, 6], [2, 3], x=IMAGE),
    ),
    "scatter into zeros that are stored": (
        model(
            [node("ScatterND", "z i x", "y")],
            {"x": (3, 8), "i": (3, 1)},
            constants={"z": np.zeros((7, 8), np.float32)},
        ),
        each("i", [[0], [3], [6]], [[-1], [2], [1]], x=np.ones((3, 8), np.float32)),
    ),
    "triangle": (
        model([node("Trilu", "x k", "y", upper=0)], {"x": (2, 3, 5), "k": ()}),
        each("k", 0, -1, 2, 7, x=np.arange(30, dtype=np.float32).reshape(2, 3, 5)),
    ),
    "pad with a number": (
        model([node("Pad", "x s xv", "y")], {"x": (1, 12), "s": (4,), "xv": ()}),
        each("s", [0, 1, 0, 2], [1, 0, 0, 0], x=X, xv=np.asarray(0.5, np.float32)),
    ),
    "running sums along the only axis": (
        model([node("CumSum", "x a", "y")], {"x": (12,), "a": ()}),
        each("a", 0, -1, x=X[0]),
    ),
    "split": (
        model([node("Split", "x s", "y z", axis=1)], {"x": (1, 12), "s": (2,)}, "y z"),
        each("s", [3, 9], [11, 1], x=X),
    ),
    "one number in two places": (
        model(
            [
                node("Range", "z n o", "r"),
                node("Unsqueeze", "n z1", "m"),
                node("Cast", "r", "f", to=TensorProto.FLOAT),
                node("Slice", "x z1 m o1", "s"),
                node("Add", "s f", "y"),
            ],
            {"x": (1, 12), "n": ()},
            constants={"z": 0, "o": 1, "z1": [0], "o1": [1]},
        ),
        each("n", 5, 12, 1, x=X),
    ),
    "a length that is searched for": (
        model(
            [
                node("ArgMax", "x", "a", axis=1, keepdims=0),
                node("Slice", "x z a o", "y"),
            ],
            {"x": (1, 12)},
            constants={"z": [0], "o": [1]},
        ),
        [{"x": np.roll(X, k)} for k in (0, 4, 9)],
    ),
    "a growing cache": (
        model(
            [
                node("Concat", "xc x", "c", axis=1),
                node("Shape", "c", "t", start=1, end=2),
                node("Sub", "t w", "b"),
                node("Slice", "c b t o", "last"),
                node("Concat", "last x", "y", axis=1),
            ],
            {"x": (1, 2), "xc": (1, "past"), "w": (1,)},
            constants={"o": [1]},
        ),
        [{"x": X[:, :2], "xc": X[:, :p], "w": np.array([w])} for p, w in ((5, 3), (1, 1), (8, 10))],
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_runs_as_in_onnxruntime(name: str) -> None:
    proto, feeds = CASES[name]
    agrees(proto, *feeds)


def outputs(path: Path | bytes, feed: Feed) -> Iterator[Array]:
    options = ort.SessionOptions()
    options.log_severity_level = 4
    yield from ort.InferenceSession(path, options).run(None, dict(feed))


@pytest.mark.parametrize("name", CASES)
def test_onnx_again(name: str, tmp_path: Path) -> None:
    proto, feeds = CASES[name]
    nhwcc.compile(proto, output=tmp_path / "again.onnx", verify=False)
    for feed in feeds:
        pairs = zip(outputs(tmp_path / "again.onnx", feed), outputs(proto.SerializeToString(), feed), strict=True)
        for got, want in pairs:
            np.testing.assert_allclose(got, want, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("position", [-1, 9, 12, -20])
def test_beyond_the_end_is_refused_when_the_network_runs(position: int) -> None:
    """Where a slice always has so many positions, what reads it relies on them."""
    proto, _ = CASES["slice, i to i + 4, then what needs its size"]
    artifact = nhwcc.compile(proto, io_layout="keep", verify=False)
    with pytest.raises(CompileError) as caught:
        artifact(x=X, i=np.asarray([position]))
    assert codes(caught.value) == ["R013"]
    with pytest.raises(CompileError) as caught:
        results(imported(proto), x=X, i=np.asarray([position]))
    assert codes(caught.value) == ["T002"]


def looping(nodes: Sequence[Any], carried: str, result: str) -> Any:
    """A loop's body: the number of the round, the condition, and one carried tensor."""
    info = [
        helper.make_tensor_value_info("round", TensorProto.INT64, ()),
        helper.make_tensor_value_info("go", TensorProto.BOOL, ()),
        helper.make_tensor_value_info(carried, TensorProto.FLOAT, None),
    ]
    outs = [helper.make_empty_tensor_value_info(n) for n in ("on", result)]
    return helper.make_graph([node("Identity", "go", "on"), *nodes], "body", info, outs)


LOOPS: dict[str, tuple[list[Any], str]] = {
    "one position in every round": (
        [
            node("Unsqueeze", "round z", "i"),
            node("Add", "i o", "e"),
            node("Slice", "x i e o", "s"),
            node("Add", "acc s", "out"),
        ],
        "out",
    ),
    "one more position in every round": (
        [
            node("Unsqueeze", "round z", "i"),
            node("Slice", "x z i o", "s"),
            node("ReduceSum", "s o", "r", keepdims=1),
            node("Add", "acc r", "out"),
        ],
        "out",
    ),
    "as many numbers as rounds": (
        [
            node("Range", "zs round os", "counted"),
            node("Cast", "counted", "f", to=TensorProto.FLOAT),
            node("ReduceSum", "f z", "r", keepdims=1),
            node("Unsqueeze", "r z", "u"),
            node("Add", "acc u", "out"),
        ],
        "out",
    ),
    "a length from outside": (
        [node("Slice", "x z k o", "s"), node("ReduceSum", "s o", "r", keepdims=1), node("Add", "acc r", "out")],
        "out",
    ),
}


@pytest.mark.parametrize("name", LOOPS)
def test_loops(name: str, tmp_path: Path) -> None:
    nodes, result = LOOPS[name]
    proto = model(
        [node("Loop", "n _ acc0", "y", body=looping(nodes, "acc", result))],
        {"x": (1, 12), "n": (), "k": (1,)},
        constants={"z": [0], "o": [1], "zs": 0, "os": 1, "acc0": np.zeros((1, 1), np.float32)},
    )
    feeds = [{"x": X, "n": np.asarray(n), "k": np.asarray([k])} for n, k in ((5, 3), (0, 0), (12, 12))]
    agrees(proto, *feeds)
    nhwcc.compile(proto, output=tmp_path / "again.onnx", verify=False)
    for feed in feeds:
        pairs = zip(outputs(tmp_path / "again.onnx", feed), outputs(proto.SerializeToString(), feed), strict=True)
        for got, want in pairs:
            np.testing.assert_allclose(got, want, rtol=1e-5)


SQUARE = np.linspace(-1, 1, 16, dtype=np.float32).reshape(4, 4)
KERNEL = np.linspace(-0.3, 0.3, 18, dtype=np.float32).reshape(1, 2, 3, 3)

CHANGING: dict[str, tuple[list[Any], str, str, tuple[int | str, ...], Array]] = {
    "grows by what it sums up to": (
        [node("ReduceSum", "a", "s", keepdims=1), node("Tanh", "s", "t"), node("Concat", "a t", "out", axis=0)],
        "a",
        "n",
        ("length",),
        np.asarray([0.1, 0.2], np.float32),
    ),
    "grows from nothing": (
        [
            node("ReduceSum", "a z", "s", keepdims=1),
            node("Add", "s x", "t"),
            node("Concat", "a t", "out", axis=0),
        ],
        "a",
        "n",
        (0, 4),
        SQUARE[:1],
    ),
    "grows by products with all that there is": (
        [
            node("Transpose", "a", "b", perm=[1, 0]),
            node("MatMul", "x b", "p"),
            node("Softmax", "p", "w", axis=-1),
            node("MatMul", "w a", "t"),
            node("Add", "t x", "u"),
            node("Concat", "a u", "out", axis=0),
        ],
        "a",
        "n",
        ("rows", 4),
        SQUARE[:1],
    ),
    "loses its first": (
        [node("Slice", "a o big z", "out")],
        "a",
        "n",
        ("length",),
        np.arange(9, dtype=np.float32),
    ),
    "images grow by rows": (
        [
            node("Conv", "a k", "c", pads=[1, 1, 1, 1]),
            node("Concat", "c c", "d", axis=1),
            node("Slice", "d z o two", "row"),
            node("Concat", "a row", "out", axis=2),
        ],
        "a",
        "n",
        (1, 2, "h", 4),
        np.linspace(-1, 1, 24, dtype=np.float32).reshape(1, 2, 3, 4),
    ),
}


def changing(name: str) -> tuple[ModelProto, list[Feed]]:
    """A loop that carries ``x0``, or tensors without elements that become larger, and a few feeds."""
    nodes, carried, rounds, shape, value = CHANGING[name]
    is_empty = 0 in shape
    inputs: dict[str, tuple[int | str, ...]] = {"x0": value.shape} if is_empty else {"x0": shape}
    start = "empty" if is_empty else "x0"
    # what the body calls x is the input, or a row
    before = [node("Identity", "x0", "x")] if value.ndim != 2 or is_empty else [node("Slice", "x0 z o z", "x")]
    proto = model(
        [*before, node("Loop", f"{rounds} _ {start}", "y", body=looping(nodes, carried, "out"))],
        {**inputs, rounds: ()},
        constants={
            "z": [0],
            "o": [1],
            "two": [2],
            "big": [1 << 40],
            "empty": np.zeros((0, 4), np.float32),
            "k": KERNEL,
        },
    )
    return proto, [{"x0": value, rounds: np.asarray(n)} for n in (0, 1, 2, 5)]


@pytest.mark.parametrize("name", CHANGING)
def test_loops_that_change_sizes(name: str, tmp_path: Path) -> None:
    proto, feeds = changing(name)
    agrees(proto, *feeds)
    made = nhwcc.compile(proto, output=tmp_path / "again.tflite", verify=False, io_layout="keep")
    nhwcc.compile(made.path, output=tmp_path / "again.onnx", verify=False)
    for feed in feeds[1:]:  # what was read back knows nothing of results without elements
        pairs = zip(outputs(tmp_path / "again.onnx", feed), outputs(proto.SerializeToString(), feed), strict=True)
        for got, want in pairs:
            np.testing.assert_allclose(got, want, rtol=1e-5, atol=1e-6)


def test_loops_that_change_more_than_sizes() -> None:
    body = looping([node("Unsqueeze", "a z", "out")], "a", "out")
    proto = model([node("Loop", "n _ x", "y", body=body)], {"x": ("length",), "n": ()}, constants={"z": [0]})
    with pytest.raises(CompileError) as caught:
        imported(proto)
    assert codes(caught.value) == ["F005"]

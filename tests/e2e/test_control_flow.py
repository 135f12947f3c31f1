"""Control flow as ONNX files have it, in the TFLite runtime: what decides is known only when the network runs."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from onnx import GraphProto, TensorProto, helper
from onnx_models import model, node

import nhwcc
from nhwcc.runners.onnx import OnnxRunner

FLOAT, INT, BOOL = TensorProto.FLOAT, TensorProto.INT64, TensorProto.BOOL


def body(
    nodes: list[Any], inputs: dict[str, tuple[int, list[Any]]], outputs: dict[str, tuple[int, list[Any]]]
) -> GraphProto:
    ins, outs = ([helper.make_tensor_value_info(n, *t) for n, t in side.items()] for side in (inputs, outputs))
    return helper.make_graph(nodes, "body", ins, outs)


def check(proto: Any, *inputs: dict[str, Any]) -> None:
    """Compile without flags; compare with onnxruntime on these inputs, too."""
    artifact = nhwcc.compile(proto, io_layout="keep")
    assert artifact.report.verification is not None and "onnxruntime" in artifact.report.verification.reference
    reference = OnnxRunner(proto)
    for given in inputs:
        want, got = reference.run(given), artifact(**given)
        for name, array in want.items():
            np.testing.assert_allclose(got[name], array, rtol=1e-4, atol=1e-5)


def random(*shape: int) -> Any:
    return np.random.default_rng(sum(shape)).standard_normal(shape).astype(np.float32)


def typed(proto: Any, **elements: int) -> Any:
    """Give inputs other element types than floats."""
    for info in proto.graph.input:
        info.type.tensor_type.elem_type = elements.get(info.name, FLOAT)
    return proto


ROWS: tuple[int, list[Any]] = (FLOAT, ["n", 4])
CARRIED: dict[str, tuple[int, list[Any]]] = {"i": (INT, []), "go": (BOOL, []), "v": (FLOAT, [3])}


def test_nested_branches_read_what_is_outside() -> None:
    inner = {
        "then_branch": body([node("Mul", "x k", "t")], {}, {"t": ROWS}),
        "else_branch": body([node("Sub", "k x", "e")], {}, {"e": ROWS}),
    }
    nodes = [
        node("Equal", "mode one", "is_one"),
        node("Greater", "mode one", "is_two"),
        node(
            "If", "is_one", "y",
            then_branch=body([node("Exp", "x", "p")], {}, {"p": ROWS}),
            else_branch=body([node("If", "is_two", "q", **inner)], {}, {"q": ROWS}),
        ),
    ]  # fmt: skip
    constants = {"one": np.asarray(1), "k": np.float32(3)}
    proto = typed(model(nodes, {"x": ("n", 4), "mode": ()}, ["y"], constants), mode=INT)
    check(proto, *({"x": random(n, 4), "mode": np.asarray(mode)} for n, mode in ((1, 1), (2, 2), (3, 0))))


def test_a_loop_whose_number_of_rounds_is_an_input() -> None:
    inner = body(
        [node("Add", "v x", "w"), node("Identity", "go", "on")], CARRIED, {"on": (BOOL, []), "w": (FLOAT, [3])}
    )
    proto = typed(model([node("Loop", "m _ x", "last", body=inner)], {"x": (3,), "m": ()}, ["last"]), m=INT)
    check(proto, *({"x": random(3), "m": np.asarray(m)} for m in (0, 1, 5)))


def test_a_loop_that_ends_when_data_says_so() -> None:
    inner = body(
        [node("Add", "v one", "w"), node("ReduceSum", "w", "s", keepdims=0), node("Less", "s ten", "on")],
        CARRIED,
        {"on": (BOOL, []), "w": (FLOAT, [3])},
    )
    constants = {"one": np.float32(1), "ten": np.float32(10)}
    check(model([node("Loop", "_ _ x", "last", body=inner)], {"x": (3,)}, ["last"], constants), {"x": random(3)})


def test_a_loop_over_an_open_size_that_collects() -> None:
    inner = body(
        [node("Gather", "x i", "row"), node("Add", "v row", "w"), node("Identity", "go", "on")],
        CARRIED,
        {"on": (BOOL, []), "w": (FLOAT, [3]), "w_out": (FLOAT, [3])},
    )
    inner.node.append(node("Mul", "w w", "w_out"))
    nodes = [
        node("Shape", "x", "s", end=1),
        node("Squeeze", "s", "m"),
        node("Loop", "m _ start", "last all", body=inner),
    ]
    proto = model(nodes, {"x": ("n", 3)}, ["last", "all"], {"start": np.zeros(3, np.float32)})
    check(proto, *({"x": random(n, 3)} for n in (1, 4, 7)))


@pytest.mark.parametrize("direction", [0, 1])
def test_a_scan_over_an_open_size(direction: int) -> None:
    inner = body(
        [node("Add", "s row", "t"), node("Identity", "t", "out")],
        {"s": (FLOAT, [4]), "row": (FLOAT, [4])},
        {"t": (FLOAT, [4]), "out": (FLOAT, [4])},
    )
    ends = {"scan_input_directions": [direction], "scan_output_directions": [direction], "scan_output_axes": [1]}
    scan = node("Scan", "start x", "last all", body=inner, num_scan_inputs=1, **ends)
    proto = model([scan], {"x": ("n", 4)}, ["last", "all"], {"start": np.zeros(4, np.float32)})
    check(proto, *({"x": random(n, 4)} for n in (1, 3, 6)))


def test_branches_of_other_sizes() -> None:
    """What comes after computes with the size that the branch gave."""
    nodes = [
        node("Greater", "mode one", "c"),
        node(
            "If", "c", "m",
            then_branch=body([node("Slice", "x zero two", "t")], {}, {"t": (FLOAT, [2, 4])}),
            else_branch=body([node("Concat", "x x", "e", axis=0)], {}, {"e": (FLOAT, ["k", 4])}),
        ),
        node("Softmax", "m", "s", axis=0),
        node("Shape", "s", "d"),
        node("Expand", "k d", "f"),
        node("Add", "s f", "y"),
    ]  # fmt: skip
    constants = {
        "one": np.asarray(1),
        "zero": np.asarray([0]),
        "two": np.asarray([2]),
        "k": np.ones((1, 4), np.float32),
    }
    proto = typed(model(nodes, {"x": ("n", 4), "mode": ()}, ["y"], constants), mode=INT)
    check(proto, *({"x": random(n, 4), "mode": np.asarray(mode)} for n, mode in ((3, 1), (3, 2), (5, 0))))

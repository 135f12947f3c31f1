"""If, Loop, Scan, sequences and optional values."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from agreement import agrees
from local import LocalWorker
from nhwcc.compiler.diagnostics import CompileError, collect_remarks
from nhwcc.compiler.ir import Module
from onnx import GraphProto, TensorProto, helper
from onnx_models import codes, imported, model, node, results

import nhwcc


@pytest.fixture(autouse=True)
def local_runtime(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("nhwcc.runners.tflite.start", LocalWorker)


def graph(nodes: list[Any], inputs: dict[str, int], outputs: list[str]) -> GraphProto:
    """A body; ``inputs`` are element types by name: a round's number ``i`` and condition ``go`` have no axes."""
    return helper.make_graph(
        nodes,
        "body",
        [
            helper.make_tensor_value_info(name, element, () if name in ("i", "go") else None)
            for name, element in inputs.items()
        ],
        [helper.make_empty_tensor_value_info(name) for name in outputs],
    )


def kinds(module: Module) -> list[str]:
    return [op.spec.name for op in module.main.ops]


X = np.asarray([1, -2, 3], np.float32)
BRANCHES = {
    "then_branch": graph([node("Neg", "x", "t")], {}, ["t"]),
    "else_branch": graph([node("Abs", "x", "e")], {}, ["e"]),
}


class TestIf:
    @pytest.mark.parametrize(("condition", "kind"), [(True, "neg"), (False, "abs")])
    def test_known(self, condition: bool, kind: str) -> None:
        proto = model([node("If", "c", "y", **BRANCHES)], {"x": (3,)}, ["y"], {"c": np.asarray(condition)})
        assert kinds(imported(proto)) == [kind, "return"]

    def test_known_from_shapes(self) -> None:
        nodes = [
            node("Shape", "x", "s"),
            node("Size", "s", "n"),
            node("Equal", "n one", "c"),
            node("If", "c", "y", **BRANCHES),
        ]
        assert kinds(imported(model(nodes, {"x": ("n",)}, ["y"], {"one": np.asarray(1)}))) == ["neg", "return"]

    def test_computed(self) -> None:
        nodes = [
            node("ReduceSum", "x", "s", keepdims=0),
            node("Greater", "s zero", "c"),
            node("If", "c", "y", **BRANCHES),
        ]
        module = imported(model(nodes, {"x": (3,)}, ["y"], {"zero": np.float32(0)}))
        assert "if" in kinds(module)
        np.testing.assert_array_equal(results(module, x=X)[0], -X)
        np.testing.assert_array_equal(results(module, x=-X)[0], abs(X))

    def test_branches_of_different_shapes(self) -> None:
        branches = BRANCHES | {"else_branch": graph([node("ReduceSum", "x", "e", keepdims=0)], {}, ["e"])}
        nodes = [
            node("ReduceSum", "x", "s", keepdims=0),
            node("Greater", "s zero", "c"),
            node("If", "c", "y", **branches),
        ]
        with pytest.raises(CompileError) as caught:
            imported(model(nodes, {"x": (3,)}, ["y"], {"zero": np.float32(0)}))
        assert codes(caught.value) == ["F005"] and "f32[3]" in str(caught.value)

    def test_branches_of_other_sizes(self) -> None:
        branches = BRANCHES | {"else_branch": graph([node("ReduceSum", "x", "e")], {}, ["e"])}
        nodes = [
            node("ReduceMean", "x", "s", keepdims=0),
            node("Greater", "s zero", "c"),
            node("If", "c", "y", **branches),
        ]
        module = imported(model(nodes, {"x": (3,)}, ["y"], {"zero": np.float32(0)}))
        assert str(module.main.returns[0].type) == "f32[unknown0]"
        assert [results(module, x=sign * X)[0].shape for sign in (1, -1)] == [(3,), (1,)]

    def test_problems_of_a_branch_are_told(self) -> None:
        branches = BRANCHES | {"then_branch": graph([node("Frobnicate", "x", "t")], {}, ["t"])}
        with pytest.raises(CompileError) as caught:
            imported(model([node("If", "c", "y", **branches)], {"x": (3,)}, ["y"], {"c": np.asarray(True)}))
        assert codes(caught.value) == ["F001", "F022"]


BODY = graph(
    [node("Add", "v x", "w"), node("Identity", "go", "on"), node("Mul", "w w", "square")],
    {"i": TensorProto.INT64, "go": TensorProto.BOOL, "v": TensorProto.FLOAT},
    ["on", "w", "square"],
)


SQUEEZE = {
    "then_branch": graph([node("Squeeze", "x last", "t")], {}, ["t"]),
    "else_branch": graph([node("Identity", "x", "e")], {}, ["e"]),
}
"""As exporters write a squeeze of the last axis, if its size is 1."""


def problems(proto: Any) -> list[str]:
    with pytest.raises(CompileError) as caught:
        imported(proto)
    return codes(caught.value)


def squeezed(*after: Any, output: str = "y") -> Any:
    nodes = [
        node("Shape", "x", "s", start=2),
        node("Equal", "s one", "c"),
        node("If", "c", "m", **SQUEEZE),
        *after,
    ]
    known = {"one": np.asarray([1]), "last": np.asarray([-1]), "w": np.ones((4, 5), np.float32)}
    return model(nodes, {"x": (2, 4, "n")}, [output], known)


class TestBranchesOfOtherTypes:
    def test_the_branch_that_the_rest_needs_is_taken(self) -> None:
        with collect_remarks() as remarks:
            module = imported(squeezed(node("Gemm", "m w", "y")))
        assert str(module.main.returns[0].type) == "f32[2,5]"
        (only,) = [r.text for r in remarks if r.kind == "warning"]
        assert "the condition of 'the If' is taken to be true: otherwise at" in only

    def test_either_way(self) -> None:
        module = imported(squeezed(node("GlobalAveragePool", "m", "g"), node("Transpose", "g", "y", perm=[2, 1, 0])))
        assert str(module.main.returns[0].type) == "f32[1,4,2]", "the branch that is not squeezed"

    def test_where_both_are_possible_nothing_is_assumed(self) -> None:
        with pytest.raises(CompileError) as caught:
            imported(squeezed(node("Relu", "m", "y")))
        (only,) = caught.value.diagnostics
        assert only.code == "F004" and "--shape n=1" in (only.help or "")

    def test_where_none_is_possible(self) -> None:
        assert "F004" in problems(squeezed(node("Transpose", "m", "y", perm=[0, 1, 2, 3])))

    def test_what_is_only_not_supported_decides_nothing(self) -> None:
        assert "F004" in problems(squeezed(node("Relu", "m", "r"), node("NoSuch", "r", "y")))


class TestLoop:
    def test_unrolled(self) -> None:
        constants = {"m": np.asarray(3), "start": np.zeros(3, np.float32)}
        module = imported(
            model([node("Loop", "m _ start", "last all", body=BODY)], {"x": (3,)}, ["last", "all"], constants)
        )
        assert kinds(module).count("add") == 3 and "while" not in kinds(module)
        last, squares = results(module, x=X)
        np.testing.assert_array_equal(last, 3 * X)
        np.testing.assert_array_equal(squares, [X**2, 4 * X**2, 9 * X**2])

    def test_no_round(self) -> None:
        constants = {"m": np.asarray(0), "start": np.zeros(3, np.float32)}
        module = imported(
            model([node("Loop", "m _ start", "last all", body=BODY)], {"x": (3,)}, ["last", "all"], constants)
        )
        last, squares = results(module, x=X)
        assert (last == 0).all() and squares.shape == (0, 3)

    def test_ended_by_a_condition_that_is_known(self) -> None:
        body = graph(
            [node("Less", "i two", "on"), node("Add", "v x", "w")],
            {"i": TensorProto.INT64, "go": TensorProto.BOOL, "v": TensorProto.FLOAT},
            ["on", "w"],
        )
        constants = {"start": np.zeros(3, np.float32), "two": np.asarray(2)}
        module = imported(model([node("Loop", "_ _ start", "last", body=body)], {"x": (3,)}, ["last"], constants))
        np.testing.assert_array_equal(results(module, x=X)[0], 3 * X)

    def test_as_long_as_data_wants(self) -> None:
        body = graph(
            [node("Add", "v one", "w"), node("ReduceSum", "w", "s", keepdims=0), node("Less", "s ten", "on")],
            {"i": TensorProto.INT64, "go": TensorProto.BOOL, "v": TensorProto.FLOAT},
            ["on", "w"],
        )
        constants = {"one": np.float32(1), "ten": np.float32(10), "m": np.asarray(100)}
        module = imported(model([node("Loop", "m _ x", "last", body=body)], {"x": (3,)}, ["last"], constants))
        assert "while" in kinds(module)
        np.testing.assert_array_equal(results(module, x=X)[0], X + 3)

    def test_as_many_rounds_as_a_size(self) -> None:
        nodes = [
            node("Shape", "x", "s", end=1),
            node("Squeeze", "s", "m"),
            node("Loop", "m _ start", "last all", body=graph(
                [node("Gather", "x i", "row"), node("Add", "v row", "w"), node("Mul", "w w", "sq"),
                 node("Identity", "go", "on")],
                {"i": TensorProto.INT64, "go": TensorProto.BOOL, "v": TensorProto.FLOAT}, ["on", "w", "sq"],
            )),
        ]  # fmt: skip
        module = imported(model(nodes, {"x": ("n", 3)}, ["last", "all"], {"start": np.zeros(3, np.float32)}))
        assert "while" in kinds(module) and str(module.main.returns[1].type) == "f32[n,3]"
        for n in (1, 2, 5):
            x = np.random.default_rng(n).standard_normal((n, 3)).astype(np.float32)
            last, squares = results(module, x=x)
            np.testing.assert_allclose(last, x.sum(0), rtol=1e-5)
            np.testing.assert_allclose(squares, np.cumsum(x, 0) ** 2, rtol=1e-5)

    @pytest.mark.parametrize("limit", ["size", "number"])
    def test_results_until_a_condition_that_is_computed(self, limit: str) -> None:
        """As many rows as there were rounds: all that the limit allows, some, or none."""
        body = graph(
            [node("ReduceSum", "v", "s", keepdims=0), node("Less", "s ten", "on"), node("Add", "v one", "w")],
            {"i": TensorProto.INT64, "go": TensorProto.BOOL, "v": TensorProto.FLOAT},
            ["on", "w", "v", "s"],
        )
        nodes = [
            *([node("Size", "x", "m")] if limit == "size" else []),
            node("ReduceMax", "x", "top", keepdims=0),
            node("Less", "top ten", "begins"),
            node("Loop", "m begins x", "last all sums", body=body),
        ]
        constants = {"one": np.float32(1), "ten": np.float32(10)} | ({} if limit == "size" else {"m": np.asarray(4)})
        proto = model(nodes, {"x": ("n",)}, ["last", "all", "sums"], constants)
        feeds = [np.asarray(x, np.float32) for x in ([1, 2, 3], [0, -9, 1, 2], [9, 5], [0])]
        agrees(proto, *({"x": x} for x in feeds))
        artifact = nhwcc.compile(proto, verify=False)
        for last, rows, sums in (results(imported(proto), x=20 * X), artifact(x=20 * X).values()):
            np.testing.assert_array_equal(last, 20 * X)
            assert (rows.shape, sums.shape) == ((0, 3), (0,))

    @pytest.mark.parametrize("limit", ["_", "endless", "x"])
    def test_results_of_as_many_rounds_as_data_wants(self, limit: str) -> None:
        """Without a limit that could be one, tensors grow; else they have room for so many rounds."""
        body = graph(
            [node("Cast", "v", "on", to=TensorProto.BOOL), node("Sub", "v one", "w"), node("Mul", "v row", "scaled")],
            {"i": TensorProto.INT64, "go": TensorProto.BOOL, "v": TensorProto.INT64},
            ["on", "w", "v", "scaled"],
        )
        constants = {"endless": np.asarray(2**62), "one": np.asarray(1), "row": np.asarray([1, 2, 3])}
        nodes = [node("Loop", f"{limit} _ x", "last all rows", body=body), node("Add", "all all", "twice")]
        outputs = ["last", "all", "rows", "twice"]
        proto = model(nodes, {"x": ()}, outputs, constants, element=TensorProto.INT64)
        agrees(proto, *({"x": np.asarray(n)} for n in (3, 1, 7)))
        module = imported(proto)
        assert module.main.returns[1].type.shape == module.main.returns[3].type.shape

    def test_no_round_where_data_wants_none(self) -> None:
        """Runtimes prepare the body all the same: a row must have room."""
        proto = model([node("Loop", "m _ x", "last all", body=BODY)], {"x": (3,), "m": ()}, ["last", "all"])
        proto.graph.input[1].type.tensor_type.elem_type = TensorProto.INT64
        agrees(proto, {"x": X, "m": np.asarray(2)}, {"x": X, "m": np.asarray(5)})
        none = np.asarray(0)
        artifact = nhwcc.compile(proto, verify=False)
        for last, rows in (results(imported(proto), x=X, m=none), artifact(x=X, m=none).values()):
            np.testing.assert_array_equal(last, X)
            assert rows.shape == (0, 3)


@pytest.mark.parametrize("size", [4, "n"])
@pytest.mark.parametrize(("direction", "axis"), [(0, 0), (1, 1)])
def test_scan(direction: int, axis: int, size: int | str) -> None:
    body = graph([node("Add", "s row", "t"), node("Identity", "t", "out")], {"s": 1, "row": 1}, ["t", "out"])
    scan = node(
        "Scan", "start x", "last all", body=body, num_scan_inputs=1, scan_input_axes=[axis],
        scan_input_directions=[direction], scan_output_directions=[direction], scan_output_axes=[axis],
    )  # fmt: skip
    x = np.random.default_rng(0).standard_normal((4, 4)).astype(np.float32)
    shape = (size, 4) if axis == 0 else (4, size)
    module = imported(model([scan], {"x": shape}, ["last", "all"], {"start": np.zeros(4, np.float32)}))
    assert ("while" in kinds(module)) == isinstance(size, str)
    last, sums = results(module, x=x)
    turned = np.flip(x, axis) if direction else x
    want = np.cumsum(turned, axis)
    np.testing.assert_allclose(last, x.sum(axis), rtol=1e-6)
    np.testing.assert_allclose(sums, np.flip(want, axis) if direction else want, rtol=1e-6)


class TestSequences:
    def test_inside(self) -> None:
        nodes = [
            node("SplitToSequence", "x two", "s", axis=0),
            node("SequenceAt", "s minus", "last"),
            node("SequenceInsert", "s last zero", "t"),
            node("SequenceErase", "t", "u"),
            node("SequenceLength", "u", "n"),
            node("ConcatFromSequence", "u", "y", axis=0),
        ]
        constants = {"two": np.asarray(2), "minus": np.asarray(-1), "zero": np.asarray(0)}
        module = imported(model(nodes, {"x": (5,)}, ["y", "n"], constants))
        y, n = results(module, x=np.arange(5, dtype=np.float32))
        np.testing.assert_array_equal(y, [4, 0, 1, 2, 3])
        assert n == 3

    def test_as_inputs_and_outputs(self) -> None:
        proto = model([node("SequenceInsert", "s x", "t")], {"s": (), "x": (2,)}, ["t"])
        proto.graph.input[0].type.CopyFrom(
            helper.make_sequence_type_proto(helper.make_tensor_type_proto(TensorProto.FLOAT, [None]))
        )
        with pytest.raises(CompileError) as caught:
            imported(proto)
        assert codes(caught.value) == ["F020"]
        module = imported(proto, lengths={"s": 2}, shapes={"s.0": (3,)})
        assert [p.name for p in module.main.inputs] == ["s.0", "s.1", "x"]
        assert [p.name for p in module.main.outputs] == ["t.0", "t.1", "t.2"]

    @pytest.mark.parametrize(("length", "there"), [(0, True), (None, False)])
    def test_optional(self, length: int | None, there: bool) -> None:
        proto = model([node("OptionalHasElement", "s", "y")], {"s": ()}, ["y"])
        inner = helper.make_sequence_type_proto(helper.make_tensor_type_proto(TensorProto.FLOAT, [None]))
        proto.graph.input[0].type.CopyFrom(helper.make_optional_type_proto(inner))
        assert results(imported(proto, lengths={"s": length}))[0] == there

    def test_a_tensor_is_no_sequence(self) -> None:
        with pytest.raises(CompileError) as caught:
            imported(model([node("SequenceLength", "x", "n")], {"x": (1,)}, ["n"]))
        assert codes(caught.value) == ["F006"]

"""What can be wrong with a model: each gets its code, and all that is unsupported comes in one report."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from nhwcc.compiler.diagnostics import CompileError
from nhwcc.frontends.onnx import import_onnx
from onnx import AttributeProto, ModelProto, NodeProto, TensorProto, helper, numpy_helper
from onnx.external_data_helper import set_external_data
from onnx_models import codes, imported, model, node, results

EMPTY = helper.make_graph([], "nothing", [], [])
RELU = model([node("Relu", "x", "y")], {"x": (2, 3)}, ["y"])


def refused(proto: ModelProto | Path | bytes, **options: object) -> CompileError:
    with pytest.raises(CompileError) as caught:
        import_onnx(proto, **options)  # pyright: ignore[reportArgumentType]
    for diagnostic in caught.value.diagnostics:
        assert diagnostic.message and diagnostic.render()
    return caught.value


class TestFiles:
    def test_missing(self, tmp_path: Path) -> None:
        assert codes(refused(tmp_path / "no.onnx")) == ["R010"]

    @pytest.mark.parametrize("content", [b"", b"\x08", b"not a model at all", b"PK\x03\x04" + b"\0" * 90])
    def test_no_model(self, tmp_path: Path, content: bytes) -> None:
        path = tmp_path / "bad.onnx"
        path.write_bytes(content)
        assert codes(refused(path))[0] in ("F010", "F011")

    @pytest.mark.parametrize("share", [0.2, 0.5, 0.9, 0.99])
    def test_truncated(self, tmp_path: Path, share: float) -> None:
        path = tmp_path / "cut.onnx"
        weights = np.ones((64, 64), np.float32)
        whole = model([node("MatMul", "x w", "y")], {"x": (2, 64)}, ["y"], {"w": weights}).SerializeToString()
        path.write_bytes(whole[: int(len(whole) * share)])
        assert codes(refused(path))[0].startswith("F")

    def test_no_graph(self) -> None:
        assert codes(refused(ModelProto(ir_version=8).SerializeToString())) == ["F011"]


def change(edit: Callable[[ModelProto], object], proto: ModelProto = RELU) -> ModelProto:
    copy = ModelProto.FromString(proto.SerializeToString())
    edit(copy)
    return copy


class TestGraphs:
    def test_cycle(self) -> None:
        nodes = [node("Add", "x b", "a"), node("Neg", "a", "b")]
        bad = refused(model(nodes, {"x": (1,)}, ["b"]))
        assert codes(bad) == ["F013"] and "'the Add'" in str(bad) and "'the Neg'" in str(bad)

    def test_dangling_input(self) -> None:
        bad = refused(model([node("Add", "x waight", "y")], {"x": (1,), "weight": (1,)}, ["y"]))
        assert codes(bad) == ["F014"] and "'weight'" in str(bad)

    def test_defined_twice(self) -> None:
        assert codes(refused(model([node("Relu", "x", "y"), node("Neg", "x", "y")], {"x": (1,)}, ["y"]))) == ["F015"]

    def test_an_input_that_is_defined_again(self) -> None:
        assert codes(refused(model([node("Relu", "x", "x")], {"x": (1,)}, ["x"]))) == ["F015"]

    def test_initializer_of_wrong_size(self) -> None:
        proto = model([node("Add", "x w", "y")], {"x": (4,)}, ["y"], {"w": np.ones(4, np.float32)})
        assert codes(refused(change(lambda m: m.graph.initializer[0].dims.__setitem__(0, 5), proto))) == ["F016"]

    def test_shapes_that_do_not_fit(self) -> None:
        assert codes(refused(model([node("Add", "x w", "y")], {"x": (4,), "w": (3,)}, ["y"]))) == ["T001"]

    def test_a_shape_that_can_not_be(self) -> None:
        proto = model([node("Reshape", "x s", "y")], {"x": (2, 3)}, ["y"], {"s": np.asarray([4, 2])})
        assert codes(refused(proto)) == ["T001"]

    @pytest.mark.parametrize("version", [0, 5, 99])
    def test_operator_set(self, version: int) -> None:
        assert codes(refused(model([node("Add", "x x", "y")], {"x": (1,)}, ["y"], version=version))) == ["F012"]

    def test_input_without_rank(self) -> None:
        proto = change(lambda m: m.graph.input[0].type.tensor_type.ClearField("shape"))
        assert codes(refused(proto)) == ["F020"]
        imported(proto, shapes={"x": (2, 3)})

    def test_input_without_type(self) -> None:
        assert codes(refused(change(lambda m: m.graph.input[0].ClearField("type")))) == ["F020"]


class TestNodes:
    def test_everything_unsupported_in_one_report(self) -> None:
        nodes = [
            node("Frobnicate", "x", "a"),
            node("Relu", "a", "b"),
            node("ImageDecoder", "b", "c"),
            helper.make_node("Frobnicate", ["c"], ["y"], "another"),
        ]
        bad = refused(model(nodes, {"x": (1,)}, ["y"], version=20))
        assert codes(bad) == ["F001", "F001"]
        assert "Frobnicate" in bad.diagnostics[0].message and "at 2 nodes" in "".join(bad.diagnostics[0].notes)
        assert "ImageDecoder" in bad.diagnostics[1].message

    def test_a_name_that_is_nearly_right(self) -> None:
        assert "Sigmoid" in str(refused(model([node("Sigmiod", "x", "y")], {"x": (1,)}, ["y"])))

    @pytest.mark.parametrize(
        ("attributes", "code"),
        [({"axsi": 1}, "F002"), ({"axis": 1.5}, "F002"), ({"axis": 7}, "F002"), ({"axis": "last"}, "F002")],
    )
    def test_attributes(self, attributes: dict[str, object], code: str) -> None:
        assert codes(refused(model([node("Softmax", "x", "y", **attributes)], {"x": (2, 3)}, ["y"]))) == [code]

    def test_a_missing_attribute(self) -> None:
        assert codes(refused(model([node("Cast", "x", "y")], {"x": (1,)}, ["y"]))) == ["F002"]

    @pytest.mark.parametrize("inputs", ["x x", "_"])
    def test_operands(self, inputs: str) -> None:
        assert codes(refused(model([node("Relu", inputs, "y")], {"x": (1,)}, ["y"]))) == ["F006"]

    @pytest.mark.parametrize(
        ("bad", "shapes"),
        [
            (node("Trilu", "x k", "y"), {"x": (), "k": ()}),
            (node("GridSample", "x k", "y"), {"x": (1, 2, 3, 3), "k": ()}),
            (node("QuantizeLinear", "x k", "y", axis=2), {"x": (2, 3, 4), "k": (1, 1)}),
        ],
        ids=lambda given: given.op_type if isinstance(given, NodeProto) else "",
    )
    def test_operands_of_other_ranks(self, bad: NodeProto, shapes: dict[str, tuple[int, ...]]) -> None:
        assert codes(refused(model([bad], shapes, ["y"])))[0] in ("T001", "F002")

    def test_strings(self) -> None:
        proto = model([node("Identity", "x", "y")], {"x": (1,)}, ["y"], element=TensorProto.STRING)
        assert codes(refused(proto)) == ["F003"]

    def test_variant(self) -> None:
        nodes = [node("LayerNormalization", "x s", "y", stash_type=TensorProto.FLOAT16)]
        assert codes(refused(model(nodes, {"x": (2, 3), "s": (3,)}, ["y"]))) == ["F005"]

    @pytest.mark.parametrize(
        ("nodes", "shape", "constants", "code"),
        [
            ([node("Scan", "x _", "y", body=EMPTY, num_scan_inputs=1)], (3,), {}, "F006"),
            ([node("DepthToSpace", "x", "y", blocksize=0)], (1, 4, 2, 2), {}, "T001"),
            ([node("SpaceToDepth", "x", "y", blocksize=0)], (1, 4, 2, 2), {}, "T001"),
            ([node("Col2Im", "x i k", "y", strides=[0, 1])], (1, 4, 6), {"i": [3, 4], "k": [2, 2]}, "F002"),
            ([node("Col2Im", "x i k", "y", dilations=[1])], (1, 4, 6), {"i": [3, 4], "k": [2, 2]}, "F002"),
            ([node("LSTM", "x w w", "y", hidden_size=1)], (1, 2, 3), {"w": [1.0, 2.0]}, "F002"),
            ([node("DeformConv", "x w x", "y")], (1, 4, 2, 2), {"w": [1.0]}, "F002"),
            ([node("TensorScatter", "x u", "y")], (1, 4, 2), {"u": [1.0]}, "T001"),
            ([node("MaxUnpool", "x i s", "y", kernel_shape=[2])], (1, 1, 2), {"i": [[[0, 2]]], "s": [4]}, "F002"),
            ([node("If", "c", "y", then_branch=EMPTY, else_branch=EMPTY)], (1,), {"c": [True, False]}, "F006"),
        ],
    )
    def test_lists_that_do_not_fit(
        self, nodes: list[NodeProto], shape: tuple[int, ...], constants: dict[str, Any], code: str
    ) -> None:
        given = {n: np.asarray(v, np.float32 if isinstance(v[0], float) else None) for n, v in constants.items()}
        assert codes(refused(model(nodes, {"x": shape}, ["y"], given, version=24))) == [code]

    def test_a_region_of_interest_for_other_axes(self) -> None:
        fields = {"coordinate_transformation_mode": "tf_crop_and_resize"}
        given = {"r": np.asarray([0, 0, 1], np.float32), "n": np.asarray([1, 1, 2, 2])}
        proto = model([node("Resize", "x r _ n", "y", **fields)], {"x": (1, 1, 4, 4)}, ["y"], given)
        assert codes(refused(proto)) == ["F002"]


class TestTensorsInFiles:
    def save(self, path: Path) -> ModelProto:
        proto = model([node("Add", "x w", "y")], {"x": (512,)}, ["y"], {"w": np.arange(512, dtype=np.float32)})
        stored = change(lambda m: set_external_data(m.graph.initializer[0], "w.bin"), proto)
        path.with_name("w.bin").write_bytes(stored.graph.initializer[0].raw_data)
        stored.graph.initializer[0].ClearField("raw_data")
        path.write_bytes(stored.SerializeToString())
        return proto

    def test_external_data(self, tmp_path: Path) -> None:
        self.save(tmp_path / "m.onnx")
        (got,) = results(imported(tmp_path / "m.onnx"), x=np.ones(512, np.float32))
        np.testing.assert_array_equal(got, np.arange(512) + 1)

    def test_missing(self, tmp_path: Path) -> None:
        self.save(tmp_path / "m.onnx")
        (tmp_path / "w.bin").unlink()
        assert codes(refused(tmp_path / "m.onnx")) == ["F017"]

    def test_too_short(self, tmp_path: Path) -> None:
        self.save(tmp_path / "m.onnx")
        (tmp_path / "w.bin").write_bytes(b"\0" * 100)
        assert codes(refused(tmp_path / "m.onnx")) == ["F017"]

    @pytest.mark.parametrize("location", ["../w.bin", "/etc/hostname", "a/../../w.bin", ""])
    def test_outside_of_the_folder(self, tmp_path: Path, location: str) -> None:
        self.save(tmp_path / "m.onnx")
        proto = ModelProto.FromString((tmp_path / "m.onnx").read_bytes())
        proto.graph.initializer[0].external_data[0].value = location
        (tmp_path / "m.onnx").write_bytes(proto.SerializeToString())
        assert codes(refused(tmp_path / "m.onnx")) == ["F017"]

    def test_bytes_have_no_folder(self, tmp_path: Path) -> None:
        self.save(tmp_path / "m.onnx")
        assert codes(refused((tmp_path / "m.onnx").read_bytes())) == ["F017"]


def test_initializers_that_are_also_inputs() -> None:
    """So it was before version 4 of the format: they are constants, not inputs."""
    proto = model([node("Add", "x w", "y")], {"x": (2,), "w": (2,)}, ["y"], {"w": np.asarray([1, 2], np.float32)})
    proto.ir_version = 3
    module = imported(proto)
    assert [p.name for p in module.main.inputs] == ["x"]
    np.testing.assert_array_equal(results(module, x=np.zeros(2, np.float32))[0], [1, 2])


def test_sparse_initializers() -> None:
    proto = model([node("Add", "x w", "y")], {"x": (2, 3)}, ["y"])
    values, places = np.asarray([5, 7], np.float32), np.asarray([[0, 1], [1, 2]])
    sparse = helper.make_sparse_tensor(
        numpy_helper.from_array(values, "w"), numpy_helper.from_array(places, "w_places"), [2, 3]
    )
    proto.graph.sparse_initializer.append(sparse)
    (got,) = results(imported(proto), x=np.zeros((2, 3), np.float32))
    np.testing.assert_array_equal(got, [[0, 5, 0], [0, 0, 7]])


class TestFunctions:
    def proto(self, body: list[NodeProto]) -> ModelProto:
        function = helper.make_function(
            "my", "Twice", ["a"], ["b"], body, [helper.make_opsetid("", 18), helper.make_opsetid("my", 1)], ["alpha"]
        )
        call = helper.make_node("Twice", ["x"], ["y"], "call", domain="my", alpha=0.5)
        out = model([call], {"x": (3,)}, ["y"], functions=[function])
        out.opset_import.append(helper.make_opsetid("my", 1))
        return out

    def test_call_with_an_attribute(self) -> None:
        inner = helper.make_node("LeakyRelu", ["a"], ["t"])
        inner.attribute.add(name="alpha", ref_attr_name="alpha", type=AttributeProto.FLOAT)
        module = imported(self.proto([inner, helper.make_node("Add", ["t", "t"], ["b"])]))
        (got,) = results(module, x=np.asarray([-2, 0, 3], np.float32))
        np.testing.assert_array_equal(got, [-2, 0, 6])
        assert "call/" in str(next(iter(module.main.ops)).location)

    def test_a_function_that_calls_itself(self) -> None:
        assert codes(refused(self.proto([helper.make_node("Twice", ["a"], ["b"], domain="my")]))) == ["F021"]


@pytest.mark.parametrize("kind", [AttributeProto.INTS, AttributeProto.TENSORS])
def test_an_empty_list_instead_of_a_word(kind: AttributeProto.AttributeType) -> None:
    """An attribute of an operator that is read through its definition, which takes its type from its value."""
    loss = node("SoftmaxCrossEntropyLoss", "x l", "y", reduction="sum")
    proto = model([loss], {"x": (2, 3)}, ["y"], {"l": np.asarray([0, 1])})
    attribute = proto.graph.node[0].attribute[0]
    attribute.type = kind
    attribute.ClearField("s")
    assert codes(refused(proto)) == ["F002"]

"""Shapes: what exporters compute with operators is known while compiling, as numbers or by the names of sizes."""

from __future__ import annotations

import numpy as np
import pytest
from nhwcc.compiler.diagnostics import CompileError
from nhwcc.compiler.ir import Module
from onnx_models import codes, imported, model, node, results

CHAIN = [
    node("Shape", "x", "shape"),
    node("Gather", "shape zero", "batch", axis=0),
    node("Unsqueeze", "batch axis", "batch1"),
    node("Concat", "batch1 rest", "target", axis=0),
    node("Reshape", "x target", "y"),
]
CHAIN_CONSTANTS = {"zero": np.asarray(0), "axis": np.asarray([0]), "rest": np.asarray([-1])}


def kinds(module: Module) -> list[str]:
    return [op.spec.name for op in module.walk()]


def returned(module: Module) -> list[str]:
    return [str(v.type) for v in module.main.returns]


def test_a_chain_of_numbers_vanishes() -> None:
    module = imported(model(CHAIN, {"x": (2, 3, 4)}, ["y"], CHAIN_CONSTANTS))
    assert kinds(module) == ["reshape", "return"] and returned(module) == ["f32[2,12]"]


def test_a_chain_of_names_vanishes() -> None:
    module = imported(model(CHAIN, {"x": ("batch", 3, "h")}, ["y"], CHAIN_CONSTANTS))
    assert kinds(module) == ["reshape", "return"] and returned(module) == ["f32[batch,3*h]"]
    x = np.arange(24, dtype=np.float32).reshape(2, 3, 4)
    np.testing.assert_array_equal(results(module, x=x)[0], x.reshape(2, 12))


def test_resize_to_the_size_of_another_tensor() -> None:
    nodes = [
        node("Shape", "x", "all"),
        node("Slice", "all two four axis", "hw"),
        node("Shape", "small", "s"),
        node("Slice", "s none two axis", "nc"),
        node("Concat", "nc hw", "sizes", axis=0),
        node("Resize", "small _ _ sizes", "y", mode="linear"),
    ]
    constants = {"none": np.asarray([0]), "two": np.asarray([2]), "four": np.asarray([4]), "axis": np.asarray([0])}
    inputs = {"x": (1, 3, "h", "w"), "small": (1, 3, "a", "b")}
    module = imported(model(nodes, inputs, ["y"], constants))
    assert kinds(module) == ["resize", "return"] and returned(module) == ["f32[1,3,h,w]"]


def test_float_arithmetic_on_sizes() -> None:
    """Old exporters compute sizes in floats: cast, multiply, floor, cast back."""
    nodes = [
        node("Shape", "x", "s"),
        node("Cast", "s", "f", to=1),
        node("Mul", "f two", "g"),
        node("Floor", "g", "h"),
        node("Cast", "h", "i", to=7),
        node("Expand", "one i", "y"),
    ]
    module = imported(model(nodes, {"x": ("n", 3)}, ["y"], {"two": np.float32(2), "one": np.float32(1)}))
    assert returned(module) == ["f32[2*n,6]"]


@pytest.mark.parametrize("stated", [(7, 7), (3,), ("a", "b", "c")])
def test_stated_shapes_of_results_are_hints(stated: tuple[int | str, ...]) -> None:
    proto = model([node("Relu", "x", "y")], {"x": (2, 3)}, ["y"])
    proto.graph.output[0].type.tensor_type.elem_type = 1
    for d in stated:
        dim = proto.graph.output[0].type.tensor_type.shape.dim.add()
        if isinstance(d, int):
            dim.dim_value = d
        else:
            dim.dim_param = d
    assert returned(imported(proto)) == ["f32[2,3]"]


@pytest.mark.parametrize("open_size", [None, 0, -1, "?", ""])
def test_sizes_that_nobody_knows_get_names(open_size: int | str | None) -> None:
    module = imported(model([node("Relu", "x", "y")], {"x": (open_size, 3, "n")}, ["y"]))
    assert returned(module) == ["f32[d0,3,n]"]


def test_shapes_fix_sizes_everywhere() -> None:
    proto = model([node("Add", "x y", "z")], {"x": ("batch", 4), "y": ("batch", 1)}, ["z"])
    module = imported(proto, shapes={"x": (8, 4)})
    assert [str(a.type) for a in module.main.args] == ["f32[8,4]", "f32[8,1]"]
    assert returned(imported(proto, shapes={"x": ("n", 4)})) == ["f32[max(batch,n),4]"]


@pytest.mark.parametrize("shape", [(1, 2, 3), (-1, 4)])
def test_shapes_that_can_not_be_given(shape: tuple[int, ...]) -> None:
    with pytest.raises(CompileError) as caught:
        imported(model([node("Relu", "x", "y")], {"x": ("n", 4)}, ["y"]), shapes={"x": shape})
    assert codes(caught.value) == ["F019"]


def test_an_input_that_is_given_a_value() -> None:
    proto = model([node("DFT", "x target", "y")], {"x": (2, 6, 1), "target": ()}, ["y"])
    proto.graph.input[1].type.tensor_type.elem_type = 7
    with pytest.raises(CompileError) as caught:
        imported(proto)
    assert codes(caught.value) == ["F004"] and caught.value.diagnostics[0].inputs == ("target",)
    module = imported(proto, values={"target": np.asarray(4)})
    assert returned(module) == ["f32[2,4,2]"] and [p.name for p in module.main.inputs] == ["x"]


class TestCutting:
    PROTO = model(
        [node("Relu", "x", "a"), node("Neg", "a", "b"), node("Add", "b x", "c"), node("Exp", "b", "d")],
        {"x": (2, "n")},
        ["c", "d"],
    )

    def test_between_two_tensors(self) -> None:
        module = imported(self.PROTO, inputs=["a"], outputs=["d"])
        assert kinds(module) == ["neg", "exp", "return"]
        assert [p.name for p in module.main.inputs] == ["a"] and str(module.main.args[0].type) == "f32[2,n]"

    def test_at_inner_outputs(self) -> None:
        module = imported(self.PROTO, outputs=["b", "a"])
        assert [p.name for p in module.main.outputs] == ["b", "a"] and kinds(module) == ["relu", "neg", "return"]

    def test_with_another_shape(self) -> None:
        assert returned(imported(self.PROTO, inputs=["a"], outputs=["d"], shapes={"a": (5,)})) == ["f32[5]"]

    @pytest.mark.parametrize(
        "options",
        [{"outputs": ["nope"]}, {"inputs": ["nope"]}, {"shapes": {"nope": (1,)}}, {"values": {"nope": np.ones(1)}}],
    )
    def test_names_that_are_not_there(self, options: dict[str, object]) -> None:
        with pytest.raises(CompileError) as caught:
            imported(self.PROTO, **options)
        assert codes(caught.value) == ["F018"]

    def test_a_cut_that_leaves_an_input_out(self) -> None:
        with pytest.raises(CompileError) as caught:
            imported(self.PROTO, inputs=["a"], outputs=["c"])
        assert codes(caught.value) == ["F018"] and "x" in str(caught.value)

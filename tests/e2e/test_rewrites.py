"""What rewrites must not lose: activations, bounds, signs, types and shapes; and what they must still find."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
import torch
from agreement import agrees, contrib_node
from nhwcc.compiler.types import Array
from onnx import ModelProto, NodeProto, TensorProto
from onnx_models import model
from torch import nn

import nhwcc


def node(op: str, inputs: str, outputs: str, **attributes: Any) -> NodeProto:
    """A node of ONNX's own, named after what it writes."""
    return contrib_node(op, inputs, outputs, "", **attributes)


X = np.asarray([[-7.0, -0.5, 0.5, 7.0]], np.float32)
IMAGE = np.random.default_rng(0).normal(0, 4, (1, 3, 5, 5)).astype(np.float32)
ONES, ZEROS = np.ones(3, np.float32), np.zeros(3, np.float32)

ACTIVATIONS = {
    "relu": [node("Relu", "n", "y")],
    "relu6": [node("Clip", "n zero six", "y")],
    "relu_n1_to_1": [node("Clip", "n minus one", "y")],
    "hardtanh": [node("Clip", "n minus six", "y")],
}
BOUNDS = {"zero": np.float32(0), "one": np.float32(1), "minus": np.float32(-1), "six": np.float32(6)}
SCALE, SHIFT = ONES[:, None, None], ZEROS[:, None, None]
NORMS = {
    "batch": ([node("BatchNormalization", "x o z z o", "n")], {"o": ONES, "z": ZEROS}),
    "exact": ([node("BatchNormalization", "x o z z o", "n", epsilon=0.0)], {"o": ONES, "z": ZEROS}),
    "affine": (
        [node("Mul", "x c", "m"), node("Add", "m d", "n")],
        {"c": SCALE, "d": SHIFT},
    ),
    "quotient": (
        [node("Div", "x c", "m"), node("Sub", "m d", "n")],
        {"c": SCALE, "d": SHIFT},
    ),
}


@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize("norm", NORMS)
def test_norms_as_initialised_keep_the_activation(norm: str, activation: str) -> None:
    nodes, constants = NORMS[norm]
    proto = model([*nodes, *ACTIVATIONS[activation]], {"x": IMAGE.shape}, ["y"], {**constants, **BOUNDS})
    ops = agrees(proto, {"x": IMAGE})
    if norm != "batch" and activation != "hardtanh":
        assert sum(ops.values()) == 1


@pytest.mark.parametrize("activation", [nn.ReLU(), nn.ReLU6(), nn.Hardtanh(), nn.Hardtanh(-2, 3)], ids=str)
def test_norms_of_pytorch_as_initialised(activation: nn.Module) -> None:
    network = nn.Sequential(nn.BatchNorm2d(3), activation, nn.BatchNorm2d(3, eps=0), activation).eval()
    x = torch.tensor(IMAGE)
    (got,) = nhwcc.compile(network, args=(x,), io_layout="keep", verify=False)(IMAGE).values()
    np.testing.assert_allclose(got, network(x).detach().numpy(), rtol=1e-5, atol=1e-6)


def scalars(**values: float) -> dict[str, Array]:
    return {name: np.asarray(value, np.float32) for name, value in values.items()}


FLOATS: dict[str, tuple[Sequence[NodeProto], dict[str, Any]]] = {
    "a quotient undone, then a clamp": (
        [node("Mul", "x a", "p"), node("Div", "p a", "q"), node("Clip", "q l h", "y")],
        scalars(a=4, l=0, h=6),
    ),
    "a sum undone, then a clamp": (
        [node("Add", "x a", "p"), node("Add", "p b", "q"), node("Relu", "q", "y")],
        scalars(a=2, b=-2),
    ),
    "a clamp from both sides beside a ReLU": (
        [node("Relu", "x", "r"), node("Clip", "x l h", "c"), node("Mul", "c a", "m"), node("Add", "r m", "y")],
        scalars(l=-1, h=0, a=0.5),
    ),
    "a lower bound beyond all numbers": ([node("Clip", "x l", "y")], scalars(l=np.inf)),
    "an upper bound below all numbers": ([node("Clip", "x _ h", "y")], scalars(h=-np.inf)),
    "bounds that cross": ([node("Clip", "x l h", "y")], scalars(l=3, h=-3)),
    "bounds that cross after a ReLU": ([node("Clip", "x l h", "c"), node("Relu", "c", "y")], scalars(l=3, h=-3)),
    "a bias of higher rank": (
        [node("MatMul", "x w", "m"), node("Add", "m b", "y")],
        {"w": np.ones((4, 3), np.float32), "b": np.ones((1, 1, 3), np.float32)},
    ),
    "a scale of higher rank": (
        [node("LayerNormalization", "x s", "n"), node("Mul", "n t", "y")],
        {"s": np.ones(4, np.float32), "t": np.full((2, 1, 4), 2, np.float32)},
    ),
}


@pytest.mark.parametrize("what", FLOATS)
def test_floats(what: str) -> None:
    nodes, constants = FLOATS[what]
    agrees(model(nodes, {"x": (1, 4)}, ["y"], constants), {"x": X})


def whole(**values: int) -> dict[str, Array]:
    return {name: np.asarray(value, np.int32) for name, value in values.items()}


SIXTH = [node("Add", "x three", "r"), node("Clip", "r zero six", "c")]
INTEGERS: dict[str, Sequence[NodeProto]] = {
    "a hard sigmoid": [*SIXTH, node("Div", "c six", "y")],
    "a hard swish": [*SIXTH, node("Mul", "x c", "m"), node("Div", "m six", "y")],
    "a quotient of a product": [node("MatMul", "x w", "m"), node("Div", "m six", "y")],
    "a root of squares": [node("ReduceL2", "x", "y")],
    "a clamp": [node("Add", "x zero", "a"), node("Clip", "a zero six", "y")],
}


@pytest.mark.parametrize("what", INTEGERS)
def test_integers(what: str) -> None:
    constants = whole(zero=0, three=3, six=6) | {"w": np.arange(20, dtype=np.int32).reshape(5, 4)}
    proto = model(INTEGERS[what], {"x": (1, 5)}, ["y"], constants, element=TensorProto.INT32)
    agrees(proto, {"x": np.asarray([[-5, 0, 3, 4, 5]], np.int32)})


def gelu(form: str, reader: NodeProto) -> ModelProto:
    """An error function by hand, read by what could take constant factors into its weights."""
    forms = {
        "first": [node("Mul", "x half", "h"), node("Mul", "h p", "g")],
        "last": [node("Mul", "x p", "h"), node("Mul", "h half", "g")],
        "inside": [node("Mul", "p half", "h"), node("Mul", "x h", "g")],
    }
    nodes = [node("Div", "x root", "d"), node("Erf", "d", "e"), node("Add", "e one", "p"), *forms[form], reader]
    weights = np.random.default_rng(1).normal(size=(4, 4)).astype(np.float32)
    constants = {"w": weights[..., None, None] if reader.op_type == "Conv" else weights}
    shape = (1, 4, 6, 6) if reader.op_type == "Conv" else (2, 4)
    return model(nodes, {"x": shape}, ["y"], {**constants, **scalars(half=0.5, root=2**0.5, one=1)})


@pytest.mark.parametrize("form", ["first", "last", "inside"])
@pytest.mark.parametrize("reader", [node("Conv", "g w", "y"), node("MatMul", "g w", "y")], ids=lambda n: n.op_type)
def test_a_gelu_is_one_whatever_reads_it(form: str, reader: NodeProto) -> None:
    ops = nhwcc.compile(gelu(form, reader), verify=False).report.ops_after
    assert ops["GELU"] == 1
    assert sum(ops.values()) == 2

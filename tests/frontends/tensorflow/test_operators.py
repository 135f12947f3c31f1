"""Every operator against TensorFlow, one small graph each; and every handler's signature against the schema."""

# TensorFlow has no types
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false
# pyright: reportMissingImports=false, reportMissingTypeStubs=false, reportUnknownLambdaType=false

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from nhwcc.formats.message import Message
from nhwcc.formats.tensorflow.model import read_attribute
from nhwcc.formats.tensorflow.tensors import ElementType, Store
from nhwcc.frontends.tensorflow import import_tensorflow
from nhwcc.frontends.tensorflow.registry import HANDLERS

from .building import check_same, given_types, graph_of, interpreted, random_for, raw, session_of
from .cases import CASES, Case

pytest.importorskip("tensorflow", reason="TensorFlow is what operators are compared with")

SIZES = {"batch": 3, "height": 11}


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.title)
def test_operators(case: Case) -> None:
    graph, names = graph_of(raw(case.op, **case.attributes), case.operands)
    names = names[: case.results]
    rng = np.random.default_rng(1)
    feeds = {name: random_for(type, rng, SIZES) for name, type in given_types(case.operands).items()}
    want = session_of(graph, names, feeds)
    module = import_tensorflow(graph.as_graph_def().SerializeToString(), outputs=names)
    for name, got, expected in zip(names, interpreted(module, feeds), want, strict=True):
        check_same(got, expected, case.slack, f"{case.title}: {name}")


BY_DATA: list[tuple[Case, list[list[Any]]]] = [
    (
        Case("StridedSlice", ("f32[4,5,6]", "i32[3]", "i32[3]", "i32[3]"), masks),
        [
            [[1, 0, 2], [3, 5, 6], [1, 2, 3]],
            [[-1, 4, 5], [-9, 0, 1], [1 if "shrink_axis_mask" in masks else -2, -1, -1]],
            [[0, 9, 0], [4, -9, 6], [1, -3, 1]],
        ],
    )
    for masks in ({}, {"begin_mask": 3, "end_mask": 1}, {"shrink_axis_mask": 1}, {"ellipsis_mask": 2})
] + [
    (Case(op, ("f32[2,3,4]", "i32[1]"), {"keep_dims": keep}), [[[0]], [[1]], [[-1]]])
    for op in ("Mean", "EuclideanNorm", "Max")
    for keep in (True, False)
]
BY_DATA.extend(
    [
        (Case("Cumsum", ("f32[2,3,4]", "i32[]"), {"exclusive": True}), [[0], [1], [-1]]),
        (Case("ExpandDims", ("f32[2,3,4]", "i32[]")), [[0], [2], [-1]]),
    ]
)


@pytest.mark.parametrize(("case", "given"), BY_DATA, ids=lambda v: v.title if isinstance(v, Case) else "")
def test_axes_and_strides_that_are_data(case: Case, given: list[Any]) -> None:
    graph, names = graph_of(raw(case.op, **case.attributes), case.operands)
    module = import_tensorflow(graph.as_graph_def().SerializeToString(), outputs=names)
    x = random_for(given_types(case.operands)["x0"], np.random.default_rng(1))
    for values in given:
        feeds = {"x0": x} | {f"x{i}": np.asarray(v, np.int32) for i, v in enumerate(values, start=1)}
        (want,), (got,) = session_of(graph, names, feeds), interpreted(module, feeds)
        check_same(got, want, 1e-6, f"{case.title} of {values}")


FILTER, SCALE = (np.random.default_rng(3).standard_normal(shape).astype(np.float32) for shape in ((3, 3, 3, 4), (3,)))
LAST, FIRST = "f32[2,7,8,3]", "f32[2,3,7,8]"

CHANNELS_FIRST = [
    Case("Conv2D", (LAST, FILTER), {"strides": [1, 2, 1, 1], "padding": "SAME"}),
    Case("Conv2D", (LAST, FILTER), {"strides": [1, 1, 1, 1], "padding": "VALID", "dilations": [1, 2, 1, 1]}),
    Case(
        "Conv2D",
        (LAST, FILTER),
        {"strides": [1, 1, 1, 1], "padding": "EXPLICIT", "explicit_paddings": [0, 0, 1, 2, 0, 1, 0, 0]},
    ),
    Case("DepthwiseConv2dNative", (LAST, FILTER), {"strides": [1, 2, 2, 1], "padding": "SAME"}),
    Case("MaxPool", (LAST,), {"ksize": [1, 2, 3, 1], "strides": [1, 2, 1, 1], "padding": "SAME"}),
    Case("AvgPool", (LAST,), {"ksize": [1, 2, 3, 1], "strides": [1, 2, 1, 1], "padding": "SAME"}),
    Case("FusedBatchNormV3", (LAST, SCALE, SCALE, SCALE, SCALE**2), {"is_training": False}, results=1),
    Case("BiasAdd", (LAST, SCALE)),
    Case("SpaceToDepth", ("f32[2,6,8,3]",), {"block_size": 2}),
    Case("DepthToSpace", ("f32[2,6,8,8]",), {"block_size": 2}),
]
PERM = (0, 3, 1, 2)


@pytest.mark.parametrize("case", CHANNELS_FIRST, ids=lambda case: case.title)
def test_channels_first(case: Case) -> None:
    """TensorFlow's kernels for CPUs take channels last; what they compute is what the other format computes."""
    graph, names = graph_of(raw(case.op, **case.attributes), case.operands)
    (type,) = given_types(case.operands).values()
    x = random_for(type, np.random.default_rng(1))
    (want, *_) = session_of(graph, names[:1], {"x0": x})
    more = {
        key: value if key not in ("strides", "ksize", "dilations") else [value[axis] for axis in PERM]
        for key, value in case.attributes.items()
    }
    if "explicit_paddings" in more:
        pads = np.reshape(more["explicit_paddings"], (4, 2))
        more["explicit_paddings"] = pads[list(PERM)].reshape(-1).tolist()
    first = str(type.with_shape([type.shape[axis] for axis in PERM]))
    moved, names = graph_of(raw(case.op, data_format="NCHW", **more), (first, *case.operands[1:]))
    module = import_tensorflow(moved.as_graph_def().SerializeToString(), outputs=names[:1])
    (got,) = interpreted(module, {"x0": x.transpose(PERM)})
    check_same(got, want.transpose(PERM), 1e-5, case.title)


LENGTHS_AND_TYPES = frozenset({"type", "list(type)"})
"""Kinds of attributes that say which types inputs and results have."""

TYPES_THAT_COUNT = {
    "ArgMax": {"output_type"},
    "ArgMin": {"output_type"},
    "BatchMatMulV3": {"Tout"},
    "Bitcast": {"type"},
    "Cast": {"DstT"},
    "LowerBound": {"out_type"},
    "Multinomial": {"output_dtype"},
    "RandomStandardNormal": {"dtype"},
    "RandomUniform": {"dtype"},
    "Shape": {"out_type"},
    "ShapeN": {"out_type"},
    "Size": {"out_type"},
    "TopKV2": {"index_type"},
    "Unique": {"out_idx"},
    "UniqueV2": {"out_idx"},
    "UniqueWithCounts": {"out_idx"},
    "UpperBound": {"out_type"},
}
"""Attributes that decide about the type of a result, and that no input says."""


@pytest.mark.parametrize("name", sorted(HANDLERS))
def test_signatures(name: str) -> None:
    """A handler takes the inputs of the schema, and every attribute that inputs do not tell, with its default."""
    from tensorflow.python.framework import op_def_registry

    entry, schema = HANDLERS[name], op_def_registry.get(name)
    assert schema is not None, "there is no such operator"
    lists = [bool(argument.number_attr or argument.type_list_attr) for argument in schema.input_arg]
    assert [p.item is not None for p in entry.operands] == lists
    outputs = tuple(argument.name for argument in schema.output_arg)
    is_single = len(outputs) < 2
    assert entry.outputs == (() if is_single else outputs)
    counts = {argument.number_attr for argument in (*schema.input_arg, *schema.output_arg)}
    known = {attribute.name: attribute for attribute in schema.attr}
    assert entry.attributes.keys() <= known.keys()
    for attribute in schema.attr:
        says = attribute.type not in LENGTHS_AND_TYPES and attribute.name not in counts - {"num", "num_split"}
        if not says and attribute.name not in TYPES_THAT_COUNT.get(name, ()):
            continue
        assert attribute.name in entry.attributes, f"the attribute {attribute.name} is not read"
        parameter = entry.attributes[attribute.name]
        assert parameter.is_required == (not attribute.HasField("default_value")), attribute.name
        if not parameter.is_required and attribute.type not in ("shape", "list(shape)"):
            assert parameter.default == _default(attribute.default_value), attribute.name


def _default(value: Any) -> Any:
    """Return the default that a schema states, as the registry converts it."""
    read = read_attribute(Message(memoryview(value.SerializeToString())), Store(b""))
    if isinstance(read, ElementType):
        return read.dtype
    return pytest.approx(read) if isinstance(read, float) else read


def _parts(x: Any) -> Any:
    import tensorflow as tf

    return tf.abs(x), tf.math.real(x), tf.math.imag(x)


def _transforms() -> dict[str, Any]:
    import tensorflow as tf

    return {
        "rfft": lambda x: _parts(tf.signal.rfft(x)),
        "rfft-cut": lambda x: _parts(tf.signal.rfft(x, [4])),
        "rfft-filled": lambda x: _parts(tf.signal.rfft(x, [12])),
        "rfft2d": lambda x: _parts(tf.signal.rfft2d(x)),
        "fft": lambda x: _parts(tf.signal.fft(tf.complex(x, x * 2))),
        "ifft2d": lambda x: _parts(tf.signal.ifft2d(tf.math.conj(tf.complex(x, x + 1)))),
        "angle": lambda x: tf.math.angle(tf.complex(x, x * x)),
        "stft": lambda x: tf.abs(tf.signal.stft(tf.reshape(x, (1, -1)), 8, 4)),
    }


@pytest.mark.parametrize("name", ["rfft", "rfft-cut", "rfft-filled", "rfft2d", "fft", "ifft2d", "angle", "stft"])
def test_complex_numbers(name: str) -> None:
    """They exist between operators only, as pairs of real ones."""
    graph, names = graph_of(_transforms()[name], ("f32[3,5,7]",))
    feeds = {"x0": np.random.default_rng(1).standard_normal((3, 5, 7)).astype(np.float32)}
    module = import_tensorflow(graph.as_graph_def().SerializeToString(), outputs=names)
    for got, want in zip(interpreted(module, feeds), session_of(graph, names, feeds), strict=True):
        check_same(got, want, 1e-5, name)

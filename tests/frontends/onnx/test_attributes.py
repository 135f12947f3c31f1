"""Every attribute at a value that is not its default, on shapes without symmetries, against onnxruntime."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import onnxruntime
import pytest
from nhwcc.compiler.diagnostics import CompileError
from nhwcc.compiler.types import Array
from nhwcc.frontends.onnx import import_onnx
from onnx import helper, parser
from onnx_models import imported, model, node, results

ort: Any = onnxruntime  # options are a class of native code, without types

GATES = {"lstm": 4, "gru": 3, "rnn": 1}
FEATURES, HIDDEN, STEPS, BATCH = 4, 5, 3, 2


@dataclass(frozen=True)
class Case:
    """A node: operator, names of operands (``_`` for none), shapes or values of these, attributes, names of results."""

    op: str
    names: str
    shapes: dict[str, tuple[int, ...]]
    values: dict[str, Any] = field(default_factory=lambda: dict[str, Any]())
    attributes: dict[str, Any] = field(default_factory=lambda: dict[str, Any]())
    outputs: str = "y"
    version: int = 18

    def __str__(self) -> str:
        return f"{self.op}-{'-'.join(self.attributes)}"


def case(op: str, names: str, shapes: str, /, outputs: str = "y", version: int = 18, **given: Any) -> Case:
    """A case of one line: shapes as ``2,3 4``; what is an array among ``given`` is a value, else an attribute."""
    drawn = [tuple(int(d) for d in s.split(",") if d) for s in shapes.replace("()", ",").split()]
    values: dict[str, Any] = {n: v for n, v in given.items() if isinstance(v, np.ndarray | np.generic)}
    free = [n for n in names.split() if n != "_" and n not in values]
    return Case(
        op,
        names,
        dict(zip(free, drawn, strict=True)),
        values,
        {n: v for n, v in given.items() if n not in values},
        outputs,
        version,
    )


def ints(*values: int) -> Array:
    return np.asarray(values, np.int64)


def floats(values: Any) -> Array:
    return np.asarray(values, np.float32)


def scalar(value: float) -> Any:
    return np.float32(value)


def recurrent(op: str, names: str = "x w r", outputs: str = "y h", directions: int = 1, **given: Any) -> Case:
    """A recurrent layer; its operands have the sizes that their names stand for."""
    rows = GATES[op.lower()] * HIDDEN
    sizes = {
        "x": (STEPS, BATCH, FEATURES),
        "w": (directions, rows, FEATURES),
        "r": (directions, rows, HIDDEN),
        "b": (directions, 2 * rows),
        "h0": (directions, BATCH, HIDDEN),
        "c0": (directions, BATCH, HIDDEN),
        "p": (directions, 3 * HIDDEN),
    }
    values = {"n": np.asarray([1, 3], np.int32)} if " n" in names else {}
    shapes = {n: sizes[n] for n in names.split() if n != "_" and n not in values}
    return Case(op, names, shapes, values, {"hidden_size": HIDDEN, **given}, outputs, 18)


TWO: dict[str, Any] = {"direction": "bidirectional", "directions": 2}
EIGHTS = np.asarray([[3, 200, 7], [90, 0, 255], [128, 127, 31]], np.uint8)

WINDOWS = [
    case("Conv", "x w", "1,2,7,8 3,2,2,3", pads=[1, 0, 0, 2], strides=[2, 1]),
    case("Conv", "x w", "1,2,7,8 3,2,2,3", dilations=[2, 3], kernel_shape=[2, 3]),
    case("Conv", "x w b", "1,4,7,8 6,2,2,3 6", group=2),
    case("Conv", "x w", "1,2,7,8 3,2,2,2", auto_pad="SAME_LOWER", strides=[1, 3]),
    case("Conv", "x w", "1,2,7,8 3,2,3,4", auto_pad="SAME_UPPER", strides=[2, 1]),
    case("Conv", "x w", "1,2,7,8 3,2,3,4", auto_pad="VALID"),
    case("ConvTranspose", "x w b", "1,2,5,6 2,3,3,4 3", pads=[0, 1, 2, 1], strides=[2, 3]),
    case("ConvTranspose", "x w", "1,2,5,6 2,3,3,4", output_padding=[1, 0], strides=[2, 2]),
    case("ConvTranspose", "x w", "1,2,5,6 2,3,3,3", auto_pad="SAME_UPPER", strides=[2, 2]),
    case("ConvTranspose", "x w", "1,2,5,6 2,3,3,3", auto_pad="SAME_LOWER", strides=[2, 2]),
    case("ConvTranspose", "x w", "1,4,5,6 4,3,2,3", group=2, dilations=[2, 1]),
    case("ConvTranspose", "x w", "1,2,5,6 2,3,3,3", output_shape=[10, 11], strides=[2, 2]),
    case("MaxPool", "x", "1,2,6,7", kernel_shape=[3, 2], strides=[2, 2], ceil_mode=1),
    case("MaxPool", "x", "1,2,7,8", kernel_shape=[3, 2], dilations=[2, 3], pads=[1, 0, 0, 1]),
    case("MaxPool", "x", "1,2,6,7", "y i", kernel_shape=[3, 2], strides=[2, 1], storage_order=1),
    case("MaxPool", "x", "1,2,6,7", "y i", kernel_shape=[3, 2], pads=[1, 1, 0, 0]),
    case("MaxPool", "x", "1,2,6,7", kernel_shape=[3, 2], auto_pad="SAME_LOWER"),
    case("AveragePool", "x", "1,2,6,7", kernel_shape=[3, 3], pads=[1, 1, 1, 1], count_include_pad=1),
    case("AveragePool", "x", "1,2,7,9", kernel_shape=[3, 2], strides=[2, 2], ceil_mode=1, pads=[1, 0, 0, 1]),
    case("AveragePool", "x", "1,2,7,8", version=19, kernel_shape=[3, 2], dilations=[2, 3]),
    case("LpPool", "x", "1,2,6,7", kernel_shape=[3, 2], p=3, strides=[2, 1], pads=[1, 0, 0, 1]),
    case("GlobalLpPool", "x", "1,2,6,7", p=3),
]
NORMS = [
    case("BatchNormalization", "x s b m v", "2,4,5 4 4 4", v=floats([0.1, 0.6, 2, 1.4]), epsilon=0.7),
    case(
        *("BatchNormalization", "x s b m v", "2,4,5 4 4 4", "y p q"),
        v=floats([0.1, 0.6, 2, 1.4]),
        training_mode=1,
        momentum=0.8,
    ),
    case("InstanceNormalization", "x s b", "2,4,5 4 4", epsilon=0.7),
    case("GroupNormalization", "x s b", "2,6,5 2 2", num_groups=2, epsilon=0.7),
    case("GroupNormalization", "x s b", "2,6,5 6 6", version=21, num_groups=2, epsilon=0.7),
    case("LayerNormalization", "x s b", "2,3,4 3,4 3,4", axis=1, epsilon=0.7),
    case("LayerNormalization", "x s", "2,3,4 4", "y m d", epsilon=0.7),
    case("LRN", "x", "2,6,3,5", size=3, alpha=0.5, beta=0.6, bias=2.0),
    case("MeanVarianceNormalization", "x", "2,3,4,5", axes=[0, 2]),
    case("LpNormalization", "x", "2,3,4", axis=1, p=1),
]
RECURRENT = [
    recurrent("LSTM", "x w r b n h0 c0 p", "y h c"),
    recurrent("LSTM", "x w r b", "y h c", clip=0.4, **TWO),
    recurrent("LSTM", "x w r b", "y h c", direction="reverse", activations=["HardSigmoid", "Relu", "Tanh"]),
    recurrent("LSTM", "x w r", "y h c", input_forget=1),
    recurrent("GRU", "x w r b n h0", linear_before_reset=1),
    recurrent("GRU", "x w r b _ h0", **TWO),
    recurrent("GRU", "x w r b", direction="reverse", activations=["HardSigmoid", "Softsign"], linear_before_reset=1),
    recurrent(
        "GRU", "x w r", clip=0.4, activations=["HardSigmoid", "Tanh"], activation_alpha=[0.3], activation_beta=[0.4]
    ),
    recurrent("RNN", "x w r b _ h0", activations=["Tanh", "Relu"], **TWO),
    recurrent("RNN", "x w r b n", activations=["LeakyRelu"], activation_alpha=[0.3], clip=0.7),
]
SHAPES = [
    case("Transpose", "x", "2,3,4", perm=[1, 2, 0]),
    case("Transpose", "x", "2,3,4"),
    case("Concat", "x z", "2,3,4 2,5,4", axis=-2),
    case("Split", "x", "2,7", "y z", axis=1, num_outputs=2),
    case("Split", "x k", "7,2", "y z", k=ints(3, 4)),
    case("Slice", "x s e a t", "2,9,3", s=ints(7), e=ints(-1000), a=ints(1), t=ints(-2)),
    case("Slice", "x s e a t", "2,9,3", s=ints(8), e=ints(-1000), a=ints(1), t=ints(-2)),
    case("Slice", "x s e a t", "2,9,3", s=ints(7), e=ints(1), a=ints(-2), t=ints(-4)),
    case("Slice", "x s e a t", "2,9,3", s=ints(1), e=ints(8), a=ints(1), t=ints(3)),
    case("Slice", "x s e", "9,3", s=ints(-4), e=ints(-1)),
    case("Slice", "x s e", "9,3", s=ints(2), e=ints(1000)),
    case("Pad", "x p v a", "2,3,4", p=ints(1, 0, 0, 2), v=scalar(1.5), a=ints(0, 2)),
    case("Pad", "x p", "2,3,4", p=ints(1, 0, 2, 0, 2, 1), mode="reflect"),
    case("Pad", "x p", "2,3,4", p=ints(1, 0, 2, 0, 2, 1), mode="edge"),
    case("Shape", "x", "2,3,4,5", start=1, end=-1),
    case("Flatten", "x", "2,3,4", axis=2),
    case("DepthToSpace", "x", "1,12,2,3", blocksize=2, mode="CRD"),
    case("DepthToSpace", "x", "1,12,2,3", blocksize=2),
    case("SpaceToDepth", "x", "1,3,4,6", blocksize=2),
    case("Trilu", "x k", "4,5", k=np.int64(1)),
    case("Trilu", "x k", "4,5", k=np.int64(-1), upper=0),
    case("Resize", "x _ _ k", "1,2,5,7", k=ints(1, 2, 8, 11), mode="linear"),
    *(
        case("Resize", "x _ _ k", "1,2,5,7", k=ints(1, 2, 8, 4), mode=mode, coordinate_transformation_mode=how)
        for mode in ("nearest", "linear", "cubic")
        for how in ("asymmetric", "align_corners", "pytorch_half_pixel")
    ),
    *(
        case("Resize", "x _ _ k", "1,1,4,6", k=ints(1, 1, 2, 3), mode="nearest", nearest_mode=mode)
        for mode in ("round_prefer_floor", "round_prefer_ceil", "floor", "ceil")
    ),
    case("Resize", "x _ s", "1,2,5,7", s=floats([1, 1, 1.5, 1.3]), mode="linear"),
    case("Resize", "x _ _ k", "1,2,8,9", k=ints(1, 2, 3, 4), mode="linear", antialias=1),
    case("Resize", "x _ _ k", "1,2,5,7", k=ints(1, 2, 8, 9), mode="cubic", cubic_coeff_a=-0.5, exclude_outside=1),
    *(
        case("Resize", "x _ _ k", "1,2,5,7", k=ints(8, 12), mode="linear", axes=[2, 3], keep_aspect_ratio_policy=policy)
        for policy in ("not_larger", "not_smaller")
    ),
]
INDEXING = [
    case("Gather", "x i", "2,5,3", i=ints(-2, 0, 1), axis=1),
    case("Gather", "x i", "2,6,3", i=np.asarray([[0, 1], [2, 3], [4, 5]]), axis=1),
    case("Gather", "x i", "2,6,3", i=np.asarray([[0, 2, 4], [1, 3, -1]]), axis=1),
    case("Gather", "x i", "2,7,3", i=np.asarray([[0, 2], [1, 3], [2, 4]]), axis=1),
    case("Gather", "x i", "7,2", i=np.asarray([[-7, 2, 4], [3, 5, -1]]), axis=0),
    case("Gather", "x i", "2,3,7", i=np.asarray([[0, 3, 1], [1, 4, 2]]), axis=2),
    case("Gather", "x i", "2,7", i=np.asarray([[0, 3, 1], [1, 4, 5]]), axis=1),
    case("Gather", "x i", "2,7", i=np.asarray([[4, 2], [5, 3]]), axis=1),
    case("GatherElements", "x i", "2,5,3", i=np.asarray([[[1, 4, -1], [0, 2, 3]]]), axis=1),
    case("GatherND", "x i", "2,4,3", i=np.asarray([[1], [-1]]), batch_dims=1),
    case("ScatterElements", "x i u", "4,5 2,5", i=np.asarray([[0, 1, 2, 3, 0], [3, 2, 1, 0, 1]]), reduction="add"),
    case("ScatterElements", "x i u", "3,4 3,2", i=np.asarray([[0, 1], [-1, 2], [3, 1]]), axis=1),
    case("ScatterND", "x i u", "5,2 3,2", i=np.asarray([[4], [0], [4]]), reduction="mul"),
    case("ArgMax", "x", "3,5", axis=1, keepdims=0),
    case("ArgMin", "x", "", x=floats([[1, 0, 0], [2, 2, 1]]), axis=1, select_last_index=1),
    case("ArgMax", "x", "", x=floats([[1, 1, 0], [2, 2, 1]]), axis=0, select_last_index=1),
    case("TopK", "x k", "3,5", "y i", k=ints(2), axis=0, largest=0),
    case("CumSum", "x a", "2,5", a=np.int32(1), exclusive=1),
    case("CumSum", "x a", "2,5", a=np.int32(1), reverse=1),
    case("OneHot", "i d v", "2", i=ints(1, -1, 3), d=np.int64(4), axis=0),
    case("ReverseSequence", "x n", "3,4,2", n=ints(1, 4, 2), batch_axis=0, time_axis=1),
    case("Compress", "x c", "2,4", c=np.asarray([True, False, True]), axis=1),
]
NUMBERS = [
    case("Mod", "x k", "3,4", k=floats([0.3, 0.7, -1.1, 0.2]), fmod=1),
    case("Mod", "x k", "", x=ints(-7, 7, -8, 9), k=ints(3, -3, 3, 4)),
    case("Mod", "x k", "", x=ints(-7, 7, -8, 9), k=ints(3, -3, 3, 4), fmod=1),
    case("Div", "x k", "", x=ints(-7, 7, -8, 9), k=ints(3, -3, 3, 4)),
    case("Clip", "x l", "3,4 ()"),
    case("Clip", "x _ h", "3,4 ()"),
    case("Gemm", "x w c", "5,4 3,5 3", transA=1, transB=1, alpha=0.3, beta=0.7),
    case("Gemm", "x w", "4,4 4,4", transA=1),
    case("LeakyRelu", "x", "3,4", alpha=0.3),
    case("ThresholdedRelu", "x", "3,4", alpha=0.3),
    case("Elu", "x", "3,4", alpha=0.3),
    case("Celu", "x", "3,4", alpha=0.3),
    case("Selu", "x", "3,4", alpha=0.3, gamma=0.7),
    case("Gelu", "x", "3,4", version=20, approximate="tanh"),
    case("HardSigmoid", "x", "3,4", alpha=0.3, beta=0.4),
    case("Shrink", "x", "3,4", lambd=0.3, bias=0.2),
    case("Softmax", "x", "2,3,4", axis=0),
    case("LogSoftmax", "x", "2,3,4", axis=1),
    case("Hardmax", "x", "2,3,4", axis=1),
    case("ReduceMax", "x k", "2,3,4", k=ints(1), keepdims=0),
    case("ReduceMean", "x", "2,3,4"),
    case("ReduceMean", "x", "", x=np.asarray([[-3, -2, 0, 0], [3, 2, 0, 0]], np.int32), keepdims=0),
    case("ReduceSum", "x", "2,3,4", noop_with_empty_axes=1),
    case("ReduceLogSumExp", "x k", "2,3,4", k=ints(0, -1), keepdims=0),
]
QUANTIZED = [
    case("QuantizeLinear", "x s z", "2,3,4", s=floats([0.1, 0.02, 0.5]), z=np.asarray([0, 3, -5], np.int8), axis=1),
    case("QuantizeLinear", "x s z", "3,3", s=floats([0.1, 0.02, 0.5]), z=np.asarray([0, 3, 250], np.uint8), axis=0),
    case(
        "DequantizeLinear", "x s z", "", x=EIGHTS, s=floats([0.1, 0.02, 0.5]), z=np.asarray([0, 3, 9], np.uint8), axis=0
    ),
    case("MatMulInteger", "x w a b", "", x=EIGHTS, w=EIGHTS[::-1], a=np.uint8(3), b=np.asarray([1, 5, 9], np.uint8)),
    case(
        *("QLinearMatMul", "x s z w s z t z", ""),
        x=EIGHTS,
        w=EIGHTS[::-1],
        s=scalar(0.5),
        z=np.uint8(3),
        t=scalar(70),
    ),
    case(
        *("ConvInteger", "x w a b", ""),
        x=EIGHTS[None, None],
        w=EIGHTS[None, None, :2],
        a=np.uint8(3),
        b=np.uint8(9),
        pads=[1, 0, 0, 2],
    ),
]


def feeds(given: Case) -> dict[str, Array]:
    """Random numbers of the shapes, and the values."""
    rng = np.random.default_rng(0)
    drawn: dict[str, Any] = {n: rng.standard_normal(s).astype(np.float32) for n, s in given.shapes.items()}
    return drawn | {n: np.asarray(v) for n, v in given.values.items()}


@pytest.mark.parametrize("given", [*WINDOWS, *NORMS, *RECURRENT, *SHAPES, *INDEXING, *NUMBERS, *QUANTIZED], ids=str)
def test_attributes(given: Case) -> None:
    arrays = feeds(given)
    data = {n: arrays.pop(n) for n in [*given.shapes, *(n for n in given.values if n == "x")]}
    proto = model(
        [node(given.op, given.names, given.outputs, **given.attributes)],
        {},
        given.outputs.split(),
        arrays,
        version=given.version,
    )
    for name, array in data.items():
        proto.graph.input.append(
            helper.make_tensor_value_info(name, helper.np_dtype_to_tensor_dtype(array.dtype), array.shape)
        )
    options = ort.SessionOptions()
    options.log_severity_level = 4
    session = ort.InferenceSession(proto.SerializeToString(), options, providers=["CPUExecutionProvider"])
    module = imported(proto)
    wanted = dict(zip(given.outputs.split(), session.run(given.outputs.split(), data), strict=True))
    got = dict(zip((p.name for p in module.main.outputs), results(module, **data), strict=True))
    for name, want in wanted.items():
        assert (got[name].dtype, got[name].shape) == (want.dtype, want.shape)
        np.testing.assert_allclose(got[name], want, rtol=1e-5, atol=2e-6 * float(np.abs(want).max(initial=1)))


def test_paddings_by_rule_know_dilations() -> None:
    """onnxruntime refuses both together; stated paddings are the measure."""
    arrays = feeds(case("Conv", "x w", "1,2,7,8 3,2,3,3"))
    x = arrays.pop("x")
    stated: dict[str, Any] = {"dilations": [2, 3], "pads": [2, 3, 2, 3]}
    ruled: dict[str, Any] = {"dilations": [2, 3], "auto_pad": "SAME_UPPER"}
    (want,), (got,) = (
        results(imported(model([node("Conv", "x w", "y", **given)], {"x": x.shape}, ["y"], arrays)), x=x)
        for given in (stated, ruled)
    )
    np.testing.assert_allclose(got, want, rtol=1e-6)


def test_words_that_a_definition_does_not_know() -> None:
    """The definition would take any other word for a sum."""
    text = """<ir_version: 8, opset_import: ["" : 17]> g (float[3,5] x, int64[3] t) => (float y) {
        y = NegativeLogLikelihoodLoss <reduction = "median"> (x, t)
    }"""
    with pytest.raises(CompileError, match="the reduction 'median', none of mean, sum, none"):
        import_onnx(parser.parse_model(text))

"""Operators of ``com.microsoft`` against onnxruntime, in the interpreter and in TFLite."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pytest
from agreement import agrees, contrib_model, contrib_node
from local import LocalWorker
from nhwcc.compiler.diagnostics import CompileError
from nhwcc.compiler.types import Array
from onnx import ModelProto
from onnx_models import codes, imported, results

import nhwcc

MS = "com.microsoft"
PLAIN: dict[str, Any] = {}
"""No attributes."""

Nodes = Sequence[tuple[str, str, str, Mapping[str, Any]]]


@pytest.fixture(autouse=True)
def local_runtime(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("nhwcc.runners.tflite.start", LocalWorker)


def drawn(seed: int, *shape: int) -> Array:
    return np.random.default_rng(seed).standard_normal(shape).astype(np.float32)


def whole(seed: int, *shape: int, dtype: Any = np.uint8) -> Array:
    info = np.iinfo(dtype)
    return np.random.default_rng(seed).integers(info.min, info.max + 1, shape).astype(dtype)


def made(
    nodes: Nodes, feed: Mapping[str, Array], constants: Mapping[str, Any] | None = None, *, opens: str = ""
) -> ModelProto:
    """A model of nodes, each with its operator, inputs, outputs and attributes; ``opens`` leave their batch open."""
    built = [contrib_node(op, ins, outs, "" if op.startswith("Simplified") else MS, **a) for op, ins, outs, a in nodes]
    outputs = [name for _, _, outs, _ in nodes for name in outs.split() if name != "_"]
    inputs = {n: (a.dtype, ("n", *a.shape[1:]) if n in opens.split() else a.shape) for n, a in feed.items()}
    return contrib_model(built, inputs, outputs, constants, opsets={"": 17, MS: 1})


def check(
    nodes: Nodes,
    feed: Mapping[str, Array],
    constants: Mapping[str, Any] | None = None,
    *,
    tolerance: float = 1e-5,
    steps: int = 0,
    opens: str = "",
) -> dict[str, int]:
    """All runtimes agree on one feed, and where inputs are open on its first row, too."""
    feeds = [feed, *([{n: a[:1] if n in opens.split() else a for n, a in feed.items()}] if opens else [])]
    return agrees(made(nodes, feed, constants, opens=opens), *feeds, tolerance=tolerance, steps=steps)


def test_activations() -> None:
    nodes = [
        ("Gelu", "x", "a", PLAIN),
        ("BiasGelu", "x b", "b1", PLAIN),
        ("FastGelu", "x", "c", PLAIN),
        ("FastGelu", "x b", "d", PLAIN),
        ("QuickGelu", "x", "e", PLAIN),
        ("QuickGelu", "x", "f", {"alpha": 1.0}),
    ]
    check(nodes, {"x": drawn(0, 3, 8)}, {"b": drawn(1, 8)}, tolerance=1e-4, opens="x")


class TestNormalisation:
    def test_skipped(self) -> None:
        nodes = [
            ("SkipLayerNormalization", "x s g", "a", PLAIN),
            ("SkipLayerNormalization", "x s g b", "c _ _ d", {"epsilon": 1e-3}),
            ("SkipLayerNormalization", "x s g b o", "e _ _ f", PLAIN),
            ("SkipSimplifiedLayerNormalization", "x s g", "h", {"epsilon": 1e-5}),
            ("SkipSimplifiedLayerNormalization", "x s g o", "i _ _ j", {"epsilon": 1e-5}),
            ("SimplifiedLayerNormalization", "x g", "k", PLAIN),
        ]
        constants = {n: drawn(i, 8) for i, n in enumerate("gbo")}
        check(nodes, {"x": drawn(5, 2, 3, 8), "s": drawn(6, 2, 3, 8)}, constants, opens="x s", tolerance=2e-5)

    def test_embedded(self) -> None:
        tables = {"w": drawn(0, 20, 8), "p": drawn(1, 6, 8), "t": drawn(2, 2, 8), "g": drawn(3, 8), "b": drawn(4, 8)}
        feed = {
            "ids": np.random.default_rng(0).integers(0, 20, (2, 5)).astype(np.int32),
            "segments": np.asarray([[0, 0, 1, 1, 1]] * 2, np.int32),
            "mask": np.asarray([[1, 1, 1, 0, 0], [1, 1, 1, 1, 1]], np.int32),
            "places": np.asarray([[2, 1, 0, 3, 5]] * 2, np.int32),
        }
        nodes = [
            ("EmbedLayerNormalization", "ids segments w p t g b mask", "a m", PLAIN),
            ("EmbedLayerNormalization", "ids _ w p _ g b", "c n", {"epsilon": 1e-5}),
            ("EmbedLayerNormalization", "ids segments w p t g b _ places", "d o e", PLAIN),
        ]
        check(nodes, feed, tables, opens="ids segments mask places", tolerance=2e-5)

    def test_embedded_with_tables_of_eight_bits(self) -> None:
        tables: dict[str, Any] = {
            "w": whole(0, 20, 8),
            "p": whole(1, 6, 8),
            "t": whole(2, 2, 8),
            "g": whole(3, 8),
            "b": whole(4, 8),
        }
        for i, name in enumerate("wptgb"):
            tables |= {f"{name}s": np.float32(0.01 * (i + 1)), f"{name}z": np.uint8(120 + i)}
        feed = {
            "ids": np.random.default_rng(0).integers(0, 20, (2, 5)).astype(np.int32),
            "segments": np.asarray([[0, 0, 1, 1, 1]] * 2, np.int32),
            "mask": np.asarray([[1, 1, 1, 0, 0], [1, 1, 1, 1, 1]], np.int32),
        }
        nodes = [
            ("QEmbedLayerNormalization", "ids segments w p t g b mask ws ps ts gs bs wz pz tz gz bz", "a m", PLAIN),
            ("QEmbedLayerNormalization", "ids _ w p _ g b _ ws ps _ gs bs wz pz _ gz bz", "c n", {"epsilon": 1e-5}),
        ]
        check(nodes, feed, tables, tolerance=2e-5)


def test_gated() -> None:
    feed = {"x": drawn(0, 2, 3, 12), "g": drawn(1, 2, 3, 12), "v": drawn(2, 2, 3, 4, 5), "n": drawn(3, 2, 3, 1)}
    nodes = [
        ("GatedRMSNorm", "x s4 g", "a", PLAIN),
        ("GatedRMSNorm", "x s12 g", "b", {"activation": "sigmoid", "epsilon": 1e-3}),
        ("BranchwiseRMSNorm", "v s5", "c", PLAIN),
        ("BranchwiseRMSNorm", "v s45", "d", {"epsilon": 1e-3}),
        ("BranchwiseRMSNorm", "x s12", "e", {"num_branches": 3}),
        ("BranchwiseRMSNorm", "x", "f", {"num_branches": 4}),
        ("GatedAdd", "x g n", "h", PLAIN),
        ("ScaledSiLU", "x", "i", {"alpha": 1.5}),
        ("ScaledSiLU", "x k", "j", PLAIN),
        ("LinearAttentionGate", "x s12 t12 g", "l m", PLAIN),
    ]
    constants = {"s4": drawn(4, 4), "s12": drawn(5, 12), "t12": drawn(6, 12), "s5": drawn(7, 5), "s45": drawn(8, 4, 5)}
    check(nodes, feed, {**constants, "k": np.float32(0.7)}, opens="x g v n")
    refused([("GatedRMSNorm", "x g g", "y", PLAIN)], {"x": drawn(0, 1, 3), "g": drawn(0, 2)}, "T001")
    refused([("GatedRMSNorm", "x g g", "y", {"activation": "relu"})], {"x": drawn(0, 1, 2), "g": drawn(0, 2)}, "F002")


class TestFused:
    def test_matmul(self) -> None:
        nodes = [
            ("FusedMatMul", "a b", "c", {"alpha": 0.5}),
            ("FusedMatMul", "a a", "d", {"transB": 1}),
            ("FusedMatMul", "a a", "e", {"transA": 1}),
            ("FusedMatMul", "a a", "f", {"transBatchA": 1, "transA": 1, "transBatchB": 1}),
            ("TransposeMatMul", "a a", "g", {"transA": 1, "alpha": 2.0}),
        ]
        check(nodes, {"a": drawn(0, 3, 4, 5), "b": drawn(1, 3, 5, 2)})

    def test_gemm(self) -> None:
        nodes = [
            ("FusedGemm", "a b c", "r", {"activation": "Relu", "alpha": 0.5, "beta": 2.0}),
            ("FusedGemm", "a b", "s", {"activation": "LeakyRelu", "activation_alpha": 0.2}),
            ("FusedGemm", "a b c", "t", {"activation": "Sigmoid"}),
            ("FusedGemm", "a b c", "u", {"activation": "HardSigmoid", "activation_alpha": 0.2, "activation_beta": 0.6}),
            ("FusedGemm", "a b c", "v", {"activation": "Tanh"}),
        ]
        check(nodes, {"a": drawn(0, 3, 4)}, {"b": drawn(1, 4, 5), "c": drawn(2, 5)}, opens="a")

    def test_conv(self) -> None:
        nodes = [
            ("FusedConv", "x w b", "a", {"activation": "Relu", "pads": [1, 1, 1, 1]}),
            ("FusedConv", "x w b a", "c", {"activation": "Relu", "pads": [1, 1, 1, 1]}),
            ("FusedConv", "x w", "d", {"activation": "LeakyRelu", "activation_params": [0.25], "strides": [2, 2]}),
            ("FusedConv", "x w b", "e", {"activation": "Clip", "activation_params": [-0.5, 0.5]}),
            ("FusedConv", "x w b", "f", {"activation": "HardSigmoid", "activation_params": [0.2, 0.5]}),
        ]
        check(nodes, {"x": drawn(0, 2, 4, 6, 6)}, {"w": drawn(1, 4, 4, 3, 3), "b": drawn(2, 4)})

    def test_conv_transpose_with_pads(self) -> None:
        attributes = {"strides": [2, 1], "output_padding": [1, 0], "group": 2}
        constants = {"w": drawn(1, 4, 3, 3, 2), "b": drawn(2, 6), "p": np.asarray([1, 0, 0, 1])}
        nodes = [
            ("ConvTransposeWithDynamicPads", "x w p b", "y", attributes),
        ]
        check(nodes, {"x": drawn(0, 2, 4, 6, 5)}, constants)

    def test_nhwc_max_pool(self) -> None:
        attributes = {"kernel_shape": [2, 3], "strides": [2, 1], "pads": [0, 1, 0, 1]}
        ops = check([("NhwcMaxPool", "x", "y", attributes)], {"x": whole(0, 1, 6, 8, 4)})
        assert "TRANSPOSE" not in ops

    def test_what_is_refused(self) -> None:
        refused([("FusedGemm", "a a", "y", {"activation": "Sine"})], {"a": drawn(0, 3, 3)}, "F002")
        refused([("FusedGemm", "a a", "y", {"activation": "LeakyRelu"})], {"a": drawn(0, 3, 3)}, "F002")


def refused(nodes: Nodes, feed: Mapping[str, Array], code: str, constants: Mapping[str, Any] | None = None) -> None:
    with pytest.raises(CompileError) as caught:
        imported(made(nodes, feed, constants))
    assert codes(caught.value) == [code]


def test_earlier_forms() -> None:
    constants = {
        "p": np.asarray([0, 1, 2, 0]), "v": np.float32(1.5), "k": np.asarray(1), "i": np.asarray([[1, 2], [0, 0]])
    }  # fmt: skip
    nodes = [
        ("Pad", "x p v", "a", PLAIN),
        ("Pad", "x p", "b", {"mode": "reflect"}),
        ("Trilu", "x k", "c", {"upper": 0}),
        ("Trilu", "x", "d", PLAIN),
        ("GatherND", "x i", "e", PLAIN),
    ]
    check(nodes, {"x": drawn(0, 4, 5)}, constants)


class TestIntegers:
    """Sums of products are exact; where results are rounded to integers, scales are powers of two."""

    def test_products(self) -> None:
        feed = {"a": whole(0, 3, 6), "s": whole(1, 3, 6, dtype=np.int16)}
        constants = {
            "b": whole(2, 6, 4, dtype=np.int8), "t": whole(3, 6, 4, dtype=np.int16),
            "as": np.float32(0.02), "bs": np.float32(0.05), "bv": np.asarray([0.01, 0.02, 0.03, 0.04], np.float32),
            "az": np.uint8(130), "bz": np.int8(3), "bw": np.asarray([1, 2, -3, 0], np.int8), "bias": drawn(4, 4),
        }  # fmt: skip
        nodes = [
            ("MatMulIntegerToFloat", "a b as bs", "c", PLAIN),
            ("MatMulIntegerToFloat", "a b as bv az bw bias", "d", PLAIN),
            ("MatMulIntegerToFloat", "a b as bs az bz", "e", PLAIN),
        ]
        check(nodes, feed | {"a": feed["a"]}, constants)

    def test_rounded_to_their_range(self) -> None:
        constants = {"b": whole(2, 6, 4, dtype=np.int8), "bs": np.float32(0.05), "bias": drawn(4, 4), "bz": np.int8(3)}
        nodes = [
            ("DynamicQuantizeMatMul", "a b bs", "c", PLAIN),
            ("DynamicQuantizeMatMul", "a b bs bz bias", "d", PLAIN),
        ]
        check(nodes, {"a": drawn(0, 5, 6)}, constants, opens="a")

    def test_gemm(self) -> None:
        constants = {
            "b": whole(2, 4, 6, dtype=np.int8), "as": np.float32(0.5), "bs": np.float32(0.25), "az": np.uint8(100),
            "bz": np.int8(0), "c": whole(3, 4, dtype=np.int8).astype(np.int32), "ys": np.float32(64), "yz": np.uint8(7),
        }  # fmt: skip
        nodes = [
            ("QGemm", "a as az b bs bz", "p", {"transB": 1}),
            ("QGemm", "a as az b bs bz c ys yz", "q", {"transB": 1}),
            ("QGemm", "a as az b bs bz c", "r", {"transB": 1, "alpha": 0.5}),
        ]
        check(nodes, {"a": whole(0, 3, 6)}, constants, steps=1)


class TestQuantized:
    @pytest.mark.parametrize("dtype", [np.uint8, np.int8])
    def test_elementwise(self, dtype: Any) -> None:
        constants = {
            "s": np.float32(0.25), "z": dtype(5), "t": np.float32(0.5), "w": dtype(9), "u": np.float32(1 / 256),
        }  # fmt: skip
        nodes = [
            ("QLinearAdd", "a s z b t w t z", "c", PLAIN),
            ("QLinearMul", "a s z b t w t z", "d", PLAIN),
            ("QLinearLeakyRelu", "a s z t w", "e", {"alpha": 0.25}),
            ("QLinearSigmoid", "a s z u z", "f", PLAIN),
            ("QLinearConcat", "t w a s z b t w", "g", {"axis": 1}),
            ("QLinearWhere", "m a s z b s z s z", "h", PLAIN),
        ]
        feed = {"a": whole(0, 4, 6, dtype=dtype), "b": whole(1, 4, 6, dtype=dtype), "m": drawn(2, 4, 6) > 0}
        check(nodes, feed, constants, steps=1)

    @pytest.mark.parametrize("dtype", [np.uint8, np.int8])
    def test_pools(self, dtype: Any) -> None:
        constants = {"s": np.float32(0.25), "z": dtype(5), "t": np.float32(0.125), "w": dtype(9)}
        nodes = [
            ("QLinearGlobalAveragePool", "x s z t w", "a", {"channels_last": 0}),
            ("QLinearGlobalAveragePool", "x s z t w", "b", {"channels_last": 1}),
            ("QLinearAveragePool", "x s z t w", "c", {"kernel_shape": [2, 2], "strides": [2, 2]}),
            ("QLinearAveragePool", "x s z t w", "d",
             {"kernel_shape": [2, 2], "pads": [1, 1, 1, 1], "count_include_pad": 1, "channels_last": 1}),
        ]  # fmt: skip
        check(nodes, {"x": whole(0, 1, 4, 8, 8, dtype=dtype) // 2}, constants, steps=1)

    def test_softmax(self) -> None:
        constants = {"s": np.float32(0.03), "z": np.uint8(128), "t": np.float32(1 / 256), "w": np.uint8(0)}
        nodes = [("QLinearSoftmax", "x s z t w", "a", {"opset": 13, "axis": -1})]
        check(nodes, {"x": whole(0, 3, 5)}, constants, steps=1)

    def test_to_and_from_sixteen_bits(self) -> None:
        constants = {"s": np.float32(0.001), "z": np.uint16(32768)}
        check(
            [("QuantizeLinear", "x s z", "q", PLAIN), ("DequantizeLinear", "q s z", "y", PLAIN)],
            {"x": drawn(0, 9)},
            constants,
        )

    def test_conv_with_channels_last(self) -> None:
        constants = {
            "w": whole(1, 4, 3, 3, 3, dtype=np.int8), "s": np.float32(0.5), "z": np.uint8(3), "ws": np.float32(0.25),
            "wz": np.int8(0), "ys": np.float32(256), "yz": np.uint8(100),
        }  # fmt: skip
        node = ("QLinearConv", "x s z w ws wz ys yz", "y", {"channels_last": 1, "pads": [1, 1, 1, 1]})
        check([node], {"x": whole(0, 1, 6, 6, 3)}, constants, steps=1)


def packed(whole_numbers: Array, bits: int) -> Array:
    """Put numbers of few bits into bytes, the first one lowest."""
    each = 8 // bits
    short = -whole_numbers.shape[-1] % each
    padded = np.pad(whole_numbers, [*[(0, 0)] * (whole_numbers.ndim - 1), (0, short)])
    parts = padded.reshape(*padded.shape[:-1], -1, each).astype(np.uint32)
    return np.asarray(np.sum(parts << (np.arange(each) * bits), -1), np.uint8)


def test_forms_of_older_exporters() -> None:
    feed = {"x": drawn(0, 2, 3, 6, 5), "g": drawn(1, 2, 4, 3, 2), "v": np.asarray([3, 1, 1, 2, 3], np.float32)}
    nodes = [
        ("ExpandDims", "x axis", "a", PLAIN),
        ("GridSample", "x g", "b", {"align_corners": 1}),
        ("GridSample", "x g", "c", {"mode": "nearest", "padding_mode": "border"}),
        ("Unique", "v", "d e f", PLAIN),
        ("Range", "lo hi", "h", PLAIN),
        ("Range", "lo hi by", "i", PLAIN),
    ]
    nodes += [
        ("UnfoldTensor", "x", "j", {"dim": 2, "size": 3, "step": 2}),
        ("UnfoldTensor", "x", "k", {"size": 5}),
    ]
    numbers = {"axis": np.int32(-2), "lo": np.int64(2), "hi": np.int64(9), "by": np.int64(3)}
    check(nodes, feed, numbers)


@pytest.mark.parametrize("size", [1, 3, 4, 7])
def test_inverse(size: int) -> None:
    """Also where the first pivot is zero; seven rows take a loop."""
    x = drawn(size, 5, 2, size, size)
    x[0, 0] = np.eye(size)[::-1]
    ops = check([("Inverse", "x", "y", PLAIN)], {"x": x}, opens="x", tolerance=1e-4)
    assert ("WHILE" in ops) == (size > 4)


def test_distances() -> None:
    nodes = [("CDist", "a b", "c", {"metric": "euclidean"}), ("CDist", "a b", "d", {"metric": "sqeuclidean"})]
    check(nodes, {"a": drawn(0, 5, 3)}, {"b": drawn(1, 7, 3)}, opens="a")
    refused([("CDist", "a a", "c", {"metric": "cosine"})], {"a": drawn(0, 5, 3)}, "F002")


@pytest.mark.parametrize("bits", [4, 8])
@pytest.mark.parametrize(("columns", "block"), [(64, 32), (48, 16), (40, 16)])
def test_matmul_nbits(bits: int, columns: int, block: int) -> None:
    rows, blocks, rng = 6, -(-columns // block), np.random.default_rng(columns + bits)
    numbers = rng.integers(0, 1 << bits, (rows, blocks, block)).astype(np.uint8)
    zeros = rng.integers(0, 1 << bits, (rows, blocks)).astype(np.uint8)
    constants = {
        "b": packed(numbers, bits), "s": drawn(0, rows * blocks) * 0.1, "z": packed(zeros, bits).reshape(-1),
        "f": rng.uniform(0, 9, rows * blocks).astype(np.float32), "bias": drawn(1, rows),
    }  # fmt: skip
    sizes = {"K": columns, "N": rows, "bits": bits, "block_size": block}
    nodes = [
        ("MatMulNBits", "a b s", "c", sizes),
        ("MatMulNBits", "a b s z", "d", sizes),
        ("MatMulNBits", "a b s z _ bias", "e", sizes),
    ]
    ops = check(nodes, {"a": drawn(2, 2, 3, columns)}, constants, opens="a")
    assert set(ops) == {"FULLY_CONNECTED"}


def test_gather_block_quantized() -> None:
    rng = np.random.default_rng(0)
    numbers = rng.integers(0, 16, (10, 32)).astype(np.uint8)
    constants = {"d": packed(numbers, 4), "s": drawn(1, 10, 2), "z": packed(rng.integers(0, 16, (10, 2)), 4)}
    attributes = {"block_size": 16, "quantize_axis": 1, "gather_axis": 0, "bits": 4}
    nodes = [
        ("GatherBlockQuantized", "d i s", "a", attributes),
        ("GatherBlockQuantized", "d i s z", "b", attributes),
    ]
    check(nodes, {"i": np.asarray([[3, 9, 0]])}, constants)


@pytest.mark.parametrize("kind", [0, 1])
@pytest.mark.parametrize(("rows", "columns"), [(6, 32), (5, 21)])
def test_matmul_bnb4(kind: int, rows: int, columns: int) -> None:
    fields = {"K": columns, "N": rows, "block_size": 16, "quant_type": kind}
    constants = {"b": whole(0, -(-rows * columns // 2)), "s": np.abs(drawn(1, -(-rows * columns // 16)))}
    check([("MatMulBnb4", "x b s", "y", fields)], {"x": drawn(2, 3, columns)}, constants, opens="x")


def test_weights_of_few_bits_must_be_constant() -> None:
    feed = {"a": drawn(0, 2, 32), "b": whole(0, 4, 1, 16), "s": drawn(1, 4)}
    refused([("MatMulNBits", "a b s", "y", {"K": 32, "N": 4, "bits": 4, "block_size": 32})], feed, "F004")


HEADS, WIDTH, TIME, BATCH = 2, 4, 5, 2
FEATURES = HEADS * WIDTH


class TestAttention:
    @pytest.mark.parametrize("mask", ["none", "lengths", "ranges", "seen", "seen by each"])
    @pytest.mark.parametrize("unidirectional", [0, 1])
    def test_projected(self, mask: str, unidirectional: int) -> None:
        masks: dict[str, Array] = {
            "lengths": np.asarray([5, 3], np.int32),
            "ranges": np.asarray([5, 4, 0, 1], np.int32),
            "seen": np.asarray([[1, 1, 1, 1, 0], [1, 1, 1, 1, 1]], np.int32),
            "seen by each": (drawn(9, BATCH, TIME, TIME) > -1).astype(np.int32),
        }
        feed = {"x": drawn(0, BATCH, TIME, 6)} | ({"m": masks[mask]} if mask in masks else {})
        m = "m" if mask in masks else "_"
        nodes = [
            ("Attention", f"x w b {m}", "y", {"num_heads": HEADS, "unidirectional": unidirectional}),
            (
                "Attention",
                f"x w b {m} _ bias",
                "z",
                {"num_heads": HEADS, "unidirectional": unidirectional, "scale": 0.3},
            ),
        ]
        constants = {"w": drawn(1, 6, 3 * FEATURES), "b": drawn(2, 3 * FEATURES)}
        check(nodes, feed, constants | {"bias": drawn(3, BATCH, HEADS, TIME, TIME)})

    def test_with_a_past(self) -> None:
        feed = {"x": drawn(0, BATCH, 2, 6), "past": drawn(1, 2, BATCH, HEADS, 3, WIDTH)}
        constants = {"w": drawn(1, 6, 3 * FEATURES), "b": drawn(2, 3 * FEATURES)}
        attributes = {"num_heads": HEADS, "unidirectional": 1}
        check([("Attention", "x w b _ past", "y present", attributes)], feed, constants)

    def test_of_other_sizes(self) -> None:
        constants = {"w": drawn(1, 6, 2 * FEATURES + 12), "b": drawn(2, 2 * FEATURES + 12)}
        attributes = {"num_heads": HEADS, "qkv_hidden_sizes": [FEATURES, FEATURES, 12]}
        check([("Attention", "x w b", "y", attributes)], {"x": drawn(0, BATCH, TIME, 6)}, constants, opens="x")

    def test_multi_head(self) -> None:
        feed = {
            "q": drawn(0, BATCH, 3, FEATURES),
            "k": drawn(1, BATCH, TIME, FEATURES),
            "v": drawn(2, BATCH, TIME, FEATURES),
        }
        constants = {
            "b": drawn(3, 3 * FEATURES), "m": np.asarray([[1, 1, 1, 0, 0], [1, 1, 1, 1, 1]], np.int32),
            "bias": drawn(4, 1, HEADS, 3, TIME), "l": np.asarray([2, 5], np.int32),
        }  # fmt: skip
        nodes = [
            ("MultiHeadAttention", "q k v", "a", {"num_heads": HEADS}),
            ("MultiHeadAttention", "q k v b", "c", {"num_heads": HEADS, "scale": 0.2}),
            ("MultiHeadAttention", "q k v b m", "d", {"num_heads": HEADS, "mask_filter_value": -100.0}),
            ("MultiHeadAttention", "q k v _ l bias", "e", {"num_heads": HEADS}),
        ]
        check(nodes, feed, constants)

    def test_multi_head_with_a_past(self) -> None:
        feed = {n: drawn(i, BATCH, 2, FEATURES) for i, n in enumerate("qkv")}
        feed |= {n: drawn(i, BATCH, HEADS, 3, WIDTH) for i, n in enumerate(("pk", "pv"))}
        attributes = {"num_heads": HEADS, "unidirectional": 1}
        check([("MultiHeadAttention", "q k v _ _ _ pk pv", "y nk nv", attributes)], feed)

    def test_multi_head_packed(self) -> None:
        """onnxruntime has this form on other devices only."""
        packed = {"q": drawn(0, BATCH, TIME, HEADS, 3, WIDTH)}
        node = ("MultiHeadAttention", "q _ _ b", "y", {"num_heads": HEADS})
        module = imported(made([node], packed, {"b": drawn(3, 3 * FEATURES)}))
        q, k, v = np.moveaxis(packed["q"], 3, 0).reshape(3, BATCH, TIME, FEATURES) + drawn(3, 3, 1, 1, FEATURES)
        apart = made([("MultiHeadAttention", "q k v", "y", {"num_heads": HEADS})], {"q": q, "k": k, "v": v})
        (got,), (want,) = results(module, **packed), results(imported(apart), q=q, k=k, v=v)
        np.testing.assert_allclose(got, want, rtol=1e-5, atol=1e-6)

    def test_quantized(self) -> None:
        constants = {
            "w": whole(1, 6, 3 * FEATURES, dtype=np.int8), "b": drawn(2, 3 * FEATURES), "xs": np.float32(0.01),
            "ws": np.float32(0.01), "xz": np.uint8(120), "wz": np.int8(2),
        }  # fmt: skip
        node = ("QAttention", "x w b xs ws _ xz wz", "y", {"num_heads": HEADS})
        check([node], {"x": whole(0, BATCH, TIME, 6)}, constants)

    def test_grouped(self) -> None:
        """A first step, of queries apart and with their keys and values in one."""
        feed = {"q": drawn(0, BATCH, TIME, 64), "k": drawn(1, BATCH, TIME, 32), "v": drawn(2, BATCH, TIME, 32)}
        feed |= {"packed": drawn(3, BATCH, TIME, 128), "l": np.full(BATCH, TIME - 1, np.int32)}
        constants = {"t": np.asarray(TIME, np.int32), "c": np.cos(drawn(4, 16, 8)), "s": np.sin(drawn(4, 16, 8))}
        heads = {"num_heads": 4, "kv_num_heads": 2}
        nodes = [
            ("GroupQueryAttention", "q k v _ _ l t", "a ak av", heads),
            ("GroupQueryAttention", "q k v _ _ l t c s", "b bk bv", {**heads, "do_rotary": 1, "scale": 0.3}),
            ("GroupQueryAttention", "packed _ _ _ _ l t", "d dk dv", {**heads, "local_window_size": 2}),
            ("GroupQueryAttention", "q k v _ _ l t", "e ek ev", {**heads, "softcap": 2.0}),
        ]
        check(nodes, feed, constants, tolerance=2e-5)

    @pytest.mark.parametrize("lengths", [[3 + 1], [3 + 1, 2 + 1]])
    def test_grouped_with_a_past(self, lengths: list[int]) -> None:
        """Sequences may have kept less than there is room for; what lies behind their ends means nothing."""
        batch, new, kept = len(lengths), 1, 3
        feed = {n: drawn(i, batch, new, w) for i, (n, w) in enumerate((("q", 64), ("k", 32), ("v", 32)))}
        feed |= {n: drawn(i, batch, 2, kept, 16) for i, n in enumerate(("pk", "pv"))}
        feed |= {"l": np.asarray(lengths, np.int32) - 1}
        constants = {"t": np.asarray(kept + new, np.int32), "c": np.cos(drawn(4, 16, 8)), "s": np.sin(drawn(4, 16, 8))}
        attributes = {"num_heads": 4, "kv_num_heads": 2, "do_rotary": 1, "local_window_size": 3}
        proto = made([("GroupQueryAttention", "q k v pk pv l t c s", "y nk nv", attributes)], feed, constants)
        if len(set(lengths)) > 1:
            del proto.graph.output[1:]
        agrees(proto, feed)

    @pytest.mark.parametrize("interleaved", [0, 1])
    def test_rotary_embedding(self, interleaved: int) -> None:
        constants = {"c": np.cos(drawn(1, 16, 2)), "s": np.sin(drawn(1, 16, 2)), "first": np.asarray([3])}
        feed = {
            "x": drawn(0, BATCH, TIME, FEATURES), "h": drawn(2, BATCH, HEADS, TIME, WIDTH),
            "w": drawn(3, BATCH, TIME, HEADS * 8),
            "p": np.random.default_rng(0).integers(0, 16, (BATCH, TIME)),
        }  # fmt: skip
        nodes = [
            ("RotaryEmbedding", "x p c s", "a", {"interleaved": interleaved}),
            ("RotaryEmbedding", "x first c s", "b", {"interleaved": interleaved}),
            ("RotaryEmbedding", "h p c s", "d", {"interleaved": interleaved}),
            (
                "RotaryEmbedding",
                "w p c s",
                "e",
                {"interleaved": interleaved, "rotary_embedding_dim": 4, "num_heads": 2},
            ),
        ]
        check(nodes, feed, constants)

    @pytest.mark.parametrize(
        ("attributes", "code"), [({"num_heads": 3}, "T001"), ({"num_heads": 2, "do_rotary": 1}, "F005")]
    )
    def test_what_is_refused(self, attributes: dict[str, Any], code: str) -> None:
        constants = {"w": drawn(1, 6, 3 * FEATURES), "b": drawn(2, 3 * FEATURES)}
        refused([("Attention", "x w b", "y", attributes)], {"x": drawn(0, BATCH, TIME, 6)}, code, constants)


@pytest.mark.parametrize("direction", ["forward", "reverse", "bidirectional"])
@pytest.mark.parametrize("dtype", [np.int8, np.uint8])
def test_dynamic_quantize_lstm(direction: str, dtype: Any) -> None:
    """Data are rounded together, states sequence by sequence."""
    time, features, hidden, count = 6, 5, 4, 2 if direction == "bidirectional" else 1
    constants = {
        "w": whole(0, count, features, 4 * hidden, dtype=dtype), "r": whole(1, count, hidden, 4 * hidden, dtype=dtype),
        "b": drawn(2, count, 8 * hidden) * 0.1, "ws": np.full(count, 0.004, np.float32),
        "rs": np.full((count, 4 * hidden), 0.006, np.float32),
        "wz": np.full(count, 0 if dtype is np.int8 else 120, dtype),
        "rz": np.full((count, 4 * hidden), 0 if dtype is np.int8 else 130, dtype),
        "h": drawn(3, count, 1, hidden) * 0.3, "c": drawn(4, count, 1, hidden) * 0.3, "p": drawn(5, count, 3 * hidden),
    }  # fmt: skip
    attributes = {"direction": direction, "hidden_size": hidden}
    nodes = [
        ("DynamicQuantizeLSTM", "x w r b _ _ _ _ ws wz rs rz", "y yh yc", attributes),
        ("DynamicQuantizeLSTM", "x w r b _ h c p ws wz rs rz", "z zh zc", attributes),
    ]
    check(nodes, {"x": drawn(6, time, 1, features)}, constants, opens="x")


def test_states_are_rounded_by_ranges_of_their_own() -> None:
    """onnxruntime rounds the states together that one thread runs: how a sequence fares would depend on others."""
    time, features, hidden = 6, 5, 4
    constants = {
        "w": whole(0, 1, features, 4 * hidden, dtype=np.int8), "r": whole(1, 1, hidden, 4 * hidden, dtype=np.int8),
        "ws": np.full(1, 0.01, np.float32), "rs": np.full(1, 0.02, np.float32),
        "wz": np.zeros(1, np.int8), "rz": np.zeros(1, np.int8),
    }  # fmt: skip
    nodes: Nodes = [("DynamicQuantizeLSTM", "x w r _ _ _ _ _ ws wz rs rz", "y", {"hidden_size": hidden})]
    one = drawn(6, time, 1, features)
    both = np.concatenate([one, one[::-1]], 1)  # whose data have one range
    alone = [results(imported(made(nodes, {"x": x}, constants)), x=x)[0] for x in np.split(both, 2, 1)]
    (found,) = results(imported(made(nodes, {"x": both}, constants)), x=both)
    np.testing.assert_allclose(found, np.concatenate(alone, 2), atol=1e-6)
    check(nodes, {"x": one}, constants)
    built = [contrib_node(op, ins, outs, MS, **a) for op, ins, outs, a in nodes]
    proto = contrib_model(built, {"x": (one.dtype, (time, "n", features))}, ["y"], constants, opsets={"": 17, MS: 1})
    report = nhwcc.compile(proto).report  # onnxruntime is compared with where there is but one sequence
    assert report.verification is not None and {*report.verification.sizes["n"]} == {1}
    given = nhwcc.compile(proto, data={"x": both}).report  # the choice of who compiles
    assert given.verification is not None and {*given.verification.sizes["n"]} == {2}

"""Quantized networks: what computes with integers, by which scales, and how near the numbers stay."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any, cast

import numpy as np
import onnxruntime
import pytest
from nhwcc.backends.tflite.runtime import TfliteModel
from nhwcc.compiler.diagnostics import CompileError
from nhwcc.compiler.fold import constant
from nhwcc.compiler.interpreter import run
from nhwcc.compiler.ir import Module
from nhwcc.compiler.ops.quantize import Dequantize, Quantize, RoundDynamic
from nhwcc.compiler.types import Array, DType
from nhwcc.formats.tflite.contents import read_contents
from nhwcc.formats.tflite.reader import inspect
from nhwcc.passes.quantization.quantize import Recipe
from onnx import NodeProto, helper

import nhwcc

from .networks import TARGET, calibrated, decibels, network, quantized, samples

ORT: Any = onnxruntime
RNG = np.random.default_rng(5)


def n(op: str, inputs: str, outputs: str = "y", **attributes: Any) -> NodeProto:
    return helper.make_node(op, inputs.split(), outputs.split(), **attributes)


def weight(*shape: int) -> Array:
    return (RNG.standard_normal(shape) / np.sqrt(np.prod(shape[1:]))).astype(np.float32)


P: dict[str, Any] = {"pads": [1, 1, 1, 1]}
RESIDUAL = network(
    [
        n("Conv", "x w1 b1", "c1", **P),
        n("Relu", "c1", "r1"),
        n("Conv", "r1 w2 b2", "c2", group=8, **P),
        n("Clip", "c2 zero six", "r2"),
        n("Add", "r1 r2", "s"),
        n("MaxPool", "s", "p", kernel_shape=[2, 2], strides=[2, 2]),
        n("GlobalAveragePool", "p", "g"),
        n("Flatten", "g", "f"),
        n("Gemm", "f w3 b3", "l", transB=1),
        n("Softmax", "l"),
    ],
    (1, 3, 12, 12),
    {
        "w1": weight(8, 3, 3, 3) * 2,
        "b1": weight(8, 1)[:, 0],
        "w2": weight(8, 1, 3, 3) * 2,
        "b2": weight(8, 1)[:, 0],
        "zero": np.asarray(0, np.float32),
        "six": np.asarray(6, np.float32),
        "w3": weight(10, 8) * 4,
        "b3": weight(10, 1)[:, 0],
    },
)


def outputs(module: Module, given: list[list[Array]]) -> list[Array]:
    return [np.stack(found) for found in zip(*(run(module.main, g) for g in given), strict=True)]


def on_runtime(module: Module, given: list[list[Array]], path: Path) -> tuple[list[Array], Counter[str]]:
    emitted = TARGET.emit(module, path)
    model = TfliteModel(path)
    names = list(model.inputs)
    runs = [list(model.run(dict(zip(names, g, strict=True))).values()) for g in given]
    return [np.stack(found) for found in zip(*runs, strict=True)], emitted.ops


def stored(module: Module, number: int, x: Array) -> Array:
    """Return an input as the integers that a network takes."""
    (read,) = (op for op in module.walk() if isinstance(op, Dequantize) and op.x is module.main.args[number])
    scale, zero = constant(read.scale), constant(read.zero)
    assert scale is not None and zero is not None
    return Quantize.evaluate(x, scale.array(), zero.array(), dtype=read.x.type.dtype)


def kinds(module: Module, kind: type) -> int:
    return sum(isinstance(op, kind) for op in module.walk())


class TestIntegers:
    def test_all_kernels_compute_with_integers(self, tmp_path: Path) -> None:
        given = samples(RESIDUAL)
        made, said = quantized(RESIDUAL, Recipe("int8", calibrated(RESIDUAL, given)))
        (want,), (own,) = outputs(RESIDUAL, given), outputs(made, given)
        (got,), ops = on_runtime(made, given, tmp_path / "q.tflite")
        assert ops["QUANTIZE"] == 1 and ops["DEQUANTIZE"] == 1  # of the input and the output
        assert {"CONV_2D", "DEPTHWISE_CONV_2D", "ADD", "MAX_POOL_2D", "MEAN", "FULLY_CONNECTED", "SOFTMAX"} <= set(ops)
        assert decibels(want, got) > 25 and np.abs(own - got).max() <= 2 / 256
        assert "in floats: none" in said[-1]

    @pytest.mark.parametrize("method", ["minmax", "percentile", "mse"])
    def test_all_ways_to_choose_ranges(self, method: str) -> None:
        given = samples(RESIDUAL)
        made, _ = quantized(RESIDUAL, Recipe("int8", calibrated(RESIDUAL, given), method))  # pyright: ignore[reportArgumentType]
        assert decibels(outputs(RESIDUAL, given)[0], outputs(made, given)[0]) > 20

    def test_per_tensor(self) -> None:
        given = samples(RESIDUAL)
        seen = calibrated(RESIDUAL, given)
        made, _ = quantized(RESIDUAL, Recipe("int8", seen, per_channel=False))
        scales = [op.scale.type.size for op in made.walk() if isinstance(op, Dequantize)]
        assert set(scales) == {1}

    def test_statistics_of_another_network(self) -> None:
        with pytest.raises(CompileError, match="Q002"):
            quantized(RESIDUAL, Recipe("int8", {}))

    def test_sixteen_bits(self, tmp_path: Path) -> None:
        """All is computed with integers of 16 bits, as the reference semantics say."""
        given = samples(RESIDUAL)
        seen = calibrated(RESIDUAL, given)
        made, _ = quantized(RESIDUAL, Recipe("int16x8", seen, io_dtypes={"": DType.I16}))
        integers = [[stored(made, 0, x) for x in sample] for sample in given]
        (want,), (own,) = outputs(RESIDUAL, given), outputs(made, integers)
        (got,), ops = on_runtime(made, integers, tmp_path / "q.tflite")
        assert not {"QUANTIZE", "DEQUANTIZE"} & set(ops) and made.main.returns[0].type.dtype is DType.I16
        assert np.abs(got.astype(int) - own).max() <= 32  # of 32768: SOFTMAX looks exponentials up
        assert decibels(want, got / 32768) > 40

    @pytest.mark.parametrize(
        ("pattern", "kept"), [("softmax", "softmax"), ("conv", "conv"), ("l", "linear"), ("*", "conv")]
    )
    def test_what_is_kept_in_floats(self, pattern: str, kept: str) -> None:
        given = samples(RESIDUAL)
        made, said = quantized(RESIDUAL, Recipe("int8", calibrated(RESIDUAL, given), keeps=(pattern,)))
        assert kept in said[-1].partition("in floats: ")[2]
        assert decibels(outputs(RESIDUAL, given)[0], outputs(made, given)[0]) > 25

    def test_a_norm_stays_in_floats(self) -> None:
        module = network(
            [
                n("MatMul", "x w1", "a"),
                n("Add", "x a", "s"),
                n("LayerNormalization", "s g b", "ln"),
                n("MatMul", "ln w2"),
            ],
            (1, 6, 16),
            {"w1": weight(16, 16), "w2": weight(16, 16), "g": weight(16, 1)[:, 0], "b": weight(16, 1)[:, 0]},
        )
        given = samples(module)
        made, _ = quantized(module, Recipe("int8", calibrated(module, given)))
        assert decibels(outputs(module, given)[0], outputs(made, given)[0]) > 30
        assert kinds(made, Quantize) == 4  # two before and two after matrix products

    def test_a_bias_that_would_overflow(self, tmp_path: Path) -> None:
        w = weight(4, 3, 1, 1)
        w[2] *= 1e-7
        bias = np.asarray([0.1, -0.2, 200.0, 0.3], np.float32)
        module = network([n("Conv", "x w b")], (1, 3, 5, 5), {"w": w, "b": bias})
        given = samples(module, scale=1e-3)
        made, _ = quantized(module, Recipe("int8", calibrated(module, given)))
        (got,), ops = on_runtime(made, given, tmp_path / "q.tflite")
        assert ops["CONV_2D"] == 1 and ops["DEQUANTIZE"] == 1
        assert np.abs(got[..., 2] - 200).max() < 1


class TestScales:
    def test_parts_that_are_joined_share_a_scale(self, tmp_path: Path) -> None:
        first = n("Conv", "x w1", "a", pads=[1, 1, 1, 1])
        nodes = [first, n("Conv", "x w2", "b"), n("Concat", "a b", "c", axis=1), n("Conv", "c w3")]
        w = {"w1": weight(4, 3, 3, 3), "w2": weight(4, 3, 1, 1) * 1.2, "w3": weight(5, 8, 1, 1)}
        module = network(nodes, (1, 3, 6, 6), w)
        given = samples(module)
        made, _ = quantized(module, Recipe("int8", calibrated(module, given)))
        _, ops = on_runtime(made, given, tmp_path / "q.tflite")
        assert ops["QUANTIZE"] == 1 and ops["CONCATENATION"] == 1

    def test_a_part_that_others_read_keeps_its_scale(self, tmp_path: Path) -> None:
        nodes = [
            n("Conv", "x w1", "a"),
            n("Conv", "x w2", "b"),
            n("Concat", "a b", "c", axis=1),
            n("Conv", "c w3", "d"),
            n("Conv", "a w4", "e"),
            n("Add", "d e"),
        ]
        w = {"w1": weight(4, 3, 1, 1), "w2": weight(4, 3, 1, 1) * 9, "w3": weight(5, 8, 1, 1), "w4": weight(5, 4, 1, 1)}
        module = network(nodes, (1, 3, 6, 6), w)
        given = samples(module)
        made, _ = quantized(module, Recipe("int8", calibrated(module, given)))
        _, ops = on_runtime(made, given, tmp_path / "q.tflite")
        assert ops["QUANTIZE"] == 2 and ops["DEQUANTIZE"] == 1  # one of the input, one before the concatenation

    def test_boxes_beside_scores(self) -> None:
        nodes = [
            n("Conv", "x w1", "boxes"),
            n("Conv", "x w2", "l"),
            n("Sigmoid", "l", "scores"),
            n("Concat", "boxes scores", "j", axis=1),
            n("Reshape", "j shape"),
        ]
        w = {"w1": weight(4, 3, 1, 1) * 300, "w2": weight(6, 3, 1, 1), "shape": np.asarray([1, 10, 36])}
        module = network(nodes, (1, 3, 6, 6), w)
        given = samples(module)
        made, said = quantized(module, Recipe("int8", calibrated(module, given)))
        want, got = (outputs(m, given)[0] for m in (module, made))
        scores = np.s_[..., 4:] if want.shape[-1] == 10 else np.s_[..., 4:, :]
        assert decibels(want[scores], got[scores]) > 25
        assert any("joins ranges that are too different" in text for text in said)

    def test_what_an_activation_ignores(self) -> None:
        nodes = [n("Conv", "x w1 b1", "a"), n("HardSwish", "a", "h"), n("Conv", "h w2")]
        bias = np.asarray([-80.0, 1.0, 0.5, 2.0], np.float32)
        module = network(nodes, (1, 3, 6, 6), {"w1": weight(4, 3, 1, 1), "b1": bias, "w2": weight(5, 4, 1, 1)})
        given = samples(module)
        made, _ = quantized(module, Recipe("int8", calibrated(module, given)))
        assert decibels(outputs(module, given)[0], outputs(made, given)[0]) > 25


class TestWeights:
    @pytest.mark.parametrize(("mode", "least"), [("float16", 60), ("weight-int8", 30)])
    def test_weights_only(self, mode: str, least: float, tmp_path: Path) -> None:
        module = network(
            [n("Conv", "x w1", "c"), n("Flatten", "c", "f"), n("MatMul", "f w2")],
            (1, 8, 6, 6),
            {"w1": weight(32, 8, 3, 3), "w2": weight(512, 12)},
        )
        given = samples(module)
        made, said = quantized(module, Recipe(mode))  # pyright: ignore[reportArgumentType]
        (got,), ops = on_runtime(made, given, tmp_path / "q.tflite")
        before = TARGET.emit(module, tmp_path / "f.tflite").bytes
        assert decibels(outputs(module, given)[0], got) > least
        assert ops["DEQUANTIZE"] == 2 and "2 weights" in said[-1]
        assert (tmp_path / "q.tflite").stat().st_size < before * (0.6 if mode == "float16" else 0.4)

    def test_a_table(self, tmp_path: Path) -> None:
        module = network(
            [n("Cast", "x", "i", to=6), n("Gather", "table i", "g"), n("Relu", "g")], (1, 4), {"table": weight(100, 32)}
        )
        given = [[np.abs(x) * 20 for x in sample] for sample in samples(module)]
        made, _ = quantized(module, Recipe("weight-int8"))
        (got,), ops = on_runtime(made, given, tmp_path / "q.tflite")
        assert decibels(outputs(module, given)[0], got) > 40 and ops["GATHER"] == 2
        assert (tmp_path / "q.tflite").stat().st_size < 6000

    def test_halves_that_would_overflow(self) -> None:
        module = network([n("Conv", "x w")], (1, 64, 4, 4), {"w": weight(32, 64, 1, 1) * 1e7})
        made, said = quantized(module, Recipe("float16"))
        assert not kinds(made, Dequantize) and "0 weights" in said[-1]


class TestDynamic:
    """Kernels that round what they multiply compute what the reference semantics say."""

    @pytest.mark.parametrize("per_channel", [True, False])
    @pytest.mark.parametrize(
        ("nodes", "shape", "weights", "builtin"),
        [
            ([n("MatMul", "x w", "m"), n("Add", "m b")], (2, 5, 40), {"w": weight(40, 32)}, "FULLY_CONNECTED"),
            (
                [n("MatMul", "x w", "m"), n("Add", "m b", "a"), n("Relu", "a")],
                (7, 40),
                {"w": weight(40, 32)},
                "FULLY_CONNECTED",
            ),
            ([n("Conv", "x w b", **P)], (2, 8, 9, 7), {"w": weight(32, 8, 3, 3)}, "CONV_2D"),
            ([n("Conv", "x w b", strides=[2, 2])], (1, 32, 8, 8), {"w": weight(32, 32, 1, 1)}, "CONV_2D"),
        ],
    )
    def test_kernels(
        self,
        nodes: list[NodeProto],
        shape: tuple[int, ...],
        weights: dict[str, Array],
        builtin: str,
        per_channel: bool,
        tmp_path: Path,
    ) -> None:
        module = network(nodes, shape, weights | {"b": weight(32, 1)[:, 0]})
        given = [[np.abs(x) * 3 + 1 if i % 2 else x for x in s] for i, s in enumerate(samples(module))]
        given.append([np.zeros_like(x) for x in given[0]])
        made, _ = quantized(module, Recipe("dynamic-int8", per_channel=per_channel))
        (want,), (own,) = outputs(module, given), outputs(made, given)
        (got,), ops = on_runtime(made, given, tmp_path / "q.tflite")
        assert ops[builtin] == 1 and "DEQUANTIZE" not in ops and "QUANTIZE" not in ops
        assert decibels(want, got) > 35
        assert decibels(own, got) > 55  # a number in the middle may be rounded to either side

    @pytest.mark.parametrize(
        ("nodes", "shape", "weights", "bytes"),
        [
            ([n("MatMul", "x w", "m"), n("Add", "m b")], (7, 40), {"w": weight(40, 32)}, 40 * 32 // 2),
            ([n("MatMul", "x w", "m"), n("Add", "m b")], (7, 41), {"w": weight(41, 32)}, 41 * 32),
            ([n("Conv", "x w b", **P)], (2, 8, 9, 7), {"w": weight(32, 8, 3, 3)}, 32 * 72 // 2),
            ([n("Conv", "x w b", group=32, **P)], (1, 32, 6, 6), {"w": weight(32, 1, 6, 6)}, 32 * 36),
        ],
    )
    def test_four_bits(
        self, nodes: list[NodeProto], shape: tuple[int, ...], weights: dict[str, Array], bytes: int, tmp_path: Path
    ) -> None:
        """Two weights lie in a byte where a kernel takes such, which no row of an odd number of them does."""
        module = network(nodes, shape, weights | {"b": weight(32, 1)[:, 0]})
        given = samples(module)
        made, _ = quantized(module, Recipe("weight-int4"))
        (want,), (own,) = outputs(module, given), outputs(made, given)
        (got,), _ = on_runtime(made, given, tmp_path / "q.tflite")
        graph = inspect(tmp_path / "q.tflite").main
        assert bytes in [t.nbytes for t in graph.tensors if t.dtype in ("INT4", "INT8")]
        assert decibels(want, got) > 15 and decibels(own, got) > 55

    def test_four_bits_are_read_back(self, tmp_path: Path) -> None:
        module = network([n("MatMul", "x w")], (7, 40), {"w": weight(40, 32)})
        given = samples(module)
        (got,), _ = on_runtime(quantized(module, Recipe("weight-int4"))[0], given, tmp_path / "q.tflite")
        nhwcc.compile(tmp_path / "q.tflite", output=tmp_path / "again.tflite", verify=False)
        again = TfliteModel(tmp_path / "again.tflite")
        (name,) = again.inputs
        numbers = np.stack([next(iter(again.run({name: x}).values())) for (x,) in given])
        assert decibels(got, numbers) > 30  # the weights are those, and nothing is rounded as it comes

    @pytest.mark.parametrize(("outputs_", "size"), [(32, 32), (4, 64), (32, 128)])
    def test_blocks(self, outputs_: int, size: int, tmp_path: Path) -> None:
        """Weights of a row that differ tenfold: blocks with scales of their own lose less than the row with one."""
        w = weight(256, outputs_)
        w[:128] *= 0.1
        module = network([n("MatMul", "x w", "m"), n("Add", "m b")], (7, 256), {"w": w, "b": weight(outputs_, 1)[:, 0]})
        given = [[np.concatenate([x[:, :128] * 10, x[:, 128:]], 1)] for (x,) in samples(module)]
        made, _ = quantized(module, Recipe(cast(Any, f"weight-int4:{size}")))
        (want,), (own,) = outputs(module, given), outputs(made, given)
        (got,), _ = on_runtime(made, given, tmp_path / "q.tflite")
        (stored,) = [t for t in read_contents(tmp_path / "q.tflite").graphs[0].tensors if t.blocks is not None]
        assert stored.info.dtype == "INT4" and stored.blocks is not None and stored.blocks.size == size
        assert decibels(own, got) > 90 and decibels(want, got) > 15
        coarse = outputs(quantized(module, Recipe("weight-int4"))[0], given)
        assert decibels(want, coarse[0]) < decibels(want, got) - 4

    @pytest.mark.parametrize("shape", [(40, 32), (64, 3)])
    def test_rows_that_no_kernel_takes_in_blocks(self, shape: tuple[int, int], tmp_path: Path) -> None:
        """No whole blocks in a row, or too few outputs for the kernel without XNNPACK: scales are those of rows."""
        module = network([n("MatMul", "x w")], (7, shape[0]), {"w": np.tile(weight(*shape), (1, 8))[:, : shape[1]]})
        made, _ = quantized(module, Recipe("weight-int4:32"))
        scales = [op.scale for op in made.walk() if isinstance(op, Dequantize)]
        assert all(scale.type.shape in ((shape[1], 1), ()) for scale in scales)

    def test_blocks_come_back(self, tmp_path: Path) -> None:
        """A TFLite file in blocks gives the same file again, and an ONNX file of integers with the same numbers."""
        module = network([n("MatMul", "x w")], (7, 64), {"w": weight(64, 32)})
        given = samples(module)
        (got,), _ = on_runtime(quantized(module, Recipe("weight-int4:32"))[0], given, tmp_path / "q.tflite")
        nhwcc.compile(tmp_path / "q.tflite", output=tmp_path / "again.tflite")
        first, again = (read_contents(tmp_path / f"{name}.tflite") for name in ("q", "again"))
        sizes = [[t.blocks.size for t in c.graphs[0].tensors if t.blocks is not None] for c in (first, again)]
        assert sizes == [[32], [32]]
        written = nhwcc.compile(tmp_path / "q.tflite", output=tmp_path / "q.onnx", verify=False)
        assert written.report.ops_after["DequantizeLinear"] == 1
        session: Any = ORT.InferenceSession(str(tmp_path / "q.onnx"))
        (port,) = session.get_inputs()
        numbers: Array = np.stack([session.run(None, {port.name: x})[0] for (x,) in given])
        assert decibels(got, numbers) > 30  # nothing is rounded as it comes

    def test_where_no_kernel_rounds(self) -> None:
        module = network([n("Conv", "x w", group=32, **P)], (1, 32, 6, 6), {"w": weight(32, 1, 6, 6)})
        made, _ = quantized(module, Recipe("dynamic-int8"))
        assert not kinds(made, RoundDynamic) and kinds(made, Dequantize) == 1


class TestBiases:
    """Rounding weights moves the mean of each channel; biases move it back, exactly where the mean is known."""

    @pytest.mark.parametrize(
        ("nodes", "weights", "shape"),
        [
            ([n("Conv", "x w b")], {"w": weight(8, 4, 1, 1)}, (1, 4, 9, 9)),
            ([n("Conv", "x w b", group=2)], {"w": weight(8, 2, 1, 1)}, (1, 4, 9, 9)),
            ([n("Gemm", "x w b", transB=1)], {"w": weight(8, 16)}, (9, 16)),
        ],
    )
    def test_means_are_kept(self, nodes: list[NodeProto], weights: dict[str, Array], shape: tuple[int, ...]) -> None:
        weights = {"w": np.tile(weights["w"], (8,) + (1,) * (weights["w"].ndim - 1))[:, : weights["w"].shape[1]]}
        wide = weights["w"].shape[0] * weights["w"][0].size
        if wide < 1024:
            weights["w"] = np.concatenate([weights["w"]] * (1024 // wide + 1))
        count = weights["w"].shape[0] // 2 * 2
        weights["w"] = weights["w"][:count] + RNG.standard_normal((count, *weights["w"].shape[1:])).astype(np.float32)
        module = network(nodes, shape, weights | {"b": np.zeros(count, np.float32)})
        given = [[np.abs(x) for x in sample] for sample in samples(module)]
        seen = calibrated(module, given)
        errors: list[float] = []
        for corrects in (False, True):
            made, _ = quantized(module, Recipe("weight-int8", seen, corrects_bias=corrects))
            want, got = (outputs(m, given)[0] for m in (module, made))
            errors.append(float(np.abs((got - want).reshape(-1, count).mean(0)).max()))
        assert errors[1] < errors[0] / 50

    def test_paddings_are_no_part_of_the_mean(self) -> None:
        module = network(
            [n("Conv", "x w b", dilations=[4, 4], pads=[4] * 4)],
            (1, 16, 6, 6),
            {"w": weight(16, 16, 3, 3), "b": np.zeros(16, np.float32)},
        )
        given = [[np.full_like(x, 0.7) for x in samples(module)[0]]]
        made, _ = quantized(module, Recipe("weight-int8", calibrated(module, given)))
        want, got = (outputs(m, given)[0] for m in (module, made))
        assert np.abs((got - want).reshape(-1, 16).mean(0)).max() < 1e-6

"""Operators of ``com.microsoft`` that onnxruntime has for GPUs only, or not at all: against their definitions."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
import onnxruntime
import pytest
from agreement import contrib_model, contrib_node
from local import LocalWorker
from nhwcc.compiler.diagnostics import CompileError
from nhwcc.compiler.types import Array
from onnx_models import codes, imported, model, node, results

import nhwcc

MS = "com.microsoft"
ort: Any = onnxruntime


@pytest.fixture(autouse=True)
def local_runtime(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("nhwcc.runners.tflite.start", LocalWorker)


def drawn(seed: int, *shape: int) -> Array:
    return np.random.default_rng(seed).standard_normal(shape).astype(np.float32)


def outputs(
    op: str,
    inputs: str,
    feed: Mapping[str, Array],
    constants: Mapping[str, Any] | None = None,
    *,
    count: int = 1,
    **attributes: Any,
) -> list[list[Array]]:
    """The outputs of one node, from the interpreter and from TFLite."""
    names = [f"y{i}" for i in range(count)]
    proto = contrib_model(
        [contrib_node(op, inputs, " ".join(names), MS, **attributes)],
        {n: (a.dtype, a.shape) for n, a in feed.items()},
        names,
        constants,
        opsets={"": 17, MS: 1},
    )
    got = nhwcc.compile(proto, io_layout="keep", verify=False)(**feed)
    return [results(imported(proto), **feed), [got[n] for n in names]]


def close(found: list[list[Array]], *wanted: Array) -> None:
    for got in found:
        for have, want in zip(got, wanted, strict=True):
            assert have.shape == want.shape
            np.testing.assert_allclose(have, want, rtol=0, atol=1e-5 * np.abs(want).max())


def sigmoid(x: Array) -> Array:
    return 1 / (1 + np.exp(-x))


def gelu(x: Array) -> Array:
    (y,) = results(imported(model([node("Gelu", "x", "y")], {"x": x.shape}, ["y"], version=20)), x=x)
    return y


def convolved(x: Array, w: Array, b: Array, **attributes: Any) -> Array:
    """As onnxruntime does, of data with channels last and a filter ``o c k...``."""
    first = np.moveaxis(x, -1, 1).copy()
    proto = model([node("Conv", "x w b", "y", **attributes)], {"x": first.shape}, ["y"], {"w": w, "b": b})
    session: Any = ort.InferenceSession(proto.SerializeToString(), providers=["CPUExecutionProvider"])
    return np.moveaxis(session.run(None, {"x": first})[0], 1, -1)


CONV: dict[str, Any] = {
    "pads": [0, 1, 1, 0],
    "strides": [2, 1],
    "dilations": [1, 2],
    "group": 2,
    "kernel_shape": [3, 2],
}


def test_nhwc_conv() -> None:
    x, w, b = drawn(0, 2, 7, 8, 4), drawn(1, 6, 2, 3, 2), drawn(2, 6)
    stored = np.moveaxis(w, 1, -1).copy()
    close(outputs("NhwcConv", "x w b", {"x": x}, {"w": stored, "b": b}, **CONV), convolved(x, w, b, **CONV))


def test_nhwc_fused_conv() -> None:
    x, w, b = drawn(0, 2, 7, 8, 4), drawn(1, 6, 2, 3, 2), drawn(2, 6)
    plain = convolved(x, w, b, **CONV)
    z = drawn(3, *plain.shape)
    found = outputs("NhwcFusedConv", "x w b z", {"x": x, "z": z}, {"w": w, "b": b}, activation="Relu", **CONV)
    close(found, np.maximum(plain + z, 0))


def normalised(x: Array, gamma: Array, beta: Array, groups: int) -> Array:
    """Of data with channels first."""
    y = x.reshape(x.shape[0], groups, -1).astype(np.float64)
    y = ((y - y.mean(2, keepdims=True)) / np.sqrt(y.var(2, keepdims=True) + 1e-5)).reshape(x.shape)
    return y * gamma[:, None, None] + beta[:, None, None]


@pytest.mark.parametrize("last", [0, 1])
@pytest.mark.parametrize("activation", [0, 1])
def test_group_norm(last: int, activation: int) -> None:
    x, gamma, beta = drawn(0, 2, 6, 3, 5), drawn(1, 6), drawn(2, 6)
    want = normalised(x, gamma, beta, 3)
    want = want * sigmoid(want) if activation else want
    if last:
        x, want = np.moveaxis(x, 1, -1).copy(), np.moveaxis(want, 1, -1)
    fields = {"groups": 3, "activation": activation, "channels_last": last}
    close(outputs("GroupNorm", "x g b", {"x": x}, {"g": gamma, "b": beta}, **fields), want)


@pytest.mark.parametrize("last", [0, 1])
@pytest.mark.parametrize("shape", [(2, 6), (2, 6, 1, 1), (2, 6, 3, 5)])
def test_skip_group_norm(last: int, shape: tuple[int, ...]) -> None:
    x, gamma, beta, skip, bias = drawn(0, 2, 6, 3, 5), drawn(1, 6), drawn(2, 6), drawn(3, *shape), drawn(4, 6)
    total = x + skip.reshape(*shape, *(1,) * (4 - len(shape))) + bias[:, None, None]
    want = normalised(total, gamma, beta, 2)
    if last:
        x, total, want = (np.moveaxis(v, 1, -1).copy() for v in (x, total, want))
        skip = np.moveaxis(skip, 1, -1).copy()
    fields = {"groups": 2, "activation": 0, "channels_last": last}
    feed = {"x": x, "s": skip}
    close(
        outputs("SkipGroupNorm", "x g b s c", feed, {"g": gamma, "b": beta, "c": bias}, count=2, **fields), want, total
    )


def test_sums() -> None:
    x, bias, skip = drawn(0, 2, 3, 8), drawn(1, 8), drawn(2, 2, 3, 8)
    close(outputs("BiasAdd", "x b s", {"x": x, "s": skip}, {"b": bias}), x + bias + skip)
    total = x + bias
    close(outputs("BiasSplitGelu", "x b", {"x": x}, {"b": bias}), total[..., :4] * gelu(total[..., 4:]))
    w, moved = drawn(3, 8, 5), drawn(4, 5)
    y = x @ w + moved
    want = 0.5 * y * (1 + np.tanh(np.sqrt(2 / np.pi) * (y + 0.044715 * y**3)))
    close(outputs("GemmFastGelu", "x w b", {"x": x}, {"w": w, "b": moved}), want)


@pytest.mark.parametrize(("shape", "inner"), [((2, 1, 1, 5), 1), ((4, 5), 0)])
def test_bias_softmax(shape: tuple[int, ...], inner: int) -> None:
    x, bias = drawn(0, 2, 3, 4, 5), drawn(1, *shape)
    powers = np.exp(x + bias)
    found = outputs("BiasSoftmax", "x b", {"x": x, "b": bias}, axis=3, is_inner_broadcast=inner)
    close(found, powers / powers.sum(-1, keepdims=True))


def bucket(distance: int, both_ways: bool) -> int:
    """The row of a table of 12 for keys that lie ``distance`` behind the query; 20 positions away all are alike."""
    rows, first = (6, 6 if distance > 0 else 0) if both_ways else (12, 0)
    away = abs(distance) if both_ways else max(-distance, 0)
    exact = rows // 2
    if away < exact:
        return first + away
    return first + min(exact + int(math.log(away / exact) / math.log(20 / exact) * (rows - exact)), rows - 1)


@pytest.mark.parametrize("both_ways", [0, 1])
def test_relative_position_bias(both_ways: int) -> None:
    table = drawn(0, 12, 3)
    rows = [[bucket(k - q, bool(both_ways)) for k in range(40)] for q in range(9)]
    lengths = {"q": np.asarray([9]), "k": np.asarray([40])}
    fields = {"is_bidirectional": both_ways, "max_distance": 20}
    found = outputs("RelativePositionBias", "t q k", {"t": table}, lengths, **fields)
    close(found, table[np.asarray(rows)].transpose(2, 0, 1)[None])


def test_gated_relative_position_bias() -> None:
    x, moved, places = drawn(0, 2, 5, 12), drawn(1, 12), drawn(2, 1, 3, 5, 5)
    weight, bias, eco = drawn(3, 4, 8), drawn(4, 8), drawn(5, 1, 3, 1, 1)
    query = (x + moved).reshape(2, 5, 3, 4).transpose(0, 2, 1, 3)
    gates = sigmoid((query @ weight + bias).reshape(2, 3, 5, 2, 4).sum(-1))
    want = (gates[..., :1] * (gates[..., 1:] * eco - 1) + 2) * places
    constants = {"m": moved, "w": weight, "b": bias, "e": eco}
    found = outputs("GatedRelativePositionBias", "x m p w b e", {"x": x, "p": places}, constants, num_heads=3)
    close(found, want)


@pytest.mark.parametrize(
    ("op", "inputs", "attributes", "code"),
    [
        ("GroupNorm", "x g g", {"groups": 4, "activation": 0}, "T001"),
        ("GroupNorm", "x g g", {"groups": 3, "activation": 2}, "F002"),
        ("BiasSplitGelu", "h g", {}, "T001"),
        ("RelativePositionBias", "x2 q q", {"max_distance": 9}, "F004"),
        ("GatedRelativePositionBias", "x3 g x x2 g x q", {"num_heads": 3}, "F005"),
    ],
)
def test_what_is_refused(op: str, inputs: str, attributes: dict[str, Any], code: str) -> None:
    feed = {"x": (1, 2, 3, 6), "x2": (4, 6), "x3": (1, 2, 6), "h": (2, 7), "q": (1,)}
    used = {n: (np.int64 if n == "q" else np.float32, s) for n, s in feed.items() if n in inputs.split()}
    proto = contrib_model(
        [contrib_node(op, inputs, "y", MS, **attributes)], used, ["y"], {"g": drawn(0, 6)}, opsets={"": 17, MS: 1}
    )
    with pytest.raises(CompileError) as caught:
        imported(proto)
    assert codes(caught.value) == [code]

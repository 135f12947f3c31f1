"""Recurrent operators against onnxruntime: directions, initial states, lengths, peepholes, other activations."""

from __future__ import annotations

from typing import Any

import numpy as np
import onnxruntime as ort
import pytest
from nhwcc.compiler.diagnostics import CompileError
from onnx_models import codes, imported, model, node, results

STEPS, BATCH, FEATURES, HIDDEN = 4, 3, 2, 5
GATES = {"RNN": 1, "GRU": 3, "LSTM": 4}


def constants(op: str, directions: int, *names: str) -> dict[str, Any]:
    rng = np.random.default_rng(7)
    shapes = {
        "w": (directions, GATES[op] * HIDDEN, FEATURES),
        "r": (directions, GATES[op] * HIDDEN, HIDDEN),
        "b": (directions, 2 * GATES[op] * HIDDEN),
        "h": (directions, BATCH, HIDDEN),
        "c": (directions, BATCH, HIDDEN),
        "p": (directions, 3 * HIDDEN),
    }
    out: dict[str, Any] = {n: (rng.standard_normal(shapes[n]) * 0.5).astype(np.float32) for n in names if n in shapes}
    return out | ({"lengths": np.asarray([4, 1, 2], np.int32)} if "lengths" in names else {})


CASES: dict[str, tuple[str, str, int, dict[str, Any]]] = {
    "plain RNN": ("RNN", "x w r", 1, {}),
    "RNN with all": ("RNN", "x w r b lengths h", 2, {"direction": "bidirectional", "clip": 0.4}),
    "RNN backwards": (
        "RNN", "x w r b", 1, {"direction": "reverse", "activations": ["LeakyRelu"], "activation_alpha": [0.3]}
    ),
    "plain GRU": ("GRU", "x w r b", 1, {}),
    "GRU that resets later": ("GRU", "x w r b lengths h", 2, {"direction": "bidirectional", "linear_before_reset": 1}),
    "plain LSTM": ("LSTM", "x w r b", 1, {}),
    "LSTM with all": ("LSTM", "x w r b lengths h c p", 2, {"direction": "bidirectional"}),
    "LSTM backwards with lengths": ("LSTM", "x w r b lengths", 1, {"direction": "reverse"}),
    "LSTM with other activations": (
        "LSTM", "x w r b _ h c", 1,
        {"activations": ["HardSigmoid", "Softsign", "Relu"], "activation_alpha": [0.3], "activation_beta": [0.4]},
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_agrees_with_onnxruntime(name: str) -> None:
    op, inputs, directions, attributes = CASES[name]
    outputs = "y h_last c_last" if op == "LSTM" else "y h_last"
    nodes = [node(op, inputs, outputs, hidden_size=HIDDEN, **attributes)]
    given = constants(op, directions, *inputs.split())
    proto = model(nodes, {"x": (STEPS, BATCH, FEATURES)}, outputs.split(), given, version=14)
    session: Any = ort.InferenceSession(proto.SerializeToString(), providers=["CPUExecutionProvider"])
    module = imported(proto)
    for seed in range(3):  # right on every call, not the first alone
        x = np.random.default_rng(seed).standard_normal((STEPS, BATCH, FEATURES)).astype(np.float32)
        for got, want in zip(results(module, x=x), session.run(None, {"x": x}), strict=True):
            np.testing.assert_allclose(got, want, rtol=1e-5, atol=1e-6)


def test_batch_first() -> None:
    given = constants("GRU", 1, "w", "r")
    first = imported(
        model([node("GRU", "x w r", "y h")], {"x": (STEPS, BATCH, FEATURES)}, ["y", "h"], given, version=14)
    )
    other = imported(
        model([node("GRU", "x w r", "y h", layout=1)], {"x": (BATCH, STEPS, FEATURES)}, ["y", "h"], given, version=14)
    )
    x = np.random.default_rng(0).standard_normal((STEPS, BATCH, FEATURES)).astype(np.float32)
    y, h = results(first, x=x)
    y1, h1 = results(other, x=x.transpose(1, 0, 2))
    np.testing.assert_array_equal(y.transpose(2, 0, 1, 3), y1)
    np.testing.assert_array_equal(h.transpose(1, 0, 2), h1)


@pytest.mark.parametrize(
    ("attributes", "shape", "code"),
    [
        ({"direction": "sideways"}, (4, 1, 2), "F002"),
        ({"activations": ["Sinus", "Tanh", "Tanh"]}, (4, 1, 2), "F002"),
        ({"hidden_size": 6}, (4, 1, 2), "F002"),
        ({}, (4, 2), "F002"),
    ],
)
def test_what_is_refused(attributes: dict[str, Any], shape: tuple[int | str, ...], code: str) -> None:
    proto = model([node("LSTM", "x w r", "y", **attributes)], {"x": shape}, ["y"], constants("LSTM", 1, "w", "r"))
    with pytest.raises(CompileError) as caught:
        imported(proto)
    assert codes(caught.value) == [code]

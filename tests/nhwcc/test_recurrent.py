"""Recurrent networks end to end: every form, three calls in a row, against onnxruntime."""

from __future__ import annotations

import random
from typing import Any

import numpy as np
import onnxruntime as ort
import pytest
from nhwcc.backends.tflite import graph
from nhwcc.backends.tflite.runtime import TfliteModel
from nhwcc.compiler.types import Array
from onnx_models import model, node

import nhwcc
from nhwcc.verification import VerificationError

STEPS, BATCH, FEATURES, HIDDEN = 6, 2, 3, 4
GATES = {"RNN": 1, "GRU": 3, "LSTM": 4}
FUNCTIONS = {"RNN": 1, "GRU": 2, "LSTM": 3}


def drawn(op: str, seed: int) -> tuple[Any, str]:
    """A model of one operator whose attributes and operands are drawn from a seed, and its outputs' names."""
    rng, arrays = random.Random(f"{op} {seed}"), np.random.default_rng(seed)
    direction = rng.choice(["forward", "reverse", "bidirectional"])
    count = 2 if direction == "bidirectional" else 1
    attributes: dict[str, Any] = {"direction": direction, "hidden_size": HIDDEN}
    shapes = {
        "w": (count, GATES[op] * HIDDEN, FEATURES),
        "r": (count, GATES[op] * HIDDEN, HIDDEN),
        "b": (count, 2 * GATES[op] * HIDDEN),
        "h": (count, BATCH, HIDDEN),
        "c": (count, BATCH, HIDDEN),
        "p": (count, 3 * HIDDEN),
    }
    names = ["x", "w", "r", *(n if rng.random() < 0.6 else "_" for n in ("b", "lengths", "h"))]
    if op == "LSTM":
        names += [n if rng.random() < 0.5 else "_" for n in ("c", "p")]
    if rng.random() < 0.3:
        attributes["clip"] = 0.7
    if rng.random() < 0.3:
        attributes["activations"] = rng.choices(["Relu", "Tanh", "Sigmoid", "Softsign"], k=count * FUNCTIONS[op])
    if op == "GRU":
        attributes["linear_before_reset"] = rng.randint(0, 1)
    constants: dict[str, Any] = {
        n: (arrays.standard_normal(shapes[n]) * 0.5).astype(np.float32) for n in names if n in shapes
    }
    if "lengths" in names:
        constants["lengths"] = np.asarray([STEPS, 2], np.int32)
    outputs = "y h_last c_last" if op == "LSTM" else "y h_last"
    nodes = [node(op, " ".join(names).rstrip(" _"), outputs, **attributes)]
    return model(nodes, {"x": (STEPS, BATCH, FEATURES)}, outputs.split(), constants, version=14), outputs


def data(seed: int) -> Array:
    return np.random.default_rng(seed).standard_normal((STEPS, BATCH, FEATURES)).astype(np.float32)


@pytest.mark.parametrize("op", GATES)
@pytest.mark.parametrize("seed", range(6))
def test_three_calls_agree_with_onnxruntime(op: str, seed: int, tmp_path: Any) -> None:
    proto, outputs = drawn(op, seed)
    session: Any = ort.InferenceSession(proto.SerializeToString(), providers=["CPUExecutionProvider"])
    for form in ("unroll", "while", "fused"):
        path = tmp_path / f"{form}.tflite"
        nhwcc.compile(proto, path, rnn=form, io_layout="keep", verify=False)
        loaded = TfliteModel(path)
        for call in range(3):
            x = data(call)
            got = loaded.run({"x": x})
            for name, want in zip(outputs.split(), session.run(None, {"x": x}), strict=True):
                np.testing.assert_allclose(got[name], want, rtol=0, atol=1e-5 * np.abs(want).max())


def simple() -> Any:
    rng = np.random.default_rng(0)
    constants = {n: rng.standard_normal((1, 4 * HIDDEN, k)).astype(np.float32) for n, k in (("w", 3), ("r", HIDDEN))}
    return model([node("LSTM", "x w r", "y")], {"x": (STEPS, BATCH, FEATURES)}, ["y"], constants, version=14)


def test_the_forms(tmp_path: Any) -> None:
    found = {form: nhwcc.compile(simple(), tmp_path / "m.tflite", rnn=form) for form in ("unroll", "while", "fused")}  # pyright: ignore[reportArgumentType]
    ops = {form: artifact.report.ops_after for form, artifact in found.items()}
    assert ops["fused"] == {"SPLIT": 1, "UNIDIRECTIONAL_SEQUENCE_LSTM": 1, "RESHAPE": 1}
    assert ops["while"]["WHILE"] == 1
    assert ops["unroll"]["FULLY_CONNECTED"] == STEPS  # one for all inputs, none for the first state, which is zero


def test_a_file_that_keeps_its_state_is_found_out(tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Right on the first call only, as such kernels are when nothing writes their states."""
    builder: Any = vars(graph)["_Builder"]

    def nothing(*_: object) -> None:
        """Leave the variables as they are."""

    monkeypatch.setattr(builder, "_split", nothing)
    with pytest.raises(VerificationError, match="departs"):
        nhwcc.compile(simple(), tmp_path / "m.tflite", rnn="fused")

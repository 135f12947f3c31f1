"""Networks with states, three calls in a row: what goes out of one goes into the next, and nothing else does."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from nhwcc.compiler.types import Array

import nhwcc
from benchmarks.zoo import model
from nhwcc.runners.onnx import OnnxRunner

STATE = np.zeros((2, 1, 128), np.float32)


@pytest.mark.long
@pytest.mark.parametrize(
    ("name", "rates"),
    [
        ("silero_vad", (16000, 8000)),
        ("silero_vad_op18_ifless", (16000, 8000)),
        ("silero_vad_16k_op15", (16000,)),
        ("silero_vad_half", (None,)),
        ("silero_vad_openvino_16k", (None,)),
    ],
)
def test_voice_activity(name: str, rates: tuple[int | None, ...], tmp_path: Path) -> None:
    artifact = nhwcc.compile(model(name), output=tmp_path / "m.tflite", verify=False)
    reference = OnnxRunner(model(name))
    rng = np.random.default_rng(0)
    for rate in rates:
        ours = theirs = STATE
        for _ in range(3):
            sound = (rng.standard_normal((1, 288 if rate == 8000 else 576)) * 0.1).astype(np.float32)
            given = {"input": sound} | ({} if rate is None else {"sr": np.asarray(rate)})
            want, got = reference.run(given | {"state": theirs}), artifact(**given, state=ours)
            np.testing.assert_allclose(got["output"], want["output"], rtol=1e-3, atol=1e-5)
            np.testing.assert_allclose(got["stateN"], want["stateN"], atol=1e-4 * abs(want["stateN"]).max())
            ours, theirs = got["stateN"], want["stateN"]


@pytest.mark.long
def test_a_sequence_at_once(tmp_path: Path) -> None:
    """The number of steps is open; the state goes on from one part of the sound to the next."""
    artifact = nhwcc.compile(model("silero_vad_16k_sequence"), output=tmp_path / "m.tflite", verify=False)
    reference = OnnxRunner(model("silero_vad_16k_sequence"))
    rng = np.random.default_rng(0)
    states = {"h": STATE[:1], "c": STATE[:1]}
    for steps in (3, 1, 8):
        sound = (rng.standard_normal((steps, 576)) * 0.1).astype(np.float32)
        want, got = reference.run({"input": sound, **states}), artifact(input=sound, **states)
        for output in want:
            np.testing.assert_allclose(got[output], want[output], rtol=1e-3, atol=1e-4)
        states = {"h": want["hn"], "c": want["cn"]}


def _given(name: str, size: int, rng: np.random.Generator) -> dict[str, Array]:
    """Return words for a tagger, or a line of text for a reader."""
    if name == "lac":
        return {"token_ids": rng.integers(0, 1000, (1, size)), "length": np.asarray([size])}
    return {"input1": rng.random((1, 1, 64, 8 * size)).astype(np.float32)}


@pytest.mark.long
@pytest.mark.parametrize("name", ["lac", "ddddocr"])
@pytest.mark.parametrize("rnn", ["while", "fused"])
def test_a_call_leaves_nothing_for_the_next(name: str, rnn: Any, tmp_path: Path) -> None:
    """Layers in both directions; kernels that keep a state would be right on the first call only."""
    artifact = nhwcc.compile(model(name), output=tmp_path / "m.tflite", rnn=rnn, io_layout="keep", verify=False)
    reference, rng = OnnxRunner(model(name)), np.random.default_rng(0)
    for size in (12, 12, 7):
        given = _given(name, size, rng)
        want, got = reference.run(given), artifact(**given)
        for output, array in want.items():
            np.testing.assert_allclose(got[output], array, atol=1e-5 * np.abs(array).max())

"""Networks with a state that goes in and out: three calls in a row, each with the state that the last one gave."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

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

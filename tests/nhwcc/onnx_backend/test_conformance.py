"""A sample of ONNX's conformance suite: the committed lists say which cases pass, and nothing may slip back unseen.

``make conformance`` runs everything and writes the lists anew.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from nhwcc.onnx_backend.conformance import BACKENDS, Judge
from nhwcc.runners import tfjs
from nhwcc.runners.tensorflow import is_available

EVERY = {"interpreter": 6, "tflite": 40, "onnx": 40, "openvino": 100, "tensorflow": 120, "keras": 150, "tfjs": 120}
"""One case of so many is run by default."""


def passing(backend: str) -> set[str]:
    return set(Path(__file__).with_name(f"{backend}.passing").read_text(encoding="utf-8").split())


@pytest.mark.parametrize("backend", BACKENDS)
def test_sample(backend: str) -> None:
    """Exactly the listed cases pass, and the others are refused with a code."""
    if backend in ("tensorflow", "keras") and not is_available():
        pytest.skip("TensorFlow runs the files")
    if backend == "tfjs" and not tfjs.is_available():
        pytest.skip(tfjs.MISSING)
    wanted = passing(backend)
    with Judge(backend) as judge:
        names = [n for n in judge.names() if not n.startswith("Real")]
        assert wanted <= set(judge.names()), "the list is of another version of the suite"
        outcomes = list(judge.run(names[:: EVERY[backend]]))
    lost = [o for o in outcomes if o.status != "pass" and o.case in wanted]
    gained = [o for o in outcomes if o.status == "pass" and o.case not in wanted]
    assert not lost and not gained
    assert [o for o in outcomes if o.status in ("wrong", "crash")] == []
    assert all(o.codes for o in outcomes if o.status == "refused")

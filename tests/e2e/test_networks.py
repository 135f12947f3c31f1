"""Real networks from ONNX to TFLite: the least Transposes, no operation too many, right numbers."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import nhwcc
from benchmarks.zoo import model


def bars() -> np.ndarray:
    """Return a white picture with dark bars, which are text to a network that looks for text; of noise, it says 0."""
    picture = np.ones((1, 3, 64, 160), np.float32)
    picture[..., 20:44, 16:144:10] = picture[..., 20:44, 17:144:10] = picture[..., 20:44, 18:144:10] = -1
    return picture


DATA = {"ppocr_det": bars()}


@pytest.mark.parametrize(
    ("name", "transposes", "operations"),
    [
        ("u2netp", 0, 259),
        ("ppocr_det", 0, 218),
        ("ppocr_cls", 0, 107),
        ("ddddocr_det", 0, 276),
        ("squeezenet", 0, 39),
        ("shufflenet", 16, 135),
        ("mobilenet_v2", 0, 69),
        ("mobilenet_v2_dynamo", 0, 69),
        ("efficientnet_lite0", 0, 60),
        ("efficientnet_lite0_dynamo", 0, 60),
    ],
)
def test_network(name: str, transposes: int, operations: int, tmp_path: Path) -> None:
    """A ShuffleNet keeps one Transpose for each of its shuffles: the groups on both sides differ."""
    report = nhwcc.compile(model(name), output=tmp_path / "m.tflite", data=DATA.get(name)).report
    assert report.layout_proof is not None and report.layout_proof.is_proven
    assert report.transposes_after == report.layout_proof.chosen == transposes
    assert sum(report.ops_after.values()) <= operations
    assert report.verification is not None
    for output in report.verification.outputs:
        assert output.difference.status == "ok"
        assert output.difference.error < 1e-4
    images = [port for port in report.inputs if port.type.count(",") == 3]
    assert images and all(port.layout == "NHWC" for port in images)


def test_u2netp_has_one_operation_per_convolution(tmp_path: Path) -> None:
    """Normalisation, activation and padding are inside of the 119 convolutions."""
    ops = nhwcc.compile(model("u2netp"), output=tmp_path / "m.tflite", verify=False).report.ops_after
    assert ops["CONV_2D"] == 119
    assert set(ops) == {"CONV_2D", "ADD", "CONCATENATION", "LOGISTIC", "MAX_POOL_2D", "RESIZE_BILINEAR"}


@pytest.mark.long
@pytest.mark.parametrize(
    "name", ["resnet50", "densenet121", "inception_v1", "inception_v2", "alexnet", "vgg19", "zfnet512", "u2netp_torch"]
)
def test_large_network(name: str, tmp_path: Path) -> None:
    report = nhwcc.compile(model(name), output=tmp_path / "m.tflite").report
    assert report.transposes_after == 0 and report.verification is not None
    assert report.layout_proof is not None and report.layout_proof.is_proven
    assert all(o.difference.status == "ok" and o.difference.relative < 1e-4 for o in report.verification.outputs)

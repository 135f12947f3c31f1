"""Networks with named sizes: one .tflite, right at several sizes after ``resize_tensor_input``.

python -m benchmarks.dynamic
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

import nhwcc
from benchmarks.measure import scratch, table
from benchmarks.zoo import model
from nhwcc.agreement import Limits, agree
from nhwcc.runners.onnx import OnnxRunner
from nhwcc.runners.tflite import TfliteRunner
from nhwcc.verification import noise

CASES: dict[str, Sequence[tuple[int, ...]]] = {
    "ppocr_det": ((1, 3, 96, 160), (1, 3, 320, 256), (2, 3, 64, 64)),
    "ppocr_cls": ((1, 3, 48, 192), (3, 3, 48, 192), (1, 3, 32, 100)),
    "ppocr_orientation": ((1, 3, 224, 224), (2, 3, 224, 224), (5, 3, 224, 224)),
}


def picture(shape: tuple[int, ...]) -> NDArray[np.float32]:
    """Return pictures with text on them, from -1 to 1: on noise, a detector of text says zero everywhere."""
    from PIL import Image, ImageDraw, ImageFont

    batch, _, height, width = shape
    pages: list[NDArray[np.float32]] = []
    for i in range(batch):
        image = Image.new("RGB", (width, height), "white")
        text = f"NHWC layout {i}"
        ImageDraw.Draw(image).text((4, height // 3), text, fill="black", font=ImageFont.load_default(24))
        pages.append(np.asarray(image, np.float32).transpose(2, 0, 1) / 127.5 - 1)
    return np.stack(pages)


def rows(name: str, shapes: Sequence[tuple[int, ...]]) -> list[list[str]]:
    """Compile one network once, and compare it at every size."""
    output = scratch() / f"{name}.tflite"
    artifact = nhwcc.compile(model(name), output=output, verify=False)
    reference = OnnxRunner(model(name))
    (source,) = reference.inputs
    transposes = str(artifact.report.transposes_after)
    out: list[list[str]] = []
    with TfliteRunner(output) as candidate:
        (target,) = candidate.inputs
        for shape in shapes:
            x = picture(shape)
            want, got = reference.run({source: x}), candidate.run({target: x})
            own = [*noise(reference, {source: x}, want).values(), *noise(candidate, {target: x}, got).values()]
            found = agree(next(iter(want.values())), next(iter(got.values())), Limits(), sum(own[1:], start=own[0]))
            shown = (f"{found.error:.1e}", f"{found.relative:.1e}", *(f"{n.max():.1e}" for n in own), found.status)
            out.append([name, "x".join(map(str, shape)), transposes, *shown])
    return out


def main() -> None:
    """Print the table; noise is how far a runtime is from itself without its optimisations."""
    runtimes = ("onnxruntime's noise", "TFLite's noise")
    head = ("network", "input", "TRANSPOSE", "largest error", "relative", *runtimes, "verdict")
    print(table(head, [row for name, shapes in CASES.items() for row in rows(name, shapes)]))


if __name__ == "__main__":
    main()

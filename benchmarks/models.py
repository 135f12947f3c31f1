"""Real networks to TFLite, without flags: operations, Transposes, error against onnxruntime, cost.

python -m benchmarks.models [NAME ...]
"""

from __future__ import annotations

import json
import sys

from benchmarks.measure import Cost, megabytes, nhwcc, proven, run, scratch, table
from benchmarks.zoo import model

NAMES = (
    *("u2netp", "u2netp_torch", "ppocr_det", "ppocr_cls", "ppocr_orientation", "ddddocr_det"),
    *("resnet50", "densenet121", "inception_v1", "inception_v2", "squeezenet", "shufflenet", "alexnet", "zfnet512"),
    *("vgg19", "mobilenet_v2", "mobilenet_v2_dynamo", "efficientnet_lite0", "efficientnet_lite0_dynamo"),
)

HEAD = (
    "network",
    "ops",
    "CONV_2D",
    "TRANSPOSE",
    "largest error",
    "relative",
    "file",
    "CPU s",
    "peak",
)


def row(name: str) -> list[str]:
    """Compile a network twice: to compare its numbers, and to see what compiling alone costs."""
    folder = scratch()
    path, output = model(name), folder / f"{name}.tflite"
    checked = run(nhwcc("compile", path, "-o", output, "--json"))
    if checked.code:
        return [name, f"exit {checked.code}", checked.output.strip().splitlines()[-1], *[""] * 6]
    report = json.loads(checked.output)["report"]
    outputs = [o["difference"] for o in report["verification"]["outputs"]]
    alone: Cost = run(nhwcc("compile", path, "-o", output, "--no-verify", "--quiet"))
    return [
        name,
        str(sum(report["ops_after"].values())),
        str(report["ops_after"].get("CONV_2D", 0)),
        proven(report["transposes_after"], report["layout_proof"]["is_proven"]),
        f"{max(o['error'] for o in outputs):.1e}",
        f"{max(o['relative'] for o in outputs):.1e}",
        megabytes(output.stat().st_size),
        f"{alone.cpu:.1f}",
        megabytes(alone.peak),
    ]


def main() -> None:
    """Print the table."""
    print(table(HEAD, [row(name) for name in sys.argv[1:] or NAMES]))


if __name__ == "__main__":
    main()

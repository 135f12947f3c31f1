"""The text form of real networks: printed, parsed, printed again, after every pass; and how fast.

python -m benchmarks.text_ir [NAME ...]
"""

from __future__ import annotations

import sys
import time
from pathlib import Path

from nhwcc.backends.tflite import PIPELINE
from nhwcc.compiler.diagnostics import collect_remarks
from nhwcc.compiler.ir import Module
from nhwcc.compiler.parser import parse_module
from nhwcc.compiler.pipeline import parse_pipeline
from nhwcc.compiler.printer import print_module
from nhwcc.compiler.sidefile import SideFile
from nhwcc.frontends.onnx import import_onnx

from benchmarks.measure import scratch, table
from benchmarks.scaling import synthetic
from benchmarks.zoo import model
from nhwcc.pipelines import register_passes

NAMES = (
    "u2netp",
    "ppocr_det",
    "ppocr_cls",
    "ddddocr_det",
    "resnet50",
    "densenet121",
    "shufflenet",
    "mobilenet_v2_dynamo",
)


SIDE = "weights.safetensors"


def printed(module: Module, folder: Path) -> str:
    """Return a module's text; large weights go into a file beside it."""
    weights = SideFile()
    text = print_module(module, locations=True, sink=weights, side_files=[SIDE])
    weights.write(folder / SIDE)
    return text


def round_trips(module: Module, folder: Path) -> bool:
    """Say whether parsing what is printed gives the same text again."""
    text = printed(module, folder)
    again = folder / "again"
    again.mkdir(exist_ok=True)
    return printed(parse_module(text, directory=folder), again) == text


def stages(name: str) -> tuple[int, int]:
    """Return how many dumps of a network's compilation there are, and how many of them come back unchanged."""
    module = import_onnx(model(name))
    folder = scratch()
    same = [round_trips(module, folder)]
    with collect_remarks():
        for p in parse_pipeline(PIPELINE):
            p.run(module)
            same.append(round_trips(module, folder))
    return len(same), sum(same)


def speed(count: int) -> tuple[int, float]:
    """Return the number of operations of a synthetic network and how many are parsed in a second."""
    module = synthetic(count)
    folder = scratch()
    text = printed(module, folder)
    operations = len(module.main.ops)
    start = time.process_time()
    parse_module(text, directory=folder)
    return operations, operations / (time.process_time() - start)


def main() -> None:
    """Print both tables."""
    register_passes()
    speed(10)  # imports, grammar
    print(table(("network", "dumps", "unchanged"), [(name, *stages(name)) for name in sys.argv[1:] or NAMES]))
    print()
    print(
        table(("operations", "parsed per second"), [(f"{n:,}", f"{s:,.0f}") for n, s in [speed(5_000), speed(20_000)]])
    )


if __name__ == "__main__":
    main()

"""Real networks to OpenVINO: layers beside those that OpenVINO's own converter leaves, errors against onnxruntime.

    python -m benchmarks.openvino_files [--data-type FP16] [NAME ...]

``openvino.convert_model`` converts the same file in a process of its own, and ``save_model`` writes it.  Layers are
counted in both files the same way, without constants, Parameters and Results, and with all of them; those of bodies
count, too.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from nhwcc.formats.openvino.model import Network
from nhwcc.formats.openvino.reader import read_contents

from benchmarks.measure import Cost, nhwcc, run, scratch, table
from benchmarks.onnx_files import count as nodes
from benchmarks.zoo import FETCHED, MAKERS, model

NAMES = (*(n for n in FETCHED if n != "ppocr_rec"), *(n for n in MAKERS if n not in ("vgg19", "zfnet512")))

CONVERTER = (
    "import sys, openvino\n"
    "openvino.save_model(openvino.convert_model(sys.argv[1]), sys.argv[2], compress_to_fp16=sys.argv[3] == 'FP16')"
)

HEAD = (
    "network",
    "nodes",
    "layers",
    "convert_model",
    "with constants",
    "convert_model",
    "error",
    "MB",
    "convert_model",
    "CPU s",
)

STRUCTURE = ("Parameter", "Result", "Const")


def layers(network: Network) -> tuple[int, int]:
    """Return how many layers compute something, and how many there are, with those of bodies."""
    inner = [layers(body.network) for layer in network.layers.values() for body in layer.bodies.values()]
    own = [layer for layer in network.layers.values() if layer.type not in STRUCTURE]
    return len(own) + sum(n for n, _ in inner), len(network.layers) + sum(n for _, n in inner)


def described(path: Path) -> tuple[str, str, str]:
    """Return the layers of a file, counted both ways, and its size."""
    computing, whole = layers(read_contents(path).network)
    size = path.stat().st_size + path.with_suffix(".bin").stat().st_size
    return str(computing), str(whole), f"{size / 1e6:.1f}"


def converted(source: Path, output: Path, data_type: str) -> tuple[str, str, str]:
    """Return the same of what OpenVINO's converter writes, or that it fails."""
    done: Cost = run([sys.executable, "-c", CONVERTER, str(source), str(output), data_type])
    return ("fails", "", "") if done.code else described(output)


def error_of(report: dict[str, Any]) -> str:
    """Return the largest error relative to an output's largest value; of constants in 16 bits, what a warning says."""
    said = [text for text in report["warnings"] if "departs by" in text]
    if said:
        return str(said[0].split("departs by ")[1].split()[0])
    return f"{max(o['difference']['relative'] for o in report['verification']['outputs']):.1e}"


def row(name: str, data_type: str) -> list[str]:
    """Write a network with both."""
    folder, source = scratch(), model(name)
    output = folder / f"{name}.xml"
    options = ["--data-type", data_type] if data_type != "FP32" else []
    done = run(nhwcc("compile", source, "-o", output, "--json", *options))
    theirs = converted(source, folder / f"{name}-theirs.xml", data_type)
    if done.code:
        said = json.loads(done.output[done.output.index("{") :])["diagnostics"][0]
        return [
            name,
            str(nodes(source)),
            f"{said['code']}: {said['message'][:60]}",
            theirs[0],
            "",
            theirs[1],
            *[""] * 4,
        ]
    report = json.loads(done.output[done.output.index("{") :])["report"]
    worst = error_of(report)
    own = described(output)
    alone = run(nhwcc("compile", source, "-o", output, "--no-verify", "--quiet", *options))
    counts = (own[0], theirs[0], own[1], theirs[1])
    return [name, str(nodes(source)), *counts, worst, own[2], theirs[2], f"{alone.cpu:.1f}"]


def main(arguments: Sequence[str] | None = None) -> None:
    """Print the table, row by row."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", default=NAMES)
    parser.add_argument("--data-type", choices=("FP32", "FP16"), default="FP32")
    given = parser.parse_args(arguments)
    print(table(HEAD, []))
    for name in given.names:
        print(f"| {' | '.join(row(name, given.data_type))} |", flush=True)


if __name__ == "__main__":
    main()

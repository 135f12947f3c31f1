"""What compiling costs and what comes out, beside onnx2tf in the same run; whole processes, no comparison of numbers.

python -m benchmarks.compile_cost [--peer PYTHON] [--times N]       PYTHON: one that has onnx2tf installed
"""

from __future__ import annotations

import argparse
from collections import Counter
from pathlib import Path

from nhwcc.formats.tflite.reader import inspect

from benchmarks.measure import Cost, least, megabytes, nhwcc, scratch, table
from benchmarks.zoo import model

NAMES = ("u2netp", "resnet50")


def peer_command(python: str, source: Path, folder: Path) -> list[str | Path]:
    """Return the command line of onnx2tf, the float32 file only."""
    return [python, "-m", "onnx2tf", "-i", source, "-o", folder, "-n"]


def rows(name: str, peer: str | None, times: int) -> list[list[str]]:
    """Measure one network."""
    source, folder = model(name), scratch()
    mine, theirs = folder / "ours.tflite", folder / "onnx2tf"
    ours = least(nhwcc("compile", source, "-o", mine, "--no-verify", "--quiet"), times)
    out = [[name, "nhwcc", *_size(mine), *_costs(ours, ours, source)]]
    if peer is not None:
        cost = least(peer_command(peer, source, theirs), times)
        out.append([name, "onnx2tf", *_size(next(theirs.glob("*_float32.tflite"))), *_costs(cost, ours, source)])
    return out


def _size(path: Path) -> tuple[str, str]:
    """Count a file's operations and its transposes."""
    counts = Counter(op.name for subgraph in inspect(path).subgraphs for op in subgraph.operators)
    return str(counts.total()), str(counts["TRANSPOSE"])


def _costs(cost: Cost, ours: Cost, source: Path) -> tuple[str, ...]:
    """Print seconds and memory, with their ratios to ours and to the weights."""
    ratios = f"{cost.cpu / ours.cpu:.1f}", f"{cost.peak / ours.peak:.1f}", f"{cost.peak / source.stat().st_size:.2f}"
    return f"{cost.cpu:.2f}", ratios[0], megabytes(cost.peak), *ratios[1:]


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--peer")
    parser.add_argument("--times", type=int, default=3)
    options = parser.parse_args()
    head = ("network", "tool", "ops", "T", "CPU s", "ratio", "peak", "ratio", "peak / file")
    print(table(head, [r for name in NAMES for r in rows(name, options.peer, options.times)]))


if __name__ == "__main__":
    main()

"""What compiling costs, beside onnx2tf in the same run: process start to end, without comparing numbers.

python -m benchmarks.compile_cost [--peer PYTHON] [--times N]       PYTHON: one that has onnx2tf installed
"""

from __future__ import annotations

import argparse
from pathlib import Path

from benchmarks.measure import Cost, least, megabytes, nhwcc, scratch, table
from benchmarks.zoo import model

NAMES = ("u2netp", "resnet50")


def peer_command(python: str, source: Path, folder: Path) -> list[str | Path]:
    """Return the command line of onnx2tf, the float32 file only."""
    return [python, "-m", "onnx2tf", "-i", source, "-o", folder, "-n"]


def rows(name: str, peer: str | None, times: int) -> list[list[str]]:
    """Measure one network."""
    source, folder = model(name), scratch()
    ours = least(nhwcc("compile", source, "-o", folder / "ours.tflite", "--no-verify", "--quiet"), times)
    out = [_row(name, "nhwcc", ours, ours, source)]
    if peer is not None:
        theirs = least(peer_command(peer, source, folder / "onnx2tf"), times)
        out.append(_row(name, "onnx2tf", theirs, ours, source))
    return out


def _row(name: str, tool: str, cost: Cost, ours: Cost, source: Path) -> list[str]:
    weights = source.stat().st_size
    return [
        name,
        tool,
        f"{cost.cpu:.2f}",
        f"{cost.cpu / ours.cpu:.1f}",
        megabytes(cost.peak),
        f"{cost.peak / ours.peak:.1f}",
        f"{cost.peak / weights:.2f}",
    ]


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--peer")
    parser.add_argument("--times", type=int, default=3)
    options = parser.parse_args()
    head = ("network", "tool", "CPU s", "ratio", "peak", "ratio", "peak / file")
    print(table(head, [r for name in NAMES for r in rows(name, options.peer, options.times)]))


if __name__ == "__main__":
    main()

"""TFLite files of other tools, compiled to TFLite and to ONNX: operations and Transposes before and after, errors.

    python -m benchmarks.tflite_files [NAME | FILE ...]

Without arguments the trained files that packages bring; a FILE is any other one.  Errors are those against the TFLite
runtime on the file as it was, relative to an output's largest value.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from nhwcc.formats.tflite.reader import inspect

from benchmarks.measure import nhwcc, proven, run, scratch, table
from examples.trained import fetch

NAMES = (
    *("basic_pitch_tflite", "fer", "face_detection_back", "face_detection_front", "face_detection_short_range"),
    *("face_detection_full_range", "face_detection_full_range_sparse", "face_landmark", "iris_landmark"),
)

HEAD = ("file", "target", "operations", "Transposes", "kB", "largest relative error", "CPU s")


def rows(name: str) -> Iterator[list[str]]:
    """Compile a file for each target, and compare with what it was."""
    source = Path(name) if name.endswith(".tflite") else fetch(name)
    names = [op.name for graph in inspect(source).subgraphs for op in graph.operators]
    for suffix in (".tflite", ".onnx"):
        output = scratch() / f"out{suffix}"
        done = run(nhwcc("compile", source, "-o", output, "--json"))
        said = json.loads(done.output[done.output.index("{") :])
        if done.code:
            yield [source.stem, suffix, said["diagnostics"][0]["message"][:80], *[""] * 4]
            continue
        report = said["report"]
        compared: list[Any] = report["verification"]["outputs"] if report["verification"] else []
        errors: list[float] = [o["difference"]["relative"] for o in compared]
        yield [
            source.stem,
            suffix,
            f"{len(names)} -> {sum(report['ops_after'].values())}",
            f"{names.count('TRANSPOSE')} -> {proven(report['transposes_after'], report['layout_proof']['is_proven'])}",
            f"{source.stat().st_size / 1e3:,.0f} -> {output.stat().st_size / 1e3:,.0f}",
            f"{max(errors):.1e}" if errors else "not compared",
            f"{done.cpu:.1f}",
        ]


def main() -> None:
    """Print the table."""
    print(table(HEAD, [row for name in sys.argv[1:] or NAMES for row in rows(name)]))


if __name__ == "__main__":
    main()

"""TFLite files that other converters made of small networks, to TFLite and to ONNX: operations, Transposes, errors.

    python -m benchmarks.peer_files FOLDER

FOLDER holds what ``benchmarks.peer_tflite`` writes.  Errors are those against the TFLite runtime on the file as it was,
relative to an output's largest value; *equal* is bit by bit.  Where the runtime multiplies by weights of 8 bits, files
for ONNX are compared with the numbers that these stand for, which ONNX has no kernels to round.  Conversions are not
counted in ONNX: scales are nodes there, and part of tensors in TFLite.
"""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Mapping
from pathlib import Path

from nhwcc.compiler.diagnostics import CompileError
from nhwcc.formats.tflite.reader import inspect

import nhwcc
from benchmarks.measure import proven, scratch, table

TOOLS = {"tensorflow": "TensorFlow", "litert_torch": "litert-torch", "onnx2tf": "onnx2tf"}

HEAD = ("network", "by", "weights", *("operations", "Transposes", "TFLite", "error"), *("ONNX", "Transposes", "error"))

CONVERSIONS = frozenset({"QuantizeLinear", "DequantizeLinear"})


def split_name(stem: str) -> tuple[str, str, str]:
    """Return the network, the tool and the way of a file's name."""
    tool = next(t for t in TOOLS if f"_{t}_" in stem)
    network, way = stem.split(f"_{tool}_")
    return network, tool, way


def cells(source: Path, output: Path) -> tuple[str, str, str]:
    """Compile a file; return its operations and Transposes, and the error."""
    try:
        report = nhwcc.compile(source, output).report
    except CompileError as bad:
        return "", "", f"{bad.diagnostics[0].code}: {bad.diagnostics[0].message[:60]}"
    ops: Mapping[str, int] = {n: c for n, c in report.ops_after.items() if n not in CONVERSIONS}
    found = report.verification
    worst = max((o.difference.relative for o in found.outputs), default=0.0) if found else None
    transposes = report.transposes_after
    said = "not compared" if worst is None else "equal" if worst == 0 else f"{worst:.1e}"
    is_proven = report.layout_proof is None or report.layout_proof.is_proven
    return str(sum(ops.values())), proven(transposes, is_proven), said


def row(source: Path, folder: Path) -> list[str]:
    """Compile a file for both targets."""
    network, tool, way = split_name(source.stem)
    names = Counter(op.name for graph in inspect(source).subgraphs for op in graph.operators)
    first = [network, TOOLS[tool], way, str(sum(names.values())), str(names["TRANSPOSE"])]
    count, transposes, error = cells(source, folder / "out.tflite")
    onnx = cells(source, folder / "out.onnx")
    return [*first, f"{count} ({transposes} T)" if count else "", error, *onnx]


def main() -> None:
    """Print the table."""
    folder = scratch()
    print(table(HEAD, [row(source, folder) for source in sorted(Path(sys.argv[1]).glob("*.tflite"))]))


if __name__ == "__main__":
    main()

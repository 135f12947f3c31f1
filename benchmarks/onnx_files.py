"""Real networks to ONNX: nodes beside those that simplifiers leave, errors against onnxruntime, what shapes are known.

    python -m benchmarks.onnx_files [--peers FOLDER] [NAME ...]

FOLDER holds onnxsim and onnxslim (``pip install --no-deps --target FOLDER onnxsim onnxslim``); they run in processes of
their own, on the same file.  Each network is written for opset 13, 17 and without a limit.  *unknown* counts tensors
that strict shape inference leaves without a rank, and sizes that the source's inference knows but the file's does not.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

import onnx
from onnx import shape_inference

from benchmarks.measure import nhwcc, run, scratch, table
from benchmarks.models import NAMES
from benchmarks.zoo import model

OPSETS = ("13", "17", "")

PEERS = {
    "onnxsim": "import sys, onnx, onnxsim; onnx.save(onnxsim.simplify(sys.argv[1])[0], sys.argv[2])",
    "onnxslim": "import sys, onnxslim; onnxslim.slim(sys.argv[1], sys.argv[2])",
}

HEAD = ("network", "nodes", "onnxsim", "onnxslim", "opset 13", "opset 17", "no limit", "unknown", "Transposes")

TIMEOUT = 600
"""Seconds that a peer may take."""


def nodes_of(graph: Any) -> Iterator[Any]:
    """Yield the nodes of a graph and of the graphs in it, but for constants."""
    for node in graph.node:
        if node.op_type != "Constant":
            yield node
        for attribute in node.attribute:
            for inner in (attribute.g, *attribute.graphs):
                yield from nodes_of(inner)


def load(path: Path) -> Any:
    """Read a model, without weights in other files."""
    return cast(Any, onnx).load_model(str(path), load_external_data=False)


def count(path: Path) -> int:
    """Count the nodes of a file."""
    return sum(1 for _ in nodes_of(load(path).graph))


def peer(name: str, folder: str | None, source: Path, output: Path) -> str:
    """Return how many nodes a simplifier leaves, or that it fails."""
    if folder is None:
        return ""
    env = os.environ | {"PYTHONPATH": folder}
    command = [sys.executable, "-c", PEERS[name], str(source), str(output)]
    try:
        done = subprocess.run(command, env=env, capture_output=True, timeout=TIMEOUT, check=False)
    except subprocess.TimeoutExpired:
        return "no end"
    return str(count(output)) if done.returncode == 0 and output.exists() else "fails"


def known(path: Path, *, strict: bool) -> tuple[dict[str, list[str]], int]:
    """Return what inference knows of each tensor's sizes, and how many tensors have no rank; ``strict`` checks all."""
    if strict:
        cast(Any, onnx).checker.check_model(str(path), full_check=True)
    inferred: Any = shape_inference.infer_shapes(load(path), check_type=strict, strict_mode=strict, data_prop=True)
    found: dict[str, list[str]] = {}
    for value in (*inferred.graph.value_info, *inferred.graph.output):
        if value.type.tensor_type.HasField("shape"):
            dims = value.type.tensor_type.shape.dim
            found[value.name] = [str(d.dim_value) if d.HasField("dim_value") else d.dim_param for d in dims]
    results = {name for node in inferred.graph.node for name in node.output if name}
    return found, len(results - found.keys())


def lost(before: dict[str, list[str]], after: dict[str, list[str]]) -> int:
    """Count sizes that are numbers in one file and unknown in the other, of tensors that both have."""
    pairs = [(before[n], after[n]) for n in before.keys() & after.keys() if len(before[n]) == len(after[n])]
    return sum(a.isdigit() and not b.isdigit() for have, want in pairs for a, b in zip(have, want, strict=True))


def row(name: str, peers: str | None) -> list[str]:
    """Write a network three times and look at each file."""
    folder, source = scratch(), model(name)
    cells: list[str] = []
    unknown, fewest, transposes = 0, 0, 0
    before, _ = known(source, strict=False)
    for opset in OPSETS:
        output = folder / f"{name}-{opset}.onnx"
        done = run(nhwcc("compile", source, "-o", output, "--json", *(("--opset", opset) if opset else ())))
        if done.code:
            cells.append(f"exit {done.code}: {json.loads(done.output)['diagnostics'][0]['message'][:60]}")
            continue
        report = json.loads(done.output[done.output.index("{") :])["report"]
        worst = max(o["difference"]["relative"] for o in report["verification"]["outputs"])
        after, rankless = known(output, strict=True)
        unknown += rankless + lost(before, after)
        fewest = count(output)
        transposes = report["transposes_after"]
        cells.append(f"{fewest} nodes, {worst:.1e} ({report['requires'].removeprefix('opset ')})")
    others = [peer(tool, peers, source, folder / f"{tool}.onnx") for tool in PEERS]
    return [name, str(count(source)), *others, *cells, str(unknown), str(transposes)]


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser()
    parser.add_argument("names", nargs="*", default=NAMES)
    parser.add_argument("--peers")
    given = parser.parse_args()
    print(table(HEAD, [row(name, given.peers) for name in given.names]))


if __name__ == "__main__":
    main()

"""The hundred small networks about layout: how many come out right, and with how many Transposes.

python -m benchmarks.layout [--peer PYTHON]       PYTHON: one that has onnx2tf installed, to run beside us
"""

from __future__ import annotations

import argparse
import itertools
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
from nhwcc.compiler.diagnostics import CompileError
from nhwcc.compiler.types import Array
from nhwcc.formats.tflite.reader import inspect

import nhwcc
from benchmarks.layout_nets import COUNT, network
from benchmarks.measure import run, scratch, table
from nhwcc.runners.onnx import OnnxRunner
from nhwcc.runners.tflite import TfliteRunner

Convert = Callable[[Path, Path], Path | None]
"""Makes a .tflite of a model; None if it can't."""

TOLERANCE = 1e-4


def with_nhwcc(source: Path, folder: Path) -> Path | None:
    """Compile with us."""
    output = folder / "ours.tflite"
    try:
        nhwcc.compile(source, output=output, verify=False)
    except CompileError:
        return None
    return output


def with_onnx2tf(python: str) -> Convert:
    """Return what converts by onnx2tf."""

    def convert(source: Path, folder: Path) -> Path | None:
        target = folder / "onnx2tf"
        done = run([python, "-m", "onnx2tf", "-i", source, "-o", target, "-n"])
        output = target / f"{source.stem}_float32.tflite"
        return output if done.code == 0 and output.exists() else None

    return convert


def outcome(source: Path, output: Path | None) -> tuple[str, int]:
    """Return "right", "wrong", "runtime" or "failed", and the number of Transposes.

    In favour of the tool, its input and outputs may lie in any order of axes unless the file states one.
    """
    if output is None:
        return "failed", 0
    reference = OnnxRunner(source)
    (name,) = reference.inputs
    rng = np.random.default_rng(1)
    x = rng.standard_normal([int(str(d)) for d in reference.inputs[name].shape]).astype(np.float32)
    transposes = sum(o.name == "TRANSPOSE" for g in inspect(output).subgraphs for o in g.operators)
    want = reference.run({name: x})
    try:
        with TfliteRunner(output) as candidate:
            right = any(_agree(want, got) for got in _runs(candidate, x))
    except CompileError:
        return "runtime", transposes
    return "right" if right else "wrong", transposes


def _runs(candidate: TfliteRunner, x: Array) -> Iterator[dict[str, Array]]:
    """Run a file on the input in every order of its axes that fits."""
    ((name, type),) = candidate.inputs.items()
    orders = [tuple(range(x.ndim))] if candidate.states_layout else itertools.permutations(range(x.ndim))
    for perm in orders:
        if x.transpose(perm).shape == tuple(type.shape):
            yield candidate.run({name: x.transpose(perm)})


def _agree(want: dict[str, Array], got: dict[str, Array]) -> bool:
    """Whether all outputs agree, by name or by place."""
    if len(want) != len(got):
        return False
    theirs = [got[name] for name in want] if set(want) == set(got) else list(got.values())
    return all(_same(a, b) for a, b in zip(want.values(), theirs, strict=True))


def _same(want: Array, got: Array) -> bool:
    """Whether two tensors agree in some order of their axes."""
    if sorted(want.shape) != sorted(got.shape):
        return False
    limit = TOLERANCE * float(np.abs(want).max())
    return any(
        turned.shape == want.shape and float(np.abs(turned - want).max()) <= limit
        for turned in (got.transpose(p) for p in itertools.permutations(range(got.ndim)))
    )


def judge(convert: Convert) -> tuple[Counter[str], int]:
    """Convert all networks; return how they came out, and all their Transposes."""
    found: Counter[str] = Counter()
    total = 0
    for seed in range(COUNT):
        for equal in (False, True):
            folder = scratch()
            source = folder / f"net{seed}{'e' if equal else ''}.onnx"
            source.write_bytes(network(seed, equal=equal).SerializeToString())
            result, transposes = outcome(source, convert(source, folder))
            found[result] += 1
            total += transposes if result == "right" else 0
    return found, total


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--peer")
    peer: str | None = parser.parse_args().peer
    tools: dict[str, Convert] = {"nhwcc": with_nhwcc} | ({} if peer is None else {"onnx2tf": with_onnx2tf(peer)})
    rows: list[list[object]] = []
    for tool, convert in tools.items():
        found, transposes = judge(convert)
        rows.append([tool, *(found[k] for k in ("right", "wrong", "failed", "runtime")), transposes])
    print(table(("tool", "right", "silently wrong", "not converted", "fails at run time", "Transposes"), rows))


if __name__ == "__main__":
    main()

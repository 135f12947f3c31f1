"""Random networks with named sizes, from ONNX and from PyTorch, compiled without verification and run at three sizes.

python -m benchmarks.open_sizes --count 500                   # networks 0 to 499; a network's number is its seed
python -m benchmarks.open_sizes --start 17 --count 1          # one of them again
python -m benchmarks.open_sizes --source onnx --count 250

What a file computes is compared with the source's runtime.  Networks split, join and borrow sizes: two inputs may call
the same size by two names, and say nothing of a factor that a reshape needs.
"""

from __future__ import annotations

import argparse
import importlib
import multiprocessing
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from multiprocessing.connection import Connection
from random import Random
from typing import Any

import numpy as np
from nhwcc.compiler.dims import Dim, solve, static, substitute
from nhwcc.compiler.types import Array, parse_type

import nhwcc
from benchmarks.measure import table
from benchmarks.sizing.kinds import KINDS
from benchmarks.sizing.network import Network, random_network

RUNS = 3
LIMIT = 120
TOLERANCE = 1e-3
COLUMNS = ("right", "wrong", "internal error", "refused", "source refuses")
FINDINGS = COLUMNS[1:3]

Run = Callable[[Mapping[str, Array]], list[Array]]


@dataclass(frozen=True)
class Result:
    """What came of a network."""

    seed: int
    source: str
    verdict: str
    code: str = ""
    message: str = ""
    seconds: float = 0.0


class Wrong(Exception):
    """A file computes something else than its source."""


def isolated(seed: int, source: str) -> Result:
    """Check a network in a process of its own: kernels may abort."""
    context = multiprocessing.get_context("fork")
    ours, theirs = context.Pipe(duplex=False)
    child = context.Process(target=_send, args=(theirs, seed, source))
    child.start()
    theirs.close()
    try:
        result = ours.recv() if ours.poll(LIMIT) else Result(seed, source, "wrong", "", f"over {LIMIT} s", LIMIT)
    except EOFError:
        result = Result(seed, source, "wrong", "", "the process ended")
    child.kill()
    child.join()
    return result


def _send(connection: Connection, seed: int, source: str) -> None:
    connection.send(check(seed, source))


def check(seed: int, source: str) -> Result:
    """Compile a network, and run the file at several sizes."""
    begun = time.perf_counter()
    network = random_network(seed, KINDS)
    try:
        run, artifact = (_onnx if source == "onnx" else _torch)(network, seed)
        _compare(network, run, artifact, Random(seed), 2 if source == "torch" else 1)
    except nhwcc.CompileError as bad:
        found = bad.diagnostics[0]
        verdict = "internal error" if found.code[0] == "I" else "source refuses" if found.code == "F030" else "refused"
        return Result(seed, source, verdict, found.code, found.message, time.perf_counter() - begun)
    except Wrong as bad:
        return Result(seed, source, "wrong", "", str(bad), time.perf_counter() - begun)
    except (ValueError, TypeError, AttributeError, KeyError, IndexError, AssertionError, RecursionError) as bad:
        return Result(seed, source, "internal error", type(bad).__name__, str(bad), time.perf_counter() - begun)
    return Result(seed, source, "right", seconds=time.perf_counter() - begun)


def _onnx(network: Network, seed: int) -> tuple[Run, nhwcc.Artifact]:
    ort: Any = importlib.import_module("onnxruntime")

    from benchmarks.sizing.onnx_builder import onnx_model

    model = onnx_model(network, seed)
    options = ort.SessionOptions()
    options.log_severity_level = 4
    session = ort.InferenceSession(model.SerializeToString(), options)

    def run(feeds: Mapping[str, Array]) -> list[Array]:
        return list(session.run(None, dict(feeds)))

    return run, _compiled(model)


def _torch(network: Network, seed: int) -> tuple[Run, nhwcc.Artifact]:
    import torch

    from benchmarks.sizing.torch_builder import torch_module

    module = torch_module(network, seed)
    names = [i.name for i in network.inputs]

    def run(feeds: Mapping[str, Array]) -> list[Array]:
        with torch.no_grad():
            return [r.numpy() for r in module(*(torch.tensor(feeds[n]) for n in names))]

    shapes = {i.name: tuple(map(_formula, i.shape)) if seed % 4 else i.declared for i in network.inputs}
    return run, _compiled(module, shapes=shapes)


def _formula(size: Dim) -> int | str:
    """Return a size as PyTorch must be told: it refuses names for what is a multiple, or always equal."""
    return size if isinstance(size, int) else str(size)


def _compiled(model: Any, **options: Any) -> nhwcc.Artifact:
    return nhwcc.compile(model, verify=False, io_layout="keep", **options)


def _compare(network: Network, run: Run, artifact: nhwcc.Artifact, rng: Random, least: int) -> None:
    """Run both at several sizes.

    Raises:
        Wrong: results differ, or the file does not run.
    """
    for sizes in _choices(network, artifact, rng, least):
        numbers = np.random.default_rng(rng.randrange(1 << 30))
        shapes = {i.name: static(substitute(i.shape, sizes)) for i in network.inputs}
        feeds = {name: numbers.standard_normal(s).astype(np.float32) for name, s in shapes.items()}
        wanted = run(feeds)
        try:
            found = list(artifact(**feeds).values())
        except nhwcc.CompileError as bad:
            raise Wrong(f"{sizes}: {bad}") from bad
        for want, got in zip(wanted, found, strict=True):
            if want.shape != got.shape:
                raise Wrong(f"{sizes}: shape {got.shape}, not {want.shape}")
            scale = float(np.abs(want).max()) or 1.0
            if not np.allclose(got / scale, want / scale, atol=TOLERANCE):
                raise Wrong(f"{sizes}: {np.abs(got - want).max() / scale:.1e} off")


def _choices(network: Network, artifact: nhwcc.Artifact, rng: Random, least: int) -> Iterator[dict[str, int]]:
    """Draw sizes that the file takes: PyTorch may have left open multiples only, or a range."""
    seen: list[dict[str, int]] = []
    for _ in range(60):
        sizes = network.sizes(rng, least)
        if len(seen) < RUNS and sizes not in seen and _takes(network, artifact, sizes):
            seen.append(sizes)
            yield sizes


def _takes(network: Network, artifact: nhwcc.Artifact, sizes: dict[str, int]) -> bool:
    given = {i.name: static(substitute(i.shape, sizes)) for i in network.inputs}
    bound: dict[str, int] = {}
    pairs = [
        (d, n) for p in artifact.report.inputs for d, n in zip(parse_type(p.type).shape, given[p.name], strict=True)
    ]
    if not all(solve(d, n, bound) for d, n in pairs) or any(substitute(d, bound) != n for d, n in pairs):
        return False
    limits = {text: n for r in artifact.report.remarks for text, n in r.facts.items()}
    ranges = ((limits.get(f"{name} from", 0), size, limits.get(f"{name} to", size)) for name, size in bound.items())
    return all(low <= size <= high for low, size, high in ranges)


def summary(results: Sequence[Result]) -> str:
    """Return the table: a row for every source."""
    rows: list[list[object]] = []
    for source in dict.fromkeys(r.source for r in results):
        verdicts = Counter(r.verdict for r in results if r.source == source)
        taken = verdicts.total() - verdicts["source refuses"]
        rows.append(
            [source, verdicts.total(), *(verdicts[c] for c in COLUMNS), f"{verdicts['refused'] / max(taken, 1):.1%}"]
        )
    return table(["source", "networks", *COLUMNS, "share refused"], rows)


def main() -> int:
    """Check the networks that were asked for; 1 if a file is wrong or there is an internal error."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--start", type=int, default=0)
    parser.add_argument("--count", type=int, default=40)
    parser.add_argument("--source", choices=("onnx", "torch"), action="append")
    given = parser.parse_args()
    sources = given.source or ["onnx", "torch"]
    for name in ("onnxruntime", "ai_edge_litert.interpreter", *(["torch.export"] if "torch" in sources else [])):
        importlib.import_module(name)
    check(0, "onnx")  # what is imported on the way is there in every child
    results: list[Result] = []
    for seed in range(given.start, given.start + given.count):
        result = isolated(seed, sources[seed % len(sources)])
        results.append(result)
        if result.verdict != "right":
            print(f"{seed} {result.source}: {result.verdict} {result.code} {result.message[:200]}", flush=True)
    print(summary(results))
    print(f"\ncodes: {dict(Counter(r.code for r in results if r.code))}")
    return int(any(r.verdict in FINDINGS for r in results))


if __name__ == "__main__":
    sys.exit(main())

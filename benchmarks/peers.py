"""PyTorch networks beside litert-torch, in the same run: what comes out, what it costs, how fast it runs.

    python -m benchmarks.peers --peer-python PYTHON [NAME ...] [--before MODULE]

PYTHON is one that has litert-torch, timm and torchvision installed; ``--before`` is for both.  CPU time is that from
the module to the file, the libraries imported before; memory is the process's peak.  Both files run on one thread of
the same runtime, in turn; the time is the median.
"""

from __future__ import annotations

import argparse
import importlib
import json
import statistics
import sys
import time
from collections import Counter
from collections.abc import Collection
from pathlib import Path
from typing import Any

import numpy as np
import torch
from nhwcc.formats.tflite.reader import Summary, inspect
from numpy.typing import NDArray
from torch.utils._pytree import tree_leaves

from benchmarks.measure import megabytes, run, scratch, table
from benchmarks.torch_nets import build, honest
from nhwcc import CompileOptions
from nhwcc.driver import compile_model

NAMES = (
    *("resnet50", "mobilenet_v3_large", "shufflenet_v2_x1_0", "deeplabv3_resnet50", "timm/convnext_tiny"),
    *("timm/vit_tiny_patch16_224", "timm/swin_tiny_patch4_window7_224", "timm/mobilevit_s", "lstm"),
)

HEAD = ("network", "tool", "ops", "T", "R", "file", "error", "CPU s", "ratio", "peak", "ms", "ratio")

ROUNDS = 21


def convert(name: str, file: Path, disable: Collection[str] = ()) -> None:
    """Compile one network with nhwcc, and write what PyTorch says on an input beside the file."""
    torch.random.manual_seed(0)  # pyright: ignore[reportUnknownMemberType]
    module, shapes = build(name)
    examples = tuple(torch.randn(shape) for shape in shapes)
    module = honest(module)
    start = time.process_time()
    report = compile_model(module, CompileOptions(file, args=examples, verify=False, disable=disable)).report
    cpu = time.process_time() - start
    with torch.no_grad():
        want: torch.Tensor = tree_leaves(module(*examples))[0]
    np.savez(file.with_suffix(".npz"), x=examples[0].numpy(), want=want.numpy())
    print("\n" + json.dumps({"cpu": cpu, "peak": report.peak_memory}))


class Runner:
    """A file on one thread, fed and read as the source has its axes."""

    def __init__(self, path: Path, summary: Summary, x: NDArray[Any]) -> None:
        from ai_edge_litert.interpreter import Interpreter

        self.interpreter: Any = Interpreter(str(path), num_threads=1)
        self.interpreter.allocate_tensors()
        ports: Any = summary.layout or {"inputs": {"": {"perm": range(x.ndim)}}, "outputs": {}}
        (given,) = ports["inputs"].values()
        self.outputs: list[Any] = list(ports["outputs"].values())
        self.interpreter.set_tensor(self.interpreter.get_input_details()[0]["index"], x.transpose(given["perm"]))

    def time(self) -> float:
        """Run once; return milliseconds of this thread's CPU time."""
        start = time.thread_time()
        self.interpreter.invoke()
        return (time.thread_time() - start) * 1e3

    def result(self, shape: tuple[int, ...]) -> NDArray[Any]:
        """Return the output of a shape, in the source's order."""
        for i, detail in enumerate(self.interpreter.get_output_details()):
            out = self.interpreter.get_tensor(detail["index"])
            if self.outputs:
                out = out.transpose(np.argsort(self.outputs[i]["perm"]))
            if out.shape == shape:
                return out
        raise RuntimeError(f"no output of shape {shape}")


def rows(name: str, peer: str, before: list[str]) -> list[list[str]]:
    """Convert one network with both tools, and compare."""
    folder = scratch()
    files = {"nhwcc": folder / "ours.tflite", "litert-torch": folder / "theirs.tflite"}
    ours = run([sys.executable, "-m", "benchmarks.peers", "--convert", files["nhwcc"], name, *before])
    theirs = run([peer, "-m", "benchmarks.peer_convert", name, files["litert-torch"], *before])
    costs: dict[str, Any] = {}
    for tool, cost in (("nhwcc", ours), ("litert-torch", theirs)):
        if cost.code:
            return [[name, tool, cost.output.strip().splitlines()[-1][:100], *[""] * 9]]
        costs[tool] = json.loads(cost.output.strip().splitlines()[-1])
    with np.load(files["nhwcc"].with_suffix(".npz")) as saved:
        x, want = saved["x"], saved["want"]
    summaries = {tool: inspect(path) for tool, path in files.items()}
    runners = {tool: Runner(path, summaries[tool], x) for tool, path in files.items()}
    times: dict[str, list[float]] = {tool: [] for tool in files}
    for _ in range(ROUNDS):
        for tool, runner in runners.items():
            times[tool].append(runner.time())
    out: list[list[str]] = []
    for tool, path in files.items():
        counts = Counter(op.name for graph in summaries[tool].subgraphs for op in graph.operators)
        error = np.abs(runners[tool].result(want.shape) - want).max() / np.abs(want).max()
        cpu = costs[tool]["cpu"] / costs["nhwcc"]["cpu"]
        slower = statistics.median(b / a for a, b in zip(times["nhwcc"], times[tool], strict=True))
        made = (str(counts.total()), str(counts["TRANSPOSE"]), str(counts["RESHAPE"]), megabytes(path.stat().st_size))
        cost = (f"{costs[tool]['cpu']:.1f}", f"{cpu:.1f}", megabytes(costs[tool]["peak"]))
        out.append([name, tool, *made, f"{error:.1e}", *cost, f"{statistics.median(times[tool]):.1f}", f"{slower:.2f}"])
    return out


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", default=NAMES)
    parser.add_argument("--peer-python")
    parser.add_argument("--convert", type=Path, help="only compile the network into this file")
    parser.add_argument("--before")
    parser.add_argument("--without", default="", help="passes that are left out where a network is only compiled")
    options = parser.parse_args()
    if options.before:
        importlib.import_module(options.before)
    if options.convert:
        convert(options.names[0], options.convert, tuple(filter(None, options.without.split(","))))
        return
    before = ["--before", options.before] if options.before else []
    print(table(HEAD, []), flush=True)
    for name in options.names:
        for row in rows(name, options.peer_python or sys.executable, before):
            print(f"| {' | '.join(row)} |", flush=True)


if __name__ == "__main__":
    main()

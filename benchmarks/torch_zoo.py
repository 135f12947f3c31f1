"""Architectures of torchvision and timm, straight from PyTorch, with random weights whose norms matter.

    python -m benchmarks.torch_zoo [NAME ...] [--before MODULE] [--as-initialised]

Names of timm begin with ``timm/``.  ``--before`` imports a module first, such as one that makes a CUDA build of
torchvision importable beside a CPU build of torch.  ``--as-initialised`` leaves norms as they are made: zero means,
variances of one.  CPU time is that of exporting and compiling; comparing with PyTorch comes on top.
"""

from __future__ import annotations

import argparse
import importlib
import multiprocessing
import time
import warnings
from multiprocessing.connection import Connection

import torch

from benchmarks.measure import proven
from benchmarks.torch_nets import TIMM, TORCHVISION, build, honest
from nhwcc import CompileError, CompileOptions
from nhwcc.driver import compile_model


def measure(name: str, *, as_initialised: bool) -> str:
    """Compile one, and return its row."""
    torch.random.manual_seed(0)  # pyright: ignore[reportUnknownMemberType]
    module, shapes = build(name)
    examples = tuple(torch.randn(shape) for shape in shapes)
    times = {"start": time.process_time()}

    def progress(step: str) -> None:
        times[step] = time.process_time()

    try:
        made = module.eval() if as_initialised else honest(module)
        report = compile_model(made, CompileOptions(args=examples), progress).report
    except CompileError as bad:
        return f"| {name} | {bad.diagnostics[0].code}: {bad.diagnostics[0].message.splitlines()[0]} | | | | | |"
    assert report.verification is not None
    error = max(o.difference.relative for o in report.verification.outputs)
    counts = report.ops_after
    is_proven = report.layout_proof is not None and report.layout_proof.is_proven
    transposes = proven(report.transposes_after, is_proven)
    cells = (name, sum(counts.values()), transposes, counts.get("RESHAPE", 0), f"{error:.1e}")
    cpu = times["verifying"] - times["start"]
    return f"| {' | '.join(map(str, cells))} | {cpu:.1f} | {(report.peak_memory or 0) / 1e6:.0f} |"


def apart(name: str, *, as_initialised: bool) -> str:
    """Measure in a process of its own, so that memory is that of one network."""
    fork = multiprocessing.get_context("fork")
    receiver, sender = fork.Pipe(duplex=False)
    process = fork.Process(target=_send, args=(name, as_initialised, sender))
    process.start()
    sender.close()
    try:
        return receiver.recv()
    except EOFError:
        return f"| {name} | the process died | | | | | |"
    finally:
        process.join()


def _send(name: str, as_initialised: bool, sender: Connection) -> None:
    sender.send(measure(name, as_initialised=as_initialised))


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", default=[*TORCHVISION, *(f"timm/{n}" for n in TIMM)])
    parser.add_argument("--before")
    parser.add_argument("--as-initialised", action="store_true")
    options = parser.parse_args()
    warnings.simplefilter("ignore")
    if options.before:
        importlib.import_module(options.before)
    for library in ("torchvision", "timm"):
        importlib.import_module(library)
    print("| model | ops | Transposes | Reshapes | error | CPU s | peak MB |\n|---|---|---|---|---|---|---|")
    for name in options.names:
        print(apart(name, as_initialised=options.as_initialised), flush=True)


if __name__ == "__main__":
    main()

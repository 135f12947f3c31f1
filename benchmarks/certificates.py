"""What is proven of Transposes beside what the file has, for every network that benchmarks compile to TFLite.

    python -m benchmarks.certificates [GROUP ...] [--before MODULE]

One line per network: the Transposes counted in the file, those that the proof is about, those that lowering added, the
bytes that are transposed beside the bound, and whether both agree.  Then one line per group.  Files are read back to
count them; nothing is run.  ``--before`` imports a module first, such as one that makes a CUDA build of torchvision
importable beside a CPU build of torch.
"""

from __future__ import annotations

import argparse
import gc
import importlib
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from nhwcc.formats.tflite.reader import inspect
from nhwcc.passes.layout.proof import LayoutProof

import nhwcc
from benchmarks.measure import scratch, table

Given = tuple[object, dict[str, Any]]
"""A network, and options for compiling it."""

Networks = Iterator[tuple[str, Callable[[], Given]]]
"""Names, and how each is made."""


def trained() -> Networks:
    """ONNX files: trained ones, and the onnx package's with seeded weights."""
    from benchmarks import models, zoo

    for name in dict.fromkeys((*models.NAMES, *zoo.FETCHED)):
        yield name, lambda name=name: (zoo.model(name), {})


def tflite_files() -> Networks:
    """TFLite files of other tools."""
    from benchmarks.tflite_files import NAMES
    from examples.trained import fetch

    for name in NAMES:
        yield name, lambda name=name: (fetch(name), {})


def seeded() -> Networks:
    """The hundred small ones about layout."""
    from benchmarks.layout_nets import COUNT, network

    for seed in range(COUNT):
        for equal in (False, True):
            yield f"net{seed}{'e' if equal else ''}", lambda seed=seed, equal=equal: (network(seed, equal=equal), {})


def pytorch() -> Networks:
    """Trained ones, rebuilt in PyTorch."""
    import torch

    from benchmarks.torch_trained import NETWORKS

    for name, (make, shape) in NETWORKS.items():
        yield name, lambda make=make, shape=shape: (make(), {"args": (torch.rand(shape),)})


def architectures() -> Networks:
    """Those of torchvision and timm."""
    import torch

    from benchmarks.torch_nets import TIMM, TORCHVISION, build, honest

    def given(name: str) -> Given:
        module, shapes = build(name)
        return honest(module), {"args": tuple(torch.randn(shape) for shape in shapes)}

    for library in ("torchvision", "timm"):
        importlib.import_module(library)
    for name in (*TORCHVISION, *(f"timm/{n}" for n in TIMM)):
        yield name, partial(given, name)


def transformers() -> Networks:
    """Small transformers with an open batch and length."""
    from benchmarks.torch_transformers import EXPORTED, NAMES, honest, subject

    def given(name: str) -> Given:
        found = subject(name)
        options = {"kwargs": found.inputs(*EXPORTED), "dynamic_shapes": found.open_sizes, "io_layout": "keep"}
        return honest(found.network), options

    for name in NAMES:
        yield name, partial(given, name)


def recurrent() -> Networks:
    """Recurrent networks."""
    import torch

    from benchmarks.recurrent import NETWORKS

    for name, (make, shape) in NETWORKS.items():
        yield name, lambda make=make, shape=shape: (make().eval(), {"args": (torch.zeros(shape),), "io_layout": "keep"})


def exports() -> Networks:
    """What PyTorch's exporters write."""
    from benchmarks.export_cases import CASES
    from benchmarks.onnx_exports import EXPORTERS, exported

    for name in CASES:
        for exporter in EXPORTERS:
            yield f"{name}, {exporter}", lambda name=name, exporter=exporter: (exported(name, exporter), {})


GROUPS: dict[str, Callable[[], Networks]] = {
    "onnx": trained,
    "tflite": tflite_files,
    "seeded": seeded,
    "trained in pytorch": pytorch,
    "torchvision and timm": architectures,
    "transformers": transformers,
    "recurrent": recurrent,
    "exports": exports,
}


@dataclass(frozen=True)
class Certificate:
    """What a file has, and what is said of it; None if layouts were not chosen."""

    transposes: int
    proof: LayoutProof | None

    @property
    def is_equal(self) -> bool:
        """Whether the proof is about the file."""
        return self.proof is not None and self.proof.is_proven and self.transposes == self.proof.chosen

    def cells(self) -> tuple[object, ...]:
        """The rest of a row."""
        if self.proof is None:
            return (self.transposes, "", "", "", "", "no layouts were chosen")
        known = self.proof
        verdict = "equal" if self.is_equal else str(known)
        return (self.transposes, known.chosen, known.lowered, known.bytes, known.bound, verdict)


def certified(make: Callable[[], Given], output: Path) -> Certificate:
    """Compile a network, and read the file that was written."""
    model, options = make()
    report = nhwcc.compile(model, output, verify=False, **options).report  # pyright: ignore[reportArgumentType]
    found = sum(o.name == "TRANSPOSE" for g in inspect(output).subgraphs for o in g.operators)
    output.unlink()
    return Certificate(found, report.layout_proof)


HEAD = ("network", "in the file", "proven", "by lowering", "bytes", "bound", "verdict")


def rows(group: str) -> Iterator[Certificate]:
    """Print the rows of a group."""
    print(f"\n{table(HEAD, [])}")
    output = scratch() / "model.tflite"
    for name, make in GROUPS[group]():
        try:
            found = certified(make, output)
        except (nhwcc.CompileError, RuntimeError) as bad:
            print(f"| {group}/{name} | | | | | | {type(bad).__name__}: {str(bad).splitlines()[0]} |", flush=True)
            continue
        finally:
            gc.collect()
        print(f"| {group}/{name} | {' | '.join(map(str, found.cells()))} |", flush=True)
        yield found


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("groups", nargs="*", default=list(GROUPS), help=", ".join(GROUPS))
    parser.add_argument("--before")
    options = parser.parse_args()
    warnings.simplefilter("ignore")
    if options.before:
        importlib.import_module(options.before)
    summary: list[tuple[object, ...]] = []
    for group in options.groups:
        found = list(rows(group))
        equal, transposes = sum(f.is_equal for f in found), sum(f.transposes for f in found)
        summary.append((group, len(found), equal, transposes, sum(f.proof.chosen for f in found if f.proof)))
    print(f"\n{table(('group', 'networks', 'equal', 'in the files', 'proven'), summary)}")


if __name__ == "__main__":
    main()

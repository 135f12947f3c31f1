"""torch's own operator samples (OpInfo) through the frontend, the reference interpreter and TFLite.

    python -m benchmarks.torch_conformance [--only NAME ...] [--out docs/torch-conformance.md] [--samples 6]

Forward samples in f32 and i64 of every operator with a public function.  A sample is *right* if it agrees with torch,
*refused* if nhwcc says by a code that it can't, *wrong* or a *crash* otherwise.  An operator is right if some samples
are and none is wrong; samples whose result depends on data (sizes of masks) can only be refused.
"""

from __future__ import annotations

import argparse
import itertools
import sys
import tempfile
import warnings
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from nhwcc.compiler.diagnostics import CompileError
from nhwcc.compiler.interpreter import run
from nhwcc.compiler.ir import Module
from nhwcc.compiler.types import Array
from nhwcc.frontends.torch import import_torch, to_array
from torch import nn
from torch.utils import _pytree as pytree

from nhwcc.instruments import run_passes
from nhwcc.numerics import compare
from nhwcc.options import CompileOptions
from nhwcc.pipelines import build_pipeline, register_passes
from nhwcc.runners.worker import Worker
from nhwcc.targets import find_backend, open_runner, start_runtime

DTYPES = (torch.float32, torch.int64)
RANDOM = (
    "rand",
    "dropout",
    "bernoulli",
    "multinomial",
    "normal",
    "uniform",
    "cauchy",
    "exponential",
    "geometric",
    "empty",
)
TOLERANCE = 1e-4

random: Any = torch.random


class Sample(nn.Module):
    """An operator with everything bound that is no tensor."""

    def __init__(self, function: Any, args: Any) -> None:
        super().__init__()
        self.function = function
        self.leaves, self.spec = pytree.tree_flatten(args)

    def tensors(self) -> list[torch.Tensor]:
        """The inputs."""
        return [v for v in self.leaves if isinstance(v, torch.Tensor)]

    def forward(self, *tensors: torch.Tensor) -> Any:
        """Call the operator with other tensors."""
        given = iter(tensors)
        leaves = [next(given) if isinstance(v, torch.Tensor) else v for v in self.leaves]
        args, kwargs = pytree.tree_unflatten(leaves, self.spec)
        return self.function(*args, **kwargs)


@dataclass
class Tally:
    """How the samples of one operator came out, at one stage; ``why`` is the first thing that went wrong."""

    counts: Counter[str] = field(default_factory=lambda: Counter[str]())
    why: str = ""

    def add(self, status: str, why: str = "") -> None:
        """Count a sample."""
        self.counts[status] += 1
        if status in ("wrong", "crash") or (status == "refused" and not self.why):
            self.why = why

    @property
    def verdict(self) -> str:
        """How the operator came out."""
        if self.counts["crash"] or self.counts["wrong"]:
            return "crash" if self.counts["crash"] else "wrong"
        return "right" if self.counts["right"] else "refused" if self.counts["refused"] else "no samples"


def samples(op: Any, limit: int) -> Iterator[Sample]:
    """Yield a few samples per element type, those first that differ in their arguments."""
    for dtype in DTYPES:
        if dtype in op.supported_dtypes("cpu"):
            found = op.sample_inputs("cpu", dtype, requires_grad=False)
            for sample in itertools.islice(found, limit):
                module = Sample(op.op, ((sample.input, *sample.args), dict(sample.kwargs)))
                if module.tensors() and all(_is_plain(t) for t in module.tensors()):
                    yield module


def _is_plain(tensor: torch.Tensor) -> bool:
    return tensor.layout == torch.strided and not tensor.is_complex()


def expected(module: Sample) -> list[Array] | None:
    """What torch gives; None if it is nothing that could be compared."""
    with torch.no_grad():
        found = pytree.tree_leaves(module(*(t.clone() for t in module.tensors())))
    arrays = [to_array(v).copy() if isinstance(v, torch.Tensor) else np.asarray(v) for v in found if v is not None]
    return arrays if arrays and all(a.dtype.kind in "fiub" for a in arrays) else None


def judge(want: list[Array], got: list[Array]) -> tuple[str, str]:
    """Compare outputs."""
    if len(want) != len(got):
        return "wrong", f"{len(got)} outputs, not {len(want)}"
    for a, b in zip(want, got, strict=True):
        difference = compare(a, b, TOLERANCE)
        if not difference.ok and a.size:
            return "wrong", difference.note
    return "right", ""


def imported(module: Sample, tally: Tally, want: list[Array]) -> Module | None:
    """Import and interpret."""
    inputs = [to_array(t) for t in module.tensors()]
    try:
        found = import_torch(module, tuple(module.tensors()))
        status, why = judge(want, run(found.main, inputs))
    except CompileError as bad:
        tally.add("refused", f"{bad.diagnostics[0].code}: {bad.diagnostics[0].message}")
        return None
    except Exception as bad:  # noqa: BLE001 -- a crash is a result here
        tally.add("crash", f"{type(bad).__name__}: {bad}")
        return None
    tally.add(status, why)
    return found if status == "right" else None


class Target:
    """Compiles for TFLite, and runs what comes out in one process for all."""

    def __init__(self, runtime: Worker) -> None:
        self.backend = find_backend("tflite")
        self.passes = build_pipeline(CompileOptions(), self.backend.PIPELINE)
        self.runtime = runtime

    def check(self, module: Module, sample: Sample, tally: Tally, want: list[Array]) -> None:
        """Compile and run."""
        inputs = [to_array(t) for t in sample.tensors()]
        names = [port.name for port in module.main.outputs]
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "m.tflite"
            try:
                run_passes(module, self.passes, [])
                self.backend.emit(module, path)
                runner = open_runner("tflite", path, self.runtime)
                got = runner.run(dict(zip(runner.inputs, inputs, strict=True)))
                tally.add(*judge(want, [got[name] for name in names]))
            except CompileError as bad:
                tally.add("refused", f"{bad.diagnostics[0].code}: {bad.diagnostics[0].message}")
            except Exception as bad:  # noqa: BLE001 -- a crash is a result here
                tally.add("crash", f"{type(bad).__name__}: {bad}")


def operator(op: Any, limit: int, target: Target) -> tuple[Tally, Tally]:
    """Run the samples of one operator."""
    ir, tflite = Tally(), Tally()
    for sample in samples(op, limit):
        try:
            want = expected(sample)
        except (CompileError, RuntimeError, NotImplementedError, ValueError, TypeError):
            continue
        if want is None:
            continue
        module = imported(sample, ir, want)
        if module is not None and any(a.size for a in want):
            target.check(module, sample, tflite, want)
    return ir, tflite


Row = tuple[str, Tally, Tally]
"""An operator, and how it came out in the IR and in TFLite."""


def report(rows: list[Row]) -> str:
    """Return the page."""
    count = {
        s: Counter(t.verdict for t in tallies)
        for s, tallies in (("IR", [r[1] for r in rows]), ("TFLite", [r[2] for r in rows]))
    }
    lines = ["# PyTorch's operators", "", "Printed by `python -m benchmarks.torch_conformance`.", ""]
    for stage, found in count.items():
        lines.append(f"- {stage}: " + ", ".join(f"{found[v]} {v}" for v in ("right", "refused", "wrong", "crash")))
    lines += ["", "| operator | IR | TFLite | first thing in the way |", "|---|---|---|---|"]
    for name, ir, tflite in rows:
        lines.append(f"| {name} | {_say(ir)} | {_say(tflite)} | {_why((name, ir, tflite))} |")
    return "\n".join(lines) + "\n"


def _why(row: Row) -> str:
    return (row[1].why or row[2].why).replace("|", "/").replace("\n", " ")[:160]


def _say(tally: Tally) -> str:
    rest = ", ".join(f"{n} {status}" for status, n in tally.counts.items() if status != "right")
    return f"{tally.verdict} ({tally.counts['right']}{'; ' + rest if rest else ''})"


def main() -> None:
    """Run and write the page."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", nargs="*", default=[])
    parser.add_argument("--out", type=Path, default=Path("docs/torch-conformance.md"))
    parser.add_argument("--samples", type=int, default=6)
    options = parser.parse_args()
    warnings.simplefilter("ignore")
    from torch.testing._internal.common_methods_invocations import op_db

    rows: list[Row] = []
    register_passes()
    with start_runtime("tflite") as runtime:
        target = Target(runtime)
        for op in op_db:
            name = op.name + (f" ({op.variant_test_name})" if op.variant_test_name else "")
            if any(r in name for r in RANDOM) or (options.only and op.name not in options.only):
                continue
            random.manual_seed(0)
            row = (name, *operator(op, options.samples, target))
            rows.append(row)
            print(name, *map(_say, row[1:]), _why(row), flush=True)
            options.out.write_text(report(rows), encoding="utf-8")
    sys.exit(0 if all(v.verdict not in ("wrong", "crash") for _, a, b in rows for v in (a, b)) else 1)


if __name__ == "__main__":
    main()

"""What ``nhwcc check`` says of files for devices beside what the devices' own tools do with them.

    python -m benchmarks.devices [--target TARGET ...] [--lines] [NAME ...]

Names are those of ``device_cases``, ``small_nets`` and ``torch_nets`` (``timm/...``), or files; by default all of the
first two.  The tools: ``pip install nhwcc[micro,ethos,gpu]`` and ``eval "$(sh benchmarks/software_vulkan.sh)"``.  A row
says how many operators a file has, how many of them run beside the device by ``check`` and by the tool, and how far
outputs are from those of the TFLite runtime: of the largest number in floats, in steps of integers.
"""

# PyTorch's functions, and arrays of runtimes, are partly untyped
# pyright: reportUnknownMemberType=false, reportUnknownArgumentType=false, reportUnknownVariableType=false
# pyright: reportUnknownLambdaType=false

from __future__ import annotations

import argparse
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from nhwcc.backends.common.placement import Placement
from nhwcc.backends.registry import find_target
from nhwcc.compiler.diagnostics import CompileError
from nhwcc.compiler.options import QuantizationChoice
from nhwcc.compiler.types import Array

import nhwcc
from benchmarks import device_cases, small_nets, torch_nets
from benchmarks.measure import scratch, table
from nhwcc.options import Model
from nhwcc.runners.devices import DeviceRunner
from nhwcc.runners.tflite import TfliteRunner
from nhwcc.runners.vela import run_vela

SAMPLES = 8
"""Random ones, on which files are calibrated."""

ALL = ("tflite-gpu", "tflite-micro", "tflite-micro int8", "ethos-u55 int8", "ethos-u65 int8", "ethos-u85 int8")
"""Targets, and how files for them are quantized."""

TOLERANCE = 1e-5
STEPS = 1

HEAD = ("network", "target", "operators", "beside, by check", "by the tool", "error", "arena", "by the tool", "")


@dataclass(frozen=True)
class Outcome:
    """What a tool does with a file: how many operators of a kind run beside the device, the outputs' error, the arena.

    ``error`` is None where the tool runs nothing, ``refused`` what it says instead.
    """

    beside: Counter[str] | int
    error: float | None = None
    arena: int | None = None
    refused: str = ""


def sources(names: Sequence[str]) -> Iterator[tuple[str, Callable[[], tuple[Model, Mapping[str, Array]]]]]:
    """Yield networks by name, and how each is made: its program, and samples of its inputs."""
    for name in names or (*device_cases.cases(), *small_nets.NETS):
        yield name, lambda n=name: _source(n)


def _source(name: str) -> tuple[Model, Mapping[str, Array]]:
    if name in small_nets.NETS:
        module, taken = small_nets.build(name)
        inputs = [torch.stack([t for t in taken])]
    else:
        module, shapes = (device_cases if name in device_cases.cases() else torch_nets).build(name)
        inputs = [torch.randn(SAMPLES, *shape) for shape in shapes]
    program = torch.export.export(module.eval(), tuple(samples[0] for samples in inputs))
    names = [s.arg.name for s in program.graph_signature.input_specs if s.kind.name == "USER_INPUT"]
    return program, {n: samples.flatten(0, 1).numpy() for n, samples in zip(names, inputs, strict=True)}


def written(model: Model, samples: Mapping[str, Array], target: str, path: Path) -> tuple[Path, Placement, str]:
    """Compile for a device; what it has no kernel for stays as other targets have it, so that the tool sees it.

    The last is why it can't be compiled for the device without that.
    """
    name, _, mode = target.partition(" ")
    device, problem = find_target(name), ""
    quantize: QuantizationChoice | None = "int8" if mode else None
    given: dict[str, Any] = {"target": name, "quantize": quantize, "data": samples if mode else None}
    given |= {"min_sqnr": -200.0, "io_dtype": "int8"} if mode else {}
    try:
        nhwcc.compile(model, path, **given)
    except CompileError as bad:
        if not device.runs_alone:
            raise
        problem = str(bad.diagnostics[0].message)
        passes = device.pipeline.replace("legalize{", "legalize{partial=true,")
        nhwcc.compile(model, path, **given, passes=passes, verify=False)
    assert device.place is not None
    return path, device.place(path), problem


def tried(path: Path, target: str) -> Outcome:
    """Return what the device's own tool does with a file."""
    try:
        if target.startswith("ethos"):
            return Outcome(Counter(kernel for kernel, _ in run_vela(path, target.partition(" ")[0]).on_cpu))
        return _run(path, "gpu" if "gpu" in target else "tflm")
    except CompileError as bad:
        return Outcome(Counter(), refused=bad.diagnostics[0].message)


def _run(path: Path, runtime: Any) -> Outcome:
    with TfliteRunner(path, fast=False) as reference:
        types = reference.inputs
        inputs = {n: _random(t.shape, t.dtype.numpy) for n, t in types.items()}
        wanted = reference.run(inputs)
    with DeviceRunner(path, runtime) as device:
        got, arena = device.run(inputs), device.arena() if runtime == "tflm" else None
        beside = device.beside() if runtime == "gpu" else 0
    return Outcome(beside, max(_error(wanted[name], got[name]) for name in wanted), arena)


def _random(shape: Any, dtype: Any) -> Array:
    generator = np.random.default_rng(1)
    if np.dtype(dtype).kind == "f":
        return generator.standard_normal(shape).astype(dtype)
    low, high = (-128, 128) if dtype == np.int8 else (0, 2)
    return generator.integers(low, high, shape).astype(dtype)


def _error(wanted: Array, got: Array) -> float:
    """Return how far apart two outputs are: of the largest number, or in steps."""
    finite = np.isfinite(wanted.astype(float))
    off = np.abs(got.astype(float) - wanted.astype(float))[finite].max(initial=0)
    is_number = wanted.dtype.kind == "f"
    return float(off / np.abs(wanted[finite]).max(initial=1e-9)) if is_number else float(off)


def row(name: str, target: str, make: Callable[[], tuple[Model, Mapping[str, Array]]], folder: Path) -> list[str]:
    """Return one network's row for a target."""
    path = folder / "network.tflite"
    try:
        path, placed, problem = written(*make(), target, path)
    except CompileError as bad:
        return [name, target, *["-"] * 6, f"NOT COMPILED: {bad.diagnostics[0].message[:160]}"]
    found = tried(path, target)
    expected = Counter(op.kernel for op in placed.elsewhere)
    cells = [name, target, str(len(placed.operators)), _counts(expected), _counts(found.beside)]
    cells += ["-" if found.error is None else f"{found.error:.1e}", str(placed.arena or "-"), str(found.arena or "-")]
    return [*cells, _judged(target, placed, found, expected, problem)]


def _counts(operators: Counter[str] | int) -> str:
    if isinstance(operators, int):
        return str(operators)
    return ", ".join(f"{count} {kernel}" for kernel, count in sorted(operators.items())) or "0"


def _judged(target: str, placed: Placement, found: Outcome, expected: Counter[str], problem: str) -> str:
    """Say where check and the tool, or the numbers of both runtimes, disagree."""
    stops = [op for op in placed.elsewhere if op.where in ("stops", "nowhere")]
    if found.refused:
        return "" if stops or (problem and "open" in problem) else f"NOT NAMED: {found.refused[:200]}"
    if stops:
        return f"STRICTER: {stops[0].why}"
    if (expected.total() if isinstance(found.beside, int) else expected) != found.beside:
        return "PLACED OTHERWISE"
    allowed = TOLERANCE if " " not in target else STEPS
    return "" if found.error is None or found.error <= allowed else "WRONG"


def main() -> None:
    """Print the table, or with --lines what it would hold row by row."""
    parser = argparse.ArgumentParser(description="check beside what devices' tools do")
    parser.add_argument("names", nargs="*")
    parser.add_argument("--target", action="append", choices=ALL, dest="targets")
    parser.add_argument("--lines", action="store_true", help="print rows as they come")
    given = parser.parse_args()
    folder, rows = scratch(), list[list[str]]()
    for name, make in sources(given.names):
        made = make()
        for target in given.targets or ALL:
            rows.append(row(name, target, lambda m=made: m, folder))
            if given.lines:
                print("\t".join(rows[-1]), flush=True)
    if not given.lines:
        print(table(HEAD, rows))
    print(f"{len(rows)} files, {sum(bool(r[-1]) for r in rows)} with a remark")


if __name__ == "__main__":
    main()

"""Writes packages in a process of its own, which imports coremltools without all that it can convert from."""

from __future__ import annotations

import os
import pickle
import stat
import subprocess
import sys
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import IO, Any, cast

import numpy as np

from ...compiler.diagnostics import CompileError, error
from ...compiler.processes import search_path
from ...compiler.scratch import Scratch
from ...compiler.types import Array, DType
from ...compiler.weights import Weight
from .install import check_installed
from .program import STORED, Argument, Program, Step, Stored

BUILD = f"{__package__}.build"
"""The module that the process runs."""


def write_package(program: Program, path: Path, *, halves: bool = False) -> int:
    """Write a program as a package, a folder; return its size. With ``halves`` it computes in 16 bits.

    Raises:
        CompileError: R017, coremltools is not installed; R018, it refuses the program; R019, its process ended.
    """
    check_installed()
    numbers: dict[Weight, Stored] = {}
    steps = _all_numbered(program.steps, numbers)
    request = (replace(program, steps=steps), str(path), halves, len(numbers))
    ask(request, tuple(numbers))
    _share(path)
    return sum(file.stat().st_size for file in path.rglob("*") if file.is_file())


def _share(path: Path) -> None:
    """Let those read the whole package who may read the file of it that coremltools writes as others do."""
    files = stat.S_IMODE((path / "Manifest.json").stat().st_mode)
    for part in path.rglob("*"):
        part.chmod(files | (files & 0o444) >> 2 if part.is_dir() else files)


def _all_numbered(steps: Iterable[Step], numbers: dict[Weight, Stored]) -> tuple[Step, ...]:
    """Return steps in which constants are numbers, those inside of them, too."""
    found: list[Step] = []
    for step in steps:
        blocks = {n: replace(b, steps=_all_numbered(b.steps, numbers)) for n, b in step.blocks.items()}
        found.append(replace(step, arguments=_numbered(step, numbers), blocks=blocks))
    return tuple(found)


def _numbered(step: Step, numbers: dict[Weight, Stored]) -> dict[str, Argument]:
    """Return arguments in which constants are numbers; equal constants have one."""

    def number(argument: Argument) -> Argument:
        if isinstance(argument, Weight):
            return numbers.setdefault(argument, Stored(len(numbers)))
        if isinstance(argument, tuple):
            return tuple(number(part) for part in argument)
        return argument

    return {name: number(argument) for name, argument in step.arguments.items()}


def ask(request: object, weights: Sequence[Weight]) -> None:
    """Let the process write a package; constants are evaluated and sent one by one."""
    with Scratch() as scratch, (scratch.path / "said").open("w+b") as log:
        process = subprocess.Popen(  # noqa: S603 -- our own module
            [sys.executable, "-P", "-m", BUILD],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=log,
            env=os.environ
            | {"PYTHONPATH": os.pathsep.join(search_path())}
            | dict.fromkeys(("TMPDIR", "TEMP", "TMP"), str(scratch.path)),
        )
        with process:
            try:
                is_well, answer = _exchange(process, request, weights)
            except (EOFError, BrokenPipeError, pickle.UnpicklingError):
                process.wait()
                raise _ended(log, process.returncode) from None
            finally:
                process.kill()
    if not is_well:
        raise CompileError(*answer)


def _exchange(process: subprocess.Popen[bytes], request: object, weights: Sequence[Weight]) -> tuple[bool, Any]:
    to, back = process.stdin, process.stdout
    assert to is not None and back is not None
    pickle.dump(request, to, pickle.HIGHEST_PROTOCOL)
    for weight in weights:
        pickle.dump(stored(weight), to, pickle.HIGHEST_PROTOCOL)
    to.flush()
    return cast(tuple[bool, Any], pickle.load(back))  # noqa: S301 -- our own process


def stored(weight: Weight) -> Array:
    """Return the elements as a file has them.

    Raises:
        CompileError: B003, an integer has more than 32 bits.
    """
    array, dtype = weight.array(), STORED[weight.type.dtype]
    if dtype is DType.I32 and array.size and not (array.min() >= -(1 << 31) and array.max() < 1 << 31):
        raise error("B003", "a constant has integers of more than 32 bits, which Core ML has not")
    return np.asarray(array, dtype.numpy, order="C")


def _ended(log: IO[bytes], code: int) -> CompileError:
    log.seek(0)
    said = log.read().decode("utf-8", "replace").strip().splitlines()[-8:]
    return error("R019", f"coremltools ended its process (exit code {code})", excerpt="\n".join(said) or None)

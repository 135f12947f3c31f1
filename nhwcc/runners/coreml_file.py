"""Packages of the target Core ML as a runner: Core ML itself on a Mac; elsewhere they are checked, and not run."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from nhwcc.compiler.diagnostics import CompileError, error
from nhwcc.compiler.types import Array, DType
from nhwcc.formats.coreml.install import check_installed
from nhwcc.formats.coreml.program import STORED
from nhwcc.formats.refusals import STANDARD
from nhwcc.runners.ports import FileRunner, Ports, StoredPort, not_ours
from nhwcc.runners.worker import Worker
from nhwcc.targets import TargetRunner

SESSION = ("nhwcc.runners.coreml_session", "CoremlSession")


def start() -> Worker:
    """Start the process; coremltools is imported when there is a package."""
    return Worker()


def open_file(path: Path, worker: Worker, *, fast: bool) -> TargetRunner:
    """Open a package in the process.

    Raises:
        CompileError: R017, coremltools is not installed; R018, it refuses the package.
    """
    del fast
    check_installed()
    return CoremlFileRunner(path, worker)


def in_process(path: Path) -> CoremlFile:
    """Load a package.

    Raises:
        CompileError: R017, coremltools is not installed; R018, it refuses the package.
    """
    check_installed()
    return CoremlFile(path)


def ports_of(said: str, path: Path) -> Ports:
    """Return the inputs and outputs of a package of ours by what it says of them.

    Raises:
        CompileError: R010, somebody else has written it, or what it says is damaged.
    """
    if not said:
        raise not_ours(path)
    try:
        sides = json.loads(said)
        inputs, outputs = (
            [StoredPort.of(p["name"], DType(p["dtype"]), p, p["tensor"]) for p in sides[side]]
            for side in ("inputs", "outputs")
        )
    except (*STANDARD, CompileError) as bad:
        text = f"{path}: what it says of its inputs and outputs is damaged"
        raise error("R010", text, help="write it again") from bad
    return Ports(inputs, outputs)


def outside(array: Array) -> Array:
    """Return an array as Core ML takes it: no truth values or integers of other sizes, and at least one axis."""
    dtype = DType.of(array.dtype)
    stored = DType.I32 if dtype is DType.BOOL else STORED[dtype]
    return np.atleast_1d(array).astype(stored.numpy, copy=False)


def inside(array: Array, port: StoredPort) -> Array:
    """Return an output in the type and with the axes that the network gives it."""
    own = array.reshape(()) if not port.perm else array
    return own.astype(port.type.dtype.numpy, copy=False)


class CoremlFile:
    """A package in a process of its own: arrays go in and come out by the source's names, as they lie in the file."""

    def __init__(self, path: Path) -> None:
        self._session = CoremlFileRunner(path)

    def run(self, inputs: Mapping[str, Array]) -> dict[str, Array]:
        """Run on arrays.

        Raises:
            CompileError: R002, one is missing; R018, Core ML refuses them; R028, there is no Core ML on this system.
        """
        return self._session.run_stored(inputs)


class CoremlFileRunner(FileRunner):
    """Runs a written package by Core ML, in the source's layout."""

    title_of_runtime = "Core ML by coremltools"
    session = SESSION

    def __init__(self, path: Path, worker: Worker | None = None) -> None:
        process = worker or start()
        process.make(*self.session, path)
        super().__init__(path, ports_of(process.call("said"), path), process, (path,))

    def run(self, inputs: Mapping[str, Array]) -> dict[str, Array]:
        """Run on inputs and to outputs in the source's layout."""
        results = self._results(self._fed(inputs))
        return {p.name: p.restored(inside(a, p)) for p, a in zip(self._ports.outputs, results, strict=True)}

    def run_stored(self, inputs: Mapping[str, Array]) -> dict[str, Array]:
        """Run on inputs and to outputs as they lie in the file."""
        results = self._results(self._ports.given(inputs))
        return {p.name: inside(a, p) for p, a in zip(self._ports.outputs, results, strict=True)}

    def _results(self, inputs: Mapping[str, Array]) -> list[Array]:
        given = {name: outside(array) for name, array in inputs.items()}
        return self._runtime.call("run", [port.tensor for port in self._ports.outputs], given)

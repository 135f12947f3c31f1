"""Legalizes, writes and runs modules in the TFLite runtime, and compares with the reference interpreter."""

from __future__ import annotations

import pickle
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from nhwcc.backends.common import legalize as _legalize  # noqa: F401  # pyright: ignore[reportUnusedImport]
from nhwcc.backends.registry import find_target
from nhwcc.backends.tflite import choose_kernels as _choose_kernels  # noqa: F401  # pyright: ignore[reportUnusedImport]
from nhwcc.compiler import ops as _ops  # noqa: F401  # pyright: ignore[reportUnusedImport]
from nhwcc.compiler.diagnostics import Remark, collect_remarks
from nhwcc.compiler.dims import static
from nhwcc.compiler.interpreter import random_inputs, run
from nhwcc.compiler.ir import Func, Module, Op, Port, Region, Value
from nhwcc.compiler.opdef import OPS
from nhwcc.compiler.ops.core import Const, Return
from nhwcc.compiler.parser import parse_module
from nhwcc.compiler.pipeline import Pipeline, parse_pipeline
from nhwcc.compiler.printer import print_module
from nhwcc.compiler.types import Array, parse_type
from nhwcc.compiler.verify import verify
from nhwcc.compiler.weights import Weight

TOLERANCE = 1e-5
"""Of a difference, relative to the largest expected value."""


class Worker:
    """The process that runs files; started anew when a kernel ends it."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[bytes] | None = None

    def run(self, path: Path, runs: Sequence[Mapping[str, Array]], *, delegate: bool) -> Any:
        """Return results by output name for each run, or the text of the runtime's error."""
        if self._process is None:
            command = [sys.executable, str(Path(__file__).with_name("worker.py"))]
            self._process = subprocess.Popen(
                command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
            )
        assert self._process.stdin and self._process.stdout
        try:
            pickle.dump((str(path), list(runs), delegate), self._process.stdin)
            self._process.stdin.flush()
            return pickle.load(self._process.stdout)
        except (EOFError, BrokenPipeError):
            code = self._process.wait()
            self._process = None
            return f"the process died with {code}"

    def close(self) -> None:
        """End the process."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()


@pytest.fixture(scope="session")
def worker() -> Iterator[Worker]:
    one = Worker()
    yield one
    one.close()


@dataclass
class Checked:
    """What came out of a check."""

    module: Module
    builtins: Counter[str]
    remarks: list[Remark]
    requires: str
    path: Path

    @property
    def warnings(self) -> list[str]:
        return [r.text for r in self.remarks if r.kind == "warning"]


Check = Callable[..., Checked]


@pytest.fixture
def check(worker: Worker, tmp_path: Path) -> Check:
    """Legalize a module, run it both with and without XNNPACK, and compare with its own semantics.

    ``sizes`` are numbers for named sizes, one mapping per run; ``inputs`` replace random ones by name.
    """

    def go(
        given: Module | str,
        *,
        sizes: Sequence[Mapping[str, int]] = ({},),
        inputs: Mapping[str, Any] | None = None,
        tolerance: float = TOLERANCE,
        floor: float = 1e-30,
        passes: str | None = None,
        target: str = "tflite",
        delegates: Sequence[bool] = (True, False),
    ) -> Checked:
        module = parse_module(given) if isinstance(given, str) else given
        verify(module)
        runs = [prepare(module.main, s, inputs or {}) for s in sizes]
        wanted = [run(module.main, r) for r in runs]
        legalize = f"legalize{{target={target}}}"
        with collect_remarks() as remarks:
            Pipeline(parse_pipeline(passes or legalize)).run(module)
        verify(module)
        text = print_module(module)
        Pipeline(parse_pipeline(legalize)).run(module)
        assert print_module(module) == text, "legalize is not idempotent"
        emitted = find_target(target).emit(module, tmp_path / "model.tflite")
        for delegate in delegates:
            named = [store(module.main, r) for r in runs]
            answer = worker.run(emitted.path, named, delegate=delegate)
            assert not isinstance(answer, str), f"{answer} (delegate={delegate})\n{text}"
            for got, want in zip(answer, wanted, strict=True):
                compare(module.main, got, want, (tolerance, floor), f"delegate={delegate}\n{text}")
        return Checked(module, emitted.ops, remarks, emitted.requires, emitted.path)

    return go


def prepare(func: Func, sizes: Mapping[str, int], replaced: Mapping[str, Any]) -> list[Array]:
    drawn = random_inputs(func, sizes=sizes, default=3)
    return [
        np.asarray(replaced[p.name], a.dtype) if p.name in replaced else a
        for p, a in zip(func.inputs, drawn, strict=True)
    ]


def store(func: Func, arrays: Sequence[Array]) -> dict[str, Array]:
    pairs = zip(func.inputs, arrays, strict=True)
    return {p.name: a if p.perm is None else a.transpose(p.perm) for p, a in pairs}


def compare(
    func: Func, got: Mapping[str, Array], want: Sequence[Array], tolerance: tuple[float, float], what: str
) -> None:
    """Differences count relative to the largest number, and relative to ``tolerance[1]`` where all are smaller."""
    for port, w in zip(func.outputs, want, strict=True):
        g = got[port.name]
        w = w if port.perm is None else w.transpose(port.perm)
        assert g.shape == w.shape, f"{port.name}: {g.shape} instead of {w.shape}; {what}"
        assert g.dtype == w.dtype, f"{port.name}: {g.dtype} instead of {w.dtype}; {what}"
        if w.dtype.kind != "f":
            np.testing.assert_array_equal(g, w, err_msg=what)
            continue
        finite = np.abs(w[np.isfinite(w)])
        largest = float(finite.max()) if finite.size else 1.0
        np.testing.assert_allclose(g, w, rtol=0, atol=tolerance[0] * max(largest, tolerance[1]), err_msg=what)


def single(name: str, /, *types: str | None, constants: Mapping[int, Any] | None = None, **attributes: Any) -> Module:
    """A module of one operation on inputs ``x0``, ``x1`` ... of the given types.

    ``constants`` gives operands that are constant: an array, or a number that seeds normal random elements.
    """
    fixed = constants or {}
    region = Region()
    values: list[Value | None] = []
    for i, text in enumerate(types):
        if text is None:
            values.append(None)
        elif i in fixed:
            values.append(region.insert(Const(Weight.of(constant(text, fixed[i])))).results[0])
        else:
            region.args.append(Value(parse_type(text), name=f"x{i}"))
            values.append(region.args[-1])
    cls = OPS[name]
    op: Op = region.insert(cls.spec.build(cls, values, cls.spec.bind_attributes(attributes)))
    region.insert(Return(op.results))
    inputs = [Port(str(a.name)) for a in region.args]
    return Module(Func("main", region, inputs, [Port(f"y{i}") for i in range(len(op.results))]))


def constant(text: str, given: Any) -> Array:
    type = parse_type(text)
    shape = static(type.shape)
    if not isinstance(given, int):
        return np.broadcast_to(np.asarray(given, type.dtype.numpy), shape)
    drawn = np.random.default_rng(given).standard_normal(shape)
    return np.asarray(drawn * (3 if type.dtype.is_int else 1)).astype(type.dtype.numpy)

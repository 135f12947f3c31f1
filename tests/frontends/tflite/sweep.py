"""Every builtin that releases of the runtime are known for, in every version, in floats and in integers.

    python -m tests.frontends.tflite.sweep [BUILTIN ...]

Each is a file of one operator.  What the runtime runs must be read with the same meaning, and written again with the
same numbers, or be refused by a code.  Calls are those of ``cases``; integers stand in for their floats, at the scales
that kernels demand.  Ends with 1 if anything is wrong.
"""

from __future__ import annotations

import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from nhwcc.backends.tflite import FOR_ANY_DEVICE
from nhwcc.backends.tflite.versions import releases
from nhwcc.compiler.diagnostics import CompileError
from nhwcc.compiler.types import Array, DType
from nhwcc.formats.tflite.reader import inspect
from nhwcc.frontends.tflite import Program, read_tflite

from nhwcc.pipelines import register_passes
from nhwcc.runners.tflite import RUNTIME, start
from nhwcc.runners.worker import Worker

from .building import Scale, written
from .cases import DETECTION, ELEMENTWISE, INTEGERS, MOVES, RECURRENT, STATE, WINDOWS, Case
from .comparing import check_same, interpreted
from .files import inputs_of, write

CALLS = (*ELEMENTWISE, *WINDOWS, *MOVES, *INTEGERS, *RECURRENT, *DETECTION)


@dataclass(frozen=True)
class Kind:
    """Element types in place of floats: of data, of weights and of what is added to products of both.

    ``given`` is what data stands for; results stand for one of ``results``, whichever a kernel takes.  Plain integers
    stand for nothing else.
    """

    data: str
    weight: str
    bias: str
    given: Scale | None = None
    results: tuple[Scale | None, ...] = (None,)


_GIVEN: Scale = (0.05, 3, 0)
_RESULTS: tuple[Scale, ...] = (_GIVEN, (0.08, -5, 0))
_WIDE: tuple[Scale, ...] = ((2**-9, 0, 0), (2**-8, 0, 0), (2**-15, 0, 0))

OWN: dict[str, Scale] = {
    **dict.fromkeys(("LOGISTIC", "SOFTMAX"), (2**-8, -128, 0)),
    **dict.fromkeys(("TANH", "L2_NORMALIZATION"), (2**-7, 0, 0)),
    "LOG_SOFTMAX": (2**-4, 127, 0),
}
"""What results in 8 bits stand for where kernels write that whatever the file states."""


def _unsigned(scale: Scale) -> Scale:
    number, zero, axis = scale
    return number, zero + 128, axis


KINDS = {
    "i8": Kind("i8", "i8", "i32", _GIVEN, _RESULTS),
    "u8": Kind("u8", "u8", "i32", _unsigned(_GIVEN), tuple(map(_unsigned, _RESULTS))),
    "i16": Kind("i16", "i8", "i64", _WIDE[0], _WIDE),
    "plain i32": Kind("i32", "i32", "i32"),
    "plain i64": Kind("i64", "i64", "i64"),
}
"""Which element types take the place of floats in a file, by the name of the kind."""

BIASES = {"CONV_2D": 2, "DEPTHWISE_CONV_2D": 2, "FULLY_CONNECTED": 2, "TRANSPOSE_CONV": 3, "CONV_3D": 2}
"""Which operand adds to products of integers, and therefore has their scale; the weight is the one before."""

FLOATS_ONLY = frozenset({"DEQUANTIZE", "FAKE_QUANT"})
"""Builtins whose integers are cases of their own, or whose kernel looks at no element types and reads beyond."""

KEPT = FOR_ANY_DEVICE.replace("propagate-layout", "propagate-layout{io-layout=keep}")
"""Passes before a file is written again, whose inputs and outputs are those of the first one."""

TABLES = frozenset({"EXP", "LOG", "RSQRT", "GELU"})
"""Builtins whose kernels interpolate tables in 16 bits: written again, they are computed as they are meant."""

STEPS = 1
"""How far integers of a kernel may be from what is computed with the numbers."""

RIGHT, REFUSED, ABSENT, WRONG = "right", "refused", "no kernel", "wrong"


@dataclass(frozen=True)
class Found:
    """What became of a call: one of four words, and why."""

    builtin: str
    version: int
    kind: str
    verdict: str
    why: str = ""


def versions() -> dict[str, list[int]]:
    """Return all versions of every builtin that a release is known for."""
    found: dict[str, list[int]] = {}
    for builtin, version in releases():
        found.setdefault(builtin, []).append(version)
    return found


def on_integers(case: Case, kind: Kind, result: Scale | None) -> Case | None:
    """Return a call with integers in place of floats, None if it has no floats that integers can stand in for."""
    written = [o for o in (*case.operands, *case.results) if isinstance(o, str)]
    if case.scales or case.builtin in FLOATS_ONLY or any(o.startswith(STATE) for o in written):
        return None
    if not any(o.startswith("f32") for o in written):
        return None
    scales: dict[Any, Any] = {}
    operands = tuple(_as_integers(case, i, kind, scales) for i in range(len(case.operands)))
    results = tuple(_type(r, f"y{i}", (kind.data, result), scales) for i, r in enumerate(case.results))
    return replace(case, operands=operands, results=results, scales=scales)


def _type(text: str, key: Any, instead: tuple[str, Scale | None], scales: dict[Any, Any]) -> str:
    if not text.startswith("f32"):
        return text
    dtype, scale = instead
    if scale is not None:
        scales[key] = scale
    return text.replace("f32", dtype)


def _as_integers(case: Case, place: int, kind: Kind, scales: dict[Any, Any]) -> Any:
    """Return an operand in integers, and note its scale."""
    operand = case.operands[place]
    if isinstance(operand, str):
        return _type(operand, place, (kind.data, kind.given), scales)
    if operand is None or operand.dtype != np.float32:
        return operand
    bias = BIASES.get(case.builtin)
    if kind.given is None:
        return np.rint(operand * 2).astype(DType(kind.data).numpy)
    if place == bias:
        scales[place] = (kind.given[0] * scales[1][0], 0, 0)
        return np.rint(operand / scales[place][0]).astype(DType(kind.bias).numpy)
    dtype = np.iinfo(DType(kind.data if bias is None else kind.weight).numpy)
    middle = 0 if dtype.min else 128
    largest = float(np.abs(operand).max(initial=1e-3))
    scales[place] = kind.given if bias is None else (largest / 127, middle, 0)
    number, zero, _ = scales[place]
    return np.clip(np.rint(operand / number) + zero, dtype.min, dtype.max).astype(dtype.dtype)


class Sweep:
    """Reads, runs and writes files in a folder, beside a process of the runtime, which may have to be started anew."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.worker: Worker | None = None

    def run(self, path: Path, inputs: dict[str, Array], *, delegate: bool) -> dict[str, Array] | str:
        """Return what the runtime gives, or why it refuses or ends."""
        self.worker = start() if self.worker is None else self.worker
        try:
            self.worker.make(*RUNTIME, path, delegate=delegate)
            return self.worker.call("run", inputs)
        except CompileError as bad:
            if bad.diagnostics[0].code == "R019":
                self.close()
            return bad.diagnostics[0].message

    def close(self) -> None:
        """End the process."""
        if self.worker is not None:
            self.worker.close()
            self.worker = None

    def try_call(self, case: Case, version: int) -> Found:
        """Try a call in one version as the case has it."""
        return self._try(replace(case, version=version), "as it is")

    def try_integers(self, case: Case, version: int, name: str) -> Found | None:
        """Try a call on integers, at the first scale of results that its kernel takes; None if it has no floats."""
        last: Found | None = None
        own = OWN.get(case.builtin)
        scales = KINDS[name].results
        if own is not None and name in ("i8", "u8"):
            scales = (own if name == "i8" else _unsigned(own),)
        for scale in scales:
            made = on_integers(case, KINDS[name], scale)
            if made is None:
                return None
            last = self._try(replace(made, version=version), name)
            if last.verdict != ABSENT:
                return last
        return last

    def _try(self, case: Case, kind: str) -> Found:
        path = write(case, self.folder / "m.tflite")
        keeps_state = any(isinstance(o, str) and o.startswith(STATE) for o in case.operands)
        try:
            read: Program | str = read_tflite(path, keeps_state=keeps_state)
        except CompileError as bad:
            read = f"{bad.diagnostics[0].code} {bad.diagnostics[0].message}"
        if isinstance(read, str):
            return Found(case.builtin, case.version, kind, REFUSED, read)
        inputs = inputs_of(read)
        given = {n: a for n, a in inputs.items() if n not in read.states}
        wanted = self.run(path, given, delegate=case.delegate)
        if isinstance(wanted, str):
            return Found(case.builtin, case.version, kind, ABSENT, wanted)
        why = self._compare(case, read, inputs, wanted)
        return Found(case.builtin, case.version, kind, WRONG if why else RIGHT, why)

    def _compare(self, case: Case, read: Program, inputs: dict[str, Array], wanted: dict[str, Array]) -> str:
        """Say where the meaning, or the file that is written again, departs from the runtime; nothing if neither."""
        steps = STEPS if case.scales else 0
        try:
            found = interpreted(read.module.main, inputs)
            interpolates = case.builtin in TABLES and any(a.dtype == np.int16 for a in wanted.values())
            wanted = found if interpolates else wanted
            for name, want in wanted.items():
                check_same(found[name], want, case.slack, steps, f"meaning of {name}")
            again = written(read.module, self.folder / "again.tflite", KEPT)
            ports = inspect(again).ports("inputs")
            rerun = self.run(again, {n: inputs[n] for n in ports}, delegate=case.delegate)
            if isinstance(rerun, str):
                return f"the file written again: {rerun}"
            for name, want in wanted.items():
                check_same(rerun[name], want, max(case.slack, 2e-5), steps, f"{name} of the file written again")
        except (AssertionError, CompileError) as bad:
            return str(bad).strip().splitlines()[0]
        return ""


def swept(sweep: Sweep, builtins: dict[str, list[int]]) -> Iterator[Found]:
    """Yield what becomes of all calls of builtins in their versions."""
    for builtin, numbers in builtins.items():
        for case in (c for c in CALLS if c.builtin == builtin):
            for version in numbers:
                yield sweep.try_call(case, version)
                tried = (sweep.try_integers(case, version, name) for name in KINDS)
                yield from (found for found in tried if found is not None)


def main() -> None:
    """Print what is wrong, and how many calls there were of each kind."""
    register_passes()
    named = versions()
    named = {n: named[n] for n in sys.argv[1:] or named}
    counts: Counter[tuple[str, str]] = Counter()
    with tempfile.TemporaryDirectory() as folder:
        sweep = Sweep(Path(folder))
        for found in swept(sweep, named):
            counts[found.kind, found.verdict] += 1
            if found.verdict in (WRONG, REFUSED):
                print(f"{found.verdict}: {found.builtin} {found.version}, {found.kind}: {found.why}", flush=True)
        sweep.close()
    for (kind, verdict), count in sorted(counts.items()):
        print(f"{kind}: {count} {verdict}")
    called = {c.builtin for c in CALLS}
    print("without a call here:", ", ".join(n for n in named if n not in called) or "none")
    sys.exit(1 if any(verdict == WRONG for _, verdict in counts) else 0)


if __name__ == "__main__":
    main()

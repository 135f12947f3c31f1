"""Runs every operation of OpenVINO's operator sets in every version, and writes docs/openvino-conformance.md.

    python -m benchmarks.openvino_conformance [--only NAME ...]

The models are those of the tests (tests/frontends/openvino/cases.py), made and run by OpenVINO; which operations and
versions there are, its headers say.  With --only nothing is written.
"""

from __future__ import annotations

import argparse
import re
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from importlib import import_module
from importlib.metadata import version
from pathlib import Path
from typing import Literal

from nhwcc.backends.registry import find_target
from nhwcc.compiler.diagnostics import CompileError, counted
from nhwcc.compiler.interpreter import run as interpret
from nhwcc.compiler.ir import Module
from nhwcc.compiler.types import Array
from nhwcc.compiler.verify import verify
from nhwcc.frontends.openvino import import_openvino, read_openvino
from nhwcc.frontends.openvino.refused import REFUSED
from nhwcc.frontends.openvino.registry import NEWEST

from nhwcc.instruments import run_passes
from nhwcc.numerics import compare
from nhwcc.options import TOLERANCE, CompileOptions
from nhwcc.pipelines import build_pipeline, register_passes
from nhwcc.runners.worker import Worker
from nhwcc.targets import runners_of
from tests.frontends.openvino.building import Case, inputs_of, model_of, run, save
from tests.frontends.openvino.cases import CASES

PAGE = Path(__file__).parents[1] / "docs" / "openvino-conformance.md"

STRUCTURE = ("Constant", "Parameter", "Result")
"""What every model consists of, besides operations."""

STAGES = {"IR": "", "TFLite": "tflite", "ONNX": "onnx", "OpenVINO": "openvino"}
"""Where what was read runs: the reference interpreter, and files of targets by their names."""

Status = Literal["right", "refused", "failed", "wrong", "crash"]
BAD: tuple[Status, ...] = ("crash", "wrong", "failed")
RUNTIME_CODES = ("R013", "R018", "R019")
"""What went wrong after a compiler that claimed success."""


@dataclass(frozen=True)
class Version:
    """A version of an operation, with the operator sets that have it."""

    name: str
    number: int
    since: int
    until: int

    def has(self, case: Case) -> bool:
        """Whether a case is one of this version."""
        return case.type == self.name and self.since <= case.opset <= self.until


@dataclass
class Outcome:
    """How the cases of a version came out at each stage; ``why`` is the first thing in the way."""

    counts: dict[str, Counter[str]] = field(default_factory=lambda: {stage: Counter[str]() for stage in STAGES})
    codes: dict[str, Counter[str]] = field(default_factory=lambda: {stage: Counter[str]() for stage in STAGES})
    why: str = ""

    def add(self, stage: str, status: str, code: str = "", why: str = "") -> None:
        """Count a case."""
        self.counts[stage][status] += 1
        if status != "right":
            self.codes[stage][code or status] += 1
            self.why = self.why or " ".join(why.replace("|", "/").split())

    def verdict(self, stage: str) -> str:
        """How the version came out: right if a case is, none is worse than refused, and what is read goes further."""
        return next((s for s in (*BAD, "right", "refused") if self.counts[stage][s]), "refused")


def versions() -> list[Version]:
    """Return all operations of the complete operator sets in all their versions."""
    folder = Path(str(import_module("openvino").__file__)).parent / "include" / "openvino" / "opsets"
    found: dict[tuple[str, int], set[int]] = {}
    for opset in range(1, NEWEST + 1):
        text = (folder / f"opset{opset}_tbl.hpp").read_text(encoding="utf-8")
        for name, number in re.findall(r"^_OPENVINO_OP_REG\((\w+), ov::op::v(\d+)\)", text, re.MULTILINE):
            if name not in STRUCTURE:
                found.setdefault((name, int(number)), set()).add(opset)
    return [Version(*key, min(sets), max(sets)) for key, sets in sorted(found.items())]


class Judge:
    """Runs cases at one stage after the other; lives in a process of its own, and so do all runtimes."""

    def __init__(self) -> None:
        register_passes()
        options = CompileOptions(io_layout="keep")
        self._targets = {stage: find_target(name) for stage, name in STAGES.items() if name}
        self._passes = {stage: build_pipeline(options, t.pipeline) for stage, t in self._targets.items()}

    def run(self, number: int) -> list[tuple[str, Status, str, str]]:
        """Return for a case the stages that were reached: how they came out, with a code and what was said."""
        case = CASES[number]
        found: list[tuple[str, Status, str, str]] = []
        with tempfile.TemporaryDirectory() as folder:
            path = save(model_of(case), Path(folder) / "m.xml")
            inputs = inputs_of(case)
            want = run(model_of(case), inputs)
            for stage, target in STAGES.items():
                status, code, why = self._attempt(case, path, inputs, want, stage)
                found.append((stage, status, code, why))
                if status != "right" and not target:
                    break
        return found

    def _attempt(
        self, case: Case, path: Path, inputs: dict[str, Array], want: Sequence[Array], stage: str
    ) -> tuple[Status, str, str]:
        try:
            read = read_openvino(path, keeps_state=True)
            verify(read.module)
            given = inputs | {name: first.array() for name, first in read.states.items()}
            got = self._compiled(read.module, path.parent, given, stage) if STAGES[stage] else _run(read.module, given)
        except CompileError as bad:
            first = bad.diagnostics[0]
            return ("failed" if first.code in RUNTIME_CODES else "refused"), first.code, first.message
        except Exception as bad:  # noqa: BLE001 -- a crash is a result here
            return "crash", "", f"{type(bad).__name__}: {bad}"
        wrong = _compared(case, want, got)
        return ("wrong" if wrong else "right"), "", wrong

    def _compiled(self, module: Module, folder: Path, given: dict[str, Array], stage: str) -> list[Array]:
        """Write a file in the layout of the source, and run it by its runtime."""
        target = self._targets[stage]
        run_passes(module, self._passes[stage])
        path = folder / f"written{target.suffix}"
        target.emit(module, path)
        return list(runners_of(target).in_process(path).run(given).values())


def _run(module: Module, given: dict[str, Array]) -> list[Array]:
    return list(interpret(module.main, [given[p.name] for p in module.main.inputs]))


def _compared(case: Case, want: Sequence[Array], got: Sequence[Array]) -> str:
    """Say what is wrong, if anything is; integers may be of fewer bits, which some runtimes have."""
    for expected, array in zip(want, got, strict=True):
        same = array.astype(expected.dtype) if expected.dtype.kind in "iu" else array
        if case.is_random and same.shape == expected.shape:
            continue
        if expected.size == 0 and same.shape == expected.shape:
            continue
        difference = compare(expected, same, max(TOLERANCE, case.slack))
        if not difference.ok:
            return difference.note or f"differs by {difference.relative:.2g}"
    return ""


def judged(chosen: Sequence[Version]) -> dict[Version, Outcome]:
    """Run all cases of versions; what ends the process is a crash."""
    found = {v: Outcome() for v in chosen}
    worker: Worker | None = None
    for number, case in enumerate(CASES):
        owner = next((v for v in chosen if v.has(case)), None)
        if owner is None:
            continue
        if worker is None:
            worker = Worker("openvino")
            worker.make("benchmarks.openvino_conformance", "Judge")
        try:
            for stage, status, code, why in worker.call("run", number):
                found[owner].add(stage, status, code, why)
                if status != "right":
                    print(f"{case.title}, case {number}, {stage}: {status} {code} {why}", flush=True)
        except CompileError as bad:
            found[owner].add("IR", "crash", "", bad.diagnostics[0].message)
            print(f"{case.title}, case {number}: {bad}", flush=True)
            worker.close()
            worker = None
    if worker is not None:
        worker.close()
    for v in chosen:
        if not found[v].counts["IR"]:
            found[v].add("IR", "refused", *refusal(v))
    return found


LAYER = """<net name="m" version="11"><layers>
<layer id="0" name="x" type="Parameter" version="opset1"><data shape="1" element_type="f32"/>
<output><port id="0" precision="FP32"><dim>1</dim></port></output></layer>
<layer id="1" name="y" type="{name}" version="opset{opset}"><input><port id="0"><dim>1</dim></port></input>
<output><port id="1" precision="FP32"><dim>1</dim></port></output></layer>
<layer id="2" name="z" type="Result" version="opset1"><input><port id="0"><dim>1</dim></port></input></layer>
</layers><edges><edge from-layer="0" from-port="0" to-layer="1" to-port="0"/>
<edge from-layer="1" from-port="1" to-layer="2" to-port="0"/></edges></net>"""


def refusal(v: Version) -> tuple[str, str]:
    """Return the code with which an operation is refused that has no cases, and why.

    Raises:
        RuntimeError: it is read; then a case is missing.
    """
    try:
        import_openvino(LAYER.format(name=v.name, opset=v.since).encode())
    except CompileError as bad:
        first = bad.diagnostics[0]
        if first.code == "F001":
            return first.code, f"It {REFUSED[v.name]}." if v.name in REFUSED else first.message
    raise RuntimeError(f"{v.name} of opset{v.since} is read, but has no case")


def page(found: dict[Version, Outcome], cases: int) -> str:
    """Return the page."""
    lines = [
        "# OpenVINO's operations",
        "",
        f"Printed by `make conformance`: every operation of the sets 1 to {NEWEST} in each of its versions,",
        f"{cases} models of one operation that OpenVINO {version('openvino')} makes and runs. They are read and run by",
        f"the reference interpreter, as TFLite (ai-edge-litert {version('ai-edge-litert')}), as ONNX (onnxruntime",
        f"{version('onnxruntime')}) and as OpenVINO's IR again. A version is right if models of it are right and all",
        "others are refused with a code. A failure is a file that the runtime does not take. Of what is drawn at",
        "random, shapes and element types are compared; what variables keep for the next call is compared as another",
        "output.",
        "",
        "| | right | refused | wrong numbers | failed | crashed | of |",
        "|---|---:|---:|---:|---:|---:|---:|",
    ]
    for stage in STAGES:
        count = Counter(o.verdict(stage) for o in found.values())
        cells = [count[s] for s in ("right", "refused", "wrong", "failed", "crash")]
        lines.append(f"| {stage} | {' | '.join(map(str, cells))} | {sum(cells)} |")
    lines += [
        "",
        "## By operation",
        "",
        "The operator sets that have a version, how many models are right and the codes of the others, and why.",
        "",
        f"| operation | sets | models | {' | '.join(f'{stage} | ' for stage in STAGES)}| |",
        f"|---|---|---:|{'---:|---|' * len(STAGES)}---|",
    ]
    for v, outcome in found.items():
        sets = str(v.since) if v.since == v.until else f"{v.since} to {v.until}"
        cells = " | ".join(_cells(outcome, stage) for stage in STAGES)
        lines.append(f"| {v.name} | {sets} | {sum(v.has(c) for c in CASES)} | {cells} | {outcome.why[:120]} |")
    return "\n".join(lines) + "\n"


def _cells(outcome: Outcome, stage: str) -> str:
    codes = ", ".join(f"{code} ({n})" for code, n in sorted(outcome.codes[stage].items()))
    return f"{outcome.counts[stage]['right']} | {codes}"


def main() -> int:
    """Run; 1 if there are wrong numbers, failures or crashes."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", nargs="*", default=[], help="operations by name")
    args = parser.parse_args()
    start = time.perf_counter()
    found = judged([v for v in versions() if not args.only or v.name in args.only])
    print(f"{counted(len(found), 'version')} in {time.perf_counter() - start:.0f} s")
    if not args.only:
        PAGE.write_text(page(found, len(CASES)), encoding="utf-8")
    return int(any(o.verdict(stage) in BAD for o in found.values() for stage in STAGES))


if __name__ == "__main__":
    sys.exit(main())

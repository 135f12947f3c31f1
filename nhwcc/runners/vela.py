"""Arm's compiler for Ethos-U: where it places operators, how many cycles and bytes it counts."""

from __future__ import annotations

import csv
import re
import subprocess
import sys
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from nhwcc.compiler.diagnostics import error
from nhwcc.files import scratch

ACCELERATORS = {"ethos-u55": "ethos-u55-128", "ethos-u65": "ethos-u65-256", "ethos-u85": "ethos-u85-256"}
"""The configuration that is taken for a target where nothing else is said."""

SECONDS = 600
"""How long it may take."""

_LEFT = re.compile(r"\(supported operators\) operator: (\w+), ofm: '([^']*)'")


@dataclass(frozen=True)
class VelaReport:
    """What Vela says of a file: operators that it leaves to the processor, by name; cycles of a run; bytes of SRAM."""

    accelerator: str
    on_cpu: tuple[tuple[str, str], ...]
    on_npu: int
    cycles: int
    sram: int


def run_vela(path: Path, accelerator: str) -> VelaReport:
    """Compile a file with Vela; what it writes is not kept.

    Raises:
        CompileError: R017, it is not installed; R013, it fails, knows no such accelerator, or does not end in time.
    """
    if find_spec("ethosu") is None:
        raise error("R017", "Arm's compiler Vela is not installed", help="pip install ethos-u-vela")
    config = ACCELERATORS.get(accelerator, accelerator)
    with scratch() as folder:
        command = [sys.executable, "-P", "-m", "ethosu.vela", str(path), "--output-dir", str(folder.path)]
        try:
            done = subprocess.run(  # noqa: S603 -- a compiler on a file
                [*command, "--accelerator-config", config], capture_output=True, text=True, check=False, timeout=SECONDS
            )
        except subprocess.TimeoutExpired as bad:
            raise error("R013", f"Vela takes more than {SECONDS} s for {path.name}") from bad
        said = done.stdout + done.stderr
        if done.returncode:
            last = next((line for line in reversed(said.splitlines()) if line.strip()), "")
            raise error("R013", f"Vela fails at {path.name} for {config}: {last.strip()}")
        (summary,) = folder.path.glob("*_summary_*.csv")
        with summary.open(encoding="utf-8", newline="") as file:
            row = next(csv.DictReader(file))
    left = tuple(_LEFT.findall(said))
    counted = re.search(r"NPU operators = (\d+)", said)
    return VelaReport(
        config,
        left,
        int(counted[1]) if counted else 0,
        int(row["cycles_total"]),
        int(1024 * float(row["sram_memory_used"])),
    )

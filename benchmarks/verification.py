"""Verification: what it says of real networks with several seeds, and what it costs beside one run on each side.

python -m benchmarks.verification [NAME ...]
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from benchmarks.measure import nhwcc, run, scratch, table
from benchmarks.models import NAMES
from benchmarks.zoo import FETCHED, model

SEEDS = range(5)
HEAD = ("network", "proven", "not proven", "differs", "why not", "verifying, CPU s", "both once, CPU s", "ratio")
ONCE = """
import sys
import numpy as np
from nhwcc.feeds import feeds
from nhwcc.runners.onnx import OnnxRunner
from nhwcc.runners.tflite import TfliteRunner
kind = OnnxRunner if sys.argv[1].endswith(".onnx") else TfliteRunner
from pathlib import Path
runner = kind(Path(sys.argv[1]))
runner.run(next(feeds(runner.inputs)).inputs)
"""
"""A program that loads a file and runs it once."""


def row(name: str) -> list[str]:
    """Verify with several seeds; then compare the processor time of one verification with that of two runs."""
    folder = scratch()
    source, file = model(name), folder / f"{name}.tflite"
    compiled = run(nhwcc("compile", source, "-o", file, "--no-verify", "--quiet"))
    if compiled.code:
        return [name, *[""] * 3, compiled.output.strip().splitlines()[-1], *[""] * 3]
    verdicts: dict[str, int] = {}
    reasons: list[str] = []
    for seed in SEEDS:
        verdict, reason = _verdict(source, file, seed)
        verdicts[verdict] = verdicts.get(verdict, 0) + 1
        reasons += [reason] if reason else []
    checked = run(nhwcc("compile", source, "-o", file, "--quiet", "--accept-unproven"))
    cost = checked.cpu - compiled.cpu
    once = sum(run([sys.executable, "-c", ONCE, path]).cpu for path in (source, file))
    counts = [str(verdicts.get(word, 0)) for word in ("proven", "not proven", "differs")]
    return [name, *counts, next(iter(reasons), ""), f"{cost:.1f}", f"{once:.1f}", f"{cost / once:.2f}"]


def _verdict(source: Path, file: Path, seed: int) -> tuple[str, str]:
    """Return a verdict and why it is not the best one."""
    ended = run(nhwcc("verify", source, file, "--seed", str(seed), "--json"))
    answer = json.loads(ended.output[ended.output.index("{") :])
    said = [d["message"] for d in answer["diagnostics"]]
    return {0: "proven", 4: "not proven"}.get(ended.code, "differs"), next(iter(said), "")


def main() -> None:
    """Print the table."""
    print(table(HEAD, [row(name) for name in sys.argv[1:] or dict.fromkeys((*NAMES, *FETCHED))]))


if __name__ == "__main__":
    main()

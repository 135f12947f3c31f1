"""Real networks as SavedModels: errors in TensorFlow, Transposes beside our TFLite's, cost, and who reads the folders.

    python -m benchmarks.saved_models [--peers FOLDER] [NAME ...]

Each network is compiled three times: verified by TensorFlow; by a compiler that does not find TensorFlow, for what that
costs; and to TFLite.  The folder is then given to Google's converter, which comes with TensorFlow, and with FOLDER
(``pip install --no-deps --target FOLDER tf2onnx``) to tf2onnx; what these make of it is compared with TensorFlow.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from benchmarks.measure import megabytes, nhwcc, run, scratch, table
from benchmarks.models import NAMES
from benchmarks.zoo import model

WITHOUT = "import sys; sys.modules['tensorflow'] = None; from nhwcc.cli import main; main()"
"""The compiler where TensorFlow is not installed."""

LOADED = """
import re, sys, numpy as np, tensorflow as tf
folder, out = sys.argv[1:3]
call = tf.saved_model.load(folder).signatures["serving_default"]
specs = call.structured_input_signature[1]
rng = np.random.default_rng(0)
sizes = {n: [d or (96 if axis else 1) for axis, d in enumerate(s.shape)] for n, s in specs.items()}
given = {n: rng.random(sizes[n]).astype(s.dtype.as_numpy_dtype) for n, s in specs.items()}
wanted = {n: t.numpy() for n, t in call(**{n: tf.constant(a) for n, a in given.items()}).items()}
def compare(found):
    pairs = [(found[n], w) for n, w in wanted.items()]
    print(max(float(np.abs(g - w).max() / max(np.abs(w).max(), 1e-30)) for g, w in pairs))
"""

PEERS = {
    "TFLiteConverter": LOADED
    + """
made = tf.lite.TFLiteConverter.from_saved_model(folder).convert()
runner = tf.lite.Interpreter(model_content=made).get_signature_runner("serving_default")
compare(runner(**given))
""",
    "tf2onnx": LOADED
    + """
import subprocess, onnxruntime
command = [sys.executable, "-m", "tf2onnx.convert", "--saved-model", folder, "--output", out, "--opset", "18"]
subprocess.run(command, check=True, capture_output=True)
session = onnxruntime.InferenceSession(out)
names = [o.name for o in session.get_outputs()]
plain = lambda name: re.sub("[^A-Za-z0-9]", "_", name).lstrip("_")
known = {plain(n): a for n, a in given.items()}
fed = {i.name: known[plain(i.name)] for i in session.get_inputs()}
found = dict(zip(map(plain, names), session.run(names, fed)))
compare({n: found[plain(n)] for n in wanted})
""",
}

HEAD = (
    *("network", "nodes", "relative error", "Transposes", "TFLite's", "folder", "CPU s"),
    *PEERS,
)

TIMEOUT = 300
"""Seconds that a peer may take."""


def report_of(text: str) -> dict[str, Any]:
    """Return the report that a command has printed."""
    return json.loads(text[text.index("{") :])["report"]


def peer(name: str, folder: Path, output: Path, packages: str | None) -> str:
    """Return how far what a tool makes of a folder is from TensorFlow, or that it refuses."""
    if name == "tf2onnx" and packages is None:
        return ""
    env = os.environ | {"TF_CPP_MIN_LOG_LEVEL": "3", **({"PYTHONPATH": packages} if packages else {})}
    command = [sys.executable, "-c", PEERS[name], str(folder), str(output)]
    try:
        done = subprocess.run(command, env=env, capture_output=True, text=True, timeout=TIMEOUT, check=False)
    except subprocess.TimeoutExpired:
        return "no end"
    return f"{float(done.stdout.split()[-1]):.1e}" if done.returncode == 0 else "fails"


def row(name: str, packages: str | None) -> list[str]:
    """Write a network, verify it, and hand it on."""
    folder, source = scratch(), model(name)
    saved = folder / name
    done = run(nhwcc("compile", source, "-o", f"{saved}/", "--json"))
    if done.code:
        return [name, f"exit {done.code}", done.output.strip().splitlines()[-1][:80], *[""] * (len(HEAD) - 3)]
    report = report_of(done.output)
    worst = max(o["difference"]["relative"] for o in report["verification"]["outputs"])
    arguments = nhwcc("compile", source, "-o", f"{folder / 'alone'}/", "--no-verify", "--quiet")[3:]
    alone = run([sys.executable, "-c", WITHOUT, *arguments])
    lite = report_of(run(nhwcc("compile", source, "-o", folder / "m.tflite", "--no-verify", "--json")).output)
    return [
        name,
        str(sum(report["ops_after"].values())),
        f"{worst:.1e}",
        str(report["transposes_after"]),
        str(lite["transposes_after"]),
        megabytes(report["bytes"]),
        f"{alone.cpu:.1f}",
        *(peer(tool, saved, folder / f"{tool}.onnx", packages) for tool in PEERS),
    ]


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser()
    parser.add_argument("names", nargs="*", default=NAMES)
    parser.add_argument("--peers")
    given = parser.parse_args()
    print(table(HEAD, []))
    for name in given.names:
        print(f"| {' | '.join(row(name, given.peers))} |", flush=True)


if __name__ == "__main__":
    main()

"""Real networks as files of Keras: errors beside the source, layers, size, and one step of training by stock Keras.

python -m benchmarks.keras_files [NAME ...]
"""

from __future__ import annotations

import os
import subprocess
import sys

from benchmarks.measure import megabytes, nhwcc, run, scratch, table
from benchmarks.saved_models import report_of
from benchmarks.zoo import model

NAMES = ("u2netp", "u2netp_torch", "resnet50", "mobilenet_v2", "squeezenet", "efficientnet_lite0", "densenet121")

HEAD = ("network", "calls", "of them layers", "relative error", "file", "weights", "CPU s", "a step of training", ".h5")

TRAINED = """
import sys, keras, numpy as np
model = keras.saving.load_model(sys.argv[1])
sizes = [[d or (96 if axis else 1) for axis, d in enumerate(x.shape)] for x in model.inputs]
given = [np.random.default_rng(0).random(s).astype(np.float32) for s in sizes]
wanted = [np.zeros_like(keras.ops.convert_to_numpy(y)) for y in keras.tree.flatten(model(given))]
model.compile(optimizer=keras.optimizers.SGD(1e-4), loss=["mse"] * len(wanted))
before = model.get_weights()
loss = model.fit(given, wanted, batch_size=sizes[0][0], verbose=0).history["loss"][0]
changed = sum(not np.array_equal(a, b) for a, b in zip(before, model.get_weights()))
print(sum(w.nbytes for w in before), f"loss {loss:.3g}, {changed} of {len(before)} weights changed", sep=";")
"""
"""Loads a file in safe mode, and trains it once on zeros."""


def row(name: str) -> list[str]:
    """Write a network, compare it, load it and train it."""
    folder, source = scratch(), model(name)
    path = folder / f"{name}.keras"
    done = run(nhwcc("compile", source, "-o", path, "--json"))
    if done.code:
        return [name, f"exit {done.code}", done.output.strip().splitlines()[-1][:80], *[""] * (len(HEAD) - 3)]
    report = report_of(done.output)
    calls: dict[str, int] = report["ops_after"]
    worst = max(o["difference"]["relative"] for o in report["verification"]["outputs"])
    env = os.environ | {"TF_CPP_MIN_LOG_LEVEL": "3"}
    trained = subprocess.run(
        [sys.executable, "-c", TRAINED, str(path)], env=env, capture_output=True, text=True, check=False
    )
    weights, _, said = trained.stdout.strip().splitlines()[-1].partition(";") if trained.returncode == 0 else ("0",) * 3
    legacy = run(nhwcc("compile", source, "-o", path.with_suffix(".h5"), "--quiet"))
    return [
        name,
        str(sum(calls.values())),
        str(sum(count for call, count in calls.items() if not call.startswith("ops."))),
        f"{worst:.1e}",
        megabytes(report["bytes"]),
        megabytes(int(weights)),
        f"{done.cpu:.1f}",
        said if trained.returncode == 0 else "fails",
        "verified" if legacy.code == 0 else legacy.output.partition("\n")[0][:80],
    ]


def main() -> None:
    """Print the table."""
    print(table(HEAD, []))
    for name in sys.argv[1:] or NAMES:
        print(f"| {' | '.join(row(name))} |", flush=True)


if __name__ == "__main__":
    main()

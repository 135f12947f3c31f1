"""Recurrent networks from PyTorch in every form: operators, size, time of a call, error on three calls in a row.

python -m benchmarks.recurrent [NAME ...]
"""

# PyTorch's modules are only partly typed, the runtime's interface not at all
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from nhwcc.compiler.types import Array
from torch import Tensor, nn

import nhwcc

FORMS = ("unroll", "while", "fused")
ROUNDS, CALLS = 12, 4
"""Forms take turns, so that what else the machine does meets all alike."""


class Stack(nn.Module):
    """Layers one after the other."""

    def __init__(self, *layers: nn.RNNBase) -> None:
        super().__init__()
        self.layers = nn.ModuleList(layers)

    def forward(self, x: Tensor) -> Tensor:
        """Keep the output of all steps."""
        for layer in self.layers:
            x = layer(x)[0]
        return x


def _lstm(features: int, hidden: int, **options: Any) -> nn.LSTM:
    return nn.LSTM(features, hidden, batch_first=True, **options)


def _gru(features: int, hidden: int, **options: Any) -> nn.GRU:
    return nn.GRU(features, hidden, batch_first=True, **options)


NETWORKS: dict[str, tuple[Callable[[], nn.Module], tuple[int, int, int]]] = {
    "bilstm2": (lambda: Stack(_lstm(64, 128, num_layers=2, bidirectional=True)), (1, 50, 64)),
    "lstm_gru": (lambda: Stack(_lstm(64, 128), _gru(128, 128)), (1, 50, 64)),
    "lstm_one_step": (lambda: Stack(_lstm(64, 128)), (1, 1, 64)),
    "lstm_short": (lambda: Stack(_lstm(64, 128)), (1, 4, 64)),
    "lstm_narrow": (lambda: Stack(_lstm(32, 32)), (1, 50, 32)),
    "lstm": (lambda: Stack(_lstm(64, 128)), (1, 50, 64)),
    "lstm_wide": (lambda: Stack(_lstm(256, 256)), (1, 50, 256)),
    "lstm_batch": (lambda: Stack(_lstm(64, 128)), (8, 50, 64)),
    "lstm_long": (lambda: Stack(_lstm(64, 128)), (1, 400, 64)),
    "gru_long": (lambda: Stack(_gru(64, 128)), (1, 400, 64)),
    "lstm_longest": (lambda: Stack(_lstm(64, 128)), (1, 1000, 64)),
    "gru_longest": (lambda: Stack(_gru(64, 128)), (1, 1000, 64)),
}
"""Networks with the shapes of their inputs: batch, time, features."""

MAX_UNROLLED = 100
"""Steps beyond which nothing is unrolled here."""


class Run:
    """One network in one form, compiled and loaded."""

    def __init__(self, module: nn.Module, shape: tuple[int, int, int], form: str, path: Path) -> None:
        from ai_edge_litert.interpreter import Interpreter

        self.form, self.module, self.shape = form, module, shape
        start = time.process_time()
        x = torch.zeros(shape)
        self.report = nhwcc.compile(module, path, args=(x,), rnn=form, io_layout="keep", verify=False).report  # pyright: ignore[reportArgumentType]
        self.cpu = time.process_time() - start
        self.bytes = path.stat().st_size
        self.interpreter: Any = Interpreter(model_path=str(path), num_threads=1)
        self.interpreter.allocate_tensors()
        self.times: list[float] = []

    def call(self, x: Array) -> Array:
        """Run once."""
        self.interpreter.set_tensor(self.interpreter.get_input_details()[0]["index"], x)
        start = time.perf_counter()
        self.interpreter.invoke()
        self.times.append(time.perf_counter() - start)
        return self.interpreter.get_tensor(self.interpreter.get_output_details()[0]["index"])

    def error(self) -> float:
        """Return the largest error of three calls on other data, relative to the largest value."""
        worst = 0.0
        for seed in range(3):
            x = torch.randn(self.shape, generator=torch.Generator().manual_seed(seed))
            with torch.no_grad():
                want: Array = self.module(x).numpy()
            worst = max(worst, float(np.abs(self.call(x.numpy()) - want).max() / np.abs(want).max()))
        return worst


def measure(name: str, folder: Path) -> None:
    """Print a line for every form."""
    make, shape = NETWORKS[name]
    torch.manual_seed(0)
    module = make().eval()
    forms = [form for form in FORMS if form != "unroll" or shape[1] <= MAX_UNROLLED]
    runs = [Run(module, shape, form, folder / f"{name}_{form}.tflite") for form in forms]
    errors = [run.error() for run in runs]
    x = np.random.default_rng(0).standard_normal(shape).astype(np.float32)
    for _ in range(ROUNDS):
        for run in runs:
            for _ in range(CALLS):
                run.call(x)
    chosen = nhwcc.compile(
        module, folder / "auto.tflite", args=(torch.zeros(shape),), io_layout="keep", verify=False
    ).report.ops_after
    for run, error in zip(runs, errors, strict=True):
        auto = "auto" if run.report.ops_after == chosen else ""
        ops, ms = sum(run.report.ops_after.values()), 1e3 * min(run.times)
        print(f"| {name} | {run.form} | {auto} | {ops} | {run.bytes:,} | {ms:.3f} | {error:.1e} | {run.cpu:.1f} |")


def main() -> None:
    """Measure the networks named, or all."""
    print("| network | form | | ops | bytes | ms | error | compile CPU s |")
    print("| --- | --- | --- | --- | --- | --- | --- | --- |")
    with tempfile.TemporaryDirectory() as folder:
        for name in sys.argv[1:] or NETWORKS:
            measure(name, Path(folder))


if __name__ == "__main__":
    main()

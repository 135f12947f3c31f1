"""Runs files in a process of its own, since some kernels end the process: requests in, results out, as pickles."""

from __future__ import annotations

import os
import pickle
import sys
from pathlib import Path
from typing import Any

from nhwcc.backends.tflite.runtime import TfliteModel
from nhwcc.compiler.diagnostics import CompileError


def serve(requests: Any, results: Any) -> None:
    """Answer ``(path, list of inputs by name, delegate)`` until the other side closes."""
    while True:
        try:
            path, runs, delegate = pickle.load(requests)
        except EOFError:
            return
        try:
            model = TfliteModel(Path(path), delegate=delegate)
            answer: Any = [model.run(inputs) for inputs in runs]
        except CompileError as bad:
            answer = str(bad)
        pickle.dump(answer, results)
        results.flush()


if __name__ == "__main__":
    # the runtime writes to standard output: results go to a copy of it
    kept = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    serve(sys.stdin.buffer, kept)

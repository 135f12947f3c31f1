"""Runs pytest and networks in processes that need not load the libraries again.

Every line of its input is a request, ``[seconds, program, argument...]`` as JSON, and every line of its output tells
how that ended. What is loaded here is what no mutant changes; the compiler itself is imported by each process.
"""

from __future__ import annotations

import importlib
import json
import os
import sys
import tempfile
import time

LIBRARIES = (
    *("pytest", "_pytest.assertion.rewrite", "onnx.parser", "onnxruntime", "sympy", "scipy.optimize", "lark"),
    *(
        "torch",
        "torch.export",
        "torch._dynamo",
        "torch.fx.experimental.symbolic_shapes",
        "torch._functorch.aot_autograd",
    ),
)


def program(name: str, arguments: list[str]) -> int:
    """Run pytest, or compile networks."""
    if name == "pytest":
        import pytest

        return int(pytest.main(arguments))
    importlib.import_module("tests.mutants.networks").main(arguments)
    return 0


def child(name: str, arguments: list[str], output: int) -> None:
    """Leave the server's group, write into a file, and end with the program's code."""
    code = 3
    try:
        os.setsid()
        os.dup2(output, 1)
        os.dup2(output, 2)
        code = program(name, arguments)
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


def ended(pid: int, seconds: float) -> int | None:
    """Wait for a process, up to a time limit; None if it takes longer."""
    limit = time.monotonic() + seconds
    while time.monotonic() < limit:
        done, status = os.waitpid(pid, os.WNOHANG)
        if done:
            return os.waitstatus_to_exitcode(status)
        time.sleep(0.02)
    os.killpg(pid, 9)
    os.waitpid(pid, 0)
    return None


def main() -> None:
    for library in LIBRARIES:
        importlib.import_module(library)
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    for line in sys.stdin:
        seconds, name, *arguments = json.loads(line)
        with tempfile.TemporaryFile() as file:
            pid = os.fork()
            if not pid:
                child(name, arguments, file.fileno())
            code = ended(pid, seconds)
            file.seek(0)
            output = file.read().decode(errors="replace")
        answers.write(json.dumps([code, output]) + "\n")
        answers.flush()


if __name__ == "__main__":
    main()

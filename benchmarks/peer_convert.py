"""Convert one network with litert-torch, in a Python that has it; nothing of nhwcc is imported.

    python -m benchmarks.peer_convert NAME FILE [--before MODULE]

Prints JSON: CPU seconds from the module to the file, and the process's peak memory in bytes.
"""

from __future__ import annotations

import argparse
import importlib
import json
import resource
import time
from typing import Any

import torch

from benchmarks.torch_nets import build, honest


def main() -> None:
    """Convert with the tool's defaults."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("name")
    parser.add_argument("file")
    parser.add_argument("--before")
    options = parser.parse_args()
    if options.before:
        importlib.import_module(options.before)
    litert_torch: Any = importlib.import_module("litert_torch")
    torch.random.manual_seed(0)  # pyright: ignore[reportUnknownMemberType]
    module, shapes = build(options.name)
    examples = tuple(torch.randn(shape) for shape in shapes)
    module = honest(module)
    start = time.process_time()
    litert_torch.convert(module, examples).export(options.file)
    cpu = time.process_time() - start
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    print("\n" + json.dumps({"cpu": cpu, "peak": peak}))


if __name__ == "__main__":
    main()

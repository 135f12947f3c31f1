"""What exporters write, to TFLite without flags: compared with onnxruntime at three sizes, with what it costs.

    python -m benchmarks.onnx_exports [NAME ...] [--exporter dynamo|legacy] [--trained] [--before MODULE]

Networks of ``export_cases`` are exported by both of PyTorch's exporters into ``.cache/exports``; ``--trained`` takes
the trained networks of the zoo instead.  ``--before`` imports a module first, such as one that makes a CUDA build of
torchvision importable beside a CPU build of torch.
"""

from __future__ import annotations

import argparse
import importlib
import json
import logging
import warnings
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from benchmarks.measure import megabytes, nhwcc, run, scratch, table
from benchmarks.zoo import FETCHED, ZOO, model

EXPORTS = ZOO.parent / "exports"

EXPORTERS = ("dynamo", "legacy")

HEAD = ("network", "exporter", "ops", "TRANSPOSE", "RESHAPE", "relative error", "sizes", "CPU s", "peak")


class NotExported(RuntimeError):
    """The exporter itself fails."""


def exported(name: str, exporter: str) -> Path:
    """Return the file that an exporter makes of a network, making it if it is not there yet.

    Raises:
        NotExported: it can't; the message is the exporter's.
    """
    path = EXPORTS / f"{name}_{exporter}.onnx"
    if path.exists():
        return path
    import torch

    from benchmarks.export_cases import CASES
    from benchmarks.torch_zoo import honest

    torch.random.manual_seed(0)  # pyright: ignore[reportUnknownMemberType]
    case = CASES[name]()
    EXPORTS.mkdir(parents=True, exist_ok=True)
    partial = path.with_suffix(".part")
    export: Callable[..., object] = torch.onnx.export  # pyright: ignore[reportUnknownMemberType, reportUnknownVariableType]
    options: dict[str, Any] = {
        "input_names": list(case.inputs),
        "dynamic_axes": {k: dict(v) for k, v in case.open.items()},
    }
    if exporter == "dynamo":
        anything = torch.export.Dim.DYNAMIC
        shapes = {k: dict.fromkeys(case.open.get(k, {}), anything) for k in case.inputs}
        options = {"dynamic_shapes": shapes, "external_data": False}
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            inputs = tuple(case.inputs.values())
            export(honest(case.module), inputs, str(partial), dynamo=exporter == "dynamo", verbose=False, **options)
    except (RuntimeError, torch.onnx.OnnxExporterError) as bad:
        raise NotExported(str(bad).splitlines()[0]) from bad
    partial.rename(path)
    return path


def row(name: str, exporter: str, path: Path) -> list[str]:
    """Compile a file twice: to compare its numbers, and to see what compiling alone costs."""
    output = scratch() / "model.tflite"
    checked = run(nhwcc("compile", path, "-o", output, "--json"))
    if checked.code:
        said = [line for line in checked.output.splitlines() if line.startswith("error")]
        return [name, exporter, (said or [f"exit {checked.code}"])[0], *[""] * 6]
    report = json.loads(checked.output[checked.output.index("{") :])["report"]
    counts, found = report["ops_after"], report["verification"]
    alone = run(nhwcc("compile", path, "-o", output, "--no-verify", "--quiet"))
    peak = report["peak_memory"]  # the system's own number for a child counts what this process held when it forked
    return [
        name,
        exporter,
        str(sum(counts.values())),
        str(counts.get("TRANSPOSE", 0)),
        str(counts.get("RESHAPE", 0)),
        f"{max(o['difference']['relative'] for o in found['outputs']):.1e}",
        "; ".join(f"{k} {', '.join(map(str, v))}" for k, v in found["sizes"].items()),
        f"{alone.cpu:.1f}",
        megabytes(peak),
    ]


def trained(names: Sequence[str]) -> Iterator[list[str]]:
    """Compile networks of the zoo."""
    return (row(name, "as trained", model(name)) for name in names or FETCHED)


def rows(names: Sequence[str], exporters: Sequence[str]) -> Iterator[list[str]]:
    """Export networks and compile them."""
    from benchmarks.export_cases import CASES

    for name in names or CASES:
        for exporter in exporters:
            try:
                yield row(name, exporter, exported(name, exporter))
            except NotExported as bad:
                yield [name, exporter, f"not exported: {bad}", *[""] * 6]


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*")
    parser.add_argument("--exporter", choices=EXPORTERS)
    parser.add_argument("--trained", action="store_true")
    parser.add_argument("--before")
    options = parser.parse_args()
    logging.disable(logging.WARNING)
    if options.before:
        importlib.import_module(options.before)
    exporters = [options.exporter] if options.exporter else EXPORTERS
    found = trained(options.names) if options.trained else rows(options.names, exporters)
    print(table(HEAD, []))
    for cells in found:
        print(f"| {' | '.join(cells)} |", flush=True)


if __name__ == "__main__":
    main()

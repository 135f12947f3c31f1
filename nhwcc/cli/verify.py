"""The command ``nhwcc verify``: compares the numbers of two files."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from nhwcc.cli.edge import echo, print_json, style
from nhwcc.cli.flags import (
    MODEL,
    budget_flags,
    certificate_option,
    common,
    data_of,
    data_option,
    load_option,
    seed_option,
)
from nhwcc.cli.unproven import accept_unproven_option, end, unproven
from nhwcc.compiler.diagnostics import error
from nhwcc.options import TOLERANCE, WITH_SIGNATURES, CompileOptions

if TYPE_CHECKING:
    from nhwcc.runners.devices import Runtime
    from nhwcc.runners.vela import VelaReport
    from nhwcc.sources import Source


@click.command("verify", short_help="Run two models on the same input and compare.")
@click.argument("reference", type=MODEL)
@click.argument("candidate", type=MODEL)
@click.option("--per-op", is_flag=True, help="Also compare intermediate tensors that have the same name in both.")
@click.option(
    "--tolerance",
    default=TOLERANCE,
    show_default=True,
    help="The largest error that is allowed, relative to the largest value of a tensor.",
)
@click.option(
    "--min-sqnr",
    default=10.0,
    show_default=True,
    metavar="DB",
    help="The least signal-to-noise ratio of each output of a quantized file against floats.",
)
@click.option(
    "--on",
    type=click.Choice(("tflm", "gpu", "vela")),
    help="Where the TFLite file CANDIDATE runs: in TFLite Micro's interpreter (tflm), or on LiteRT's "
    "GPU accelerator (gpu). With vela, numbers are compared as usual, and Arm's compiler reports what "
    "it places on the NPU.",
)
@click.option(
    "--accelerator",
    help="The NPU that Vela compiles for: a target's name, or a configuration of Vela such as ethos-u65-512.  "
    "[default: ethos-u55]",
)
@click.option(
    "--signature",
    metavar="NAME",
    help="Which signature of SavedModels and TFLite files runs; the first one by default.",
)
@certificate_option
@accept_unproven_option
@load_option
@data_option
@seed_option
@budget_flags
@common
def verify_command(reference: Path, candidate: Path, **given: Any) -> None:
    """Run REFERENCE and CANDIDATE (.onnx, .tflite, .pb, .xml, .ir, SavedModels) on the same input, compare the outputs.

    Files that nhwcc wrote state the layouts of their inputs and outputs.  A quantized CANDIDATE is compared by its
    signal-to-noise ratio, in dB.  Exit code 3: the numbers differ; 4: they agree, but that proves nothing.
    """
    accelerator = _accelerator(given)
    from nhwcc.comparison import compare_models
    from nhwcc.compiler.budget import timed
    from nhwcc.file_formats import supported
    from nhwcc.request import check_certificate, check_decibels, check_model, check_options, data_files

    check_decibels(given["min_sqnr"])
    for path in (reference, candidate):
        check_model(supported(path), path)
    certificate: Path | None = given["certificate"]
    if certificate is not None:
        check_certificate(certificate, [], [reference, candidate])
    data = data_of(given["data"])
    check_options(CompileOptions(load=given["load"], tolerance=given["tolerance"], data=data, seed=given["seed"]))
    from nhwcc.pipelines import register_passes
    from nhwcc.render import compared_table
    from nhwcc.verification import Settings

    _check_signature(given["signature"], (reference, candidate), given["on"])
    tested = _on_device(candidate, given["on"]) if given["on"] in ("tflm", "gpu") else _opened(candidate, given)
    placed = _placed_by_vela(candidate, accelerator) if given["on"] == "vela" else None

    if given["load"]:
        register_passes(given["load"])
    strict = given["tolerance"] != TOLERANCE
    settings = Settings(given["tolerance"], data, given["seed"], given["per_op"], strict=strict)
    with timed():
        found = compare_models(_opened(reference, given), tested, settings, given["min_sqnr"])
    numbers, decibels = found.numbers, found.decibels
    if certificate is not None:
        from nhwcc.certificate import of_comparison, write_certificate

        write_certificate(of_comparison(reference, candidate, found, map(Path, data_files(data))), certificate)
    hollow = unproven([numbers], accepted=given["accept_unproven"] or decibels is not None)
    if given["as_json"] and found.ok:
        more = {} if decibels is None else {"decibels": asdict(decibels)}
        more |= {} if placed is None else {"vela": asdict(placed)}
        said = [asdict(d) for d in hollow]
        print_json({"ok": not hollow, "report": numbers.to_dict() | more, "diagnostics": said})
    elif not given["as_json"]:
        if given["per_op"]:
            echo("\n".join(compared_table(numbers.inside, style)))
        echo(found.render(style))
    if placed is not None and not given["as_json"]:
        from nhwcc.render_placement import render_vela

        echo("\n".join(render_vela(placed)))
    if not found.ok:
        raise numbers.problems() if decibels is None else decibels.problems()
    end(hollow, as_json=given["as_json"])


def _accelerator(given: dict[str, Any]) -> str:
    """Return the NPU that Vela compiles for."""
    if given["accelerator"] is not None and given["on"] != "vela":
        raise click.UsageError("--accelerator belongs to --on vela")
    return given["accelerator"] or "ethos-u55"


def _check_signature(name: str | None, paths: Sequence[Path], device: str | None) -> None:
    """Refuse a signature where neither model has some, or where a device runs the first one.

    Raises:
        CompileError: L007.
    """
    if name is not None and not any(map(_has_signatures, paths)):
        help = "--signature is for SavedModels and TFLite files"
        raise error("L007", "neither of the two models has signatures to choose from", help=help)
    if name is not None and device is not None:
        help = f"compile the signature into a file of its own: nhwcc compile {paths[1]} --signature {name}"
        raise error("L007", f"--on {device} runs the first signature of a file", help=help)


def _has_signatures(path: Path) -> bool:
    from nhwcc.file_formats import supported

    return supported(path).name in WITH_SIGNATURES


def _opened(path: Path, given: dict[str, Any]) -> Source:
    """Return a model, or a signature of it where it has some."""
    from nhwcc.sources import source_of
    from nhwcc.sources.call import Call

    return source_of(path, Call(signature=given["signature"]) if _has_signatures(path) else None)


def _on_device(path: Path, runtime: Runtime) -> Source:
    """Return what runs a TFLite file as a device does."""
    from nhwcc.runners.devices import DeviceSource

    _require_file(path, runtime)
    return DeviceSource(path, runtime)


def _placed_by_vela(path: Path, accelerator: str) -> VelaReport:
    from nhwcc.runners.vela import run_vela

    _require_file(path, "vela")
    return run_vela(path, accelerator)


def _require_file(path: Path, tool: str) -> None:
    """Refuse what is not a TFLite file.

    Raises:
        CompileError: L007.
    """
    from nhwcc.file_formats import supported

    if supported(path).name != "tflite":
        text = f"--on {tool} runs TFLite files, which {path} is not"
        raise error("L007", text, help=f"compile it first: nhwcc compile {path} -o {path.with_suffix('.tflite').name}")

"""nhwcc verify."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Any

import click

from nhwcc.cli.edge import echo, print_json, style
from nhwcc.cli.flags import MODEL, budget_flags, common, data_of, data_option, load_option, seed_option
from nhwcc.cli.unproven import accept_unproven_option, end, unproven
from nhwcc.options import TOLERANCE, CompileOptions


@click.command("verify", short_help="Run two models on the same input and compare.")
@click.argument("reference", type=MODEL)
@click.argument("candidate", type=MODEL)
@click.option("--per-op", is_flag=True, help="Compare the tensors inside that have the same name, too.")
@click.option("--tolerance", default=TOLERANCE, show_default=True, help="Error relative to a tensor's largest value.")
@click.option(
    "--min-sqnr",
    default=10.0,
    show_default=True,
    metavar="DB",
    help="How far outputs of a quantized file may be from those in floats.",
)
@accept_unproven_option
@load_option
@data_option
@seed_option
@budget_flags
@common
def verify_command(reference: Path, candidate: Path, **given: Any) -> None:
    """Run REFERENCE and CANDIDATE (.onnx, .tflite, .pb, .xml, .ir, SavedModels) on the same input, compare the outputs.

    Layouts are read from the metadata of files that nhwcc wrote.  A quantized CANDIDATE that differs is compared in dB
    with the other one.  Exit code 3 says that numbers differ, 4 that they agree, but would do so in
    another network, too.
    """
    from nhwcc.comparison import compare_models
    from nhwcc.compiler.budget import timed
    from nhwcc.file_formats import supported
    from nhwcc.request import check_model, check_options

    for path in (reference, candidate):
        check_model(supported(path), path)
    data = data_of(given["data"])
    check_options(CompileOptions(load=given["load"], tolerance=given["tolerance"], data=data, seed=given["seed"]))
    from nhwcc.pipelines import register_passes
    from nhwcc.render import compared_table
    from nhwcc.sources import source_of
    from nhwcc.verification import Settings

    if given["load"]:
        register_passes(given["load"])
    strict = given["tolerance"] != TOLERANCE
    settings = Settings(given["tolerance"], data, given["seed"], given["per_op"], strict=strict)
    with timed():
        found = compare_models(source_of(reference), source_of(candidate), settings, given["min_sqnr"])
    numbers, decibels = found.numbers, found.decibels
    hollow = unproven([numbers], accepted=given["accept_unproven"] or decibels is not None)
    if given["as_json"] and found.ok:
        more = {} if decibels is None else {"decibels": asdict(decibels)}
        said = [asdict(d) for d in hollow]
        print_json({"ok": not hollow, "report": numbers.to_dict() | more, "diagnostics": said})
    elif not given["as_json"]:
        if given["per_op"]:
            echo("\n".join(compared_table(numbers.inside, style)))
        echo(found.render(style))
    if not found.ok:
        raise numbers.problems() if decibels is None else decibels.problems()
    end(hollow, as_json=given["as_json"])

"""The command ``nhwcc reduce``: the smallest part of a model that shows a fault."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from nhwcc.cli.edge import echo, print_json
from nhwcc.cli.flags import (
    FILE,
    MODEL,
    budget_flags,
    common,
    custom_option,
    load_option,
    named,
    placed,
    seed_option,
    shapes,
)
from nhwcc.cli.progress import Progress
from nhwcc.options import TOLERANCE, CompileOptions


@click.command("reduce", short_help="Cut a model to the smallest part that still shows a fault.")
@click.argument("model", type=MODEL)
@click.option("-o", "--output", type=FILE, help="The .ir or .onnx file to write; by default MODEL-reduced.ir.")
@click.option(
    "--while",
    "command",
    metavar="COMMAND",
    help="A command that shows the fault: a part is kept if COMMAND ends with the same exit code as for "
    "MODEL. {} in it is replaced by the file, which is appended otherwise; it has the output's "
    "format. By default the fault is that nhwcc compile fails.",
)
@click.option("--target", help="The target; by default TFLite.")
@click.option("--shape", "shapes", multiple=True, callback=shapes, metavar="NAME=SIZES", help="As for nhwcc compile.")
@click.option("--io-layout", multiple=True, callback=named, metavar="[NAME=]LAYOUT", help="As for nhwcc compile.")
@click.option("--passes", metavar="PIPELINE", help="As for nhwcc compile.")
@click.option("--disable-pass", multiple=True, metavar="PASS", help="As for nhwcc compile.")
@click.option("--before", multiple=True, callback=placed, metavar="PASS=PIPELINE", help="As for nhwcc compile.")
@click.option("--after", multiple=True, callback=placed, metavar="PASS=PIPELINE", help="As for nhwcc compile.")
@click.option("--rules", multiple=True, metavar="[PLACE=]FILE", help="As for nhwcc compile.")
@click.option(
    "--tolerance",
    default=TOLERANCE,
    show_default=True,
    help="The largest error that is allowed, relative to the largest value of an output.",
)
@load_option
@custom_option
@seed_option
@click.option("-q", "--quiet", is_flag=True, help="Print nothing if there are no warnings and no errors.")
@budget_flags
@common
def reduce_command(model: Path, output: Path | None, command: str | None, **given: Any) -> None:
    """Cut MODEL to the smallest part that still shows a fault, so that you can report it.

    Weights are replaced by random ones where the fault stays, and all names by others: only a few operations of a
    confidential model are left.
    """
    from nhwcc.backends.registry import find_target
    from nhwcc.file_formats import supported
    from nhwcc.request import check_model, check_options, check_writing

    check_model(supported(model), model)
    output = Path(f"{model.stem}-reduced.ir") if output is None else output
    check_writing(output, "onnx" if output.suffix == ".onnx" else "ir", [model])
    find_target(given["target"] or "tflite")
    options = CompileOptions(
        target=given["target"] or "tflite",
        io_layout=";".join(f"{name}={layout}" if name else layout for name, layout in given["io_layout"]) or None,
        passes=given["passes"],
        disable=given["disable_pass"],
        before=given["before"] or None,
        after=given["after"] or None,
        load=given["load"],
        rules=given["rules"],
        tolerance=given["tolerance"],
        seed=given["seed"],
    )
    check_options(options)
    from nhwcc.reduction.faults import Command, Compiling
    from nhwcc.reduction.reduce import reduce_module
    from nhwcc.reduction.writing import write_module
    from nhwcc.sources import load

    quiet: bool = given["quiet"] or given["as_json"]
    fault = Compiling(options) if command is None else Command(command, output.suffix)
    with Progress(shown=not quiet) as progress:
        module = load(model, shapes=given["shapes"], allow_custom_ops=given["allow_custom_ops"])
        done = reduce_module(module, fault, progress)
    write_module(done.module, output)
    if given["as_json"]:
        report = {name: value for name, value in vars(done).items() if name != "module"}
        print_json({"ok": True, "report": {"output": str(output), **report}, "diagnostics": []})
    elif not quiet:
        weights = "; some weights are the model's own" if done.has_own_weights else ""
        echo(f"{output}  {done.before} -> {done.after} operations, {done.tried} tries: {done.kind}{weights}")

"""The command ``nhwcc calibrate``: ranges of tensors on samples, for quantization."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import click

from nhwcc.cli.edge import echo, print_json
from nhwcc.cli.flags import FILE, MODEL, budget_flags, common, custom_option, data_of, data_option, seed_option
from nhwcc.cli.interface import InterfaceFlags, interface_flags
from nhwcc.cli.module import ModuleFlags, module_flags
from nhwcc.cli.progress import Progress
from nhwcc.options import CompileOptions


@click.command("calibrate", short_help="Run a model on samples and keep the ranges of its values.")
@click.argument("model", type=MODEL, required=False)
@module_flags
@click.option("-o", "--output", required=True, type=FILE, help="The file of statistics to write, JSON.")
@interface_flags
@custom_option
@click.option("--images", metavar="KEY=VALUE,...", help="How pictures of --data are preprocessed; see nhwcc compile.")
@data_option
@seed_option
@click.option("-q", "--quiet", is_flag=True, help="Print nothing if there are no warnings and no errors.")
@budget_flags
@common
def calibrate_command(
    model: Path | None, output: Path, module: ModuleFlags, interface: InterfaceFlags, **given: Any
) -> None:
    """Run MODEL in floats on the samples of --data, and write the ranges of its tensors, for --calibration.

    Several machines can each run a part of the samples: nhwcc compile joins several files.  Give nhwcc compile the same
    options about the model.
    """
    options = CompileOptions(
        allow_custom_ops=given["allow_custom_ops"],
        data=data_of(given["data"]),
        images=given["images"],
        seed=given["seed"],
        quantize="int8",
    )
    options = replace(options, **module.options, **interface.options)
    if options.data is None:
        raise click.UsageError("give samples: --data FOLDER, --data FILE.npz or --data FILE.py:FUNCTION")
    from nhwcc.driver import calibrate_model

    quiet: bool = given["quiet"] or given["as_json"]
    with Progress(shown=not quiet) as progress:
        count = calibrate_model(module.model(model), options, output, progress)
    if given["as_json"]:
        print_json({"ok": True, "report": {"output": str(output), "samples": count}, "diagnostics": []})
    elif not quiet:
        echo(f"{output}  statistics of {count} samples")

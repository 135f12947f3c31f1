"""The command ``nhwcc inspect``: inputs, outputs, operations and size of a file."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Any

import click

from nhwcc.cli.edge import echo, print_json, style
from nhwcc.cli.flags import FILE, MODEL, budget_flags, common, custom_option, load_option


@click.command("inspect", short_help="Show what a model holds, or draw it.")
@click.argument("model", type=MODEL)
@click.option("--ops", is_flag=True, help="List every operation.")
@click.option("--draw", type=FILE, help="Draw the network into an .svg file.")
@load_option
@custom_option
@budget_flags
@common
def inspect_command(model: Path, **given: Any) -> None:
    """Show what MODEL (.onnx, .tflite, .pb, .xml, .ir, a SavedModel) holds: inputs, outputs, operations, parameters."""
    from nhwcc.file_formats import supported
    from nhwcc.files import save_text
    from nhwcc.options import CompileOptions
    from nhwcc.request import check_model, check_options, check_writing

    check_model(supported(model), model)
    check_options(CompileOptions(load=given["load"]))
    if given["draw"] is not None:
        check_writing(given["draw"], "svg", [model])
    from nhwcc.inspection import inspect, render_inspection
    from nhwcc.pipelines import register_passes

    if given["load"]:
        register_passes(given["load"])
    found = inspect(model, allow_custom_ops=given["allow_custom_ops"])
    if given["draw"] is not None:
        from nhwcc.graphs.render import render

        save_text(given["draw"], render(found.graph))
    if given["as_json"]:
        report = {k: v for k, v in asdict(found.summary).items() if given["ops"] or k != "ops"}
        print_json({"ok": True, "report": report, "diagnostics": []})
    else:
        echo(render_inspection(found.summary, style, ops=given["ops"]))

"""The command ``nhwcc opt``: passes over IR, printed as text."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from nhwcc.cli.edge import echo, print_json
from nhwcc.cli.flags import (
    FILE,
    MODEL,
    PassFlags,
    budget_flags,
    common,
    custom_option,
    data_of,
    data_option,
    pass_flags,
    seed_option,
)
from nhwcc.options import CompileOptions

if TYPE_CHECKING:
    from nhwcc.compiler.ir import Module


@click.command("opt", short_help="Run passes over a model and print its IR.")
@click.argument("model", type=MODEL)
@click.option("-o", "--output", type=FILE, help="The .ir file to write; large weights go beside it (.ir.safetensors).")
@custom_option
@data_option
@seed_option
@pass_flags
@budget_flags
@common
def opt_command(model: Path, output: Path | None, flags: PassFlags, **given: Any) -> None:
    """Run passes over MODEL (.ir, or any model) and print the IR.

    Without --passes, the IR is printed as it was read; "default" stands for the pipeline for TFLite.  On standard
    output large weights are left out.
    """
    from nhwcc.file_formats import supported
    from nhwcc.request import check_model, check_options, check_writing

    check_model(supported(model), model)
    if output is not None:
        check_writing(output, "ir", [model])
    options = CompileOptions(
        passes=flags.passes or "",
        disable=flags.disable_pass,
        before=flags.before or None,
        after=flags.after or None,
        load=flags.load,
        rules=flags.rules,
        data=data_of(given["data"]),
        seed=given["seed"],
    )
    check_options(options)
    from nhwcc.backends.registry import find_target
    from nhwcc.compiler.diagnostics import collect_remarks, explaining
    from nhwcc.instruments import run_passes
    from nhwcc.pipelines import build_pipeline, register_passes
    from nhwcc.render import render_remarks, render_times
    from nhwcc.report import describe_passes
    from nhwcc.sources import load
    from nhwcc.verification import Settings

    register_passes(flags.load)
    passes = build_pipeline(options, find_target("tflite").pipeline)
    instruments = flags.instruments(Settings(data=options.data, seed=given["seed"]))
    for instrument in instruments:
        instrument.check(passes)
    module = load(model, allow_custom_ops=given["allow_custom_ops"])
    with collect_remarks() as remarks, explaining(wanted=flags.explain):
        stages = run_passes(module, passes, instruments)
    text = _text(module, model, output)
    if given["as_json"]:
        report = {"passes": [asdict(p) for p in describe_passes(stages)], "remarks": [asdict(r) for r in remarks]}
        print_json({"ok": True, "report": report | {"ir": text}, "diagnostics": []})
        return
    if flags.explain:
        echo(render_remarks(remarks), err=True)
    if flags.time_passes:
        echo(render_times(describe_passes(stages)), err=True)
    if text is not None:
        echo(text, nl=False)


def _text(module: Module, source: Path, output: Path | None) -> str | None:
    """Write the module if a file was asked for, else return its text."""
    from nhwcc.compiler.printer import print_module
    from nhwcc.ir_files import write_ir
    from nhwcc.sources import source_of

    if output is None:
        return print_module(module, locations=True)
    write_ir(module, output, source_of(source).files(module))
    return None

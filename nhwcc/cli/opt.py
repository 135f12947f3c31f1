"""nhwcc opt."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from nhwcc.cli.edge import echo, print_json
from nhwcc.cli.flags import (
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

_FILE = click.Path(dir_okay=False, path_type=Path)


@click.command("opt", short_help="Run passes over a model and print its IR.")
@click.argument("model", type=MODEL)
@click.option("-o", "--output", type=_FILE, help="The .ir file to write; large weights go beside it (.safetensors).")
@custom_option
@data_option
@seed_option
@pass_flags
@budget_flags
@common
def opt_command(model: Path, output: Path | None, flags: PassFlags, **given: Any) -> None:
    """Run passes over MODEL (.ir, .onnx) and print the IR, for looking at passes.

    Without --passes the IR is printed as it was read.  On standard output large weights are left out.
    """
    from nhwcc.compiler.diagnostics import collect_remarks
    from nhwcc.instruments import run_passes
    from nhwcc.pipelines import build_pipeline, register_passes
    from nhwcc.render import render_remarks, render_times
    from nhwcc.report import describe_passes
    from nhwcc.source import load
    from nhwcc.verification import Settings

    register_passes(flags.load)
    options = CompileOptions(passes=flags.passes, disable=flags.disable_pass, rules=flags.rules)
    passes = build_pipeline(options, "")
    module = load(model, allow_custom_ops=given["allow_custom_ops"])
    settings = Settings(data=data_of(given["data"]), seed=given["seed"])
    with collect_remarks() as remarks:
        stages = run_passes(module, passes, flags.instruments(settings))
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
        click.echo(text, nl=False)


def _text(module: Module, source: Path, output: Path | None) -> str | None:
    """Write the module if a file was asked for, else return its text."""
    from nhwcc.compiler.printer import print_module
    from nhwcc.compiler.sidefile import SideFile
    from nhwcc.files import check_not_source, replacing, save_text

    if output is None:
        return print_module(module, locations=True)
    weights, side = SideFile(), output.with_suffix(".safetensors")
    check_not_source(output, [source])
    text = print_module(module, locations=True, sink=weights, side_files=[side.name])
    if weights.fresh:
        with replacing(side) as draft:
            weights.write(draft)
    else:
        text = print_module(module, locations=True)
    save_text(output, text)
    return None

"""The command ``nhwcc check``: which operations would run on a device."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from nhwcc.cli.edge import echo, print_json, style
from nhwcc.cli.flags import MODEL, budget_flags, common, custom_option, data_of, data_option, load_option, seed_option
from nhwcc.cli.interface import InterfaceFlags, interface_flags
from nhwcc.cli.module import ModuleFlags, module_flags
from nhwcc.cli.quantization import QUANTIZATION, quantization_flags
from nhwcc.options import CompileOptions


def _share(ctx: click.Context, param: click.Parameter, value: str | None) -> float | None:
    """Read a share: 100%, 99.5% or 0.995."""
    if value is None:
        return None
    text = value.strip()
    try:
        share = float(text[:-1]) / 100 if text.endswith("%") else float(text)
    except ValueError:
        share = -1.0
    if not 0 <= share <= 1:
        raise click.BadParameter(f"{value!r} is not a share; write 100% or 0.95", ctx, param)
    return share


@click.command("check", short_help="Say which operations of a model a device runs, and why not the others.")
@click.argument("model", type=MODEL, required=False)
@module_flags
@click.option("--target", required=True, help="The device: tflite-gpu, tflite-micro, ethos-u55, ethos-u65, ...")
@click.option(
    "--require",
    callback=_share,
    metavar="SHARE",
    help="Exit with 1 if a smaller share of the operators runs on the device: 100%.",
)
@click.option("--ops", is_flag=True, help="List every operator.")
@interface_flags
@quantization_flags
@data_option
@seed_option
@load_option
@custom_option
@budget_flags
@common
def check_command(model: Path | None, module: ModuleFlags, interface: InterfaceFlags, **given: Any) -> None:
    """Say which operations of MODEL would run on a device if it were compiled for it; a TFLite file is taken as it is.

    Nothing is written. With --require, the exit code is 1 if a smaller share runs on the device.
    """
    from nhwcc.request import check_request

    options = CompileOptions(
        None,
        target=given["target"],
        allow_custom_ops=given["allow_custom_ops"],
        load=given["load"],
        data=data_of(given["data"]),
        seed=given["seed"],
        io_dtype=";".join(f"{name}={dtype}" for name, dtype in given["io_dtype"]) or None,
        **{name: given[name] for name in QUANTIZATION},
        **module.options,
        **interface.options,
    )
    source = module.model(model)
    check_request(source, options, [])
    from nhwcc.check import check_model, shortfall
    from nhwcc.render_placement import placement_dict, render_placement

    found = check_model(source, given["target"], options)
    required: float | None = given["require"]
    is_short = required is not None and found.share("operators") < required
    if not given["as_json"]:
        echo(render_placement(found, style, ops=given["ops"]))
    elif not is_short:
        print_json({"ok": True, "report": placement_dict(found), "diagnostics": []})
    if required is not None and is_short:
        raise shortfall(found, required)

"""The command ``nhwcc doctor``: what is installed, and what is missing for which task."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import click

from nhwcc import __version__
from nhwcc.cli.edge import DIAGNOSED, echo, print_json, style
from nhwcc.cli.flags import common

if TYPE_CHECKING:
    from nhwcc.doctor import Finding


@click.command("doctor", short_help="Show what is installed, and what for.")
@common
@click.pass_context
def doctor_command(ctx: click.Context, **given: Any) -> None:
    """Show what is installed, and what each library is for; exit code 1 if something needed is missing."""
    from nhwcc.doctor import examine

    found = list(examine())
    broken = [f for f in found if f.is_broken]
    if given["as_json"]:
        report = {"version": __version__, "findings": [asdict(f) for f in found]}
        print_json({"ok": not broken, "report": report, "diagnostics": []})
    else:
        echo(f"{style('nhwcc', 'strong')} {__version__}")
        for f in found:
            echo(_line(f))
    if broken:
        ctx.exit(DIAGNOSED)


def _line(found: Finding) -> str:
    if found.is_broken:
        mark = style(found.problem, "bad")
    elif found.problem:
        how = f"pip install 'nhwcc[{found.extra}]'" if " " not in found.extra else found.extra
        mark = style(f"{found.problem} ({how})", "warning")
    else:
        mark = style(found.version, "good")
    return f"  {found.name:<16} {mark}  {style(found.purpose, 'quiet')}"

"""The command ``nhwcc passes``: all passes, or one with its options."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import click

from nhwcc.cli.edge import echo, print_json, style
from nhwcc.cli.flags import common, complete_pass, load_option


@click.command("passes", short_help="List the passes, or explain one.")
@click.argument("name", required=False, shell_complete=complete_pass)
@load_option
@common
def passes_command(name: str | None, **given: Any) -> None:
    """List all passes, or explain the pass NAME with its options."""
    from nhwcc.catalogue import all_passes, find_pass
    from nhwcc.pipelines import register_passes

    register_passes(given["load"])
    found = all_passes() if name is None else [find_pass(name)]
    if given["as_json"]:
        print_json({"ok": True, "report": {"passes": [asdict(p) for p in found]}, "diagnostics": []})
    elif name is None:
        width = max(len(p.name) for p in found)
        echo("\n".join(f"{style(f'{p.name:<{width}}', 'strong')}  {p.summary}" for p in found))
    else:
        (only,) = found
        options = [f"  {o.name}: {o.type}" + (f" = {o.default}" if o.default else " (required)") for o in only.options]
        echo("\n".join([style(only.name, "strong"), "", only.text, *(["", "options:", *options] if options else [])]))

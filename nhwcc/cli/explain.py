"""The command ``nhwcc explain``: cause and remedy of an error code."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import click
from click.shell_completion import CompletionItem

from nhwcc.cli.edge import echo, print_json, style
from nhwcc.cli.flags import common
from nhwcc.compiler.codes import CODES, FAMILIES
from nhwcc.compiler.diagnostics import did_you_mean


def _code(ctx: click.Context, param: click.Parameter, value: str) -> str:
    """Accept lower case, and ``error[T001]`` as it was printed."""
    code = value.rpartition("[")[2].rstrip("]:").upper()
    if code not in CODES:
        help = did_you_mean(code, CODES) or "docs/errors.md lists them"
        raise click.BadParameter(f"there is no code {value!r}; {help}", ctx, param)
    return code


def _complete(_ctx: click.Context, _param: click.Parameter, incomplete: str) -> list[CompletionItem]:
    return [CompletionItem(c, help=e.title) for c, e in CODES.items() if c.startswith(incomplete.upper())]


@click.command("explain", short_help="Explain the code of a diagnostic.")
@click.argument("code", callback=_code, shell_complete=_complete)
@common
def explain_command(code: str, **given: Any) -> None:
    """Explain the CODE of a diagnostic: when it arises, and what can be done."""
    entry = CODES[code]
    if given["as_json"]:
        print_json({"ok": True, "report": {"code": code, **asdict(entry)}, "diagnostics": []})
        return
    echo(f"{style(code, 'strong')}: {entry.title}  {style(f'({FAMILIES[code[0]]})', 'quiet')}")
    echo(f"\n{entry.cause}\n{entry.remedy}")

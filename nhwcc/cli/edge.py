"""The edge: errors become messages and exit codes, and only here everything is caught."""

from __future__ import annotations

import json
import os
import re
import traceback
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any, NoReturn

import click

from nhwcc.cli.usage import check_habits, command_meant, diagnose, wrong
from nhwcc.compiler.budget import limited
from nhwcc.compiler.diagnostics import CompileError, Diagnostic
from nhwcc.compiler.plugins import blaming
from nhwcc.compiler.visible import visible_lines

DIAGNOSED, NUMBERS_DIFFER, NOTHING_PROVEN, INTERRUPTED = 1, 3, 4, 130
"""Exit codes; click's own for a wrong command line is 2."""

WRONG_NUMBERS = {"R020", "R021"}
"""Codes that say that something was computed wrongly."""

_COLOUR = re.compile(r"(\x1b\[[0-9;]*m)")
"""What :func:`style` puts around a text."""

COLOURS: dict[str, dict[str, Any]] = {
    "good": {"fg": "green"},
    "bad": {"fg": "red", "bold": True},
    "warning": {"fg": "yellow"},
    "quiet": {"dim": True},
    "strong": {"bold": True},
}


class Edge(click.Group):
    """A group of commands that ends with the exit codes of nhwcc."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """List commands in the order in which they were added."""
        return list(self.commands)

    def make_context(
        self, info_name: str | None, args: list[str], parent: click.Context | None = None, **extra: Any
    ) -> click.Context:
        """Read the options before the command; remember the whole command line for what is said of it."""
        given = list(args)
        try:
            context = super().make_context(info_name, args, parent, **extra)
        except click.UsageError as bad:
            _not_understood(bad, given, as_json="--json" in given)
            raise click.exceptions.Exit(bad.exit_code) from bad
        context.meta["nhwcc.args"] = given
        return context

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the command; if it does not exist, suggest the one that was probably meant."""
        if args and not args[0].startswith("-") and self.get_command(ctx, args[0]) is None:
            raise wrong(f"there is no command {args[0]!r}", ctx, help=command_meant(args[0], self.commands))
        check_habits(args, ctx)
        return super().resolve_command(ctx, args)

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command; errors become a message and an exit code."""
        try:
            with limited(), blaming():
                return super().invoke(ctx)
        except CompileError as bad:
            _show_trace(ctx)
            report_diagnostics(ctx, bad.diagnostics, getattr(bad, "__notes__", ()))
            wrong = any(d.code in WRONG_NUMBERS for d in bad.diagnostics)
            ctx.exit(NUMBERS_DIFFER if wrong else DIAGNOSED)
        except KeyboardInterrupt:
            echo("interrupted", err=True)
            ctx.exit(INTERRUPTED)
        except click.ClickException as bad:
            given = ctx.meta["nhwcc.args"]
            _not_understood(bad, given, as_json="--json" in given)
            ctx.exit(bad.exit_code)
        except (click.exceptions.Exit, click.Abort, BrokenPipeError):
            raise
        except Exception as bad:  # noqa: BLE001 -- whatever it is, it is a defect, and this is the edge
            _end(ctx, bad, "I000", f"{type(bad).__name__}: {bad}", DEFECT)


DEFECT = "this is a defect of nhwcc; please report it with what --backtrace prints, and the model or its --dump-ir"


def _end(ctx: click.Context, bad: Exception, code: str, text: str, help: str) -> NoReturn:
    """Report what no part of nhwcc says of itself."""
    _show_trace(ctx)
    report_diagnostics(ctx, [Diagnostic("error", code, text, help=help)], getattr(bad, "__notes__", ()))
    ctx.exit(DIAGNOSED)


def _not_understood(bad: click.ClickException, args: Sequence[str], *, as_json: bool) -> None:
    """Report a wrong command line; one without a command gets the help."""
    if isinstance(bad, click.exceptions.NoArgsIsHelpError):
        bad.show()
        return
    _show([diagnose(bad, args)], as_json=as_json)


def report_diagnostics(ctx: click.Context, diagnostics: Sequence[Diagnostic], notes: Sequence[str]) -> None:
    """Show diagnostics as text on standard error, or as JSON on standard output if that was asked for."""
    if diagnostics:
        diagnostics[-1].notes.extend(notes)
    said: list[str] = ctx.meta.get("nhwcc.args", [])
    _show(diagnostics, as_json=ctx.meta.get("nhwcc.json", False) or "--json" in said)


def _show(diagnostics: Sequence[Diagnostic], *, as_json: bool) -> None:
    from nhwcc.messages import render_diagnostic

    if as_json:
        print_json({"ok": False, "report": None, "diagnostics": [asdict(d) for d in diagnostics]})
    else:
        echo("\n\n".join(render_diagnostic(d, style) for d in diagnostics), err=True)


def _show_trace(ctx: click.Context) -> None:
    if ctx.meta.get("nhwcc.backtrace"):
        echo(traceback.format_exc(), err=True)


def style(text: str, tone: str) -> str:
    """Colour a string; :func:`echo` removes the colours where the output is no terminal."""
    return click.style(text, **COLOURS[tone])


def echo(text: str, *, err: bool = False, nl: bool = True) -> None:
    """Print, in colours on a terminal unless NO_COLOR is set; of what steers a terminal, only colours pass."""
    parts = _COLOUR.split(text)
    shown = "".join(part if i % 2 else visible_lines(part) for i, part in enumerate(parts))
    click.echo(shown, err=err, nl=nl, color=False if os.environ.get("NO_COLOR") else None)


def print_json(value: dict[str, Any]) -> None:
    """Print data as one JSON object on standard output."""
    click.echo(json.dumps(value, indent=2, allow_nan=False))

"""docs/cli.md: every command with its options."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields

import click

from nhwcc.cli import EXIT_CODES, cli
from nhwcc.cli.flags import PassFlags
from pages.markdown import code, page, prose, table

INTRO = """`nhwcc` and `python -m nhwcc` are the same. Messages go to standard error, results to standard output; with
`--json` both become one JSON object on standard output, `{"ok": ..., "report": ..., "diagnostics": [...]}`. With
`--backtrace`, or `NHWCC_BACKTRACE=1`, an error shows where in nhwcc it arises."""

EXAMPLES = """nhwcc compile model.onnx -o model.tflite                        # compile, verify, report
nhwcc compile model.onnx -o model.tflite --shape x=1,3,320,320  # fix the shape of an input
nhwcc compile model.onnx -o model.tflite --io-layout keep       # inputs and outputs as in the source
nhwcc compile model.onnx -o model.tflite --check-each           # which pass changed a number?
nhwcc compile model.onnx --report model.html                    # the network before and after, in a browser
nhwcc verify model.onnx model.tflite --per-op                   # compare, tensor by tensor
nhwcc inspect model.tflite --draw model.svg                     # what is in it, and a drawing
nhwcc bench model.tflite --shape x=1,320,320,3                  # how fast it runs, operator by operator"""

FILES = """An output file appears whole or not at all: a temporary file beside it is written, loaded by the target's
runtime and compared with the source's own runtime; if all of that succeeds, it is renamed. The model itself is never
changed. If numbers differ, `--no-verify` writes the file nevertheless."""

COMPLETION = (
    "To complete commands, options, passes and codes with the Tab key, put a line into your shell's startup file:"
)

SCRIPTS = """eval "$(_NHWCC_COMPLETE=bash_source nhwcc)"    # bash
eval "$(_NHWCC_COMPLETE=zsh_source nhwcc)"     # zsh
_NHWCC_COMPLETE=fish_source nhwcc | source     # fish"""

DIAGNOSTIC = """error[T001]: 3 input channels, but the filter takes 5 in each of 1 groups
  --> m.onnx: node "/stem/Conv"
   | %0 = conv(%x, %w, none) {strides = [1, 1], dilations = [1, 1], pads = [[1, 1], [1, 1]]}
   = note: %x is f32[1,3,8,8]
   = note: %w is f32[4,5,3,3]"""

MESSAGES = """A message says what is wrong, where (the node of the model), with which operation, and often what to do.
It is explained by `nhwcc explain T001` and in [errors.md](errors.md). Colours are used on
terminals only, and not if `NO_COLOR` is set."""

SHARED = ("compile", "opt")
"""Commands that run passes."""

EVERYWHERE = {"--help", "--json", "--backtrace"}
"""Options of all commands."""

PASS_FLAGS = {field.name for field in fields(PassFlags)}


def commands() -> str:
    """Print the page."""
    sections = [_section(name, command) for name, command in _commands()]
    return page(
        "The command line",
        INTRO,
        code(EXAMPLES, "sh"),
        FILES,
        " ".join(EXIT_CODES.split()),
        "## Messages",
        code(DIAGNOSTIC),
        MESSAGES,
        "## Completion",
        COMPLETION,
        code(SCRIPTS, "sh"),
        *sections,
        "## Flags about passes",
        f"For {' and '.join(f'`nhwcc {name}`' for name in SHARED)}; [passes.md](passes.md) describes the passes.",
        _table(cli.commands[SHARED[0]], of_passes=True),
    )


def _commands() -> Iterator[tuple[str, click.Command]]:
    """Yield all commands, those of groups with both names."""
    for name, command in cli.commands.items():
        if isinstance(command, click.Group):
            yield from ((f"{name} {inner}", found) for inner, found in command.commands.items())
        else:
            yield name, command


def _section(name: str, command: click.Command) -> str:
    context = click.Context(command, info_name=f"nhwcc {name}")
    usage = " ".join([context.info_name or "", *command.collect_usage_pieces(context)])
    text = prose(" ".join((command.help or "").replace("\n\n", " ¶ ").split()).replace("¶ ", "\n\n"))
    more = "And the [flags about passes](#flags-about-passes)." if name in SHARED else ""
    parts = (f"## nhwcc {name}", code(usage), text, _table(command, of_passes=False), more)
    return "\n\n".join(part for part in parts if part)


def _table(command: click.Command, *, of_passes: bool) -> str:
    """List the options about passes, or the others."""
    context = click.Context(command)
    rows: list[tuple[str, str]] = []
    for parameter in command.get_params(context):
        record = parameter.get_help_record(context)
        is_told = isinstance(parameter, click.Option) and not EVERYWHERE & {*parameter.opts}
        is_shared = command.name in SHARED and parameter.name in PASS_FLAGS
        if record is not None and is_told and is_shared == of_passes:
            rows.append((f"`{record[0]}`", " ".join(record[1].split())))
    return table(("option", "meaning"), rows)

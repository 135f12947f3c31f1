"""A command line that is not understood: what is wrong with it, and what was probably meant."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import click

from nhwcc.compiler.diagnostics import Diagnostic, did_you_mean

NOT_UNDERSTOOD = "L011"
"""The code of all that the command line itself is wrong about."""

COMMANDS = {
    "compile": ("convert", "export", "build", "translate", "transform", "conv"),
    "inspect": ("info", "show", "summary", "print", "view", "visualize", "draw", "stat", "stats", "dump", "ls"),
    "verify": ("compare", "test", "validate", "diff", "run", "eval"),
    "reduce": ("bisect", "minimize", "creduce"),
    "opt": ("optimize", "optimise", "simplify"),
    "--version": ("version",),
    "--help": ("help",),
}
"""Commands, and what others call them."""

_OUTPUT = "the output is given with -o FILE.tflite"
_MODEL = "the model is given without an option: nhwcc compile MODEL -o FILE.tflite"
_SHAPE = "shapes are given by input: --shape x=1,3,224,224, or by named size: --shape batch=1"
_LAYOUT = "--io-layout says how inputs and outputs lie: keep, nhwc, or by name x=nchw"
_QUANTIZE = "nhwcc compile --quantize int8 --data FOLDER quantizes; docs/quantization.md lists the other modes"
_FREE = "is not needed: transposes are removed wherever that is possible, and numbers are compared"

OPTIONS = {
    _MODEL: (
        "-i", "--input", "--input-file", "--input-model", "--input-onnx-file-path", "--model", "--model-path",
        "--model-file", "--onnx", "--saved-model-dir", "--saved-model", "--keras-model-file", "--graph-def-file",
        "--graphdef", "--source",
    ),
    _OUTPUT: (
        "--output-file", "--output-folder-path", "--output-path", "--output-dir", "--output-model", "--out", "-of",
        "--model-output-path", "--out-file", "--dst", "--tflite", "-d",
    ),
    _SHAPE: (
        "-s", "--input-shape", "--input-shapes", "--overwrite-input-shape", "-ois", "--batch-size", "-b", "--batch",
        "--shape-hints", "--fixed-shape", "--dynamic-shape",
    ),
    _LAYOUT: (
        "--layout", "--input-layout", "--output-layout", "--nchw", "--nhwc", "--keep-nchw", "-kat", "-k", "-kt",
        "--keep-shape-absolutely-input-names", "--keep-ncw-or-nchw-or-ncdhw-input-names", "--data-layout",
        "--inputs-as-nchw", "--outputs-as-nchw", "--channels-last", "--channels-first", "--to-channel-last-io",
        "--keep-nwc-or-nhwc-or-ndhwc-input-names",
    ),
    _QUANTIZE: (
        "-oiqt", "--output-integer-quantized-tflite", "--quantize", "--quant", "--int8", "--fp16", "--float16",
        "--quant-type", "--post-training-quantize", "--inference-type", "--inference-input-type", "-odrqt", "--std",
        "--output-float16-quant-tflite", "--output-weight-quant-tflite", "--output-dynamic-range-quantized-tflite",
        "--custom-input-op-name-np-data-path", "-cind", "--mean-values", "--std-dev-values", "--optimizations",
        "--half", "--dtype", "--precision",
    ),
    "--inputs A,B starts at tensors inside of the model": (
        "--input-arrays", "-inimc", "--input-names-to-interrupt-model-conversion",
    ),
    "--outputs A,B ends at tensors inside of the model": (
        "--output-arrays", "-onimc", "--output-names-to-interrupt-model-conversion",
    ),
    "--no-verify writes the file without comparing numbers": ("--no-check", "--skip-check", "--skip-verify", "-n"),
    "numbers are compared anyway; --per-op of nhwcc verify compares tensors inside": (
        "-cotof", "-coto", "--check-onnx-tf-outputs-elementwise-close-full", "--check", "--validate",
        "--check-onnx-tf-outputs-elementwise-close", "--check-model",
    ),
    "--tolerance sets the error that is allowed": ("--atol", "--rtol", "-cotoa", "-cotor", "--eps", "--tol"),
    "--allow-custom-ops keeps unknown operators": ("--allow-custom-op", "--enable-custom-ops"),
    "--op-library FILE.py loads operators of your own": ("--custom-ops", "--custom-opdefs", "--plugin", "--extension"),
    "--verbose says what passes did and how long they took": ("--debug", "--verbosity", "--log-level"),
    "--quiet prints nothing when all is well": ("--silent", "-w", "--non-verbose", "--no-verbose"),
    "an existing file is replaced anyway": ("-f", "--force", "-y", "--yes", "--overwrite"),
    f"it {_FREE}": (
        "-prf", "--param-replacement-file", "--simplify", "-osd", "--output-signaturedefs", "-nuo", "--optimize",
        "--not-use-onnxsim", "--optimization", "-o3", "-O3", "-O2", "-O1", "--onnxsim", "-onwdt", "-dgc",
        "--enable-select-tf-ops", "--enable-v1-converter",
    ),
    "nhwcc explain CODE explains the code of a message": ("--explain-code",),
    "nhwcc inspect FILE --draw FILE.svg draws a model": ("--draw-graph", "--plot", "--visualize"),
}  # fmt: skip
"""What other converters call their options, by what says the same here."""

HABITS = {option: advice for advice, options in OPTIONS.items() for option in options}


def check_habits(args: Sequence[str], ctx: click.Context) -> None:
    """Refuse what would be read as an output's name, but is an option of others: -oiqt is not -o iqt.

    Raises:
        click.NoSuchOption: there is one.
    """
    for word in args:
        if word.startswith("-o") and word != "-o" and word in HABITS:
            raise click.NoSuchOption(word, ctx=ctx)


def diagnose(bad: click.ClickException, args: Sequence[str]) -> Diagnostic:
    """Say what is wrong with a command line, ``args``, and how it should be."""
    context = bad.ctx if isinstance(bad, click.UsageError) else None
    text, help = _said(bad, context, list(args))
    if help is None and context is not None:
        help = f"{context.command_path} --help shows how it is used"
    return Diagnostic("error", NOT_UNDERSTOOD, text, help=help)


def _said(bad: click.ClickException, context: click.Context | None, args: list[str]) -> tuple[str, str | None]:
    if isinstance(bad, click.NoSuchOption):
        return f"there is no option {bad.option_name}", context and _option_meant(bad, context)
    if isinstance(bad, click.MissingParameter):
        return _missing(bad.param.human_readable_name if bad.param is not None else "", context)
    if isinstance(bad, click.BadParameter):
        name = bad.param.get_error_hint(context) if bad.param is not None and context is not None else ""
        message = bad.message.rstrip(".")
        return (f"{name.strip(chr(39))}: {message}" if name and "--" in name else message), _help_of(bad)
    if context is not None and "unexpected extra argument" in bad.message:
        given, extra = _positional(context, args)
        return f"{' '.join(extra)!r} is one argument too many", _extra_meant(context, given, extra)
    return _plainly(bad.message), _help_of(bad)


def _plainly(text: str) -> str:
    text = text.rstrip(".")
    return text[:1].lower() + text[1:] if text[:2] != text[:2].upper() else text


def _help_of(bad: click.ClickException) -> str | None:
    return getattr(bad, "help", None)


def wrong(text: str, ctx: click.Context | None = None, *, help: str | None = None) -> click.UsageError:
    """Build the error for a command line that says something impossible, with a way out."""
    bad = click.UsageError(text, ctx)
    vars(bad)["help"] = help
    return bad


def command_meant(word: str, known: Iterable[str]) -> str:
    """Return advice for a command that does not exist."""
    suffix = Path(word).suffix.lower()
    if suffix == ".tflite":
        return f"did you mean: nhwcc inspect {word}?"
    if suffix or "/" in word or Path(word).exists():
        return f"did you mean: nhwcc compile {word} -o {Path(word).with_suffix('.tflite').name}?"
    other = next((name for name, words in COMMANDS.items() if word.lower() in words), None)
    if other is not None:
        return f"did you mean {other!r}?"
    return did_you_mean(word.lower(), known) or "nhwcc --help lists them"


def _option_meant(bad: click.NoSuchOption, context: click.Context) -> str | None:
    name = bad.option_name
    spelled = name.replace("_", "-").lower()
    own = dict(_options_of(context))
    if spelled in own:
        return f"did you mean {spelled!r}?"
    elsewhere = [c for c, options in _everywhere(context) if spelled in options]
    if elsewhere and context.parent is None:
        return f"options stand behind the command: nhwcc {elsewhere[0]} ... {spelled}"
    advice = HABITS.get(spelled) or HABITS.get(name)
    if advice is not None:
        return advice
    if elsewhere:
        *others, last = (f"nhwcc {c}" for c in elsewhere)
        return f"{', '.join(others)} and {last} have it" if others else f"{last} has it"
    return did_you_mean(spelled, own)


def _options_of(context: click.Context) -> Iterator[tuple[str, click.Parameter]]:
    for parameter in context.command.get_params(context):
        for name in (*parameter.opts, *parameter.secondary_opts):
            if name.startswith("-"):
                yield name, parameter


def _everywhere(context: click.Context) -> Iterator[tuple[str, set[str]]]:
    """The options of all commands."""
    root = context.find_root()
    assert isinstance(root.command, click.Group)
    for name, command in root.command.commands.items():
        yield name, {option for option, _ in _options_of(click.Context(command))}


def _positional(context: click.Context, args: list[str]) -> tuple[dict[str, Any], list[str]]:
    """Return what parameters were given, and the arguments that are none of them."""
    name = context.info_name or ""
    own = args[args.index(name) + 1 :] if name in args else args
    try:
        given, extra, _ = context.command.make_parser(context).parse_args(list(own))
    except click.UsageError:
        return {}, []
    return given, extra


def _missing(name: str, context: click.Context | None) -> tuple[str, str | None]:
    if name == "output":
        return "no output is given", "add -o FILE"
    if name == "target":
        return "no device is given", "add --target tflite-gpu, or another one; nhwcc verify compares two models"
    path = context.command_path if context is not None else "nhwcc"
    return f"{path} needs {'an' if name[:1].lower() in 'aeiou' else 'a'} {name.upper()}", None


def _extra_meant(context: click.Context, given: dict[str, Any], extra: list[str]) -> str | None:
    first = extra[0]
    options = dict(_options_of(context))
    if first.endswith(".tflite") and "--output" in options and not (given.get("output") or given.get("written")):
        return f"did you mean: -o {first}?"
    if all(word.strip(",").isdigit() for word in extra):
        return "lists are written without spaces: --shape x=1,3,224,224"
    if "=" in first and "--shape" in options:
        return f"an option takes one value and is repeated for others: --shape x=1,3,224,224 --shape {first}"
    takes_one = any(isinstance(p, click.Argument) for p in context.command.params)
    if Path(first).suffix and takes_one and context.info_name != "verify":
        return f"{context.command_path} takes one model; for others run it again"
    return None

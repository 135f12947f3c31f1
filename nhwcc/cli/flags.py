"""Flags that several commands share, and what they make of them."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Container, Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click
from click.shell_completion import CompletionItem

from nhwcc.cli.edge import echo
from nhwcc.compiler.budget import Budget, in_bytes, limited, parse_bytes

if TYPE_CHECKING:
    from nhwcc.instruments import Instrument
    from nhwcc.verification import Settings

F = TypeVar("F", bound=Callable[..., Any])

MODEL = click.Path(path_type=Path, readable=False)
"""A model's file; what is wrong with it is told by what reads it, so that there is one kind of message."""


FILE = click.Path(path_type=Path, readable=False)
"""Any other file, likewise."""

OUTPUT = click.Path(readable=False)
"""What is to be written: as it is typed, since a slash at the end says that it is a folder."""


def shapes(ctx: click.Context, param: click.Parameter, value: Sequence[str]) -> dict[str, str] | None:
    """Read ``NAME=1,3,320,320`` or ``NAME=i64:1,length``; a word names a size that stays open."""
    from nhwcc.shapes import read_shape

    found: dict[str, str] = {}
    for text in value:
        name, equals, shape = text.rpartition("=")
        if not name:
            before, colon, after = text.partition(":")
            meant = f"{before}={after}" if colon and not equals else f"NAME={shape.strip() or '1,3,320,320'}"
            raise click.BadParameter(f"{text!r} does not say which input; write {meant}", ctx, param)
        try:
            read_shape(shape)
        except ValueError as bad:
            raise click.BadParameter(f"{name}: {bad}", ctx, param) from bad
        once(ctx, param, name, found)
        found[name] = shape
    return found or None


def once(ctx: click.Context, param: click.Parameter, name: str, found: Container[str]) -> None:
    """Refuse a name that is given twice.

    Raises:
        click.BadParameter: it is.
    """
    if name in found:
        what = f"{name!r} is given twice" if name else "two are given without a name"
        raise click.BadParameter(f"{what}; give it once", ctx, param)


def named(ctx: click.Context, param: click.Parameter, value: Sequence[str]) -> list[tuple[str, str]]:
    """Read ``VALUE`` or ``NAME=VALUE``; a file whose name has a = is found nevertheless."""
    pairs = [("", "", text) if Path(text).exists() else text.rpartition("=") for text in value]
    given: list[str] = []
    for name, _, _text in pairs:
        if name:
            once(ctx, param, name, given)
        given.append(name)
    return [(name, text) for name, _, text in pairs]


def placed(_ctx: click.Context, _param: click.Parameter, values: Sequence[str]) -> dict[str, str]:
    """Read ``PASS=PIPELINE``; several for one pass follow each other."""
    out: dict[str, str] = {}
    for text in values:
        name, equals, pipeline = text.partition("=")
        if not equals or not name.strip() or not pipeline.strip():
            raise click.BadParameter(f"{text!r} is not of the form PASS=PIPELINE, such as 'legalize=my-pass'")
        out[name.strip()] = ",".join(filter(None, (out.get(name.strip()), pipeline)))
    return out


def complete_pass(_ctx: click.Context, _param: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Complete the name of a pass, as the shell asks for it."""
    return [CompletionItem(name) for name in pass_names() if name.startswith(incomplete)]


def pass_names() -> list[str]:
    """Return the names of all registered passes, for messages and completion."""
    from nhwcc.compiler.pipeline import PASSES
    from nhwcc.pipelines import register_passes

    register_passes()
    return sorted(PASSES)


def names(ctx: click.Context, param: click.Parameter, value: Sequence[str]) -> list[str] | None:
    """Split ``a,b`` given once or several times; None if it was not given."""
    found = [part.strip() for text in value for part in text.split(",")]
    if not all(found):
        raise click.BadParameter(f"{','.join(value)!r} leaves out a name; write A,B", ctx, param)
    return found or None


def _remember(key: str) -> Callable[[click.Context, click.Parameter, bool], bool]:
    def callback(ctx: click.Context, _param: click.Parameter, value: bool) -> bool:
        ctx.meta[key] = ctx.meta.get(key) or value
        return value

    return callback


def common(command: F) -> F:
    """Add what every command has: --json and --backtrace."""
    command = click.option(
        "--json", "as_json", is_flag=True, callback=_remember("nhwcc.json"), is_eager=True, help="Print JSON."
    )(command)
    return click.option(
        "--backtrace",
        is_flag=True,
        expose_value=False,
        is_eager=True,
        envvar="NHWCC_BACKTRACE",
        callback=_remember("nhwcc.backtrace"),
        help="Show where in nhwcc an error arises.",
    )(command)


def _bytes(ctx: click.Context, param: click.Parameter, value: str) -> int:
    """Read a number of bytes."""
    try:
        return parse_bytes(value)
    except ValueError:
        raise click.BadParameter(f"{value!r} is not a number of bytes; write 512MB or 16GB", ctx, param) from None


class Seconds(click.FloatRange):
    """A number of seconds: click takes a NaN for one that is in any range."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """Return the number.

        Raises:
            click.BadParameter: it is none, not finite, or out of range.
        """
        found: float = super().convert(value, param, ctx)
        if not math.isfinite(found):
            self.fail(f"{value!r} is not a number of seconds", param, ctx)
        return found


_LIMITS = Budget()
_BUDGET_OPTIONS: list[Callable[[Any], Any]] = [
    click.option(
        "--max-memory",
        callback=_bytes,
        metavar="SIZE",
        default=in_bytes(_LIMITS.memory),
        show_default=True,
        help="The most memory for one tensor, for one run of the network, and for an expanded archive.",
    ),
    click.option(
        "--max-growth",
        callback=_bytes,
        metavar="SIZE",
        default=in_bytes(_LIMITS.growth),
        show_default=True,
        help="The most memory for constants that are not stored in the model but computed from it.",
    ),
    click.option(
        "--max-seconds",
        type=Seconds(min=0, min_open=True),
        default=_LIMITS.seconds,
        show_default=True,
        help="The most time for verification, in seconds.",
    ),
]


def budget_flags(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add the flags about what a model may cost; they hold while the command runs."""

    @functools.wraps(command)
    def wrapper(*, max_memory: int, max_growth: int, max_seconds: float, **given: Any) -> Any:
        with limited(Budget(max_memory, max_growth, max_seconds)):
            return command(**given)

    out: Callable[..., Any] = wrapper
    for option in reversed(_BUDGET_OPTIONS):
        out = option(out)
    return out


@dataclass(frozen=True)
class PassFlags:
    """The values of the flags about passes, as the command line gives them."""

    passes: str | None
    disable_pass: tuple[str, ...]
    before: dict[str, str]
    after: dict[str, str]
    load: tuple[str, ...]
    rules: tuple[str, ...]
    print_ir_before: tuple[str, ...]
    print_ir_after: tuple[str, ...]
    print_ir_after_all: bool
    dump_ir: Path | None
    dump_graph: Path | None
    verify_each: bool
    check_each: bool
    time_passes: bool
    explain: bool
    verbose: bool

    @property
    def prints(self) -> bool:
        """Whether some flag asks for the IR on standard error."""
        return bool(self.print_ir_before or self.print_ir_after or self.print_ir_after_all)

    def instruments(self, settings: Settings) -> list[Instrument]:
        """Return the instruments that the flags ask for, such as printing the IR."""
        from nhwcc.check_each import CheckEach
        from nhwcc.dumps import DumpGraph, DumpIr
        from nhwcc.instruments import PrintIr, VerifyEach

        found: list[Instrument] = []
        if self.dump_ir is not None:
            found.append(DumpIr(self.dump_ir))
        if self.dump_graph is not None:
            found.append(DumpGraph(self.dump_graph))
        if self.prints:
            before, after = self.print_ir_before, self.print_ir_after
            found.append(PrintIr(_to_stderr, before=before, after=after, every=self.print_ir_after_all))
        found += [VerifyEach()] if self.verify_each else []
        found += [CheckEach(settings)] if self.check_each else []
        return found


def _to_stderr(text: str) -> None:
    echo(text, err=True)


def load_files(_ctx: click.Context, _param: click.Parameter, paths: tuple[str, ...]) -> tuple[str, ...]:
    """Load files at once: they may bring what reads a model, or what it is written for."""
    if paths:
        from nhwcc.compiler.plugins import blaming
        from nhwcc.pipelines import register_passes

        with blaming():
            register_passes(paths)
    return paths


load_option = click.option(
    "--op-library",
    "--load",
    "load",
    multiple=True,
    is_eager=True,
    callback=load_files,
    type=click.Path(readable=False),
    help="Load operators, passes, targets or sources from a Python file.",
)
_PASS: dict[str, Any] = {"multiple": True, "metavar": "PASS", "shell_complete": complete_pass}
_FOLDER = click.Path(file_okay=False, path_type=Path)
_PASS_OPTIONS: list[Callable[[Any], Any]] = [
    click.option("--passes", metavar="PIPELINE", help="Run this pipeline, such as 'a,default,b{option=1}', instead."),
    click.option("--disable-pass", **_PASS, help="Do not run this pass."),
    click.option(
        "--before",
        multiple=True,
        callback=placed,
        metavar="PASS=PIPELINE",
        help="Also run a pipeline before PASS, each time it runs.",
    ),
    click.option(
        "--after",
        multiple=True,
        callback=placed,
        metavar="PASS=PIPELINE",
        help="Also run a pipeline after PASS, each time it runs.",
    ),
    load_option,
    click.option(
        "--rules",
        multiple=True,
        metavar="[PLACE=]FILE",
        help="Apply the rewrite rules of a file, before all passes; or before:PASS=FILE, after:PASS=FILE.",
    ),
    click.option("--print-ir-before", **_PASS, help="Print the IR before a pass."),
    click.option("--print-ir-after", **_PASS, help="Print the IR after a pass."),
    click.option("--print-ir-after-all", is_flag=True, help="Print the IR after every pass."),
    click.option("--dump-ir", type=_FOLDER, help="Write the IR after every pass, with its weights."),
    click.option("--dump-graph", type=_FOLDER, help="Draw the network after every pass (.dot and .svg)."),
    click.option("--verify-each", is_flag=True, help="Check that the IR is well-formed after every pass."),
    click.option(
        "--check-each", is_flag=True, help="Run the IR after every pass; find the pass that changes a number."
    ),
    click.option("--time-passes", is_flag=True, help="Show how long each pass takes."),
    click.option("--explain", is_flag=True, help="Show which rules fired, which nearly did or never did, and why not."),
    click.option("-v", "--verbose", is_flag=True, help="The same as --explain and --time-passes together."),
]


def pass_flags(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add the flags about passes; the command gets them as one argument, ``flags``."""

    @functools.wraps(command)
    def wrapper(**given: Any) -> Any:
        said: dict[str, Any] = {f.name: given.pop(f.name) for f in fields(PassFlags)}
        said |= dict.fromkeys(("time_passes", "explain"), True) if said["verbose"] else {}
        return command(flags=PassFlags(**said), **given)

    out: Callable[..., Any] = wrapper
    for option in reversed(_PASS_OPTIONS):
        out = option(out)
    return out


certificate_option = click.option(
    "--certificate",
    type=FILE,
    help="Write a certificate of the comparison, JSON: what was compared, the result, and the SHA-256 of "
    "all files. A second run writes the same bytes.",
)


explorer_option = click.option(
    "--model-explorer",
    type=_FOLDER,
    metavar="FOLDER",
    help="Write node data for Model Explorer, which shows it on a TFLite file: bytes, transposes, where "
    "operators run, how long.",
)


def data_of(pairs: Iterable[tuple[str, str]]) -> str | Mapping[str, str] | None:
    """Return what --data was given: one file, files by name, or nothing.

    Raises:
        click.UsageError: several files, not all of them with a name.
    """
    items = list(pairs)
    if not items:
        return None
    if len(items) == 1 and not items[0][0]:
        return items[0][1]
    if not all(name for name, _ in items):
        raise click.UsageError("of several files with data, each needs a name: --data NAME=FILE")
    return dict(items)


data_option = click.option(
    "--data",
    multiple=True,
    callback=named,
    metavar="[NAME=]FILE",
    help="Inputs to compare on (.npy, .npz). With --quantize: samples for calibration, also a folder of "
    "pictures or file.py:function, which yields arrays.",
)
custom_option = click.option(
    "--allow-custom-ops",
    is_flag=True,
    help="Keep unknown operators as custom operators; your application must bring their kernels.",
)
seed_option = click.option("--seed", default=0, show_default=True, help="Seed of random inputs.")

"""The command ``nhwcc bench``: how fast files run, beside each other."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from nhwcc.cli.edge import echo, print_json, style
from nhwcc.cli.flags import MODEL, Seconds, budget_flags, common, explorer_option, seed_option, shapes
from nhwcc.cli.progress import Progress

if TYPE_CHECKING:
    from nhwcc.bench import Interval, Timing

SHOWN = 12
"""Kinds of operators that are listed."""


@click.command("bench", short_help="Time .tflite files, operator by operator, or beside each other.")
@click.argument("files", metavar="FILE...", type=MODEL, nargs=-1, required=True)
@click.option(
    "--threads", type=click.IntRange(1), default=1, show_default=True, help="Number of threads that the runtime uses."
)
@click.option(
    "--rounds",
    type=click.IntRange(1),
    default=7,
    show_default=True,
    help="Number of rounds; in each, every file runs in a process of its own.",
)
@click.option(
    "--seconds",
    type=Seconds(0.0, 60.0),
    default=0.3,
    show_default=True,
    help="Seconds for which a file runs in each round.",
)
@click.option(
    "--shape",
    "sizes",
    multiple=True,
    callback=shapes,
    metavar="NAME=SHAPE",
    help="The shape of an input whose sizes are open: x=1,224,224,3, as the file has its axes.",
)
@explorer_option
@seed_option
@budget_flags
@common
def bench_command(files: tuple[Path, ...], **given: Any) -> None:
    """Measure how fast each FILE (.tflite) runs in the TFLite runtime here, and compare the others with the first one.

    Each round runs every file in a process of its own, in random order. Intervals are 95 % confidence intervals. With
    one thread, CPU time is measured, which other processes do not lengthen. The time of each operator is measured in a
    file that has only this operator.
    """
    from nhwcc.bench import Settings, bench
    from nhwcc.shapes import read_shape

    sizes: dict[str, str] = given["sizes"] or {}
    chosen = {name: _numbers(name, read_shape(text).shape) for name, text in sizes.items()}
    settings = Settings(given["rounds"], given["seconds"], given["threads"], chosen, given["seed"])
    with Progress(shown=not given["as_json"]) as progress:
        found = bench(files, settings, progress)
    explorer: Path | None = given["model_explorer"]
    if explorer is not None:
        from nhwcc.model_explorer import write_overlays

        for file, timing in zip(files, found, strict=True):
            write_overlays(file, explorer, milliseconds=timing.each)
    if given["as_json"]:
        print_json({"ok": True, "report": [asdict(timing) for timing in found], "diagnostics": []})
        return
    for number, timing in enumerate(found):
        echo(_render(timing, is_first=number == 0))


def _numbers(name: str, shape: tuple[int | str, ...]) -> list[int]:
    found = [d for d in shape if isinstance(d, int)]
    if len(found) != len(shape):
        raise click.BadParameter(f"{name}: a run needs numbers", param_hint="'--shape'")
    return found


def _render(timing: Timing, *, is_first: bool) -> str:
    from nhwcc.render import human_bytes

    t = timing
    lines = [f"{style(t.file, 'strong')}  {human_bytes(t.bytes)}"]
    lines.append(f"  run         {_interval(t.milliseconds, ' ms')}, loading {_interval(t.loading, ' ms')}")
    if not is_first:
        tone = "good" if t.faster.low > 1 else "bad" if t.faster.high < 1 else "quiet"
        word = "faster" if t.faster.low > 1 else "slower" if t.faster.high < 1 else "no difference beyond noise"
        lines.append(f"  beside      {style(_interval(t.faster, ' times as fast as the first'), tone)}: {word}")
    lines.append(f"  operators   {t.operators}, XNNPACK runs {t.delegated}")
    whole = sum(k.milliseconds for k in t.kinds) or 1.0
    for k in t.kinds[:SHOWN]:
        left = "" if k.delegated == k.count else f", XNNPACK runs {k.delegated}"
        time = f"{k.milliseconds:10.3f} ms {k.milliseconds / whole:6.1%}"
        untimed = f", {k.untimed} not timed alone" if k.untimed else ""
        lines.append(f"  {time}  {k.name} x {k.count}{left}{untimed}")
    return "\n".join(lines)


def _interval(found: Interval, unit: str) -> str:
    return f"{found.middle:.3g} [{found.low:.3g}, {found.high:.3g}]{unit}"

"""The command ``nhwcc zoo``: compiles and verifies many models from a list."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from nhwcc.cli.edge import DIAGNOSED, NUMBERS_DIFFER, echo, print_json, style
from nhwcc.cli.flags import FILE, common
from nhwcc.cli.progress import Progress

if TYPE_CHECKING:
    from nhwcc.zoo.run import Row


@click.group("zoo", short_help="Compile many models from a list.")
def zoo_command() -> None:
    """Compile many models from a list, on this machine or on a cluster."""


@zoo_command.command("run", short_help="Compile all models of a list that have changed.")
@click.argument("manifest", type=FILE)
@click.option(
    "--cache",
    type=click.Path(file_okay=False, path_type=Path),
    help="The folder for results; by default MANIFEST.cache.",
)
@click.option("--page", type=FILE, help="Write a page with all results and their history, HTML.")
@click.option(
    "--only", multiple=True, metavar="TEXT", help="Run only models whose name or target contains this string."
)
@click.option(
    "--workers",
    type=click.IntRange(min=1),
    default=1,
    show_default=True,
    help="Number of worker processes on this machine.",
)
@click.option("--scheduler", metavar="ADDRESS", help="Run on a cluster of Dask instead: tcp://HOST:8786.")
@click.option(
    "--retries",
    type=click.IntRange(min=1),
    default=1,
    show_default=True,
    help="How often a model is tried again if its worker dies.",
)
@click.option("-q", "--quiet", is_flag=True, help="Print only results that are not as expected.")
@common
def zoo_run_command(manifest: Path, **given: Any) -> None:
    """Compile all models that MANIFEST lists, and compare the results with those expected and those of the last run.

    A model is not compiled again if the model, its options and the compiler are as in an earlier run; so a run that was
    interrupted goes on.  Exit code 3: numbers differ; 1: something else is not as expected.
    """
    from nhwcc.files import save_text
    from nhwcc.request import check_writing
    from nhwcc.zoo.cluster import Machines
    from nhwcc.zoo.manifest import read_manifest, select
    from nhwcc.zoo.page import zoo_page
    from nhwcc.zoo.results import Cache
    from nhwcc.zoo.run import run_zoo

    if given["page"] is not None:
        check_writing(given["page"], "html", [manifest])
    tasks = select(read_manifest(manifest), given["only"])
    cache = Cache(given["cache"] or manifest.with_name(f"{manifest.name}.cache"))
    machines = Machines(given["workers"], given["scheduler"], given["retries"])
    with Progress(shown=not (given["quiet"] or given["as_json"])) as progress:
        rows = run_zoo(tasks, cache, machines, progress)
    if given["page"] is not None:
        save_text(given["page"], zoo_page(rows, cache.runs(), manifest.stem))
    missed = [row for row in rows if row.missed]
    if given["as_json"]:
        results = [asdict(r.result) | {"missed": r.missed, "change": r.change} for r in rows]
        print_json({"ok": not missed, "report": {"results": results}, "diagnostics": []})
    else:
        echo("\n".join(_table(missed if given["quiet"] else rows)))
    differ = any(row.result.status == "differs" for row in missed)
    click.get_current_context().exit(NUMBERS_DIFFER if differ else DIAGNOSED if missed else 0)


def _table(rows: Sequence[Row]) -> list[str]:
    """Return a line for every result."""
    from nhwcc.render import human_bytes

    width = max((len(row.task.title) for row in rows), default=0)
    lines: list[str] = []
    for row in rows:
        r = row.result
        tone = "good" if r.status == "ok" else "warning" if r.status == "not proven" else "bad"
        size = f"{r.operations:5} operations, {r.transposes:3} transposes, {human_bytes(r.bytes):>8}" if r.bytes else ""
        error = "" if r.error is None else f", error {r.error:.1e}"
        told = [style(row.missed, "bad") if row.missed else "", row.change, r.message if r.status != "ok" else ""]
        more = "  ".join(filter(None, told))
        lines.append(f"{row.task.title:<{width}}  {style(f'{r.status:<10}', tone)}  {size}{error}  {more}".rstrip())
    return lines

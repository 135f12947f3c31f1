"""The command ``nhwcc compile``: from a model to files of a target."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import asdict, fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args

import click

from nhwcc.cli.edge import echo, print_json, style
from nhwcc.cli.flags import (
    FILE,
    MODEL,
    OUTPUT,
    PassFlags,
    budget_flags,
    certificate_option,
    common,
    custom_option,
    data_of,
    data_option,
    explorer_option,
    named,
    pass_flags,
    seed_option,
)
from nhwcc.cli.interface import InterfaceFlags, interface_flags
from nhwcc.cli.module import ModuleFlags, module_flags
from nhwcc.cli.progress import Progress
from nhwcc.cli.quantization import QUANTIZATION, quantization_flags
from nhwcc.cli.unproven import accept_unproven_option, end, unproven
from nhwcc.compiler.diagnostics import explaining
from nhwcc.compiler.options import DataType, Goal, Strategy
from nhwcc.options import TOLERANCE, CompileOptions

if TYPE_CHECKING:
    from nhwcc.options import Model
    from nhwcc.report import Report


@click.command("compile", short_help="Compile a model, compare the numbers, write the file.")
@click.argument("model", type=MODEL, required=False)
@module_flags
@click.option(
    "-o",
    "--output",
    "written",
    multiple=True,
    type=OUTPUT,
    help="The file to write. Its suffix decides the format; a slash at the end means a folder: "
    "saved_model/, or web_model/ for TensorFlow.js. A model.mlpackage is a folder, too. May be given several times; "
    "the model is then read once. The default is the model's name with the target's suffix, in the current folder.",
)
@interface_flags
@custom_option
@click.option(
    "--io-layout",
    multiple=True,
    callback=named,
    metavar="[NAME=]LAYOUT",
    help="The layout of inputs and outputs: free (whatever needs the fewest transposes), keep (as in the "
    "source), nhwc, nchw, or by name x=nchw, x=0/2/1. The default is keep for ONNX and OpenVINO, free "
    "for other targets.",
)
@click.option(
    "--rnn",
    type=click.Choice(get_args(Strategy)),
    default="auto",
    show_default=True,
    help="How recurrent layers are compiled: unrolled step by step, as a while loop, or as one fused "
    "kernel if there is one; auto takes the fastest.",
)
@click.option(
    "--optimize",
    type=click.Choice(get_args(Goal)),
    default="balanced",
    show_default=True,
    help="balanced: replace operations by faster TFLite kernels if the file does not grow much; size: add "
    "no bytes for speed.",
)
@click.option(
    "--data-type",
    type=click.Choice(get_args(DataType)),
    help="How OpenVINO, TensorFlow.js and Core ML files store float constants: in 32 or in 16 bits. OpenVINO and "
    "TensorFlow.js compute in 32 bits either way, Core ML in those that are stored.",
)
@click.option("--target", help="The target; by default, the suffix of the output decides.")
@click.option(
    "--opset",
    type=int,
    help="The newest operator set version that the ONNX file may require; by default the lowest one that "
    "needs no operation to be decomposed.",
)
@click.option(
    "--variables", is_flag=True, help="Write the weights of a SavedModel as variables, which can be trained on."
)
@click.option("--verify/--no-verify", default=True, help="Compare the result with the source's own runtime.")
@click.option(
    "--tolerance",
    default=TOLERANCE,
    show_default=True,
    help="The largest error that is allowed, relative to the largest value of an output.",
)
@accept_unproven_option
@quantization_flags
@data_option
@seed_option
@pass_flags
@click.option("--report", type=FILE, help="Write a page about it, HTML: the network before and after, all tables.")
@certificate_option
@explorer_option
@click.option("-q", "--quiet", is_flag=True, help="Print nothing if there are no warnings and no errors.")
@budget_flags
@common
def compile_command(
    model: Path | None,
    written: tuple[str, ...],
    flags: PassFlags,
    module: ModuleFlags,
    interface: InterfaceFlags,
    **given: Any,
) -> None:
    """Compile MODEL (.onnx, .tflite, .pt2, .pt, .pb, .pbtxt, .keras, .h5, .xml, .ir), a SavedModel or a PyTorch module.

    The result is checked against the source's own runtime, and written.
    """
    started: float = click.get_current_context().find_root().obj or time.perf_counter()
    from nhwcc.request import check_certificate, check_explorer, check_request

    source = module.model(model)
    written = written or (_usual_output(source, given["target"]),)
    signatures = _several(interface, written, given)
    own = interface.shared if signatures else interface.options
    options = replace(_options(written[0], flags, given), **module.options, **own)
    check_request(source, options, written)
    if given["model_explorer"] is not None:
        check_explorer(given["model_explorer"], written, options.target)
    certificate: Path | None = given["certificate"]
    if certificate is not None:
        sources = [source] if isinstance(source, Path) else []
        check_certificate(certificate, list(map(Path, written)), sources, verify=options.verify)
    from nhwcc.verification import Settings

    settings = Settings(options.tolerance, options.data, options.seed)
    options = replace(options, instruments=flags.instruments(settings))
    quiet: bool = given["quiet"] or given["as_json"]
    with Progress(shown=not quiet and not flags.prints) as progress, explaining(wanted=flags.explain):
        reports = _compiled(source, options, written, signatures, progress, started)
    if certificate is not None:
        _certify(source, reports[0], options, certificate)
    explorer: Path | None = given["model_explorer"]
    if explorer is not None:
        from nhwcc.model_explorer import write_overlays

        for report in reports:
            write_overlays(Path(report.output or ""), explorer, report.placement)
    hollow = unproven((report.verification for report in reports), accepted=given["accept_unproven"])
    if given["as_json"]:
        first, *more = [report.to_dict() for report in reports]
        said = [asdict(d) for d in hollow]
        print_json({"ok": not hollow, "report": first, **({"more": more} if more else {}), "diagnostics": said})
    elif not quiet:
        for report in reports:
            _print(report, flags)
        for text in filter(None, (instrument.summary() for instrument in options.instruments)):
            echo(f"  {'checked':<12}{text}")
    end(hollow, as_json=given["as_json"])


def _several(interface: InterfaceFlags, written: Sequence[str], given: dict[str, Any]) -> Sequence[str]:
    """Return the signatures that go into one file, none if a single network is compiled.

    Raises:
        UsageError: several files are asked for, or what is about one network.
    """
    if not interface.is_several:
        return ()
    if len(written) > 1:
        raise click.UsageError("several signatures are written into one file; give -o once")
    for name in ("certificate", "model_explorer", "report"):
        if given[name] is not None:
            raise click.UsageError(f"--{name.replace('_', '-')} is about one network; compile one signature for it")
    return interface.signatures


def _compiled(
    source: Model,
    options: CompileOptions,
    written: Sequence[str],
    signatures: Sequence[str],
    progress: Progress,
    started: float,
) -> list[Report]:
    """Compile a model into files, or several of its signatures into one."""
    if not signatures:
        from nhwcc.driver import compile_all

        return [artifact.report for artifact in compile_all(source, options, written, progress, started)]
    from nhwcc.signatures import compile_signatures, parts_of

    parts = parts_of(source, signatures, options)
    return [artifact.report for artifact in compile_signatures(parts, written[0], options, progress, started)]


def _certify(source: Model, report: Report, options: CompileOptions, path: Path) -> None:
    """Write a certificate: the options are those that were given, without what only looks on."""
    from nhwcc.certificate import of_report, write_certificate
    from nhwcc.request import data_files

    usual = CompileOptions()
    names = (f.name for f in fields(CompileOptions) if f.name not in ("output", "instruments", "report", "budget"))
    given = {n: str(getattr(options, n)) for n in names if getattr(options, n) != getattr(usual, n)}
    data = (path for path in map(Path, data_files(options.data)) if path.is_file())
    write_certificate(of_report(source if isinstance(source, Path) else None, report, given, data), path)


def _usual_output(model: Model, target: str | None) -> str:
    """Return where the model is written if no output is given."""
    from nhwcc.backends.registry import suffix_of
    from nhwcc.files import usual_output

    return usual_output(model if isinstance(model, Path) else getattr(model, "title", "model"), suffix_of(target))


def _options(output: str, flags: PassFlags, given: dict[str, Any]) -> CompileOptions:
    return CompileOptions(
        output,
        target=given["target"],
        opset=given["opset"],
        variables=given["variables"],
        allow_custom_ops=given["allow_custom_ops"],
        io_layout=";".join(f"{name}={layout}" if name else layout for name, layout in given["io_layout"]) or None,
        rnn=given["rnn"],
        optimize=given["optimize"],
        data_type=given["data_type"],
        passes=flags.passes,
        disable=flags.disable_pass,
        before=flags.before or None,
        after=flags.after or None,
        load=flags.load,
        rules=flags.rules,
        verify=given["verify"],
        data=data_of(given["data"]),
        seed=given["seed"],
        tolerance=given["tolerance"],
        report=given["report"],
        io_dtype=";".join(f"{name}={dtype}" for name, dtype in given["io_dtype"]) or None,
        **{name: given[name] for name in QUANTIZATION},
    )


def _print(report: Report, flags: PassFlags) -> None:
    from nhwcc.render import render_remarks, render_report, render_times

    if flags.explain:
        echo(render_remarks(report.remarks))
    if flags.time_passes:
        echo(render_times(report.passes))
    echo(render_report(report, style))

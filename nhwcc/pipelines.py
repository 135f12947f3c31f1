"""Builds the pipeline of a compilation from its options, and runs it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import fields, replace
from importlib import import_module
from pathlib import Path

from nhwcc.compiler import ops as _ops  # noqa: F401  # pyright: ignore[reportUnusedImport]
from nhwcc.compiler.diagnostics import among, did_you_mean, error
from nhwcc.compiler.ir import Module
from nhwcc.compiler.layouts import GENERAL, does_not_fit, layout_perm, parse_io_layout
from nhwcc.compiler.pipeline import PASSES, Pass, discover, parse_pipeline, read_option
from nhwcc.compiler.plugins import discover_plugins, load_file
from nhwcc.compiler.rules import load_rules
from nhwcc.options import CompileOptions, PathLike
from nhwcc.places import read_place
from nhwcc.request import io_layout_text


def register_passes(load: Sequence[PathLike] = ()) -> None:
    """Register all passes: our own, those of installed plug-ins, those of the files ``load``.

    Raises:
        CompileError: R010, a file can't be read; L010, it fails.
    """
    discover("nhwcc.passes")
    for name in ("common.legalize", "common.quantize", "tflite.choose_kernels", "tflite.devices.keep_outputs"):
        import_module(f"nhwcc.backends.{name}")
    discover_plugins()
    for path in load:
        load_file(Path(path))


def build_pipeline(options: CompileOptions, default: str) -> list[Pass]:
    """Return the passes that options ask for.

    Raises:
        CompileError: L001 to L004 for pipelines and options, L002 also for a pass to leave out that is not there, L007.
    """
    passes = parse_pipeline(default if options.passes is None else options.passes, default)
    for when, added in (("before", options.before), ("after", options.after)):
        for name, text in (added or {}).items():
            passes = _placed(passes, when, name, parse_pipeline(text, default))
    passes = _with_rules(passes, options.rules)
    names = [p.name for p in passes]
    for name in options.disable:
        if name not in names:
            raise error("L002", f"there is no pass {name!r} in the pipeline to leave out", help=among(name, names))
    kept = [p for p in passes if p.name not in options.disable]
    if options.io_layout is not None:
        kept = _with_option(kept, "io_layout", io_layout_text(options.io_layout))
    kept = kept if options.rnn == "auto" else _with_option(kept, "rnn", options.rnn)
    return kept if options.optimize == "balanced" else _with_option(kept, "optimize", options.optimize)


def _with_rules(passes: list[Pass], rules: Sequence[PathLike]) -> list[Pass]:
    """Put rules of files where they were asked for: before all passes, or around every pass of some name.

    Raises:
        CompileError: L002, the pipeline has no such pass; R010 and P..., a file can't be read.
    """
    out = list(passes)
    first: list[Pass] = []
    for place in map(read_place, rules):
        load_rules(place.file)
        apply: Pass = PASSES["apply-rules"](file=str(place.file))  # pyright: ignore[reportCallIssue]
        if place.name:
            out = _placed(out, place.when, place.name, [apply])
        else:
            first.append(apply)
    return [*first, *out]


def _placed(passes: list[Pass], when: str, name: str, added: list[Pass]) -> list[Pass]:
    """Put passes ``before`` or ``after`` every one of some name.

    Raises:
        CompileError: L002, the pipeline has no such pass.
    """
    names = [p.name for p in passes]
    if name not in names:
        text = f"there is no pass {name!r} in the pipeline to put something {when}"
        raise error("L002", text, help=among(name, names))
    out: list[Pass] = []
    for p in passes:
        around = added if p.name == name else []
        out += [*around, p] if when == "before" else [p, *around]
    return out


def _with_option(passes: list[Pass], name: str, value: str) -> list[Pass]:
    """Give an option to all passes that have it.

    Raises:
        CompileError: L004, they do not take this value; L007, no pass has the option.
    """
    if not any(_takes(p, name) for p in passes):
        having = ", ".join(sorted(n for n, p in PASSES.items() if any(f.name == name for f in fields(p))))
        shown = name.replace("_", "-")
        text = f"no pass of the pipeline has the option {shown!r}, but {value!r} is asked for"
        raise error(
            "L007", text, help=f"leave --{shown} out; {having} would look at it, and does not run for this target"
        )
    return [replace(p, **{name: read_option(type(p), name, value)}) if _takes(p, name) else p for p in passes]


def check_layouts(io_layout: str | Mapping[str, str] | None, module: Module) -> None:
    """Check that layouts are asked for inputs and outputs that exist, and that they have as many axes.

    Raises:
        CompileError: L005, L006.
    """
    asked = parse_io_layout(io_layout_text(io_layout))
    func = module.main
    ranks = {p.name: v.type for p, v in zip((*func.inputs, *func.outputs), (*func.args, *func.returns), strict=True)}
    for name, layout in asked.named.items():
        if name not in ranks:
            help = did_you_mean(name, ranks) or f"there are {', '.join(ranks)}"
            raise error("L006", f"a layout is asked for {name!r}, but there is no such input or output", help=help)
        type = ranks[name]
        if layout != "free" and layout_perm(layout, type.rank) is None:
            raise does_not_fit(name, str(type), layout, type.rank)
    if asked.default not in GENERAL and all(layout_perm(asked.default, t.rank) is None for t in ranks.values()):
        name, type = next(iter(ranks.items()))
        raise does_not_fit(name, str(type), asked.default, type.rank)


def _takes(p: Pass, option: str) -> bool:
    return any(f.name == option for f in fields(p))

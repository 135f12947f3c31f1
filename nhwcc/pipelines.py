"""From options to passes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import fields, replace
from importlib import import_module
from pathlib import Path

from nhwcc.compiler import ops as _ops  # noqa: F401  # pyright: ignore[reportUnusedImport]
from nhwcc.compiler.diagnostics import did_you_mean, error
from nhwcc.compiler.ir import Module
from nhwcc.compiler.pipeline import PASSES, Pass, discover, parse_pipeline, read_option
from nhwcc.compiler.plugins import discover_plugins, load_file
from nhwcc.options import CompileOptions, PathLike


def register_passes(load: Sequence[PathLike] = ()) -> None:
    """Register all passes: our own, those of installed plug-ins, those of the files ``load``.

    Raises:
        CompileError: R010, a file can't be read; L010, it fails.
    """
    discover("nhwcc.passes")
    import_module("nhwcc.backends.common.legalize")
    discover_plugins()
    for path in load:
        load_file(Path(path))


def build_pipeline(options: CompileOptions, default: str) -> list[Pass]:
    """Return the passes that options ask for.

    Raises:
        CompileError: L001 to L004 for pipelines and options, L002 also for a pass to leave out that is not there, L007.
    """
    rules = [PASSES["apply-rules"](file=str(path)) for path in options.rules]  # pyright: ignore[reportCallIssue]
    passes = [*rules, *parse_pipeline(default if options.passes is None else options.passes)]
    names = [p.name for p in passes]
    for name in options.disable:
        if name not in names:
            help = did_you_mean(name, names) or f"it has {', '.join(names)}"
            raise error("L002", f"there is no pass {name!r} in the pipeline to leave out", help=help)
    kept = [p for p in passes if p.name not in options.disable]
    kept = _with_option(kept, "io_layout", io_layout_text(options.io_layout), "free")
    return _with_option(kept, "rnn", options.rnn, "auto")


def _with_option(passes: list[Pass], name: str, value: str, default: str) -> list[Pass]:
    """Give an option to all passes that have it, unless it is what they do by default.

    Raises:
        CompileError: L004, they do not take this value; L007, no pass has the option.
    """
    if value == default:
        return passes
    if not any(_takes(p, name) for p in passes):
        raise error(
            "L007", f"no pass of the pipeline has the option {name.replace('_', '-')!r}, but {value!r} is asked for"
        )
    return [replace(p, **{name: read_option(type(p), name, value)}) if _takes(p, name) else p for p in passes]


def io_layout_text(io_layout: str | Mapping[str, str]) -> str:
    """Return a choice of layouts as passes take it.

    >>> io_layout_text({"x": "nchw", "y": "0/2/1"})
    'x=nchw;y=0/2/1'
    """
    if isinstance(io_layout, str):
        return io_layout.strip() or "free"
    return ";".join(f"{name}={layout}" for name, layout in io_layout.items())


def check_names(io_layout: str | Mapping[str, str], module: Module) -> None:
    """Check that layouts are asked for inputs and outputs that exist.

    Raises:
        CompileError: L006.
    """
    known = [port.name for port in (*module.main.inputs, *module.main.outputs)]
    for name in _named(io_layout):
        if name not in known:
            help = did_you_mean(name, known) or f"there are {', '.join(known)}"
            raise error("L006", f"a layout is asked for {name!r}, but there is no such input or output", help=help)


def _named(io_layout: str | Mapping[str, str]) -> Iterable[str]:
    from nhwcc.passes.propagate_layout import parse_io_layout

    return io_layout if isinstance(io_layout, Mapping) else parse_io_layout(io_layout).named


def _takes(p: Pass, option: str) -> bool:
    return any(f.name == option for f in fields(p))

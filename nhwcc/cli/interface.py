"""Flags about inputs and outputs: which part of the model, of which sizes, under which names."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, fields, replace
from typing import Any, get_args

import click

from nhwcc.cli.flags import names, once, shapes
from nhwcc.options import ALL, StateHandling


def _pairs(ctx: click.Context, param: click.Parameter, value: Sequence[str]) -> dict[str, str] | None:
    """Read ``OLD=NEW``, given once or several times."""
    found: dict[str, str] = {}
    for text in value:
        old, _, new = text.partition("=")
        if not old or not new:
            raise click.BadParameter(f"{text!r} is not a new name; write OLD=NEW", ctx, param)
        once(ctx, param, old, found)
        found[old] = new
    return found or None


_OPTIONS: list[Callable[..., Any]] = [
    click.option(
        "--shape",
        "shapes",
        multiple=True,
        callback=shapes,
        metavar="NAME=[TYPE:]N,N,...",
        help="The shape of an input: x=1,3,64,64; a name instead of a number leaves a size open: "
        "x=batch,3,64,64. Or the value of a named size: batch=1. For a PyTorch module also the element "
        "type, f32 by default: x=i64:1,16.",
    ),
    click.option(
        "--inputs",
        multiple=True,
        callback=names,
        metavar="A,B",
        help="Cut the model: compile only what follows these tensors, which become the inputs.",
    ),
    click.option(
        "--outputs",
        multiple=True,
        callback=names,
        metavar="A,B",
        help="Cut the model: compile only what leads to these tensors, which become the outputs.",
    ),
    click.option("--rename", multiple=True, callback=_pairs, metavar="OLD=NEW", help="Rename an input or output."),
    click.option(
        "--input-names", multiple=True, callback=names, metavar="A,B", help="New names for all inputs, in their order."
    ),
    click.option(
        "--output-names",
        multiple=True,
        callback=names,
        metavar="A,B",
        help="New names for all outputs, in their order.",
    ),
    click.option(
        "--state",
        type=click.Choice(get_args(StateHandling)),
        default="refuse",
        show_default=True,
        help="io: make inputs and outputs of states, which are those of recurrent layers and tensors that a "
        "PyTorch module overwrites, such as caches. keep: leave states in the file, as variables that keep their value "
        "from call to call (OpenVINO). refuse: an overwritten tensor is an error.",
    ),
    click.option(
        "--signature",
        "signatures",
        multiple=True,
        metavar="NAME",
        help="The signature of a SavedModel or TFLite file to compile. nhwcc compile takes several, or all, and writes "
        "them into one file.",
    ),
    click.option(
        "--by-standard",
        is_flag=True,
        help="Follow the ONNX standard also where onnxruntime departs from it.",
    ),
    click.option("--drop-unused-inputs", is_flag=True, help="Remove inputs that no operation reads."),
]


@dataclass(frozen=True)
class InterfaceFlags:
    """What the flags about inputs and outputs say."""

    shapes: Mapping[str, str] | None
    inputs: list[str] | None
    outputs: list[str] | None
    rename: dict[str, str] | None
    input_names: list[str] | None
    output_names: list[str] | None
    state: str
    signatures: Sequence[str]
    by_standard: bool
    drop_unused_inputs: bool

    @property
    def options(self) -> dict[str, Any]:
        """The options of a compilation that they are, with at most one signature."""
        given = asdict(self)
        asked: Sequence[str] = given.pop("signatures")
        if self.is_several:
            raise click.UsageError("several signatures are compiled into one file by nhwcc compile only; give one here")
        return {**given, "signature": asked[0] if asked else None}

    @property
    def is_several(self) -> bool:
        """Whether several signatures are asked for, or all that a model has."""
        return len(self.signatures) > 1 or ALL in self.signatures

    @property
    def shared(self) -> dict[str, Any]:
        """The options that are the same for all signatures, which is none of these."""
        return replace(self, signatures=()).options


def interface_flags(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add the flags about inputs and outputs; the command gets them as one argument, ``interface``."""

    @functools.wraps(command)
    def wrapper(**given: Any) -> Any:
        said: dict[str, Any] = {f.name: given.pop(f.name) for f in fields(InterfaceFlags)}
        return command(interface=InterfaceFlags(**said), **given)

    out: Callable[..., Any] = wrapper
    for option in reversed(_OPTIONS):
        out = option(out)
    return out

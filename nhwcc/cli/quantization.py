"""Flags about quantization, which several commands share, and what they mean to the API."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import click

from nhwcc.cli.flags import FILE, named
from nhwcc.compiler.options import CHOICES


def _share(_ctx: click.Context, _param: click.Parameter, value: str | None) -> float | None:
    if value is None:
        return None
    from nhwcc.quantization.metrics import parse_share

    return parse_share(value)


_OPTIONS: list[Callable[..., Any]] = [
    click.option(
        "--quantize",
        type=click.Choice(CHOICES),
        help="Quantize: store weights in 16 bits (float16), 8 (weight-int8) or 4 (weight-int4), with one scale per "
        "output channel or, in fully connected layers, one per 32 to 256 weights (weight-int4:32); quantize the "
        "operands of matrix products at run time (dynamic-int8); compute with integers of 8 bits (int8), "
        "or with activations of 16 bits and weights of 8 (int16x8), whose ranges are calibrated on "
        "--data. auto takes the fastest mode that keeps the accuracy.",
    ),
    click.option(
        "--calibration",
        multiple=True,
        type=FILE,
        metavar="FILE",
        help="Statistics that nhwcc calibrate wrote, instead of --data; several files are joined.",
    ),
    click.option(
        "--images",
        metavar="KEY=VALUE,...",
        help="How pictures of --data are preprocessed: "
        "resize=256,crop=224,mean=0.485/0.456/0.406,std=0.229/0.224/0.225,scale=255,order=bgr.",
    ),
    click.option(
        "--keep-float",
        multiple=True,
        metavar="PATTERN",
        help="Do not quantize these operations; give their kind or a pattern for the names of their results: "
        "softmax, '*/head/*'.",
    ),
    click.option(
        "--per-tensor", is_flag=True, help="Quantize each weight with one scale instead of one per output channel."
    ),
    click.option(
        "--io-dtype",
        multiple=True,
        callback=named,
        metavar="[NAME=]TYPE",
        help="Element type of inputs and outputs, of all or by name: int8, uint8 or int16. The default is float32.",
    ),
    click.option(
        "--split-outputs",
        is_flag=True,
        help="If an output is a concatenation of parts with very different ranges, such as boxes and scores, "
        "return the parts instead: NAME_0, NAME_1, ..., each with its own scale.",
    ),
    click.option(
        "--min-sqnr",
        type=float,
        metavar="DB",
        help="The least signal-to-noise ratio of each output against floats, by default 10 dB. If one is "
        "lower, nothing is written.",
    ),
    click.option(
        "--metric",
        metavar="NAME|FILE.py:FUNCTION",
        help="How accuracy is measured, from 0 to 1: cosine, top1, iou, or your own function(floats, "
        "quantized). Its arguments are lists with one {name: array} per sample.",
    ),
    click.option(
        "--max-error",
        callback=_share,
        metavar="SHARE",
        help="How much of the metric may be lost; without --metric, the error of each output: 0.5%. Parts of "
        "the network keep more bits for it.",
    ),
]

QUANTIZATION = (
    "quantize",
    "calibration",
    "images",
    "keep_float",
    "per_tensor",
    "split_outputs",
    "min_sqnr",
    "metric",
    "max_error",
)
"""The options of a compilation that these flags set."""


def quantization_flags(command: Callable[..., Any]) -> Callable[..., Any]:
    """Decorate a command with all flags about quantization, for its argument ``quantization``."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command

"""Flags about quantization, which several commands share, and what they mean to the API."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, get_args

import click

from nhwcc.cli.flags import FILE, named
from nhwcc.compiler.options import QuantizationChoice


def _share(_ctx: click.Context, _param: click.Parameter, value: str | None) -> float | None:
    if value is None:
        return None
    from nhwcc.quantization.metrics import parse_share

    return parse_share(value)


_OPTIONS: list[Callable[..., Any]] = [
    click.option(
        "--quantize",
        type=click.Choice(get_args(QuantizationChoice)),
        help="Store weights in 16 bits (float16), 8 (weight-int8) or 4 (weight-int4), let products round what they "
        "multiply (dynamic-int8), or let all kernels compute with integers of 8 bits (int8), or of 16 bits by weights "
        "of 8 (int16x8), whose ranges are calibrated on --data; auto takes what is fastest and keeps the accuracy.",
    ),
    click.option(
        "--calibration",
        multiple=True,
        type=FILE,
        metavar="FILE",
        help="Statistics of nhwcc calibrate, in place of samples; several are joined.",
    ),
    click.option(
        "--images",
        metavar="KEY=VALUE,...",
        help="How pictures of --data become inputs: resize=256,crop=224,mean=0.485/0.456/0.406,std=0.229/0.224/0.225,"
        "scale=255,order=bgr.",
    ),
    click.option(
        "--keep-float",
        multiple=True,
        metavar="PATTERN",
        help="Leave operations in floats, by their kind or the names of what they compute: softmax, '*/head/*'.",
    ),
    click.option("--per-tensor", is_flag=True, help="Give each weight one scale, not one per output channel."),
    click.option(
        "--io-dtype",
        multiple=True,
        callback=named,
        metavar="[NAME=]TYPE",
        help="Store inputs and outputs as int8, uint8 or int16, all or by name; float32 where nothing is said.",
    ),
    click.option(
        "--split-outputs",
        is_flag=True,
        help="Make several outputs, NAME_0, NAME_1, ..., of one that is joined from parts, such as boxes and scores: "
        "each has its own scale.",
    ),
    click.option(
        "--min-sqnr",
        type=float,
        metavar="DB",
        help="How far outputs may be from those in floats; 10 dB where nothing is said. Below, nothing is written.",
    ),
    click.option(
        "--metric",
        metavar="NAME|FILE.py:FUNCTION",
        help="What is kept of the network's task, from 0 to 1: cosine, top1, iou, or a function of the outputs in "
        "floats and of the quantized ones, a list of arrays by name each.",
    ),
    click.option(
        "--max-error",
        callback=_share,
        metavar="SHARE",
        help="How much of the metric may be lost, or of each output without one: 0.5%.  More digits are kept for it.",
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

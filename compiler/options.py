"""What users choose among: apart from what implements it, so that a command line need not load that."""

from __future__ import annotations

from typing import Literal, TypeAlias, get_args

Strategy: TypeAlias = Literal["auto", "unroll", "while", "fused"]
"""How a target is asked to run a recurrent layer: as is best, step by step, as a loop, as one kernel."""

Goal: TypeAlias = Literal["balanced", "size"]
"""What a file is optimised for: speed where that is worth its bytes, or size alone."""

Channels: TypeAlias = Literal["first", "last"]
"""Where the channels of an operation lie: after the batch, or after all else."""

Products = Literal["transposed", "straight"]
"""Whether products of matrices also take computed ones transposed."""

Norms = Literal["any", "last"]
"""Along which axes norms of layers run: any, or only those that are stored last."""

DataType: TypeAlias = Literal["FP32", "FP16"]
"""In how many bits a file stores constants that are computed with in 32, in OpenVINO's words."""

QuantizationMode: TypeAlias = Literal[
    "float16",
    "weight-int4",
    "weight-int4:32",
    "weight-int4:64",
    "weight-int4:128",
    "weight-int4:256",
    "weight-int8",
    "dynamic-int8",
    "int8",
    "int16x8",
]
"""What quantization makes integers of, or numbers of 16 bits: weights, or all that kernels compute with.

A number after a colon says how many weights have a scale of their own.
"""

MODES: frozenset[QuantizationMode] = frozenset(get_args(QuantizationMode))
"""All of them."""

CALIBRATED: frozenset[QuantizationMode] = frozenset({"int8", "int16x8"})
"""Modes in which kernels compute with integers by ranges from calibration."""

QuantizationChoice: TypeAlias = QuantizationMode | Literal["auto"]
"""A mode, or whatever is fastest and keeps the accuracy."""

CHOICES: tuple[str, ...] = (*get_args(QuantizationMode), "auto")
"""All choices, in the order in which they are explained."""


def weight_bits(mode: str) -> int:
    """Return how many bits integers of weights have where a kernel takes them.

    >>> weight_bits("weight-int4:32"), weight_bits("int16x8")
    (4, 8)
    """
    return 4 if mode.startswith("weight-int4") else 8


def block_size(mode: str) -> int:
    """Return how many weights of a row have a scale of their own, 0 for all of them.

    >>> block_size("weight-int4:32"), block_size("weight-int4")
    (32, 0)
    """
    return int(mode.partition(":")[2] or 0)


RangeMethod: TypeAlias = Literal["minmax", "percentile", "mse"]
"""How the range of a value is chosen: all numbers, all but a few, or the one of least mean square error."""

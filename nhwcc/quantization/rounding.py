"""Weights are rounded together by what a network in floats multiplies them with on samples."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from nhwcc.backends.common.target import Target
from nhwcc.compiler.diagnostics import counted
from nhwcc.compiler.fold import constant
from nhwcc.compiler.ir import Func, Op, Value
from nhwcc.compiler.options import block_size, weight_bits
from nhwcc.compiler.scales import IntegerKernels
from nhwcc.compiler.types import Array, DType
from nhwcc.passes.quantization.names import value_names
from nhwcc.passes.quantization.regions import weight_of
from nhwcc.passes.quantization.rounding import Factors, Products
from nhwcc.passes.quantization.weights import BITS, Rounded
from nhwcc.quantization.samples import Sample
from nhwcc.targets import open_rounder

SEEN = 32
"""On how many samples a network runs at most to round weights."""

COVARIANCE_BYTES = 256 << 20
"""How much memory covariances take in one run over the samples; networks with more run several times."""


@dataclass(frozen=True)
class Sum:
    """Weights of one operation, by the names of what they are multiplied with and of what is computed."""

    operand: str
    result: str
    products: Products


def sums_of(func: Func, kernels: IntegerKernels, mode: str, *, per_channel: bool) -> list[Sum]:
    """Return the sums of products of a function whose weights can be rounded together, as far as memory allows it.

    Weights have 8 bits where no kernel rounds what it multiplies by the fewer bits of ``mode``.
    """
    names = value_names(func)
    found = (_sum_of(op, names, kernels, mode, per_channel=per_channel) for op in func.ops)
    return [one for one in found if one is not None and one.products.bytes <= COVARIANCE_BYTES]


def _sum_of(op: Op, names: Mapping[Value, str], kernels: IntegerKernels, mode: str, *, per_channel: bool) -> Sum | None:
    demands, factors = kernels.demands(op), Factors.of(op)
    if demands is None or factors is None:
        return None
    weight, x = constant(weight_of(op, demands)), op.operands[0]
    if weight is None or weight.type.dtype is not DType.F32 or x is None or not {x, op.results[0]} <= names.keys():
        return None
    few = per_channel and kernels.rounded_dims(op) is not None
    block = block_size(mode) if few and kernels.takes_blocks(op, block_size(mode)) else 0
    rounded = Rounded.of(weight, per_channel=per_channel, bits=weight_bits(mode) if few else BITS, block=block)
    return Sum(names[x], names[op.results[0]], Products(factors, weight.array(), rounded.scales, rounded.bits))


def round_weights(
    target: Target, path: Path, sums: Sequence[Sum], samples: Iterable[Sample], progress: Callable[[str], None]
) -> dict[str, Array]:
    """Return integers for the weights of a file in floats, by the names of what their operations compute.

    Samples are kept in memory: there are :data:`SEEN` at most.

    Raises:
        CompileError: the runtime refuses a sample; what makes the samples fails.
    """
    found: dict[str, Array] = {}
    used = list(samples)
    for part in _parts(sums):
        progress(f"rounding {counted(len(part), 'weight')}")
        by_operand: dict[str, dict[str, Products]] = {}
        for one in part:
            by_operand.setdefault(one.operand, {})[one.result] = one.products
        with open_rounder(target, path, by_operand, len(used)) as rounder:
            for sample in used:
                rounder.see(sample)
            found |= rounder.rounded()
    return found


def _parts(sums: Sequence[Sum]) -> Iterator[list[Sum]]:
    """Cut sums into parts whose covariances fit into memory together."""
    part: list[Sum] = []
    total = 0
    for one in sums:
        if part and total + one.products.bytes > COVARIANCE_BYTES:
            yield part
            part, total = [], 0
        part.append(one)
        total += one.products.bytes
    if part:
        yield part

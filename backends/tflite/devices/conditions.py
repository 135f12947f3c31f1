"""What tables of devices demand, in words, where several demand it."""

from __future__ import annotations

from collections.abc import Callable

from ....compiler.types import DType
from ...common.table import Condition, condition
from .uses import Use


def named(text: str, why_not: Callable[[Use], str | None]) -> Condition:
    """Give a condition of rows a name, which messages and support pages print."""
    return Condition(text, why_not)


@condition("sizes that are known when compiling")
def static_sizes(use: Use) -> str | None:
    """Condition: no tensor of the operator has an open size."""
    return None if use.is_static else "a size that is open; --shape NAME=NUMBER fixes it"


def at_most(rank: int) -> Condition:
    """Condition: no tensor of the operator has more axes than this."""

    def why_not(use: Use) -> str | None:
        most = max((t.type.rank for t in use.tensors), default=0)
        return None if most <= rank else f"a tensor of rank {most}; at most {rank}"

    return Condition(f"tensors of rank {rank} at most", why_not)


@condition("operands that differ, but for ADD, MUL and CONCATENATION")
def distinct(use: Use) -> str | None:
    """Condition: the operator does not read the same computed tensor twice."""
    if use.builtin in ("ADD", "MUL", "CONCATENATION"):
        return None
    read = [t.key for t in use.inputs if t is not None and not t.is_constant]
    return None if len(set(read)) == len(read) else "the same operand twice"


def constants(*slots: int) -> Condition:
    """Operands that must be constants where they are present."""

    def why_not(use: Use) -> str | None:
        computed = [s for s in slots if (t := use.input(s)) is not None and not t.is_constant]
        return f"operand {computed[0]} is computed when the network runs; it must be a constant" if computed else None

    numbers = " and ".join(map(str, slots))
    return Condition(
        f"constants as operand {numbers}" if len(slots) == 1 else f"constants as operands {numbers}", why_not
    )


def index_type(slot: int, *dtypes: DType) -> Condition:
    """An operand that holds positions, of certain types."""
    allowed = " or ".join(dtypes)

    def why_not(use: Use) -> str | None:
        found = use.input(slot)
        return (
            None if found is None or found.type.dtype in dtypes else f"positions of {found.type.dtype}, not {allowed}"
        )

    return Condition(f"positions of {allowed}", why_not)


def result_type(*dtypes: DType) -> Condition:
    """Condition: the result has one of these element types."""
    allowed = ", ".join(dtypes)

    def why_not(use: Use) -> str | None:
        found = use.outputs[0].type.dtype
        return None if found in dtypes else f"a result of {found}, not {allowed}"

    return Condition(f"a result of {allowed}", why_not)


def ranks_of_all(low: int, high: int) -> Condition:
    """Condition: every result has one of these numbers of axes."""

    def why_not(use: Use) -> str | None:
        bad = [t.type.rank for t in use.outputs if not low <= t.type.rank <= high]
        return f"a result of rank {bad[0]}; {low} to {high} are known" if bad else None

    return Condition(f"results of rank {low} to {high}", why_not)


@condition("weights of the data's kind: integers beside integers")
def no_hybrid(use: Use) -> str | None:
    """Numbers in floats are not multiplied by weights that are integers."""
    data, weights = use.data, use.input(1)
    if data is None or weights is None or data.type.dtype.is_float == weights.type.dtype.is_float:
        return None
    return f"weights of {weights.type.dtype} beside data of {data.type.dtype}: quantize with int8, not weight-int8"


@condition("no fused activation")
def no_activation(use: Use) -> str | None:
    """Condition: no activation is fused into the operator."""
    found = use.option("fused_activation_function", "NONE")
    return None if found in ("NONE", 0) else f"the fused activation {found}"


@condition("quantized tensors")
def quantized(use: Use) -> str | None:
    """Every tensor of numbers is made of integers with scales."""
    if any(t.type.dtype.is_float for t in use.tensors):
        return "numbers in floats; compile with --quantize int8"
    plain = [t for t in use.tensors if t.type.dtype in SCALED and not t.is_constant and t.quantization is None]
    return f"integers of {plain[0].type.dtype} without a scale" if plain else None


SCALED = (DType.I8, DType.U8, DType.I16)
"""Integers that stand for numbers."""


def option(name: str, *allowed: object, text: str) -> Condition:
    """Condition: an option of the operator has one of these values."""
    return Condition(text, lambda use: None if use.option(name, allowed[0]) in allowed else f"not {text}")

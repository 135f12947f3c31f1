"""What the standard says of its operators, read from the schemas that the onnx package holds, version by version."""

# onnx's schemas are untyped
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from ...compiler.types import DType

OLDEST = 11
"""The first opset that can be asked for: before, clips and paddings were attributes."""

USUAL = 26
"""The newest opset that is taken without being asked for: released runtimes have it."""

TYPE_NAMES = {
    DType.BOOL: "bool",
    DType.F16: "float16",
    DType.BF16: "bfloat16",
    DType.F32: "float",
    DType.F64: "double",
    DType.STRING: "string",
    DType.C64: "complex64",
    DType.C128: "complex128",
    DType.F4E2M1: "float4e2m1",
    DType.F8E4M3FN: "float8e4m3fn",
    DType.F8E4M3FNUZ: "float8e4m3fnuz",
    DType.F8E5M2: "float8e5m2",
    DType.F8E5M2FNUZ: "float8e5m2fnuz",
    DType.F8E8M0: "float8e8m0",
    **{DType(f"i{n}"): f"int{n}" for n in (2, 4, 8, 16, 32, 64)},
    **{DType(f"u{n}"): f"uint{n}" for n in (2, 4, 8, 16, 32, 64)},
}
"""Element types by the names that schemas use."""

AS_ATTRIBUTE = {
    ("ReduceSum", 1): ("axes", 13),
    ("Squeeze", 1): ("axes", 13),
    ("Unsqueeze", 1): ("axes", 13),
    ("Split", 1): ("split", 13),
    **{
        (f"Reduce{kind}", 1): ("axes", 18)
        for kind in ("L1", "L2", "LogSum", "LogSumExp", "Max", "Mean", "Min", "Prod", "SumSquare")
    },
}
"""Inputs that were attributes: what they were called, and the opset from which on they are inputs."""

REQUIRED = {("Resize", 1): 13, ("Resize", 2): 13}
"""Inputs that can be left out from an opset on; before, an empty tensor of f32 stands there."""


IMPLIED = {("Split", "num_outputs"): 18}
"""Attributes that repeat what a node's results say, and from which opset on they are stated."""


@dataclass(frozen=True)
class Use:
    """How an operator is used: element types of inputs (None: left out) and results, and which attributes it has.

    ``constant`` says which inputs are known, ``since`` from which opset on the attributes mean what they shall.
    """

    operator: str
    inputs: tuple[DType | None, ...]
    outputs: tuple[DType, ...]
    attributes: frozenset[str]
    constant: tuple[bool, ...]
    since: int = 1


def newest() -> int:
    """Return the newest opset that the installed package knows."""
    from onnx import defs

    return int(defs.onnx_opset_version())


def usual() -> int:
    """Return the newest opset that is used unless another one is asked for."""
    return min(USUAL, newest())


@cache
def schema(operator: str, opset: int) -> Any:
    """Return the schema of an operator in an opset, None if there is none yet."""
    from onnx import defs

    try:
        found: Any = defs.get_schema(operator, opset, "")
    except defs.SchemaError:
        return None
    return None if found.deprecated else found


@cache
def first_opset(use: Use) -> int | str:
    """Return the lowest opset in which an operator can be used so, or why none has it."""
    why = f"ONNX has no operator {use.operator}"
    for opset in range(max(OLDEST, use.since), newest() + 1):
        reason = why_not(use, opset)
        if reason is None:
            return opset
        why = reason
    return why


@cache
def why_not(use: Use, opset: int) -> str | None:
    """Say why an operator can't be used so in an opset, None if it can."""
    found = schema(use.operator, opset)
    if found is None:
        return f"ONNX has no operator {use.operator}"
    inputs, attributes = _in_form(use, opset)
    if inputs is None:
        return f"{use.operator} of opset {opset} takes no computed {attributes}"
    unknown = attributes - set(found.attributes)
    if unknown:
        return f"{use.operator} of opset {opset} has no attribute {min(unknown)}"
    return _types(use.operator, found, found.inputs, inputs) or _types(use.operator, found, found.outputs, use.outputs)


def _in_form(use: Use, opset: int) -> tuple[tuple[DType | None, ...] | None, Any]:
    """Return inputs and attributes as they are in an opset; no inputs if one would have to be a constant."""
    inputs = list(use.inputs)
    attributes = {name for name in use.attributes if opset >= IMPLIED.get((use.operator, name), 0)}
    for slot in range(len(inputs)):
        moved = AS_ATTRIBUTE.get((use.operator, slot))
        if moved is not None and opset < moved[1] and inputs[slot] is not None:
            if not use.constant[slot]:
                return None, moved[0]
            inputs[slot] = None
            attributes.add(moved[0])
        if inputs[slot] is None and opset < REQUIRED.get((use.operator, slot), 0):
            inputs[slot] = DType.F32
    while inputs and inputs[-1] is None:
        inputs.pop()
    return tuple(inputs), attributes


def _types(operator: str, found: Any, formal: Sequence[Any], given: Sequence[DType | None]) -> str | None:
    """Compare element types with those of a schema."""
    allowed = {c.type_param_str: set(c.allowed_type_strs) for c in found.type_constraints}
    if not formal and given:
        return f"{operator} takes no inputs"
    for place, dtype in enumerate(given):
        parameter = formal[min(place, len(formal) - 1)]
        if place >= len(formal) and parameter.option.name != "Variadic":
            return f"{operator} has only {len(formal)} inputs or results"
        if dtype is None:
            if parameter.option.name == "Single":
                return f"{operator} needs {parameter.name}"
            continue
        name = f"tensor({TYPE_NAMES[dtype]})"
        if name not in allowed.get(parameter.type_str, {parameter.type_str}):
            return f"{operator} takes no {dtype} as {parameter.name}"
    missing = [p.name for p in formal[len(given) :] if p.option.name == "Single"]
    return f"{operator} needs {missing[0]}" if missing else None


def is_optional_output(operator: str, opset: int, place: int) -> bool:
    """Say whether a result can be left out."""
    outputs = schema(operator, opset).outputs
    return place < len(outputs) and outputs[place].option.name == "Optional"


def element_types(operator: str, opset: int) -> tuple[DType, ...]:
    """Return the element types that an operator takes as its first input, for the docs; else those that it gives."""
    found = schema(operator, opset)
    first = (found.inputs or found.outputs)[0]
    allowed = {c.type_param_str: set(c.allowed_type_strs) for c in found.type_constraints}
    names = allowed.get(first.type_str, {first.type_str})
    return tuple(d for d, name in TYPE_NAMES.items() if f"tensor({name})" in names)

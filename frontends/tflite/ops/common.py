"""Schemas and helpers that handlers of several families share."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal, TypeAlias

from ....compiler.ir import Op, Value
from ....compiler.ops import activation as act
from ..emitter import Emitter

Activation: TypeAlias = Literal["NONE", "RELU", "RELU_N1_TO_1", "RELU6", "TANH", "SIGN_BIT"]
"""What an operator may end in."""

FUSED = {"NONE": "none", "RELU": "relu", "RELU_N1_TO_1": "relu_n1_to_1", "RELU6": "relu6"}
"""Activations that operations of the IR may end in, too."""

CLAMPS = {"RELU6": (0.0, 6.0), "RELU_N1_TO_1": (-1.0, 1.0)}


def activated(emit: Emitter, x: Value, activation: str) -> Value:
    """Apply an activation as an operation of its own.

    Raises:
        CompileError: F005, it is none that any kernel computes.
    """
    match activation:
        case "NONE":
            return x
        case "RELU":
            return emit(act.Relu(x))
        case "RELU6" | "RELU_N1_TO_1":
            return emit(act.Clip(x, *CLAMPS[activation]))
        case "TANH":
            return emit(act.Tanh(x))
        case _:
            raise emit.fail(f"ends in {activation}, which no kernel computes")


def ending_in(emit: Emitter, build: Callable[[str], Op], activation: str) -> Value:
    """Insert an operation that may end in an activation; one that it can't end in follows it."""
    if activation in FUSED:
        return emit(build(FUSED[activation]))
    return activated(emit, emit(build("none")), activation)

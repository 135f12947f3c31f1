"""What recurrent layers of all sources have in common: the functions of their gates."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ...compiler.ops import recurrent as ir
from .operands import OperandEmitter


def gate_functions(
    emit: OperandEmitter, activations: Sequence[str], numbers: tuple[Sequence[float], Sequence[float]], directions: int
) -> list[dict[str, Any]]:
    """Return the activations of every direction, as attributes of the IR.

    ``numbers`` are alphas and betas, in the order of the functions that have some.

    Raises:
        CompileError: F002, there is no such function, or not the same number for each direction.
    """
    names = [n.lower() for n in activations]
    if not set(names) <= ir.ACTIVATIONS.keys() or len(names) % directions:
        raise emit.fail(f"has the activations {', '.join(names)}", code="F002")
    found: list[tuple[float, float]] = []
    alpha, beta = map(list, numbers)
    for name in names:
        defaults = ir.ACTIVATIONS[name].defaults
        a, b = (*defaults, 0.0, 0.0)[:2]
        found.append((alpha.pop(0) if alpha and defaults else a, beta.pop(0) if beta and len(defaults) > 1 else b))
    count = len(names) // directions
    out: list[dict[str, Any]] = []
    for start in range(0, len(names), count):
        alphas, betas = zip(*found[start : start + count], strict=True)
        out.append({"activations": tuple(names[start : start + count]), "alpha": alphas, "beta": betas})
    return out

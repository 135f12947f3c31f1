"""A limit for what a file holds beyond its source, so that a few bytes can't fill a disk."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from ..compiler.budget import budget, in_bytes
from ..compiler.diagnostics import error
from ..compiler.weights import Weight, growth


def check_growth(weights: Sequence[Weight], describe: Callable[[int], str]) -> None:
    """Refuse to write weights that are far more than the source holds; ``describe`` names one by its number.

    Raises:
        CompileError: M002.
    """
    grown, limit = growth(weights), budget().growth
    if grown <= limit:
        return
    largest = max(range(len(weights)), key=lambda i: growth([weights[i]]))
    raise error(
        "M002",
        f"the file would hold {in_bytes(grown)} that the model does not hold but computes; the largest constant is "
        f"{describe(largest)}",
        help=f"the limit is {in_bytes(limit)}; --max-growth raises it",
    )

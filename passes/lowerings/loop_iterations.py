"""How the loop of a recurrent layer is cut into iterations: of several steps, of a loop again, of what is left.

Measured with TFLite, which copies in every iteration all that a loop carries or reads; other runtimes gain as much by
doing several steps an iteration, since each one costs them something, too.
"""

from __future__ import annotations

from ...compiler.dims import product
from ...compiler.ops.quantize import Dequantize
from ...compiler.ops.recurrent import Recurrent

MAX_COPIES = 1 << 20
"""Bytes of recurrent weights: XNNPACK keeps a copy for every step that is in the file, and caches hold a few."""

MAX_COPIED = 1 << 19
"""Bytes of products with the inputs that a loop may copy in every iteration."""

MAX_PER_ITERATION = 8
"""Steps that a loop does in one iteration: in each, TFLite copies what the loop carries and what it reads."""

BLOCK = 64
"""Steps of a long sequence that are cut out at once: a loop inside of an iteration copies nothing but these."""

LONG = 4 * BLOCK
"""Steps up to which a loop does without blocks."""


def steps_per_iteration(op: Recurrent) -> list[int]:
    """Return how many steps an iteration of each loop does; each loop does what the one before has left."""
    steps, few = op.steps, max(1, min(MAX_PER_ITERATION, MAX_COPIES // max(bytes_of_step(op), 1)))
    if not isinstance(steps, int):
        return list(dict.fromkeys((BLOCK, few, 1)))
    counts: list[int] = []
    for most in (BLOCK, few, 1) if steps > LONG else (few, 1):
        if steps:
            counts.append(_evenly(steps, most))
            steps %= counts[-1]
    return counts


def is_block(count: int) -> bool:
    """Say whether so many steps in one iteration are a loop again."""
    return count > MAX_PER_ITERATION


def _evenly(steps: int, most: int) -> int:
    """Return up to so many steps, as a divisor of their number if there is one that is not much smaller."""
    divisor = max(n for n in range(1, most + 1) if steps % n == 0)
    return divisor if 2 * divisor >= most else min(most, steps)


def products_first(op: Recurrent) -> bool:
    """Say whether a loop has the products with the inputs of all steps computed before it starts.

    They are computed faster at once, but are copied in every iteration, as all that a loop reads. A batch of open size
    counts as one sequence: several gain as much from one product as they lose by copies.
    """
    features, rows = op.x.type.shape[2], op.w.type.shape[0]
    if isinstance(features, int) and isinstance(rows, int) and features >= rows:
        return True
    size = product((op.steps, op.batch if isinstance(op.batch, int) else 1, rows))
    return isinstance(size, int) and 4 * size <= MAX_COPIED


def bytes_of_step(op: Recurrent) -> int:
    """Return the size of the matrix that every step reads, which may be stored in 8 bits."""
    size = op.r.type.size
    each = 1 if isinstance(op.r.owner, Dequantize) else 4
    return each * size if isinstance(size, int) else MAX_COPIES

"""Rewrites after which a file has fewer nodes; they apply to what the standard has, too."""

from __future__ import annotations

from ....compiler.dims import product
from ....compiler.ir import Value
from ....compiler.ops.activation import LogSoftmax, Softmax
from ....compiler.ops.shape import Reshape
from .lowering import Build, improve


@improve(Reshape)
def softmax_without_reshapes(op: Reshape, e: Build) -> None:
    """A softmax between reshapes that drop axes of size one and bring them back: along its axis in the whole shape."""
    match op.x:
        case Value(Softmax(x=Value(Reshape(x=x))) | LogSoftmax(x=Value(Reshape(x=x))) as inner) if (
            x.type == op.result.type and op.x.has_one_use
        ):
            axis = _same_axis(inner, x)
            if axis is not None:
                e.replace(e(type(inner), x, axis=axis))
        case _:
            return


def _same_axis(inner: Softmax | LogSoftmax, x: Value) -> int | None:
    """Return which axis of ``x`` is the one along which is normalised; None if it is none of them alone."""
    folded, axis = inner.x.type.shape, inner.axis
    behind = product(folded[axis + 1 :])
    shape = x.type.shape
    found = [i for i, d in enumerate(shape) if d == folded[axis] and product(shape[i + 1 :]) == behind]
    return found[0] if found else None

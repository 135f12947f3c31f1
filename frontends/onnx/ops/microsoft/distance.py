"""Handlers of distances between the rows of two matrices."""

from __future__ import annotations

from .....compiler.ir import Value
from .....compiler.ops.arith import Sqrt, SquaredDifference
from .....compiler.ops.reduce import Reduce
from ...emitter import Emitter
from ...registry import onnx_op
from .domain import MICROSOFT

METRICS = ("sqeuclidean", "euclidean")


@onnx_op("CDist", since=1, domain=MICROSOFT)
def cdist(emit: Emitter, a: Value, b: Value, *, metric: str = "sqeuclidean") -> Value:
    """Distances of all rows to all rows, from differences: products would lose what is close to each other."""
    if metric not in METRICS:
        raise emit.fail(f"has the metric {metric!r}, none of {', '.join(METRICS)}", code="F002")
    (rows, width), (others, _) = a.type.shape, b.type.shape
    wide = emit.reshape(a, (rows, 1, width)), emit.reshape(b, (1, others, width))
    squares = emit(Reduce(emit(SquaredDifference(*wide)), "sum", (2,), keepdims=False))
    return emit(Sqrt(squares)) if metric == "euclidean" else squares

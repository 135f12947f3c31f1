"""When two modules count as computing the same."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from nhwcc.compiler.diagnostics import CompileError
from nhwcc.compiler.interpreter import Observer, run
from nhwcc.compiler.ir import Module, Op
from nhwcc.compiler.types import Array, DType

TOLERANCES = {DType.F64: 1e-5, DType.F32: 2e-4, DType.F16: 1e-2, DType.BF16: 3e-2}
"""By the coarsest element type of a module, relative to the largest number of a result.

The digits of f64 count as few because targets may compute it as f32, and rules write 1/6 with seven digits.
"""


FAULTS = (
    *(CompileError, ArithmeticError, AssertionError, AttributeError),
    *(LookupError, StopIteration, TypeError, ValueError),
)
"""What modules raise that can't be built or run, and rewrites that take something for granted."""


def tolerance(module: Module) -> float:
    """The tolerance for results of a module, by the coarsest floating-point type in it."""
    values = [v for op in module.walk() for v in (*op.operands, *op.results) if v is not None]
    return max((TOLERANCES.get(v.type.dtype, 0.0) for v in values), default=0.0) or TOLERANCES[DType.F32]


def outputs(module: Module, inputs: Sequence[Array], observe: Observer | None = None) -> list[Array]:
    """Run a module on inputs in the source's order of axes, and return its results in that order."""
    main = module.main
    stored = [a if p.perm is None else a.transpose(p.perm) for a, p in zip(inputs, main.inputs, strict=True)]
    results = run(main, stored, observe)
    ports = zip(results, main.outputs, strict=True)
    return [a if p.perm is None else a.transpose(np.argsort(p.perm)) for a, p in ports]


def stays_finite(module: Module, inputs: Sequence[Array]) -> bool:
    """Whether nothing overflows or has no value on the way."""
    finite = True

    def look(op: Op, results: Sequence[Array]) -> None:
        nonlocal finite
        finite &= all(a.dtype.kind not in "fcV" or bool(np.isfinite(a).all()) for a in results)

    run(module.main, inputs, look)
    return finite


def evaluate_as(module: Module, inputs: Sequence[Array], observe: Callable[[Array], None] | None = None) -> list[Array]:
    """Evaluate a module in the floating-point type of its inputs instead of its own, operation by operation."""
    floats = [a.dtype for a in inputs if a.dtype.kind == "f"]
    values = dict(zip(module.main.args, inputs, strict=True))
    for op in module.main.ops:
        if op.spec.is_terminator or op.spec.evaluate is None:
            break
        with np.errstate(all="ignore"):
            made = op.spec.evaluate(*(None if v is None else values[v] for v in op.operands), **op.attributes)
        for result, array in zip(op.results, made if isinstance(made, tuple) else (made,), strict=True):
            values[result] = (
                np.asarray(array).astype(floats[0]) if np.asarray(array).dtype.kind == "f" and floats else array
            )
            if observe is not None:
                observe(values[result])
    return [np.asarray(values[v]) for v in module.main.returns]


def difference(got: Sequence[Array], want: Sequence[Array], relative: float) -> str | None:
    """Say where results differ, None if they agree.

    Integers and truth values must be equal.  Of floating-point numbers those count that the original makes finite:
    where it makes infinity or NaN, rounding or another order may make something else.
    """
    for g, w in zip(got, want, strict=True):
        if g.shape != w.shape or g.dtype != w.dtype:
            return f"{g.dtype}{list(g.shape)} instead of {w.dtype}{list(w.shape)}"
        wrong = _wrong(g, w, relative)
        if wrong.any():
            at = tuple(int(i) for i in np.argwhere(wrong)[0])
            return f"{g[at]!r} instead of {w[at]!r} at {list(at)} ({int(wrong.sum())} of {w.size} elements)"
    return None


def _wrong(g: Array, w: Array, relative: float) -> Array:
    """Which elements differ."""
    if DType.of(w.dtype).is_complex:
        g, w = g.astype(np.complex128), w.astype(np.complex128)
    elif DType.of(w.dtype).is_float:
        g, w = g.astype(np.float64), w.astype(np.float64)
    else:
        return np.asarray(g != w)
    finite = np.isfinite(w)
    largest = float(np.abs(w[finite]).max()) if finite.any() else 0.0
    with np.errstate(all="ignore"):
        return np.asarray(finite & ~(np.abs(g - w) <= relative * max(largest, 0.1)))

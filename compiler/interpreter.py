"""The reference interpreter: runs IR at any stage with each operation's own numpy semantics."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any, cast

import numpy as np

from .budget import check_time
from .diagnostics import counted, error
from .dims import Sym, solve, static, substitute
from .ir import Func, Op, Region, Value
from .opdef import evaluate
from .ops.bound import BindSizes
from .types import Array, DType, TensorType

Observer = Callable[[Op, Sequence[Array]], None]


def bind_sizes(args: Sequence[Value], arrays: Sequence[Array]) -> dict[str, int]:
    """Find the named sizes that make the types of ``args`` those of ``arrays``.

    Raises:
        CompileError: R002, a shape or element type doesn't fit.
    """
    sizes: dict[str, int] = {}
    for arg, array in zip(args, arrays, strict=True):
        fits = len(arg.type.shape) == array.ndim and all(
            solve(d, n, sizes) for d, n in zip(arg.type.shape, array.shape, strict=True)
        )
        if not fits or arg.type.dtype.numpy != array.dtype:
            raise error(
                "R002", f"{arg.name or 'an argument'} is {arg.type}, but was given {array.dtype}{list(array.shape)}"
            )
    return sizes


def run(func: Func, inputs: Mapping[str, Array] | Sequence[Array], observe: Observer | None = None) -> list[Array]:
    """Evaluate ``func`` on numpy inputs, by position or by the names of its inputs.

    ``observe`` sees each operation with its results; values are forgotten after their last use.

    Raises:
        CompileError: R001, an operation has no reference semantics; R002, an input doesn't fit.
    """
    if isinstance(inputs, Mapping) and (missing := [p.name for p in func.inputs if p.name not in inputs]):
        raise error("R002", f"@{func.name} needs {', '.join(missing)}, but was given {', '.join(inputs) or 'nothing'}")
    given = [inputs[p.name] for p in func.inputs] if isinstance(inputs, Mapping) else list(inputs)
    if len(given) != len(func.args):
        raise error("R002", f"@{func.name} takes {counted(len(func.args), 'input')}, but was given {len(given)}")
    return _Interpreter(bind_sizes(func.args, given), observe).region(func.body, given, {})


class _Interpreter:
    def __init__(self, sizes: dict[str, int], observe: Observer | None) -> None:
        self.sizes = sizes
        self.observe = observe

    def region(self, region: Region, arguments: Sequence[Array], outer: dict[Value, Array]) -> list[Array]:
        """Run a region; it may read the values of ``outer``."""
        env = dict(outer)
        env.update(zip(region.args, arguments, strict=True))
        last_use = _last_uses(region)
        for op in region.ops:
            if op.spec.is_terminator:
                return [env[v] for v in op.operands if v is not None]
            results = self._op(op, env)
            env.update(zip(op.results, results, strict=True))
            if self.observe is not None:
                self.observe(op, results)
            for value in last_use.get(op, ()):
                env.pop(value, None)
        raise error("I002", "a region does not end in a return")

    def _op(self, op: Op, env: dict[Value, Array]) -> list[Array]:
        check_time("the reference interpreter")
        operands = [None if v is None else env[v] for v in op.operands]
        attributes = {k: _concrete(v, self.sizes) for k, v in op.attributes.items()}
        regions = {name: partial(self._call, r, env) for name, r in zip(op.spec.regions, op.regions, strict=True)}
        results = evaluate(op, operands, attributes | regions)
        for value, array in zip(op.results, results, strict=True):
            self._check(op, value, array)
        if isinstance(op, BindSizes):
            self.sizes |= op.bound(cast(Array, operands[0]), self.sizes)
        return results

    def _call(self, region: Region, env: dict[Value, Array], *arguments: Array) -> list[Array]:
        """Run a region; sizes that it names have other numbers in the next turn of a loop."""
        outer = dict(self.sizes)
        for arg, array in zip(region.args, arguments, strict=True):
            for declared, actual in zip(arg.type.shape, array.shape, strict=True):
                if isinstance(declared, Sym) and declared.expr.is_Symbol:
                    self.sizes.setdefault(str(declared), actual)
        try:
            return self.region(region, arguments, env)
        finally:
            self.sizes = outer

    def _check(self, op: Op, value: Value, array: Array) -> None:
        """A result must have the shape that inference promised; unbound names are bound by what comes out."""
        shape = value.type.shape
        if len(shape) != array.ndim or not all(
            _fits(d, n, self.sizes) for d, n in zip(shape, array.shape, strict=True)
        ):
            raise op.fail("R003", f"the result has shape {list(array.shape)}, but inference says {value.type}")


def _fits(declared: object, actual: int, sizes: dict[str, int]) -> bool:
    """Compare, or bind a name; one that data decides about can be zero, which the names of inputs' sizes can't."""
    if not isinstance(declared, Sym):
        return declared == actual
    if actual == 0 and declared.expr.is_Symbol and str(declared.expr) not in sizes:
        sizes[str(declared.expr)] = 0
    return solve(declared, actual, sizes)


def _concrete(value: object, sizes: dict[str, int]) -> object:
    return substitute(cast(Any, value), sizes) if isinstance(value, Sym | tuple) else value


def _last_uses(region: Region) -> dict[Op, list[Value]]:
    """The values of this region that nobody reads after an operation, by that operation."""
    seen: set[Value] = set()
    out: dict[Op, list[Value]] = {}
    kept = {v for op in region.ops for r in op.regions for inner in r.walk() for v in inner.operands if v is not None}
    for op in reversed(region.ops):
        for value in dict.fromkeys(v for v in op.operands if v is not None):
            if value not in seen and value not in kept:
                seen.add(value)
                out.setdefault(op, []).append(value)
    return out


def random_inputs(
    func: Func, *, seed: int = 0, sizes: Mapping[str, int] | None = None, default: int = 2
) -> list[Array]:
    """Seeded inputs for all arguments: normal floats, small non-negative integers, fair booleans.

    Named sizes become ``sizes[name]``, or ``default``.
    """
    rng = np.random.default_rng(seed)
    names = {n for a in func.args for d in a.type.shape if isinstance(d, Sym) for n in d.names}
    known = {n: (sizes or {}).get(n, default) for n in names}
    return [random_tensor(a.type.with_shape(substitute(a.type.shape, known)), rng) for a in func.args]


def random_tensor(type: TensorType, rng: np.random.Generator, bound: int = 4) -> Array:
    """Normal floats, integers from 0 to below ``bound``, fair booleans; all sizes must be numbers.

    Raises:
        CompileError: R001, there are no random elements of this type.
    """
    shape, dtype = static(type.shape), type.dtype
    if dtype is DType.BOOL:
        return np.asarray(rng.random(shape) < 0.5)
    if dtype.is_int:
        return np.asarray(rng.integers(0, bound, shape), dtype.numpy)
    if dtype.is_complex:
        return np.asarray(rng.standard_normal(shape) + 1j * rng.standard_normal(shape), dtype.numpy)
    if dtype.is_float:
        return np.asarray(rng.standard_normal(shape), dtype.numpy)
    raise error("R001", f"there are no random values of type {type}", help="give data of your own")

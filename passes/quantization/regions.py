"""Which operations compute with integers: those with weights, and what lies between them."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from ...compiler.fold import constant
from ...compiler.ir import Func, Op, Value
from ...compiler.ops.index import ArgMax, ArgMin
from ...compiler.scales import Demands, IntegerKernels
from ...compiler.types import DType
from .names import is_number


@dataclass(frozen=True)
class Kernel:
    """How an operation computes with integers: a kernel with demands, or None for what moves and compares only."""

    demands: Demands | None

    @property
    def is_weighted(self) -> bool:
        """Whether the kernel multiplies what it reads by constant weights."""
        return self.demands is not None and self.demands.weight is not None


def slot_of(op: Op, name: str) -> int:
    """Return the position of an operand by its name; none before it is variadic."""
    return op.spec.operands.index(name)


def weight_of(op: Op, demands: Demands) -> Value | None:
    """Return the constant weight of an operation; None without one."""
    return None if demands.weight is None else getattr(op, demands.weight)


def data_operands(op: Op, kernel: Kernel) -> list[tuple[int, Value]]:
    """Return the slots and operands that are integers of the data's kind, constant or not: no weights, no biases."""
    demands = kernel.demands
    apart = [] if demands is None else [getattr(op, n) for n in (demands.weight, demands.bias) if n is not None]
    return [
        (slot, v)
        for slot, v in enumerate(op.operands)
        if v is not None and v.type.dtype is DType.F32 and not any(v is other for other in apart)
    ]


def integer_ops(
    func: Func, kernels: IntegerKernels, is_kept: Callable[[Op], bool], dtype: DType = DType.I8
) -> dict[Op, Kernel]:
    """Return the operations of a function that shall compute with integers of a type, in its order.

    Those with weights do; others where all that they read is integers, and somebody reads integers of them.  So what
    computes in floats anyway, such as the inside of a norm with all that leads to it, is not rounded in between.
    ``is_kept`` says which operations stay in floats.
    """
    found: dict[Op, Kernel] = {}
    for op in func.ops:
        kernel = None if is_kept(op) else _kernel(op, kernels, dtype)
        if kernel is not None and (kernel.is_weighted or _reads_integers(op, kernel, found)):
            found[op] = kernel
    while True:
        unread = [op for op, kernel in found.items() if not _is_worth(op, kernel, found)]
        if not unread:
            return found
        for op in unread:
            del found[op]
        stranded = [op for op, k in found.items() if not k.is_weighted and not _reads_integers(op, k, found)]
        for op in stranded:
            del found[op]


def _is_worth(op: Op, kernel: Kernel, found: Iterable[Op]) -> bool:
    """Whether integers of an operation are read, or it has weights and reads integers.

    One by itself between floats would round on either side for its own sake: it keeps more digits by its own ranges.
    """
    return _is_read(op, found) or (kernel.is_weighted and _reads_integers(op, kernel, found))


def _kernel(op: Op, kernels: IntegerKernels, dtype: DType) -> Kernel | None:
    if not op.results or not all(is_number(r) for r in op.results):
        return None
    demands = kernels.demands(op)
    if demands is not None and not demands.is_slow and dtype in demands.types:
        return Kernel(demands) if _has_constants(op, demands) and _computed(op, Kernel(demands)) else None
    return Kernel(None) if kernels.keeps_scales(op) else None


def _has_constants(op: Op, demands: Demands) -> bool:
    """Whether weight and bias, where there are such, are constants of floats."""
    weight = weight_of(op, demands)
    bias = getattr(op, demands.bias) if demands.bias is not None else None
    return all(v is None or (constant(v) is not None and v.type.dtype is DType.F32) for v in (weight, bias))


def _computed(op: Op, kernel: Kernel) -> list[Value]:
    """The operands of an operation that are no constants."""
    return [v for _, v in data_operands(op, kernel) if constant(v) is None]


def _reads_integers(op: Op, kernel: Kernel, found: Iterable[Op]) -> bool:
    """Whether what an operation reads is computed by others on integers, given from outside, or constant."""
    computed = _computed(op, kernel)
    return bool(computed) and all(v.owner is None or v.owner in found for v in computed)


def _is_read(op: Op, found: Iterable[Op]) -> bool:
    """Whether integers of an operation are read by another one, searched, or a result of the function."""
    return any(
        user in found or user.spec.is_terminator or isinstance(user, ArgMax | ArgMin)
        for r in op.results
        for user in r.users
    )

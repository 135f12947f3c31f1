"""keep-outputs: gives outputs tensors of their own that the GPU's accelerator would lose."""

from __future__ import annotations

from ....compiler.fold import constant
from ....compiler.ir import Module, Op, Value
from ....compiler.ops.arith import Add, Mul
from ....compiler.ops.core import Const
from ....compiler.ops.linear import Linear
from ....compiler.ops.shape import Pad
from ....compiler.ops.window import Conv, ConvTranspose
from ....compiler.pipeline import Pass, register
from ....compiler.types import DType
from ....compiler.weights import Weight

PRODUCTS = (Conv, ConvTranspose, Linear)


@register("keep-outputs")
class KeepOutputs(Pass):
    """Return products with one in place of outputs that the next operation is merged with, and of repeated ones.

    The accelerator merges sums and products with constants into convolutions beside them, and paddings into what reads
    them. It does not notice that what lies between is an output, whose buffer then stays as it was.
    """

    def run(self, module: Module) -> None:
        """Look at every output of the main function."""
        func = module.main
        end, returned = func.body.terminator, list(func.returns)
        lost = [v.type.dtype is DType.F32 and (returned.count(v) > 1 or _is_merged(v, end)) for v in returned]
        for slot, value in enumerate(returned):
            if not lost[slot]:
                continue
            one = Const(Weight.splat(1.0, DType.F32, ()))
            copy = Mul(value, one.results[0])
            func.body.insert(one, end)
            func.body.insert(copy, end)
            end.set_operand(slot, copy.result)
            copy.result.name, value.name = value.name, None


def _is_merged(value: Value, end: Op) -> bool:
    """Whether the only operation that reads an output is computed in one kernel with the one that writes it."""
    readers = [use.op for use in value.uses if use.op is not end]
    if len(readers) != 1 or value.owner is None:
        return False
    writer, reader = value.owner, readers[0]
    return (
        isinstance(writer, Pad)
        or (isinstance(writer, PRODUCTS) and _by_constant(reader))
        or (_by_constant(writer) and isinstance(reader, PRODUCTS))
    )


def _by_constant(op: Op) -> bool:
    return isinstance(op, Add | Mul) and any(constant(v) is not None for v in (op.a, op.b))

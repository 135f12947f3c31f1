"""Inputs and outputs of 64 bits, in 32: devices have no larger integers, and what they count fits."""

from __future__ import annotations

from ....compiler.diagnostics import Remark, remark
from ....compiler.ir import Module, Port, Value
from ....compiler.ops.arith import Cast
from ....compiler.types import DType


def narrow_interface(title: str, module: Module) -> None:
    """Give inputs and outputs of i64 the type i32, with conversions inside, and say so."""
    func = module.main
    for port, arg in zip(func.inputs, func.args, strict=True):
        if arg.type.dtype is DType.I64:
            _narrow_input(module, arg)
            _say(title, "input", port)
    end = func.body.terminator
    for slot, (port, value) in enumerate(zip(func.outputs, func.returns, strict=True)):
        if value.type.dtype is DType.I64:
            narrow = Cast(value, to=DType.I32)
            func.body.insert(narrow, end)
            narrow.result.name, value.name = value.name, None
            end.set_operand(slot, narrow.result)
            _say(title, "output", port)


def _narrow_input(module: Module, arg: Value) -> None:
    uses = arg.uses
    arg.type = arg.type.with_dtype(DType.I32)
    wide = Cast(arg, to=DType.I64)
    module.main.body.insert(wide, module.main.ops.first)
    for use in uses:
        use.op.set_operand(use.slot, wide.result)


def _say(title: str, side: str, port: Port) -> None:
    text = f"the {side} {port.name} is i32 in the file: {title} has no integers of 64 bits"
    remark(Remark("warning", "legalize", text))

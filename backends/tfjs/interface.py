"""Inputs and outputs of small integers, which are tensors of 32 bits."""

from __future__ import annotations

from ...compiler.diagnostics import Remark, remark
from ...compiler.ir import Module, Port, Value
from ...compiler.ops.arith import Cast
from ...compiler.types import DType
from .elements import SMALL


def narrow_interface(title: str, module: Module) -> None:
    """Give inputs and outputs of small integers the type i32, with conversions inside, and say so."""
    func = module.main
    for port, arg in zip(func.inputs, func.args, strict=True):
        if arg.type.dtype in SMALL:
            _say(title, "input", port, arg)
            _widen_input(module, arg)
    end = func.body.terminator
    for slot, (port, value) in enumerate(zip(func.outputs, func.returns, strict=True)):
        if value.type.dtype in SMALL:
            _say(title, "output", port, value)
            wide = Cast(value, to=DType.I32)
            func.body.insert(wide, end)
            wide.result.name, value.name = value.name, None
            end.set_operand(slot, wide.result)


def _widen_input(module: Module, arg: Value) -> None:
    """Read an input as it comes where it is converted anyway, and as the type that it had everywhere else."""
    dtype, uses = arg.type.dtype, arg.uses
    arg.type = arg.type.with_dtype(DType.I32)
    others = [use for use in uses if not (isinstance(use.op, Cast) and use.op.to.holds(dtype))]
    if others:
        narrow = Cast(arg, to=dtype)
        module.main.body.insert(narrow, module.main.ops.first)
        for use in others:
            use.op.set_operand(use.slot, narrow.result)


def _say(title: str, side: str, port: Port, value: Value) -> None:
    text = f"the {side} {port.name} is i32 in the file: {title} has no tensors of {value.type.dtype}"
    remark(Remark("warning", "legalize", text))

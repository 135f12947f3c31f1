"""How closely numbers can agree: networks that round to narrow types differ in the last step whoever runs them."""

from __future__ import annotations

from nhwcc.compiler.dims import Sym
from nhwcc.compiler.fold import constant
from nhwcc.compiler.ir import Func, Module, Op, Value
from nhwcc.compiler.ops.arith import Cast
from nhwcc.compiler.ops.core import Const
from nhwcc.compiler.ops.quantize import Dequantize, Quantize, RoundDynamic
from nhwcc.compiler.ops.recurrent import Lstm
from nhwcc.compiler.traits import Moves
from nhwcc.compiler.types import DType

STEPS = 4
"""How many steps of the narrowest type two results may be apart."""

_STEP = {DType.F16: 2.0**-10, DType.BF16: 2.0**-7}


def attainable(program: Module | Func) -> tuple[float, DType | None]:
    """Return the error, relative to the largest value, that rounding may make, and the type rounded to; 0 for none.

    Integers count where they stand for numbers; constants in narrow types don't, since nothing is rounded to them.
    """
    found: dict[DType, float] = {}
    for op in program.walk():
        for value in op.results:
            dtype = value.type.dtype
            if isinstance(op, Quantize) or _quantizes(op):
                found[dtype] = 2.0**-dtype.bits
            elif isinstance(op, RoundDynamic) or (isinstance(op, Lstm) and op.rounds_state):
                found[DType.I8] = 2.0**-DType.I8.bits
            elif dtype in _STEP and not isinstance(op, Const):
                found[dtype] = _STEP[dtype]
    coarsest = max(found, key=lambda d: found[d], default=None)
    return (0.0, None) if coarsest is None else (STEPS * found[coarsest], coarsest)


def output_steps(program: Module | Func) -> dict[str, float]:
    """Return how much one step is of each output that is made of integers of 8 bits, by its name.

    Integers may use a small part of their range, so that a step is more than :func:`attainable` says.
    """
    func = program.main if isinstance(program, Module) else program
    steps = {port.name: _step_of(value) for port, value in zip(func.outputs, func.returns, strict=True)}
    return {name: step for name, step in steps.items() if step}


def _step_of(value: Value) -> float:
    """Return the scale of the integers that a value stands for, behind what only moves it; 0 if there is none."""
    op = value.owner
    while op is not None and op.spec.has(Moves) and len(op.operands) == 1 and op.operands[0] is not None:
        op = op.operands[0].owner
    if not isinstance(op, Dequantize) or op.x.type.dtype.bits > 8:
        return 0.0
    weight = constant(op.scale)
    return 0.0 if weight is None else float(weight.array().max(initial=0))


def single_sequences(program: Module | Func) -> dict[str, int]:
    """Return a size of one for the batches of recurrent layers that round their states.

    How onnxruntime rounds a sequence depends on the others that the same thread runs.
    """
    batches = (op.batch for op in program.walk() if isinstance(op, Lstm) and op.rounds_state)
    return {str(size): 1 for size in batches if isinstance(size, Sym) and size.expr.is_Symbol}


def _quantizes(op: Op) -> bool:
    """Whether an operation turns computed floats into integers of 8 bits that something is computed with."""
    if not isinstance(op, Cast) or op.to not in (DType.I8, DType.U8) or not op.x.type.dtype.is_float:
        return False
    return any(not user.spec.is_terminator for user in op.result.users)

"""Parts of a network: some of its operations, whatever lies between them; every part is a network of its own."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from itertools import count

from nhwcc.compiler.clone import clone_func
from nhwcc.compiler.ir import Func, Module, Op, Port, Value
from nhwcc.compiler.ops.core import Const, Return


def steps(func: Func) -> list[Op]:
    """Return the operations that count: neither constants nor the return."""
    return [op for op in func.ops if not isinstance(op, Const) and not op.spec.is_terminator]


def part_of(module: Module, kept: Collection[int]) -> Module:
    """Return the main function with only the operations of these numbers.

    What they read of others becomes an input; what others read of them, and what nothing reads, becomes an output.
    """
    func = clone_func(module.main)
    mine = {op for number, op in enumerate(steps(func)) if number in kept}
    outputs = [value for op in func.ops if op in mine for value in op.results if _leaves(value, mine)]
    names = _names(func)
    body, new = func.body, list[Value]()
    body.erase(body.terminator)
    for op in reversed(body.ops):
        if op in mine or (isinstance(op, Const) and not op.is_unused):
            continue
        for value in op.results:
            if value.uses:
                argument = Value(value.type, name=value.name)
                value.replace_all_uses_with(argument)
                new.append(argument)
        body.erase(op)
    args = dict(zip(func.args, func.inputs, strict=True)) | {arg: Port(next(names)) for arg in reversed(new)}
    used = {arg: port for arg, port in args.items() if arg.uses}
    func.body.args, func.inputs = list(used), list(used.values())
    body.insert(Return(tuple(outputs)))
    func.outputs = [Port(next(names)) for _ in outputs]
    return Module(func)


def bypassed(module: Module, number: int, operand: int) -> Module | None:
    """Return a module in which an operand takes the place of an operation's only result; None if types differ."""
    func = clone_func(module.main)
    op = steps(func)[number]
    value = op.operands[operand]
    if value is None or len(op.results) != 1 or value.type != op.result.type:
        return None
    op.result.replace_all_uses_with(value)
    func.body.erase(op)
    return part_of(Module(func), range(len(steps(func))))


def with_outputs(module: Module, kept: Collection[int]) -> Module:
    """Return a module that gives only some of its outputs, and computes only what these need."""
    func = clone_func(module.main)
    body, returns = func.body, func.returns
    body.erase(body.terminator)
    body.insert(Return(tuple(value for number, value in enumerate(returns) if number in kept)))
    func.outputs = [port for number, port in enumerate(func.outputs) if number in kept]
    for op in reversed(body.ops):
        if not op.spec.is_terminator and op.is_unused:
            body.erase(op)
    used = {a: p for a, p in zip(func.args, func.inputs, strict=True) if a.uses}
    body.args, func.inputs = list(used), list(used.values())
    return Module(func)


def _leaves(value: Value, mine: Collection[Op]) -> bool:
    """Say whether something outside reads a value, or nothing at all."""
    return not value.uses or any(_outermost(use.op) not in mine for use in value.uses)


def _outermost(op: Op) -> Op:
    """Return the operation of the function itself that holds an operation."""
    while op.parent is not None and isinstance(op.parent.owner, Op):
        op = op.parent.owner
    return op


def _names(func: Func) -> Iterator[str]:
    """Yield names that no input has."""
    taken = {port.name for port in func.inputs}
    return (name for name in (f"t{number}" for number in count()) if name not in taken)

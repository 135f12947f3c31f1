"""Loops whose values grow from nothing: TFLite's WHILE fails where the first axis is empty before it, no other one."""

from __future__ import annotations

from ...compiler.diagnostics import at
from ...compiler.dims import at_least
from ...compiler.ir import Module, Op, Value
from ...compiler.ops.control import While
from ...compiler.ops.shape import Reshape


def give_leading_axes(module: Module) -> None:
    """Let loops carry such values with an axis of size one in front."""
    for op in list(module.walk()):
        if isinstance(op, While):
            for place in range(len(op.values)):
                if _begins_with_nothing(op, place):
                    with at(op.location):
                        _give_leading_axis(op, place)


def _begins_with_nothing(op: While, place: int) -> bool:
    """Whether rounds change the first size of a value, which may be 0 before the first round."""
    before, taken = op.values[place].type, op.body.args[place].type
    return bool(before.rank) and before.shape[0] != taken.shape[0] and not at_least(before.shape[0], 1)


def _give_leading_axis(op: While, place: int) -> None:
    assert op.parent is not None
    op.set_operand(place, op.parent.insert(_reshaped(op.values[place]), before=op).results[0])
    for region in op.regions:
        old = region.args[place]
        new = region.args[place] = Value(old.type.with_shape((1, *old.type.shape)), None, old.name)
        back = region.insert(Reshape(new, old.type.shape), before=region.ops.first)
        old.replace_all_uses_with(back.results[0])
    end = op.body.terminator
    end.set_operand(place, op.body.insert(_reshaped(op.body.returns[place]), before=end).results[0])
    result = op.results[place]
    shape, result.type = result.type.shape, result.type.with_shape((1, *result.type.shape))
    whole = op.parent.insert(Reshape(result, shape), before=op.after)
    name = result.name
    result.replace_all_uses_with(whole.results[0])
    whole.set_operand(0, result)
    result.name, whole.results[0].name = None, name


def _reshaped(value: Value) -> Op:
    return Reshape(value, (1, *value.type.shape))

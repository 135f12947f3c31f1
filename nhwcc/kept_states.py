"""States that a file keeps from call to call, and what they hold before the first one."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from nhwcc.compiler.diagnostics import Remark, error, remark
from nhwcc.compiler.dims import is_static
from nhwcc.compiler.ir import Func
from nhwcc.compiler.types import Array, TensorType
from nhwcc.compiler.weights import Weight

if TYPE_CHECKING:
    from nhwcc.runners import Runner


def first_states(func: Func, source: Runner) -> dict[str, Weight]:
    """Return what states hold before the first call, by their names, with their axes as the function has them.

    States are the inputs that are outputs, too, and with which the source begins.

    Raises:
        CompileError: L007, one has an open size, so that no file can hold what it begins with.
    """
    ports = {port.name: (port, arg.type) for port, arg in zip(func.inputs, func.args, strict=True)}
    outputs = {port.name for port in func.outputs}
    begin = source.first({name: _zeros(port.source_type(type)) for name, (port, type) in ports.items()})
    found: dict[str, Weight] = {}
    for name, array in begin.items():
        if name not in ports or name not in outputs:
            continue
        port, type = ports[name]
        if not is_static(type.shape):
            text = f"the state {name!r} of type {type} has an open size, so that no file holds what it begins with"
            raise error("L007", text, help="fix the size by --shape, or say --state io")
        laid = array if port.perm is None else array.transpose(port.perm)
        found[name] = Weight.of(np.ascontiguousarray(laid))
    if found:
        remark(Remark("note", "state", f"the file keeps {', '.join(found)} from call to call"))
    else:
        remark(Remark("warning", "state", "there is no state that the file could keep"))
    return found


def _zeros(type: TensorType) -> Array:
    """Return an input of whatever size: of those that stay open, states can't depend."""
    return np.zeros(tuple(d if isinstance(d, int) else 1 for d in type.shape), type.dtype.numpy)

"""Handlers of variables, whose values outlive a call."""

from __future__ import annotations

from ....compiler.ir import Value
from ..emitter import Emitter
from ..handles import Handle
from ..registry import builtin


@builtin("VAR_HANDLE", "VarHandleOptions", integers="raw")
def var_handle(emit: Emitter, *, container: str = "", shared_name: str = "") -> Handle:
    """The handle of a variable, by its name."""
    return Handle("variable", f"{container}/{shared_name}" if container else shared_name)


@builtin("READ_VARIABLE", "ReadVariableOptions", integers="raw")
def read_variable(emit: Emitter, variable: Handle) -> Value:
    """READ_VARIABLE: what was stored into the variable last."""
    found = emit.around.read(variable)
    if found is None:
        help = "Its first value is stored by a subgraph that CALL_ONCE runs, or by another signature."
        raise emit.fail(f"reads the variable {variable.name!r}, in which nothing was stored", help=help)
    return found


@builtin("ASSIGN_VARIABLE", "AssignVariableOptions", integers="raw")
def assign_variable(emit: Emitter, variable: Handle, value: Value) -> tuple[Value, ...]:
    """ASSIGN_VARIABLE: stores a value that later reads and calls see."""
    emit.around.write(variable, value)
    return ()

"""Variables that a call changes: inputs and outputs of a function, or an error."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ...compiler.diagnostics import CompileError, error
from ...compiler.dims import is_static, static
from ...compiler.fold import constant
from ...compiler.ir import Func, Port, Value
from ...compiler.ops.core import Return
from ...compiler.states import state_names
from ...compiler.weights import Weight


@dataclass(frozen=True)
class Changed:
    """A variable that a call changes: what the call reads of it before, what it holds at first, what it holds at last.

    The first two are None where it is not read, and where nothing was stored before.
    """

    name: str
    read: Value | None
    first: Value | None
    last: Value


def refused_changes(names: Sequence[str]) -> CompileError:
    """Build the error that says that a call changes variables, which was not asked for."""
    help = (
        'state="io" (--state io) makes states inputs and outputs, which their user feeds back; '
        'state="keep" leaves them in variables of an OpenVINO file.'
    )
    return error("F031", f"the model changes its variables {', '.join(map(repr, names))}", help=help)


def end_with_states(func: Func, returns: Sequence[Value], states: Sequence[Changed]) -> dict[str, Weight]:
    """End a function; its states are inputs and outputs.  Return what they hold before the first call.

    Raises:
        CompileError: F004, that is computed.
    """
    taken = [p.name for p in (*func.inputs, *func.outputs)]
    names = state_names([state.name for state in states], taken)
    for name, state in zip(names, states, strict=True):
        func.args.append(state.read or Value(state.last.type, name=state.name))
        func.inputs.append(Port(name))
        func.outputs.append(Port(name))
    func.body.insert(Return((*returns, *(state.last for state in states))))
    return {name: _initial(state) for name, state in zip(names, states, strict=True)}


def _initial(state: Changed) -> Weight:
    """Return what a variable holds before the first call; zeros, if nothing was stored and nobody reads it."""
    weight, type = constant(state.first), state.last.type
    if weight is not None:
        return weight
    if state.first is not None or not is_static(type.shape):
        raise error("F004", f"what the variable {state.name!r} holds before the first call is computed")
    return Weight.splat(0, type.dtype, static(type.shape))

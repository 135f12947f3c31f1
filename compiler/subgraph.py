"""Changing what a function is about: the part between some of its values, numbers for named sizes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from .diagnostics import did_you_mean, error
from .dims import solve
from .ir import Func, Port, Region, Value
from .named_sizes import binds_unused, names_of
from .ops.bound import BindSizes
from .ops.core import Return


def cut(func: Func, inputs: Sequence[str] | None, outputs: Sequence[str] | None) -> None:
    """Reduce a function to the part between values, by their names or those of inputs and outputs; None: as they are.

    Raises:
        CompileError: F018, there is no such value, or the outputs also depend on other inputs.
    """
    values = _values(func)
    ends = dict(zip((p.name for p in func.outputs), func.returns, strict=True))
    read, written = ({port.name: port for port in ports} for ports in (func.inputs, func.outputs))
    if outputs is not None:
        ends = {name: ends.get(name) or _find("outputs", name, values, func) for name in outputs}
    starts = dict(zip((p.name for p in func.inputs), func.args, strict=True))
    if inputs is not None:
        chosen = {name: starts.get(name) or _find("inputs", name, values, func) for name in inputs}
        starts = {name: _start(value, name) for name, value in chosen.items()}
        given = dict(zip(chosen.values(), starts.values(), strict=True))
        ends = {name: given.get(value, value) for name, value in ends.items()}
    _reduce(func.body, list(starts.values()), list(ends.values()))
    func.inputs = [read.get(name) or Port(name) for name in starts]
    func.outputs = [written.get(name) or Port(name) for name in ends]


def _values(func: Func) -> dict[str, Value]:
    """The values of the function itself that have a name."""
    found = [*func.args, *(r for op in func.ops for r in op.results)]
    return {value.name: value for value in found if value.name is not None}


def _find(what: str, name: str, values: Mapping[str, Value], func: Func) -> Value:
    if name in values:
        return values[name]
    for op in func.ops:
        inside = (v for region in op.regions for inner in region.walk() for v in inner.results)
        if any(v.name == name for v in inside):
            text = f"{what}: {name!r} is inside of a region of {op.title}, where nothing can be cut"
            raise error("F018", text, help="Cut before or after the operation.")
    usual = [port.name for port in (func.outputs if what == "outputs" else func.inputs)]
    help = did_you_mean(name, [*usual, *values]) or f"The usual ones are {', '.join(usual)}."
    raise error("F018", f"{what}: there is no tensor {name!r} in the model", help=help)


def _start(value: Value, name: str) -> Value:
    """Let an argument stand for a value, unless it is one."""
    if value.owner is None:
        return value
    argument = Value(value.type, name=name)
    for use in value.uses:
        use.op.set_operand(use.slot, argument)
    return argument


def _reduce(body: Region, starts: list[Value], ends: list[Value]) -> None:
    """Keep what computes ``ends`` from ``starts``.

    Raises:
        CompileError: F018, they also depend on other arguments.
    """
    body.erase(body.terminator)
    body.insert(Return(tuple(ends)))
    used: set[str] = set()
    for op in reversed(body.ops):
        is_dead = binds_unused(op, used) if isinstance(op, BindSizes) else op.is_unused
        if not op.spec.is_terminator and is_dead:
            body.erase(op)
        else:
            used.update(name for each in (op, *(o for r in op.regions for o in r.walk())) for name in names_of(each))
    missing = [arg.name or "?" for arg in body.args if arg not in starts and arg.uses]
    if missing:
        text = f"the outputs also depend on the inputs {', '.join(missing)} of the model"
        raise error("F018", text, help="Add them to inputs, or cut them off as well.")
    body.args = starts


def open_sizes(func: Func) -> list[str]:
    """Return the named sizes of a function's inputs."""
    dims = (d for arg in func.args for d in arg.type.shape if not isinstance(d, int))
    return list(dict.fromkeys(name for d in dims for name in sorted(d.names)))


def chosen_sizes(func: Func, shapes: Mapping[str, Sequence[int | str] | int]) -> dict[str, int]:
    """Return the numbers that named sizes get from shapes of inputs and from numbers for sizes.

    Raises:
        CompileError: F018, there is no such input or size; F019, a shape is not one of the input's.
    """
    names, known = [port.name for port in func.inputs], open_sizes(func)
    sizes: dict[str, int] = {}
    for name, shape in shapes.items():
        if isinstance(shape, int) and name in known and name in names:
            raise error("F019", f"shapes: {name!r} is both an input and a size, and is given a number")
        if isinstance(shape, int) and name not in names:
            if name not in known:
                help = did_you_mean(name, [*known, *names]) or f"Sizes with a name are: {', '.join(known) or 'none'}."
                raise error("F018", f"shapes: there is no input {name!r}, and no size of this name is open", help=help)
            sizes[name] = shape
        else:
            if name not in names:
                help = did_you_mean(name, names) or f"The inputs are {', '.join(names)}."
                raise error("F018", f"shapes: there is no tensor {name!r} among the inputs", help=help)
            _match(name, func.args[names.index(name)], (shape,) if isinstance(shape, int) else shape, sizes)
    return sizes


def _match(name: str, arg: Value, shape: Iterable[int | str], sizes: dict[str, int]) -> None:
    """Learn sizes from the shape that an input is given."""
    given = tuple(shape)
    fits = len(given) == arg.type.rank and all(
        str(d) == e if isinstance(e, str) else solve(d, e, sizes) for d, e in zip(arg.type.shape, given, strict=True)
    )
    if not fits:
        text = f"the shape given for {name!r} is ({', '.join(map(str, given))}), but it is {arg.type}"
        raise error("F019", text, help="Only sizes with a name can be chosen here: the others are part of the model.")

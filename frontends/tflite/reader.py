"""Reading TFLite files: one signature whole, or what lies between some of its tensors."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path

from ...compiler.diagnostics import Remark, counted, error, remark
from ...compiler.ir import Func, Module, Port, Region, Value
from ...compiler.ops.core import Const
from ...compiler.ops.recurrent import Recurrent
from ...compiler.rewrite import erase_dead
from ...compiler.weights import Weight
from ...formats.tflite.contents import Contents, StoredGraph, read_contents
from ...formats.tflite.reader import Signature
from ..common.inputs import Shape, input_types, layout_perm
from ..common.states import Changed, end_with_states, refused_changes
from ..problems import Problems
from . import ops as _handlers  # noqa: F401 -- registers them  # pyright: ignore[reportUnusedImport]
from .importer import Importer, Scope
from .inputs import Interface
from .quantization import hybrid_builtins
from .registry import HANDLERS
from .schedule import read_tensors


@dataclass(frozen=True)
class Program:
    """A module, and what the states that became its inputs hold in a first call, by the inputs' names.

    ``rounded`` counts the operators that TFLite computes otherwise than exactly, by how it does: see ``ROUNDED``.
    """

    module: Module
    states: Mapping[str, Weight]
    rounded: Mapping[str, int]


def import_tflite(
    source: Path | str | bytes,
    *,
    shapes: Mapping[str, Shape | int] | None = None,
    inputs: Sequence[str] | None = None,
    outputs: Sequence[str] | None = None,
    allow_custom_ops: bool = False,
    signature: str | None = None,
) -> Module:
    """Read a TFLite file: a path, or the bytes of a file.

    ``shapes`` replaces the stated shapes of inputs; a string is the name of a size that stays open, and a number in
    the place of a shape is what a named size is to be.  ``inputs`` and ``outputs`` cut out the part between these
    tensors.  Of several signatures, ``signature`` chooses one, else it is the first.  With ``allow_custom_ops``
    unknown operators become custom ones, of the types that the file states.

    Raises:
        CompileError: the file can't be read or is not supported; codes R010 and F001 to F031, all problems at once.
    """
    return read_tflite(
        source,
        shapes=shapes,
        inputs=inputs,
        outputs=outputs,
        allow_custom_ops=allow_custom_ops,
        signature=signature,
    ).module


def read_tflite(
    source: Path | str | bytes,
    *,
    shapes: Mapping[str, Shape | int] | None = None,
    inputs: Sequence[str] | None = None,
    outputs: Sequence[str] | None = None,
    allow_custom_ops: bool = False,
    signature: str | None = None,
    keeps_state: bool = False,
    rounds: bool = False,
) -> Program:
    """Read a TFLite file as :func:`import_tflite` does; with ``keeps_state``, variables become inputs and outputs.

    With ``rounds``, kernels that round what they multiply by weights of few bits do so in the operations, too, unless
    there are some that no operation of ours stands for.

    Raises:
        CompileError: as :func:`import_tflite`.
    """
    contents = read_contents(Path(source) if isinstance(source, str) else source)
    chosen = _signature(contents, signature)
    graph = contents.graphs[chosen.subgraph]
    starts = _find_all("inputs", inputs, graph, chosen)
    ends = _find_all("outputs", outputs, graph, chosen)
    _check_cut(graph, chosen, starts.values(), ends.values())
    layout = contents.summary.layouts.get(chosen.key) or {}
    types = input_types(Interface(graph, starts, layout.get("inputs", {})).declared, shapes or {})
    importer = Importer(contents, carries=allow_custom_ops, rounds=rounds and _can_round(contents))
    importer.resources.keeps_state = keeps_state
    args = {name: Value(type, name=name) for name, type in types.items()}
    importer.region = Region(args.values())
    scope = Scope(graph, {starts[name]: arg for name, arg in args.items()}, calls=(chosen.subgraph,))
    found = importer.run(scope, ends.values())
    importer.problems.raise_any()
    values = {name: v for name, v in zip(ends, found, strict=True) if isinstance(v, Value)}
    if len(values) < len(ends):
        raise error("F020", f"the output {next(n for n in ends if n not in values)!r} is not a tensor but a resource")
    ins = [Port(name, layout_perm(layout.get("inputs", {}), name)) for name in types]
    outs = [Port(name, layout_perm(layout.get("outputs", {}), name)) for name in values]
    func = Func("main", importer.region, ins, outs)
    states = _expose_variables(func, importer, list(values.values()))
    erase_dead(*reversed(func.ops))
    _warn_of_states(func)
    _report_rounding(importer.rounded)
    return Program(Module(func), states, importer.rounded)


def _can_round(contents: Contents) -> bool:
    """Whether the handlers of all builtins whose kernels round say so: with some of them nothing could be compared."""
    return all(HANDLERS[name].rounds for name in hybrid_builtins(contents))


def _signature(contents: Contents, name: str | None) -> Signature:
    """Return the signature that is meant; where there is none, the names of the first subgraph's tensors.

    Raises:
        CompileError: F018, there is none of that name; F011, the file has no subgraph.
    """
    if name is not None:
        return contents.summary.signature(name)
    there = contents.summary.signatures
    if len(there) > 1:
        keys = ", ".join(repr(s.key) for s in there)
        remark(Remark("warning", "import", f"the file has the signatures {keys}; the first one is read"))
    for first in there:
        return first
    graph = contents.graphs[0]
    return Signature("", 0, _named(graph, graph.inputs, "input"), _named(graph, graph.outputs, "output"))


def _named(graph: StoredGraph, numbers: Sequence[int], what: str) -> dict[str, int]:
    """Return tensors by name; those without a name, or with that of another, by their place."""
    found: dict[str, int] = {}
    for place, number in enumerate(numbers):
        name = graph.tensors[number].info.name
        while not name or name in found:
            name = f"{name or what}_{place}"
        found[name] = number
    return found


def _find_all(what: str, names: Sequence[str] | None, graph: StoredGraph, signature: Signature) -> dict[str, int]:
    """Return the numbers of the tensors at one side: those of the signature, or those with given names.

    Raises:
        CompileError: F018, there is no such tensor.
    """
    own = signature.inputs if what == "inputs" else signature.outputs
    if names is None:
        return dict(own)
    known = {t.info.name: i for i, t in enumerate(graph.tensors)} | signature.inputs | signature.outputs | own
    problems = Problems()
    for name in names:
        with problems.collect():
            if name not in known:
                close = get_close_matches(name, known, 1)
                help = f"Did you mean {close[0]!r}?" if close else f"The usual ones are {', '.join(own)}."
                raise error("F018", f"{what}: there is no tensor {name!r} in the model", help=help)
    problems.raise_any()
    return {name: known[name] for name in names}


def _check_cut(graph: StoredGraph, signature: Signature, starts: Iterable[int], ends: Iterable[int]) -> None:
    """Refuse a cut whose outputs also need inputs of the file that are not among the given ones.

    Raises:
        CompileError: F018.
    """
    needed = read_tensors(graph, ends, set(starts))
    missing = [name for name, number in signature.inputs.items() if number in needed]
    if missing:
        text = f"the outputs also depend on the inputs {', '.join(missing)} of the model"
        raise error("F018", text, help="Add them to inputs, or cut them off as well.")


def _expose_variables(func: Func, importer: Importer, returns: list[Value]) -> dict[str, Weight]:
    """End a function; variables that a call changes become inputs and outputs.

    Raises:
        CompileError: F031, it changes variables, and states are not asked for.
    """
    resources = importer.resources
    if not resources.keeps_state:
        lost = [h.name for h, last in resources.changed.items() if not isinstance(last.owner, Recurrent)]
        if lost:
            raise refused_changes(lost)
        return end_with_states(func, returns, [])
    for handle in resources.found:
        if handle not in resources.changed:
            resources.found[handle].replace_all_uses_with(resources.first[handle])
    changed = resources.changed.items()
    states = [Changed(h.name, resources.found.get(h), resources.first.get(h), last) for h, last in changed]
    return end_with_states(func, returns, states)


def _warn_of_states(func: Func) -> None:
    """Say what differs from the file's own meaning: the kernels of recurrent layers go on where the last call ended."""
    count = sum(isinstance(op, Recurrent) and _begins_anew(op) for op in func.walk())
    if count:
        who = "1 recurrent layer begins" if count == 1 else f"{count} recurrent layers begin"
        text = f"{who} with zeros in every call, where TFLite goes on from the last one (see --state io)"
        remark(Remark("warning", "import", text))


ROUNDED = {
    "hybrid": "with weights of few bits and numbers that TFLite rounds, too, while it runs; here they are not",
    "integers": "with integers; what is computed with the numbers that they stand for may be a step apart",
}
"""What is said of operators that TFLite computes otherwise than exactly."""


def _report_rounding(found: Mapping[str, int]) -> None:
    """Say where the file's own numbers are rounded while it runs."""
    for how, count in found.items():
        remark(Remark("note", "import", f"{counted(count, 'operator')} {ROUNDED[how]}"))


def _begins_anew(op: Recurrent) -> bool:
    return op.h0 is None or (isinstance(op.h0.owner, Const) and not op.h0.owner.value.array().any())

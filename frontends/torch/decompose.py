"""Operators without a handler, written by those that have one: PyTorch knows how for most of its operators."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

from torch import fx
from torch.export import ExportedProgram

from ...compiler.diagnostics import error
from .functional import is_plain
from .nodes import is_control, is_size, live, overload_name, schema
from .opaque_rnn import whole_layers
from .refusals import REFUSALS, first_lines
from .registry import COMPLEX, find

ROUNDS = 5
"""How often what comes out is looked at again."""

Table = dict[Any, Callable[..., Any]]


def readable(program: ExportedProgram) -> ExportedProgram:
    """Return a program of operators that have handlers, as far as possible, whose in-place ones are assignments.

    Writing a program anew takes PyTorch longer than all else, so it is asked only where it must.
    """
    for _ in range(ROUNDS):
        table = decompositions(unknown(program.graph))
        if is_plain(program.graph) and not table:
            break
        written = _rewritten(program, table)
        if written is None:
            break
        program = written
    return program


def _rewritten(program: ExportedProgram, table: Table) -> ExportedProgram | None:
    """Let PyTorch write a program anew; None if it can't and the program can be read without that.

    Raises:
        CompileError: F030, the program can't be read without.
    """
    untyped: Any = program
    try:
        with whole_layers(), warnings.catch_warnings():
            warnings.simplefilter("ignore")  # what PyTorch says about itself
            return untyped.run_decompositions(table)
    except REFUSALS as bad:
        if is_plain(program.graph):
            return None
        text = f"PyTorch can't write the module without operators that overwrite tensors: {first_lines(bad)}"
        raise error("F030", text, help="Replace them in the module by others: y = x + 1 for x += 1.") from bad


def unknown(graph: fx.Graph) -> list[Any]:
    """Return the operators in a graph and the graphs inside of it that have no handler."""
    owner: Any = graph.owning_module
    inner = [m.graph for m in owner.children() if isinstance(m, fx.GraphModule)] if owner is not None else []
    own = [n for n in live(graph) if n.op == "call_function" and schema(n) is not None and not is_control(n)]
    names = ((n.target, overload_name(n)) for n in own if not is_size(n))
    missing = dict.fromkeys(target for target, name in names if find(name) is None and name not in COMPLEX)
    return [*missing, *(target for g in inner for target in unknown(g))]


def decompositions(operators: list[Any]) -> Table:
    """Return what PyTorch has to write operators by others; in-place ones become others by themselves."""
    if not operators:
        return {}
    import torch._decomp

    known: Any = torch.export.default_decompositions()
    own: Any = getattr(torch._decomp, "decomposition_table")  # noqa: B009 -- its type is only partly known
    found: Table = {}
    for operator in operators:
        if operator in known:
            found[operator] = known[operator]
        elif operator in own:
            found[operator] = own[operator]
    return found

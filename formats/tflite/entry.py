"""Which subgraph a file begins with: a copy of it that runs another signature than the first one.

Runtimes run the first subgraph unless an application calls a signature by its key; tools look into that one only.
"""

# the schema's generated views are untyped
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false
# pyright: reportUnknownParameterType=false, reportPrivateUsage=false

from __future__ import annotations

import shutil
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO

from ...compiler.diagnostics import error, reason
from .reader import inspect, opened
from .schema import fields_of_subgraphs

SUBGRAPHS, SIGNATURES, OWN_SUBGRAPH = 8, 18, 12
"""Where the schema has the subgraphs and the signatures of a model, and the subgraph of a signature."""

WORD = 4
"""Bytes of an offset, of a vector's length, and of a subgraph's number."""


def begin_with(path: Path, key: str, copy: Path) -> None:
    """Copy a file so that its first subgraph is that of a signature, which is the only one of the copy.

    Subgraphs that operators call change their numbers, too; no byte of a weight moves.

    Raises:
        CompileError: F018, there is no such signature; R010, the file can't be read; R012, the copy can't be written;
            R013, an operator calls the first subgraph, which then has a number that there is no room for.
    """
    summary = inspect(path)
    signature = summary.signature(key)
    entry, number = summary.signatures.index(signature), signature.subgraph
    try:
        shutil.copyfile(path, copy)
    except OSError as bad:
        raise error("R012", f"can't write a copy of {path.name}: {reason(bad)}") from bad
    with opened(path) as (_, model), copy.open("r+b") as file:
        _swap(file, model._tab, SIGNATURES, entry)
        _put(file, _vector(model._tab, SIGNATURES) - WORD, 1)  # the length: the others would name other tensors
        if number:
            _swap(file, model._tab, SUBGRAPHS, number)
            table = model.SignatureDefs(entry)._tab
            _put(file, table.Pos + table.Offset(OWN_SUBGRAPH), 0)
            for place, called in _calls(model):
                if called == 0:
                    text = f"an operator of {path.name} calls the subgraph that the file begins with"
                    raise error("R013", text, help="give every signature a file of its own")
                if called == number:
                    _put(file, place, 0)


def _calls(model: Any) -> Iterator[tuple[int, int]]:
    """Yield where operators say which subgraph they call, and its number; the place is 0 for a number left out."""
    for graph in map(model.Subgraphs, range(model.SubgraphsLength())):
        for operator in map(graph.Operators, range(graph.OperatorsLength())):
            for table, field in fields_of_subgraphs(operator):
                offset = table.Offset(field)
                place = table.Pos + offset if offset else 0
                yield place, int.from_bytes(table.Bytes[place : place + WORD], "little") if place else 0


def _vector(table: Any, field: int) -> int:
    """Return where the first element of a vector is."""
    return int(table.Vector(table.Offset(field)))


def _swap(file: BinaryIO, table: Any, field: int, number: int) -> None:
    """Swap the first element of a vector with another one: offsets, which count from where they stand."""
    start = _vector(table, field)
    places = start, start + WORD * number
    targets = [int(table.Indirect(place)) for place in places]
    for place, target in zip(places, reversed(targets), strict=True):
        _put(file, place, target - place)


def _put(file: BinaryIO, place: int, number: int) -> None:
    file.seek(place)
    file.write(struct.pack("<I", number))

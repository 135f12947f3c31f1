"""What operators pass on that is no tensor of the IR: handles of resources, complex numbers, parts of any size."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

from ...compiler.ir import Value
from ..common.complex_numbers import Complex


@dataclass(frozen=True)
class Handle:
    """The handle of a resource, which leads to a variable or a table; equal ones lead to the same."""

    kind: str
    name: str


@dataclass(frozen=True)
class Piece:
    """The part of ``x`` before a position along an axis, or from it on; the position is computed.

    Its size depends on data; only what joins the two around something else has a shape that does not.  ``cut`` inserts
    it for whatever else reads it.
    """

    x: Value
    axis: int
    at: Value
    is_front: bool
    cut: Callable[[], Value]


Imported: TypeAlias = Value | Handle | Complex | Piece
"""What an operator reads and gives."""

"""First states of recurrent layers that run as kernels: there before it is asked which kernel that is."""

from __future__ import annotations

from ....compiler.ops.recurrent import Lstm, Rnn
from ....passes.lowerings.recurrent import begin_with_zeros
from ..lowering import Build, prepare


@prepare(Lstm, Rnn)
def states_for_kernels(op: Lstm | Rnn, e: Build) -> None:
    """Kernels begin with states: with zeros where none are given, in both of two layers that may be one kernel."""
    if op.strategy == "fused":
        begin_with_zeros(op, e)

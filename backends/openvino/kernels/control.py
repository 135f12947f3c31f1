"""Rows for control flow, whose regions become bodies: networks with parameters and results of their own."""

from __future__ import annotations

import numpy as np

from ....compiler.ops import control as ir
from ....compiler.weights import Weight
from ..table import Call, Inline, emits
from .common import reshaped


@emits(ir.If, "If", dtypes="bool")
def if_(op: ir.If) -> Call:
    """If with two bodies: values that these read from around them become operands. The condition has to be a scalar."""
    return Call((reshaped(op.condition, ()),), {"then": op.then, "otherwise": op.otherwise})


@emits(ir.While, "Loop", dtypes={})
def while_(op: ir.While) -> Call:
    """Without a limit; the condition is computed before the loop, and by the writer at the end of its body."""
    endless = Weight.of(np.asarray(-1, np.int64))
    return Call((endless, Inline(op.condition, op.values), *op.values), {"body": op.body})

"""Arithmetic of integers: quotients cut towards zero, since those of Keras are rounded down."""

from __future__ import annotations

from ....compiler.ops import arith
from ....passes.lowerings.quotients import quotient_cut
from .lowering import lower

lower(arith.Div)(quotient_cut)

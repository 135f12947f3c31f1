"""Lowerings for arithmetic of integers that MIL computes otherwise, or not."""

from __future__ import annotations

from ....compiler.ops import arith
from ....passes.lowerings.conversions import drop_noop_cast, skip_wider_type
from ....passes.lowerings.quotients import quotient_cut
from .lowering import improve, lower

lower(arith.Div)(quotient_cut)
improve(arith.Cast)(drop_noop_cast)
improve(arith.Cast)(skip_wider_type)

"""Lowerings that name no target: how they are declared, and all of them."""

from __future__ import annotations

from ...compiler.lowering import Lowerings

LOWERINGS = Lowerings()
"""Rewrites of operations into simpler ones, in the order in which they are tried; shared by all targets."""

lower, simplify, prepare = LOWERINGS.lower, LOWERINGS.improve, LOWERINGS.prepare
"""Declare a lowering of what a target does not run; a rewrite that is always right to do; one that goes first."""

refuse = LOWERINGS.refuse
"""Declare why operations can't be lowered."""

__all__ = ["LOWERINGS", "lower", "prepare", "refuse", "simplify"]

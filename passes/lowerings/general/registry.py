"""Lowerings for targets whose operations take any rank, index by i64 and have channels first: how they are declared."""

from __future__ import annotations

from ....compiler.lowering import Lowerings

GENERAL = Lowerings()
"""In the order in which they are tried."""

lower, improve = GENERAL.lower, GENERAL.improve
"""Declare a lowering of what a target does not run; a rewrite that is always right to do."""

__all__ = ["GENERAL", "improve", "lower"]

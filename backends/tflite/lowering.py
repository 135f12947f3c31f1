"""The lowerings of TFLite, and how they are declared."""

from __future__ import annotations

from ...compiler.lowering import Build, Lowerings

LOWERINGS = Lowerings()
"""All rewrites into what the runtime has, in the order in which they are tried."""

lower, improve, prepare, refuse = LOWERINGS.lower, LOWERINGS.improve, LOWERINGS.prepare, LOWERINGS.refuse

__all__ = ["LOWERINGS", "Build", "improve", "lower", "prepare", "refuse"]

"""The lowerings that only Keras needs, and how they are declared."""

from __future__ import annotations

from ....compiler.lowering import Build, Lowerings

LOWERINGS = Lowerings()
"""Rewrites into what Keras has, in the order in which they are tried, before those of TensorFlow and of all targets."""

lower, improve, prepare = LOWERINGS.lower, LOWERINGS.improve, LOWERINGS.prepare

__all__ = ["LOWERINGS", "Build", "improve", "lower", "prepare"]

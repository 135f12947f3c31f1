"""The lowerings that only TensorFlow needs, and how they are declared."""

from __future__ import annotations

from ....compiler.lowering import Build, Lowerings

LOWERINGS = Lowerings()
"""Rewrites into what there are kernels for, in the order in which they are tried, before those that targets share."""

lower, improve, prepare = LOWERINGS.lower, LOWERINGS.improve, LOWERINGS.prepare

__all__ = ["LOWERINGS", "Build", "improve", "lower", "prepare"]

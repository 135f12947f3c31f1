"""The lowerings that only TensorFlow needs, and how they are declared."""

from __future__ import annotations

from ....compiler.lowering import Build, Lowerings

LOWERINGS = Lowerings()
"""Rewrites into what there are kernels for, in the order in which they are tried, before those that targets share."""

lower, improve = LOWERINGS.lower, LOWERINGS.improve

__all__ = ["LOWERINGS", "Build", "improve", "lower"]

"""The lowerings that only TensorFlow.js needs, and how they are declared."""

from __future__ import annotations

from ....compiler.lowering import Build, Lowerings

LOWERINGS = Lowerings()
"""Rewrites into what its executor runs, in the order in which they are tried, before those that targets share."""

lower, improve = LOWERINGS.lower, LOWERINGS.improve

__all__ = ["LOWERINGS", "Build", "improve", "lower"]
